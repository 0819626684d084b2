#include "services/coordinator/core/lane.h"

#include <stdio.h>
#include <string.h>

enum { FORWARD_MAX = 64, ENDED_MAX = 32, RESTORED_MAX = 32 };

struct lane_turn {
    struct arena *arena;
    const struct lane_input *input;
    struct lane_output *out;
    Pb__LaneState *lane;
};

static enum procedure_answer lane_stale(struct lane_turn *turn, const char *why)
{
    (void)snprintf(turn->out->why, sizeof turn->out->why, "%s", why);
    return PROCEDURE_STALE;
}

static Pb__Event *tell(struct lane_turn *turn, const Pb__LaneRequest *request)
{
    struct effects *const effects = &turn->out->effects;
    struct effect *const effect = &effects->item[effects->count++];

    *effect = (struct effect){ .kind = EFFECT_EVENT, .worker = "", .task = "" };
    effect->key = request->feature;
    effect->event = pb_new(turn->arena, &pb__event__descriptor);
    effect->event->deployment = request->deployment;
    effect->event->feature = request->feature;
    return effect->event;
}

static void tell_granted(struct lane_turn *turn, const Pb__LaneRequest *request)
{
    Pb__Event *const event = tell(turn, request);
    Pb__LaneGranted *const granted = pb_new(turn->arena, &pb__lane_granted__descriptor);

    granted->lane = turn->lane->lane;
    granted->deployment = request->deployment;
    granted->number = request->number;
    granted->grant = turn->lane->grant;
    granted->top = turn->lane->top;
    event->body_case = PB__EVENT__BODY_LANE_GRANTED;
    event->lane_granted = granted;
}

static void tell_superseded(struct lane_turn *turn, const Pb__LaneRequest *request)
{
    Pb__Event *const event = tell(turn, request);
    Pb__SupersededBy *const superseded = pb_new(turn->arena, &pb__superseded_by__descriptor);

    superseded->lane = turn->lane->lane;
    superseded->deployment = request->deployment;
    superseded->number = request->number;
    superseded->top = turn->lane->top;
    event->body_case = PB__EVENT__BODY_SUPERSEDED_BY;
    event->superseded_by = superseded;
}

/* The deployment whose change the request would take back. */
static const char *undoes(const Pb__LaneRequest *request)
{
    return request->undo_of[0] != '\0' ? request->undo_of : request->deployment;
}

/* Code is never restored under a newer deployment: only the last that changed the lane may. */
static bool may_undo(const struct lane_turn *turn, const Pb__LaneRequest *request)
{
    return request->undo && pb_same(turn->lane->top, undoes(request));
}

static size_t next_in_line(const struct lane_turn *turn)
{
    const Pb__LaneState *const lane = turn->lane;

    for (size_t i = 0; i < lane->n_queue; i++) {
        if (may_undo(turn, lane->queue[i]))
            return i;
    }
    for (size_t i = 0; i < lane->n_queue; i++) {
        if (!lane->queue[i]->undo)
            return i;
    }
    return lane->n_queue;
}

static void grant_next(struct lane_turn *turn)
{
    Pb__LaneState *const lane = turn->lane;
    const size_t next = next_in_line(turn);
    const Pb__LaneRequest *request;

    if (lane->holder[0] != '\0' || next == lane->n_queue)
        return;
    request = lane->queue[next];
    lane->grant++;
    lane->holder = request->deployment;
    lane->holder_feature = request->feature;
    lane->holder_number = request->number;
    lane->since_ms = turn->input->at_ms;
    tell_granted(turn, request);
    PB_REMOVE(lane, queue, next);
}

/* Who cannot undo now is told once, by whom; the request stays and is granted when what lies
 * above has been undone. */
static void tell_who_waits(struct lane_turn *turn)
{
    for (size_t i = 0; i < turn->lane->n_queue; i++) {
        Pb__LaneRequest *const request = turn->lane->queue[i];

        if (!request->undo || request->superseded_told || may_undo(turn, request) ||
            turn->out->effects.count + 1 >= EFFECTS_MAX)
            continue;
        request->superseded_told = true;
        tell_superseded(turn, request);
    }
}

static void lane_withdraw(struct lane_turn *turn, const char *deployment)
{
    for (size_t i = turn->lane->n_queue; i-- > 0;) {
        if (pb_same(turn->lane->queue[i]->deployment, deployment))
            PB_REMOVE(turn->lane, queue, i);
    }
}

/* The request that a release ended may come once more, long after: from a coordinator that was
 * paused for minutes, or from an outbox that lost its tail. Nobody would ever release it again.
 */
static void remember_ended(struct lane_turn *turn, const Pb__LaneReleased *released)
{
    Pb__LaneEnded *const ended = pb_new(turn->arena, &pb__lane_ended__descriptor);

    for (size_t i = turn->lane->n_ended; i-- > 0;) {
        if (pb_same(turn->lane->ended[i]->deployment, released->deployment))
            PB_REMOVE(turn->lane, ended, i);
    }
    if (turn->lane->n_ended == ENDED_MAX)
        PB_REMOVE(turn->lane, ended, 0);
    ended->deployment = released->deployment;
    ended->number = released->number;
    PB_APPEND(turn->arena, turn->lane, ended, ended);
}

static bool has_ended(const struct lane_turn *turn, const char *deployment, uint64_t number)
{
    for (size_t i = 0; i < turn->lane->n_ended; i++) {
        if (pb_same(turn->lane->ended[i]->deployment, deployment))
            return turn->lane->ended[i]->number >= number;
    }
    return false;
}

