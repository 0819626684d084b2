/* Freezes and windows. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/planning/compile.h"
#include "common/wire/pbjson.h"
#include "common/wire/topics.h"
#include "services/gateway/herald.h"
#include "services/gateway/stream.h"

#include <string.h>

enum {
    CREATED = 201,
    LIST_MAX = 5000,
    REASON_MAX = 2000,
    SCOPE_MAX = 128,
    HOLDS_MAX = 256 * 1024,
};

static const char *const freezers[] = {
    "release-engineer", "operations-lead", "devops-lead", NULL
};

/* --- showing --- */

/* A freeze, and whether it stands in slipway.yaml. */
struct shown_freeze {
    const Pb__Freeze *freeze;
    bool configured;
    struct text holds; /* JSON of the deployments it holds or will hold, without brackets. */
};

/* Copies of those given by people, so that the lock is not held while Redis is asked; and those
 * of the configuration. */
static size_t freezes_to_come(struct gateway_call *call, struct shown_freeze **ret)
{
    const struct settings *const settings = call->gateway->ports->settings;
    const Pb__Freeze *const *all = NULL;
    size_t kept = 0;
    size_t count;

    (void)pthread_mutex_lock(&call->gateway->lock);
    count = flag_table_freezes(call->gateway->flags, &all);
    *ret = arena_alloc(call->arena, (count + settings->freeze_count + 1) * sizeof **ret);
    for (size_t i = 0; i < count; i++) {
        if (all[i]->lifted_ms == 0 && all[i]->to_ms > call->now_ms)
            (*ret)[kept++].freeze = pb_clone(call->arena, all[i]);
    }
    (void)pthread_mutex_unlock(&call->gateway->lock);
    for (size_t i = 0; i < settings->freeze_count; i++) {
        Pb__Freeze *const freeze = pb_new(call->arena, &pb__freeze__descriptor);

        freeze->id = settings->freezes[i].id;
        freeze->scope = settings->freezes[i].scope;
        freeze->from_ms = settings->freezes[i].from_ms;
        freeze->to_ms = settings->freezes[i].to_ms;
        freeze->reason = settings->freezes[i].reason;
        if (freeze->to_ms > call->now_ms)
            (*ret)[kept++] = (struct shown_freeze){ .freeze = freeze, .configured = true };
    }
    return kept;
}

static bool holds(const struct gateway_call *call,
                  const Pb__Freeze *freeze,
                  const Pb__DeploymentState *state)
{
    const int64_t at_ms = freeze->from_ms > call->now_ms ? freeze->from_ms : call->now_ms;

    return freeze_covers(freeze, state->environment, state->services, state->n_services, at_ms);
}

/* Each live deployment is read once, whatever the number of freezes. False (and answered) if
 * one cannot be. */
static bool find_held(struct gateway_call *call, struct shown_freeze *freezes, size_t count)
{
    const struct projection *const projection = call->projection;
    struct store_member *members = NULL;
    struct error error = { 0 };
    size_t live = 0;
    enum err err =
        projection_list(projection, call->arena, true, LIST_MAX, &members, &live, &error);

    for (size_t i = 0; i < live && err == ERR_OK; i++) {
        Pb__DeploymentState *state = NULL;

        err =
            projection_deployment(projection, call_item(call), members[i].name, &state, &error);
        for (size_t f = 0; f < count && err == ERR_OK; f++) {
            if (holds(call, freezes[f].freeze, state))
                text_add(&freezes[f].holds,
                         "%s\"%s\"",
                         freezes[f].holds.length > 0 ? "," : "",
                         state->id);
        }
        if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    if (err != ERR_OK)
        call_unavailable(call, &error);
    return err == ERR_OK;
}

static void write_freeze(struct gateway_call *call,
                         struct json *json,
                         const struct shown_freeze *shown)
{
    const Pb__Freeze *const freeze = shown->freeze;

    json_put_object(json, NULL);
    json_put_text(json, "id", freeze->id);
    json_put_text(json, "scope", freeze->scope);
    json_put_int(json, "from_ms", freeze->from_ms);
    json_put_int(json, "to_ms", freeze->to_ms);
    json_put_text(json, "reason", freeze->reason);
    json_put_text(json, "by", freeze->actor != NULL ? freeze->actor->subject : "");
    json_put_bool(json, "configured", shown->configured);
    json_put_bool(json,
                  "active",
                  freeze->lifted_ms == 0 && freeze->from_ms <= call->now_ms &&
                      call->now_ms < freeze->to_ms);
    json_put_raw(json, "holds", arena_printf(call->arena, "[%s]", shown->holds.bytes));
    json_end_object(json);
}

/* All of them, or the one that was just written. */
static bool write_freezes(struct gateway_call *call,
                          struct shown_freeze *freezes,
                          size_t count,
                          bool list)
{
    bool ok;

    for (size_t i = 0; i < count; i++)
        freezes[i].holds = text_new(HOLDS_MAX);
    ok = find_held(call, freezes, count);
    if (ok) {
        struct json json = call_json(call);

        if (list) {
            json_put_object(&json, NULL);
            json_put_array(&json, "items");
        }
        for (size_t i = 0; i < count; i++)
            write_freeze(call, &json, &freezes[i]);
        if (list) {
            json_end_array(&json);
            json_put_null(&json, "next");
            json_end_object(&json);
        }
    }
    for (size_t i = 0; i < count; i++)
        text_release(&freezes[i].holds);
    return ok;
}

void get_freezes(struct gateway_call *call)
{
    struct shown_freeze *freezes = NULL;
    size_t count;

    if (!call_flags_are_read(call))
        return;
    count = freezes_to_come(call, &freezes);
    (void)write_freezes(call, freezes, count, true);
}

void show_freeze(struct gateway_call *call)
{
    struct shown_freeze *freezes = NULL;
    const size_t count = freezes_to_come(call, &freezes);

    for (size_t i = 0; i < count; i++) {
        if (pb_same(freezes[i].freeze->id, call->parameter[0])) {
            (void)write_freezes(call, &freezes[i], 1, false);
            return;
        }
    }
    call_no_such(call, "freeze", call->parameter[0]);
}

void get_windows(struct gateway_call *call)
{
    const struct settings *const settings = call->gateway->ports->settings;
    struct json json = call_json(call);

    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < settings->window_count; i++) {
        Pb__Window *windows[] = { pb_clone(call->arena, settings->windows[i].spec) };
        Pb__Plan plan = PB__PLAN__INIT;
        int64_t next_ms = 0;

        plan.windows = windows;
        plan.n_windows = 1;
        json_put_object(&json, NULL);
        windows[0]->name = settings->windows[i].name;
        json_put_bool(&json, "open", plan_window_open(&plan, call->now_ms, &next_ms));
        view_time(&json, "changes_ms", next_ms);
        pbjson_put_fields(&json, windows[0], PBJSON_SET);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_put_null(&json, "next");
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
                .message = control }))
        return false;
    (void)pthread_mutex_lock(&call->gateway->lock);
    if (flag_table_apply(call->gateway->flags, key, control))
        streams_control_changed(call->gateway, key);
    (void)pthread_mutex_unlock(&call->gateway->lock);
    herald_wake(call->gateway->herald);
    return true;
}

