#include "tests/unit/coordinator_core/walk.h"

const char *const walk_lanes[LANES] = { "production/shop", "production/web" };

uint32_t dice(struct walk *walk, uint32_t sides)
{
    walk->seed ^= walk->seed << 13;
    walk->seed ^= walk->seed >> 7;
    walk->seed ^= walk->seed << 17;
    return (uint32_t)(walk->seed >> 33) % sides;
}

const Pb__TaskState *walk_task(const Pb__DeploymentState *state)
{
    for (size_t i = 0; i < state->n_tasks; i++) {
        if (!state->tasks[i]->announce)
            return state->tasks[i];
    }
    return NULL;
}

#define MUST(walk, condition, what)                                                            \
    do {                                                                                       \
        if (!(condition))                                                                      \
            fail_msg("%s:\n%s",                                                                \
                     (what),                                                                   \
                     (walk)->log +                                                             \
                         ((walk)->story.length > 3000 ? (walk)->story.length - 3000 : 0));     \
    } while (0)

/* --- what must hold --- */

/* The lane in which the task changes something, or -1. */
static int lane_changed_by(const struct walk *walk, int who)
{
    const struct party *const party = &walk->party[who];
    const Pb__TaskState *const task = walk_task(party->state);

    if (task == NULL || task->retry_at_ms != 0 ||
        (strcmp(task->kind, "apply") != 0 && strcmp(task->kind, "revert") != 0))
        return -1;
    return strcmp(party->plan->changes[party->state->cursor->change]->service, "shop") == 0 ? 0
                                                                                            : 1;
}

static bool left_changed(const struct walk *walk, int who, int lane)
{
    const struct party *const party = &walk->party[who];

    for (size_t i = 0; i < party->state->n_applied; i++) {
        const Pb__Change *const change = party->plan->changes[party->state->applied[i]->change];

        if ((strcmp(change->service, "shop") == 0 ? 0 : 1) == lane)
            return true;
    }
    return false;
}

static void check_order(struct walk *walk, int who, int lane)
{
    int *const order = walk->changed[lane];
    const char *const kind = walk_task(walk->party[who].state)->kind;
    int at = 0;

    while (at < DEPLOYMENTS && order[at] != who && order[at] != -1)
        at++;
    MUST(walk, at < DEPLOYMENTS, "more changed the lane than there are");
    order[at] = who;
    for (int later = at + 1; strcmp(kind, "revert") == 0 && later < DEPLOYMENTS; later++)
        MUST(walk,
             order[later] == -1 || !left_changed(walk, order[later], lane),
             "code restored under a newer deployment");
}

/* At most one deployment changes a lane at a time, and it holds it. */
static void check_lanes(struct walk *walk, int who)
{
    const int lane = lane_changed_by(walk, who);

    if (lane == -1)
        return;
    for (int other = 0; other < DEPLOYMENTS; other++)
        MUST(walk,
             other == who || walk->party[other].state == NULL ||
                 lane_changed_by(walk, other) != lane,
             "two deployments change one lane");
    MUST(walk,
         walk->lane[lane] != NULL && strcmp(walk->lane[lane]->holder, walk->party[who].id) == 0,
         "a lane is changed by one who does not hold it");
    check_order(walk, who, lane);
}

static void check_bounds(struct walk *walk, const Pb__DeploymentState *state)
{
    size_t waited_for = 0;

    for (size_t i = 0; i < state->n_tasks; i++)
        waited_for += !state->tasks[i]->announce;
    MUST(walk, waited_for <= 4 && state->n_tasks <= 8, "too many tasks");
    MUST(walk, state->n_timers <= 8 && state->n_incidents <= 8, "a bound is passed");
    MUST(walk,
         protobuf_c_message_get_packed_size(&state->base) <= PB_STATE_MAX,
         "the state is too large");
    MUST(walk, state->waiting_for->sentence[0] != '\0', "it does not say what it waits for");
    MUST(walk,
         procedure_is_terminal(state->phase) ||
             (state->waiting_for->since_ms > 0 && state->waiting_for->unblock[0] != '\0' &&
              state->waiting_for->otherwise[0] != '\0'),
         "it does not say since when, what ends it, or what happens otherwise");
    MUST(walk,
         procedure_is_terminal(state->phase) || walk_task(state) != NULL ||
             state->n_timers > 0 || state->waiting_for->n_who > 0 ||
             strcmp(state->waiting_for->kind, "LANE") == 0,
         "neither a task, nor a timer, nor a human, nor a lane");
}

static void check_effects(struct walk *walk,
                          const Pb__DeploymentState *before,
                          const struct procedure_output *output)
{
    for (size_t i = 0; i < output->effects.count; i++) {
        const struct effect *const effect = &output->effects.item[i];
        const bool forward = effect->kind == EFFECT_COMMAND &&
                             (effect->command->body_case == PB__COMMAND__BODY_APPLY ||
                              (effect->command->body_case == PB__COMMAND__BODY_SET_FLAGS &&
                               effect->command->set_flags->percent > 0));

        if (!forward)
            continue;
        MUST(walk, output->after->stop == NULL, "a forward effect after a stop");
        MUST(walk, !output->after->flags->killed, "a forward effect after the latch");
        MUST(walk,
             effect->command->drive > 1 || output->after->n_holds == 0,
             "a forward effect under a hold");
        MUST(walk,
             before == NULL || effect->command->body_case != PB__COMMAND__BODY_SET_FLAGS ||
                 strcmp(output->after->steps[3]->decision, "GO") == 0,
             "a flag on before step 3's Go");
    }
}

