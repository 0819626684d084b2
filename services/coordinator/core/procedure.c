#include "services/coordinator/core/procedure.h"

#include "common/wire/digest.h"
#include "services/coordinator/core/flow.h"

#include <stdarg.h>
#include <stdio.h>

enum procedure_answer turn_stale(struct turn *turn, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(turn->out->why, sizeof turn->out->why, format, arguments);
    va_end(arguments);
    return PROCEDURE_STALE;
}

enum procedure_answer turn_refuse(struct turn *turn,
                                  const char *code,
                                  const char *detail,
                                  const char *remedy)
{
    const struct effect_answer answer = {
        .request = turn->event->request->request,
        .applied = false,
        .code = code,
        .detail = detail,
        .remedy = remedy,
    };

    turn->out->effects.count = 0;
    effect_answer(turn, &answer);
    (void)snprintf(turn->out->why, sizeof turn->out->why, "%s: %s", code, detail);
    return PROCEDURE_REFUSED;
}

static enum procedure_answer impossible(struct procedure_output *out, const char *why)
{
    out->effects.count = 0;
    out->after = NULL;
    (void)snprintf(out->why, sizeof out->why, "%s", why);
    return PROCEDURE_IMPOSSIBLE;
}

static enum procedure_answer dispatch(struct turn *turn)
{
    const Pb__Event *const event = turn->event;

    switch (event->body_case) {
    case PB__EVENT__BODY_PLAN_COMPILED: return plan_compiled(turn, event->plan_compiled);
    case PB__EVENT__BODY_ACCEPTANCE_RECEIVED:
        return acceptance_received(turn, event->acceptance_received);
    case PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN:
        return acceptance_withdrawn(turn, event->acceptance_withdrawn);
    case PB__EVENT__BODY_TIMER_FIRED: return timer_fired(turn, event->timer_fired);
    case PB__EVENT__BODY_TASK_LOST: return task_lost(turn, event->task_lost);
    case PB__EVENT__BODY_TASK_STARTED: return task_started(turn, event->task_started);
    case PB__EVENT__BODY_TASK_FINISHED: return task_finished(turn, event->task_finished);
    case PB__EVENT__BODY_TASK_PROGRESS: return task_progress(turn, event->task_progress);
    case PB__EVENT__BODY_HOLD_SET: return hold_set(turn, event->hold_set);
    case PB__EVENT__BODY_HOLD_CLEARED: return hold_cleared(turn, event->hold_cleared);
    case PB__EVENT__BODY_KILL_SEEN: return kill_seen(turn, event->kill_seen);
    case PB__EVENT__BODY_LANE_GRANTED: return lane_granted(turn, event->lane_granted);
    case PB__EVENT__BODY_SUPERSEDED_BY: return superseded_by(turn, event->superseded_by);
    case PB__EVENT__BODY_INCIDENT: return incident_reported(turn, event->incident);
    case PB__EVENT__BODY_REQUEST: return operator_request(turn, event->request);
    case PB__EVENT__BODY_ATTEMPT_MOVED: return attempt_moved(turn, event->attempt_moved);
    case PB__EVENT__BODY_ATTEMPT_CREATED: return turn_stale(turn, "it exists already");
    default: return impossible(turn->out, "an event that is not for a deployment");
    }
}

/* Chain over the ids of all applied events: two folds that agree on it saw the same record. */
static void chain(struct turn *turn)
{
    const char *const link =
        arena_printf(turn->arena, "%s %s", turn->state->record_hash, turn->event_id);
    char hex[DIGEST_HEX_SIZE];
    size_t length = 0;

    while (link[length] != '\0')
        length++;
    digest_sha256(link, length, hex);
    turn->state->record_hash = arena_text(turn->arena, hex);
    turn->state->last_event_id = turn->event_id;
}

/* What the timeline holds as well goes first. False when even then it is too large. Results and
 * receipts are the state's own: nothing of the event is changed. */
static bool state_fits(struct turn *turn)
{
    Pb__DeploymentState *const state = turn->state;

    if (protobuf_c_message_get_packed_size(&state->base) <= PB_STATE_MAX)
        return true;
    for (size_t s = 0; s < state->n_steps; s++) {
        for (size_t i = 0; i < state->steps[s]->n_results; i++) {
            if (state->steps[s]->results[i]->verdict == PB__VERDICT__PASS)
                state->steps[s]->results[i]->observed = "";
            state->steps[s]->results[i]->remedy = "";
        }
    }
    for (size_t i = 0; i < state->n_receipts; i++)
        state->receipts[i]->link = "";
    state->n_links = 0;
    return protobuf_c_message_get_packed_size(&state->base) <= PB_STATE_MAX;
}

static enum procedure_answer finish(struct turn *turn)
{
    Pb__DeploymentState *const state = turn->state;

    settle(turn);
    if (!turn->immaterial)
        state->changed_version = state->version;
    waiting_fill(turn);
    timers_settle(turn);
    waiting_fill(turn); /* Its deadline follows the clocks. */
    chain(turn);
    if (turn->overflowed)
        return impossible(turn->out, "more effects than one event may have");
    if (!state_fits(turn))
        return impossible(turn->out, "the state would be larger than 32 KiB");
    effects_order(&turn->out->effects);
    turn->out->after = turn->state;
    return PROCEDURE_APPLIED;
}

static enum procedure_answer first_word(struct turn *turn, const Pb__Event *event)
{
    if (event->body_case == PB__EVENT__BODY_REQUEST)
        return turn_refuse(turn, "no-such", "there is no such deployment", "");
    if (event->body_case != PB__EVENT__BODY_ATTEMPT_CREATED || event->attempt_created == NULL)
        return turn_stale(turn, "there is no such deployment");
    return birth(turn, event->attempt_created);
}

enum procedure_answer procedure_step(struct arena *arena,
                                     const struct procedure_input *input,
                                     struct procedure_output *ret)
{
    struct turn turn = {
        .arena = arena,
        .plan = input->plan,
        .event = input->event,
        .event_id = input->event_id,
        .by = "coordinator",
        .now_ms = input->at_ms,
        .out = ret,
    };
    enum procedure_answer answer;

    ret->after = NULL;
    ret->effects.count = 0;
    ret->why[0] = '\0';
    turn.state = input->before != NULL ? pb_clone(arena, input->before)
                                       : pb_new(arena, &pb__deployment_state__descriptor);
    if (turn.now_ms < turn.state->now_ms)
        turn.now_ms = turn.state->now_ms;
    turn.state->now_ms = turn.now_ms;
    turn.state->version++;
    answer = input->before != NULL ? dispatch(&turn) : first_word(&turn, input->event);
    if (answer == PROCEDURE_APPLIED)
        return finish(&turn);
    if (answer == PROCEDURE_STALE)
        ret->effects.count = 0;
    return answer;
}
