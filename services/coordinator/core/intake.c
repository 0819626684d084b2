#include "services/coordinator/core/flow.h"

#include <string.h>

enum { HOUR_MS = 60 * 60 * 1000 };
static const int64_t INPUT_DEFAULT_MS = 24LL * HOUR_MS;
static const int64_t REMINDER_DEFAULT_MS = 4LL * HOUR_MS;

void intake_begin(struct turn *turn, const char *approach)
{
    Pb__DeploymentState *const state = turn->state;
    const int64_t due_ms = state->phase_due_ms;
    const bool waited = state->phase == PB__PHASE__AWAITING_INPUTS;
    Pb__TaskState *const task = task_main(turn);

    if (task != NULL)
        task_drop(turn, task);
    lanes_give_back(turn);
    intake_again(turn);
    state->compile_version = state->version;
    state->resting_why = "";
    state->resting_remedy = "";
    phase_enter(
        turn,
        PB__PHASE__PLANNING,
        PB__SUB__SUB_RUN,
        or_default(turn->plan != NULL ? turn->plan->input_deadline_ms : 0, INPUT_DEFAULT_MS));
    /* Asking again does not give more time. */
    if (waited && due_ms != 0)
        state->phase_due_ms = due_ms;
    effect_compile(turn, approach);
}

static void adopt_plan(struct turn *turn, const Pb__PlanCompiled *compiled)
{
    Pb__DeploymentState *const state = turn->state;
    const Pb__Plan *const plan = compiled->plan;

    for (size_t i = 0; i < state->n_approvals; i++) {
        if (!pb_same(state->approvals[i]->plan_hash, compiled->plan_hash))
            state->approvals[i]->voided = true;
    }
    turn->plan = plan;
    state->plan_hash = compiled->plan_hash;
    state->title = words_cut(turn, plan->title, 200);
    state->ticket = plan->ticket;
    state->approach = plan->approach;
    state->services = plan->services;
    state->n_services = plan->n_services;
    state->n_missing = 0;
    state->n_links = 0;
    links_add(turn, plan->dashboards, plan->n_dashboards);
    (void)entry_add(turn,
                    "PlanCompiled",
                    "plan %.8s: %zu changes in %u batches, %zu stages",
                    compiled->plan_hash,
                    plan->n_changes,
                    plan_batches(turn),
                    plan->n_stages);
}

static void adopt_holds(struct turn *turn, const Pb__PlanCompiled *compiled)
{
    (void)hold_drop(turn, PB__HOLD_KIND__HOLD_FREEZE, NULL);
    (void)hold_drop(turn, PB__HOLD_KIND__HOLD_WINDOW, NULL);
    for (size_t i = 0; i < compiled->n_holds; i++) {
        const Pb__HoldSet *const set = compiled->holds[i];

        hold_add(turn, set->kind, set->id, set->reason, set->until_ms);
    }
    if (compiled->plan != NULL && !compiled->window_open &&
        !state_held_by(turn->state, PB__HOLD_KIND__HOLD_WINDOW))
        hold_add(turn, PB__HOLD_KIND__HOLD_WINDOW, "window", "no deployment window is open", 0);
}

static Pb__MissingInput *missing_cut(struct turn *turn, const Pb__MissingInput *missing)
{
    Pb__MissingInput *const kept = pb_new(turn->arena, &pb__missing_input__descriptor);

    kept->input = words_cut(turn, missing->input, 80);
    kept->field = words_cut(turn, missing->field, 80);
    kept->remedy = words_cut(turn, missing->remedy, 200);
    return kept;
}

static void adopt_missing(struct turn *turn, const Pb__PlanCompiled *compiled)
{
    Pb__DeploymentState *const state = turn->state;
    const char *names = "";

    state->n_missing = 0;
    for (size_t i = 0; i < compiled->n_missing && i < 24; i++) {
        PB_APPEND(turn->arena, state, missing, missing_cut(turn, compiled->missing[i]));
        names = arena_printf(
            turn->arena, "%s%s%s", names, i > 0 ? ", " : "", compiled->missing[i]->input);
    }
    (void)entry_add(turn, "InputsMissing", "no plan yet; missing: %s", names);
}

enum procedure_answer plan_compiled(struct turn *turn, const Pb__PlanCompiled *compiled)
{
    Pb__DeploymentState *const state = turn->state;
    const bool missing = compiled->plan == NULL || compiled->n_missing > 0;
    int64_t limit_ms = or_default(compiled->input_deadline_ms, INPUT_DEFAULT_MS);

