#include "tests/unit/gateway/gateway_world.h"

#include "common/wire/topics.h"
#include "services/gateway/service.h"
#include "tests/support/test.h"
#include "tests/unit/gateway/schema_check.h"
#include "tests/unit/gateway/shared_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 64 * 1024, MEMORY = 64 << 20 };

struct gateway_world w;

/* --- what it is made of --- */

char *world_example(const char *path)
{
    char *const bytes = arena_alloc(&w.arena, FILE_MAX_BYTES);
    FILE *const file = fopen(path, "rb");

    assert_non_null(file);
    (void)fread(bytes, 1, FILE_MAX_BYTES - 1, file);
    (void)fclose(file);
    return bytes;
}

struct yaml_problems *world_problems(void)
{
    struct yaml_problems *const problems = arena_alloc(&w.arena, sizeof *problems);

    problems->arena = &w.arena;
    return problems;
}

static void write_tokens(void)
{
    /* clang-format off */
    static const char *const people[][2] = {
        { "tess", "technical-lead" },   { "dev", "devops-lead" },  { "olga", "operations-lead" },
        { "rel", "release-engineer" },  { "ci", "submitter" },     { "monitoring", "alerting" },
        { "rita", "reader" },
    };
    /* clang-format on */
    FILE *file;

    (void)snprintf(w.tokens, sizeof w.tokens, "/tmp/slipway-tokens.XXXXXX");
    file = fdopen(mkstemp(w.tokens), "w");
    assert_non_null(file);
    (void)fprintf(file, "tokens:\n");
    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
        const char *const token = arena_printf(&w.arena, "token-of-%s", people[i][0]);
        char hex[DIGEST_HEX_SIZE];

        digest_sha256(token, strlen(token), hex);
        (void)fprintf(file,
                      "  - {subject: %s, name: The %s, roles: [%s], sha256: %s}\n",
                      people[i][0],
                      people[i][0],
                      people[i][1],
                      hex);
    }
    (void)fclose(file);
}

static void read_settings(void)
{
    const struct settings *const read =
        settings_load(&w.arena, "deploy/example/slipway.yaml", world_problems());

    assert_non_null(read);
    w.settings = *read;
    /* Beside slipway.yaml, and named as operators do: relative to it. */
    w.settings.file = "/tmp/slipway.yaml";
    w.settings.security.tokens = strrchr(w.tokens, '/') + 1;
    w.settings.redis.prefix = "slipway:";
}

static void add_key(const char *writer)
{
    const size_t i = w.keys.count++;

    (void)snprintf(w.keys.item[i].writer, sizeof w.keys.item[i].writer, "%s", writer);
    memset(w.keys.item[i].key, (int)i + 1, 32);
    w.keys.item[i].length = 32;
}

static enum memory_fault ask_bus(void *self, const char *operation, const char *object)
{
    (void)self;
    return memory_fault_of(&w.bus_faults, operation, object);
}

static enum memory_fault ask_store(void *self, const char *operation, const char *object)
{
    (void)self;
    return memory_fault_of(&w.store_faults, operation, object);
}

static void world_at_store(void)
{
    if (w.at_store != NULL)
        w.at_store();
}

static enum err open_store(void *self, struct store *ret, struct error *error)
{
    (void)self;
    (void)error;
    *ret = shared_store(memory_store(w.space, (struct memory_faults){ .ask = ask_store }),
                        world_at_store);
    return ERR_OK;
}

static enum err open_http(void *self, struct http_client *ret, struct error *error)
{
    (void)self;
    (void)error;
    *ret = memory_http_client(w.http);
    return ERR_OK;
}

