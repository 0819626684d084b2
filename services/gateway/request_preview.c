/* What a request would do: the coordinator's core on a copy of the state. */
#include "services/gateway/resources.h"

#include "common/base/json.h"

#include <string.h>

/* --- words --- */

/* "4 min 12 s" */
static const char *duration(struct arena *arena, int64_t ms)
{
    const long long seconds = (long long)(ms + 999) / 1000;

    if (seconds < 60)
        return arena_printf(arena, "%lld s", seconds);
    if (seconds < 3600)
        return arena_printf(arena, "%lld min %lld s", seconds / 60, seconds % 60);
    return arena_printf(arena, "%lld h %lld min", seconds / 3600, seconds / 60 % 60);
}

static bool begins_undo(const Pb__DeploymentState *before, const Pb__DeploymentState *after)
{
    return before->stop == NULL && after->stop != NULL;
}

static const char *lead_of(struct gateway_call *call,
                           const struct view_source *source,
                           const Pb__DeploymentState *after)
{
    if (begins_undo(source->state, after))
        return arena_printf(call->arena,
                            "At most %s, flags off in milliseconds, then exit %s.",
                            duration(call->arena, view_undo_estimate_ms(source)),
                            after->stop->kind == PB__CAUSE_KIND__DECISION ? "ABORTED"
                                                                          : "ROLLED_BACK");
    return after->waiting_for != NULL ? after->waiting_for->sentence : "";
}

static void write_irreversible(struct json *json,
                               const struct view_source *source,
                               const Pb__Event *event,
                               const Pb__DeploymentState *after)
{
    json_put_array(json, "irreversible");
    if (begins_undo(source->state, after))
        json_put_text(json, NULL, "It cannot be paused once begun.");
    for (size_t i = 0; event->request->body_case == PB__OPERATOR_REQUEST__BODY_APPROVE &&
                       source->plan != NULL && i < source->plan->n_changes;
         i++) {
        if (source->plan->changes[i]->on_rollback == PB__ON_ROLLBACK__MANUAL)
            json_put_text(json, NULL, source->plan->changes[i]->note);
    }
    json_end_array(json);
}

static const Pb__Approve *approve_of(const Pb__Event *event)
{
    return event->request->body_case == PB__OPERATOR_REQUEST__BODY_APPROVE
               ? event->request->approve
               : NULL;
}

/* --- the core --- */

/* A preview of an approval is one of an approval that names everything. */
static const Pb__Event *complete_event(struct gateway_call *call,
                                       const struct view_source *source,
                                       const Pb__Event *event)
{
    Pb__Event *complete;

    if (event->request->body_case != PB__OPERATOR_REQUEST__BODY_APPROVE)
        return event;
    complete = pb_clone(call->arena, event);
    complete->request->approve->n_accept_no_return = 0;
    for (uint32_t i = 0; source->plan != NULL && i < source->plan->n_changes; i++)
        PB_APPEND(call->arena, complete->request->approve, accept_no_return, i + 1);
    return complete;
}

static void write_preview(struct gateway_call *call,
                          const struct view_source *source,
                          const Pb__Event *event,
                          const Pb__DeploymentState *after)
{
    struct json json = call_json(call);
    struct view_source copy = *source;

    copy.state = after;
    json_put_object(&json, NULL);
    json_put_object(&json, "preview");
    json_put_text(&json, "lead", lead_of(call, source, after));
    if (begins_undo(source->state, after)) {
        view_effects(&json, "effects", source);
    } else {
        json_put_array(&json, "effects");
        json_end_array(&json);
    }
    write_irreversible(&json, source, event, after);
    view_confirm(&json, source, approve_of(event));
    json_put_text(&json, "phase_after", pb_phase_name(after->phase));
    json_put_uint(&json, "version", source->state->version);
    view_waiting(&json, "waiting_for", after);
    view_undo(&json, "undo", after->stop != NULL ? source : &copy);
    json_end_object(&json);
    json_end_object(&json);
}

static const struct effect_answer *answer_in(const struct effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        if (effects->item[i].kind == EFFECT_ANSWER)
            return &effects->item[i].answer;
    }
    return NULL;
}

static void answer_no(struct gateway_call *call,
                      const struct view_source *source,
                      const struct procedure_output *output)
{
    const struct effect_answer *const answer = answer_in(&output->effects);
    struct problem problem = { .code = "not-now",
                               .detail = output->why,
                               .deployment = source->state->id };

    if (answer != NULL) {
        problem.code = answer->code;
        problem.detail = answer->detail;
        problem.remedy = answer->remedy;
    }
    request_refused(call, &problem, source);
}

void request_preview(struct gateway_call *call,
                     const struct view_source *source,
                     const Pb__Event *event)
{
    const struct procedure_input input = {
        .before = source->state,
        .plan = source->plan,
        .event = complete_event(call, source, event),
        .event_id = event->request->request,
        .at_ms = call->now_ms,
    };
    struct procedure_output *const output = arena_alloc(call->arena, sizeof *output);

    call->wait_version = event->request->expected_version;
    if (procedure_step(call->arena, &input, output) == PROCEDURE_APPLIED)
        write_preview(call, source, event, output->after);
    else
        answer_no(call, source, output);
}
