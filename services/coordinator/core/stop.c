#include "services/coordinator/core/flow.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000, LANES_DEFAULT_MS = 30 * MINUTE_MS, UNDO_DRIVES_DEFAULT = 3 };

/* Written once, never cleared. For a rollback of a completed deployment the flags are still
 * that one's, so its name is latched as well. */
static void latch(struct turn *turn, const char *deployment)
{
    Pb__Control *const control =
        effect_control(turn, arena_printf(turn->arena, "kill/%s", deployment));
    Pb__Kill *const kill = pb_new(turn->arena, &pb__kill__descriptor);

    kill->deployment = deployment;
    kill->environment = turn->state->environment;
    kill->reason = turn->state->stop->cause;
    kill->actor = pb_new(turn->arena, &pb__actor__descriptor);
    kill->actor->subject = turn->state->stop->by;
    kill->actor->via = "coordinator";
    kill->at_ms = turn->now_ms;
    for (size_t i = 0; turn->plan != NULL && i < turn->plan->n_flags; i++)
        PB_APPEND(turn->arena, kill, flags, turn->plan->flags[i]->key);
    control->body_case = PB__CONTROL__BODY_KILL;
    control->kill = kill;
}

static void latch_flags(struct turn *turn)
{
    Pb__FlagsState *const flags = turn->state->flags;

    if (turn->state->undo_of[0] != '\0')
        latch(turn, turn->state->undo_of);
    latch(turn, turn->state->id);
    flags->killed = true;
    flags->killed_ms = turn->now_ms;
    flags->disabled = false;
    flags->percent = 0;
    flags->audience = "";
    (void)entry_add(turn, "Kill", "latch written: its flags are off for good");
}

/* The latch is what counts; this makes other providers follow at once. Nothing waits for it. */
void stop_assert_off(struct turn *turn)
{
    if (turn->plan != NULL && turn->plan->n_flags > 0 && turn->state->flags->ever_on)
        (void)task_start(turn, "kill");
}

static void cancel_work(struct turn *turn)
{
    for (size_t i = turn->state->n_tasks; i-- > 0;) {
        Pb__TaskState *const task = turn->state->tasks[i];

        if (!task_is(task, TASK_BESIDE) && !task->cancelling)
            task_cancel(turn, task);
    }
}

