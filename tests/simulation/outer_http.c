/* What is asked over HTTP: instances that are healthy or not, and say what they run and what
 * they count; documents; and gateways. Answers come, or late, or not, or are an excuse. */
#include "common/base/text.h"
#include "tests/simulation/world.h"

#include <string.h>

enum {
    TAKES_MS = 400,
    SLOW_ONE_IN = 8,
    SICK_MS = 8000,
    SICK_RARELY = 6,
    EXCUSES = 4,
    REQUEST_MS = 5, /* Users ask each instance so often, */
    ERRORS = 40,    /* and of a sick one get so many errors between two looks. */
};

static bool happens(struct world *world, unsigned in_million)
{
    return !world->quiet && dice_chance(&world->dice, in_million);
}

static enum err say(struct arena *arena,
                    int status,
                    const char *body,
                    struct http_response *ret)
{
    *ret = (struct http_response){ .status = status,
                                   .body = arena_text(arena, body),
                                   .body_length = strlen(body) };
    return ERR_OK;
}

/* --- instances --- */

static bool is_sick(struct world *world, struct site *site)
{
    const int64_t now_ms = world_now_ms(world);

    if (world->quiet)
        return false;
    if (now_ms >= site->sick_until_ms &&
        happens(world, world->weather.bad_finding / SICK_RARELY)) {
        site->sick_until_ms = now_ms + dice_ms(&world->dice, 1, SICK_MS);
        world_counts(world, FAULT_OF_sick);
        world_tell(world, "%s is SICK", site->name);
    }
    return now_ms < site->sick_until_ms;
}

static const char *metrics_page(struct arena *arena, struct world *world, struct site *site)
{
    if (is_sick(world, site))
        site->errors += ERRORS;
    if (world->quiet)
        site->errors = 0; /* It was restarted. */
    return arena_printf(arena,
                        "shop_requests_total %lld\nshop_errors_total %u\n",
                        (long long)(world->clock.monotonic_ms / REQUEST_MS),
                        site->errors);
}

static enum err ask_site(struct world *world,
                         struct arena *arena,
                         struct site *site,
                         const char *path,
                         struct http_response *ret)
{
    if (strcmp(path, "/version") == 0)
        return say(arena,
                   200,
                   arena_printf(arena,
                                "{\"version\":\"%s\",\"digest\":\"sha256:%s\"}",
                                site->version,
                                site->digest),
                   ret);
    if (strcmp(path, "/metrics") == 0)
        return say(arena, 200, metrics_page(arena, world, site), ret);
    return is_sick(world, site) ? say(arena, 500, "not well", ret)
                                : say(arena, 200, "all is well", ret);
}

/* --- everybody --- */

/* "http://shop-1/health": the site, and "/health". */
static struct site *site_at(struct world *world, const char *url, const char **ret_path)
{
    static const char start[] = "http://";
    const char *const host = url + sizeof start - 1;

    if (strncmp(url, start, sizeof start - 1) != 0)
        return NULL;
    for (size_t i = 0; i < world->site_count; i++) {
        const size_t length = strlen(world->sites[i].name);

        if (strncmp(host, world->sites[i].name, length) == 0 && host[length] == '/') {
            *ret_path = host + length;
            return &world->sites[i];
        }
    }
    return NULL;
}

static enum err answer(struct world *world,
                       struct arena *arena,
                       const struct http_request *request,
                       struct http_response *ret)
{
    const char *path = "";
    struct site *const site = site_at(world, request->url, &path);
    const char *body = "";

    if (site != NULL)
        return ask_site(world, arena, site, path, ret);
    if (strncmp(request->url, "http://hook/", 12) == 0 ||
        strncmp(request->url, "http://documents/", 17) == 0) {
        const int status = mailroom_ask(world, request, &body);

        return say(arena, status, body, ret);
    }
    return say(arena, 200, "as it was signed", ret); /* Reports, documents, dashboards. */
}

/* No connection, silence, or somebody between who answers in its place. */
static enum err excuse(struct process *process,
                       struct arena *arena,
                       const struct http_request *request,
                       struct http_response *ret,
                       struct error *error)
{
    const unsigned how = dice_below(&process->world->dice, EXCUSES);

    world_counts(process->world, FAULT_OF_excuse);
    world_tell(process->world, "EXCUSE (%u) for %s", how, request->url);
    if (how == 0)
        return error_set(error, ERR_UNAVAILABLE, "no connection");
    if (how == 1)
        return say(arena, 503, "busy", ret);
    if (how == 2 && strcmp(request->method, "GET") == 0)
        return say(arena, 200, "<html>welcome</html>", ret);
    process_waits(process, request->timeout_ms);
    if (request->cancelled != NULL && request->cancelled(request->cancelled_self))
        return error_set(error, ERR_CONFLICT, "cancelled");
    return error_set(error, ERR_TIMED_OUT, "no answer within %d ms", request->timeout_ms);
}

static enum err perform(void *self,
                        struct arena *arena,
                        const struct http_request *request,
                        struct http_response *ret,
                        struct error *error)
{
    struct process *const process = self;
    struct world *const world = process->world;
    enum memory_fault fault;

    if (strncmp(request->url, "http://gateway-", 15) == 0)
        return gateways_ask(process, arena, request, ret, error);
    fault = process_asks(process, request->method, request->url);
    if (fault == FAULT_BEFORE)
        return error_set(error, ERR_UNAVAILABLE, "no connection");
    if (!world->quiet && dice_below(&world->dice, SLOW_ONE_IN) == 0)
        process_waits(process, dice_ms(&world->dice, 1, TAKES_MS));
    if (process->dying)
        return error_set(error, ERR_UNAVAILABLE, "no connection");
    if (happens(world, world->weather.broken / 2))
        return excuse(process, arena, request, ret, error);
    if (answer(world, arena, request, ret) == ERR_OK && fault == FAULT_NONE)
        return ERR_OK;
    return error_set(error, ERR_TIMED_OUT, "the answer was lost");
}

static void close_client(void *self)
{
    (void)self;
}

struct http_client outer_http_client(struct process *process)
{
    return (struct http_client){ .self = process, .perform = perform, .close = close_client };
}
