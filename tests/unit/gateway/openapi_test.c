/* The served description, held against what the gateway does: every route answers, every
 * documented status can be had, and the design's resources are all there. */
#include "common/state/keys.h"
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const no_body = "";

/* --- the resources of the design --- */

static void every_resource_of_the_design_is_described(void **state)
{
    /* clang-format off */
    static const char *const resources[][2] = {
        { "get", "/v1/me" },                               { "get", "/v1/deployments" },
        { "get", "/v1/deployments/{id}" },                 { "get", "/v1/deployments/{id}/plan" },
        { "get", "/v1/deployments/{id}/findings" },        { "get", "/v1/deployments/{id}/metrics" },
        { "get", "/v1/deployments/{id}/timeline" },        { "get", "/v1/deployments/{id}/explain" },
        { "get", "/v1/deployments/{id}/report" },          { "post", "/v1/deployments" },
        { "post", "/v1/deployments/{id}/requests" },       { "get", "/v1/requests/{id}" },
        { "get", "/v1/inbox" },                            { "get", "/v1/flags" },
        { "get", "/v1/flags/{environment}/{flag}" },       { "post", "/v1/flags/{environment}/{flag}/kill" },
        { "get", "/v1/freezes" },                          { "post", "/v1/freezes" },
        { "delete", "/v1/freezes/{id}" },                  { "get", "/v1/windows" },
        { "get", "/v1/lanes" },                            { "get", "/v1/alerts" },
        { "post", "/v1/alerts" },                          { "get", "/v1/dead-letters" },
        { "get", "/v1/health" },                           { "get", "/v1/signals" },
        { "get", "/v1/stream" },                           { "post", "/v1/alertmanager" },
        { "post", "/v1/events" },                          { "post", "/ofrep/v1/evaluate/flags/{flag}" },
        { "post", "/ofrep/v1/evaluate/flags" },            { "post", "/v1/login" },
    };
    /* clang-format on */
    const json_t *paths;

    (void)state;
    assert_int_equal(world_ask(&(struct asked){ .target = "/v1/openapi.json" }), 200);
    assert_string_equal(world_text("openapi"), "3.1.0");
    paths = world_at("paths");
    for (size_t i = 0; i < sizeof resources / sizeof resources[0]; i++) {
        if (json_object_get(json_object_get(paths, resources[i][1]), resources[i][0]) == NULL)
            fail_msg("%s %s is not described", resources[i][0], resources[i][1]);
    }
}

static void every_reference_leads_somewhere(void **state)
{
    const char *rest;

    (void)state;
    assert_int_equal(world_ask(&(struct asked){ .target = "/v1/openapi.json" }), 200);
    for (rest = world_body(); (rest = strstr(rest, "#/components/schemas/")) != NULL;) {
        const char *const name = rest + strlen("#/components/schemas/");
        const size_t length = strcspn(name, "\"");
        const json_t *const schemas = world_at("components");
        char copy[64];

        (void)snprintf(copy, sizeof copy, "%.*s", (int)length, name);
        if (json_object_get(json_object_get(schemas, "schemas"), copy) == NULL)
            fail_msg("there is no schema %s", copy);
        rest = name + length;
    }
}

/* --- every documented status can be had --- */

enum trouble { FINE, NO_REDIS, NO_KAFKA, NOT_READ };

/* One request, and what it is answered with. "{id}" is express-pay.3, which is in review. */
struct recipe {
    int status;
    const char *method;
    const char *pattern;
    const char *target; /* NULL: the pattern, filled in. */
    const char *token;
    const char *body;
    const char *type;
    enum trouble trouble;
};

#define PAUSE                                                                                  \
    "{\"request\":\"%s\",\"expected_version\":10,\"reason\":\"x\",\"role\":\"release-"         \
    "engineer\",\"pause\":{}}"
#define ALERT "{\"service\":\"shop\",\"environment\":\"production\",\"severity\":\"CRITICAL\"}"
#define EVENT                                                                                  \
    "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/ci\",\"type\":"                       \
    "\"slipway.v1.AcceptanceWithdrawn\",\"data\":{\"feature\":\"a\"}}"
