/* One deployment and its parts. */
#include "common/state/keys.h"
#include "common/wire/digest.h"
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"

static Pb__Finding *finding(const char *check, Pb__Verdict verdict)
{
    Pb__Finding *const found = pb_new(&w.arena, &pb__finding__descriptor);

    found->check = check;
    found->verdict = verdict;
    found->observed = "2 of 3";
    found->wanted = "3 of 3";
    found->required = true;
    return found;
}

static void put_series(const char *deployment)
{
    Pb__DeploymentSeries *const series = pb_new(&w.arena, &pb__deployment_series__descriptor);
    Pb__MetricSeries *const metric = pb_new(&w.arena, &pb__metric_series__descriptor);

    metric->name = "error_rate";
    metric->unit = "%";
    metric->comparison = PB__COMPARISON__AT_MOST;
    metric->limit_micro = 1000000;
    metric->verdict = PB__VERDICT__PASS;
    metric->samples = 3;
    for (int i = 0; i < 3; i++) {
        PB_APPEND(&w.arena, metric, values_micro, 300000 + i);
        PB_APPEND(&w.arena, metric, at_ms, 1000 + i);
    }
    series->deployment = deployment;
    series->every_ms = 500;
    PB_APPEND(&w.arena, series, metrics, metric);
    world_put_message(keys_global(&w.arena, "slipway:", "samples:", deployment), series);
}

static int get_as(const char *target, const char *accept)
{
    return world_ask(
        &(struct asked){ .target = target,
                         .token = "rel",
                         .headers = { arena_printf(&w.arena, "Accept: %s", accept) } });
}

static void everything_that_is_known_is_shown(void **state)
{
    struct world_deployment deployment = world_rolling_out();

    (void)state;
    world_entry(&deployment, 3, "PlanCompiled", "plan", NULL);
    world_entry(&deployment, 9, "Finding", "smoke", finding("smoke.api", PB__VERDICT__FAIL));
    put_series("express-pay.3");
    assert_int_equal(world_get("/v1/deployments/express-pay.3"), 200);
    assert_string_equal(world_text("id"), "express-pay.3");
    assert_string_equal(world_text("plan.hash"), deployment.state->plan_hash);
    assert_int_equal(world_int("plan.compiled_ms"), w.clock.now_ms);
    assert_string_equal(world_text("findings.0.check"), "smoke.api");
    assert_string_equal(world_text("stages.0.state"), "DONE");
    assert_int_equal(world_int("stages.0.ended_ms"), w.clock.now_ms - 1000);
    assert_string_equal(world_text("stages.1.state"), "RUNNING");
    assert_string_equal(world_text("stages.1.sub"), "watch");
    assert_int_equal(world_int("stages.1.samples"), 12);
    assert_string_equal(world_text("changes.0.state"), "NEW");
    assert_string_equal(world_text("changes.1.state"), "OLD");
    assert_string_equal(world_text("metrics.0.name"), "error_rate");
    assert_string_equal(world_text("undo.steps.0.how"), "latch");
    assert_true(world_int("undo.estimate_ms") > 0);
    assert_true(world_count("allowed") > 0);
    assert_true(world_count("refused") > 0);
    assert_int_equal(w.call.as_of_ms, deployment.state->now_ms);
}

/* At so many milliseconds after the stop. */
static void undone(const struct world_deployment *deployment,
                   uint64_t version,
                   const char *type,
                   int64_t after_ms)
{
    memory_clock_advance(&w.clock, after_ms);
    world_entry(deployment, version, type, type, NULL);
}

