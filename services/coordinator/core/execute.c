#include "services/coordinator/core/flow.h"

enum { RESULTS_OF_BATCHES_MAX = 32 };

void batch_first(struct turn *turn)
{
    Pb__Cursor *const cursor = turn->state->cursor;

    /* A retry goes on at the batch that stopped. */
    if (state_step(turn, 2)->try_number > 1)
        return;
    cursor->change = 0;
    cursor->batch = 0;
    while (cursor->change + 1 < turn->plan->n_changes &&
           turn->plan->changes[cursor->change]->n_batches == 0)
        cursor->change++;
}

/* What was seen of the earliest batches is in the timeline; the state is bounded. */
static void forget_earlier_batches(struct turn *turn)
{
    Pb__StepState *const step = state_step(turn, 2);

    for (size_t i = 0; step->n_results > RESULTS_OF_BATCHES_MAX && i < step->n_results;) {
        if (result_waived(turn, step->results[i]))
            i++;
        else
            PB_REMOVE(step, results, i);
    }
}

/* Undo needs to know of every batch that may have begun, so it is noted when its apply is
 * commanded. A second try does not note it twice. */
void batch_command(struct turn *turn)
{
    Pb__DeploymentState *const state = turn->state;
    const Pb__Cursor *const cursor = state->cursor;
    Pb__Applied *applied;

    forget_earlier_batches(turn);
    for (size_t i = 0; i < state->n_applied; i++) {
        if (state->applied[i]->change == cursor->change &&
            state->applied[i]->batch == cursor->batch)
            return;
    }
    applied = pb_new(turn->arena, &pb__applied__descriptor);
    applied->change = cursor->change;
    applied->batch = cursor->batch;
    PB_APPEND(turn->arena, state, applied, applied);
}

static bool cursor_to_next_batch(struct turn *turn)
{
    Pb__Cursor *const cursor = turn->state->cursor;
    const Pb__Plan *const plan = turn->plan;

    if (cursor->batch + 1 < plan->changes[cursor->change]->n_batches) {
        cursor->batch++;
        return true;
    }
    for (uint32_t change = cursor->change + 1; change < plan->n_changes; change++) {
        if (plan->changes[change]->n_batches == 0)
            continue;
        cursor->change = change;
        cursor->batch = 0;
        return true;
    }
    return false;
}

void batch_next(struct turn *turn)
{
    const Pb__Cursor was = *turn->state->cursor;
    const Pb__Change *const change = plan_change(turn, was.change);

    if (!turn->state->remeasure)
        (void)entry_add(turn,
                        "BatchGo",
                        "%s %s, batch %u of %zu is in and healthy",
                        change->artifact,
                        change->version,
                        was.batch + 1,
                        change->n_batches);
    if (cursor_to_next_batch(turn))
        cursor_move(turn, PB__SUB__SUB_APPLY);
    else
        step_go(turn,
                arena_printf(turn->arena,
                             "%zu changes in %u batches applied, observed and healthy",
                             turn->plan->n_changes,
                             plan_batches(turn)));
}
