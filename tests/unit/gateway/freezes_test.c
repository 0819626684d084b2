/* Freezes and windows. */
#include "common/config/settings.h"
#include "common/wire/topics.h"
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"

static const char *freeze_json(const char *scope, int64_t from_s, int64_t to_s)
{
    return arena_printf(&w.arena,
                        "{\"scope\":\"%s\",\"from_ms\":%lld,\"to_ms\":%lld,\"reason\":\"Black "
                        "Friday\"}",
                        scope,
                        (long long)(w.clock.now_ms + from_s * 1000),
                        (long long)(w.clock.now_ms + to_s * 1000));
}

static int open_world(void **state)
{
    (void)world_open(state);
    world_turn(); /* control.v1 has been read. */
    return 0;
}

static void a_freeze_says_whom_it_will_hold(void **state)
{
    struct world_deployment runs = world_deployment("runs.1", PB__PHASE__ROLLING_OUT);
    const Pb__Control *control;
    const char *id;

    (void)state;
    world_store(&runs);
    assert_int_equal(world_post("rel", "/v1/freezes", freeze_json("production/*", 60, 120)),
                     201);
    id = arena_text(&w.arena, world_text("id"));
    assert_string_equal(w.call.location, arena_printf(&w.arena, "/v1/freezes/%s", id));
    assert_string_equal(world_text("by"), "rel");
    assert_true(json_is_false(world_at("active")));
    assert_string_equal(world_text("holds.0"), "runs.1");
    control = world_sent(TOPIC_CONTROL, &pb__control__descriptor);
    assert_string_equal(control->freeze->scope, "production/*");
    assert_string_equal(control->freeze->actor->subject, "rel");
    assert_int_equal(world_get("/v1/freezes"), 200);
    assert_string_equal(world_text("items.0.id"), id);
    assert_true(json_is_false(world_at("items.0.configured")));
    memory_clock_advance(&w.clock, 61000);
    assert_int_equal(world_get("/v1/freezes"), 200);
    assert_true(json_is_true(world_at("items.0.active")));
    memory_clock_advance(&w.clock, 60000);
    assert_int_equal(world_get("/v1/freezes"), 200);
    assert_int_equal(world_count("items"), 0);
}

static void a_freeze_of_another_lane_holds_nobody(void **state)
{
    struct world_deployment runs = world_deployment("runs.1", PB__PHASE__ROLLING_OUT);

    (void)state;
    runs.state->services[0] = "web";
    world_store(&runs);
    assert_int_equal(world_post("rel", "/v1/freezes", freeze_json("production/shop", 0, 60)),
                     201);
    assert_int_equal(world_count("holds"), 0);
}

static void lifting_it_is_written_and_it_is_gone(void **state)
{
    const Pb__Control *control;
    const char *path;

    (void)state;
    assert_int_equal(world_post("rel", "/v1/freezes", freeze_json("production/*", 0, 60)), 201);
    path = arena_text(&w.arena, w.call.location);
    w.clock.now_ms++;
    assert_int_equal(
        world_ask(&(struct asked){ .method = "DELETE", .target = path, .token = "ci" }), 403);
    assert_int_equal(
        world_ask(&(struct asked){ .method = "DELETE", .target = path, .token = "dev" }), 200);
    assert_true(json_is_false(world_at("active")));
    control = world_sent(TOPIC_CONTROL, &pb__control__descriptor);
    assert_int_equal(control->freeze->lifted_ms, w.clock.now_ms);
    assert_int_equal(
        world_ask(&(struct asked){ .method = "DELETE", .target = path, .token = "dev" }), 404);
    assert_int_equal(world_get("/v1/freezes"), 200);
    assert_int_equal(world_count("items"), 0);
}

static void what_stands_in_the_configuration_is_shown_and_stays(void **state)
{
    struct setting_freeze configured = { .id = "holidays",
                                         .scope = "production/*",
                                         .from_ms = 0,
                                         .to_ms = INT64_MAX,
                                         .reason = "holidays" };

    (void)state;
    w.settings.freezes = &configured;
    w.settings.freeze_count = 1;
    assert_int_equal(world_get("/v1/freezes"), 200);
    assert_string_equal(world_text("items.0.id"), "holidays");
    assert_true(json_is_true(world_at("items.0.configured")));
    assert_true(json_is_true(world_at("items.0.active")));
    assert_int_equal(world_ask(&(struct asked){ .method = "DELETE",
                                                .target = "/v1/freezes/holidays",
                                                .token = "rel" }),
                     409);
    assert_int_equal(world_sent_count(TOPIC_CONTROL), 0);
}

static void a_freeze_that_would_hold_nobody_is_refused(void **state)
{
    static const struct {
        const char *scope;
        int64_t to_s;
        const char *field;
    } cases[] = {
        { "production", 60, "scope" },
        { "prodution/*", 60, "scope" },
        { "production/shoop", 60, "scope" },
        { "production/", 60, "scope" },
        { "/", 60, "scope" },
        { "production/*", 0, "to_ms" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            world_post("rel", "/v1/freezes", freeze_json(cases[i].scope, 0, cases[i].to_s)),
            422);
        assert_string_equal(world_text("field"), cases[i].field);
    }
    assert_int_equal(
        world_post("rel", "/v1/freezes", "{\"scope\":\"production/*\",\"to_ms\":9e9}"), 400);
    assert_int_equal(world_post("ci", "/v1/freezes", freeze_json("production/*", 0, 60)), 403);
    assert_int_equal(world_sent_count(TOPIC_CONTROL), 0);
}

static void windows_say_when_they_change(void **state)
{
    (void)state;
    assert_int_equal(world_get("/v1/windows"), 200);
    assert_int_equal(world_count("items"), w.settings.window_count);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, world_close)
    const struct CMUnitTest tests[] = {
        TEST(a_freeze_says_whom_it_will_hold),
        TEST(a_freeze_of_another_lane_holds_nobody),
        TEST(lifting_it_is_written_and_it_is_gone),
        TEST(what_stands_in_the_configuration_is_shown_and_stays),
        TEST(a_freeze_that_would_hold_nobody_is_refused),
        TEST(windows_say_when_they_change),
    };

    return cmocka_run_group_tests_name("freezes", tests, NULL, NULL);
}
