/* The rules of the executable model, each under its own sentence: dropping one of them from the
 * core fails the test that names it. */
#include "tests/unit/coordinator_core/places.h"

static const Pb__Command *command_said(const struct play *play, Pb__Command__BodyCase body)
{
    for (size_t i = 0; i < play->last.effects.count; i++) {
        const struct effect *const effect = &play->last.effects.item[i];

        if (effect->kind == EFFECT_COMMAND && effect->command->body_case == body)
            return effect->command;
    }
    return NULL;
}

static void a_batch_enters_applied_when_its_apply_is_commanded_not_when_it_is_reported(
    void **state)
{
    struct play *const play = *state;

    at_2(play);
    assert_int_equal(play->state->n_applied, 1);
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    play_lost(play);
    assert_true(play_said(play, EFFECT_COMMAND, "revert config.0"));
}

static void every_stop_ends_in_the_final_read_back_also_when_nothing_was_applied(void **state)
{
    struct play *const play = *state;

    play->plan->n_changes = 0;
    at_3(play);
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    assert_int_equal(play->state->n_applied, 0);
    play_finish(play, PB__VERDICT__PASS);
    assert_true(play_said(play, EFFECT_COMMAND, "read back versions"));
    play_finish(play, PB__VERDICT__PASS);
    assert_true(play_said(play, EFFECT_COMMAND, "assert off"));
    assert_false(procedure_is_terminal(play->state->phase));
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__ROLLED_BACK);
}

static void a_cancelled_task_that_is_lost_is_quiet_and_never_driven_again(void **state)
{
    struct play *const play = *state;

    at_stop(play);
    assert_true(play_task(play)->cancelling);
    play_lost(play);
    assert_null(command_said(play, PB__COMMAND__BODY_APPLY));
    assert_string_equal(play_task(play)->kind, "revert");
}

static void after_flags_were_set_to_0_retry_starts_at_step_4_stage_1(void **state)
{
    struct play *const play = *state;

    play->plan->steps[4]->on_no_go = PB__ON_NO_GO__BLOCK;
    at_5(play);
    play_finish(play, PB__VERDICT__FAIL);
    assert_true(play_said(play, EFFECT_COMMAND, "set flags 0%"));
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    assert_true(play->state->flags->disabled);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    assert_int_equal(play->state->step, 4);
    assert_true(play_said(play, EFFECT_COMMAND, "set flags 5%"));
}

static void after_flags_were_set_to_0_a_waiver_starts_at_step_4_stage_1(void **state)
{
    struct play *const play = *state;

    play->plan->steps[4]->on_no_go = PB__ON_NO_GO__BLOCK;
    at_5(play);
    play_finish(play, PB__VERDICT__FAIL);
    play_finish(play, PB__VERDICT__PASS);
    play_waive(play, "functional.feature");
    assert_int_equal(play->state->step, 4);
    assert_true(play_said(play, EFFECT_COMMAND, "set flags 5%"));
    play_until(play, PB__PHASE__CONFIRMING, 5);
    play_finish(play, PB__VERDICT__FAIL);
    assert_int_equal(play->state->phase, PB__PHASE__OBSERVING);
}

static bool is_asked(const struct play *play, const char *check)
{
    const Pb__SetFlags *const body = play->asked->set_flags;

    for (size_t i = 0; i < body->n_checks; i++)
        if (strcmp(body->checks[i]->id, check) == 0)
            return true;
    return false;
}

static void the_first_stage_is_held_against_the_plan_that_was_approved(void **state)
{
    struct play *const play = *state;
    Pb__CheckSpec *const check = pb_new(&play->arena, &pb__check_spec__descriptor);

    check->id = "rollout.reviewed";
    check->kind = "builtin";
    check->required = true;
    PB_APPEND(&play->arena, play->plan->steps[3], checks, check);
    play_until_sub(play, PB__PHASE__ROLLING_OUT, PB__SUB__SUB_ACTIVATE);
    assert_int_equal(play->asked->body_case, PB__COMMAND__BODY_SET_FLAGS);
    assert_true(is_asked(play, "rollout.reviewed"));
    play_finish(play, PB__VERDICT__PASS);
    play_until_sub(play, PB__PHASE__ROLLING_OUT, PB__SUB__SUB_ACTIVATE);
    assert_int_equal(play->asked->body_case, PB__COMMAND__BODY_SET_FLAGS);
    assert_int_equal(play->asked->set_flags->stage, 1);
    assert_false(is_asked(play, "rollout.reviewed"));
}