/* A freeze of something that is misspelt would hold nobody. */
static bool scope_is_known(const struct settings *settings, const char *scope)
{
    const size_t length = strcspn(scope, "/");
    const char *const service = scope + length + 1;
    bool environment = false;
    bool target = strcmp(service, "*") == 0;

    for (size_t i = 0; i < settings->environment_count; i++)
        environment =
            environment || (strlen(settings->environments[i].name) == length &&
                            strncmp(settings->environments[i].name, scope, length) == 0);
    for (size_t i = 0; i < settings->target_count; i++)
        target = target || strcmp(settings->targets[i].service, service) == 0;
    return environment && target;
}

static const char *freeze_fault(const struct settings *settings,
                                const Pb__Freeze *freeze,
                                const char **ret_field)
{
    *ret_field = "scope";
    if (strchr(freeze->scope, '/') == NULL || strlen(freeze->scope) > SCOPE_MAX)
        return "scope must be environment/service, or environment/* for all of it";
    if (!scope_is_known(settings, freeze->scope))
        return "slipway.yaml knows no such environment or service";
    *ret_field = "to_ms";
    if (freeze->to_ms <= freeze->from_ms)
        return "to_ms must be after from_ms";
    *ret_field = "reason";
    if (freeze->reason[0] == '\0' || strlen(freeze->reason) > REASON_MAX)
        return "say why, in at most 2000 bytes";
    return NULL;
}

/* Written, and shown even if nobody can say whom it holds. */
static void show_one(struct gateway_call *call, const Pb__Freeze *freeze)
{
    struct shown_freeze shown = { .freeze = freeze };
    struct json json;

    if (write_freezes(call, &shown, 1, false))
        return;
    call->retry_after_s = 0;
    text_reset(&call->out);
    json = call_json(call);
    shown.holds = text_new(HOLDS_MAX);
    write_freeze(call, &json, &shown);
    text_release(&shown.holds);
}

void post_freeze(struct gateway_call *call)
{
    struct error error = { 0 };
    void *message = NULL;
    Pb__Freeze *freeze;
    const char *fault;
    const char *field = "";

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
    fault = freeze_fault(call->gateway->ports->settings, freeze, &field);
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
    show_one(call, freeze);
    call->status = CREATED;
    call->location = arena_printf(call->arena, "/v1/freezes/%s", freeze->id);
}

static void lift(struct gateway_call *call, const struct shown_freeze *shown)
{
    Pb__Freeze *lifted;

    if (shown->configured) {
        call_problem(call,
                     &(struct problem){ .code = "not-now",
                                        .detail = "this freeze stands in slipway.yaml",
                                        .remedy = "Take it out there, and restart." });
        return;
    }
    lifted = pb_clone(call->arena, shown->freeze);
    lifted->lifted_ms = call->now_ms;
    if (publish_freeze(call, lifted))
        show_one(call, lifted);
}

void delete_freeze(struct gateway_call *call)
{
    struct shown_freeze *freezes = NULL;
    size_t count;

    if (!call_has_role(call, freezers) || !call_flags_are_read(call))
        return;
    count = freezes_to_come(call, &freezes);
    for (size_t i = 0; i < count; i++) {
        if (pb_same(freezes[i].freeze->id, call->parameter[0])) {
            lift(call, &freezes[i]);
            return;
        }
    }
    call_no_such(call, "freeze", call->parameter[0]);
}
