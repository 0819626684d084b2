/* Live updates: who may watch, and what they are told. The herald's rounds are made by hand. */
#include "services/gateway/stream.h"

#include "services/gateway/herald.h"
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"
#include "tests/unit/gateway/watching.h"

static void a_stream_begins_with_hello(void **state)
{
    (void)state;
    assert_int_equal(watch("rel", NULL, 1), 200);
    assert_string_equal(w.call.content_type, "text/event-stream");
    assert_int_equal(strncmp(world_body(), "id: ", 4), 0);
    assert_non_null(strstr(world_body(), "\nevent: hello\ndata: {\"as_of_ms\":"));
    assert_null(strstr(world_body(), "reset"));
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
    assert_non_null(strstr(news, "1 id: "));
    assert_non_null(strstr(news, "event: deployment\ndata: {\"id\":\"a.1\""));
    assert_non_null(strstr(news, "event: detail"));
    assert_null(strstr(news, "2 id: "));
    assert_string_equal(told(), "");
    deployment.state->version = 11;
    deployment.state->now_ms = w.clock.now_ms;
    world_store(&deployment);
    world_entry(&deployment, 11, "StepGo", "step 2 Go", NULL);
    news = told();
    assert_non_null(strstr(news, "\"version\":11"));
    assert_non_null(strstr(news, "event: entry\ndata: {\"deployment\":\"a.1\""));
}

/* The coordinator commits while the gateway reads. */
static void an_entry_beyond_the_state_is_told_with_its_own_version(void **state)
{
    struct world_deployment deployment = world_deployment("a.1", PB__PHASE__EXECUTING);

    (void)state;
    world_store(&deployment);
    assert_int_equal(watch("rel", "deployment:a.1", 1), 200);
    (void)told();
    world_entry(&deployment, 11, "Held", "eleven", NULL);
    world_entry(&deployment, 12, "Held", "twelve", NULL);
    deployment.state->version = 11;
    deployment.state->now_ms = w.clock.now_ms;
    world_store(&deployment);
    assert_null(strstr(strstr(told(), "event: entry"), "twelve"));
    deployment.state->version = 12;
    deployment.state->now_ms = w.clock.now_ms;
    world_store(&deployment);
    assert_non_null(strstr(strstr(told(), "event: entry"), "twelve"));
}

static int count_of(const char *news, const char *what)
{
    int count = 0;

    for (const char *at = news; (at = strstr(at, what)) != NULL; at++)
        count++;
    return count;
}

/* Versions 11 to 13, the end among them, in one commit. */
static void end_at_once(struct world_deployment *deployment)
{
    for (uint64_t version = 11; version <= 13; version++)
        world_entry(deployment, version, "StepGo", "an entry", NULL);
    deployment->state->version = 13;
    deployment->state->phase = PB__PHASE__COMPLETED;
    deployment->state->now_ms = w.clock.now_ms;
    world_store(deployment);
}

static void who_sees_the_end_has_seen_everything_before_it(void **state)
{
    struct world_deployment deployment = world_deployment("a.1", PB__PHASE__FINALISING);
    const char *last_entry = NULL;
    const char *news;

    (void)state;
    world_store(&deployment);
    assert_int_equal(watch("rel", "deployments,deployment:a.1", 1), 200);
    (void)told();
    end_at_once(&deployment);
    news = told();
    assert_int_equal(count_of(news, "event: entry"), 3);
    for (const char *at = news; (at = strstr(at, "event: entry")) != NULL; at++)
        last_entry = at;
    assert_true(last_entry < strstr(news, "event: detail"));
    assert_true(last_entry < strstr(news, "event: deployment"));
}

static enum memory_fault no_timeline(void *self, const char *operation, const char *object)
{
    (void)self;
    (void)operation;
    return strstr(object, "timeline:") != NULL ? FAULT_BEFORE : FAULT_NONE;
}

static void what_cannot_be_read_now_is_told_later_and_whole(void **state)
{
    struct world_deployment deployment = world_deployment("a.1", PB__PHASE__FINALISING);

    (void)state;
    world_store(&deployment);
    assert_int_equal(watch("rel", "deployments,deployment:a.1", 1), 200);
    (void)told();
    end_at_once(&deployment);
    w.store_faults.ask = no_timeline;
    assert_string_equal(told(), "");
    w.store_faults.ask = NULL;
    assert_int_equal(count_of(told(), "event: entry"), 3);
}

/* Its record is older than one of another partition, but it was applied later. */
static void what_comes_late_from_another_partition_is_told(void **state)
{
    struct world_deployment late = world_deployment("a.1", PB__PHASE__EXECUTING);
    struct world_deployment early = world_deployment("b.1", PB__PHASE__EXECUTING);

    (void)state;
    assert_int_equal(watch("rel", "deployments", 1), 200);
    world_store(&late);
    early.state->now_ms = w.clock.now_ms + 5000;
    world_store(&early);
    assert_non_null(strstr(told(), "\"id\":\"b.1\""));
    memory_clock_advance(&w.clock, 10000);
    (void)told();
    late.state->version = 11;
    late.state->now_ms = early.state->now_ms - 4000;
    world_store(&late);
    assert_non_null(strstr(told(), "\"id\":\"a.1\""));
    assert_null(strstr(told(), "\"id\":\"a.1\""));
}

