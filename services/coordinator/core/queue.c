#include "services/coordinator/core/flow.h"

#include <string.h>

static int name_order(const char *a, const char *b)
{
    return strcmp(a, b);
}

static const char *lane_key(const struct turn *turn, const char *lane)
{
    return arena_printf(turn->arena, "lane/%s", lane);
}

/* One lane a service, in name order, each once. */
static void lanes_prepare(struct turn *turn)
{
    Pb__DeploymentState *const state = turn->state;

    if (state->n_lanes > 0)
        return;
    for (size_t i = 0; i < state->n_services; i++) {
        Pb__LaneHold *const lane = pb_new(turn->arena, &pb__lane_hold__descriptor);
        size_t at = state->n_lanes;
        bool known = false;

        lane->lane = arena_printf(turn->arena, "%s/%s", state->environment, state->services[i]);
        for (size_t k = 0; k < state->n_lanes; k++)
            known = known || pb_same(state->lanes[k]->lane, lane->lane);
        if (known)
            continue;
        PB_APPEND(turn->arena, state, lanes, lane);
        for (; at > 0 && name_order(state->lanes[at - 1]->lane, lane->lane) > 0; at--)
            state->lanes[at] = state->lanes[at - 1];
        state->lanes[at] = lane;
    }
}

void queue_enter(struct turn *turn)
{
    intake_again(turn);
    turn->state->resting_why = "";
    turn->state->resting_remedy = "";
    /* Services may have changed with the plan; none of these lanes is held here. */
    turn->state->n_lanes = 0;
    lanes_prepare(turn);
    phase_enter(turn, PB__PHASE__QUEUED, PB__SUB__SUB_LANES, turn->plan->queue_deadline_ms);
    (void)entry_add(turn, "Queued", "approved and complete: it waits for window and lanes");
}

static void lane_request(struct turn *turn, Pb__LaneHold *lane, bool undo)
{
    Pb__Event *const event = effect_event(turn, lane_key(turn, lane->lane), "");
    Pb__LaneRequested *const body = pb_new(turn->arena, &pb__lane_requested__descriptor);

    lane->asked = true;
    lane->number = turn->state->version;
    body->lane = lane->lane;
    body->deployment = turn->state->id;
    body->feature = turn->state->feature;
    body->number = lane->number;
    body->undo = undo;
    body->undo_of = turn->state->undo_of;
    event->body_case = PB__EVENT__BODY_LANE_REQUESTED;
    event->lane_requested = body;
}

static bool change_in_lane(const struct turn *turn, uint32_t change, const char *lane)
{
    const Pb__Change *const of = plan_change(turn, change);
    const char *const service = strrchr(lane, '/');

    return of != NULL &&
           (of->service[0] == '\0' || (service != NULL && pb_same(service + 1, of->service)));
}

/* Something of this deployment is still to be taken back there. */
static bool undoes_in(const struct turn *turn, const char *lane)
{
    for (size_t i = 0; i < turn->state->n_applied; i++) {
        const uint32_t index = turn->state->applied[i]->change;
        const Pb__Change *const change = plan_change(turn, index);

        if (change_in_lane(turn, index, lane) && change->on_rollback != PB__ON_ROLLBACK__KEEP)
            return true;
    }
    return false;
}

bool lanes_ask(struct turn *turn, bool undo)
{
    for (size_t i = 0; i < turn->state->n_lanes; i++) {
        Pb__LaneHold *const lane = turn->state->lanes[i];

        if (lane->grant != 0 || (undo && !undoes_in(turn, lane->lane)))
            continue;
        if (!lane->asked)
            lane_request(turn, lane, undo);
        return false;
    }
    return true;
}

/* This deployment leaves the lane changed: it is its new top. */
static bool leaves_change(const struct turn *turn, const char *lane)
{
    for (size_t i = 0; i < turn->state->n_applied; i++) {
        if (change_in_lane(turn, turn->state->applied[i]->change, lane))
            return true;
    }
    for (size_t i = 0; i < turn->state->n_skipped; i++) {
        if (change_in_lane(turn, turn->state->skipped[i], lane))
            return true;
    }
    return false;
}

/* Whose change in its lanes this deployment makes, or takes back. */
static const char *changer(const struct turn *turn)
{
    const Pb__DeploymentState *const state = turn->state;

    return state->undo_of[0] != '\0' ? state->undo_of : state->id;
}

static Pb__LaneReleased *lane_release(struct turn *turn, Pb__LaneHold *lane)
{
    const Pb__DeploymentState *const state = turn->state;
    Pb__Event *const event = effect_event(turn, lane_key(turn, lane->lane), "");
    Pb__LaneReleased *const body = pb_new(turn->arena, &pb__lane_released__descriptor);

    body->lane = lane->lane;
    body->deployment = state->id;
    body->number = lane->number;
    body->grant = lane->grant;
    body->top = leaves_change(turn, lane->lane) ? changer(turn) : lane->below;
    body->withdrawn = lane->grant == 0;
    event->body_case = PB__EVENT__BODY_LANE_RELEASED;
    event->lane_released = body;
    lane->grant = 0;
    lane->asked = false;
    return body;
}

