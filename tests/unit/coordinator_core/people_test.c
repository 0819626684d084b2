/* What people may ask, who may ask it, and what they are told. */
#include "tests/unit/coordinator_core/places.h"

static void nobody_approves_their_own(void **state)
{
    struct play *const play = *state;
    Pb__OperatorRequest *request;

    at_review(play);
    request = play_request_new(play, PB__OPERATOR_REQUEST__BODY_APPROVE, "devops-lead");
    request->actor->subject = "ci/github";
    request->approve = pb_new(&play->arena, &pb__approve__descriptor);
    request->approve->plan_hash = play->state->plan_hash;
    assert_int_equal(play_request(play, request), PROCEDURE_REFUSED);
    assert_string_equal(play_code(play), "own-submission");
}

static void an_approval_is_for_one_plan_only(void **state)
{
    struct play *const play = *state;
    Pb__OperatorRequest *request;

    at_review(play);
    request = play_request_new(play, PB__OPERATOR_REQUEST__BODY_APPROVE, "devops-lead");
    request->approve = pb_new(&play->arena, &pb__approve__descriptor);
    request->approve->plan_hash = "other";
    assert_int_equal(play_request(play, request), PROCEDURE_REFUSED);
    assert_string_equal(play_code(play), "plan-changed");
}

static void a_role_is_held_not_claimed(void **state)
{
    struct play *const play = *state;
    Pb__OperatorRequest *request;

    at_review(play);
    request = play_request_new(play, PB__OPERATOR_REQUEST__BODY_APPROVE, "viewer");
    request->role = "devops-lead";
    request->approve = pb_new(&play->arena, &pb__approve__descriptor);
    request->approve->plan_hash = play->state->plan_hash;
    request->approve->role = "devops-lead";
    assert_int_equal(play_request(play, request), PROCEDURE_REFUSED);
    assert_string_equal(play_code(play), "role-missing");
    request = play_request_new(play, PB__OPERATOR_REQUEST__BODY_ABORT, "viewer");
    request->role = "devops-lead";
    assert_int_equal(play_request(play, request), PROCEDURE_REFUSED);
    assert_string_equal(play_code(play), "role-missing");
}

static void one_person_approves_once(void **state)
{
    struct play *const play = *state;

    play->plan->approvals[0]->needed = 2;
    at_review(play);
    assert_int_equal(play_approve(play, "devops-lead"), PROCEDURE_APPLIED);
    assert_int_equal(play_approve(play, "devops-lead"), PROCEDURE_REFUSED);
    assert_int_equal(play->state->phase, PB__PHASE__IN_REVIEW);
}

static void a_point_of_no_return_is_accepted_by_its_number(void **state)
{
    struct play *const play = *state;

    play->plan->changes[1]->on_rollback = PB__ON_ROLLBACK__MANUAL;
    at_review(play);
    assert_int_equal(play_approve(play, "devops-lead"), PROCEDURE_REFUSED);
    assert_string_equal(play_code(play), "confirmation-needed");
}

static void a_replan_voids_approvals(void **state)
{
    struct play *const play = *state;

    at_review(play);
    play_approve(play, "devops-lead");
    play_plain(play, PB__OPERATOR_REQUEST__BODY_REPLAN);
    play_compiled(play);
    play_finish(play, PB__VERDICT__PASS);
    assert_true(play->state->approvals[0]->voided);
    play_approve(play, "technical-lead");
    assert_int_equal(play->state->phase, PB__PHASE__IN_REVIEW);
    assert_int_equal(play->state->waiting_for->n_who, 1);
    assert_string_equal(play->state->waiting_for->who[0], "devops-lead");
    play_approve(play, "devops-lead");
    assert_int_equal(play->state->phase, PB__PHASE__QUEUED);
}

static void a_request_for_another_version_is_refused(void **state)
{
    struct play *const play = *state;
    Pb__OperatorRequest *request;

    at_review(play);
    request = play_request_new(play, PB__OPERATOR_REQUEST__BODY_ABORT, "devops-lead");
    request->expected_version--;
    assert_int_equal(play_request(play, request), PROCEDURE_REFUSED);
    assert_string_equal(play_code(play), "version-changed");
    request->expected_version += 2;
    assert_int_equal(play_request(play, request), PROCEDURE_REFUSED);
}

static void progress(struct play *play, bool active, Pb__Verdict verdict)
{
    const Pb__TaskState *const task = play_task(play);
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);
    Pb__Finding *const finding = pb_new(&play->arena, &pb__finding__descriptor);

    finding->check = play->state->step == 6 ? "watch.metrics" : "stage.errors";
    finding->required = true;
    finding->verdict = verdict;
    event->body_case = PB__EVENT__BODY_TASK_PROGRESS;
    event->task_progress = pb_new(&play->arena, &pb__task_progress__descriptor);
    event->task_progress->task = task->task;
    event->task_progress->drive = task->drive;
    event->task_progress->samples = 1312;
    event->task_progress->active = active;
    PB_APPEND(&play->arena, event->task_progress, findings, finding);
    play_event(play, "progress", event);
}