static void flags_that_cannot_be_read_back_as_0_after_a_failed_stage_stop_it(void **state)
{
    struct play *const play = *state;

    play->plan->steps[3]->on_no_go = PB__ON_NO_GO__BLOCK;
    at_4(play);
    play_finish(play, PB__VERDICT__FAIL);
    assert_string_equal(play_task(play)->kind, "disable");
    play_finish(play, PB__VERDICT__FAIL);
    assert_non_null(play->state->stop);
    assert_int_equal(play->state->stop->kind, PB__CAUSE_KIND__FAILURE);
    assert_true(play_said(play, EFFECT_CONTROL, "LATCH kill/pay.1"));
}

static void a_stage_gate_is_a_check_that_attest_answers_and_approve_is_for_plans(void **state)
{
    struct play *const play = *state;

    at_gate(play);
    assert_string_equal(play->state->waiting_for->kind, "GATE");
    assert_int_equal(play_approve(play, "technical-lead"), PROCEDURE_REFUSED);
    assert_int_equal(play_attest(play, "stage.gate", "devops-lead", PB__VERDICT__PASS),
                     PROCEDURE_REFUSED);
    assert_string_equal(play_code(play), "role-missing");
    play_attest(play, "stage.gate", "technical-lead", PB__VERDICT__PASS);
    assert_true(play_said(play, EFFECT_COMMAND, "set flags 100%"));
}

static void a_sign_off_re_evaluates_step_7(void **state)
{
    struct play *const play = *state;

    at_7(play);
    play_signoff(play, 2, "devops-lead", true);
    play_signoff(play, 3, "technical-lead", true);
    assert_int_equal(play->state->phase, PB__PHASE__FINALISING);
    play_timer(play, "phase");
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    play_signoff(play, 6, "operations-lead", true);
    assert_int_equal(play->state->phase, PB__PHASE__COMPLETED);
}

static void promote_ends_a_clock_never_a_check(void **state)
{
    struct play *const play = *state;
    uint32_t drive;

    play->plan->steps[3]->on_no_go = PB__ON_NO_GO__BLOCK;
    at_4(play);
    drive = play_task(play)->drive;
    play_plain(play, PB__OPERATOR_REQUEST__BODY_PROMOTE);
    assert_int_equal(play_task(play)->drive, drive + 1);
    assert_true(command_said(play, PB__COMMAND__BODY_WATCH)->watch->clock_ended);
    assert_int_equal(command_said(play, PB__COMMAND__BODY_WATCH)->watch->min_samples, 100);
    play_finish(play, PB__VERDICT__FAIL);
    assert_string_equal(play_task(play)->kind, "disable");
}

static void promote_is_refused_with_an_incident_open(void **state)
{
    struct play *const play = *state;

    at_4(play);
    play_incident(play, "alert", PB__SEVERITY__WARNING, true);
    assert_int_equal(play_plain(play, PB__OPERATOR_REQUEST__BODY_PROMOTE), PROCEDURE_REFUSED);
}

static void no_open_critical_is_not_waivable(void **state)
{
    struct play *const play = *state;
    Pb__CheckSpec *const check = pb_new(&play->arena, &pb__check_spec__descriptor);

    check->id = "monitoring.no_open_critical";
    check->kind = "builtin";
    check->required = true;
    PB_APPEND(&play->arena, play->plan->steps[0], checks, check);
    at_1(play);
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    assert_int_equal(play->state->steps[1]->results[0]->verdict, PB__VERDICT__FAIL);
    assert_int_equal(play_waive(play, "monitoring.no_open_critical"), PROCEDURE_REFUSED);
    assert_string_equal(play_code(play), "check-not-waivable");
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    play_granted(play);
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    assert_int_equal(play->state->step, 1);
}

