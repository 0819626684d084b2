/* Tasks, clocks and bounds: drives, back-off, fences, timers, holds that let clocks stand
 * still, and how much a state may hold. */
#include "tests/unit/coordinator_core/places.h"

static const Pb__Command *newest_command(const struct play *play)
{
    for (size_t i = 0; i < play->last.effects.count; i++) {
        if (play->last.effects.item[i].kind == EFFECT_COMMAND)
            return play->last.effects.item[i].command;
    }
    fail_msg("no command went out");
    return NULL;
}

static const Pb__Timer *timer(const struct play *play, const char *id)
{
    for (size_t i = 0; i < play->state->n_timers; i++) {
        if (strcmp(play->state->timers[i]->id, id) == 0)
            return play->state->timers[i];
    }
    fail_msg("timer %s is not armed", id);
    return NULL;
}

static void errors_are_driven_again_with_doubling_back_off(void **state)
{
    struct play *const play = *state;
    const char *task;

    play->plan->steps[2]->retry->drives = 4;
    at_3(play);
    task = play_task(play)->task;
    play_error(play);
    assert_true(timer(play, "retry")->due_ms - play->now_ms == 1000);
    play_timer(play, "retry");
    assert_int_equal(newest_command(play)->drive, 2);
    assert_string_equal(newest_command(play)->task, task);
    play_error(play);
    assert_true(timer(play, "retry")->due_ms - play->now_ms == 2000);
    play_timer(play, "retry");
    play_error(play);
    assert_true(timer(play, "retry")->due_ms - play->now_ms == 4000);
}

static void a_word_of_an_earlier_drive_is_stale(void **state)
{
    struct play *const play = *state;
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);
    uint64_t version;

    at_3(play);
    play_error(play);
    play_timer(play, "retry");
    version = play->state->version;
    event->body_case = PB__EVENT__BODY_TASK_FINISHED;
    event->task_finished = pb_new(&play->arena, &pb__task_finished__descriptor);
    event->task_finished->task = play_task(play)->task;
    event->task_finished->drive = 1;
    event->task_finished->outcome = PB__OUTCOME__OUTCOME_OK;
    assert_int_equal(play_event(play, "late", event), PROCEDURE_STALE);
    assert_int_equal(play->last.effects.count, 0);
    assert_true(play->state->version == version);
}

static enum procedure_answer play_started(struct play *play, uint32_t drive)
{
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    event->body_case = PB__EVENT__BODY_TASK_STARTED;
    event->task_started = pb_new(&play->arena, &pb__task_started__descriptor);
    event->task_started->task = play_task(play)->task;
    event->task_started->drive = drive;
    event->task_started->instance = "validator-1";
    return play_event(play, "started", event);
}

static void a_drive_begins_once_however_often_that_is_said(void **state)
{
    struct play *const play = *state;

    at_3(play);
    assert_int_equal(play_started(play, 1), PROCEDURE_APPLIED);
    assert_int_equal(play_started(play, 1), PROCEDURE_STALE);
    play_error(play);
    play_timer(play, "retry");
    assert_int_equal(play_started(play, 1), PROCEDURE_STALE);
    assert_int_equal(play_started(play, 2), PROCEDURE_APPLIED);
}

static void every_undo_outranks_every_drive_of_every_apply_before_it(void **state)
{
    struct play *const play = *state;
    const Pb__Fence *apply;

    at_2(play);
    play_error(play);
    play_timer(play, "retry");
    apply = newest_command(play)->fence;
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    play_finish(play, PB__VERDICT__PASS);
    assert_true(pb_fence_before(apply, newest_command(play)->fence));
    assert_int_equal(apply->grant, 1);
}

static void a_task_is_named_by_deployment_step_try_and_index(void **state)
{
    struct play *const play = *state;

    at_3(play);
    assert_int_equal(strncmp(play_task(play)->task, "pay.1/3/1/", 10), 0);
}

static void a_timer_of_an_earlier_arming_is_stale(void **state)
{
    struct play *const play = *state;
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    at_3(play);
    event->body_case = PB__EVENT__BODY_TIMER_FIRED;
    event->timer_fired = pb_new(&play->arena, &pb__timer_fired__descriptor);
    event->timer_fired->timer = "phase";
    event->timer_fired->armed_version = timer(play, "phase")->armed_version - 1;
    assert_int_equal(play_event(play, "early", event), PROCEDURE_STALE);
}

static size_t due_by(const struct play *play, int64_t by_ms)
{
    size_t count = 0;

    for (size_t i = 0; i < play->state->n_tasks; i++)
        count += play->state->tasks[i]->deadline_ms <= by_ms;
    return count;
}