static void an_undo_says_what_is_done_of_it_and_what_is_left(void **state)
{
    struct world_deployment deployment = world_rolling_out();

    (void)state;
    undone(&deployment, 4, "Reverted", 0);
    memory_clock_advance(&w.clock, 1000);
    deployment.state->phase = PB__PHASE__ROLLING_BACK;
    deployment.state->stop = pb_new(&w.arena, &pb__stop_cause__descriptor);
    deployment.state->stop->at_ms = w.clock.now_ms;
    deployment.state->flags->killed = true;
    deployment.state->flags->killed_ms = w.clock.now_ms + 7;
    undone(&deployment, 5, "StopQuiet", 500);
    undone(&deployment, 6, "Reverted", 1500);
    world_store(&deployment);
    assert_int_equal(world_get("/v1/deployments/express-pay.3"), 200);
    assert_string_equal(world_text("undo.steps.0.how"), "latch");
    assert_string_equal(world_text("undo.steps.0.state"), "DONE");
    assert_int_equal(world_int("undo.steps.0.took_ms"), 7);
    assert_string_equal(world_text("undo.steps.1.how"), "cancel");
    assert_int_equal(world_int("undo.steps.1.took_ms"), 500);
    assert_string_equal(world_text("undo.steps.2.how"), "revert");
    assert_int_equal(world_int("undo.steps.2.took_ms"), 1500);
    assert_int_equal(world_int("undo.steps.2.at_ms"), w.clock.now_ms);
    assert_string_equal(world_text("undo.steps.3.state"), "RUNNING");
    assert_true(json_is_null(world_at("undo.steps.3.took_ms")));
    assert_string_equal(world_text("undo.steps.4.state"), "PENDING");
}

static void a_batch_that_is_held_is_old(void **state)
{
    struct world_deployment deployment =
        world_deployment("express-pay.3", PB__PHASE__EXECUTING);
    Pb__Applied *const applied = pb_new(&w.arena, &pb__applied__descriptor);

    (void)state;
    deployment.state->n_applied = 0;
    deployment.state->cursor->change = 0;
    deployment.state->cursor->batch = 0;
    world_store(&deployment);
    assert_int_equal(world_get("/v1/deployments/express-pay.3"), 200);
    assert_string_equal(world_text("changes.0.batches.0.state"), "OLD");
    PB_APPEND(&w.arena, deployment.state, applied, applied);
    world_store(&deployment);
    assert_int_equal(world_get("/v1/deployments/express-pay.3"), 200);
    assert_string_equal(world_text("changes.0.batches.0.state"), "UPDATING");
}

static void a_sign_off_of_an_earlier_try_does_not_count(void **state)
{
    struct world_deployment deployment =
        world_deployment("express-pay.3", PB__PHASE__FINALISING);
    Pb__SignOffGiven *const given = pb_new(&w.arena, &pb__sign_off_given__descriptor);
    Pb__StepState *const step = deployment.state->steps[6];

    (void)state;
    assert_int_equal(step->step, 6);
    given->step = 6;
    given->role = "operations-lead";
    given->accept = true;
    given->try_number = step->try_number = 1;
    deployment.state->monitoring_active = true;
    PB_APPEND(&w.arena, deployment.state, signoffs, given);
    world_store(&deployment);
    assert_int_equal(world_get("/v1/deployments/express-pay.3"), 200);
    assert_string_equal(world_text("signoffs.2.state"), "GIVEN");
    step->try_number = 2;
    world_store(&deployment);
    assert_int_equal(world_get("/v1/deployments/express-pay.3"), 200);
    assert_string_equal(world_text("signoffs.2.state"), "OPEN");
}

static void its_version_is_its_tag(void **state)
{
    (void)state;
    (void)world_rolling_out();
    assert_int_equal(world_get("/v1/deployments/express-pay.3"), 200);
    assert_string_equal(w.call.etag, "\"v10\"");
    assert_int_equal(world_ask(&(struct asked){ .target = "/v1/deployments/express-pay.3",
                                                .token = "rel",
                                                .headers = { "If-None-Match: \"v10\"" } }),
                     304);
    put_series("express-pay.3");
    assert_int_equal(world_ask(&(struct asked){ .target = "/v1/deployments/express-pay.3",
                                                .token = "rel",
                                                .headers = { "If-None-Match: \"v10\"" } }),
                     200);
}

static void head_is_get_without_its_body(void **state)
{
    (void)state;
    (void)world_rolling_out();
    assert_int_equal(world_ask(&(struct asked){ .method = "HEAD",
                                                .target = "/v1/deployments/express-pay.3",
                                                .token = "rel" }),
                     200);
    assert_string_equal(w.call.etag, "\"v10\"");
    assert_int_equal(world_ask(&(struct asked){ .method = "HEAD",
                                                .target = "/v1/deployments/nobody.1",
                                                .token = "rel" }),
                     404);
}