#define FREEZE  "{\"scope\":\"production/*\",\"to_ms\":4000000000000,\"reason\":\"x\"}"
#define CONTEXT "{\"context\":{\"targetingKey\":\"u\"}}"
#define JSON    "application/json"
#define CE      "application/cloudevents+json"

/* clang-format off */
static const struct recipe recipes[] = {
    /* Of GETs, 304 and 503 without Redis are tried for all that document them. */
    { 400, "GET",    "/v1/deployments",               "/v1/deployments?step=x", "rel", NULL, NULL, FINE },
    { 404, "GET",    "/v1/deployments/{id}",          "/v1/deployments/x.1", "rel", NULL, NULL, FINE },
    { 404, "GET",    "/v1/deployments/{id}/plan",     "/v1/deployments/x.1/plan", "rel", NULL, NULL, FINE },
    { 404, "GET",    "/v1/deployments/{id}/findings", "/v1/deployments/x.1/findings", "rel", NULL, NULL, FINE },
    { 400, "GET",    "/v1/deployments/{id}/findings", "/v1/deployments/x.1/findings?step=9", "rel", NULL, NULL, FINE },
    { 404, "GET",    "/v1/deployments/{id}/metrics",  "/v1/deployments/x.1/metrics", "rel", NULL, NULL, FINE },
    { 400, "GET",    "/v1/deployments/{id}/metrics",  "/v1/deployments/x.1/metrics?since_ms=x", "rel", NULL, NULL, FINE },
    { 404, "GET",    "/v1/deployments/{id}/timeline", "/v1/deployments/x.1/timeline", "rel", NULL, NULL, FINE },
    { 400, "GET",    "/v1/deployments/{id}/timeline", "/v1/deployments/express-pay/timeline?after_version=x", "rel", NULL, NULL, FINE },
    { 404, "GET",    "/v1/deployments/{id}/explain",  "/v1/deployments/x.1/explain", "rel", NULL, NULL, FINE },
    { 400, "GET",    "/v1/deployments/{id}/explain",  "/v1/deployments/express-pay/explain?step=9", "rel", NULL, NULL, FINE },
    { 404, "GET",    "/v1/deployments/{id}/report",   "/v1/deployments/x.1/report", "rel", NULL, NULL, FINE },
    { 400, "GET",    "/v1/deployments/{id}", "/v1/deployments/express-pay?min_version=x", "rel", NULL, NULL, FINE },
    { 400, "GET",    "/v1/deployments/{id}/plan", "/v1/deployments/express-pay/plan?min_version=x", "rel", NULL, NULL, FINE },
    { 400, "GET",    "/v1/deployments/{id}/report", "/v1/deployments/express-pay/report?min_version=x", "rel", NULL, NULL, FINE },
    { 200, "GET",    "/docs/problems/{code}",         "/docs/problems/behind", NULL, NULL, NULL, FINE },
    { 304, "GET",    "/docs/problems/{code}",         "/docs/problems/behind", NULL, NULL, NULL, FINE },
    { 404, "GET",    "/docs/problems/{code}",         "/docs/problems/x", NULL, NULL, NULL, FINE },
    { 200, "GET",    "/v1/requests/{id}",             "/v1/requests/known", "rel", NULL, NULL, FINE },
    { 304, "GET",    "/v1/requests/{id}",             "/v1/requests/known", "rel", NULL, NULL, FINE },
    { 404, "GET",    "/v1/requests/{id}",             "/v1/requests/unknown", "rel", NULL, NULL, FINE },
    { 503, "GET",    "/v1/requests/{id}",             "/v1/requests/known", "rel", NULL, NULL, NO_REDIS },
    { 400, "GET",    "/v1/inbox",                     "/v1/inbox?for=x", "rel", NULL, NULL, FINE },
    { 200, "POST",   "/v1/login",                     NULL, NULL, "{\"token\":\"token-of-rel\"}", JSON, FINE },
    { 400, "POST",   "/v1/login",                     NULL, NULL, "{}", JSON, FINE },
    { 401, "POST",   "/v1/login",                     NULL, NULL, "{\"token\":\"x\"}", JSON, FINE },
    { 403, "POST",   "/v1/login",                     NULL, NULL, "@origin", JSON, FINE },
    { 415, "POST",   "/v1/login",                     NULL, NULL, "{}", "text/plain", FINE },
    { 204, "DELETE", "/v1/login",                     NULL, NULL, NULL, NULL, FINE },
    { 503, "GET",    "/v1/flags",                     NULL, "rel", NULL, NULL, NOT_READ },
    { 503, "GET",    "/v1/flags/{environment}/{flag}", NULL, "rel", NULL, NULL, NOT_READ },
    { 404, "GET",    "/v1/flags/{environment}/{flag}", "/v1/flags/production/x", "rel", NULL, NULL, FINE },
    { 400, "GET",    "/v1/signals",                   "/v1/signals?after=x", "rel", NULL, NULL, FINE },
    { 400, "GET",    "/v1/stream",                    "/v1/stream?topics=x", "rel", NULL, NULL, FINE },
    { 404, "GET",    "/internal/v1/flags/{environment}/{flag}", "/internal/v1/flags/production/x", NULL, NULL, NULL, FINE },
    { 503, "GET",    "/internal/v1/flags/{environment}/{flag}", NULL, NULL, NULL, NULL, NOT_READ },

    { 200, "POST",   "/v1/deployments",               "/v1/deployments?dry_run=true", "ci", "@json", JSON, FINE },
    { 202, "POST",   "/v1/deployments",               NULL, "ci", "@json", JSON, FINE },
    { 400, "POST",   "/v1/deployments",               NULL, "ci", "{", JSON, FINE },
    { 403, "POST",   "/v1/deployments",               NULL, "rita", "{", JSON, FINE },
    { 415, "POST",   "/v1/deployments",               NULL, "ci", "x", "text/plain", FINE },
    { 422, "POST",   "/v1/deployments",               NULL, "ci", "{}", JSON, FINE },
    { 503, "POST",   "/v1/deployments",               NULL, "ci", "@json", JSON, NO_KAFKA },
    { 200, "POST",   "/v1/deployments/{id}/requests", "/v1/deployments/express-pay/requests?dry_run=true", "rel", PAUSE, JSON, FINE },
    { 202, "POST",   "/v1/deployments/{id}/requests", NULL, "rel", PAUSE, JSON, FINE },
    { 400, "POST",   "/v1/deployments/{id}/requests", NULL, "rel", "{}", JSON, FINE },
    { 403, "POST",   "/v1/deployments/{id}/requests", NULL, "tess", PAUSE, JSON, FINE },
    { 404, "POST",   "/v1/deployments/{id}/requests", "/v1/deployments/x.1/requests", "rel", PAUSE, JSON, FINE },
    { 409, "POST",   "/v1/deployments/{id}/requests", "/v1/deployments/express-pay/requests?dry_run=true", "rel", "{\"expected_version\":10,\"resume\":{}}", JSON, FINE },
    { 412, "POST",   "/v1/deployments/{id}/requests", "/v1/deployments/express-pay/requests?dry_run=true", "rel", "{\"expected_version\":9,\"resume\":{}}", JSON, FINE },
    { 413, "POST",   "/v1/deployments/{id}/requests", NULL, "rel", "@reason", JSON, FINE },
    { 415, "POST",   "/v1/deployments/{id}/requests", NULL, "rel", PAUSE, "text/plain", FINE },
    { 422, "POST",   "/v1/deployments/{id}/requests", NULL, "rel", "{\"expected_version\":10,\"pause\":{}}", JSON, FINE },
    { 428, "POST",   "/v1/deployments/{id}/requests", NULL, "rel", "{\"resume\":{}}", JSON, FINE },
    { 503, "POST",   "/v1/deployments/{id}/requests", NULL, "rel", PAUSE, JSON, NO_KAFKA },
    { 200, "POST",   "/v1/flags/{environment}/{flag}/kill", NULL, "rel", "{\"reason\":\"x\"}", JSON, FINE },
    { 400, "POST",   "/v1/flags/{environment}/{flag}/kill", NULL, "rel", "@deep", JSON, FINE },
    { 403, "POST",   "/v1/flags/{environment}/{flag}/kill", NULL, "ci", "{\"reason\":\"x\"}", JSON, FINE },
    { 404, "POST",   "/v1/flags/{environment}/{flag}/kill", "/v1/flags/production/x/kill", "rel", "{\"reason\":\"x\"}", JSON, FINE },
    { 415, "POST",   "/v1/flags/{environment}/{flag}/kill", NULL, "rel", "{}", "text/plain", FINE },
    { 422, "POST",   "/v1/flags/{environment}/{flag}/kill", NULL, "rel", "{}", JSON, FINE },
    { 503, "POST",   "/v1/flags/{environment}/{flag}/kill", "/v1/flags/production/gift-cards/kill", "rel", "{\"reason\":\"x\"}", JSON, NO_KAFKA },
    { 201, "POST",   "/v1/freezes",                   NULL, "rel", FREEZE, JSON, FINE },
    { 400, "POST",   "/v1/freezes",                   NULL, "rel", "{", JSON, FINE },
    { 403, "POST",   "/v1/freezes",                   NULL, "ci", FREEZE, JSON, FINE },
    { 415, "POST",   "/v1/freezes",                   NULL, "rel", FREEZE, "text/plain", FINE },
    { 422, "POST",   "/v1/freezes",                   NULL, "rel", "{}", JSON, FINE },
    { 503, "POST",   "/v1/freezes",                   NULL, "rel", FREEZE, JSON, NO_KAFKA },
    { 200, "DELETE", "/v1/freezes/{id}",              "/v1/freezes/lifted", "rel", NULL, NULL, FINE },
    { 403, "DELETE", "/v1/freezes/{id}",              "/v1/freezes/lifted", "ci", NULL, NULL, FINE },
    { 404, "DELETE", "/v1/freezes/{id}",              "/v1/freezes/x", "rel", NULL, NULL, FINE },
    { 409, "DELETE", "/v1/freezes/{id}",              "/v1/freezes/holidays", "rel", NULL, NULL, FINE },
    { 503, "DELETE", "/v1/freezes/{id}",              "/v1/freezes/kept", "rel", NULL, NULL, NO_KAFKA },
    { 202, "POST",   "/v1/alerts",                    NULL, "monitoring", ALERT, JSON, FINE },
    { 400, "POST",   "/v1/alerts",                    NULL, "monitoring", "{", JSON, FINE },
    { 403, "POST",   "/v1/alerts",                    NULL, "rita", ALERT, JSON, FINE },
    { 415, "POST",   "/v1/alerts",                    NULL, "monitoring", ALERT, "text/plain", FINE },
    { 422, "POST",   "/v1/alerts",                    NULL, "monitoring", "{}", JSON, FINE },
    { 503, "POST",   "/v1/alerts",                    NULL, "monitoring", ALERT, JSON, NO_KAFKA },
    { 202, "POST",   "/v1/alertmanager",              NULL, "monitoring", "{\"alerts\":[]}", JSON, FINE },
    { 400, "POST",   "/v1/alertmanager",              NULL, "monitoring", "{", JSON, FINE },
    { 403, "POST",   "/v1/alertmanager",              NULL, "rita", "{}", JSON, FINE },
    { 413, "POST",   "/v1/alertmanager",              NULL, "monitoring", "@alerts", JSON, FINE },
    { 415, "POST",   "/v1/alertmanager",              NULL, "monitoring", "{}", "text/plain", FINE },
    { 503, "POST",   "/v1/alertmanager",              NULL, "monitoring", "@alert", JSON, NO_KAFKA },
    { 202, "POST",   "/v1/events",                    NULL, "ci", EVENT, CE, FINE },
    { 400, "POST",   "/v1/events",                    NULL, "ci", "{", CE, FINE },
    { 403, "POST",   "/v1/events",                    NULL, "rita", EVENT, CE, FINE },
    { 415, "POST",   "/v1/events",                    NULL, "ci", EVENT, "text/plain", FINE },
    { 422, "POST",   "/v1/events",                    NULL, "ci", "{}", CE, FINE },
    { 503, "POST",   "/v1/events",                    NULL, "ci", EVENT, CE, NO_KAFKA },
    { 200, "POST",   "/ofrep/v1/evaluate/flags/{flag}", "/ofrep/v1/evaluate/flags/express-pay", NULL, CONTEXT, JSON, FINE },
    { 400, "POST",   "/ofrep/v1/evaluate/flags/{flag}", "/ofrep/v1/evaluate/flags/express-pay", NULL, "{}", JSON, FINE },
    { 404, "POST",   "/ofrep/v1/evaluate/flags/{flag}", "/ofrep/v1/evaluate/flags/x", NULL, CONTEXT, JSON, FINE },
    { 503, "POST",   "/ofrep/v1/evaluate/flags/{flag}", "/ofrep/v1/evaluate/flags/x", NULL, CONTEXT, JSON, NOT_READ },
    { 200, "POST",   "/ofrep/v1/evaluate/flags",      NULL, NULL, CONTEXT, JSON, FINE },
    { 304, "POST",   "/ofrep/v1/evaluate/flags",      NULL, NULL, CONTEXT, JSON, FINE },
    { 400, "POST",   "/ofrep/v1/evaluate/flags",      NULL, NULL, "{}", JSON, FINE },
    { 503, "POST",   "/ofrep/v1/evaluate/flags",      NULL, NULL, CONTEXT, JSON, NOT_READ },
};
/* clang-format on */

