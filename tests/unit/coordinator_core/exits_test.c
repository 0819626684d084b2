/* Ways out and ways on: refusals, waits, rests and exits, each as a story. */
#include "tests/unit/coordinator_core/places.h"

#include <string.h>

static void a_rejected_plan_ends_aborted_with_nothing_to_undo(void **state)
{
    struct play *const play = *state;

    at_review(play);
    play_quiet(play);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_REJECT);
    CHECK_STORY(play,
                "[   3] reject -> ABORTED: signal finished, tell feature ABORTED, announce "
                "aborted, archive\n");
}

static void a_missing_input_is_reminded_of_and_then_aborts(void **state)
{
    struct play *const play = *state;

    at_inputs(play);
    play_timer(play, "reminder");
    play_timer(play, "phase");
    CHECK_STORY(play,
                "[   0] acceptance -> PLANNING run: compile\n"
                "[   0] inputs missing -> AWAITING_INPUTS missing\n"
                "[14400] timer reminder -> AWAITING_INPUTS missing: signal blocked\n"
                "[86400] timer phase -> ABORTED: signal finished, tell feature ABORTED, "
                "archive\n");
}

static void a_supplied_input_is_checked_again_without_more_time(void **state)
{
    struct play *const play = *state;
    int64_t due_ms;

    at_inputs(play);
    due_ms = play->state->phase_due_ms;
    play->now_ms += 5000;
    play_plain(play, PB__OPERATOR_REQUEST__BODY_SUPPLY);
    assert_true(play_said(play, EFFECT_COMPILE, "compile"));
    assert_string_equal(play->state->supplied[0]->input, "runbooks");
    play_missing(play, "test results");
    assert_true(play->state->phase_due_ms == due_ms);
}

static void a_no_go_of_step_3_stops_and_rolls_back(void **state)
{
    struct play *const play = *state;

    at_3(play);
    play_quiet(play);
    play_finish(play, PB__VERDICT__FAIL);
    play_out(play);
    CHECK_STORY(play,
                "[  15] validate FAIL -> ROLLING_BACK undo: LATCH kill/pay.1, announce "
                "stopped, revert shop.1\n"
                "[  16] revert PASS -> ROLLING_BACK undo: revert shop.0\n"
                "[  17] revert PASS -> ROLLING_BACK undo: revert config.0\n"
                "[  18] revert PASS -> ROLLING_BACK verify: read back versions\n"
                "[  19] read-back PASS -> ROLLING_BACK verify: assert off after 0 ms\n"
                "[  20] flags-off PASS -> ROLLED_BACK: give back production/shop, signal "
                "rolled back, signal finished, tell feature ROLLED_BACK, announce rolled_back, "
                "archive\n");
}

static void a_failed_stage_sets_flags_to_0_rests_and_is_retried_from_stage_1(void **state)
{
    struct play *const play = *state;

    play->plan->steps[3]->on_no_go = PB__ON_NO_GO__BLOCK;
    play_until_sub(play, PB__PHASE__ROLLING_OUT, PB__SUB__SUB_WATCH);
    play_finish(play, PB__VERDICT__PASS);
    play_finish(play, PB__VERDICT__PASS);
    play_quiet(play);
    play_finish(play, PB__VERDICT__FAIL);
    play_finish(play, PB__VERDICT__PASS);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    CHECK_STORY(
        play,
        "[  17] watch FAIL -> ROLLING_OUT disable: flag/production/pay = 0%, set "
        "flags 0%\n"
        "[  17] disable PASS -> BLOCKED(4) disable: signal withdrawn, signal "
        "blocked, announce blocked\n"
        "[  17] retry -> ROLLING_OUT activate: flag/production/pay = 5%, set flags 5%\n");
}

static void a_freeze_may_take_back_what_is_being_executed(void **state)
{
    struct play *const play = *state;

    play->plan->on_freeze = PB__ON_CLOSED_WINDOW__ROLLBACK;
    at_2(play);
    play_quiet(play);
    play_hold(play, PB__HOLD_KIND__HOLD_FREEZE, true);
    play_out(play);
    CHECK_STORY(play,
                "[   7] freeze set -> STOPPING cancel: LATCH kill/pay.1, cancel, announce "
                "stopped\n"
                "[   8] apply ends -> ROLLING_BACK undo: revert config.0\n"
                "[   9] revert PASS -> ROLLING_BACK verify: read back versions\n"
                "[  10] read-back PASS -> ROLLING_BACK verify: assert off after 0 ms\n"
                "[  11] flags-off PASS -> ABORTED: give back production/shop, signal "
                "finished, tell feature ABORTED, announce aborted, archive\n");
}

