#include "tests/unit/coordinator_core/explore/plans.h"
#include "tests/unit/coordinator_core/explore_lanes/lanes.h"

Pb__Plan *lanes_plan(struct arena *arena, const char *wants)
{
    Pb__Plan *const plan = plan_small(arena, PB__ON_NO_GO__STOP, 1);

    plan->n_services = 0;
    plan->n_signoffs = 0;
    for (; *wants != '\0'; wants++) {
        const char *const lane = arena_printf(arena, "%c", *wants);

        PB_APPEND(arena, plan, services, lane);
        plan_add_change(arena, plan, lane, 1, PB__ON_ROLLBACK__REVERT);
    }
    return plan;
}

const struct crossing crossings[] = {
    { "one lane, two deployments", { "a", "a" }, 1, 0, false, 200000 },
    { "one lane, messages twice", { "a", "a" }, 0, 1, true, 3000000 },
    { "two lanes, two deployments", { "ab", "ab" }, 0, 0, true, 3000000 },
    { "two lanes, one shared", { "ab", "b" }, 1, 0, true, 3000000 },
    { "one lane, three deployments", { "a", "a", "a" }, 0, 0, true, 3000000 },
};
const size_t crossing_count = sizeof crossings / sizeof crossings[0];