/* A coordinator whose clock was ahead has moved it: its time of update stands still, and is no
 * measure for the others. */
static void what_comes_while_a_time_stands_still_is_told(void **state)
{
    struct world_deployment ahead = world_deployment("a.1", PB__PHASE__EXECUTING);
    struct world_deployment other = world_deployment("b.1", PB__PHASE__EXECUTING);

    (void)state;
    assert_int_equal(watch("rel", "deployments", 1), 200);
    ahead.state->now_ms = w.clock.now_ms + 20 * 60 * 1000;
    world_store(&ahead);
    assert_non_null(strstr(told(), "\"id\":\"a.1\""));
    memory_clock_advance(&w.clock, 10000);
    (void)told();
    ahead.state->version = 11;
    world_store(&ahead);
    other.state->now_ms = w.clock.now_ms;
    world_store(&other);
    assert_int_equal(count_of(told(), "event: deployment"), 2);
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

static void a_changed_flag_is_told_as_it_is_shown(void **state)
{
    const char *news;

    (void)state;
    assert_int_equal(watch("rel", "flags", 1), 200);
    (void)told();
    world_grant("express-pay", "express-pay.1", 5, 1);
    world_grant("gift-cards", "gift-cards.1", 7, 1);
    world_turn();
    news = told();
    assert_non_null(strstr(news, "event: flag\ndata: {\"flag\":\"express-pay\""));
    assert_non_null(strstr(news, "\"state\":\"GRANTED\",\"percent\":5"));
    assert_non_null(strstr(news, "\"percent\":7"));
    assert_string_equal(told(), "");
}

static void a_kill_is_told_of_all_flags_it_turns_off(void **state)
{
    Pb__Control *const control = pb_new(&w.arena, &pb__control__descriptor);
    const char *news;

    (void)state;
    world_grant("express-pay", "express-pay.1", 5, 1);
    world_grant("express-pay-2", "express-pay.1", 5, 1);
    world_turn();
    assert_int_equal(watch("rel", "flags", 1), 200);
    (void)told();
    control->body_case = PB__CONTROL__BODY_KILL;
    control->kill = pb_new(&w.arena, &pb__kill__descriptor);
    control->kill->deployment = "express-pay.1";
    world_control("monitor", "kill/express-pay.1", control);
    world_turn();
    news = told();
    assert_non_null(strstr(news, "{\"flag\":\"express-pay\""));
    assert_non_null(strstr(news, "{\"flag\":\"express-pay-2\""));
    assert_non_null(strstr(news, "\"state\":\"LATCHED\",\"percent\":0"));
    assert_null(strstr(news, "GRANTED"));
}

static void a_freeze_is_told_and_that_it_is_gone(void **state)
{
    Pb__Control *const control = pb_new(&w.arena, &pb__control__descriptor);

    (void)state;
    world_turn();
    assert_int_equal(watch("rel", "freezes", 1), 200);
    (void)told();
    control->body_case = PB__CONTROL__BODY_FREEZE;
    control->freeze = pb_new(&w.arena, &pb__freeze__descriptor);
    control->freeze->id = "frz-1";
    control->freeze->scope = "production/*";
    control->freeze->to_ms = INT64_MAX;
    world_control("gateway", "freeze/frz-1", control);
    world_turn();
    assert_non_null(strstr(told(), "event: freeze\ndata: {\"id\":\"frz-1\",\"scope\""));
    control->freeze->lifted_ms = w.clock.now_ms;
    world_control("gateway", "freeze/frz-1", control);
    world_turn();
    assert_non_null(strstr(told(), "event: freeze\ndata: {\"id\":\"frz-1\",\"gone\":true}"));
}

static void too_many_changes_at_once_are_to_be_read_again(void **state)
{
    const char *news;

    (void)state;
    assert_int_equal(watch("rel", "flags", 1), 200);
    (void)told();
    for (unsigned i = 0; i < 100; i++)
        world_grant(arena_printf(&w.arena, "f-%u", i), "express-pay.1", 5, 1);
    world_turn();
    news = told();
    assert_non_null(strstr(news, "event: reset"));
    assert_null(strstr(news, "event: flag"));
}

static void an_inbox_is_told_to_those_who_are_asked(void **state)
{
    struct world_deployment deployment = world_deployment("a.1", PB__PHASE__IN_REVIEW);
    const char *news;

    (void)state;
    deployment.state->waiting_for->kind = "APPROVAL";
    world_store(&deployment);
    assert_int_equal(watch("tess", "inbox", 1), 200);
    assert_int_equal(watch("rita", "inbox", 2), 200);
    news = told();
    assert_non_null(strstr(news, "1 id: "));
    assert_non_null(strstr(
        news, "event: inbox\ndata: {\"id\":\"a.1/technical-lead\",\"kind\":\"APPROVE\""));
    assert_null(strstr(news, "2 id: "));
    deployment.state->version = 11;
    deployment.state->now_ms = w.clock.now_ms;
    deployment.state->waiting_for->kind = "CHECKS";
    world_store(&deployment);
    news = told();
    assert_non_null(
        strstr(news, "event: inbox\ndata: {\"id\":\"a.1/technical-lead\",\"gone\":true}"));
    assert_null(strstr(news, "2 id: "));
}

static void instances_are_told_when_they_come_and_go(void **state)
{
    const char *news;

    (void)state;
    world_instance("coordinator", "coordinator-1", 0);
    assert_int_equal(watch("rel", "health", 1), 200);
    memory_clock_advance(&w.clock, 1000);
    assert_null(strstr(told(), "event: health"));
    world_instance("executor", "executor-1", 0);
    world_instance("coordinator", "coordinator-1", 0);
    memory_clock_advance(&w.clock, 1000);
    news = told();
    assert_non_null(
        strstr(news, "event: health\ndata: {\"id\":\"executor-1\",\"service\":\"executor\""));
    assert_null(strstr(news, "coordinator"));
    memory_clock_advance(&w.clock, 60000);
    world_instance("coordinator", "coordinator-1", 0);
    assert_non_null(strstr(told(), "data: {\"id\":\"executor-1\",\"gone\":true}"));
}

static void store_samples(size_t count)
{
    Pb__DeploymentSeries *const series = pb_new(&w.arena, &pb__deployment_series__descriptor);
    Pb__MetricSeries *const metric = pb_new(&w.arena, &pb__metric_series__descriptor);

    series->deployment = "a.1";
    metric->name = "error_rate";
    metric->verdict = PB__VERDICT__PASS;
    for (size_t i = 0; i < count; i++) {
        PB_APPEND(&w.arena, metric, at_ms, (int64_t)(1000 + i));
        PB_APPEND(&w.arena, metric, values_micro, (int64_t)i * 500000);
    }
    PB_APPEND(&w.arena, series, metrics, metric);
    world_put_message("slipway:samples:a.1", series);
}

static void each_sample_is_told_to_those_who_look_at_the_deployment(void **state)
{
    const char *news;

    (void)state;
    store_samples(2);
    assert_int_equal(watch("rel", "deployment:a.1", 1), 200);
    assert_int_equal(watch("rel", "deployments", 2), 200);
    memory_clock_advance(&w.clock, 1000);
    assert_null(strstr(told(), "event: sample"));
    store_samples(4);
    memory_clock_advance(&w.clock, 1000);
    news = told();
    assert_non_null(
        strstr(news,
               "event: sample\ndata: {\"deployment\":\"a.1\",\"metric\":\"error_rate\","
               "\"at_ms\":1002,\"value\":1,\"verdict\":\"PASS\"}"));
    assert_non_null(strstr(news, "\"at_ms\":1003,\"value\":1.5"));
    assert_null(strstr(news, "\"at_ms\":1001"));
    assert_null(strstr(news, "2 id: "));
}

/* The buttons are those of whoever looks. */
static void a_detail_says_what_its_reader_may_ask(void **state)
{
    struct world_deployment deployment = world_deployment("a.1", PB__PHASE__EXECUTING);
    const char *rel;
    const char *rita;

    (void)state;
    world_store(&deployment);
    store_samples(2);
    assert_int_equal(watch("rel", "deployment:a.1", 1), 200);
    assert_int_equal(watch("rita", "deployment:a.1", 2), 200);
    rel = told();
    rita = strstr(rel, "2 id: ");
    assert_non_null(rita);
    assert_non_null(strstr(rel, "\"allowed\":[\"pause\""));
    rita = strstr(rita, "event: detail");
    assert_non_null(rita);
    assert_non_null(strstr(rita, "\"allowed\":[]"));
    assert_non_null(strstr(rita, "\"metrics\":[{\"name\":\"error_rate\""));
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, watching_open, watching_close)
    const struct CMUnitTest tests[] = {
        TEST(a_stream_begins_with_hello),
        TEST(each_version_is_told_once_to_those_who_want_it),
        TEST(an_entry_beyond_the_state_is_told_with_its_own_version),
        TEST(who_sees_the_end_has_seen_everything_before_it),
        TEST(what_cannot_be_read_now_is_told_later_and_whole),
        TEST(what_comes_late_from_another_partition_is_told),
        TEST(what_comes_while_a_time_stands_still_is_told),
        TEST(many_versions_in_a_moment_become_one),
        TEST(an_end_is_told_at_once),
        TEST(a_changed_flag_is_told_as_it_is_shown),
        TEST(a_kill_is_told_of_all_flags_it_turns_off),
        TEST(a_freeze_is_told_and_that_it_is_gone),
        TEST(too_many_changes_at_once_are_to_be_read_again),
        TEST(an_inbox_is_told_to_those_who_are_asked),
        TEST(instances_are_told_when_they_come_and_go),
        TEST(each_sample_is_told_to_those_who_look_at_the_deployment),
        TEST(a_detail_says_what_its_reader_may_ask),
        TEST(a_sign_of_life_comes_every_five_seconds),
        TEST(one_token_has_so_many_streams_and_no_more),
        TEST(topics_that_are_none_are_refused),
    };

    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
