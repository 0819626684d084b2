#include "tests/unit/coordinator_core/explore/explore.h"

#include <string.h>

static bool is_held(const Pb__DeploymentState *state, Pb__HoldKind kind)
{
    for (size_t i = 0; i < state->n_holds; i++) {
        if (state->holds[i]->kind == kind)
            return true;
    }
    return false;
}

static bool is_open(const Pb__DeploymentState *state, Pb__Severity least)
{
    for (size_t i = 0; i < state->n_incidents; i++) {
        if (state->incidents[i]->open && state->incidents[i]->severity >= least)
            return true;
    }
    return false;
}

/* Batches that may stay: kept as planned, or left by a person. */
static uint32_t may_stay(const struct search *search, const struct world *world)
{
    const Pb__Plan *const plan = search->plan;
    uint32_t kept = world->skipped;

    for (uint32_t c = 0; c < plan->n_changes; c++) {
        for (uint32_t b = 0; b < plan->changes[c]->n_batches; b++) {
            if (plan->changes[c]->on_rollback == PB__ON_ROLLBACK__KEEP)
                kept |= batch_bit(plan, c, b);
        }
    }
    return kept;
}

static uint32_t all_batches(const Pb__Plan *plan)
{
    uint32_t count = 0;

    for (uint32_t c = 0; c < plan->n_changes; c++)
        count += (uint32_t)plan->changes[c]->n_batches;
    return (1U << count) - 1;
}

static const char *judge_end(const struct search *search,
                             const Pb__DeploymentState *state,
                             const struct world *world)
{
    const Pb__Plan *const plan = search->plan;

    if (main_task(state) != NULL)
        return "terminal with a task";
    for (size_t i = 0; i < state->n_lanes; i++) {
        if (state->lanes[i]->asked || state->lanes[i]->grant != 0)
            return "terminal with a lane";
    }
    if (state->n_holds > 0)
        return "terminal with a hold";
    if (state->phase == PB__PHASE__COMPLETED) {
        if (world->percent != plan->stages[plan->n_stages - 1]->percent && !world->latched &&
            world->late == LATE_NOBODY)
            return "COMPLETED with the flag not at its planned stage";
        if (world->changed != all_batches(plan) || state->n_signoffs < plan->n_signoffs)
            return "COMPLETED without every change and sign-off";
        return NULL;
    }
    if ((world->changed & ~may_stay(search, world)) != 0)
        return "ended with a change still applied";
    return world->percent != 0 ? "ended with the flag on" : NULL;
}

static const char *judge_bounds(const Pb__DeploymentState *state)
{
    if (state->n_tasks > 5 || state->n_timers > 8 || state->n_incidents > 8 ||
        state->n_holds > 8)
        return "a bound is passed";
    for (size_t i = 0; i < state->n_lanes; i++) {
        if (state->lanes[i]->grant != 0 && state->step <= 1 &&
            state->phase != PB__PHASE__CHECKING)
            return "a lane held at rest with nothing applied";
    }
    return NULL;
}

const char *judge_state(const struct search *search,
                        const Pb__DeploymentState *state,
                        const struct world *world)
{
    const char *const bound = judge_bounds(state);
    const Pb__WaitingFor *const wait = state->waiting_for;

    if (bound != NULL)
        return bound;
    if (wait == NULL || wait->kind[0] == '\0' || wait->sentence[0] == '\0')
        return "it does not say what it waits for";
    if (procedure_is_terminal(state->phase))
        return judge_end(search, state, world);
    if (wait->since_ms <= 0 || wait->unblock[0] == '\0' || wait->otherwise[0] == '\0')
        return "it does not say since when, what ends it, or what happens otherwise";
    if (strcmp(wait->kind, "NONE") == 0)
        return "not ended, and waits for nothing";
    if (main_task(state) == NULL && wait->n_who == 0 && state->n_timers == 0 &&
        strcmp(wait->kind, "LANE") != 0 && strcmp(wait->kind, "TASK") != 0)
        return "at rest with nobody to wait for";
    if (state->phase == PB__PHASE__BLOCKED && state->flags->disabled && world->percent != 0 &&
        world->late == LATE_NOBODY)
        return "BLOCKED as disabled, flag on";
    return NULL;
}

/* --- moves --- */

/* Forward work that is commanded for the first time. */
static const Pb__TaskState *forward_started(const Pb__DeploymentState *before,
                                            const Pb__DeploymentState *after)
{
    const Pb__TaskState *const was = main_task(before);
    const Pb__TaskState *const is = main_task(after);

    if (is == NULL || is->cancelling || (was != NULL && strcmp(was->task, is->task) == 0))
        return NULL;
    return strcmp(is->kind, "apply") == 0 || strcmp(is->kind, "activate") == 0 ? is : NULL;
}

