#include "services/coordinator/core/flow.h"

#include <string.h>

static Pb__Sub first_sub(const struct turn *turn, uint32_t step)
{
    switch (step) {
    case 2: return plan_batches(turn) > 0 ? PB__SUB__SUB_APPLY : PB__SUB__SUB_GO;
    case 4: return turn->plan->n_stages > 0 ? PB__SUB__SUB_ACTIVATE : PB__SUB__SUB_GO;
    case 7: return PB__SUB__SUB_SEND;
    default: return PB__SUB__SUB_RUN;
    }
}

/* A new try forgets what was measured. What a person took responsibility for stays: waivers,
 * and before anything is applied attestations too, since step 1 runs again after every wait.
 * Step 7 keeps what is done: each open item is retried alone. */
static void forget_results(struct turn *turn, Pb__StepState *step)
{
    const bool keeps_attested = step->step == 1 || step->step == 7;

    for (size_t i = step->n_results; i-- > 0;) {
        const Pb__CheckResult *const result = step->results[i];
        const bool attested = result->by[0] != '\0' && !result->waived;
        const bool done = step->step == 7 && result->verdict == PB__VERDICT__PASS;

        if (!result_waived(turn, result) && !(attested && keeps_attested) && !done)
            PB_REMOVE(step, results, i);
    }
}

void step_enter(struct turn *turn, uint32_t number)
{
    Pb__DeploymentState *const state = turn->state;
    Pb__StepState *const step = state_step(turn, number);

    state->step = number;
    step->try_number++;
    step->decision = "";
    step->rule = "";
    step->began_ms = turn->now_ms;
    step->ended_ms = 0;
    step->measured_ms = 0;
    forget_results(turn, step);
    state->remeasure = false;
    state->clock_ended = false;
    state->extended = 0;
    state->samples = 0;
    state->cursor->stage = 0;
    if (number == 2)
        batch_first(turn);
    if (number == 4) {
        state->flags->disabled = false;
        state->dates->n_activation_ms = 0;
    }
    if (number == 6)
        state->monitoring_active = false;
    phase_enter(turn,
                phase_of_step(number),
                first_sub(turn, number),
                plan_step(turn, number)->deadline_ms);
    (void)entry_add(turn, "StepBegan", "step %u: %s", number, words_step(number));
    if (number == 1)
        feature_told(turn, true, "");
}

void step_go(struct turn *turn, const char *rule)
{
    Pb__StepState *const step = state_step(turn, turn->state->step);

    step->rule = rule;
    turn->state->remeasure = false;
    turn->state->clock_ended = false;
    cursor_move(turn, PB__SUB__SUB_GO);
}

void step_measure_again(struct turn *turn)
{
    const Pb__Change *const change = plan_change(turn, turn->state->cursor->change);

    switch (turn->state->step) {
    case 2:
        if (change == NULL)
            turn->state->remeasure = false;
        else
            cursor_move(turn,
                        change->bake_ms > 0 && change->n_bake > 0 ? PB__SUB__SUB_BAKE
                                                                  : PB__SUB__SUB_HEALTH);
        return;
    case 4: cursor_move(turn, PB__SUB__SUB_WATCH); return;
    case 7: cursor_move(turn, PB__SUB__SUB_SIGN_OFFS); return;
    default: cursor_move(turn, PB__SUB__SUB_RUN);
    }
}

/* Of a step that ended well only the verdicts stay in the state; the timeline has the rest. */
static void compact_results(Pb__StepState *step)
{
    for (size_t i = 0; i < step->n_results; i++) {
        if (step->results[i]->by[0] == '\0')
            step->results[i]->observed = "";
        step->results[i]->remedy = "";
    }
}

static void ask_sign_off(struct turn *turn, uint32_t step)
{
    for (size_t i = 0; i < turn->plan->n_signoffs; i++) {
        const Pb__SignOffSpec *const spec = turn->plan->signoffs[i];

        if (spec->step == step)
            (void)entry_add(turn,
                            "SignOffOpened",
                            "%s may sign off %s",
                            spec->role,
                            spec->what[0] != '\0' ? spec->what : words_step(step));
    }
}

/* What the end of each step leaves behind. */
static void step_ended(struct turn *turn, uint32_t number)
{
    Pb__AuditDates *const dates = turn->state->dates;

    switch (number) {
    case 2:
        dates->execution_ms = turn->now_ms;
        ask_sign_off(turn, 2);
        return;
    case 3:
        dates->validation_ms = turn->now_ms;
        signal_deployed(turn);
        ask_sign_off(turn, 3);
        return;
    case 5:
        dates->post_validation_ms = turn->now_ms;
        lanes_give_back(turn);
        return;
    default: return;
    }
}

/* Step 1 is Go only for as long as what it saw can be relied on, and only into step 2. */
static bool checks_still_count(struct turn *turn)
{
    const Pb__StepState *const step = state_step(turn, 1);
    const int64_t max_age_ms = plan_step(turn, 1)->max_age_ms;

    if (turn->state->n_holds > 0) {
        (void)entry_add(turn,
                        "StepHeld",
                        "step 1 is Go, but held: the lanes go back and it runs again later");
        lanes_give_back(turn);
        queue_enter(turn);
        return false;
    }
    if (max_age_ms > 0 && turn->now_ms - step->measured_ms > max_age_ms) {
        (void)entry_add(turn, "StepAgain", "step 1 is Go, but what it saw is too old: again");
        cursor_move(turn, PB__SUB__SUB_RUN);
        return false;
    }
    return true;
}