/* Given back as changed by this deployment, not held since, and nothing of that is left: a
 * person restored it by hand, or it is kept as planned. */
static bool restored_unheld(const struct turn *turn, const Pb__LaneHold *lane)
{
    if (lane->grant != 0 || state_step(turn, 2)->began_ms == 0 ||
        leaves_change(turn, lane->lane))
        return false;
    for (uint32_t i = 0; turn->plan != NULL && i < turn->plan->n_changes; i++) {
        if (change_in_lane(turn, i, lane->lane))
            return true;
    }
    return false;
}

void lanes_give_back(struct turn *turn)
{
    for (size_t i = 0; i < turn->state->n_lanes; i++) {
        Pb__LaneHold *const lane = turn->state->lanes[i];

        if (lane->asked || lane->grant != 0)
            (void)lane_release(turn, lane);
    }
}

void lanes_withdraw(struct turn *turn)
{
    for (size_t i = 0; i < turn->state->n_lanes; i++) {
        Pb__LaneHold *const lane = turn->state->lanes[i];

        if (lane->asked && lane->grant == 0)
            (void)lane_release(turn, lane);
    }
}

void lanes_leave(struct turn *turn)
{
    for (size_t i = 0; i < turn->state->n_lanes; i++) {
        Pb__LaneHold *const lane = turn->state->lanes[i];

        if (!restored_unheld(turn, lane))
            continue;
        if (!lane->asked)
            lane->number = turn->state->version; /* So that it counts once. */
        lane_release(turn, lane)->restored = changer(turn);
    }
    lanes_give_back(turn);
}

/* Lanes are asked for only while the window is open and nothing holds; what was asked for is
 * withdrawn, so that nobody waits behind a deployment that may not start. */
void queue_settle(struct turn *turn)
{
    if (turn->state->n_holds > 0)
        lanes_give_back(turn);
    else if (lanes_ask(turn, false))
        intake_go(turn);
}

enum procedure_answer lane_granted(struct turn *turn, const Pb__LaneGranted *granted)
{
    Pb__DeploymentState *const state = turn->state;

    for (size_t i = 0; i < state->n_lanes; i++) {
        Pb__LaneHold *const lane = state->lanes[i];

        if (!pb_same(lane->lane, granted->lane))
            continue;
        if (!lane->asked || lane->number != granted->number || lane->grant != 0)
            break;
        lane->grant = granted->grant;
        lane->asked = false;
        if (state->phase == PB__PHASE__QUEUED)
            lane->below = granted->top;
        (void)entry_add(turn,
                        "LaneGranted",
                        "lane %s, grant %llu",
                        lane->lane,
                        (unsigned long long)granted->grant);
        if (state->phase == PB__PHASE__BLOCKED_ROLLBACK) {
            state->superseded_by = "";
            phase_enter(turn, PB__PHASE__STOPPING, PB__SUB__SUB_CANCEL, 0);
        }
        return PROCEDURE_APPLIED;
    }
    return turn_stale(turn,
                      "grant %llu of %s answers request %llu, which is not the newest",
                      (unsigned long long)granted->grant,
                      granted->lane,
                      (unsigned long long)granted->number);
}

void undo_block_superseded(struct turn *turn)
{
    const char *const top = turn->state->superseded_by;
    const char *lane = "the lane";

    for (size_t i = 0; i < turn->state->n_lanes; i++) {
        if (turn->state->lanes[i]->asked && turn->state->lanes[i]->grant == 0)
            lane = turn->state->lanes[i]->lane;
    }
    undo_block(
        turn,
        arena_printf(turn->arena,
                     "%s changed %s after this one; code is never restored under a newer "
                     "deployment",
                     top,
                     lane),
        arena_printf(turn->arena,
                     "take %s back first, then this goes on by itself; or mark the "
                     "changes restored or skipped",
                     top));
}

enum procedure_answer superseded_by(struct turn *turn, const Pb__SupersededBy *superseded)
{
    Pb__DeploymentState *const state = turn->state;
    /* Also when the wait for the lane has ended meanwhile: the lane says it once. */
    const bool waits =
        state->phase == PB__PHASE__STOPPING ||
        (state->phase == PB__PHASE__BLOCKED_ROLLBACK && state->superseded_by[0] == '\0');

    for (size_t i = 0; i < state->n_lanes && waits; i++) {
        const Pb__LaneHold *const lane = state->lanes[i];

        if (!pb_same(lane->lane, superseded->lane) || !lane->asked ||
            lane->number != superseded->number)
            continue;
        state->superseded_by = superseded->top;
        undo_block_superseded(turn);
        return PROCEDURE_APPLIED;
    }
    return turn_stale(turn, "nobody waits for %s under that number", superseded->lane);
}
