#include "services/coordinator/core/flow.h"

#include <string.h>

/* More turns of the loop than any path through it: each starts something or moves on. */
enum { SETTLE_MAX = 256 };

bool ending_held(const Pb__DeploymentState *state)
{
    return state_held_by(state, PB__HOLD_KIND__HOLD_OPERATOR) ||
           state_held_by(state, PB__HOLD_KIND__HOLD_WARNING);
}

/* By the plan's default a window that closes in step 2 lets it finish, within a grace. */
static bool hold_forbids(const struct turn *turn, const Pb__Hold *hold)
{
    const Pb__Plan *const plan = turn->plan;
    const bool finishes =
        plan->on_closed_window == PB__ON_CLOSED_WINDOW__FINISH ||
        plan->on_closed_window == PB__ON_CLOSED_WINDOW__ON_CLOSED_WINDOW_UNSPECIFIED;

    return hold->kind != PB__HOLD_KIND__HOLD_WINDOW ||
           turn->state->phase != PB__PHASE__EXECUTING || !finishes ||
           turn->now_ms >= hold->since_ms + plan->window_grace_ms;
}

bool forward_allowed(const struct turn *turn)
{
    const Pb__DeploymentState *const state = turn->state;

    if (state->stop != NULL || state->flags->killed ||
        state_incident(state, PB__SEVERITY__CRITICAL) != NULL)
        return false;
    for (size_t i = 0; i < state->n_holds; i++) {
        if (hold_forbids(turn, state->holds[i]))
            return false;
    }
    return true;
}

/* What is done where the cursor stands. */
struct work {
    uint32_t step;
    Pb__Sub sub;
    const char *kind;
    void (*before)(struct turn *turn);  /* First, once: it is being commanded. */
    void (*without)(struct turn *turn); /* Instead, where the plan expects nothing here. */
};

static void health_without(struct turn *turn)
{
    cursor_move(turn, PB__SUB__SUB_BAKE);
}

static void step_without(struct turn *turn)
{
    const struct judgement judgement = judge_results(turn, expect_step(turn));

    if (judgement.found == FOUND_GO)
        step_go(turn, judgement.rule);
    else if (judgement.found == FOUND_WAIT)
        cursor_move(turn, PB__SUB__SUB_GATE);
    else
        step_block(turn, judgement.rule, judgement.remedy);
}

static void stage_without(struct turn *turn)
{
    cursor_move(turn, PB__SUB__SUB_GATE);
}

static void send_without(struct turn *turn)
{
    cursor_move(turn, PB__SUB__SUB_SIGN_OFFS);
}

/* clang-format off */
static const struct work works[] = {
    { 1, PB__SUB__SUB_RUN,      "checks",   NULL,          step_without },
    { 2, PB__SUB__SUB_APPLY,    "apply",    batch_command, NULL },
    { 2, PB__SUB__SUB_HEALTH,   "health",   NULL,          health_without },
    { 2, PB__SUB__SUB_BAKE,     "bake",     NULL,          batch_next },
    { 3, PB__SUB__SUB_RUN,      "validate", NULL,          step_without },
    { 4, PB__SUB__SUB_ACTIVATE, "activate", stage_grant,   NULL },
    { 4, PB__SUB__SUB_WATCH,    "watch",    NULL,          stage_without },
    { 4, PB__SUB__SUB_DISABLE,  "disable",  flags_to_zero, NULL },
    { 5, PB__SUB__SUB_RUN,      "confirm",  NULL,          step_without },
    { 5, PB__SUB__SUB_DISABLE,  "disable",  flags_to_zero, NULL },
    { 6, PB__SUB__SUB_RUN,      "observe",  NULL,          NULL },
    { 7, PB__SUB__SUB_SEND,     "finalise", NULL,          send_without },
};
/* clang-format on */

static const struct work *work_here(const struct turn *turn)
{
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        if (works[i].step == turn->state->step && works[i].sub == turn->state->cursor->sub)
            return &works[i];
    }
    return NULL;
}

/* A worker has nothing to look at here. */
static bool nothing_to_ask(struct turn *turn, const struct work *work)
{
    const struct task_kind *const kind = task_kind_find(work->kind);
    const Pb__Change *const change = plan_change(turn, turn->state->cursor->change);

    if (work->without == NULL)
        return false;
    if (strcmp(work->kind, "bake") == 0 && (change == NULL || change->bake_ms == 0))
        return true;
    return expect_of_worker(turn, kind->expected(turn)).count == 0;
}

static bool settle_work(struct turn *turn)
{
    const struct work *const work = work_here(turn);

    if (work == NULL)
        return false;
    if (nothing_to_ask(turn, work)) {
        work->without(turn);
        return true;
    }
    if ((task_kind_find(work->kind)->flags & TASK_FORWARD) != 0 && !forward_allowed(turn))
        return false;
    if (work->before != NULL)
        work->before(turn);
    (void)task_start(turn, work->kind);
    return false;
}

static bool settle_go(struct turn *turn)
{
    if (turn->state->step != 1 && ending_held(turn->state)) {
        turn->state->remeasure = true;
        return false;
    }
    if (turn->state->remeasure)
        step_measure_again(turn);
    else
        step_leave(turn);
    return true;
}

/* What people had to say has been said, or has not. */
static bool settle_people(struct turn *turn)
{
    struct judgement judgement = judge_results(turn, expect_here(turn));

    if (turn->state->step == STEP_LAST && judgement.found == FOUND_GO)
        judgement = judge_signoffs(turn);
    if (judgement.found == FOUND_WAIT)
        return false;
    if (judgement.found == FOUND_FAIL)
        step_no_go(turn, &judgement);
    else if (judgement.found != FOUND_GO)
        step_block(turn, judgement.rule, judgement.remedy);
    else if (turn->state->step == 4)
        stage_verified(turn);
    else if (turn->state->step == 2)
        batch_next(turn);
    else
        step_go(turn,
                turn->state->step == STEP_LAST ? "documents, ticket, hand-over and sign-offs "
                                                 "are complete"
                                               : judgement.rule);
    return true;
}

static bool settle_running(struct turn *turn)
{
    switch (turn->state->cursor->sub) {
    case PB__SUB__SUB_GO: return settle_go(turn);
    case PB__SUB__SUB_GATE:
    case PB__SUB__SUB_SIGN_OFFS: return settle_people(turn);
    default: return settle_work(turn);
    }
}

static bool settle_once(struct turn *turn)
{
    const Pb__Phase before = turn->state->phase;

    if (task_main(turn) != NULL)
        return false;
    switch (before) {
    case PB__PHASE__AWAITING_INPUTS: intake_settle(turn); break;
    case PB__PHASE__IN_REVIEW:
        if (review_quorum(turn))
            queue_enter(turn);
        break;
    case PB__PHASE__QUEUED: queue_settle(turn); break;
    case PB__PHASE__STOPPING: undo_begin(turn); break;
    case PB__PHASE__ROLLING_BACK: undo_next(turn); break;
    default: return phase_runs(before) && settle_running(turn);
    }
    return turn->state->phase != before;
}

/* A rollback is born before the shell has loaded the plan: then a timer comes at once. */
void settle(struct turn *turn)
{
    for (int i = 0; i < SETTLE_MAX; i++) {
        if (turn->plan == NULL && turn->state->phase != PB__PHASE__AWAITING_INPUTS)
            return;
        if (!settle_once(turn))
            return;
    }
}