static void samples_that_came_in_meanwhile_change_nothing_that_people_decide_on(void **state)
{
    struct play *const play = *state;
    Pb__OperatorRequest *request;

    at_4(play);
    request = play_request_new(play, PB__OPERATOR_REQUEST__BODY_ROLLBACK, "release-engineer");
    progress(play, false, PB__VERDICT__PASS);
    assert_int_equal(play->answer, PROCEDURE_APPLIED);
    assert_int_equal(play_request(play, request), PROCEDURE_APPLIED);
}

static void a_stage_says_how_many_requests_it_has_seen(void **state)
{
    struct play *const play = *state;

    play->plan->stages[0]->min_samples = 2000;
    at_4(play);
    progress(play, false, PB__VERDICT__PASS);
    assert_string_equal(play->state->waiting_for->sentence,
                        "Stage 1 (5 %) is being watched: 1,312 of 2,000 requests seen, and at "
                        "least until 00:00.");
    assert_string_equal(play->state->waiting_for->unblock,
                        "Reached with every metric inside its limit: stage 2 (100 %) starts.");
}

static void what_a_watch_told_while_it_ran_decides_nothing(void **state)
{
    struct play *const play = *state;
    Pb__CheckSpec *const check = pb_clone(&play->arena, play->plan->stages[0]->checks[1]);

    check->id = "stage.behaviour";
    PB_APPEND(&play->arena, play->plan->stages[0], checks, check);
    at_4(play);
    progress(play, false, PB__VERDICT__PASS);
    play_error(play);
    play_timer(play, "retry");
    play_error(play);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    play_waive(play, "stage.behaviour");
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
}

/* The running task ends without a word on any check, or with a word on all of them that
 * contradicts its outcome. */
static void end(struct play *play, Pb__Outcome outcome, const char *check)
{
    const Pb__TaskState *const task = play_task(play);
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);
    Pb__Finding *const finding = pb_new(&play->arena, &pb__finding__descriptor);

    event->body_case = PB__EVENT__BODY_TASK_FINISHED;
    event->task_finished = pb_new(&play->arena, &pb__task_finished__descriptor);
    event->task_finished->task = task->task;
    event->task_finished->drive = task->drive;
    event->task_finished->coverage_bp = 10000;
    event->task_finished->outcome = outcome;
    finding->check = check;
    finding->required = true;
    finding->verdict = PB__VERDICT__PASS;
    if (check[0] != '\0')
        PB_APPEND(&play->arena, event->task_finished, findings, finding);
    play_event(play, "ends", event);
}

static void what_a_watch_told_decides_nothing_either_when_an_earlier_drive_came_to_its_end(
    void **state)
{
    struct play *const play = *state;
    Pb__CheckSpec *const check = pb_clone(&play->arena, play->plan->stages[0]->checks[1]);

    check->id = "stage.behaviour";
    PB_APPEND(&play->arena, play->plan->stages[0], checks, check);
    at_4(play);
    end(play, PB__OUTCOME__OUTCOME_OK, "");
    play_timer(play, "retry");
    progress(play, false, PB__VERDICT__PASS);
    for (int i = 0; i < 3 && play->state->phase == PB__PHASE__ROLLING_OUT; i++) {
        play_error(play);
        if (play_has_timer(play, "retry"))
            play_timer(play, "retry");
    }
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    play_waive(play, "stage.behaviour");
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
}

static void what_was_told_on_the_way_fills_no_gap_in_the_answer(void **state)
{
    struct play *const play = *state;

    at_4(play);
    progress(play, false, PB__VERDICT__PASS);
    end(play, PB__OUTCOME__OUTCOME_OK, "");
    assert_int_equal(play->state->cursor->stage, 0);
    assert_string_equal(play_task(play)->kind, "watch");
    assert_int_equal(play_task(play)->remeasured, 1);
}

static void a_sign_off_does_not_make_a_failed_finalisation_good(void **state)
{
    struct play *const play = *state;
    Pb__StepPlan *const last = play->plan->steps[6];

    last->n_checks = 1;
    play_until(play, PB__PHASE__FINALISING, 7);
    end(play, PB__OUTCOME__OUTCOME_FAILED, last->checks[0]->id);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    for (size_t i = 0; i < play->plan->n_signoffs; i++)
        play_signoff(play, play->plan->signoffs[i]->step, play->plan->signoffs[i]->role, true);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    play_until(play, PB__PHASE__COMPLETED, 7);
}

static void the_first_complete_sample_makes_monitoring_active(void **state)
{
    struct play *const play = *state;

    at_6(play);
    assert_int_equal(play_signoff(play, 6, "operations-lead", true), PROCEDURE_REFUSED);
    progress(play, true, PB__VERDICT__PASS);
    assert_true(play_said(play, EFFECT_SIGNAL, "monitoring"));
    assert_true(play->state->dates->monitoring_ms > 0);
    progress(play, true, PB__VERDICT__PASS);
    assert_false(play_said(play, EFFECT_SIGNAL, "monitoring"));
    assert_int_equal(play_signoff(play, 6, "operations-lead", true), PROCEDURE_APPLIED);
}