static void a_window_that_closes_in_step_2_lets_it_finish_within_its_grace(void **state)
{
    struct play *const play = *state;

    at_2(play);
    play_hold(play, PB__HOLD_KIND__HOLD_WINDOW, true);
    play_finish(play, PB__VERDICT__PASS);
    play_finish(play, PB__VERDICT__PASS);
    assert_string_equal(play_task(play)->kind, "apply");
    play->now_ms += play->plan->window_grace_ms;
    play_finish(play, PB__VERDICT__PASS);
    play_finish(play, PB__VERDICT__PASS);
    play_finish(play, PB__VERDICT__PASS);
    assert_null(play_task(play));
    assert_string_equal(play->state->waiting_for->kind, "WINDOW");
    play_hold(play, PB__HOLD_KIND__HOLD_WINDOW, false);
    assert_string_equal(play_task(play)->kind, "apply");
}

static void kept_changes_stay_and_manual_ones_wait_for_a_person(void **state)
{
    struct play *const play = *state;

    play->plan->changes[0]->on_rollback = PB__ON_ROLLBACK__KEEP;
    play->plan->changes[1]->on_rollback = PB__ON_ROLLBACK__MANUAL;
    play->plan->changes[1]->way_back = "restore the snapshot";
    play_until(play, PB__PHASE__IN_REVIEW, 0);
    {
        Pb__OperatorRequest *const request =
            play_request_new(play, PB__OPERATOR_REQUEST__BODY_APPROVE, "devops-lead");
        Pb__OperatorRequest *const other =
            play_request_new(play, PB__OPERATOR_REQUEST__BODY_APPROVE, "technical-lead");

        request->approve = pb_new(&play->arena, &pb__approve__descriptor);
        request->approve->plan_hash = play->state->plan_hash;
        PB_APPEND(&play->arena, request->approve, accept_no_return, 2);
        other->approve = request->approve;
        play_request(play, request);
        other->expected_version = play->state->version;
        play_request(play, other);
    }
    at_3(play);
    play_quiet(play);
    play_finish(play, PB__VERDICT__FAIL);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_MARK_RESTORED);
    play_out(play);
    CHECK_STORY(play,
                "[  13] validate FAIL -> BLOCKED_ROLLBACK undo: LATCH kill/pay.1, announce "
                "stopped, signal blocked, announce page\n"
                "[  13] mark-restored -> ROLLING_BACK verify: read back versions\n"
                "[  14] read-back PASS -> ROLLING_BACK verify: assert off after 0 ms\n"
                "[  15] flags-off PASS -> ROLLED_BACK: give back production/shop, signal "
                "rolled back, signal finished, tell feature ROLLED_BACK, announce rolled_back, "
                "archive\n");
}

static void superseded(struct play *play)
{
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    event->body_case = PB__EVENT__BODY_SUPERSEDED_BY;
    event->superseded_by = pb_new(&play->arena, &pb__superseded_by__descriptor);
    event->superseded_by->lane = play->state->lanes[0]->lane;
    event->superseded_by->number = play->state->lanes[0]->number;
    event->superseded_by->top = "cart.2";
    play_event(play, "superseded", event);
}

/* The lane says it once: it must be heard also when the wait for the lane has ended. */
static void an_undo_that_no_longer_waits_for_its_lane_hears_who_has_changed_it(void **state)
{
    struct play *const play = *state;

    at_6(play);
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    play_finish(play, PB__VERDICT__PASS);
    play_timer(play, "phase");
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED_ROLLBACK);
    superseded(play);
    assert_string_equal(play->state->superseded_by, "cart.2");
    assert_non_null(strstr(play->state->resting_why, "cart.2 changed production/shop"));
    superseded(play);
    assert_int_equal(play->answer, PROCEDURE_STALE);
    play_quiet(play);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    assert_non_null(strstr(play->story.bytes, "ask production/shop"));
    superseded(play);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED_ROLLBACK);
    play_granted(play);
    play_out(play);
    assert_int_equal(play->state->phase, PB__PHASE__ROLLED_BACK);
}

