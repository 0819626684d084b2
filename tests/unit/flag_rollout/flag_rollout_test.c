#include "tests/unit/flag_rollout/rollout_world.h"

#include "common/state/keys.h"
#include "tests/support/test.h"

static void a_granted_value_is_set_and_read_back(void **state)
{
    const Pb__TaskFinished *result;

    (void)state;
    grant(3, 25);
    command_set(3, 25);
    result = run(SET);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_int_equal(w.task.steps, 1);
    assert_int_equal(result->n_findings, 2);
    assert_int_equal(verdict_of("flag.set"), PB__VERDICT__PASS);
    assert_int_equal(verdict_of("flag.read_back"), PB__VERDICT__PASS);
    assert_non_null(strstr(fake_task_finding(&w.task, "flag.read_back")->observed, "25 %"));
}

static void it_waits_until_control_holds_the_value_and_the_gateways_answer_it(void **state)
{
    (void)state;
    command_set(3, 25);
    assert_int_equal(step(SET), WORKER_AGAIN);
    fake_grant(&w.gateways, grant_heard_by_the_worker(3, 25));
    assert_int_equal(step(SET), WORKER_DONE);
    assert_int_equal(w.task.task.result->outcome, PB__OUTCOME__OUTCOME_OK);
}

static void a_value_never_granted_is_an_error_after_a_while(void **state)
{
    (void)state;
    command_set(3, 25);
    assert_int_equal(run(SET)->outcome, PB__OUTCOME__OUTCOME_ERROR);
    assert_in_range(w.gateways.clock.now_ms, BEGAN_MS + 10000, BEGAN_MS + 11000);
    assert_int_equal(verdict_of("flag.set"), PB__VERDICT__ERROR);
}

static void a_gateway_that_holds_an_older_value_fails_the_read_back(void **state)
{
    (void)state;
    fake_grant(&w.gateways, fake_value(&w.gateways, 2, 10));
    fake_grant_on(&w.gateways, 0, grant_heard_by_the_worker(3, 25));
    command_set(3, 25);
    assert_int_equal(run(SET)->outcome, PB__OUTCOME__OUTCOME_FAILED);
    assert_int_equal(verdict_of("flag.read_back"), PB__VERDICT__FAIL);
}

static void a_silent_gateway_is_inconclusive_never_a_pass(void **state)
{
    (void)state;
    grant(3, 25);
    w.gateways.silent[2] = true;
    command_set(3, 25);
    (void)run(SET);
    assert_int_equal(verdict_of("flag.read_back"), PB__VERDICT__INCONCLUSIVE);
}

static void a_latch_that_comes_meanwhile_ends_the_task_as_failed(void **state)
{
    (void)state;
    (void)grant_heard_by_the_worker(3, 25);
    command_set(3, 25);
    assert_int_equal(step(SET), WORKER_AGAIN);
    latch_heard_by_the_worker("express-pay.1");
    assert_int_equal(step(SET), WORKER_DONE);
    assert_int_equal(w.task.task.result->outcome, PB__OUTCOME__OUTCOME_FAILED);
    assert_non_null(strstr(w.task.task.result->error, "critical incident"));
}

static void a_newer_grant_ends_the_task_as_failed(void **state)
{
    (void)state;
    grant(4, 0);
    command_set(3, 25);
    assert_int_equal(run(SET)->outcome, PB__OUTCOME__OUTCOME_FAILED);
    assert_int_equal(w.task.steps, 1);
    assert_non_null(strstr(w.task.task.result->error, "granted 0 % with sequence 4 since"));
}

static void a_record_that_does_not_prove_its_writer_grants_nothing(void **state)
{
    Pb__Control control = PB__CONTROL__INIT;

    (void)state;
    control.body_case = PB__CONTROL__BODY_FLAG;
    control.flag = fake_value(&w.gateways, 3, 25);
    publish("monitor", "flag/production/express-pay", &control);
    command_set(3, 25);
    assert_int_equal(step(SET), WORKER_AGAIN);
    assert_true(memory_log_has(w.log, "passed over"));
}

static void a_cancelled_task_changes_nothing_more(void **state)
{
    size_t before;

    (void)state;
    grant(3, 25);
    command_set(3, 25);
    w.task.stop = true;
    before = memory_http_call_count(w.gateways.http);
    assert_int_equal(run(SET)->outcome, PB__OUTCOME__OUTCOME_CANCELLED);
    assert_int_equal(memory_http_call_count(w.gateways.http), before);
}

static void a_kill_is_read_back_once_more_after_it_has_settled(void **state)
{
    const Pb__TaskFinished *result;

    (void)state;
    grant(3, 50);
    latch_heard_by_the_worker("express-pay.1");
    fake_latch(&w.gateways, "express-pay.1");
    command_kill();
    assert_int_equal(step(KILL), WORKER_AGAIN);
    assert_int_equal(w.gateways.clock.now_ms, BEGAN_MS + SETTLE_MS);
    result = run(KILL);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_int_equal(w.task.steps, 2);
    assert_int_equal(verdict_of("flag.kill"), PB__VERDICT__PASS);
    assert_int_equal(verdict_of("flag.read_back"), PB__VERDICT__PASS);
    assert_non_null(
        strstr(fake_task_finding(&w.task, "flag.kill")->observed, "0 ms after the latch"));
}

