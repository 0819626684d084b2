/* Live updates: who may watch, and what they are told. The herald's rounds are made by hand. */
#include "services/gateway/stream.h"

#include "services/gateway/herald.h"
#include "tests/support/test.h"
#include "tests/unit/gateway/fake_web.h"
#include "tests/unit/gateway/gateway_world.h"

static struct fake_web web;

static int open_all(void **state)
{
    fake_web_open(&web);
    (void)world_open(state);
    w.gateway->server = fake_web_server(&web);
    return 0;
}

static int close_all(void **state)
{
    (void)world_close(state);
    fake_web_close(&web);
    return 0;
}

static int watch(const char *subject, const char *topics, uint64_t id)
{
    const int status =
        world_ask(&(struct asked){ .target = arena_printf(&w.arena,
                                                          "/v1/stream%s%s",
                                                          topics != NULL ? "?topics=" : "",
                                                          topics != NULL ? topics : ""),
                                   .token = subject });

    if (w.call.stream && !stream_register(&w.call, id))
        return w.call.status;
    return status;
}

/* What was pushed since the last time. */
static const char *told(void)
{
    const char *copy;

    memory_clock_advance(&w.clock, 300);
    (void)herald_round(w.gateway->herald);
    copy = arena_text(&w.arena, web.pushed.bytes);
    text_reset(&web.pushed);
    return copy;
}

static void a_stream_begins_with_hello(void **state)
{
    (void)state;
    assert_int_equal(watch("rel", NULL, 1), 200);
    assert_string_equal(w.call.content_type, "text/event-stream");
    assert_non_null(strstr(world_body(), "event: hello\ndata: {\"as_of_ms\":"));
    assert_null(strstr(world_body(), "reset"));
    assert_int_equal(world_ask(&(struct asked){ .target = "/v1/stream",
                                                .token = "rel",
                                                .headers = { "Last-Event-ID: u1" } }),
                     200);
    assert_non_null(strstr(world_body(), "event: reset"));
}

static void each_version_is_told_once_to_those_who_want_it(void **state)
{
    struct world_deployment deployment = world_deployment("a.1", PB__PHASE__EXECUTING);
    const char *news;

    (void)state;
    world_store(&deployment);
    assert_int_equal(watch("rel", "deployments", 1), 200);
    assert_int_equal(watch("rel", "flags", 2), 200);
    assert_int_equal(watch("tess", "deployment:a.1", 3), 200);
    news = told();
    assert_non_null(strstr(news, "1 id: u"));
    assert_non_null(strstr(news, "event: deployment\ndata: {\"id\":\"a.1\""));
    assert_non_null(strstr(news, "event: detail"));
    assert_null(strstr(news, "2 id: u"));
    assert_string_equal(told(), "");
    deployment.state->version = 11;
    deployment.state->now_ms = w.clock.now_ms;
    world_store(&deployment);
    world_entry(&deployment, 11, "StepGo", "step 2 Go", NULL);
    news = told();
    assert_non_null(strstr(news, "\"version\":11"));
    assert_non_null(strstr(news, "event: entry\ndata: {\"deployment\":\"a.1\""));
}

static void many_versions_in_a_moment_become_one(void **state)
{
    struct world_deployment deployment = world_deployment("a.1", PB__PHASE__EXECUTING);

    (void)state;
    assert_int_equal(watch("rel", "deployments", 1), 200);
    world_store(&deployment);
    assert_non_null(strstr(told(), "\"version\":10"));
    for (uint64_t version = 11; version < 14; version++) {
        deployment.state->version = version;
        deployment.state->now_ms = w.clock.now_ms;
        world_store(&deployment);
        memory_clock_advance(&w.clock, 10);
        (void)herald_round(w.gateway->herald);
    }
    assert_null(strstr(web.pushed.bytes, "\"version\":12"));
    assert_non_null(strstr(told(), "\"version\":13"));
}

static void an_end_is_told_at_once(void **state)
{
    struct world_deployment deployment = world_deployment("a.1", PB__PHASE__EXECUTING);

    (void)state;
    assert_int_equal(watch("rel", "deployments", 1), 200);
    world_store(&deployment);
    (void)told();
    deployment.state->version = 11;
    deployment.state->phase = PB__PHASE__COMPLETED;
    deployment.state->now_ms = w.clock.now_ms;
    world_store(&deployment);
    memory_clock_advance(&w.clock, 101);
    (void)herald_round(w.gateway->herald);
    assert_non_null(strstr(web.pushed.bytes, "\"exit\":\"COMPLETED\""));
}

static void a_changed_flag_and_a_dead_letter_are_told(void **state)
{
    (void)state;
    assert_int_equal(watch("rel", "flags,dead-letters,inbox", 1), 200);
    (void)told();
    world_grant("express-pay", "express-pay.1", 5, 1);
    world_turn();
    assert_non_null(strstr(told(), "event: flag\ndata: {\"changed\":true}"));
    assert_string_equal(told(), "");
}

static void a_sign_of_life_comes_every_five_seconds(void **state)
{
    (void)state;
    assert_int_equal(watch("rel", "flags", 1), 200);
    assert_non_null(strstr(told(), "event: ping"));
    assert_string_equal(told(), "");
    memory_clock_advance(&w.clock, 5000);
    assert_non_null(strstr(told(), "event: ping"));
}

static void one_token_has_so_many_streams_and_no_more(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= w.settings.gateway.streams_per_token; i++)
        assert_int_equal(watch("rel", "flags", i), 200);
    assert_int_equal(watch("rel", "flags", 1000), 429);
    assert_true(w.call.retry_after_s > 0);
    assert_int_equal(watch("tess", "flags", 1001), 200);
    stream_forget(w.gateway, 1);
    assert_int_equal(watch("rel", "flags", 1002), 200);
}

static void topics_that_are_none_are_refused(void **state)
{
    static const char *const topics[] = {
        "colour", "deployment:", "deployments,,flags", "flags,deployment", ","
    };
    char *const lengthy = arena_alloc(&w.arena, 1024);

    (void)state;
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        assert_int_equal(watch("rel", topics[i], 1), 400);
    memset(lengthy, 'x', 1000);
    memcpy(lengthy, "deployment:", 11);
    assert_int_equal(watch("rel", lengthy, 1), 400);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
    const struct CMUnitTest tests[] = {
        TEST(a_stream_begins_with_hello),
        TEST(each_version_is_told_once_to_those_who_want_it),
        TEST(many_versions_in_a_moment_become_one),
        TEST(an_end_is_told_at_once),
        TEST(a_changed_flag_and_a_dead_letter_are_told),
        TEST(a_sign_of_life_comes_every_five_seconds),
        TEST(one_token_has_so_many_streams_and_no_more),
        TEST(topics_that_are_none_are_refused),
    };

    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