static void a_feature_means_its_newest_attempt(void **state)
{
    struct world_deployment first = world_deployment("express-pay.1", PB__PHASE__ROLLED_BACK);

    (void)state;
    world_store(&first);
    (void)world_rolling_out();
    assert_int_equal(world_get("/v1/deployments/express-pay"), 200);
    assert_string_equal(world_text("id"), "express-pay.3");
    assert_int_equal(world_count("attempts"), 2);
    assert_string_equal(world_text("attempts.0.id"), "express-pay.1");
    assert_string_equal(world_text("attempts.0.exit"), "ROLLED_BACK");
    assert_int_equal(world_get("/v1/deployments/express-pay.2"), 404);
    assert_true(world_count("near") > 0);
}

/* Whoever is told that there is none may hand it in again. */
static void a_deployment_that_is_not_there_yet_again_is_not_said_to_be_none(void **state)
{
    (void)state;
    world_caught_up(false);
    assert_int_equal(world_get("/v1/deployments/express-pay.3"), 503);
    assert_string_equal(world_text("detail"),
                        "the coordinator is catching up with the log, and may not have come to "
                        "express-pay.3");
    world_caught_up(true);
    assert_int_equal(world_get("/v1/deployments/express-pay.3"), 404);
}

static void the_plan_differs_from_the_attempt_before(void **state)
{
    struct world_deployment second = world_deployment("express-pay.2", PB__PHASE__ABORTED);

    (void)state;
    second.plan->observe_ms++;
    second.state->plan_hash = "ffff";
    world_store(&second);
    (void)world_rolling_out();
    assert_int_equal(world_get("/v1/deployments/express-pay/plan"), 200);
    assert_string_equal(world_text("against"), "express-pay.2");
    assert_int_equal(world_count("diff"), 1);
    assert_string_equal(world_text("diff.0.op"), "~");
    assert_int_equal(world_get("/v1/deployments/express-pay/plan?against=express-pay.3"), 200);
    assert_int_equal(world_count("diff"), 0);
    assert_int_equal(world_get("/v1/deployments/express-pay/plan?against=express-pay.9"), 404);
}

static void documents_come_in_the_form_that_is_liked_best(void **state)
{
    static const struct {
        const char *accept;
        const char *type;
    } cases[] = {
        { "text/markdown", "text/markdown; charset=utf-8" },
        { "text/*", "text/markdown; charset=utf-8" },
        { "application/json, text/markdown;q=0.9", "application/json" },
        { "application/json;q=0.1, text/markdown;q=0.2", "text/markdown; charset=utf-8" },
        { "*/*", "application/json" },
        { "text/html,application/xhtml+xml,*/*;q=0.8", "application/json" },
        { "image/png", "application/json" },
        { "text/markdown;q=0", "application/json" },
        { "", "application/json" },
        { ";;,,q=,=", "application/json" },
    };
    char digest[DIGEST_FIELD_SIZE];

    (void)state;
    (void)world_rolling_out();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(get_as("/v1/deployments/express-pay/plan", cases[i].accept), 200);
        if (strcmp(w.call.content_type, cases[i].type) != 0)
            fail_msg("%s: %s", cases[i].accept, w.call.content_type);
        assert_string_equal(w.call.vary, "Accept");
        assert_int_equal(get_as("/v1/deployments/express-pay/report", cases[i].accept), 200);
        assert_string_equal(w.call.content_type, cases[i].type);
        digest_field(w.call.out.bytes, w.call.out.length, digest);
        assert_string_equal(w.call.digest, digest);
    }
}

