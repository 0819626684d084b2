#include "services/coordinator/core/flow.h"

#include <stdarg.h>
#include <stdio.h>

void feature_told(struct turn *turn, bool started, const char *exit)
{
    Pb__Event *const event = effect_event(turn, turn->state->feature, "");
    Pb__AttemptMoved *const moved = pb_new(turn->arena, &pb__attempt_moved__descriptor);

    moved->deployment = turn->state->id;
    moved->started = started;
    moved->ended = exit[0] != '\0';
    moved->exit = exit;
    moved->sequence = turn->state->signal_sequence;
    moved->content_hash = turn->state->content_hash;
    event->body_case = PB__EVENT__BODY_ATTEMPT_MOVED;
    event->attempt_moved = moved;
}

void feature_told_withdrawn(struct turn *turn, const char *reason)
{
    Pb__Event *const event = effect_event(turn, turn->state->feature, "");
    Pb__AttemptMoved *const moved = pb_new(turn->arena, &pb__attempt_moved__descriptor);

    moved->deployment = turn->state->id;
    moved->environment = turn->state->environment;
    moved->sequence = turn->state->signal_sequence;
    moved->withdrawn = reason[0] != '\0' ? words_cut(turn, reason, 400) : "latched off";
    event->body_case = PB__EVENT__BODY_ATTEMPT_MOVED;
    event->attempt_moved = moved;
}

/* An earlier attempt's flags were latched off while this one is live. Once its own stages have
 * been granted, they are what people have. */
enum procedure_answer attempt_moved(struct turn *turn, const Pb__AttemptMoved *moved)
{
    if (moved->withdrawn[0] == '\0')
        return turn_stale(turn, "it is told to the feature");
    if (turn->state->flags->ever_on)
        return turn_stale(turn, "its own flags stand for those of %s", moved->deployment);
    turn->immaterial = true;
    if (procedure_is_terminal(turn->state->phase)) {
        Pb__Event *const event = effect_event(turn, turn->state->feature, "");

        event->body_case = PB__EVENT__BODY_ATTEMPT_MOVED;
        event->attempt_moved = pb_clone(turn->arena, moved);
        event->attempt_moved->sequence = turn->state->signal_sequence;
        return PROCEDURE_APPLIED;
    }
    signal_withdrawn_of(turn, moved->deployment, moved->withdrawn);
    return PROCEDURE_APPLIED;
}

/* What the cause was, also where nothing had to be taken back. */
static void remember_cause(struct turn *turn, const char *text)
{
    Pb__StopCause *cause;

    if (turn->state->stop != NULL || turn->state->phase == PB__PHASE__COMPLETED)
        return;
    cause = pb_new(turn->arena, &pb__stop_cause__descriptor);
    cause->kind = PB__CAUSE_KIND__DECISION;
    cause->cause = text;
    cause->by = turn->by;
    cause->at_ms = turn->now_ms;
    cause->step = turn->state->step;
    turn->state->stop = cause;
}

static void drop_work(struct turn *turn)
{
    for (size_t i = turn->state->n_tasks; i-- > 0;) {
        if (!pb_same(turn->state->tasks[i]->kind, "announce"))
            task_drop(turn, turn->state->tasks[i]);
    }
}

static void close_step(struct turn *turn, const char *text)
{
    Pb__StepState *const step = state_step(turn, turn->state->step);

    if (step->decision[0] != '\0')
        return;
    step->decision = "NO_GO";
    step->rule = text;
    step->ended_ms = turn->now_ms;
}

static void tell_people(struct turn *turn, const char *text)
{
    const Pb__DeploymentState *const state = turn->state;

    if (state->phase == PB__PHASE__COMPLETED)
        announce(turn,
                 "completed",
                 "completed: available to %u %%, every sign-off given",
                 state->flags->percent);
    else if (state->phase == PB__PHASE__ABORTED)
        announce(
            turn,
            "aborted",
            "aborted: %s. Write down why as a lesson learned; try again with: slipway retry %s",
            text,
            state->id);
    else
        announce(
            turn,
            "rolled_back",
            "rolled back, versions and flags read back: %s. Investigate, fix, then: slipway "
            "retry %s",
            text,
            state->id);
}

void deployment_exit(struct turn *turn, Pb__Phase phase, const char *format, ...)
{
    Pb__DeploymentState *const state = turn->state;
    char text[600];
    const char *why;
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    why = words_cut(turn, arena_text(turn->arena, text), 400);
    drop_work(turn);
    lanes_leave(turn);
    if (phase != PB__PHASE__COMPLETED)
        close_step(turn, why);
    phase_enter(turn, phase, PB__SUB__SUB_UNSPECIFIED, 0);
    remember_cause(turn, why);
    state->n_holds = 0;
    state->superseded_by = "";
    state->resting_why = "";
    state->resting_remedy = "";
    state->dates->completion_ms = turn->now_ms;
    state->exit_announced = true;
    (void)entry_add(turn, "Exit", "%s: %s", pb_phase_name(phase), why);
    if (phase == PB__PHASE__ROLLED_BACK)
        signal_rolled_back(turn);
    signal_finished(turn, pb_phase_name(phase));
    feature_told(turn, false, pb_phase_name(phase));
    tell_people(turn, why);
    effect_archive(turn);
}