/* The undo, the latch's own assertion and what is announced, all due in the same moment. */
static void a_timer_that_fired_is_stale_even_if_more_is_due_and_that_has_its_own(void **state)
{
    struct play *const play = *state;
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);
    int64_t due_ms;

    at_gate(play);
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    due_ms = timer(play, "task")->due_ms;
    for (size_t i = 0; i < play->state->n_tasks; i++)
        play->state->tasks[i]->deadline_ms = due_ms;
    event->body_case = PB__EVENT__BODY_TIMER_FIRED;
    event->timer_fired = pb_new(&play->arena, &pb__timer_fired__descriptor);
    event->timer_fired->timer = "task";
    for (size_t left = play->state->n_tasks; left-- > 0;) {
        event->timer_fired->armed_version = timer(play, "task")->armed_version;
        assert_int_equal(play_event(play, "task", event), PROCEDURE_APPLIED);
        assert_int_equal(due_by(play, due_ms), left);
        assert_int_equal(play_event(play, "again", event), PROCEDURE_STALE);
    }
}

static void time_never_goes_back(void **state)
{
    struct play *const play = *state;

    at_3(play);
    play->now_ms -= 5000;
    play_finish(play, PB__VERDICT__PASS);
    assert_true(play->state->now_ms >= play->state->phase_ms);
    assert_true(play->state->phase_due_ms > play->state->now_ms);
}

static void the_clocks_of_a_held_deployment_at_rest_stand_still(void **state)
{
    struct play *const play = *state;
    int64_t left_ms;

    at_3(play);
    play_finish(play, PB__VERDICT__PASS);
    play_finish(play, PB__VERDICT__PASS);
    play_hold(play, PB__HOLD_KIND__HOLD_FREEZE, true);
    left_ms = play->state->phase_due_ms - play->now_ms;
    play_finish(play, PB__VERDICT__PASS);
    assert_null(play_task(play));
    assert_false(play_has_timer(play, "phase"));
    assert_true(play_has_timer(play, "hold"));
    play->now_ms += 3600 * 1000;
    play_hold(play, PB__HOLD_KIND__HOLD_FREEZE, false);
    assert_true(play->state->phase_due_ms - play->now_ms == left_ms);
    assert_false(play_has_timer(play, "hold"));
}

static void a_hold_has_a_deadline_of_its_own_never_before_its_stated_end(void **state)
{
    struct play *const play = *state;
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    at_3(play);
    event->body_case = PB__EVENT__BODY_HOLD_SET;
    event->hold_set = pb_new(&play->arena, &pb__hold_set__descriptor);
    event->hold_set->kind = PB__HOLD_KIND__HOLD_FREEZE;
    event->hold_set->id = "friday";
    event->hold_set->until_ms = 9LL * 24 * 3600 * 1000;
    play_event(play, "freeze", event);
    play_finish(play, PB__VERDICT__PASS);
    assert_true(timer(play, "hold")->due_ms > event->hold_set->until_ms);
    play_timer(play, "hold");
    assert_int_equal(play->state->stop->kind, PB__CAUSE_KIND__DECISION);
}

static void a_cancelled_task_is_quiet_at_its_deadline(void **state)
{
    struct play *const play = *state;

    at_stop(play);
    play_timer(play, "task");
    assert_string_equal(play_task(play)->kind, "revert");
}

static void a_task_that_waits_for_its_next_drive_is_quiet_at_once(void **state)
{
    struct play *const play = *state;

    at_2(play);
    play_error(play);
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    assert_string_equal(play_task(play)->kind, "revert");
    assert_false(play_said(play, EFFECT_CANCEL, "cancel"));
}

static void an_undo_that_fails_is_driven_again_and_then_rests(void **state)
{
    struct play *const play = *state;

    at_undo(play);
    play_finish(play, PB__VERDICT__FAIL);
    assert_int_equal(play->state->phase, PB__PHASE__ROLLING_BACK);
    play_timer(play, "retry");
    play_finish(play, PB__VERDICT__FAIL);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED_ROLLBACK);
    assert_true(play_said(play, EFFECT_COMMAND, "announce page"));
    assert_int_equal(play->state->lanes[0]->grant, 1);
}

static void silence_and_absent_findings_are_never_success(void **state)
{
    struct play *const play = *state;
    const Pb__TaskState *task;
    Pb__Event *event;

    at_undo(play);
    task = play_task(play);
    event = pb_new(&play->arena, &pb__event__descriptor);
    event->body_case = PB__EVENT__BODY_TASK_FINISHED;
    event->task_finished = pb_new(&play->arena, &pb__task_finished__descriptor);
    event->task_finished->task = task->task;
    event->task_finished->drive = task->drive;
    event->task_finished->outcome = PB__OUTCOME__OUTCOME_OK;
    play_event(play, "silence", event);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED_ROLLBACK);
}

