/* Lanes: who changes what, who waits. */
#include "services/gateway/resources.h"

#include "common/base/json.h"

/* The deployment for a note about it; NULL if it cannot be had: then nothing is said. */
static const Pb__DeploymentState *look_at(struct gateway_call *call, const char *deployment)
{
    Pb__DeploymentState *state = NULL;
    struct error ignored = { 0 };
    const enum err err =
        projection_deployment(call->projection, call_item(call), deployment, &state, &ignored);

    return err == ERR_OK ? state : NULL;
}

/* Until when the holder has it. */
static const char *holder_note(const Pb__DeploymentState *state)
{
    if (state == NULL)
        return "";
    if (procedure_is_terminal(state->phase))
        return "has ended, and is giving it back";
    if (state->stop != NULL)
        return "holds it until its changes are taken back and that is verified";
    if (state->n_holds > 0)
        return "is held, and holds it until step 5 ends";
    return state->phase == PB__PHASE__BLOCKED
               ? "is blocked, and holds it until step 5 ends or it is taken back"
               : "holds it until step 5 ends";
}

/* Why it is in the queue. */
static const char *queue_note(struct gateway_call *call, const Pb__LaneRequest *request)
{
    const Pb__DeploymentState *const state = look_at(call, request->deployment);

    if (request->undo)
        return arena_printf(call->arena,
                            "takes back the changes of %s; undo goes first",
                            request->undo_of[0] != '\0' ? request->undo_of
                                                        : request->deployment);
    if (state != NULL && state->phase == PB__PHASE__QUEUED)
        return "approved, inputs complete; goes on as soon as it has the lane";
    return "";
}

static void write_queue(struct gateway_call *call, struct json *json, const Pb__LaneState *lane)
{
    json_put_array(json, "queue");
    for (size_t i = 0; i < lane->n_queue; i++) {
        json_put_object(json, NULL);
        json_put_text(json, "deployment", lane->queue[i]->deployment);
        json_put_uint(json, "number", lane->queue[i]->number);
        json_put_bool(json, "undo", lane->queue[i]->undo);
        json_put_text(json, "undo_of", lane->queue[i]->undo_of);
        view_time(json, "since_ms", lane->queue[i]->at_ms);
        json_put_text(json, "note", queue_note(call, lane->queue[i]));
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_lane(struct gateway_call *call, struct json *json, const Pb__LaneState *lane)
{
    json_put_object(json, NULL);
    json_put_text(json, "lane", lane->lane);
    json_put_uint(json, "grant", lane->grant);
    if (lane->holder[0] == '\0') {
        json_put_null(json, "holder");
    } else {
        json_put_object(json, "holder");
        json_put_text(json, "deployment", lane->holder);
        view_time(json, "since_ms", lane->since_ms);
        json_put_text(json, "note", holder_note(look_at(call, lane->holder)));
        json_end_object(json);
    }
    json_put_text(json, "top", lane->top);
    write_queue(call, json, lane);
    json_end_object(json);
}

void get_lanes(struct gateway_call *call)
{
    const struct projection *const projection = call->projection;
    const char **names = NULL;
    struct error error = { 0 };
    size_t count = 0;
    struct json json;

    if (projection_lanes(projection, call->arena, &names, &count, &error) != ERR_OK) {
        call_unavailable(call, &error);
        return;
    }
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < count; i++) {
        Pb__LaneState *lane = NULL;

        if (projection_lane(projection, call->arena, names[i], &lane, &error) == ERR_OK)
            write_lane(call, &json, lane);
    }
    json_end_array(&json);
    json_put_null(&json, "next");
    json_end_object(&json);
}