/* Step 1 is not left with a critical incident open, step 6 with none at all, also not with one
 * that was noted before. */
static bool incident_forbids(struct turn *turn, uint32_t number)
{
    const Pb__Severity least = number == 1 ? PB__SEVERITY__CRITICAL : PB__SEVERITY__WARNING;
    const Pb__Incident *const incident =
        number == 1 || number == 6 ? state_incident(turn->state, least) : NULL;

    if (incident == NULL)
        return false;
    step_block(turn,
               arena_printf(turn->arena, "incident %s is still open", incident->cause),
               arena_printf(
                   turn->arena, "address it until it is resolved, then retry step %u", number));
    return true;
}

void step_leave(struct turn *turn)
{
    const uint32_t number = turn->state->step;
    Pb__StepState *const step = state_step(turn, number);

    if (incident_forbids(turn, number) || (number == 1 && !checks_still_count(turn)))
        return;
    step->decision = "GO";
    step->ended_ms = turn->now_ms;
    compact_results(step);
    (void)entry_add(turn, "StepGo", "step %u Go: %s", number, step->rule);
    step_ended(turn, number);
    if (number == STEP_LAST)
        deployment_exit(turn, PB__PHASE__COMPLETED, "%s", step->rule);
    else
        step_enter(turn, number + 1);
}

void step_block(struct turn *turn, const char *why, const char *remedy)
{
    Pb__DeploymentState *const state = turn->state;
    Pb__StepState *const step = state_step(turn, state->step);
    const Pb__Sub sub = state->cursor->sub;

    step->decision = "NO_GO";
    step->ended_ms = turn->now_ms;
    step->rule = words_cut(turn, why, 300);
    state->resting_why = step->rule;
    state->resting_remedy = words_cut(turn, remedy, 300);
    state->remeasure = false;
    state->clock_ended = false;
    /* What a watch told while it ran decides nothing: it never came to its end. */
    if (step->measured_ms == 0)
        results_forget(turn, expect_here(turn));
    if (state->step == 1)
        lanes_give_back(turn);
    phase_enter(
        turn, PB__PHASE__BLOCKED, sub, plan_step(turn, state->step)->blocked_deadline_ms);
    (void)entry_add(turn, "StepNoGo", "step %u No-Go: %s", state->step, step->rule);
    signal_blocked(turn, state->resting_why, state->resting_remedy);
    announce(turn,
             state->step == STEP_LAST ? "page" : "blocked",
             "blocked in step %u, %s: %s. %s",
             state->step,
             words_step(state->step),
             state->resting_why,
             state->resting_remedy);
}

/* The defaults of the table: steps 2, 3 and 4 stop, step 5 sets the flags to 0 and rests. */
static bool fail_stops(const struct turn *turn)
{
    const Pb__OnNoGo rule = plan_step(turn, turn->state->step)->on_no_go;

    if (rule == PB__ON_NO_GO__ON_NO_GO_UNSPECIFIED)
        return turn->state->step != 5;
    return rule == PB__ON_NO_GO__STOP;
}

bool step_metric_critical(struct turn *turn, const char *check)
{
    const struct expectation all = expect_step(turn);

    for (size_t i = 0; i < all.count; i++) {
        if (strcmp(all.item[i]->id, check) == 0)
            return all.item[i]->metric != NULL && all.item[i]->metric->critical;
    }
    return false;
}

/* Flags that are on go to 0 before it rests. */
static void step_rest(struct turn *turn, const struct judgement *judgement)
{
    const bool on =
        turn->state->step >= 4 && turn->state->step <= 5 && turn->state->flags->percent > 0;

    if (!on) {
        step_block(turn, judgement->rule, judgement->remedy);
        return;
    }
    state_step(turn, turn->state->step)->rule = words_cut(turn, judgement->rule, 300);
    turn->state->resting_remedy = words_cut(turn, judgement->remedy, 300);
    (void)entry_add(turn, "StageFailed", "flags go to 0, then it rests: %s", judgement->rule);
    cursor_move(turn, PB__SUB__SUB_DISABLE);
}

void step_no_go(struct turn *turn, const struct judgement *judgement)
{
    const uint32_t step = turn->state->step;
    const bool critical = step == 6 && step_metric_critical(turn, judgement->check);

    if (step == 0)
        intake_missing(turn, judgement);
    else if (critical || (step >= 2 && step <= 5 && fail_stops(turn)))
        stop(turn, PB__CAUSE_KIND__FAILURE, "step %u No-Go: %s", step, judgement->rule);
    else
        step_rest(turn, judgement);
}

void step_resume(struct turn *turn)
{
    const uint32_t number = turn->state->step;

    state_step(turn, number)->decision = "";
    state_step(turn, number)->ended_ms = 0;
    turn->state->resting_why = "";
    turn->state->resting_remedy = "";
    phase_enter(turn,
                phase_of_step(number),
                turn->state->cursor->sub,
                plan_step(turn, number)->deadline_ms);
}
