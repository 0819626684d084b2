/* Live updates after a break: what was missed, and when that is not known any more. */
#include "services/gateway/stream.h"

#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"
#include "tests/unit/gateway/watching.h"

static void what_was_missed_is_had_on_coming_back(void **state)
{
    const char *last;
    const char *all;

    (void)state;
    world_turn();
    assert_int_equal(watch("rel", "flags", 1), 200);
    world_grant("express-pay", "express-pay.1", 1, 1);
    world_turn();
    last = last_id(told());
    stream_forget(w.gateway, 1);
    for (unsigned percent = 2; percent < 5; percent++) {
        world_grant("express-pay", "express-pay.1", percent, percent);
        world_turn();
        (void)told();
    }
    assert_int_equal(watch_again("rel", "flags", 2, last), 200);
    all = arena_text(&w.arena, world_body());
    assert_null(strstr(all, "reset"));
    assert_null(strstr(all, "\"percent\":1"));
    assert_non_null(strstr(all, "\"percent\":2"));
    assert_non_null(strstr(all, "\"percent\":3"));
    assert_true(strstr(all, "\"percent\":4") > strstr(all, "\"percent\":3"));
    assert_int_equal(strncmp(all + strlen("id: "), last, strlen(last)), 0);
    /* It broke again at once; what had come of it counts. */
    stream_forget(w.gateway, 2);
    assert_int_equal(watch_again("rel", "flags", 3, last_id(all)), 200);
    assert_null(strstr(world_body(), "event: flag"));
    assert_null(strstr(world_body(), "reset"));
}

/* Of what was told whole again and again, the last is enough. */
static void of_what_is_told_whole_only_the_last_is_caught_up(void **state)
{
    struct world_deployment deployment = world_deployment("a.1", PB__PHASE__EXECUTING);
    const char *last;
    const char *detail;

    (void)state;
    world_store(&deployment);
    assert_int_equal(watch("rel", "deployment:a.1", 1), 200);
    last = last_id(told());
    stream_forget(w.gateway, 1);
    for (uint64_t version = 11; version < 41; version++) {
        deployment.state->version = version;
        deployment.state->now_ms = w.clock.now_ms;
        world_store(&deployment);
        world_entry(&deployment, version, "Held", "a hold", NULL);
        (void)told();
    }
    assert_int_equal(watch_again("rel", "deployment:a.1", 2, last), 200);
    assert_null(strstr(world_body(), "event: reset"));
    detail = strstr(world_body(), "event: detail");
    assert_non_null(detail);
    assert_null(strstr(detail + 1, "event: detail"));
    assert_non_null(strstr(world_body(), "\"version\":11,\"index\""));
    assert_non_null(strstr(world_body(), "\"version\":40,\"index\""));
}

/* The inbox was read, and then it changed before it was ever told. */
static void what_is_no_longer_asked_is_gone_though_it_was_never_told(void **state)
{
    struct world_deployment deployment = world_deployment("a.1", PB__PHASE__IN_REVIEW);
    struct world_deployment old = world_deployment("old.1", PB__PHASE__EXECUTING);
    const char *news;

    (void)state;
    old.state->waiting_for->kind = "CHECKS";
    old.state->now_ms = w.clock.now_ms - 3600000;
    world_store(&old);
    assert_int_equal(watch("tess", "inbox", 1), 200);
    deployment.state->waiting_for->kind = "CHECKS";
    deployment.state->now_ms = w.clock.now_ms;
    world_store(&deployment);
    news = told();
    assert_non_null(strstr(news, "{\"id\":\"a.1/technical-lead\",\"gone\":true}"));
    assert_null(strstr(news, "old.1"));
}

static void what_happened_to_others_is_not_had_by_coming_back(void **state)
{
    struct world_deployment deployment = world_deployment("a.1", PB__PHASE__IN_REVIEW);
    const char *last;

    (void)state;
    assert_int_equal(watch("rita", "inbox", 1), 200);
    assert_int_equal(watch("tess", "inbox", 2), 200);
    last = last_id(world_body());
    stream_forget(w.gateway, 1);
    stream_forget(w.gateway, 2);
    deployment.state->waiting_for->kind = "APPROVAL";
    world_store(&deployment);
    (void)told();
    assert_int_equal(watch_again("rita", "inbox", 3, last), 200);
    assert_null(strstr(world_body(), "event: inbox"));
    assert_null(strstr(world_body(), "reset"));
    assert_int_equal(watch_again("tess", "inbox", 4, last), 200);
    assert_non_null(strstr(world_body(), "event: inbox"));
}

static bool is_reset(const char *subject, const char *topics, const char *last)
{
    static uint64_t id = 500;

    assert_int_equal(watch_again(subject, topics, id++, last), 200);
    stream_forget(w.gateway, id - 1);
    return strstr(world_body(), "event: reset") != NULL;
}

static void what_is_not_known_is_to_be_read_again(void **state)
{
    const char *last;

    (void)state;
    assert_int_equal(watch("rel", "flags", 1), 200);
    last = last_id(world_body());
    stream_forget(w.gateway, 1);
    assert_false(is_reset("rel", "flags", last));
    assert_true(is_reset("rel", "flags", "u1795442850000"));
    assert_true(is_reset("rel", "flags", arena_printf(&w.arena, "%s9", last)));
    assert_true(is_reset("rel", "flags", arena_printf(&w.arena, "%sx", last)));
    assert_true(is_reset("rel", "freezes", last));
    assert_true(is_reset("tess", "flags", last));
    assert_false(is_reset("rel", "flags", last));
    memory_clock_advance(&w.clock, 10 * 60 * 1000 + 1);
    (void)told();
    assert_true(is_reset("rel", "flags", last));
}

/* Somebody else looked on all the while; but what was kept for this one is gone. */
static void after_ten_minutes_another_reader_does_not_help(void **state)
{
    const char *last;

    (void)state;
    world_turn();
    assert_int_equal(watch("rel", "flags", 1), 200);
    last = last_id(world_body());
    stream_forget(w.gateway, 1);
    world_grant("express-pay", "express-pay.1", 1, 1);
    world_turn();
    (void)told();
    memory_clock_advance(&w.clock, 10 * 60 * 1000 + 1);
    (void)told();
    assert_int_equal(watch("rel", "flags", 2), 200);
    assert_true(is_reset("rel", "flags", last));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, watching_open, watching_close)
    const struct CMUnitTest tests[] = {
        TEST(what_was_missed_is_had_on_coming_back),
        TEST(of_what_is_told_whole_only_the_last_is_caught_up),
        TEST(what_is_no_longer_asked_is_gone_though_it_was_never_told),
        TEST(what_happened_to_others_is_not_had_by_coming_back),
        TEST(what_is_not_known_is_to_be_read_again),
        TEST(after_ten_minutes_another_reader_does_not_help),
    };

    return cmocka_run_group_tests_name("resume", tests, NULL, NULL);
}