static void open_ports(void)
{
    const struct clock_port clock = memory_clock_port(&w.clock);
    struct bus_topic topics[TOPICS_MAX];
    const size_t count = topics_all(WORLD_PARTITIONS, topics);
    struct error error = { 0 };

    w.broker = memory_broker_new(clock);
    w.space = memory_space_new(clock);
    w.log = memory_log_new();
    w.metrics = memory_metrics_new();
    w.http = memory_http_new();
    add_key("coordinator");
    add_key("gateway");
    add_key("monitor");
    add_key("executor");
    w.ports = (struct service_ports){
        .settings = &w.settings,
        .service = "gateway",
        .instance = "gateway-1",
        .clock = clock,
        .bus = memory_bus(w.broker, (struct memory_faults){ .ask = ask_bus }),
        .log = memory_log_port(w.log),
        .metrics = memory_metrics_port(w.metrics),
        .keys = &w.keys,
        .open_store = open_store,
        .open_http = open_http,
    };
    assert_int_equal(w.ports.bus.ensure_topics(w.ports.bus.self, topics, count, &error),
                     ERR_OK);
}

int world_open(void **state)
{
    struct error error = { 0 };
    void *opened = NULL;

    (void)state;
    memset(&w, 0, sizeof w);
    w.arena = arena_with_limit(MEMORY);
    w.look_arena = arena_with_limit(MEMORY);
    w.clock.now_ms = (int64_t)WORLD_NOW_S * 1000;
    write_tokens();
    read_settings();
    open_ports();
    world_caught_up(true);
    assert_int_equal(gateway_service.open(&w.ports, &opened, &error), ERR_OK);
    w.gateway = opened;
    assert_int_equal(bench_open(w.gateway, &w.bench, &error), ERR_OK);
    return 0;
}

int world_close(void **state)
{
    (void)state;
    json_decref(w.json);
    json_decref(w.openapi);
    bench_close(&w.bench);
    gateway_service.close(w.gateway);
    w.ports.bus.close(w.ports.bus.self);
    memory_broker_free(w.broker);
    memory_space_free(w.space);
    memory_log_free(w.log);
    memory_metrics_free(w.metrics);
    memory_http_free(w.http);
    (void)unlink(w.tokens);
    arena_release(&w.look_arena);
    arena_release(&w.arena);
    return 0;
}

/* --- asking --- */

static void add_header(const char *name, const char *value)
{
    w.web.headers[w.web.header_count++] = (struct web_pair){ name, value };
}

static void read_headers(const struct asked *asked)
{
    if (asked->token != NULL)
        add_header("Authorization", arena_printf(&w.arena, "Bearer token-of-%s", asked->token));
    for (size_t i = 0; i < 8 && asked->headers[i] != NULL; i++) {
        const char *const colon = strchr(asked->headers[i], ':');

        add_header(arena_copy(&w.arena, asked->headers[i], (size_t)(colon - asked->headers[i])),
                   colon + 2);
    }
}

/* "a=1&b=2"; nothing is escaped here. */
static void read_query(const char *query)
{
    while (query != NULL && *query != '\0') {
        const size_t name = strcspn(query, "=");
        const size_t all = strcspn(query, "&");

        w.call.query[w.call.query_count++] = pb_pair_new(
            w.call.arena,
            arena_copy(w.call.arena, query, name < all ? name : all),
            name < all ? arena_copy(w.call.arena, query + name + 1, all - name - 1) : "");
        query += all + (query[all] == '&');
    }
}

/* The description, asked for once. */
static const json_t *openapi(void)
{
    if (w.openapi == NULL) {
        struct arena arena = arena_with_limit(MEMORY);
        struct gateway_call call = { .gateway = w.gateway,
                                     .arena = &arena,
                                     .method = "GET",
                                     .path = "/v1/openapi.json",
                                     .out = text_new(GATEWAY_ANSWER_MAX) };

        gateway_handle(&call);
        w.openapi = json_loads(call.out.bytes, 0, NULL);
        assert_non_null(w.openapi);
        text_release(&call.out);
        arena_release(&arena);
    }
    return w.openapi;
}

static bool is_documented(int status)
{
    const struct gateway_route *const route = w.call.route;
    char text[8];

    (void)snprintf(text, sizeof text, "%d", status);
    return strstr(route->answers, text) != NULL ||
           ((route->flags & ROUTE_OPEN) == 0 && (status == 401 || status == 429));
}