/* Undos always find room: there are no more of them than deployments that changed the lane. */
static bool is_full(const struct lane_turn *turn)
{
    size_t forward = 0;

    for (size_t i = 0; i < turn->lane->n_queue; i++)
        forward += !turn->lane->queue[i]->undo;
    return forward >= FORWARD_MAX;
}

static enum procedure_answer lane_requested(struct lane_turn *turn,
                                            const Pb__LaneRequested *asked)
{
    Pb__LaneRequest *request;

    if (has_ended(turn, asked->deployment, asked->number))
        return lane_stale(turn, "that request has been released");
    if (pb_same(turn->lane->holder, asked->deployment) &&
        turn->lane->holder_number >= asked->number)
        return lane_stale(turn, "it holds the lane under that request");
    for (size_t i = 0; i < turn->lane->n_queue; i++) {
        if (pb_same(turn->lane->queue[i]->deployment, asked->deployment) &&
            turn->lane->queue[i]->number >= asked->number)
            return lane_stale(turn, "that request is in the queue");
    }
    lane_withdraw(turn, asked->deployment); /* A newer one replaces an older. */
    if (!asked->undo && is_full(turn))
        return lane_stale(turn, "the queue of the lane is full");
    request = pb_new(turn->arena, &pb__lane_request__descriptor);
    request->deployment = asked->deployment;
    request->feature = asked->feature;
    request->number = asked->number;
    request->undo = asked->undo;
    request->undo_of = asked->undo_of;
    request->at_ms = turn->input->at_ms;
    PB_APPEND(turn->arena, turn->lane, queue, request);
    return PROCEDURE_APPLIED;
}

static void remember_restored(struct lane_turn *turn, const Pb__LaneReleased *released)
{
    Pb__LaneRestored *const restored = pb_new(turn->arena, &pb__lane_restored__descriptor);

    if (turn->lane->n_restored == RESTORED_MAX)
        PB_REMOVE(turn->lane, restored, 0);
    restored->deployment = released->restored;
    restored->below = released->top;
    PB_APPEND(turn->arena, turn->lane, restored, restored);
}

/* Its undo never got the lane, and left nothing there all the same: a person restored it by
 * hand. What lies below may be taken back now. While somebody holds the lane it stays the top,
 * for it is what the holder found there, and will name when it leaves. */
static void top_settle(struct lane_turn *turn)
{
    Pb__LaneState *const lane = turn->lane;

    if (lane->holder[0] != '\0')
        return;
    for (size_t i = lane->n_restored; i-- > 0;) {
        if (!pb_same(lane->restored[i]->deployment, lane->top))
            continue;
        lane->top = lane->restored[i]->below;
        PB_REMOVE(lane, restored, i);
        i = lane->n_restored; /* What lay below may have been restored before. */
    }
}

/* True when it held the lane, or asked for it, under that number. */
static bool leave(struct lane_turn *turn, const Pb__LaneReleased *released)
{
    Pb__LaneState *const lane = turn->lane;
    bool found = false;

    if (pb_same(lane->holder, released->deployment) &&
        lane->holder_number == released->number) {
        /* A withdrawal that crossed the grant has changed nothing, so the top stays. */
        if (!released->withdrawn)
            lane->top = released->top;
        lane->holder = "";
        lane->holder_feature = "";
        lane->holder_number = 0;
        lane->since_ms = turn->input->at_ms;
        found = true;
    }
    for (size_t i = lane->n_queue; i-- > 0;) {
        if (!pb_same(lane->queue[i]->deployment, released->deployment) ||
            lane->queue[i]->number != released->number)
            continue;
        PB_REMOVE(lane, queue, i);
        found = true;
    }
    return found;
}

static enum procedure_answer lane_released(struct lane_turn *turn,
                                           const Pb__LaneReleased *released)
{
    const bool restored = released->restored[0] != '\0';

    if (!leave(turn, released) &&
        (!restored || has_ended(turn, released->deployment, released->number)))
        return lane_stale(turn, "nobody holds or asks under that number");
    if (restored)
        remember_restored(turn, released);
    top_settle(turn);
    remember_ended(turn, released);
    return PROCEDURE_APPLIED;
}

static enum procedure_answer lane_dispatch(struct lane_turn *turn)
{
    const Pb__Event *const event = turn->input->event;

    if (event->body_case == PB__EVENT__BODY_LANE_REQUESTED) {
        turn->lane->lane = event->lane_requested->lane;
        return lane_requested(turn, event->lane_requested);
    }
    if (event->body_case == PB__EVENT__BODY_LANE_RELEASED) {
        turn->lane->lane = event->lane_released->lane;
        return lane_released(turn, event->lane_released);
    }
    (void)snprintf(turn->out->why, sizeof turn->out->why, "an event that is not for a lane");
    return PROCEDURE_IMPOSSIBLE;
}

enum procedure_answer lane_step(struct arena *arena,
                                const struct lane_input *input,
                                struct lane_output *ret)
{
    struct lane_turn turn = { .arena = arena, .input = input, .out = ret };
    enum procedure_answer answer;

    ret->after = NULL;
    ret->effects.count = 0;
    ret->why[0] = '\0';
    turn.lane = input->before != NULL ? pb_clone(arena, input->before)
                                      : pb_new(arena, &pb__lane_state__descriptor);
    answer = lane_dispatch(&turn);
    if (answer != PROCEDURE_APPLIED)
        return answer;
    turn.lane->version++;
    tell_who_waits(&turn);
    grant_next(&turn);
    ret->after = turn.lane;
    return PROCEDURE_APPLIED;
}