void stop(struct turn *turn, Pb__CauseKind kind, const char *format, ...)
{
    Pb__DeploymentState *const state = turn->state;
    Pb__StepState *const step = state_step(turn, state->step);
    Pb__StopCause *const cause = pb_new(turn->arena, &pb__stop_cause__descriptor);
    char text[600];
    va_list arguments;

    if (state->stop != NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cause->kind = kind;
    cause->cause = words_cut(turn, arena_text(turn->arena, text), 400);
    cause->by = turn->by;
    cause->at_ms = turn->now_ms;
    cause->step = state->step;
    state->stop = cause;
    (void)entry_add(turn, "Stop", "%s", cause->cause);
    latch_flags(turn);
    cancel_work(turn);
    if (state->available_percent > 0)
        signal_withdrawn(turn, cause->cause);
    if (step->decision[0] == '\0') {
        step->decision = "NO_GO";
        step->rule = cause->cause;
        step->ended_ms = turn->now_ms;
    }
    state->n_holds = 0;
    state->remeasure = false;
    state->resting_why = "";
    state->resting_remedy = "";
    phase_enter(turn, PB__PHASE__STOPPING, PB__SUB__SUB_CANCEL, 0);
    stop_assert_off(turn);
    announce(turn, "stopped", "flags are off and it is being taken back: %s", cause->cause);
}

static Pb__OnRollback undo_rule(const struct turn *turn, const Pb__Applied *applied)
{
    const Pb__Change *const change = plan_change(turn, applied->change);

    return change != NULL ? change->on_rollback : PB__ON_ROLLBACK__MANUAL;
}

bool undo_wanted(const struct turn *turn)
{
    for (size_t i = 0; i < turn->state->n_applied; i++) {
        if (undo_rule(turn, turn->state->applied[i]) != PB__ON_ROLLBACK__KEEP)
            return true;
    }
    return false;
}

/* Nothing runs any more. To undo, hold the lanes: ask again for those released, and for one
 * that a newer deployment had changed: the answer to the request before was that it cannot be.
 */
void undo_begin(struct turn *turn)
{
    Pb__DeploymentState *const state = turn->state;

    if (state->superseded_by[0] != '\0') {
        lanes_withdraw(turn);
        state->superseded_by = "";
    }
    if (state->cursor->sub == PB__SUB__SUB_CANCEL)
        (void)entry_add(turn,
                        "StopQuiet",
                        undo_wanted(turn)
                            ? "nothing runs any more: undo begins at the change "
                              "applied last"
                            : "nothing runs any more, and nothing has to be undone");
    if (undo_wanted(turn) && !lanes_ask(turn, true)) {
        if (state->superseded_by[0] != '\0')
            undo_block_superseded(turn); /* The lane has said so, and says it once. */
        else if (state->cursor->sub != PB__SUB__SUB_LANES)
            phase_enter(turn,
                        PB__PHASE__STOPPING,
                        PB__SUB__SUB_LANES,
                        or_default(plan_step(turn, 2)->deadline_ms, LANES_DEFAULT_MS));
        return;
    }
    state->cursor->batch = 0;
    phase_enter(turn, PB__PHASE__ROLLING_BACK, PB__SUB__SUB_UNDO, 0);
}

static void applied_pop(struct turn *turn)
{
    turn->state->n_applied--;
}

/* Also with nothing applied: versions as in the baseline, then flags read as off. */
static void verify_next(struct turn *turn)
{
    Pb__DeploymentState *const state = turn->state;
    const bool executed = state_step(turn, 2)->began_ms != 0;

    if (state->cursor->sub != PB__SUB__SUB_VERIFY) {
        state->cursor->batch = executed || turn->plan->n_flags == 0 ? 0 : 1;
        cursor_move(turn, PB__SUB__SUB_VERIFY);
    }
    if (state->cursor->batch == 0)
        (void)task_start(turn, "read-back");
    else if (state->cursor->batch == 1 && turn->plan->n_flags > 0)
        (void)task_start(turn, "flags-off");
    else
        deployment_exit(turn,
                        state->stop->kind == PB__CAUSE_KIND__DECISION ? PB__PHASE__ABORTED
                                                                      : PB__PHASE__ROLLED_BACK,
                        "%s",
                        state->stop->cause);
}

void undo_next(struct turn *turn)
{
    Pb__DeploymentState *const state = turn->state;
    const Pb__Applied *top;
    const Pb__Change *change;

    while (state->n_applied > 0 &&
           undo_rule(turn, state->applied[state->n_applied - 1]) == PB__ON_ROLLBACK__KEEP) {
        top = state->applied[state->n_applied - 1];
        (void)entry_add(turn,
                        "Kept",
                        "change %u, batch %u stays, as planned",
                        top->change + 1,
                        top->batch + 1);
        applied_pop(turn);
    }
    if (state->n_applied == 0) {
        verify_next(turn);
        return;
    }
    top = state->applied[state->n_applied - 1];
    change = plan_change(turn, top->change);
    if (undo_rule(turn, top) == PB__ON_ROLLBACK__MANUAL) {
        undo_block(turn,
                   arena_printf(turn->arena,
                                "change %u, %s, can only be taken back by hand",
                                top->change + 1,
                                change != NULL ? change->artifact : "?"),
                   change != NULL && change->way_back[0] != '\0'
                       ? change->way_back
                       : "restore it by hand, then mark-restored; or skip-change");
        return;
    }
    state->cursor->change = top->change;
    state->cursor->batch = top->batch;
    cursor_move(turn, PB__SUB__SUB_UNDO);
    (void)task_start(turn, "revert");
}

static void undo_done(struct turn *turn, Pb__TaskState *task)
{
    Pb__DeploymentState *const state = turn->state;
    const Pb__Change *const change = plan_change(turn, state->cursor->change);

    task_drop(turn, task);
    if (strcmp(task->kind, "revert") == 0) {
        (void)entry_add(turn,
                        "Reverted",
                        "%s, batch %u is back as it was",
                        change->artifact,
                        state->cursor->batch + 1);
        applied_pop(turn);
        return;
    }
    (void)entry_add(turn,
                    "Verified",
                    state->cursor->batch == 0 ? "versions read back as before"
                                              : "flags read back as off");
    state->cursor->batch++;
}

void undo_judged(struct turn *turn, Pb__TaskState *task, const struct judgement *judgement)
{
    const Pb__Retry *const retry = plan_step(turn, 2)->retry;
    const uint32_t drives =
        retry != NULL && retry->drives > 0 ? retry->drives : UNDO_DRIVES_DEFAULT;
    const bool bad = judgement->found == FOUND_FAIL || judgement->found == FOUND_ERROR;

    if (judgement->found == FOUND_GO) {
        undo_done(turn, task);
    } else if (bad && ++task->errors < drives) {
        task_again(turn, task, task_backoff_ms(turn, task));
    } else {
        task_drop(turn, task);
        undo_block(turn, judgement->rule, judgement->remedy);
    }
}

void undo_block(struct turn *turn, const char *why, const char *remedy)
{
    Pb__DeploymentState *const state = turn->state;

    state->resting_why = words_cut(turn, why, 300);
    state->resting_remedy =
        words_cut(turn,
                  remedy[0] != '\0' ? remedy
                                    : "put right what failed and retry; or restore by hand and "
                                      "mark-restored; or skip-change",
                  300);
    phase_enter(turn, PB__PHASE__BLOCKED_ROLLBACK, state->cursor->sub, 0);
    (void)entry_add(turn, "UndoBlocked", "%s", state->resting_why);
    signal_blocked(turn, state->resting_why, state->resting_remedy);
    announce(turn,
             "page",
             "the rollback is blocked: %s. %s",
             state->resting_why,
             state->resting_remedy);
}
