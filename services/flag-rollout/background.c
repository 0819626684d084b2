#include "services/flag-rollout/read_back.h"

enum {
    ROUND_MS = 30 * 1000,
    BUDGET_MS = 1000, /* Of one look: commands wait for the receiving thread meanwhile. */
};

/* Stops a look that takes too long; gateways not yet asked count as silent. */
struct budget {
    struct clock_port clock;
    int64_t until_ms;
};

static bool budget_is_spent(void *self)
{
    const struct budget *const budget = self;

    return clock_monotonic_ms(budget->clock) >= budget->until_ms;
}

static void look(const struct worker_ports *ports,
                 struct arena *arena,
                 const Pb__FlagValue *value)
{
    struct budget budget = {
        ports->service->clock,
        clock_monotonic_ms(ports->service->clock) + BUDGET_MS,
    };
    struct driver_env env = worker_driver_env(ports, NULL, arena);
    Pb__FlagSpec flag = PB__FLAG_SPEC__INIT;
    const struct flag_value wanted = {
        .percent = value->percent,
        .audience = value->audience,
        .sequence = value->sequence,
    };
    const Pb__Finding *finding;

    flag.key = value->flag;
    flag.provider = value->provider;
    env.stopped = budget_is_spent;
    env.stopped_self = &budget;
    finding = read_back_look(ports, &env, &flag, value->environment, &wanted);
    if (finding->verdict != PB__VERDICT__PASS)
        LOG(ports->service->log,
            LOG_WARNING,
            "a granted flag does not read back",
            { "flag", value->flag },
            { "environment", value->environment },
            { "observed", finding->observed },
            { "wanted", finding->wanted });
}

void background_read_back(struct flag_rollout *state, const struct worker_ports *ports)
{
    const int64_t now_ms = clock_monotonic_ms(ports->service->clock);
    struct arena arena;
    const Pb__FlagValue *value;

    if (now_ms < state->next_round_ms)
        return;
    arena = arena_with_limit(SCRATCH_MAX);
    value = control_granted(state->control, &arena, state->next_place++);
    if (value != NULL) {
        look(ports, &arena, value);
    } else {
        state->next_place = 0;
        state->next_round_ms = now_ms + ROUND_MS;
    }
    arena_release(&arena);
}