/* --- trying them --- */

static void set_up_things(void)
{
    struct world_deployment deployment =
        world_deployment("express-pay.3", PB__PHASE__IN_REVIEW);
    Pb__Control *const control = pb_new(&w.arena, &pb__control__descriptor);
    static const char answer[] =
        "{\"state\":\"APPLIED\",\"version\":11,\"deployment\":\"express-pay.3\"}";
    static struct setting_freeze configured = {
        .id = "holidays", .scope = "production/*", .to_ms = INT64_MAX, .reason = "holidays"
    };

    deployment.state->cursor->sub = PB__SUB__SUB_RUN;
    world_store(&deployment);
    world_grant("express-pay", "express-pay.3", 100, 1);
    world_grant("gift-cards", "gift-cards.1", 100, 1);
    control->body_case = PB__CONTROL__BODY_FREEZE;
    control->freeze = pb_new(&w.arena, &pb__freeze__descriptor);
    control->freeze->id = "lifted";
    control->freeze->scope = "production/*";
    control->freeze->to_ms = INT64_MAX;
    world_control("gateway", "freeze/lifted", control);
    control->freeze->id = "kept";
    world_control("gateway", "freeze/kept", control);
    world_put(
        KEY_REQUEST(
            &w.arena, bus_partition("express-pay", WORLD_PARTITIONS), "slipway:", "known"),
        answer,
        sizeof answer - 1);
    w.settings.freezes = &configured;
    w.settings.freeze_count = 1;
}

