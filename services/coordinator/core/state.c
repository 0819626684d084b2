#include "services/coordinator/core/turn.h"

Pb__StepState *state_step(const struct turn *turn, uint32_t step)
{
    return step < turn->state->n_steps ? turn->state->steps[step] : NULL;
}

const Pb__StepPlan *plan_step(const struct turn *turn, uint32_t step)
{
    static const Pb__StepPlan none = PB__STEP_PLAN__INIT;

    for (size_t i = 0; turn->plan != NULL && i < turn->plan->n_steps; i++) {
        if (turn->plan->steps[i]->step == step)
            return turn->plan->steps[i];
    }
    return &none;
}

const Pb__Change *plan_change(const struct turn *turn, uint32_t change)
{
    return turn->plan != NULL && change < turn->plan->n_changes ? turn->plan->changes[change]
                                                                : NULL;
}

const Pb__Stage *plan_stage(const struct turn *turn, uint32_t stage)
{
    return turn->plan != NULL && stage < turn->plan->n_stages ? turn->plan->stages[stage]
                                                              : NULL;
}

uint32_t plan_batches(const struct turn *turn)
{
    uint32_t batches = 0;

    for (size_t i = 0; turn->plan != NULL && i < turn->plan->n_changes; i++)
        batches += (uint32_t)turn->plan->changes[i]->n_batches;
    return batches;
}

static void add_role(const struct turn *turn,
                     const char ***roles,
                     size_t *count,
                     const char *role)
{
    for (size_t i = 0; i < *count; i++) {
        if (pb_same((*roles)[i], role))
            return;
    }
    *roles = pb_grow(turn->arena, *roles, *count, sizeof **roles);
    (*roles)[(*count)++] = role;
}

const char **plan_leads(const struct turn *turn, size_t *ret_count)
{
    const char **roles = NULL;

    *ret_count = 0;
    if (turn->plan == NULL)
        return NULL;
    for (size_t i = 0; i < turn->plan->n_signoffs; i++)
        add_role(turn, &roles, ret_count, turn->plan->signoffs[i]->role);
    for (size_t i = 0; i < turn->plan->n_approvals; i++)
        add_role(turn, &roles, ret_count, turn->plan->approvals[i]->role);
    return roles;
}

const char *plan_lead_of(const struct turn *turn, uint32_t step)
{
    size_t count;
    const char **const roles = plan_leads(turn, &count);

    for (size_t i = 0; turn->plan != NULL && i < turn->plan->n_signoffs; i++) {
        if (turn->plan->signoffs[i]->step == step)
            return turn->plan->signoffs[i]->role;
    }
    return count > 0 ? roles[0] : "";
}

bool phase_runs(Pb__Phase phase)
{
    return phase >= PB__PHASE__CHECKING && phase <= PB__PHASE__FINALISING;
}

bool phase_intakes(Pb__Phase phase)
{
    return phase >= PB__PHASE__AWAITING_INPUTS && phase <= PB__PHASE__QUEUED;
}

bool phase_stops(Pb__Phase phase)
{
    return phase == PB__PHASE__STOPPING || phase == PB__PHASE__ROLLING_BACK ||
           phase == PB__PHASE__BLOCKED_ROLLBACK;
}

bool procedure_is_terminal(Pb__Phase phase)
{
    return phase >= PB__PHASE__COMPLETED;
}

Pb__Phase phase_of_step(uint32_t step)
{
    return (Pb__Phase)(PB__PHASE__CHECKING + step - 1);
}

bool state_held_by(const Pb__DeploymentState *state, Pb__HoldKind kind)
{
    for (size_t i = 0; i < state->n_holds; i++) {
        if (state->holds[i]->kind == kind)
            return true;
    }
    return false;
}

const Pb__Incident *state_incident(const Pb__DeploymentState *state, Pb__Severity least)
{
    const Pb__Incident *found = NULL;

    for (size_t i = 0; i < state->n_incidents; i++) {
        const Pb__Incident *const incident = state->incidents[i];

        if (incident->open && incident->severity >= least &&
            (found == NULL || incident->severity > found->severity))
            found = incident;
    }
    return found;
}

void phase_enter(struct turn *turn, Pb__Phase phase, Pb__Sub sub, int64_t limit_ms)
{
    Pb__DeploymentState *const state = turn->state;

    state->phase = phase;
    state->phase_ms = turn->now_ms;
    state->phase_due_ms = limit_ms > 0 ? turn->now_ms + limit_ms : 0;
    state->still_ms = 0;
    cursor_move(turn, sub);
}

void cursor_move(struct turn *turn, Pb__Sub sub)
{
    turn->state->cursor->sub = sub;
    turn->state->sub_ms = turn->now_ms;
}

int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}
