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

/* Each of the plan's, accepted, and for the try that counts. */
static bool all_signed(const Pb__Plan *plan, const Pb__DeploymentState *state)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->n_signoffs; i++) {
        for (size_t k = 0; k < state->n_signoffs; k++) {
            const Pb__SignOffGiven *const given = state->signoffs[k];

            count += given->step == plan->signoffs[i]->step && given->accept &&
                     strcmp(given->role, plan->signoffs[i]->role) == 0 &&
                     given->try_number == state->steps[given->step]->try_number;
        }
    }
    return count == plan->n_signoffs;
}

static const char *judge_end(const struct search *search,
                             const Pb__DeploymentState *state,
                             const struct world *world)
{
    const Pb__Plan *const plan = search->plan;

    if (main_task(state) != NULL)
        return "invariant 1: terminal with a task";
    for (size_t i = 0; i < state->n_lanes; i++) {
        if (state->lanes[i]->asked || state->lanes[i]->grant != 0)
            return "invariant 9: terminal with a lane";
    }
    if (state->n_holds > 0)
        return "invariant 1: terminal with a hold";
    if (state->phase == PB__PHASE__COMPLETED) {
        if (world->percent != plan->stages[plan->n_stages - 1]->percent && !world->latched &&
            world->late == LATE_NOBODY)
            return "invariant 1: COMPLETED with the flag not at its planned stage";
        if (world->changed != all_batches(plan) || !all_signed(plan, state))
            return "invariant 1: COMPLETED without every change and sign-off";
        return NULL;
    }
    if ((world->changed & ~may_stay(search, world)) != 0)
        return "invariant 9: ended with a change still applied";
    return world->percent != 0 ? "invariant 2: ended with the flag on" : NULL;
}

/* Several lanes are asked for one after the other: those before are held meanwhile. */
static bool asks_for_a_lane(const Pb__DeploymentState *state)
{
    for (size_t i = 0; i < state->n_lanes; i++) {
        if (state->lanes[i]->asked)
            return state->phase == PB__PHASE__QUEUED && state->n_holds == 0;
    }
    return false;
}

static const char *judge_bounds(const Pb__DeploymentState *state)
{
    if (state->n_tasks > 5 || state->n_timers > 8 || state->n_incidents > 8 ||
        state->n_holds > 8)
        return "invariant 5: a bound of the state is passed";
    for (size_t i = 0; i < state->n_lanes; i++) {
        if (state->lanes[i]->grant != 0 && state->step <= 1 &&
            state->phase != PB__PHASE__CHECKING && !asks_for_a_lane(state))
            return "invariant 9: a lane held at rest with nothing applied";
    }
    return NULL;
}

static bool is_armed(const Pb__DeploymentState *state, const char *timer)
{
    for (size_t i = 0; i < state->n_timers; i++) {
        if (strcmp(state->timers[i]->id, timer) == 0)
            return true;
    }
    return false;
}

/* Work that never answers ends by its deadline, a drive that waits begins by its clock. */
static const char *judge_clocks(const Pb__DeploymentState *state)
{
    const Pb__TaskState *const task = main_task(state);

    if (task != NULL && !is_armed(state, task->retry_at_ms != 0 ? "retry" : "task"))
        return "invariant 3: work without a clock";
    if (task == NULL && state->phase == PB__PHASE__BLOCKED && state->step < 7 &&
        !is_armed(state, "phase"))
        return "invariant 3: a rest without a deadline";
    return NULL;
}

static const char *judge_flags(const struct search *search,
                               const Pb__DeploymentState *state,
                               const struct world *world)
{
    const Pb__Cursor first = { .stage = 0 };
    const uint32_t needed =
        course_before(search->plan, course_at(search->plan, "activate", &first));

    if (world->percent != 0 && (world->passed & needed) != needed)
        return "invariant 2: a flag on before step 3 was Go";
    if (state->phase == PB__PHASE__BLOCKED && state->flags->disabled && world->percent != 0 &&
        world->late == LATE_NOBODY)
        return "invariant 2: BLOCKED as disabled, flag on";
    return NULL;
}