static void the_timeline_is_filtered_and_exported(void **state)
{
    struct world_deployment deployment = world_rolling_out();

    (void)state;
    world_entry(&deployment, 1, "StepGo", "step 1 Go", NULL);
    world_entry(&deployment, 2, "SignOff", "=cmd|' \"quoted\", text", NULL);
    assert_int_equal(world_get("/v1/deployments/express-pay/timeline"), 200);
    assert_int_equal(world_count("items"), 2);
    assert_int_equal(world_get("/v1/deployments/express-pay/timeline?after_version=1"), 200);
    assert_int_equal(world_count("items"), 1);
    assert_int_equal(world_get("/v1/deployments/express-pay/timeline?type=StepGo"), 200);
    assert_int_equal(world_count("items"), 1);
    assert_int_equal(world_get("/v1/deployments/express-pay/timeline?actor=mira"), 200);
    assert_int_equal(world_count("items"), 0);
    assert_int_equal(world_get("/v1/deployments/express-pay/timeline?after_version=x"), 400);
    assert_int_equal(get_as("/v1/deployments/express-pay/timeline", "text/csv"), 200);
    assert_non_null(strstr(world_body(), "\"'=cmd|' \"\"quoted\"\", text\"\r\n"));
    assert_int_equal(get_as("/v1/deployments/express-pay/timeline", "application/x-ndjson"),
                     200);
    assert_non_null(strstr(world_body(), "}\n{"));
}

static void findings_are_filtered(void **state)
{
    struct world_deployment deployment = world_rolling_out();

    (void)state;
    world_entry(&deployment, 1, "Finding", "a", finding("smoke.api", PB__VERDICT__FAIL));
    world_entry(&deployment, 2, "Finding", "b", finding("smoke.ui", PB__VERDICT__PASS));
    world_entry(&deployment, 3, "StepGo", "c", NULL);
    assert_int_equal(world_get("/v1/deployments/express-pay/findings"), 200);
    assert_int_equal(world_count("items"), 2);
    assert_int_equal(world_get("/v1/deployments/express-pay/findings?verdict=FAIL"), 200);
    assert_int_equal(world_count("items"), 1);
    assert_int_equal(world_get("/v1/deployments/express-pay/findings?check=smoke.ui"), 200);
    assert_int_equal(world_count("items"), 1);
    assert_int_equal(world_get("/v1/deployments/express-pay/findings?step=4&try=1"), 200);
    assert_int_equal(world_count("items"), 2);
    assert_int_equal(world_get("/v1/deployments/express-pay/findings?try=2"), 200);
    assert_int_equal(world_count("items"), 0);
    assert_int_equal(world_get("/v1/deployments/express-pay/findings?verdict=BAD"), 400);
    assert_int_equal(world_get("/v1/deployments/express-pay/findings?step=9"), 400);
}

static void metrics_are_decimal_numbers(void **state)
{
    (void)state;
    (void)world_rolling_out();
    assert_int_equal(world_get("/v1/deployments/express-pay/metrics"), 200);
    assert_int_equal(world_count("items"), 0);
    put_series("express-pay.3");
    assert_int_equal(world_get("/v1/deployments/express-pay/metrics"), 200);
    assert_string_equal(world_text("items.0.op"), "<=");
    assert_int_equal(world_count("items.0.values"), 3);
    assert_non_null(strstr(world_body(), "\"limit\":1,"));
    assert_non_null(strstr(world_body(), "[0.3,0.300001,0.300002]"));
    assert_int_equal(world_int("items.0.t0_ms"), 1000);
    assert_int_equal(world_get("/v1/deployments/express-pay/metrics?since_ms=1001"), 200);
    assert_int_equal(world_count("items.0.values"), 2);
    assert_int_equal(world_count("items.0.at_ms"), 2);
    assert_int_equal(world_get("/v1/deployments/express-pay/metrics?since_ms=soon"), 400);
}

