/* Freezes and windows. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/planning/compile.h"
#include "common/wire/pbjson.h"
#include "common/wire/topics.h"

#include <string.h>

enum { CREATED = 201, LIST_MAX = 500, REASON_MAX = 2000, SCOPE_MAX = 128 };

static const char *const freezers[] = {
    "release-engineer", "operations-lead", "devops-lead", NULL
};

/* --- showing --- */

/* Which live deployments it holds or will hold. */
static void write_held(struct gateway_call *call, struct json *json, const Pb__Freeze *freeze)
{
    const struct projection *const projection = call->projection;
    struct store_member *members = NULL;
    struct error error = { 0 };
    size_t count = 0;
    int64_t at_ms = freeze->from_ms > call->now_ms ? freeze->from_ms : call->now_ms;

    json_put_array(json, "holds");
    if (projection_list(projection, call->arena, true, LIST_MAX, &members, &count, &error) !=
        ERR_OK)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        Pb__DeploymentState *state = NULL;

        if (projection_deployment(projection, call->arena, members[i].name, &state, &error) ==
                ERR_OK &&
            freeze_covers(
                freeze, state->environment, state->services, state->n_services, at_ms))
            json_put_text(json, NULL, state->id);
    }
    json_end_array(json);
}

static void write_freeze(struct gateway_call *call, struct json *json, const Pb__Freeze *freeze)
{
    json_put_object(json, NULL);
    json_put_text(json, "id", freeze->id);
    json_put_text(json, "scope", freeze->scope);
    json_put_int(json, "from_ms", freeze->from_ms);
    json_put_int(json, "to_ms", freeze->to_ms);
    json_put_text(json, "reason", freeze->reason);
    json_put_text(json, "by", freeze->actor != NULL ? freeze->actor->subject : "");
    json_put_bool(
        json, "active", freeze->from_ms <= call->now_ms && call->now_ms < freeze->to_ms);
    write_held(call, json, freeze);
    json_end_object(json);
}

/* Copies, so that the lock is not held while Redis is asked. */
static size_t freezes_in_force(struct gateway_call *call, const Pb__Freeze ***ret)
{
    const Pb__Freeze *const *all = NULL;
    size_t kept = 0;
    size_t count;

    (void)pthread_mutex_lock(&call->gateway->lock);
    count = flag_table_freezes(call->gateway->flags, &all);
    *ret = arena_alloc(call->arena, (count + 1) * sizeof **ret);
    for (size_t i = 0; i < count; i++) {
        if (all[i]->lifted_ms == 0 && all[i]->to_ms > call->now_ms)
            (*ret)[kept++] = pb_clone(call->arena, all[i]);
    }
    (void)pthread_mutex_unlock(&call->gateway->lock);
    return kept;
}

void get_freezes(struct gateway_call *call)
{
    const Pb__Freeze **freezes = NULL;
    const size_t count = freezes_in_force(call, &freezes);
    struct json json = call_json(call);

    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < count; i++)
        write_freeze(call, &json, freezes[i]);
    json_end_array(&json);
    json_end_object(&json);
}

void get_windows(struct gateway_call *call)
{
    const struct settings *const settings = call->gateway->ports->settings;
    struct json json = call_json(call);

    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < settings->window_count; i++) {
        Pb__Window *windows[] = { settings->windows[i].spec };
        Pb__Plan plan = PB__PLAN__INIT;
        int64_t next_ms = 0;

        plan.windows = windows;
        plan.n_windows = 1;
        json_put_object(&json, NULL);
        json_put_text(&json, "name", settings->windows[i].name);
        json_put_bool(&json, "open", plan_window_open(&plan, call->now_ms, &next_ms));
        view_time(&json, "changes_ms", next_ms);
        pbjson_put_fields(&json, windows[0], PBJSON_SET);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
}

/* --- writing --- */

static bool publish_freeze(struct gateway_call *call, Pb__Freeze *freeze)
{
    Pb__Control *const control = pb_new(call->arena, &pb__control__descriptor);
    const char *const key = arena_printf(call->arena, "freeze/%s", freeze->id);

    control->body_case = PB__CONTROL__BODY_FREEZE;
    control->freeze = freeze;
    if (!call_publish(
            call,
            &(struct gateway_record){
                .topic = TOPIC_CONTROL,
                .key = key,
                .id = arena_printf(call->arena, "%s/%lld", key, (long long)call->now_ms),
                .type = "slipway.v1.Control",
                .subject = freeze->id,
                .message = control,
                .sign = true }))
        return false;
    (void)pthread_mutex_lock(&call->gateway->lock);
    (void)flag_table_apply(call->gateway->flags, key, control);
    (void)pthread_mutex_unlock(&call->gateway->lock);
    return true;
}

static const char *freeze_fault(const Pb__Freeze *freeze, const char **ret_field)
{
    *ret_field = "scope";
    if (strchr(freeze->scope, '/') == NULL || strlen(freeze->scope) > SCOPE_MAX)
        return "scope must be environment/service, or environment/* for all of it";
    *ret_field = "to_ms";
    if (freeze->to_ms <= freeze->from_ms)
        return "to_ms must be after from_ms";
    *ret_field = "reason";
    if (freeze->reason[0] == '\0' || strlen(freeze->reason) > REASON_MAX)
        return "say why, in at most 2000 bytes";
    return NULL;
}

void post_freeze(struct gateway_call *call)
{
    struct error error = { 0 };
    void *message = NULL;
    Pb__Freeze *freeze;
    const char *fault;
    const char *field = "";
    struct json json;

    if (!call_has_role(call, freezers))
        return;
    if (pbjson_parse(call->arena,
                     &pb__freeze__descriptor,
                     (const char *)call->body.bytes,
                     call->body.length,
                     &message,
                     &error) != ERR_OK) {
        call_problem(call, &(struct problem){ .code = "malformed", .detail = error.text });
        return;
    }
    freeze = message;
    if (freeze->from_ms == 0)
        freeze->from_ms = call->now_ms;
    fault = freeze_fault(freeze, &field);
    if (fault != NULL) {
        call_problem(call,
                     &(struct problem){ .code = "invalid", .field = field, .detail = fault });
        return;
    }
    freeze->id = arena_printf(call->arena, "frz-%.8s", call_new_id(call));
    freeze->actor = pb_clone(call->arena, call->actor);
    freeze->lifted_ms = 0;
    if (!publish_freeze(call, freeze))
        return;
    json = call_json(call);
    call->status = CREATED;
    call->location = arena_printf(call->arena, "/v1/freezes/%s", freeze->id);
    write_freeze(call, &json, freeze);
}

void delete_freeze(struct gateway_call *call)
{
    const Pb__Freeze **freezes = NULL;
    const size_t count = freezes_in_force(call, &freezes);
    struct json json;

    if (!call_has_role(call, freezers))
        return;
    for (size_t i = 0; i < count; i++) {
        Pb__Freeze *lifted;

        if (!pb_same(freezes[i]->id, call->parameter[0]))
            continue;
        lifted = pb_clone(call->arena, freezes[i]);
        lifted->lifted_ms = call->now_ms;
        if (!publish_freeze(call, lifted))
            return;
        json = call_json(call);
        write_freeze(call, &json, lifted);
        return;
    }
    call_no_such(call, "freeze", call->parameter[0]);
}