static void a_flag_that_comes_on_while_it_settles_fails_the_kill(void **state)
{
    (void)state;
    grant(3, 50);
    latch_heard_by_the_worker("express-pay.1");
    fake_latch_on(&w.gateways, 0, "express-pay.1");
    fake_latch_on(&w.gateways, 1, "express-pay.1");
    command_kill();
    assert_int_equal(run(KILL)->outcome, PB__OUTCOME__OUTCOME_FAILED);
    assert_int_equal(verdict_of("flag.read_back"), PB__VERDICT__FAIL);
}

static void without_its_latch_on_control_a_kill_never_passes(void **state)
{
    (void)state;
    grant(3, 50);
    fake_latch(&w.gateways, "express-pay.1");
    command_kill();
    assert_int_equal(run(KILL)->outcome, PB__OUTCOME__OUTCOME_ERROR);
    assert_int_equal(verdict_of("flag.kill"), PB__VERDICT__ERROR);
}

static void a_gateway_that_has_not_heard_of_grant_and_latch_is_not_off(void **state)
{
    (void)state;
    (void)grant_heard_by_the_worker(3, 50);
    latch_heard_by_the_worker("express-pay.1");
    command_kill();
    assert_int_equal(run(KILL)->outcome, PB__OUTCOME__OUTCOME_FAILED);
}

static void grant_to(const char *deployment)
{
    Pb__Control control = PB__CONTROL__INIT;

    control.body_case = PB__CONTROL__BODY_FLAG;
    control.flag = fake_value(&w.gateways, 3, 50);
    control.flag->deployment = deployment;
    publish("coordinator", "flag/production/express-pay", &control);
    fake_grant(&w.gateways, control.flag);
}

