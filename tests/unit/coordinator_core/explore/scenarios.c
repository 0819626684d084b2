#include "tests/unit/coordinator_core/explore/explore.h"
#include "tests/unit/coordinator_core/explore/plans.h"

Pb__Plan *plan_flags_only(struct arena *arena)
{
    return plan_small(arena, PB__ON_NO_GO__BLOCK, 2);
}

Pb__Plan *plan_two_batches_stop(struct arena *arena)
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

Pb__Plan *plan_gate_and_block(struct arena *arena)
{
    Pb__Plan *const plan = plan_small(arena, PB__ON_NO_GO__BLOCK, 2);

    plan_add_change(arena, plan, "shop", 1, PB__ON_ROLLBACK__REVERT);
    plan->stages[0]->gate_role = "lead";
    return plan;
}

/* A window that closes lets step 2 finish, within a grace. */
static Pb__Plan *windowed(struct arena *arena)
{
    Pb__Plan *const plan = plan_small(arena, PB__ON_NO_GO__ON_NO_GO_UNSPECIFIED, 1);

    plan_add_change(arena, plan, "shop", 2, PB__ON_ROLLBACK__REVERT);
    plan->window_grace_ms = WINDOW_GRACE_MS;
    return plan;
}

/* Three leads sign off. */
static Pb__Plan *signed_off(struct arena *arena)
{
    Pb__Plan *const plan = plan_small(arena, PB__ON_NO_GO__BLOCK, 1);

    plan_add_signoff(arena, plan, 2);
    plan_add_signoff(arena, plan, 3);
    return plan;
}

/* A WARN of step 3 is permitted, and a warning's hold ends by itself. */
static Pb__Plan *warned(struct arena *arena)
{
    Pb__Plan *const plan = plan_small(arena, PB__ON_NO_GO__STOP, 1);

    plan_add_change(arena, plan, "shop", 1, PB__ON_ROLLBACK__REVERT);
    plan->steps[2]->checks[0]->warn_ok = true;
    plan->auto_resume_ms = 1;
    return plan;
}

/* Two changes of two batches on two lanes, two stages; what follows a No-Go is the default:
 * steps 2 to 4 are taken back, step 5 turns the flags off and rests. */
static Pb__Plan *whole(struct arena *arena)
{
    Pb__Plan *const plan = plan_small(arena, PB__ON_NO_GO__ON_NO_GO_UNSPECIFIED, 2);

    PB_APPEND(arena, plan, services, "web");
    plan_add_change(arena, plan, "shop", 2, PB__ON_ROLLBACK__REVERT);
    plan_add_change(arena, plan, "web", 2, PB__ON_ROLLBACK__REVERT);
    return plan;
}

/* clang-format off */
/*  name                plan                    weather               troubles  deep     at most  back */
const struct scenario scenarios[] = {
    { "keep-and-manual",  keep_and_manual,        0,                         0, false,    40000, false },
    { "flags-only",       plan_flags_only,        0,                         0, false,    20000, false },
    { "gate-and-block",   plan_gate_and_block,    0,                         0, false,    40000, false },
    { "intake",           plan_flags_only,        INTAKE,                    0, false,    40000, false },
    { "flags-late",       plan_flags_only,        LATE,                      0, true,    100000, false },
    { "windowed",         windowed,               WINDOW,                    0, true,    400000, false },
    { "signed-off",       signed_off,             0,                         0, true,    800000, false },
    { "warned",           warned,                 UNSURE,                    0, true,    800000, false },
    { "two-batches-stop", plan_two_batches_stop,  AROUND,                    0, true,    400000, false },
    { "keep-and-newer",   keep_and_manual,        AROUND | NEWER,            0, true,   1000000, false },
    { "flags-killed",     plan_flags_only,        AROUND | LATE,             0, true,   1000000, false },
    { "flags-and-doubt",  plan_flags_only,        UNSURE | AROUND | INTAKE,  0, true,   2000000, false },
    { "gate-and-doubt",   plan_gate_and_block,    UNSURE | AROUND,           0, true,   2000000, false },
    { "taken-back",       plan_two_batches_stop,  AROUND | NEWER,            0, false,    40000, true  },
    { "taken-back-kept",  keep_and_manual,        EVERYTHING,                0, true,   1000000, true  },
    { "whole-two",        whole,                  EVERYTHING,                2, false,    40000, false },
    { "whole-three",      whole,                  EVERYTHING,                3, true,    400000, false },
    { "whole-four",       whole,                  EVERYTHING,                4, true,   1000000, false },
    { "whole-five",       whole,                  EVERYTHING,                5, true,   4000000, false },
};
/* clang-format on */
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];