static void check_move(struct walk *walk,
                       const Pb__DeploymentState *before,
                       const struct procedure_output *output)
{
    const Pb__DeploymentState *const after = output->after;
    const int up = before != NULL ? (int)after->step - (int)before->step : 0;

    check_effects(walk, before, output);
    check_bounds(walk, after);
    if (before == NULL)
        return;
    MUST(walk, after->version == before->version + 1, "the version did not rise by one");
    MUST(walk, after->now_ms >= before->now_ms, "time went back");
    MUST(walk,
         !procedure_is_terminal(before->phase) || after->phase == before->phase,
         "a terminal deployment moved");
    MUST(walk, up <= 1, "a step was left out");
    MUST(walk,
         up <= 0 || strcmp(after->steps[after->step - 1]->decision, "GO") == 0 ||
             after->step == 1,
         "a step began before the one before was Go");
    MUST(walk,
         after->signal_sequence >= before->signal_sequence,
         "the signals' sequence went back");
}

/* --- messages --- */

static int receiver_of(const struct walk *walk, const Pb__Event *event)
{
    const char *lane = "";

    for (int i = 0; i < DEPLOYMENTS && event->deployment[0] != '\0'; i++) {
        if (strcmp(walk->party[i].id, event->deployment) == 0)
            return i;
    }
    if (event->body_case == PB__EVENT__BODY_LANE_REQUESTED)
        lane = event->lane_requested->lane;
    if (event->body_case == PB__EVENT__BODY_LANE_RELEASED)
        lane = event->lane_released->lane;
    for (int i = 0; i < LANES; i++) {
        if (strcmp(walk_lanes[i], lane) == 0)
            return DEPLOYMENTS + i;
    }
    return -1; /* A feature: not part of this. */
}

static void send(struct walk *walk, int from, const struct effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        const struct effect *const effect = &effects->item[i];
        const int to = effect->kind == EFFECT_EVENT ? receiver_of(walk, effect->event) : -1;

        if (to == -1)
            continue;
        MUST(walk, walk->messages < MESSAGES_MAX, "too many messages under way");
        walk->message[walk->messages++] = (struct message){ effect->event, from, to };
    }
}

void walk_hear(struct walk *walk, int who, const char *label, const Pb__Event *event)
{
    struct party *const party = &walk->party[who];
    struct procedure_output *const output = arena_alloc(&walk->arena, sizeof *output);
    const struct procedure_input input = {
        .before = party->state,
        .plan = party->state != NULL && party->state->plan_hash[0] != '\0' ? party->plan : NULL,
        .event = event,
        .event_id = arena_printf(&walk->arena, "e%lu", walk->applied),
        .at_ms = walk->now_ms,
    };
    const enum procedure_answer answer = procedure_step(&walk->arena, &input, output);

    MUST(walk, answer != PROCEDURE_IMPOSSIBLE, output->why);
    if (answer != PROCEDURE_APPLIED)
        return;
    text_add(
        &walk->story, "%s: %s -> %s\n", party->id, label, pb_phase_name(output->after->phase));
    check_move(walk, party->state, output);
    if (party->state != NULL && !procedure_is_terminal(party->state->phase))
        walk->exits[output->after->phase]++;
    walk->superseded += event->body_case == PB__EVENT__BODY_SUPERSEDED_BY;
    party->state = output->after;
    walk->applied++;
    send(walk, who, &output->effects);
    check_lanes(walk, who);
}

static void lane_hear(struct walk *walk, int lane, const Pb__Event *event)
{
    struct lane_output *const output = arena_alloc(&walk->arena, sizeof *output);
    const struct lane_input input = { walk->lane[lane], event, "e", walk->now_ms };
    const enum procedure_answer answer = lane_step(&walk->arena, &input, output);

    MUST(walk, answer != PROCEDURE_IMPOSSIBLE, output->why);
    if (answer != PROCEDURE_APPLIED)
        return;
    walk->lane[lane] = output->after;
    text_add(&walk->story,
             "%s: held by %s, top %s\n",
             walk_lanes[lane],
             output->after->holder,
             output->after->top);
    send(walk, DEPLOYMENTS + lane, &output->effects);
}

void walk_deliver(struct walk *walk)
{
    const size_t wanted = walk->messages > 0 ? dice(walk, (uint32_t)walk->messages) : 0;
    size_t oldest = 0;
    struct message message;

    if (walk->messages == 0)
        return;
    /* The oldest between the same two. */
    while (walk->message[oldest].from != walk->message[wanted].from ||
           walk->message[oldest].to != walk->message[wanted].to)
        oldest++;
    message = walk->message[oldest];
    for (size_t i = oldest; i + 1 < walk->messages; i++)
        walk->message[i] = walk->message[i + 1];
    walk->messages--;
    if (message.to >= DEPLOYMENTS)
        lane_hear(walk, message.to - DEPLOYMENTS, message.event);
    else
        walk_hear(walk, message.to, "message", message.event);
}