static void what_an_earlier_attempt_left_on_stays_on(void **state)
{
    (void)state;
    grant_to("express-pay.0");
    latch_heard_by_the_worker("express-pay.1");
    command_kill();
    assert_int_equal(run(KILL)->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_non_null(
        strstr(fake_task_finding(&w.task, "flag.read_back")->observed, "express-pay.0 holds"));
}

static void the_flag_of_the_attempt_that_is_taken_back_has_to_go_off(void **state)
{
    (void)state;
    grant_to("express-pay.0");
    latch_heard_by_the_worker("express-pay.1");
    command_kill();
    w.kill.undo_of = "express-pay.0";
    assert_int_equal(run(KILL)->outcome, PB__OUTCOME__OUTCOME_FAILED);
    assert_int_equal(verdict_of("flag.read_back"), PB__VERDICT__FAIL);
}

static void a_flag_that_another_feature_holds_is_not_ours_to_turn_off(void **state)
{
    (void)state;
    grant_to("other-feature.2");
    latch_heard_by_the_worker("express-pay.1");
    command_kill();
    assert_int_equal(run(KILL)->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_non_null(
        strstr(fake_task_finding(&w.task, "flag.read_back")->observed, "other-feature.2"));
}

static void a_flag_never_granted_only_has_to_read_as_off(void **state)
{
    (void)state;
    latch_heard_by_the_worker("express-pay.1");
    command_kill();
    assert_int_equal(run(KILL)->outcome, PB__OUTCOME__OUTCOME_OK);
}

static void the_last_reading_is_remembered_for_people(void **state)
{
    struct store_value value = { 0 };
    struct error error = { 0 };

    (void)state;
    grant(3, 25);
    w.gateways.silent[1] = true;
    command_set(3, 25);
    (void)run(SET);
    assert_int_equal(
        w.ports.store.get(
            w.ports.store.self,
            &w.gateways.arena,
            keys_global(&w.gateways.arena, "slipway:", "readback:", "production/express-pay"),
            &value,
            &error),
        ERR_OK);
    assert_non_null(value.bytes);
    assert_non_null(strstr(value.bytes, "\"agree\":2,\"of\":3,\"slowest_ms\":4"));
    assert_non_null(strstr(value.bytes, "\"disagree\":[\"gateway-2:8080 silent\"]"));
}

static void granted_flags_are_read_back_every_30_seconds(void **state)
{
    struct error error = { 0 };
    size_t before;

    (void)state;
    grant(3, 25);
    while (memory_http_call_count(w.gateways.http) < FAKE_GATEWAYS) {
        memory_clock_advance(&w.gateways.clock, 10000);
        (void)flag_rollout_worker.turn(w.ports.state, &w.ports, &error);
    }
    (void)flag_rollout_worker.turn(w.ports.state, &w.ports, &error);
    before = memory_http_call_count(w.gateways.http);
    (void)flag_rollout_worker.turn(w.ports.state, &w.ports, &error);
    assert_int_equal(memory_http_call_count(w.gateways.http), before);
    w.gateways.silent[0] = true;
    memory_clock_advance(&w.gateways.clock, 30000);
    (void)flag_rollout_worker.turn(w.ports.state, &w.ports, &error);
    assert_int_equal(memory_http_call_count(w.gateways.http), before + FAKE_GATEWAYS);
    assert_true(memory_log_has(w.log, "does not read back"));
}

static void put(const char *key, const void *message)
{
    const struct pb_bytes packed = pb_pack(&w.gateways.arena, message);
    struct store_op op = { .kind = STORE_SET, .key = key };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };
    struct error error = { 0 };

    op.value = (struct store_value){ (const char *)packed.bytes, packed.length };
    assert_int_equal(w.ports.store.commit(w.ports.store.self, &batch, &error), ERR_OK);
}

/* Puts a plan with one stage of that percentage into the projection, approved as told. */
static void plan_in_store(uint32_t percent, bool approved)
{
    struct arena *const arena = &w.gateways.arena;
    Pb__DeploymentState *const deployment = pb_new(arena, &pb__deployment_state__descriptor);
    Pb__Plan *const plan = pb_new(arena, &pb__plan__descriptor);
    Pb__Stage *const stage = pb_new(arena, &pb__stage__descriptor);
    Pb__ApprovalSpec *const needed = pb_new(arena, &pb__approval_spec__descriptor);
    Pb__Approval *const approval = pb_new(arena, &pb__approval__descriptor);
    struct pb_bytes packed;
    char hash[DIGEST_HEX_SIZE];

    stage->percent = percent;
    stage->name = "beta";
    PB_APPEND(arena, plan, stages, stage);
    needed->needed = 1;
    PB_APPEND(arena, plan, approvals, needed);
    packed = pb_pack(arena, plan);
    digest_sha256(packed.bytes, packed.length, hash);
    deployment->id = "express-pay.1";
    deployment->feature = "express-pay";
    deployment->plan_hash = arena_text(arena, hash);
    approval->plan_hash = deployment->plan_hash;
    approval->voided = !approved;
    PB_APPEND(arena, deployment, approvals, approval);
    w.command.plan_hash = deployment->plan_hash;
    put(KEY_DEPLOYMENT(arena, 0, "slipway:", "express-pay.1"), deployment);
    put(KEY_PLAN(arena, 0, "slipway:", deployment->plan_hash), plan);
}

static Pb__Verdict review_of(uint32_t percent, bool approved)
{
    Pb__CheckSpec check = PB__CHECK_SPEC__INIT;
    Pb__CheckSpec *checks[] = { &check };
    Pb__Verdict verdict;

    check.id = "rollout.reviewed";
    plan_in_store(percent, approved);
    command_set(3, 25);
    w.set.checks = checks;
    w.set.n_checks = 1;
    (void)run(SET);
    verdict = verdict_of("rollout.reviewed");
    fake_task_close(&w.task);
    return verdict;
}

static void the_stage_is_reviewed_against_the_approved_plan(void **state)
{
    (void)state;
    grant(3, 25);
    assert_int_equal(review_of(25, true), PB__VERDICT__PASS);
    assert_int_equal(review_of(25, false), PB__VERDICT__FAIL);
    assert_int_equal(review_of(10, true), PB__VERDICT__FAIL);
}

#define ROLLOUT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROLLOUT_TEST(a_granted_value_is_set_and_read_back),
        ROLLOUT_TEST(it_waits_until_control_holds_the_value_and_the_gateways_answer_it),
        ROLLOUT_TEST(a_value_never_granted_is_an_error_after_a_while),
        ROLLOUT_TEST(a_gateway_that_holds_an_older_value_fails_the_read_back),
        ROLLOUT_TEST(a_silent_gateway_is_inconclusive_never_a_pass),
        ROLLOUT_TEST(a_latch_that_comes_meanwhile_ends_the_task_as_failed),
        ROLLOUT_TEST(a_newer_grant_ends_the_task_as_failed),
        ROLLOUT_TEST(a_record_that_does_not_prove_its_writer_grants_nothing),
        ROLLOUT_TEST(a_cancelled_task_changes_nothing_more),
        ROLLOUT_TEST(a_kill_is_read_back_once_more_after_it_has_settled),
        ROLLOUT_TEST(a_flag_that_comes_on_while_it_settles_fails_the_kill),
        ROLLOUT_TEST(without_its_latch_on_control_a_kill_never_passes),
        ROLLOUT_TEST(a_gateway_that_has_not_heard_of_grant_and_latch_is_not_off),
        ROLLOUT_TEST(what_an_earlier_attempt_left_on_stays_on),
        ROLLOUT_TEST(the_flag_of_the_attempt_that_is_taken_back_has_to_go_off),
        ROLLOUT_TEST(a_flag_that_another_feature_holds_is_not_ours_to_turn_off),
        ROLLOUT_TEST(a_flag_never_granted_only_has_to_read_as_off),
        ROLLOUT_TEST(the_last_reading_is_remembered_for_people),
        ROLLOUT_TEST(the_stage_is_reviewed_against_the_approved_plan),
        ROLLOUT_TEST(granted_flags_are_read_back_every_30_seconds),
    };

    return cmocka_run_group_tests_name("flag-rollout", tests, NULL, NULL);
}
