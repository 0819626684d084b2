#include "services/coordinator/core/flow.h"

#include "common/wire/revision.h"

enum { ATTEMPT_SHIFT = 16 };

/* Steps 0 to 7, and what is always there. */
static void state_init(struct turn *turn, const Pb__AttemptCreated *created)
{
    Pb__DeploymentState *const state = turn->state;

    state->id = turn->event->deployment;
    state->feature = turn->event->feature;
    state->attempt = created->attempt;
    state->attempt_of = created->attempt_of;
    state->kind = PB__DEPLOYMENT_KIND__FORWARD;
    state->revision = PROCEDURE_REVISION;
    state->created_ms = turn->now_ms;
    state->signal_sequence = created->sequence;
    state->cursor = pb_new(turn->arena, &pb__cursor__descriptor);
    state->flags = pb_new(turn->arena, &pb__flags_state__descriptor);
    state->dates = pb_new(turn->arena, &pb__audit_dates__descriptor);
    for (uint32_t number = 0; number <= STEP_LAST; number++) {
        Pb__StepState *const step = pb_new(turn->arena, &pb__step_state__descriptor);

        step->step = number;
        PB_APPEND(turn->arena, state, steps, step);
    }
    state->steps[0]->try_number = 1;
    state->steps[0]->began_ms = turn->now_ms;
    /* Flag values of a later attempt must outrank those of all before it. */
    state->flags->sequence = (uint64_t)created->attempt << ATTEMPT_SHIFT;
}

static enum procedure_answer birth_forward(struct turn *turn, const Pb__AttemptCreated *created)
{
    const Pb__AcceptanceSignedOff *const acceptance = created->acceptance;
    Pb__DeploymentState *const state = turn->state;

    if (acceptance == NULL)
        return turn_stale(turn, "an attempt without an acceptance");
    state->environment = acceptance->environment;
    state->content_hash = created->content_hash;
    state->title = words_cut(turn, acceptance->title, 200);
    state->services = acceptance->services;
    state->n_services = acceptance->n_services;
    state->ticket = acceptance->ticket;
    state->approach = acceptance->approach;
    state->submitted_by = acceptance->submitted_by;
    (void)entry_add(turn,
                    "AcceptanceReceived",
                    "attempt %u of %s%s%s",
                    created->attempt,
                    state->feature,
                    state->ticket[0] != '\0' ? ", " : "",
                    state->ticket);
    intake_begin(turn, "");
    return PROCEDURE_APPLIED;
}

/* What the completed deployment left: its changes, what ran before them, its flags. */
static void inherit(struct turn *turn, const Pb__DeploymentState *of)
{
    Pb__DeploymentState *const state = turn->state;

    state->kind = PB__DEPLOYMENT_KIND__ROLLBACK_OF_COMPLETED;
    state->undo_of = of->id;
    state->environment = of->environment;
    state->title = of->title;
    state->services = of->services;
    state->n_services = of->n_services;
    state->ticket = of->ticket;
    state->approach = of->approach;
    state->content_hash = of->content_hash;
    state->plan_hash = of->plan_hash;
    state->approvals = of->approvals;
    state->n_approvals = of->n_approvals;
    state->applied = of->applied;
    state->n_applied = of->n_applied;
    state->baseline = of->baseline;
    state->n_baseline = of->n_baseline;
    state->links = of->links;
    state->n_links = of->n_links;
    state->available_percent = of->available_percent;
    *state->flags = *of->flags;
    state->step = STEP_LAST;
    for (uint32_t number = 0; number <= STEP_LAST && number < of->n_steps; number++) {
        state->steps[number]->began_ms = of->steps[number]->began_ms;
        state->steps[number]->try_number = 1;
    }
    for (size_t i = 0; i < of->n_lanes; i++) {
        Pb__LaneHold *const lane = pb_new(turn->arena, &pb__lane_hold__descriptor);

        lane->lane = of->lanes[i]->lane;
        lane->below = of->lanes[i]->below;
        PB_APPEND(turn->arena, state, lanes, lane);
    }
}

static bool can_be_taken_back(const Pb__DeploymentState *of)
{
    return of->phase == PB__PHASE__COMPLETED && of->kind == PB__DEPLOYMENT_KIND__FORWARD &&
           of->flags != NULL && of->n_steps == STEP_LAST + 1;
}

static enum procedure_answer birth_rollback(struct turn *turn,
                                            const Pb__AttemptCreated *created)
{
    const struct pb_bytes packed = { created->rollback_of.data, created->rollback_of.len };
    struct error error = { "" };
    void *of = NULL;

    if (pb_unpack(turn->arena, &pb__deployment_state__descriptor, packed, &of, &error) !=
        ERR_OK)
        return turn_stale(turn, "what to roll back cannot be read: %s", error.text);
    if (!can_be_taken_back(of))
        return turn_stale(turn, "what to roll back is not a completed deployment");
    inherit(turn, of);
    turn->state->submitted_by = created->actor;
    if (created->actor != NULL && created->actor->subject[0] != '\0')
        turn->by = created->actor->subject;
    (void)entry_add(turn,
                    "RollbackRequested",
                    "takes back %s, which was completed: %s",
                    turn->state->undo_of,
                    created->reason);
    stop(turn,
         PB__CAUSE_KIND__FAILURE,
         "rolled back after it was completed: %s",
         created->reason[0] != '\0' ? created->reason : "no reason given");
    feature_told(turn, true, "");
    return PROCEDURE_APPLIED;
}

enum procedure_answer birth(struct turn *turn, const Pb__AttemptCreated *created)
{
    state_init(turn, created);
    return created->rollback ? birth_rollback(turn, created) : birth_forward(turn, created);
}