static const char *judge_forward(const Pb__DeploymentState *before,
                                 const struct attempt *attempt,
                                 const Pb__DeploymentState *after)
{
    if (forward_started(before, after) == NULL)
        return NULL;
    if (after->n_holds > 0 || after->stop != NULL)
        return "forward work started under a hold or a stop";
    if (after->flags->killed || (attempt->world.latched && !attempt->world.unseen))
        return "forward work started after the latch";
    if (is_open(after, PB__SEVERITY__CRITICAL))
        return "forward work started with a critical incident open";
    return NULL;
}

static bool running_step(const Pb__DeploymentState *state)
{
    return state->phase >= PB__PHASE__CHECKING && state->phase <= PB__PHASE__FINALISING;
}

/* With a waiver in force a FAIL of that check counts as PASS, with record. */
static bool waived_here(const Pb__DeploymentState *state)
{
    const Pb__StepState *const step = state->steps[state->step];

    for (size_t i = 0; i < step->n_results; i++) {
        if (step->results[i]->waived)
            return true;
    }
    return false;
}

static const char *judge_order(const Pb__DeploymentState *before,
                               const struct attempt *attempt,
                               const Pb__DeploymentState *after)
{
    const int up = (int)after->step - (int)before->step;
    const bool completed =
        after->phase == PB__PHASE__COMPLETED && before->phase != PB__PHASE__COMPLETED;
    const bool bad =
        (attempt->why == WHY_FAIL && !waived_here(before)) || attempt->why == WHY_TIME;
    const bool ended = (up == 1 && after->step >= 2) || completed;

    if (up > 2 || (up == 2 && before->step != 1) || (up > 0 && !running_step(after)))
        return "steps out of order";
    if (bad && (up > 0 || completed))
        return "went forward by a failure or a deadline";
    if (before->step == 6 && after->step == 7 && is_open(before, PB__SEVERITY__WARNING) &&
        is_open(after, PB__SEVERITY__WARNING))
        return "step 6 Go with an incident open";
    if (ended && before->phase != PB__PHASE__BLOCKED &&
        is_held(before, PB__HOLD_KIND__HOLD_OPERATOR) &&
        is_held(after, PB__HOLD_KIND__HOLD_OPERATOR))
        return "a step ended under a pause";
    return NULL;
}

const char *judge_move(const struct search *search,
                       const Pb__DeploymentState *before,
                       const struct attempt *attempt,
                       const struct procedure_output *output)
{
    const Pb__DeploymentState *const after = output->after;
    const char *forward;

    (void)search;
    if (procedure_is_terminal(before->phase) && after->phase != before->phase)
        return "a terminal deployment moved";
    if (after->version != before->version + 1)
        return "the version did not rise by one";
    if (before->stop != NULL && after->stop != NULL &&
        strcmp(before->stop->cause, after->stop->cause) != 0 &&
        !procedure_is_terminal(after->phase))
        return "the cause of a stop changed";
    forward = judge_forward(before, attempt, after);
    return forward != NULL ? forward : judge_order(before, attempt, after);
}

static bool must_be_stale(const Pb__Event *event)
{
    return event->body_case == PB__EVENT__BODY_TASK_FINISHED ||
           event->body_case == PB__EVENT__BODY_TASK_LOST ||
           event->body_case == PB__EVENT__BODY_TIMER_FIRED ||
           event->body_case == PB__EVENT__BODY_LANE_GRANTED ||
           event->body_case == PB__EVENT__BODY_PLAN_COMPILED;
}

static bool same_bytes(struct arena *arena, const void *a, const void *b)
{
    const struct pb_bytes left = pb_pack(arena, a);
    const struct pb_bytes right = pb_pack(arena, b);

    return left.length == right.length && memcmp(left.bytes, right.bytes, left.length) == 0;
}

const char *judge_again(struct search *search,
                        const struct attempt *attempt,
                        const struct procedure_input *input,
                        const struct procedure_output *output)
{
    struct arena *const arena = &search->scratch;
    struct procedure_output *const again = arena_alloc(arena, sizeof *again);
    struct procedure_input next = *input;
    const struct world none = { 0 };
    enum procedure_answer answer = procedure_step(arena, input, again);
    uint64_t keys[2][2];

    if (answer != PROCEDURE_APPLIED || !same_bytes(arena, again->after, output->after) ||
        again->effects.count != output->effects.count)
        return "the same event gives another state";
    next.before = output->after;
    next.plan = search->plan;
    answer = procedure_step(arena, &next, again);
    if (must_be_stale(attempt->event) && answer != PROCEDURE_STALE)
        return "a word that comes twice is not stale";
    if (answer != PROCEDURE_APPLIED)
        return NULL;
    key_of(output->after, &none, keys[0]);
    key_of(again->after, &none, keys[1]);
    return memcmp(keys[0], keys[1], sizeof keys[0]) == 0 ? NULL
                                                         : "what comes twice counts twice";
}