static enum memory_fault broken(void *self, const char *operation, const char *object)
{
    (void)self;
    (void)operation;
    (void)object;
    return FAULT_BEFORE;
}

/* "{id}" and the like, filled in. */
static const char *target_of(const struct recipe *recipe)
{
    struct text text;
    const char *copy;

    if (recipe->target != NULL)
        return recipe->target;
    text = text_new(1024);
    for (const char *c = recipe->pattern; *c != '\0'; c++) {
        if (*c != '{') {
            text_add_char(&text, *c);
            continue;
        }
        text_add(&text,
                 "%s",
                 strncmp(c, "{id}", 4) == 0             ? "express-pay.3"
                 : strncmp(c, "{environment}", 13) == 0 ? "production"
                                                        : "express-pay");
        c = strchr(c, '}');
    }
    copy = arena_text(&w.arena, text.bytes);
    text_release(&text);
    return copy;
}

static const char *repeated(const char *before, const char *what, int count, const char *after)
{
    struct text text = text_new(1 << 20);
    const char *copy;

    text_add(&text, "%s", before);
    for (int i = 0; i < count; i++)
        text_add(&text, "%s%s", i > 0 && what[0] == '{' ? "," : "", what);
    text_add(&text, "%s", after);
    copy = arena_text(&w.arena, text.bytes);
    text_release(&text);
    return copy;
}