const char *judge_state(const struct search *search,
                        const Pb__DeploymentState *state,
                        const struct world *world)
{
    const char *breach = judge_bounds(state);
    const Pb__WaitingFor *const wait = state->waiting_for;

    if (breach != NULL)
        return breach;
    if (wait == NULL || wait->kind[0] == '\0' || wait->sentence[0] == '\0')
        return "invariant 3: it does not say what it waits for";
    if (procedure_is_terminal(state->phase))
        return judge_end(search, state, world);
    if (wait->since_ms <= 0 || wait->unblock[0] == '\0' || wait->otherwise[0] == '\0')
        return "invariant 3: it does not say since when, what ends it, or what happens "
               "otherwise";
    if (strcmp(wait->kind, "NONE") == 0)
        return "invariant 3: not ended, and waits for nothing";
    if (main_task(state) == NULL && wait->n_who == 0 && state->n_timers == 0 &&
        strcmp(wait->kind, "LANE") != 0 && strcmp(wait->kind, "TASK") != 0)
        return "invariant 3: at rest with nobody to wait for";
    breach = judge_clocks(state);
    return breach != NULL ? breach : judge_flags(search, state, world);
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

/* A window that closes during step 2 lets it finish, within the plan's grace. */
static bool hold_forbids(const Pb__Plan *plan, const Pb__DeploymentState *state)
{
    for (size_t i = 0; i < state->n_holds; i++) {
        const Pb__Hold *const hold = state->holds[i];

        if (hold->kind != PB__HOLD_KIND__HOLD_WINDOW || state->step != 2 ||
            state->now_ms >= hold->since_ms + plan->window_grace_ms)
            return true;
    }
    return false;
}

static const char *judge_forward(const Pb__Plan *plan,
                                 const Pb__DeploymentState *before,
                                 const struct attempt *attempt,
                                 const Pb__DeploymentState *after)
{
    if (forward_started(before, after) == NULL)
        return NULL;
    if (hold_forbids(plan, after) || after->stop != NULL)
        return "invariant 1: forward work started under a hold or a stop";
    if (after->flags->killed || (attempt->world.latched && !attempt->world.unseen))
        return "invariant 2: forward work started after the latch";
    if (is_open(after, PB__SEVERITY__CRITICAL))
        return "invariant 1: forward work started with a critical incident open";
    return NULL;
}

static bool running_step(const Pb__DeploymentState *state)
{
    return state->phase >= PB__PHASE__CHECKING && state->phase <= PB__PHASE__FINALISING;
}

static const char *judge_order(const Pb__DeploymentState *before,
                               const struct attempt *attempt,
                               const Pb__DeploymentState *after)
{
    const int up = (int)after->step - (int)before->step;
    const bool completed =
        after->phase == PB__PHASE__COMPLETED && before->phase != PB__PHASE__COMPLETED;
    const bool bad = attempt->why == WHY_FAIL || attempt->why == WHY_TIME;
    const bool ended = (up == 1 && after->step >= 2) || completed;

    if (up > 2 || (up == 2 && before->step != 1) || (up > 0 && !running_step(after)))
        return "invariant 1: steps out of order";
    if (bad && (up > 0 || completed))
        return "invariant 8: went forward by a failure, silence or a deadline";
    if (before->step == 6 && after->step == 7 && is_open(before, PB__SEVERITY__WARNING) &&
        is_open(after, PB__SEVERITY__WARNING))
        return "invariant 1: step 6 Go with an incident open";
    if (ended && before->phase != PB__PHASE__BLOCKED &&
        is_held(before, PB__HOLD_KIND__HOLD_OPERATOR) &&
        is_held(after, PB__HOLD_KIND__HOLD_OPERATOR))
        return "invariant 1: a step ended under a pause";
    return NULL;
}

const char *judge_move(const struct search *search,
                       const Pb__DeploymentState *before,
                       const struct attempt *attempt,
                       const struct procedure_output *output)
{
    const Pb__DeploymentState *const after = output->after;
    const char *forward;

    if (procedure_is_terminal(before->phase) && after->phase != before->phase)
        return "invariant 1: a terminal deployment moved";
    if (after->version != before->version + 1)
        return "invariant 4: the version did not rise by one";
    if (before->stop != NULL && after->stop != NULL &&
        strcmp(before->stop->cause, after->stop->cause) != 0 &&
        !procedure_is_terminal(after->phase))
        return "invariant 5: the cause of a stop changed";
    forward = judge_forward(search->plan, before, attempt, after);
    return forward != NULL ? forward : judge_order(before, attempt, after);
}

static bool must_be_stale(const Pb__Event *event)
{
    return event->body_case == PB__EVENT__BODY_TASK_FINISHED ||
           event->body_case == PB__EVENT__BODY_TASK_LOST ||
           event->body_case == PB__EVENT__BODY_TIMER_FIRED ||
           event->body_case == PB__EVENT__BODY_LANE_GRANTED ||
           event->body_case == PB__EVENT__BODY_SUPERSEDED_BY ||
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
        return "invariant 5: the same event gives another state";
    next.before = output->after;
    next.plan = search->plan;
    answer = procedure_step(arena, &next, again);
    if (must_be_stale(attempt->event) && answer != PROCEDURE_STALE)
        return "invariant 4: a word that comes twice is not stale";
    if (answer != PROCEDURE_APPLIED)
        return NULL;
    key_of(output->after, &none, keys[0]);
    key_of(again->after, &none, keys[1]);
    return memcmp(keys[0], keys[1], sizeof keys[0]) == 0
               ? NULL
               : "invariant 4: what comes twice counts twice";
}