static void a_latch_written_by_others_is_an_event_for_the_core(void **state)
{
    struct play *const play = *state;

    at_6(play);
    play_kill_seen(play);
    assert_int_equal(play->state->phase, PB__PHASE__STOPPING);
    assert_true(play->state->flags->killed);
}

static void undo_holds_the_lane_and_asks_again_when_it_was_released(void **state)
{
    struct play *const play = *state;

    at_6(play);
    assert_int_equal(play->state->lanes[0]->grant, 0);
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    play_finish(play, PB__VERDICT__PASS);
    assert_true(play_said(play, EFFECT_EVENT, "ask production/shop to undo"));
    assert_null(play_task(play));
    play_granted(play);
    assert_true(play_said(play, EFFECT_COMMAND, "revert shop.1"));
}

static void queued_asks_for_lanes_only_while_nothing_holds_it(void **state)
{
    struct play *const play = *state;

    at_queue(play);
    play_hold(play, PB__HOLD_KIND__HOLD_WINDOW, true);
    assert_true(play_said(play, EFFECT_EVENT, "withdraw production/shop"));
    assert_int_equal(play_granted(play), PROCEDURE_STALE);
    play_hold(play, PB__HOLD_KIND__HOLD_WINDOW, false);
    assert_true(play_said(play, EFFECT_EVENT, "ask production/shop"));
    assert_int_equal(play_granted(play), PROCEDURE_APPLIED);
}

static void before_anything_is_applied_a_resting_deployment_holds_no_lane(void **state)
{
    struct play *const play = *state;

    at_1(play);
    play_finish(play, PB__VERDICT__FAIL);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    assert_true(play_said(play, EFFECT_EVENT, "give back production/shop"));
    assert_int_equal(play->state->lanes[0]->grant, 0);
}

static void under_a_hold_the_end_of_step_1_gives_the_lanes_back(void **state)
{
    struct play *const play = *state;

    at_1(play);
    play_hold(play, PB__HOLD_KIND__HOLD_FREEZE, true);
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__QUEUED);
    assert_true(play_said(play, EFFECT_EVENT, "give back production/shop"));
    play_hold(play, PB__HOLD_KIND__HOLD_FREEZE, false);
    play_granted(play);
    assert_int_equal(play->state->phase, PB__PHASE__CHECKING);
    assert_int_equal(play->state->steps[1]->try_number, 2);
}

static void in_blocked_rollback_abort_rollback_and_incidents_are_noted(void **state)
{
    struct play *const play = *state;
    const char *cause;

    rest_in_undo(play);
    cause = play->state->stop->cause;
    assert_int_equal(play_plain(play, PB__OPERATOR_REQUEST__BODY_ABORT), PROCEDURE_APPLIED);
    assert_int_equal(play_plain(play, PB__OPERATOR_REQUEST__BODY_ROLLBACK), PROCEDURE_APPLIED);
    play_incident(play, "other", PB__SEVERITY__CRITICAL, true);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED_ROLLBACK);
    assert_string_equal(play->state->stop->cause, cause);
    assert_int_equal(play->state->stop->kind, PB__CAUSE_KIND__FAILURE);
}

static void a_go_that_a_hold_kept_waiting_is_measured_again_when_the_hold_clears(void **state)
{
    struct play *const play = *state;

    at_3(play);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_PAUSE);
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->cursor->sub, PB__SUB__SUB_GO);
    assert_null(play_task(play));
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RESUME);
    assert_int_equal(play->state->phase, PB__PHASE__VALIDATING);
    assert_string_equal(play_task(play)->kind, "validate");
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__ROLLING_OUT);
}

static void a_sample_of_6_is_short_when_it_is_measured_again(void **state)
{
    struct play *const play = *state;

    at_6(play);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_PAUSE);
    play_finish(play, PB__VERDICT__PASS);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RESUME);
    assert_int_equal(command_said(play, PB__COMMAND__BODY_WATCH)->watch->min_ms, 1000);
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__FINALISING);
}