#define ONE_ALERT "{\"labels\":{},\"status\":\"firing\",\"fingerprint\":\"a\"}"

static const char *body_of(const struct recipe *recipe)
{
    static unsigned number;

    if (recipe->body == NULL)
        return no_body;
    if (strcmp(recipe->body, "@json") == 0)
        return "{\"feature\":\"a\",\"title\":\"t\",\"environment\":\"production\","
               "\"services\":[\"shop\"]}";
    if (strcmp(recipe->body, "@reason") == 0)
        return repeated(
            "{\"expected_version\":10,\"pause\":{},\"reason\":\"", "x", 2001, "\"}");
    if (strcmp(recipe->body, "@alerts") == 0)
        return repeated("{\"alerts\":[", ONE_ALERT, 1001, "]}");
    if (strcmp(recipe->body, "@deep") == 0)
        return repeated("", "[", 33, "");
    if (strcmp(recipe->body, "@alert") == 0)
        return "{\"alerts\":[" ONE_ALERT "]}";
    if (strcmp(recipe->body, PAUSE) == 0)
        return arena_printf(&w.arena, PAUSE, arena_printf(&w.arena, "r-%u", number++));
    return recipe->body;
}

static int try(const struct recipe *recipe)
{
    struct asked asked = {
        .method = recipe->method,
        .target = target_of(recipe),
        .token = recipe->token,
        .body = body_of(recipe),
    };
    size_t headers = 0;
    int status;

    w.store_faults.ask = recipe->trouble == NO_REDIS ? broken : NULL;
    w.bus_faults.ask = recipe->trouble == NO_KAFKA ? broken : NULL;
    w.gateway->control_complete = recipe->trouble != NOT_READ;
    if (recipe->type != NULL)
        asked.headers[headers++] = arena_printf(&w.arena, "Content-Type: %s", recipe->type);
    if (strcmp(asked.body, "@origin") == 0)
        asked.headers[headers++] = "Origin: https://evil.example";
    if (recipe->status == 304)
        asked.headers[headers++] = "If-None-Match: *";
    status = world_ask(&asked);
    w.store_faults.ask = NULL;
    w.bus_faults.ask = NULL;
    return status;
}

