#include "services/coordinator/core/requests.h"

enum { SUPPLIED_MAX = 16 };

enum procedure_answer request_pause(struct turn *turn, const Pb__OperatorRequest *request)
{
    if (state_held_by(turn->state, PB__HOLD_KIND__HOLD_OPERATOR))
        return turn_refuse(turn, "not-now", "it is paused already", "resume it");
    hold_add(turn, PB__HOLD_KIND__HOLD_OPERATOR, "operator", request->reason, 0);
    return request_applied(
        turn, "paused; what runs is watched on, and a critical alert still rolls back");
}

enum procedure_answer request_resume(struct turn *turn, const Pb__OperatorRequest *request)
{
    const Pb__Incident *const incident = state_incident(turn->state, PB__SEVERITY__WARNING);
    const bool warned = state_held_by(turn->state, PB__HOLD_KIND__HOLD_WARNING);

    if (!warned && !state_held_by(turn->state, PB__HOLD_KIND__HOLD_OPERATOR))
        return turn_refuse(turn,
                           "not-now",
                           turn->state->n_holds > 0
                               ? "a freeze or a closed window ends by itself, not by resume"
                               : "nothing holds it",
                           turn->state->waiting_for->unblock);
    if (warned && incident != NULL && request->reason[0] == '\0')
        return turn_refuse(
            turn,
            "reason-missing",
            arena_printf(turn->arena, "incident %s is still open", incident->cause),
            "say why it is right to go on");
    (void)entry_add(turn,
                    "Resumed",
                    "%s%s%s%s",
                    incident != NULL ? "with an open incident: " : "",
                    incident != NULL ? incident->cause : "",
                    request->reason[0] != '\0' ? ": " : "",
                    request->reason);
    (void)hold_drop(turn, PB__HOLD_KIND__HOLD_OPERATOR, NULL);
    (void)hold_drop(turn, PB__HOLD_KIND__HOLD_WARNING, NULL);
    return request_applied(turn, "resumed");
}

void retry_step(struct turn *turn)
{
    const uint32_t step = turn->state->step;

    turn->state->resting_why = "";
    turn->state->resting_remedy = "";
    if (step == 1)
        queue_enter(turn);
    else
        step_enter(turn, step == 5 && turn->state->flags->disabled ? 4 : step);
}

/* The feature makes the attempt, for it alone counts them; and it answers, for it alone knows
 * whether another is live. */
static enum procedure_answer wish_attempt(struct turn *turn,
                                          const Pb__OperatorRequest *request,
                                          bool rollback)
{
    Pb__Event *const event = effect_event(turn, turn->state->feature, "");
    Pb__AttemptCreated *const wish = pb_new(turn->arena, &pb__attempt_created__descriptor);
    struct pb_bytes packed;

    wish->attempt_of = turn->state->id;
    wish->rollback = rollback;
    wish->actor = request->actor;
    wish->reason = request->reason;
    wish->request = request->request;
    wish->version = turn->state->version;
    if (rollback) {
        packed = pb_pack(turn->arena, turn->state);
        wish->rollback_of.data = arena_alloc(turn->arena, packed.length);
        wish->rollback_of.len = packed.length;
        for (size_t i = 0; i < packed.length; i++)
            wish->rollback_of.data[i] = packed.bytes[i];
    }
    event->body_case = PB__EVENT__BODY_ATTEMPT_CREATED;
    event->attempt_created = wish;
    return PROCEDURE_APPLIED;
}

enum procedure_answer request_retry(struct turn *turn, const Pb__OperatorRequest *request)
{
    Pb__DeploymentState *const state = turn->state;

    if (state->phase == PB__PHASE__COMPLETED)
        return turn_refuse(turn, "not-now", "it was completed", "submit the next change");
    (void)entry_add(
        turn, "Retry", "%s%s", request->reason[0] != '\0' ? request->reason : "try again", "");
    if (procedure_is_terminal(state->phase))
        return wish_attempt(turn, request, false);
    if (state->phase == PB__PHASE__BLOCKED_ROLLBACK)
        phase_enter(turn, PB__PHASE__STOPPING, PB__SUB__SUB_CANCEL, 0);
    else if (state->phase == PB__PHASE__BLOCKED)
        retry_step(turn);
    else
        intake_begin(turn, "");
    return request_applied(turn, "trying again");
}

