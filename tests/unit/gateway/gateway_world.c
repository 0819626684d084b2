#include "tests/unit/gateway/gateway_world.h"

#include "common/wire/topics.h"
#include "services/gateway/service.h"
#include "tests/support/test.h"

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
    w.settings.security.tokens = w.tokens;
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

static enum err open_store(void *self, struct store *ret, struct error *error)
{
    (void)self;
    (void)error;
    *ret = memory_store(w.space, (struct memory_faults){ .ask = ask_store });
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
    w.call_arena = arena_with_limit(MEMORY);
    w.clock.now_ms = (int64_t)WORLD_NOW_S * 1000;
    write_tokens();
    read_settings();
    open_ports();
    assert_int_equal(gateway_service.open(&w.ports, &opened, &error), ERR_OK);
    w.gateway = opened;
    w.call.out = text_new(GATEWAY_ANSWER_MAX);
    return 0;
}

int world_close(void **state)
{
    (void)state;
    json_decref(w.json);
    text_release(&w.call.out);
    gateway_service.close(w.gateway);
    w.ports.bus.close(w.ports.bus.self);
    memory_broker_free(w.broker);
    memory_space_free(w.space);
    memory_log_free(w.log);
    memory_metrics_free(w.metrics);
    (void)unlink(w.tokens);
    arena_release(&w.call_arena);
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
            &w.call_arena,
            arena_copy(&w.call_arena, query, name < all ? name : all),
            name < all ? arena_copy(&w.call_arena, query + name + 1, all - name - 1) : "");
        query += all + (query[all] == '&');
    }
}

int world_ask(const struct asked *asked)
{
    const char *const mark = strchr(asked->target, '?');
    const struct text out = w.call.out;

    json_decref(w.json);
    arena_reset(&w.call_arena);
    w.web = (struct web_request){ 0 };
    read_headers(asked);
    w.call = (struct gateway_call){
        .gateway = w.gateway,
        .projection = &w.gateway->loop,
        .arena = &w.call_arena,
        .method = asked->method != NULL ? asked->method : "GET",
        .path =
            arena_copy(&w.call_arena,
                       asked->target,
                       mark != NULL ? (size_t)(mark - asked->target) : strlen(asked->target)),
        .web = &w.web,
        .now_ms = w.clock.now_ms,
        .out = out,
    };
    text_reset(&w.call.out);
    w.call.body.bytes = (const uint8_t *)(asked->body != NULL ? asked->body : "");
    w.call.body.length = asked->body_length > 0 ? asked->body_length
                         : asked->body != NULL  ? strlen(asked->body)
                                                : 0;
    read_query(mark != NULL ? mark + 1 : NULL);
    gateway_handle(&w.call);
    w.json = json_loadb(w.call.out.bytes, w.call.out.length, JSON_REJECT_DUPLICATES, NULL);
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
        const char *const name = arena_copy(&w.call_arena, path, length);

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
