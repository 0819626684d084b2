#include "tests/unit/coordinator_core/explore/explore.h"

static int64_t soon_ms(const Pb__DeploymentState *state)
{
    return state->now_ms + 1;
}

static void set_due(Pb__TaskState *task, int64_t due_ms)
{
    if (task->retry_at_ms != 0)
        task->retry_at_ms = due_ms;
    else
        task->deadline_ms = due_ms;
}

void clocks_open(Pb__DeploymentState *state)
{
    for (size_t i = 0; i < state->n_tasks; i++)
        set_due(state->tasks[i], soon_ms(state));
    for (size_t i = 0; i < state->n_timers; i++)
        state->timers[i]->due_ms = soon_ms(state);
    if (state->phase_due_ms != 0)
        state->phase_due_ms = soon_ms(state);
    if (state->reminder_due_ms != 0)
        state->reminder_due_ms = soon_ms(state);
}

bool clocks_shared(const Pb__DeploymentState *state, bool retry)
{
    size_t count = 0;

    for (size_t i = 0; i < state->n_tasks; i++)
        count += (state->tasks[i]->retry_at_ms != 0) == retry;
    return count > 1;
}

Pb__DeploymentState *clocks_first(struct arena *arena,
                                  const Pb__DeploymentState *state,
                                  size_t index)
{
    Pb__DeploymentState *const other = pb_clone(arena, state);

    for (size_t i = 0; i < other->n_tasks; i++) {
        if (i != index)
            set_due(other->tasks[i], soon_ms(state) + 1);
    }
    return other;
}

Pb__DeploymentState *clocks_later(struct arena *arena,
                                  const Pb__DeploymentState *state,
                                  int64_t by_ms)
{
    Pb__DeploymentState *const other = pb_clone(arena, state);

    other->now_ms += by_ms;
    clocks_open(other);
    return other;
}