static void flag_values_rise_and_a_later_attempt_outranks_an_earlier(void **state)
{
    struct play *const play = *state;
    uint64_t first;

    play_until_sub(play, PB__PHASE__ROLLING_OUT, PB__SUB__SUB_ACTIVATE);
    first = play->state->flags->sequence;
    assert_true(first > 1U << 16);
    assert_true(first < 2U << 16);
    play_finish(play, PB__VERDICT__PASS);
    play_finish(play, PB__VERDICT__PASS);
    assert_true(play->state->flags->sequence == first + 1);
}

static void the_six_dates_are_kept(void **state)
{
    struct play *const play = *state;
    const Pb__AuditDates *dates;

    at_completed(play);
    dates = play->state->dates;
    assert_true(0 < dates->execution_ms && dates->execution_ms < dates->validation_ms);
    assert_int_equal(dates->n_activation_ms, 2);
    assert_true(dates->validation_ms < dates->activation_ms[0]);
    assert_true(dates->activation_ms[1] < dates->post_validation_ms);
    assert_true(dates->post_validation_ms < dates->monitoring_ms);
    assert_true(dates->monitoring_ms < dates->completion_ms);
}

static void every_step_of_a_completed_deployment_is_go_and_says_why(void **state)
{
    struct play *const play = *state;

    at_completed(play);
    for (size_t i = 0; i < play->state->n_steps; i++) {
        assert_string_equal(play->state->steps[i]->decision, "GO");
        assert_true(play->state->steps[i]->ended_ms > 0);
        assert_string_not_equal(play->state->steps[i]->rule, "");
    }
}

static void announcements_are_never_waited_for(void **state)
{
    struct play *const play = *state;

    rest_in_1(play);
    assert_true(play_said(play, EFFECT_COMMAND, "announce blocked"));
    assert_null(play_task(play));
    assert_int_equal(play->state->n_tasks, 1);
    for (int i = 0; i < 9; i++)
        play_timer(play, "reminder");
    assert_true(play->state->n_tasks <= 4);
}

static void incidents_beyond_the_bound_are_merged_and_the_worst_counts(void **state)
{
    struct play *const play = *state;

    at_6(play);
    for (int i = 0; i < 12; i++)
        play_incident(
            play, arena_printf(&play->arena, "cause %d", i), PB__SEVERITY__WARNING, true);
    assert_int_equal(play->state->n_incidents, 8);
    play_incident(play, "cause 13", PB__SEVERITY__CRITICAL, true);
    assert_int_equal(play->state->n_incidents, 8);
    assert_int_equal(play->state->phase, PB__PHASE__STOPPING);
}

static void repeats_of_a_cause_are_one_incident(void **state)
{
    struct play *const play = *state;

    at_5(play);
    for (int i = 0; i < 5; i++)
        play_incident(play, "alert", PB__SEVERITY__WARNING, true);
    assert_int_equal(play->state->n_incidents, 1);
    assert_int_equal(play->state->incidents[0]->count, 5);
}

static void a_warning_that_rises_to_critical_stops(void **state)
{
    struct play *const play = *state;

    at_5(play);
    play_incident(play, "alert", PB__SEVERITY__WARNING, true);
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    assert_non_null(play->state->stop);
}

static void a_state_stays_below_its_bound_whatever_is_reported(void **state)
{
    struct play *const play = *state;
    char *const long_text = arena_alloc(&play->arena, 20001);

    memset(long_text, 'x', 20000);
    for (size_t i = 0; i < 60; i++) {
        Pb__CheckSpec *const check = pb_clone(&play->arena, play->plan->steps[0]->checks[0]);

        check->id = arena_printf(&play->arena, "env.check_number_%zu", i);
        check->waivable = true;
        PB_APPEND(&play->arena, play->plan->steps[0], checks, check);
    }
    at_1(play);
    {
        const Pb__TaskState *const task = play_task(play);
        Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

        event->body_case = PB__EVENT__BODY_TASK_FINISHED;
        event->task_finished = pb_new(&play->arena, &pb__task_finished__descriptor);
        event->task_finished->task = task->task;
        event->task_finished->drive = task->drive;
        event->task_finished->outcome = PB__OUTCOME__OUTCOME_OK;
        for (size_t i = 0; i < 61; i++) {
            Pb__Finding *const finding = pb_new(&play->arena, &pb__finding__descriptor);

            finding->check = play->plan->steps[0]->checks[i]->id;
            finding->verdict = PB__VERDICT__FAIL;
            finding->observed = long_text;
            finding->remedy = long_text;
            PB_APPEND(&play->arena, event->task_finished, findings, finding);
        }
        play_event(play, "much", event);
    }
    assert_int_equal(play->answer, PROCEDURE_APPLIED);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    assert_true(protobuf_c_message_get_packed_size(&play->state->base) <= PB_STATE_MAX);
    assert_true(play->last.effects.count <= EFFECTS_MAX);
    assert_true(play_said(play, EFFECT_SIGNAL, "blocked"));
}

