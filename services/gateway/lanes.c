/* Lanes: who changes what, who waits. */
#include "services/gateway/resources.h"

#include "common/base/json.h"

static void write_lane(struct json *json, const Pb__LaneState *lane)
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
        json_end_object(json);
    }
    json_put_text(json, "top", lane->top);
    json_put_array(json, "queue");
    for (size_t i = 0; i < lane->n_queue; i++) {
        json_put_object(json, NULL);
        json_put_text(json, "deployment", lane->queue[i]->deployment);
        json_put_uint(json, "number", lane->queue[i]->number);
        json_put_bool(json, "undo", lane->queue[i]->undo);
        json_put_text(json, "undo_of", lane->queue[i]->undo_of);
        view_time(json, "since_ms", lane->queue[i]->at_ms);
        json_end_object(json);
    }
    json_end_array(json);
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

        if (projection_lane(projection, call_item(call), names[i], &lane, &error) == ERR_OK)
            write_lane(&json, lane);
    }
    json_end_array(&json);
    json_put_null(&json, "next");
    json_end_object(&json);
}