/* JSON that has a schema, unless it is another's format; or one of the other forms. */
static bool is_described_form(void)
{
    const struct gateway_route *const route = w.call.route;
    const size_t length = strcspn(w.call.content_type, ";");
    const char *const place =
        strstr(route->also, arena_copy(&w.look_arena, w.call.content_type, length));

    if (strcmp(w.call.content_type, "application/json") == 0)
        return route->schema[0] != '\0' || (route->flags & ROUTE_OPEN) != 0;
    return place != NULL && (place == route->also || place[-1] == ' ') &&
           strchr(" ", place[length]) != NULL;
}

/* Every answer of every test fits the description. */
static void check_answer(void)
{
    const bool good = w.call.status >= 200 && w.call.status < 300;
    const bool is_json =
        w.call.content_type != NULL && strcmp(w.call.content_type, "application/json") == 0;
    struct text fault = text_new(64 * 1024);

    if (w.call.route != NULL && !is_documented(w.call.status))
        text_add(&fault, "%d is not documented\n", w.call.status);
    if (good && w.call.content_type != NULL && !is_described_form())
        text_add(&fault, "%s is not described\n", w.call.content_type);
    if (is_json && w.json == NULL)
        text_add(&fault, "this is no JSON: ");
    else if (good && is_json && w.call.route->schema[0] != '\0')
        schema_check(openapi(), w.call.route->schema, w.json, &fault);
    if (w.call.content_type != NULL &&
        strcmp(w.call.content_type, "application/problem+json") == 0) {
        const json_t *const status = json_object_get(w.json, "status");

        assert_int_equal(json_integer_value(status), w.call.status);
        assert_true(world_text("trace_id")[0] != '\0');
        schema_check(openapi(), "Problem", w.json, &fault);
    }
    if (fault.length > 0)
        fail_msg("%s %s: %s%s", w.call.method, w.call.path, fault.bytes, w.call.out.bytes);
    text_release(&fault);
}

int world_ask(const struct asked *asked)
{
    const char *const mark = strchr(asked->target, '?');
    const size_t path = mark != NULL ? (size_t)(mark - asked->target) : strlen(asked->target);
    const char *const body = asked->body != NULL ? asked->body : "";

    json_decref(w.json);
    arena_reset(&w.look_arena);
    w.web = (struct web_request){ 0 };
    read_headers(asked);
    w.call = call_on(w.gateway, &w.bench);
    w.call.method = asked->method != NULL ? asked->method : "GET";
    w.call.path = arena_copy(w.call.arena, asked->target, path);
    w.call.web = &w.web;
    w.call.body.bytes = (const uint8_t *)body;
    w.call.body.length = asked->body_length > 0 ? asked->body_length : strlen(body);
    read_query(mark != NULL ? mark + 1 : NULL);
    gateway_handle(&w.call);
    call_done(&w.call, &w.bench);
    w.json = json_loadb(w.call.out.bytes, w.call.out.length, JSON_REJECT_DUPLICATES, NULL);
    check_answer();
    return w.call.status;
}

int world_get(const char *target)
{
    return world_ask(&(struct asked){ .target = target, .token = "rel" });
}

int world_post(const char *subject, const char *target, const char *body)
{
    return world_ask(&(struct asked){ .method = "POST",
                                      .target = target,
                                      .token = subject,
                                      .body = body,
                                      .headers = { "Content-Type: application/json" } });
}

json_t *world_at(const char *path)
{
    json_t *node = w.json;

    while (*path != '\0' && node != NULL) {
        const size_t length = strcspn(path, ".");
        const char *const name = arena_copy(&w.look_arena, path, length);

        node = json_is_array(node) ? json_array_get(node, (size_t)strtoul(name, NULL, 10))
                                   : json_object_get(node, name);
        path += length + (path[length] == '.');
    }
    return node;
}

const char *world_text(const char *path)
{
    const char *const text = json_string_value(world_at(path));

    return text != NULL ? text : "";
}

int64_t world_int(const char *path)
{
    const json_t *const node = world_at(path);

    return json_is_integer(node) ? json_integer_value(node) : -1;
}

size_t world_count(const char *path)
{
    return json_array_size(world_at(path));
}

const char *world_body(void)
{
    return w.call.out.bytes;
}