static void a_baseline_that_does_not_fit_keeps_step_1_from_being_go(void **state)
{
    struct play *const play = *state;
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);
    Pb__Finding *const finding = pb_new(&play->arena, &pb__finding__descriptor);

    at_1(play);
    finding->check = "env.ready";
    finding->verdict = PB__VERDICT__PASS;
    event->body_case = PB__EVENT__BODY_TASK_FINISHED;
    event->task_finished = pb_new(&play->arena, &pb__task_finished__descriptor);
    event->task_finished->task = play_task(play)->task;
    event->task_finished->drive = 1;
    event->task_finished->outcome = PB__OUTCOME__OUTCOME_OK;
    PB_APPEND(&play->arena, event->task_finished, findings, finding);
    for (int i = 0; i < 97; i++)
        PB_APPEND(&play->arena,
                  event->task_finished,
                  observed,
                  pb_new(&play->arena, &pb__observed__descriptor));
    play_event(play, "many instances", event);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    assert_non_null(strstr(play->state->resting_why, "97 instances"));
}

static void undo_does_not_wait_long_for_a_dead_observer(void **state)
{
    struct play *const play = *state;

    play->plan->observe_ms = 24LL * 3600 * 1000;
    at_6(play);
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    assert_true(timer(play, "task")->due_ms - play->now_ms <= 10 * 1000);
}

static void the_chain_over_applied_events_differs_when_one_is_left_out(void **state)
{
    struct play *const play = *state;
    const char *before;

    at_review(play);
    before = play->state->record_hash;
    assert_int_equal(strlen(before), 64);
    play_approve(play, "viewer");
    assert_string_equal(play->state->record_hash, before);
    play_approve(play, "devops-lead");
    assert_string_not_equal(play->state->record_hash, before);
}

static void the_state_before_is_never_changed(void **state)
{
    struct play *const play = *state;
    const Pb__DeploymentState *before;
    struct pb_bytes was;
    struct pb_bytes is;

    at_4(play);
    before = play->state;
    was = pb_pack(&play->arena, before);
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    is = pb_pack(&play->arena, before);
    assert_int_equal(was.length, is.length);
    assert_memory_equal(was.bytes, is.bytes, was.length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(errors_are_driven_again_with_doubling_back_off),
        PLAY(a_word_of_an_earlier_drive_is_stale),
        PLAY(a_drive_begins_once_however_often_that_is_said),
        PLAY(every_undo_outranks_every_drive_of_every_apply_before_it),
        PLAY(a_task_is_named_by_deployment_step_try_and_index),
        PLAY(a_timer_of_an_earlier_arming_is_stale),
        PLAY(a_timer_that_fired_is_stale_even_if_more_is_due_and_that_has_its_own),
        PLAY(time_never_goes_back),
        PLAY(the_clocks_of_a_held_deployment_at_rest_stand_still),
        PLAY(a_hold_has_a_deadline_of_its_own_never_before_its_stated_end),
        PLAY(a_cancelled_task_is_quiet_at_its_deadline),
        PLAY(a_task_that_waits_for_its_next_drive_is_quiet_at_once),
        PLAY(an_undo_that_fails_is_driven_again_and_then_rests),
        PLAY(silence_and_absent_findings_are_never_success),
        PLAY(flag_values_rise_and_a_later_attempt_outranks_an_earlier),
        PLAY(the_six_dates_are_kept),
        PLAY(every_step_of_a_completed_deployment_is_go_and_says_why),
        PLAY(announcements_are_never_waited_for),
        PLAY(incidents_beyond_the_bound_are_merged_and_the_worst_counts),
        PLAY(repeats_of_a_cause_are_one_incident),
        PLAY(a_warning_that_rises_to_critical_stops),
        PLAY(a_state_stays_below_its_bound_whatever_is_reported),
        PLAY(a_baseline_that_does_not_fit_keeps_step_1_from_being_go),
        PLAY(undo_does_not_wait_long_for_a_dead_observer),
        PLAY(the_chain_over_applied_events_differs_when_one_is_left_out),
        PLAY(the_state_before_is_never_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