static void a_critical_metric_stops_at_its_first_breach(void **state)
{
    struct play *const play = *state;
    Pb__MetricCriterion *const metric = pb_new(&play->arena, &pb__metric_criterion__descriptor);

    metric->critical = true;
    play->plan->steps[5]->checks[0]->metric = metric;
    at_6(play);
    progress(play, false, PB__VERDICT__FAIL);
    assert_int_equal(play->state->phase, PB__PHASE__STOPPING);
}

static void a_sign_off_is_void_at_a_new_try_of_step_6(void **state)
{
    struct play *const play = *state;

    at_6(play);
    progress(play, true, PB__VERDICT__PASS);
    play_signoff(play, 6, "operations-lead", true);
    play_finish(play, PB__VERDICT__FAIL);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    at_7(play);
    assert_string_equal(play->state->waiting_for->kind, "SIGNOFF");
    assert_int_equal(play->state->waiting_for->n_who, 3);
}

static void an_open_incident_needs_a_reason_to_resume(void **state)
{
    struct play *const play = *state;
    Pb__OperatorRequest *request;

    at_5(play);
    play_incident(play, "alert", PB__SEVERITY__WARNING, true);
    request = play_request_new(play, PB__OPERATOR_REQUEST__BODY_RESUME, "operations-lead");
    request->reason = "";
    assert_int_equal(play_request(play, request), PROCEDURE_REFUSED);
    assert_string_equal(play_code(play), "reason-missing");
}

static const struct allowed_request *allowed(struct play *play,
                                             const char *role,
                                             const char *name)
{
    struct allowed_request *all;
    Pb__Actor *const actor = pb_new(&play->arena, &pb__actor__descriptor);
    size_t count;

    actor->subject = role;
    PB_APPEND(&play->arena, actor, roles, role);
    count = procedure_allowed(&play->arena, play->state, play->plan, actor, &all);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i].request, name) == 0)
            return &all[i];
    }
    fail_msg("no request is called %s", name);
    return NULL;
}

static void what_is_allowed_is_what_the_core_would_apply(void **state)
{
    struct play *const play = *state;

    at_review(play);
    assert_true(allowed(play, "devops-lead", "approve")->allowed);
    assert_false(allowed(play, "operations-lead", "approve")->allowed);
    assert_string_equal(allowed(play, "operations-lead", "approve")->code, "role-missing");
    assert_true(allowed(play, "operations-lead", "abort")->allowed);
    assert_false(allowed(play, "viewer", "abort")->allowed);
    assert_false(allowed(play, "devops-lead", "rollback")->allowed);
    at_4(play);
    assert_true(allowed(play, "release-engineer", "promote")->allowed);
    assert_true(allowed(play, "devops-lead", "signoff")->allowed);
    assert_false(allowed(play, "operations-lead", "signoff")->allowed);
}

static void the_preview_lists_what_taking_back_would_do(void **state)
{
    struct play *const play = *state;
    struct undo_step *steps;
    size_t count;

    play->plan->changes[0]->on_rollback = PB__ON_ROLLBACK__KEEP;
    at_4(play);
    count = procedure_undo_preview(&play->arena, play->state, play->plan, &steps);
    assert_int_equal(count, 6);
    assert_string_equal(steps[0].how, "latch");
    assert_string_equal(steps[1].what, "Cancel the running watch");
    assert_string_equal(steps[2].what, "Revert shop 1.1, batch 2 of 2");
    assert_string_equal(steps[4].how, "keep");
    assert_string_equal(steps[5].how, "verify");
}

static void a_rollback_cannot_be_paused(void **state)
{
    struct play *const play = *state;

    at_undo(play);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_PAUSE);
    assert_string_equal(play_code(play), "cannot-pause-rollback");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(nobody_approves_their_own),
        PLAY(an_approval_is_for_one_plan_only),
        PLAY(a_role_is_held_not_claimed),
        PLAY(one_person_approves_once),
        PLAY(a_point_of_no_return_is_accepted_by_its_number),
        PLAY(a_replan_voids_approvals),
        PLAY(a_request_for_another_version_is_refused),
        PLAY(samples_that_came_in_meanwhile_change_nothing_that_people_decide_on),
        PLAY(a_stage_says_how_many_requests_it_has_seen),
        PLAY(what_a_watch_told_while_it_ran_decides_nothing),
        PLAY(what_a_watch_told_decides_nothing_either_when_an_earlier_drive_came_to_its_end),
        PLAY(what_was_told_on_the_way_fills_no_gap_in_the_answer),
        PLAY(a_sign_off_does_not_make_a_failed_finalisation_good),
        PLAY(the_first_complete_sample_makes_monitoring_active),
        PLAY(a_critical_metric_stops_at_its_first_breach),
        PLAY(a_sign_off_is_void_at_a_new_try_of_step_6),
        PLAY(an_open_incident_needs_a_reason_to_resume),
        PLAY(what_is_allowed_is_what_the_core_would_apply),
        PLAY(the_preview_lists_what_taking_back_would_do),
        PLAY(a_rollback_cannot_be_paused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