    if (state->phase != PB__PHASE__PLANNING || compiled->for_version != state->compile_version)
        return turn_stale(turn,
                          "a plan for version %llu, which is no longer asked for",
                          (unsigned long long)compiled->for_version);
    state->reminder_ms = or_default(compiled->reminder_ms, REMINDER_DEFAULT_MS);
    adopt_holds(turn, compiled);
    if (missing) {
        adopt_missing(turn, compiled);
    } else {
        adopt_plan(turn, compiled);
        limit_ms = or_default(turn->plan->input_deadline_ms, limit_ms);
    }
    /* The deadline counts from the first time that something was missing. */
    limit_ms =
        state->phase_due_ms > turn->now_ms && limit_ms > state->phase_due_ms - turn->now_ms
            ? state->phase_due_ms - turn->now_ms
            : limit_ms;
    phase_enter(turn,
                PB__PHASE__AWAITING_INPUTS,
                missing ? PB__SUB__SUB_MISSING : PB__SUB__SUB_RUN,
                limit_ms);
    return PROCEDURE_APPLIED;
}

void intake_settle(struct turn *turn)
{
    if (turn->state->cursor->sub != PB__SUB__SUB_RUN)
        return;
    if (expect_of_worker(turn, expect_inputs(turn)).count == 0)
        review_enter(turn);
    else
        (void)task_start(turn, "inputs");
}

void intake_missing(struct turn *turn, const struct judgement *judgement)
{
    Pb__MissingInput *const missing = pb_new(turn->arena, &pb__missing_input__descriptor);

    missing->input = judgement->check[0] != '\0' ? judgement->check : "input checks";
    missing->field = words_cut(turn, judgement->rule, 200);
    missing->remedy = words_cut(
        turn, judgement->remedy[0] != '\0' ? judgement->remedy : "restore it, then retry", 200);
    turn->state->n_missing = 0;
    PB_APPEND(turn->arena, turn->state, missing, missing);
    (void)entry_add(turn, "InputsMissing", "%s: %s", missing->input, judgement->rule);
    cursor_move(turn, PB__SUB__SUB_MISSING);
}

/* A plan of other content needs other approvals. */
static void replan_for(struct turn *turn, const Pb__AcceptanceReceived *received)
{
    turn->state->content_hash = received->content_hash;
    (void)entry_add(turn,
                    "AcceptanceReceived",
                    "acceptance of other content: it is planned again, approvals are void");
    for (size_t i = 0; i < turn->state->n_approvals; i++)
        turn->state->approvals[i]->voided = true;
    intake_begin(turn, "");
}

enum procedure_answer acceptance_received(struct turn *turn,
                                          const Pb__AcceptanceReceived *received)
{
    if (pb_same(turn->state->content_hash, received->content_hash))
        return turn_stale(turn, "the same acceptance again");
    if (procedure_is_terminal(turn->state->phase))
        return turn_stale(turn, "the feature makes a new attempt of it");
    if (phase_intakes(turn->state->phase)) {
        replan_for(turn, received);
        return PROCEDURE_APPLIED;
    }
    turn->immaterial = true;
    (void)entry_add(turn,
                    "AcceptanceReceived",
                    "acceptance of other content: kept, and started when this one has ended");
    return PROCEDURE_APPLIED;
}

enum procedure_answer acceptance_withdrawn(struct turn *turn,
                                           const Pb__AcceptanceWithdrawnReceived *withdrawn)
{
    const Pb__DeploymentState *const state = turn->state;
    const Pb__AcceptanceWithdrawn *const what = withdrawn->withdrawal;
    const char *const reason =
        what != NULL && what->reason[0] != '\0' ? what->reason : "no reason given";

    if (what != NULL && what->content_hash[0] != '\0' &&
        !pb_same(what->content_hash, state->content_hash))
        return turn_stale(turn, "a withdrawal of other content");
    if (what != NULL && what->actor != NULL && what->actor->subject[0] != '\0')
        turn->by = what->actor->subject;
    (void)entry_add(turn, "AcceptanceWithdrawn", "the acceptance was withdrawn: %s", reason);
    if (procedure_is_terminal(state->phase) || phase_stops(state->phase) ||
        state->step == STEP_LAST)
        turn->immaterial = true;
    else if (state->step <= 1)
        deployment_exit(turn, PB__PHASE__ABORTED, "the acceptance was withdrawn: %s", reason);
    else
        stop(turn, PB__CAUSE_KIND__DECISION, "the acceptance was withdrawn: %s", reason);
    return PROCEDURE_APPLIED;
}
