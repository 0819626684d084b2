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

/* clang-format off */
/* name                              lanes of each      freezes copies trouble                        deep   at most back  open */
const struct crossing crossings[] = {
    { "one lane brisk",              { "a", "a" },      0,      0,     BRISK | ALERT,                 false, 100000, false, false },
    { "one lane two deployments",    { "a", "a" },      1,      0,     0,                             true,  200000, false, false },
    { "one lane in trouble",         { "a", "a" },      0,      0,     BRISK | LOST | ALERT | CLOCKS, true, 1000000, false, false },
    { "one lane messages twice",     { "a", "a" },      0,      1,     0,                             true,  400000, false, false },
    { "two lanes two deployments",   { "ab", "ab" },    0,      0,     0,                             true,  400000, false, false },
    { "two lanes in trouble",        { "ab", "ab" },    0,      0,     BRISK | LOST | ALERT,          true, 1000000, false, false },
    { "two lanes one shared",        { "ab", "b" },     1,      0,     0,                             true,  400000, false, false },
    { "one lane taken back",         { "a", "a" },      1,      0,     BRISK | LOST | ALERT,          true, 100000, true, false },
    { "two lanes taken back",        { "ab", "ab" },    0,      0,     BRISK | LOST,                  true, 1000000, true, false },
    { "one lane taken back twice",   { "a", "a" },      0,      1,     0,                             true, 1000000, true, false },
    { "one lane three deployments",  { "a", "a", "a" }, 0,      0,     BRISK,                         true, 1000000, false, false },
    { "two lanes three deployments", { "ab", "a", "b" },0,      0,     BRISK,                         true, 1000000, false, false },
    { "one lane three in trouble",   { "a", "a", "a" }, 0,      0,     BRISK | ALERT,                 true, 9000000, false, true },
};
/* clang-format on */
const size_t crossing_count = sizeof crossings / sizeof crossings[0];
