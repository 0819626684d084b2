/* What is answered before a handler is asked: paths, methods, budgets; and how problems look.
 */
#include "services/gateway/problem.h"

#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"

static void other_methods_and_paths_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(
        world_ask(&(struct asked){ .method = "PUT", .target = "/v1/freezes", .token = "rel" }),
        405);
    assert_string_equal(w.call.allow, "GET, POST");
    assert_int_equal(world_ask(&(struct asked){
                         .method = "GET", .target = "/v1/freezes/a", .token = "rel" }),
                     405);
    assert_string_equal(w.call.allow, "DELETE");
    assert_int_equal(world_get("/v1/freezes/a/b"), 404);
    assert_int_equal(world_get("/v1"), 404);
    assert_int_equal(world_get("/v1/deployments/a.1/nothing"), 404);
}

/* --- problems --- */

static void every_problem_has_a_status_and_a_title(void **state)
{
    char bytes[2048];
    struct text text = text_over(bytes, sizeof bytes);

    (void)state;
    for (size_t i = 0; problem_text(i) != NULL; i++) {
        const struct problem problem = { .code = problem_text(i)->code,
                                         .detail = "a \"quoted\" \x01 detail",
                                         .more = "\"near\":[\"a\"]" };
        json_t *json;

        text_reset(&text);
        assert_int_equal(problem_write(&problem, &text), problem_status(problem.code));
        assert_in_range(problem_status(problem.code), 400, 503);
        json = json_loads(bytes, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(json);
        assert_string_equal(json_string_value(json_object_get(json, "code")), problem.code);
        assert_true(json_string_length(json_object_get(json, "title")) > 0);
        assert_int_equal(json_array_size(json_object_get(json, "near")), 1);
        json_decref(json);
    }
    assert_int_equal(problem_status("no-such-code"), 500);
}

static void every_problem_leads_to_what_it_means(void **state)
{
    char index[32 * 1024];

    (void)state;
    assert_int_equal(world_ask(&(struct asked){ .target = "/docs/problems" }), 200);
    (void)snprintf(index, sizeof index, "%s", world_body());
    for (size_t i = 0; problem_text(i) != NULL; i++) {
        const struct problem_text *const kind = problem_text(i);
        const char *const path = arena_printf(&w.arena, PROBLEM_DOCS "%s", kind->code);
        const char *const whole =
            arena_printf(&w.arena, PROBLEM_DOCS PROBLEM_URN "%s", kind->code);

        assert_true(strlen(kind->meaning) > 40 && strlen(kind->remedy) > 10);
        assert_int_equal(world_ask(&(struct asked){ .target = path }), 200);
        assert_non_null(strstr(world_body(), kind->meaning));
        assert_non_null(strstr(world_body(), kind->remedy));
        assert_non_null(strstr(index, world_body()));
        assert_int_equal(world_ask(&(struct asked){ .target = whole }), 200);
    }
    assert_int_equal(world_get("/v1/deployments/nothing.1"), 404);
    assert_string_equal(world_text("type"), "urn:slipway:problem:no-such");
    assert_string_equal(world_text("docs"), "/docs/problems/no-such");
}

static void everything_carries_the_callers_trace(void **state)
{
    static const char trace[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    (void)state;
    assert_int_equal(world_ask(&(struct asked){
                         .target = "/v1/nothing",
                         .token = "rel",
                         .headers = { arena_printf(&w.arena, "traceparent: %s", trace) } }),
                     404);
    assert_string_equal(world_text("trace_id"), "0af7651916cd43dd8448eb211c80319c");
    assert_int_equal(world_ask(&(struct asked){ .target = "/v1/nothing",
                                                .token = "rel",
                                                .headers = { "traceparent: rubbish" } }),
                     404);
    assert_int_equal(strlen(world_text("trace_id")), 32);
}

/* --- budgets --- */

static void a_token_that_asks_too_often_is_told_when_to_ask_again(void **state)
{
    int status = 200;
    int taken = 0;

    (void)state;
    while (status == 200) {
        status = world_get("/v1/me");
        taken += status == 200;
    }
    assert_int_equal(status, 429);
    assert_int_equal(taken, w.settings.gateway.requests_per_minute);
    assert_in_range(w.call.retry_after_s, 1, 2);
    assert_int_equal(world_ask(&(struct asked){ .target = "/v1/me", .token = "tess" }), 200);
    memory_clock_advance(&w.clock, 1000);
    assert_int_equal(world_get("/v1/me"), 200);
}

static void stopping_has_a_budget_of_its_own(void **state)
{
    struct world_deployment deployment =
        world_deployment("express-pay.3", PB__PHASE__EXECUTING);
    int i = 0;

    (void)state;
    world_store(&deployment);
    world_grant("express-pay", "express-pay.3", 100, 1);
    world_turn();
    while (world_get("/v1/me") == 200)
        continue;
    assert_int_equal(world_post("rel",
                                "/v1/deployments/express-pay.3/requests",
                                "{\"expected_version\":10,\"reason\":\"x\",\"rollback\":{}}"),
                     202);
    assert_int_equal(world_post("rel",
                                "/v1/deployments/express-pay.3/requests",
                                "{\"expected_version\":10,\"resume\":{}}"),
                     429);
    while (world_post("rel", "/v1/freezes", "{}") == 422)
        i++;
    assert_in_range(i, 100, 120);
    assert_string_equal(world_text("code"), "too-many");
}

static int send_nested(const char *mark, int depth)
{
    struct text text = text_new(4096);
    const char *body;

    text_add(&text, "{\"reason\":");
    for (int i = 1; i < depth; i++)
        text_add(&text, "%s", mark);
    body = arena_text(&w.arena, text.bytes);
    text_release(&text);
    return world_post("rel", "/v1/flags/production/x/kill", body);
}

static void json_is_at_most_32_deep(void **state)
{
    (void)state;
    world_turn();
    assert_int_equal(send_nested("[", 32), 422);
    assert_int_equal(send_nested("[", 33), 400);
    assert_int_equal(send_nested("{\"a\":", 33), 400);
    assert_int_equal(send_nested("\"[[\\\"[[\"", 33), 422);
    assert_int_equal(send_nested("[]", 100), 422);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(json_is_at_most_32_deep),
        TEST(other_methods_and_paths_are_told_apart),
        TEST(every_problem_has_a_status_and_a_title),
        TEST(every_problem_leads_to_what_it_means),
        TEST(everything_carries_the_callers_trace),
        TEST(a_token_that_asks_too_often_is_told_when_to_ask_again),
        TEST(stopping_has_a_budget_of_its_own),
    };

    return cmocka_run_group_tests_name("admission", tests, NULL, NULL);
}