enum procedure_answer request_replan(struct turn *turn, const Pb__OperatorRequest *request)
{
    for (size_t i = 0; i < turn->state->n_approvals; i++)
        turn->state->approvals[i]->voided = true;
    (void)entry_add(turn, "Replanned", "planned again; approvals are void");
    intake_begin(turn, request->replan->approach);
    return request_applied(turn, "planned again; approvals are void");
}

enum procedure_answer request_supply(struct turn *turn, const Pb__OperatorRequest *request)
{
    Pb__DeploymentState *const state = turn->state;
    Pb__SupplyInput *kept;

    if (request->supply->input[0] == '\0')
        return turn_refuse(turn, "malformed", "which input is supplied is not said", "");
    for (size_t i = state->n_supplied; i-- > 0;) {
        if (pb_same(state->supplied[i]->input, request->supply->input))
            PB_REMOVE(state, supplied, i);
    }
    if (state->n_supplied == SUPPLIED_MAX)
        return turn_refuse(turn,
                           "too-large",
                           "more inputs were supplied one by one than a record holds",
                           "send the acceptance again, complete");
    kept = pb_clone(turn->arena, request->supply);
    kept->input = words_cut(turn, kept->input, 100);
    kept->link = words_cut(turn, kept->link, 400);
    PB_APPEND(turn->arena, state, supplied, kept);
    (void)entry_add(turn, "InputSupplied", "%s", kept->input);
    intake_begin(turn, "");
    return request_applied(turn, "supplied; the inputs are checked again");
}

/* Being taken back already: the first cause stays. */
static enum procedure_answer noted(struct turn *turn, const char *what, const char *reason)
{
    turn->immaterial = true;
    (void)entry_add(turn, "Noted", "%s: %s", what, reason);
    return request_applied(turn, "noted: it is being taken back already");
}

enum procedure_answer request_abort(struct turn *turn, const Pb__OperatorRequest *request)
{
    if (phase_stops(turn->state->phase))
        return noted(turn, "abort", request->reason);
    if (turn->state->step <= 1)
        deployment_exit(
            turn, PB__PHASE__ABORTED, "aborted by %s: %s", turn->by, request->reason);
    else
        stop(turn, PB__CAUSE_KIND__DECISION, "aborted by %s: %s", turn->by, request->reason);
    return request_applied(turn, "aborted");
}

enum procedure_answer request_rollback(struct turn *turn, const Pb__OperatorRequest *request)
{
    if (phase_stops(turn->state->phase))
        return noted(turn, "rollback", request->reason);
    if (procedure_is_terminal(turn->state->phase)) {
        if (turn->state->phase != PB__PHASE__COMPLETED ||
            turn->state->kind != PB__DEPLOYMENT_KIND__FORWARD)
            return turn_refuse(turn, "not-now", "nothing of it is in production", "");
        (void)entry_add(turn, "RollbackRequested", "%s", request->reason);
        return wish_attempt(turn, request, true);
    }
    stop(turn, PB__CAUSE_KIND__FAILURE, "rolled back by %s: %s", turn->by, request->reason);
    return request_applied(turn, "rolling back");
}

/* The batch on top; of a change that only a person restores, all of it. */
static void leave_top(struct turn *turn)
{
    Pb__DeploymentState *const state = turn->state;
    const uint32_t change = state->applied[state->n_applied - 1]->change;
    const Pb__Change *const of = plan_change(turn, change);
    const bool whole = of == NULL || of->on_rollback == PB__ON_ROLLBACK__MANUAL;

    do
        state->n_applied--;
    while (whole && state->n_applied > 0 &&
           state->applied[state->n_applied - 1]->change == change);
}