static void an_older_deployment_waits_blocked_until_the_newer_is_undone(void **state)
{
    struct play *const play = *state;

    at_6(play);
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    play_finish(play, PB__VERDICT__PASS);
    play_quiet(play);
    superseded(play);
    assert_string_equal(play->state->superseded_by, "cart.2");
    play_granted(play);
    play_out(play);
    CHECK_STORY(play,
                "[  21] superseded -> BLOCKED_ROLLBACK lanes: signal blocked, announce page\n"
                "[  21] lane granted -> ROLLING_BACK undo: revert shop.1\n"
                "[  22] revert PASS -> ROLLING_BACK undo: revert shop.0\n"
                "[  23] revert PASS -> ROLLING_BACK undo: revert config.0\n"
                "[  24] revert PASS -> ROLLING_BACK verify: read back versions\n"
                "[  25] read-back PASS -> ROLLING_BACK verify: assert off after 2000 ms\n"
                "[  26] flags-off PASS -> ROLLED_BACK: give back production/shop, signal "
                "rolled back, signal finished, tell feature ROLLED_BACK, announce rolled_back, "
                "archive\n");
}

/* The other lane's undo was never asked for: its change is taken back by hand, too. */
static void lanes_are_told_at_the_end_what_was_restored_by_hand_without_them(void **state)
{
    struct play *const play = *state;

    at_6(play);
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    play_finish(play, PB__VERDICT__PASS);
    superseded(play);
    while (play->state->n_applied > 0) {
        play_plain(play, PB__OPERATOR_REQUEST__BODY_MARK_RESTORED);
        assert_false(play_said(play, EFFECT_EVENT, "restored"));
        if (play->state->n_applied > 0)
            superseded(play);
    }
    assert_false(play->state->lanes[0]->asked);
    play_quiet(play);
    play_out(play);
    CHECK_STORY(
        play,
        "[  22] read-back PASS -> ROLLING_BACK verify: assert off after 2000 ms\n"
        "[  23] flags-off PASS -> ROLLED_BACK: withdraw production/shop restored pay.1, "
        "signal rolled back, signal finished, tell feature ROLLED_BACK, announce "
        "rolled_back, archive\n");
}

static void what_failed_to_be_undone_is_left_by_name_and_listed(void **state)
{
    struct play *const play = *state;

    rest_in_undo(play);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE);
    assert_int_equal(play->state->n_skipped, 1);
    play_finish(play, PB__VERDICT__FAIL);
    play_timer(play, "retry");
    play_finish(play, PB__VERDICT__FAIL);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED_ROLLBACK);
    assert_int_equal(play_plain(play, PB__OPERATOR_REQUEST__BODY_MARK_RESTORED),
                     PROCEDURE_REFUSED);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    play_out(play);
    assert_int_equal(play->state->phase, PB__PHASE__ROLLED_BACK);
}

static void a_waiver_lets_a_resting_step_go_on_where_it_stopped(void **state)
{
    struct play *const play = *state;

    rest_in_3(play);
    play_quiet(play);
    play_waive(play, "smoke.api");
    CHECK_STORY(play,
                "[  15] waive -> ROLLING_OUT activate: flag/production/pay = 5%, signal "
                "deployed, set flags 5%\n");
}

static void step_1_runs_again_when_what_it_saw_is_too_old(void **state)
{
    struct play *const play = *state;
    Pb__CheckSpec *const check = pb_new(&play->arena, &pb__check_spec__descriptor);

    check->id = "env.team_available";
    check->kind = "attest";
    check->role = "devops-lead";
    check->required = true;
    PB_APPEND(&play->arena, play->plan->steps[0], checks, check);
    at_1(play);
    play_finish(play, PB__VERDICT__PASS);
    assert_string_equal(play->state->waiting_for->kind, "ATTEST");
    play->now_ms += play->plan->steps[0]->max_age_ms + 1;
    play_attest(play, "env.team_available", "devops-lead", PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__CHECKING);
    assert_string_equal(play_task(play)->kind, "checks");
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__EXECUTING);
}

static void nobody_answers_and_it_is_taken_back_as_a_decision(void **state)
{
    struct play *const play = *state;

    rest_in_3(play);
    play_timer(play, "phase");
    assert_int_equal(play->state->stop->kind, PB__CAUSE_KIND__DECISION);
    play_out(play);
    assert_int_equal(play->state->phase, PB__PHASE__ABORTED);
}

