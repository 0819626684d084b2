#include "services/coordinator/core/flow.h"

void review_enter(struct turn *turn)
{
    phase_enter(turn, PB__PHASE__IN_REVIEW, PB__SUB__SUB_RUN, turn->plan->review_deadline_ms);
    (void)entry_add(turn,
                    "ReviewOpened",
                    "inputs are complete; plan %.8s waits for approval",
                    turn->state->plan_hash);
}

/* Approvals of that role that count for the present plan. */
static uint32_t approvals_of(const struct turn *turn, const char *role)
{
    uint32_t count = 0;

    for (size_t i = 0; i < turn->state->n_approvals; i++) {
        const Pb__Approval *const approval = turn->state->approvals[i];

        if (!approval->voided && pb_same(approval->role, role) &&
            pb_same(approval->plan_hash, turn->state->plan_hash))
            count++;
    }
    return count;
}

void intake_again(struct turn *turn)
{
    Pb__StepState *const step = state_step(turn, 0);

    if (turn->state->step != 0)
        step->try_number++;
    turn->state->step = 0;
    step->decision = "";
    step->ended_ms = 0;
}

/* Step 0 is Go: planned, approved, and its turn has come. */
void intake_go(struct turn *turn)
{
    Pb__StepState *const step = state_step(turn, 0);
    uint32_t given = 0;

    for (size_t i = 0; i < turn->plan->n_approvals; i++)
        given += approvals_of(turn, turn->plan->approvals[i]->role);
    step->decision = "GO";
    step->ended_ms = turn->now_ms;
    step->rule = arena_printf(
        turn->arena, "plan %.8s approved by %u, lanes granted", turn->state->plan_hash, given);
    (void)entry_add(turn, "StepGo", "step 0 Go: %s", step->rule);
    step_enter(turn, 1);
}

bool review_quorum(const struct turn *turn)
{
    for (size_t i = 0; i < turn->plan->n_approvals; i++) {
        const Pb__ApprovalSpec *const spec = turn->plan->approvals[i];

        if (approvals_of(turn, spec->role) < spec->needed)
            return false;
    }
    return true;
}