static void go_on_undoing(struct turn *turn)
{
    turn->state->resting_why = "";
    turn->state->resting_remedy = "";
    phase_enter(turn, PB__PHASE__STOPPING, PB__SUB__SUB_CANCEL, 0);
}

enum procedure_answer request_mark_restored(struct turn *turn,
                                            const Pb__OperatorRequest *request)
{
    Pb__DeploymentState *const state = turn->state;

    if (state->n_applied == 0)
        return turn_refuse(turn,
                           "not-now",
                           "nothing is left to restore: the final read-back failed",
                           "retry, or skip-change for what cannot be read");
    (void)entry_add(turn,
                    "MarkedRestored",
                    "change %u was restored by hand: %s",
                    state->applied[state->n_applied - 1]->change + 1,
                    request->reason);
    leave_top(turn);
    go_on_undoing(turn);
    return request_applied(turn, "the final read-back still decides");
}

static void skip(struct turn *turn, uint32_t change)
{
    for (size_t i = 0; i < turn->state->n_skipped; i++) {
        if (turn->state->skipped[i] == change)
            return;
    }
    PB_APPEND(turn->arena, turn->state, skipped, change);
}

/* The top of what is to undo. When all is undone and only the read-back fails, a change that
 * is named. */
enum procedure_answer request_skip_change(struct turn *turn, const Pb__OperatorRequest *request)
{
    Pb__DeploymentState *const state = turn->state;
    const uint32_t named = request->skip_change->change;
    const uint32_t top =
        state->n_applied > 0 ? state->applied[state->n_applied - 1]->change + 1 : named;

    if (top == 0 || (turn->plan != NULL && top > turn->plan->n_changes) ||
        (named != 0 && named != top))
        return turn_refuse(turn,
                           "confirmation-needed",
                           state->n_applied > 0
                               ? arena_printf(turn->arena, "change %u is next to undo", top)
                               : "all is undone; name the change whose read-back is given up",
                           "name it by its number");
    (void)entry_add(turn, "Skipped", "change %u is left as it is: %s", top, request->reason);
    skip(turn, top - 1);
    if (state->n_applied > 0)
        leave_top(turn);
    go_on_undoing(turn);
    return request_applied(turn, "left as it is, and listed");
}

/* A required check that is bad now cannot be promoted away. */
static bool looks_bad(struct turn *turn)
{
    const struct expectation all = expect_here(turn);
    const Pb__StepState *const step = state_step(turn, turn->state->step);

    for (size_t i = 0; i < all.count; i++) {
        const Pb__CheckResult *const result = result_find(step, all.item[i]->id);

        if (all.item[i]->required && result != NULL && !result_waived(turn, result) &&
            result->verdict == PB__VERDICT__FAIL)
            return true;
    }
    return false;
}

/* Ends a clock, never a check: Go is computed as at the clock's end. */
enum procedure_answer request_promote(struct turn *turn, const Pb__OperatorRequest *request)
{
    Pb__TaskState *const task = task_main(turn);

    if (task == NULL || !task_is(task, TASK_WATCH) || task->retry_at_ms != 0 ||
        task->remeasured > 0 || turn->state->clock_ended)
        return turn_refuse(turn, "not-now", "no clock is running", "");
    if (state_incident(turn->state, PB__SEVERITY__WARNING) != NULL ||
        state_held_by(turn->state, PB__HOLD_KIND__HOLD_WARNING) || looks_bad(turn))
        return turn_refuse(turn,
                           "not-now",
                           "an incident is open, or a metric is outside its limit",
                           "wait until it is well");
    turn->state->clock_ended = true;
    task_again(turn, task, 0);
    (void)entry_add(turn,
                    "Promoted",
                    "the clock of %s ends now; its checks still decide%s%s",
                    task->kind,
                    request->reason[0] != '\0' ? ": " : "",
                    request->reason);
    return request_applied(turn, "the clock ends now; the checks still decide");
}