static void too_little_coverage_extends_step_6_once_and_then_rests(void **state)
{
    struct play *const play = *state;

    at_6(play);
    for (int i = 0; i < 2; i++) {
        const Pb__TaskState *const task = play_task(play);
        Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);
        Pb__Finding *const finding = pb_new(&play->arena, &pb__finding__descriptor);

        finding->check = "watch.metrics";
        finding->verdict = PB__VERDICT__PASS;
        event->body_case = PB__EVENT__BODY_TASK_FINISHED;
        event->task_finished = pb_new(&play->arena, &pb__task_finished__descriptor);
        event->task_finished->task = task->task;
        event->task_finished->drive = task->drive;
        event->task_finished->outcome = PB__OUTCOME__OUTCOME_OK;
        event->task_finished->coverage_bp = 9000;
        PB_APPEND(&play->arena, event->task_finished, findings, finding);
        play_event(play, "thin", event);
        if (i == 0)
            play_timer(play, "retry");
    }
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    assert_non_null(strstr(play->state->resting_why, "coverage"));
    assert_int_equal(play_waive(play, "coverage"), PROCEDURE_REFUSED);
    assert_int_equal(play_waive(play, "watch.metrics"), PROCEDURE_APPLIED);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
}

static void step_6_is_not_go_with_an_incident_that_was_noted_before(void **state)
{
    struct play *const play = *state;

    at_1(play);
    play_incident(play, "early", PB__SEVERITY__WARNING, true);
    at_6(play);
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    assert_int_equal(play->state->step, 6);
    play_incident(play, "early", PB__SEVERITY__WARNING, false);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__FINALISING);
}

static void a_warning_hold_ends_by_itself_after_its_incident(void **state)
{
    struct play *const play = *state;

    play->plan->auto_resume_ms = 5000;
    at_5(play);
    play_incident(play, "alert", PB__SEVERITY__WARNING, true);
    assert_false(play_has_timer(play, "auto-resume"));
    play_incident(play, "alert", PB__SEVERITY__WARNING, false);
    play_timer(play, "auto-resume");
    assert_int_equal(play->state->n_holds, 0);
}

static void promote_is_refused_while_a_warning_hold_stands(void **state)
{
    struct play *const play = *state;

    at_4(play);
    play_incident(play, "alert", PB__SEVERITY__WARNING, true);
    play_incident(play, "alert", PB__SEVERITY__WARNING, false);
    assert_int_equal(play_plain(play, PB__OPERATOR_REQUEST__BODY_PROMOTE), PROCEDURE_REFUSED);
}

static void a_warning_of_a_watch_in_step_6_is_an_incident_of_that_check(void **state)
{
    struct play *const play = *state;

    at_6(play);
    play_finish(play, PB__VERDICT__WARN);
    assert_int_equal(play->state->n_incidents, 1);
    assert_string_equal(play->state->waiting_for->kind, "WARNING");
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RESUME);
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__FINALISING);
    assert_false(play->state->incidents[0]->open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(a_rejected_plan_ends_aborted_with_nothing_to_undo),
        PLAY(a_missing_input_is_reminded_of_and_then_aborts),
        PLAY(a_supplied_input_is_checked_again_without_more_time),
        PLAY(a_no_go_of_step_3_stops_and_rolls_back),
        PLAY(a_failed_stage_sets_flags_to_0_rests_and_is_retried_from_stage_1),
        PLAY(a_freeze_may_take_back_what_is_being_executed),
        PLAY(a_window_that_closes_in_step_2_lets_it_finish_within_its_grace),
        PLAY(kept_changes_stay_and_manual_ones_wait_for_a_person),
        PLAY(an_undo_that_no_longer_waits_for_its_lane_hears_who_has_changed_it),
        PLAY(an_older_deployment_waits_blocked_until_the_newer_is_undone),
        PLAY(lanes_are_told_at_the_end_what_was_restored_by_hand_without_them),
        PLAY(what_failed_to_be_undone_is_left_by_name_and_listed),
        PLAY(a_waiver_lets_a_resting_step_go_on_where_it_stopped),
        PLAY(step_1_runs_again_when_what_it_saw_is_too_old),
        PLAY(nobody_answers_and_it_is_taken_back_as_a_decision),
        PLAY(too_little_coverage_extends_step_6_once_and_then_rests),
        PLAY(step_6_is_not_go_with_an_incident_that_was_noted_before),
        PLAY(a_warning_hold_ends_by_itself_after_its_incident),
        PLAY(promote_is_refused_while_a_warning_hold_stands),
        PLAY(a_warning_of_a_watch_in_step_6_is_an_incident_of_that_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
