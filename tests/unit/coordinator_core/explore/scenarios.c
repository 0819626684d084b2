#include "tests/unit/coordinator_core/explore/explore.h"
#include "tests/unit/coordinator_core/explore/plans.h"

static Pb__Plan *flags_only(struct arena *arena)
{
    return plan_small(arena, PB__ON_NO_GO__BLOCK, 2);
}

static Pb__Plan *two_batches_stop(struct arena *arena)
{
    Pb__Plan *const plan = plan_small(arena, PB__ON_NO_GO__STOP, 1);

    plan_add_change(arena, plan, "shop", 2, PB__ON_ROLLBACK__REVERT);
    plan->on_freeze = PB__ON_CLOSED_WINDOW__ROLLBACK;
    return plan;
}

static Pb__Plan *keep_and_manual(struct arena *arena)
{
    Pb__Plan *const plan = plan_small(arena, PB__ON_NO_GO__STOP, 1);

    plan_add_change(arena, plan, "shop", 1, PB__ON_ROLLBACK__REVERT);
    plan_add_change(arena, plan, "shop", 1, PB__ON_ROLLBACK__KEEP);
    plan_add_change(arena, plan, "shop", 1, PB__ON_ROLLBACK__MANUAL);
    return plan;
}

static Pb__Plan *gate_and_block(struct arena *arena)
{
    Pb__Plan *const plan = plan_small(arena, PB__ON_NO_GO__BLOCK, 2);

    plan_add_change(arena, plan, "shop", 1, PB__ON_ROLLBACK__REVERT);
    plan->stages[0]->gate_role = "lead";
    return plan;
}

/* clang-format off */
/* name                plan              unsure surroundings late   deep   at most */
const struct scenario scenarios[] = {
    { "keep-and-manual",  keep_and_manual,  false, false, false, false,  20000 },
    { "flags-only",       flags_only,       false, false, false, false,  20000 },
    { "flags-late",       flags_only,       false, false, true,  false,  40000 },
    { "gate-and-block",   gate_and_block,   false, false, false, false,  20000 },
    { "flags-killed",     flags_only,       false, true,  true,  true,  400000 },
    { "two-batches-stop", two_batches_stop, false, true,  false, true,  200000 },
    { "flags-and-doubt",  flags_only,       true,  true,  false, true,  200000 },
    { "gate-and-doubt",   gate_and_block,   true,  true,  false, true,  800000 },
};
/* clang-format on */
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];