static void a_decision_is_explained_from_the_record(void **state)
{
    struct world_deployment deployment = world_rolling_out();

    (void)state;
    deployment.state->step = 3;
    world_entry(&deployment, 4, "Finding", "a", finding("smoke.api", PB__VERDICT__FAIL));
    world_entry(&deployment, 5, "StepNoGo", "step 3 No-Go: 1 of 2 required", NULL);
    deployment.state->step = 4;
    world_entry(&deployment, 6, "StepBegan", "step 4", NULL);
    assert_int_equal(world_get("/v1/deployments/express-pay/explain?step=3"), 200);
    assert_string_equal(world_text("decision"), "NO_GO");
    assert_string_equal(world_text("rule"), "step 3 No-Go: 1 of 2 required");
    assert_string_equal(world_text("findings.0.check"), "smoke.api");
    assert_int_equal(world_count("events"), 2);
    assert_string_equal(world_text("events.1.id"), "event-5");
    assert_true(world_count("expected") > 0);
    assert_int_equal(world_get("/v1/deployments/express-pay/explain"), 200);
    assert_int_equal(world_int("step"), 4);
    assert_true(json_is_null(world_at("decision")));
    assert_int_equal(world_get("/v1/deployments/express-pay/explain?version=9"), 200);
    assert_int_equal(world_int("step"), 3);
    assert_int_equal(world_get("/v1/deployments/express-pay/explain?step=3&try=2"), 200);
    assert_true(json_is_null(world_at("decision")));
    assert_int_equal(world_get("/v1/deployments/express-pay/explain?step=8"), 400);
    assert_int_equal(world_get("/v1/deployments/express-pay/explain?try=0"), 400);
}

static void without_a_plan_there_is_no_report_and_no_plan(void **state)
{
    struct world_deployment deployment =
        world_deployment("express-pay.3", PB__PHASE__AWAITING_INPUTS);

    (void)state;
    world_store(&deployment);
    deployment.state->plan_hash = "";
    world_store(&(struct world_deployment){ deployment.state, deployment.plan });
    assert_int_equal(world_get("/v1/deployments/express-pay/plan"), 404);
    assert_int_equal(world_get("/v1/deployments/express-pay/report"), 404);
    assert_int_equal(world_get("/v1/deployments/express-pay"), 200);
    assert_true(json_is_null(world_at("plan")));
}

static void what_ended_without_a_plan_has_a_report(void **state)
{
    struct world_deployment deployment = world_deployment("express-pay.3", PB__PHASE__ABORTED);

    (void)state;
    deployment.state->plan_hash = "";
    world_store(&(struct world_deployment){ deployment.state, deployment.plan });
    assert_int_equal(world_get("/v1/deployments/express-pay/report"), 200);
    assert_string_equal(world_text("exit"), "ABORTED");
}

static void names_of_any_form_are_looked_up_or_not_found(void **state)
{
    static const char *const names[] = { ".",  "..",   "a.",         ".1", "express-pay.",
                                         "%s", "a.1.", "\xc3\xa9.1", "*",  "{0}:dep" };

    (void)state;
    (void)world_rolling_out();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(world_get(arena_printf(&w.arena, "/v1/deployments/%s", names[i])),
                         404);
}

static void what_the_record_says_stays_text(void **state)
{
    struct world_deployment deployment = world_rolling_out();

    (void)state;
    deployment.state->title = "</script>\"\\\x01 \xf0\x9f\x9a\x80";
    world_store(&deployment);
    assert_int_equal(world_get("/v1/deployments/express-pay"), 200);
    assert_string_equal(world_text("title"), deployment.state->title);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(everything_that_is_known_is_shown),
        TEST(its_version_is_its_tag),
        TEST(an_undo_says_what_is_done_of_it_and_what_is_left),
        TEST(a_batch_that_is_held_is_old),
        TEST(a_sign_off_of_an_earlier_try_does_not_count),
        TEST(head_is_get_without_its_body),
        TEST(a_feature_means_its_newest_attempt),
        TEST(a_deployment_that_is_not_there_yet_again_is_not_said_to_be_none),
        TEST(the_plan_differs_from_the_attempt_before),
        TEST(documents_come_in_the_form_that_is_liked_best),
        TEST(the_timeline_is_filtered_and_exported),
        TEST(findings_are_filtered),
        TEST(metrics_are_decimal_numbers),
        TEST(a_decision_is_explained_from_the_record),
        TEST(without_a_plan_there_is_no_report_and_no_plan),
        TEST(what_ended_without_a_plan_has_a_report),
        TEST(names_of_any_form_are_looked_up_or_not_found),
        TEST(what_the_record_says_stays_text),
    };

    return cmocka_run_group_tests_name("deployment", tests, NULL, NULL);
}
