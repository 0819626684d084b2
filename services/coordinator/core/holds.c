#include "services/coordinator/core/flow.h"

const char *hold_name(Pb__HoldKind kind)
{
    switch (kind) {
    case PB__HOLD_KIND__HOLD_OPERATOR: return "OPERATOR";
    case PB__HOLD_KIND__HOLD_FREEZE: return "FREEZE";
    case PB__HOLD_KIND__HOLD_WINDOW: return "WINDOW";
    case PB__HOLD_KIND__HOLD_WARNING: return "WARNING";
    default: return "?";
    }
}

static Pb__Hold *hold_find(const struct turn *turn, Pb__HoldKind kind, const char *id)
{
    for (size_t i = 0; i < turn->state->n_holds; i++) {
        Pb__Hold *const hold = turn->state->holds[i];

        if (hold->kind == kind && pb_same(hold->id, id))
            return hold;
    }
    return NULL;
}

/* Beyond HOLDS_MAX the newest of the kind also stands for the others: it is cleared with the
 * last of them only by name, so it holds longer rather than shorter. */
void hold_add(
    struct turn *turn, Pb__HoldKind kind, const char *id, const char *reason, int64_t until_ms)
{
    Pb__DeploymentState *const state = turn->state;
    Pb__Hold *hold = hold_find(turn, kind, id);

    if (hold == NULL) {
        hold = pb_new(turn->arena, &pb__hold__descriptor);
        if (state->n_holds < HOLDS_MAX)
            PB_APPEND(turn->arena, state, holds, hold);
        else
            state->holds[HOLDS_MAX - 1] = hold;
        hold->kind = kind;
        hold->id = id;
        hold->since_ms = turn->now_ms;
        (void)entry_add(turn, "Held", "%s %s: %s", hold_name(kind), id, reason);
    }
    hold->reason = words_cut(turn, reason, 200);
    hold->until_ms = until_ms;
}

bool hold_drop(struct turn *turn, Pb__HoldKind kind, const char *id)
{
    bool found = false;

    for (size_t i = turn->state->n_holds; i-- > 0;) {
        const Pb__Hold *const hold = turn->state->holds[i];

        if (hold->kind != kind || (id != NULL && !pb_same(hold->id, id)))
            continue;
        (void)entry_add(turn, "HoldCleared", "%s %s", hold_name(kind), hold->id);
        PB_REMOVE(turn->state, holds, i);
        found = true;
    }
    return found;
}

/* What the plan says when the window closes or a freeze begins in step 2. */
static bool stops_execution(const struct turn *turn, Pb__HoldKind kind)
{
    if (turn->state->phase != PB__PHASE__EXECUTING)
        return false;
    if (kind == PB__HOLD_KIND__HOLD_FREEZE)
        return turn->plan->on_freeze == PB__ON_CLOSED_WINDOW__ROLLBACK;
    return kind == PB__HOLD_KIND__HOLD_WINDOW &&
           turn->plan->on_closed_window == PB__ON_CLOSED_WINDOW__ROLLBACK;
}

enum procedure_answer hold_set(struct turn *turn, const Pb__HoldSet *set)
{
    const Pb__DeploymentState *const state = turn->state;
    const Pb__Hold *const known = hold_find(turn, set->kind, set->id);

    if (set->kind == PB__HOLD_KIND__HOLD_KIND_UNSPECIFIED)
        return turn_stale(turn, "a hold of no kind");
    if (phase_stops(state->phase) || procedure_is_terminal(state->phase))
        return turn_stale(turn, "nothing holds a rollback or what has ended");
    if (known != NULL && known->until_ms == set->until_ms)
        return turn_stale(turn, "%s %s holds already", hold_name(set->kind), set->id);
    if (stops_execution(turn, set->kind))
        stop(turn,
             PB__CAUSE_KIND__DECISION,
             "%s during execution: %s",
             hold_name(set->kind),
             set->reason);
    else
        hold_add(turn, set->kind, set->id, set->reason, set->until_ms);
    return PROCEDURE_APPLIED;
}

enum procedure_answer hold_cleared(struct turn *turn, const Pb__HoldCleared *cleared)
{
    if (!hold_drop(turn, cleared->kind, cleared->id))
        return turn_stale(
            turn, "%s %s does not hold it", hold_name(cleared->kind), cleared->id);
    return PROCEDURE_APPLIED;
}

/* A latch that others wrote: the monitor by a direct rule, a person at the gateway. */
enum procedure_answer kill_seen(struct turn *turn, const Pb__KillSeen *seen)
{
    Pb__DeploymentState *const state = turn->state;
    const Pb__Kill *const kill = seen->kill;
    const char *const reason = kill != NULL ? kill->reason : "";

    if (kill != NULL && kill->actor != NULL && kill->actor->subject[0] != '\0')
        turn->by = kill->actor->subject;
    if (state->flags->killed || state->phase == PB__PHASE__ABORTED ||
        state->phase == PB__PHASE__ROLLED_BACK ||
        (kill != NULL && kill->actor != NULL && pb_same(kill->actor->via, "coordinator")))
        return turn_stale(turn, "its latch is known");
    (void)entry_add(turn, "KillSeen", "the flags were latched off: %s", reason);
    if (state->phase == PB__PHASE__COMPLETED) {
        state->flags->killed = true;
        state->flags->killed_ms = turn->now_ms;
        state->flags->percent = 0;
        state->available_percent = 0;
        feature_told_withdrawn(turn, reason);
        announce(turn,
                 "incident",
                 "its flags were latched off after it was completed: %s. To take the change "
                 "back: slipway rollback %s",
                 reason,
                 state->id);
    } else if (state->step <= 1) {
        state->flags->killed = true;
        state->flags->killed_ms = turn->now_ms;
        deployment_exit(turn, PB__PHASE__ABORTED, "its flags were latched off: %s", reason);
    } else {
        stop(turn, PB__CAUSE_KIND__FAILURE, "its flags were latched off: %s", reason);
    }
    return PROCEDURE_APPLIED;
}