/* A recipe of the table, or the one that all GETs have. */
static bool find_recipe(const struct gateway_route *route, int status, struct recipe *ret)
{
    for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++) {
        if (recipes[i].status == status && strcmp(recipes[i].pattern, route->pattern) == 0 &&
            strcmp(recipes[i].method, route->method) == 0) {
            *ret = recipes[i];
            return true;
        }
    }
    *ret = (struct recipe){ .status = status,
                            .method = route->method,
                            .pattern = route->pattern,
                            .token = (route->flags & ROUTE_OPEN) != 0 ? NULL : "rel",
                            .trouble = status == 503 ? NO_REDIS : FINE };
    return strcmp(route->method, "GET") == 0 &&
           (status == 200 || status == 304 || status == 503);
}

static void try_route(const struct gateway_route *route)
{
    const char *answers = route->answers;

    while (*answers != '\0') {
        char *end = NULL;
        const int status = (int)strtol(answers, &end, 10);
        struct recipe recipe;
        int got;

        answers = end + (*end == ' ');
        if (!find_recipe(route, status, &recipe))
            fail_msg("%s %s: no recipe for %d", route->method, route->pattern, status);
        got = try(&recipe);
        if (got != status)
            fail_msg("%s %s: %d instead of %d: %s",
                     route->method,
                     target_of(&recipe),
                     got,
                     status,
                     world_body());
    }
}

static void every_documented_status_can_be_had(void **state)
{
    size_t count = 0;
    const struct gateway_route *const routes = gateway_routes(&count);

    (void)state;
    w.settings.gateway.requests_per_minute = 0;
    set_up_things();
    world_turn();
    for (size_t i = 0; i < count; i++)
        try_route(&routes[i]);
}

static void every_route_that_needs_a_token_says_so(void **state)
{
    size_t count = 0;
    const struct gateway_route *const routes = gateway_routes(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct recipe recipe = { .method = routes[i].method,
                                       .pattern = routes[i].pattern };
        const int status = try(&recipe);

        assert_true((status == 401) == ((routes[i].flags & ROUTE_OPEN) == 0));
        if (status == 401)
            assert_string_equal(world_text("code"), "not-signed-in");
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(every_resource_of_the_design_is_described),
        TEST(every_reference_leads_somewhere),
        TEST(every_documented_status_can_be_had),
        TEST(every_route_that_needs_a_token_says_so),
    };

    return cmocka_run_group_tests_name("openapi", tests, NULL, NULL);
}
