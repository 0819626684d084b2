/* The two paths that everything else varies: all well to COMPLETED, one alert to ROLLED_BACK.
 */
#include "tests/scenario/coordinator/stage.h"

static int setup(void **state)
{
    static struct stage stage;

    stage_open(&stage);
    stage_start(&stage);
    *state = &stage;
    return 0;
}

static int teardown(void **state)
{
    stage_close(*state);
    return 0;
}

static void an_acceptance_becomes_a_completed_deployment(void **state)
{
    struct stage *const stage = *state;

    stage_accept(stage);
    stage_settle(stage);
    assert_string_equal(stage->story.bytes,
                        "checks of step 0\n"
                        "technical-lead approves\n"
                        "devops-lead approves\n"
                        "checks of step 1\n"
                        "apply 0.0\n"
                        "checks of step 2\n"
                        "apply 1.0\n"
                        "checks of step 2\n"
                        "apply 2.0\n"
                        "checks of step 2\n"
                        "watch bake\n"
                        "apply 2.1\n"
                        "checks of step 2\n"
                        "watch bake\n"
                        "checks of step 3\n"
                        "SIGNAL deployed\n"
                        "FLAG express-pay 5 %\n"
                        "set flags to 5 %\n"
                        "watch stage\n"
                        "SIGNAL available to 5 %\n"
                        "FLAG express-pay 10 %\n"
                        "set flags to 10 %\n"
                        "watch stage\n"
                        "SIGNAL available to 10 %\n"
                        "FLAG express-pay 50 %\n"
                        "set flags to 50 %\n"
                        "watch stage\n"
                        "SIGNAL available to 50 %\n"
                        "FLAG express-pay 100 %\n"
                        "set flags to 100 %\n"
                        "watch stage\n"
                        "SIGNAL available to 100 %, in full\n"
                        "checks of step 5\n"
                        "technical-lead attests business.requirements\n"
                        "technical-lead attests business.user_experience\n"
                        "watch observe\n"
                        "SIGNAL monitoring active\n"
                        "finalise\n"
                        "devops-lead attests review.execution\n"
                        "technical-lead attests review.validation\n"
                        "devops-lead signs off execution\n"
                        "technical-lead signs off validation\n"
                        "operations-lead signs off monitoring\n"
                        "SIGNAL finished COMPLETED\n");
    assert_int_equal(stage_state(stage)->phase, PB__PHASE__COMPLETED);
}

static void an_alert_in_the_second_batch_takes_everything_back(void **state)
{
    struct stage *const stage = *state;

    stage->silent_at = "apply 2.1";
    stage_accept(stage);
    stage_settle(stage);
    stage_incident(stage, "ShopErrorBudgetBurn", PB__SEVERITY__CRITICAL);
    stage_settle(stage);
    assert_string_equal(stage->story.bytes,
                        "checks of step 0\n"
                        "technical-lead approves\n"
                        "devops-lead approves\n"
                        "checks of step 1\n"
                        "apply 0.0\n"
                        "checks of step 2\n"
                        "apply 1.0\n"
                        "checks of step 2\n"
                        "apply 2.0\n"
                        "checks of step 2\n"
                        "watch bake\n"
                        "apply 2.1: silence\n"
                        "INCIDENT ShopErrorBudgetBurn\n"
                        "LATCH express-pay.1\n"
                        "revert 2.1\n"
                        "revert 2.0\n"
                        "revert 1.0\n"
                        "revert 0.0\n"
                        "read back\n"
                        "flags off\n"
                        "SIGNAL rolled back\n"
                        "SIGNAL finished ROLLED_BACK\n");
    assert_int_equal(stage_state(stage)->phase, PB__PHASE__ROLLED_BACK);
}

static void a_completed_one_is_taken_back_by_a_linked_one(void **state)
{
    struct stage *const stage = *state;
    Pb__OperatorRequest *request;

    stage_accept(stage);
    stage_settle(stage);
    text_reset(&stage->story);
    request = stage_request_new(stage);
    request->body_case = PB__OPERATOR_REQUEST__BODY_ROLLBACK;
    request->rollback = pb_new(&stage->cluster.arena, &pb__rollback__descriptor);
    stage_request(stage, request);
    stage_settle(stage);
    stage_pass(stage, 1000);
    assert_string_equal(stage->story.bytes,
                        "SIGNAL withdrawn\n"
                        "LATCH express-pay.1\n"
                        "LATCH express-pay.2\n"
                        "flags off\n"
                        "revert 2.1\n"
                        "revert 2.0\n"
                        "revert 1.0\n"
                        "revert 0.0\n"
                        "read back\n"
                        "flags off\n"
                        "SIGNAL rolled back\n"
                        "SIGNAL finished ROLLED_BACK\n");
}

static void say_freeze(struct stage *stage, int64_t for_ms)
{
    Pb__Control control = PB__CONTROL__INIT;
    Pb__Freeze freeze = PB__FREEZE__INIT;

    freeze.id = "sale";
    freeze.scope = "production/*";
    freeze.from_ms = stage->cluster.clock.now_ms;
    freeze.to_ms = freeze.from_ms + for_ms;
    freeze.reason = "the great sale";
    control.body_case = PB__CONTROL__BODY_FREEZE;
    control.freeze = &freeze;
    cluster_publish(&stage->cluster,
                    &(struct cluster_record){ .topic = "control.v1",
                                              .key = "freeze/sale",
                                              .writer = "gateway",
                                              .id = "freeze.sale",
                                              .message = &control.base });
}

static void a_freeze_keeps_an_approved_one_in_the_queue_until_it_ends(void **state)
{
    struct stage *const stage = *state;

    stage->people_away = true;
    stage_accept(stage);
    stage_settle(stage);
    say_freeze(stage, 5000);
    stage_settle(stage);
    stage->people_away = false;
    stage_pass(stage, 1000);
    assert_int_equal(stage_state(stage)->phase, PB__PHASE__QUEUED);
    assert_string_equal(stage_state(stage)->waiting_for->kind, "FREEZE");
    stage_pass(stage, 4000);
    assert_int_equal(stage_state(stage)->n_holds, 0);
    assert_int_equal(stage_state(stage)->phase, PB__PHASE__COMPLETED);
}

static void a_freeze_at_the_time_of_the_plan_is_there_from_its_first_moment(void **state)
{
    struct stage *const stage = *state;

    stage->people_away = true;
    stage_settle(stage);
    say_freeze(stage, 5000);
    stage_settle(stage);
    stage_accept(stage);
    stage_settle(stage);
    assert_int_equal(stage_state(stage)->n_holds, 1);
    stage_pass(stage, 6000);
    assert_int_equal(stage_state(stage)->n_holds, 0);
    assert_int_equal(stage_state(stage)->phase, PB__PHASE__IN_REVIEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_acceptance_becomes_a_completed_deployment, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_alert_in_the_second_batch_takes_everything_back, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_completed_one_is_taken_back_by_a_linked_one, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_freeze_keeps_an_approved_one_in_the_queue_until_it_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_freeze_at_the_time_of_the_plan_is_there_from_its_first_moment, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