static void a_repeated_report_neither_opens_what_is_over_nor_closes_what_is_open(void **state)
{
    struct play *const play = *state;
    uint64_t opened;
    uint64_t over;

    at_5(play);
    opened = play->events;
    (void)play_incident(play, "alert", PB__SEVERITY__WARNING, true);
    over = play->events;
    (void)play_incident(play, "alert", PB__SEVERITY__WARNING, false);
    play->events = opened;
    assert_int_equal(play_incident(play, "alert", PB__SEVERITY__WARNING, true),
                     PROCEDURE_STALE);
    assert_false(play->state->incidents[0]->open);
    play->events = 1000;
    assert_int_equal(play_incident(play, "alert", PB__SEVERITY__WARNING, true),
                     PROCEDURE_APPLIED);
    play->events = over;
    assert_int_equal(play_incident(play, "alert", PB__SEVERITY__WARNING, false),
                     PROCEDURE_STALE);
    assert_true(play->state->incidents[0]->open);
    /* Under the same id, but graver. */
    play->events = opened;
    assert_int_equal(play_incident(play, "alert", PB__SEVERITY__CRITICAL, true),
                     PROCEDURE_APPLIED);
    assert_non_null(play->state->stop);
}

static void operator_and_warning_holds_also_stop_a_step_from_ending(void **state)
{
    struct play *const play = *state;

    at_5(play);
    play_incident(play, "alert", PB__SEVERITY__WARNING, true);
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__CONFIRMING);
    assert_string_equal(play->state->waiting_for->kind, "WARNING");
}

static void a_freeze_stops_the_start_of_forward_work_but_no_step_from_ending(void **state)
{
    struct play *const play = *state;

    at_3(play);
    play_hold(play, PB__HOLD_KIND__HOLD_FREEZE, true);
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__ROLLING_OUT);
    assert_null(play_task(play));
    assert_string_equal(play->state->waiting_for->kind, "FREEZE");
    play_hold(play, PB__HOLD_KIND__HOLD_FREEZE, false);
    assert_true(play_said(play, EFFECT_COMMAND, "set flags 5%"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(a_batch_enters_applied_when_its_apply_is_commanded_not_when_it_is_reported),
        PLAY(every_stop_ends_in_the_final_read_back_also_when_nothing_was_applied),
        PLAY(a_cancelled_task_that_is_lost_is_quiet_and_never_driven_again),
        PLAY(after_flags_were_set_to_0_retry_starts_at_step_4_stage_1),
        PLAY(after_flags_were_set_to_0_a_waiver_starts_at_step_4_stage_1),
        PLAY(the_first_stage_is_held_against_the_plan_that_was_approved),
        PLAY(flags_that_cannot_be_read_back_as_0_after_a_failed_stage_stop_it),
        PLAY(a_stage_gate_is_a_check_that_attest_answers_and_approve_is_for_plans),
        PLAY(a_sign_off_re_evaluates_step_7),
        PLAY(promote_ends_a_clock_never_a_check),
        PLAY(promote_is_refused_with_an_incident_open),
        PLAY(no_open_critical_is_not_waivable),
        PLAY(a_latch_written_by_others_is_an_event_for_the_core),
        PLAY(undo_holds_the_lane_and_asks_again_when_it_was_released),
        PLAY(queued_asks_for_lanes_only_while_nothing_holds_it),
        PLAY(before_anything_is_applied_a_resting_deployment_holds_no_lane),
        PLAY(under_a_hold_the_end_of_step_1_gives_the_lanes_back),
        PLAY(in_blocked_rollback_abort_rollback_and_incidents_are_noted),
        PLAY(a_go_that_a_hold_kept_waiting_is_measured_again_when_the_hold_clears),
        PLAY(a_sample_of_6_is_short_when_it_is_measured_again),
        PLAY(a_repeated_report_neither_opens_what_is_over_nor_closes_what_is_open),
        PLAY(operator_and_warning_holds_also_stop_a_step_from_ending),
        PLAY(a_freeze_stops_the_start_of_forward_work_but_no_step_from_ending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
