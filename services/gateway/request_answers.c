/* What the coordinator has answered to a request, as people are told it. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/state/keys.h"

#include <jansson.h>

#include <string.h>

enum { ID_MAX = 64, ENTRIES_MAX = 50, MORE_MAX = 128 * 1024, OK = 200, ACCEPTED = 202 };

/* --- what a refusal's code asks for beside it --- */

static void write_allowed(struct json *json,
                          struct gateway_call *call,
                          const struct view_source *source)
{
    struct allowed_request *requests = NULL;
    size_t count;

    if (call->actor == NULL)
        return;
    count =
        procedure_allowed(call_item(call), source->state, source->plan, call->actor, &requests);
    json_put_array(json, "allowed");
    for (size_t i = 0; i < count; i++) {
        if (requests[i].allowed)
            json_put_text(json, NULL, requests[i].request);
    }
    json_end_array(json);
}

/* What happened since the version that was expected: the newest of it. */
static void write_entries(struct json *json,
                          struct gateway_call *call,
                          const struct view_source *source)
{
    Pb__TimelineEntry **entries = NULL;
    struct error error = { 0 };
    size_t count = 0;
    size_t first;

    json_put_uint(json, "current_version", source->state->version);
    json_put_array(json, "entries");
    if (projection_timeline(
            call->projection, call_item(call), source->state->id, &entries, &count, &error) !=
        ERR_OK)
        count = 0;
    first = count > ENTRIES_MAX ? count - ENTRIES_MAX : 0;
    for (size_t i = first; i < count; i++) {
        if (entries[i]->version > call->wait_version)
            view_entry(json, NULL, entries[i]);
    }
    json_end_array(json);
}

static void write_more(struct json *json,
                       struct gateway_call *call,
                       const char *code,
                       const struct view_source *source)
{
    const Pb__Approve names_nothing = PB__APPROVE__INIT;

    if (strcmp(code, "version-changed") == 0)
        write_entries(json, call, source);
    else if (strcmp(code, "confirmation-needed") == 0)
        view_confirm(json, source, &names_nothing);
    else if (strcmp(code, "plan-changed") == 0)
        json_put_text(json, "plan_hash", source->state->plan_hash);
    if (problem_status(code) == 409)
        write_allowed(json, call, source);
}

/* The members alone: what stands between the braces. */
static const char *members_of(struct gateway_call *call, struct text *text)
{
    const char *const copy = text_ok(text) && text->length > 2
                                 ? arena_copy(call->arena, text->bytes + 1, text->length - 2)
                                 : NULL;

    text_release(text);
    return copy;
}

void request_refused(struct gateway_call *call,
                     const struct problem *problem,
                     const struct view_source *source)
{
    struct problem complete = *problem;
    struct text text = text_new(MORE_MAX);
    struct json json = json_into(&text);

    json_put_object(&json, NULL);
    if (source != NULL)
        write_more(&json, call, problem->code, source);
    json_end_object(&json);
    complete.more = members_of(call, &text);
    if (call->wait_request != NULL)
        complete.instance = arena_printf(call->arena, "/v1/requests/%s", call->wait_request);
    call_problem(call, &complete);
}

/* --- the coordinator's answer --- */

/* {"state": APPLIED | REFUSED, "version", "code", "detail", "remedy", "deployment"} as the
 * coordinator left it. */
struct answered {
    bool applied;
    uint64_t version;
    const char *code;
    const char *detail;
    const char *remedy;
    const char *deployment;
};

static const char *text_of(struct gateway_call *call, const json_t *root, const char *name)
{
    return arena_text(call->arena, json_string_value(json_object_get(root, name)));
}

static struct answered read_answer(struct gateway_call *call, const struct store_value *value)
{
    json_t *const root = json_loadb(value->bytes, value->length, 0, NULL);
    const json_int_t version = json_integer_value(json_object_get(root, "version"));
    struct answered answered = {
        .applied = strcmp(text_of(call, root, "state"), "APPLIED") == 0,
        .version = version > 0 ? (uint64_t)version : 0,
        .code = text_of(call, root, "code"),
        .detail = text_of(call, root, "detail"),
        .remedy = text_of(call, root, "remedy"),
        .deployment = text_of(call, root, "deployment"),
    };

    json_decref(root);
    /* The coordinator's word for a deployment that it does not know. */
    if (strcmp(answered.code, "not-found") == 0)
        answered.code = "no-such";
    return answered;
}

/* Where the deployment stands now; false if it cannot be had, which hides no answer. */
static bool load_source(struct gateway_call *call, const char *id, struct view_source *ret)
{
    Pb__DeploymentState *state = NULL;
    Pb__Plan *plan = NULL;
    struct error error = { 0 };

    if (projection_deployment(call->projection, call->arena, id, &state, &error) != ERR_OK)
        return false;
    if (projection_plan(call->projection, call->arena, state, &plan, &error) != ERR_OK)
        plan = NULL;
    *ret = (struct view_source){
        .arena = call->arena, .state = state, .plan = plan, .viewer = call->actor
    };
    return true;
}

static void write_state(struct gateway_call *call, struct json *json, const char *state)
{
    json_put_text(json, "request", call->wait_request);
    json_put_text(json, "state", state);
}

static void answer_applied(struct gateway_call *call, const struct answered *answered)
{
    struct json json = call_json(call);

    json_put_object(&json, NULL);
    write_state(call, &json, "APPLIED");
    json_put_uint(&json, "version", answered->version);
    json_put_text(&json, "deployment", answered->deployment);
    json_put_text(&json, "detail", answered->detail);
    json_end_object(&json);
}

static void answer_refused(struct gateway_call *call, const struct answered *answered)
{
    const struct problem problem = {
        .code = answered->code,
        .detail = answered->detail,
        .remedy = answered->remedy,
        .deployment = answered->deployment,
    };
    struct view_source source;

    request_refused(
        call, &problem, load_source(call, answered->deployment, &source) ? &source : NULL);
}

static void answer_pending(struct gateway_call *call)
{
    struct json json = call_json(call);

    call->status = ACCEPTED;
    json_put_object(&json, NULL);
    write_state(call, &json, "PENDING");
    json_put_text(&json, "deployment", call->wait_deployment);
    json_end_object(&json);
}

/* The answer's bytes; NULL while there is none. The partition follows from the deployment, or,
 * where only the request is known, is one of them all. */
static enum err find_answer(struct gateway_call *call,
                            struct store_value *ret,
                            struct error *error)
{
    struct projection *const projection = call->projection;
    const char *const deployment = call->wait_deployment;
    enum err err = ERR_OK;

    *ret = (struct store_value){ 0 };
    for (int32_t p = 0; p < projection->partitions && err == ERR_OK && ret->bytes == NULL;
         p++) {
        if (deployment != NULL &&
            p != bus_partition(projection_feature_of(call->arena, deployment),
                               projection->partitions))
            continue;
        err = projection->store.get(
            projection->store.self,
            call->arena,
            KEY_REQUEST(call->arena, p, projection->prefix, call->wait_request),
            ret,
            error);
    }
    return err;
}

/* The request is on the log by now: a store that does not answer makes it no less so. */
bool request_answer(struct gateway_call *call)
{
    struct store_value value;
    struct answered answered;
    struct error error = { 0 };

    text_reset(&call->out);
    call->location = arena_printf(call->arena, "/v1/requests/%s", call->wait_request);
    if (find_answer(call, &value, &error) != ERR_OK || value.bytes == NULL) {
        answer_pending(call);
        return false;
    }
    call->wait_until_ms = 0;
    answered = read_answer(call, &value);
    if (answered.applied)
        answer_applied(call, &answered);
    else
        answer_refused(call, &answered);
    return true;
}

void request_given_up(struct gateway_call *call)
{
    if (service_is_there(call, "coordinator"))
        return;
    call->retry_after_s = 5;
    call_problem(
        call,
        &(struct problem){
            .code = "no-coordinator",
            .detail = "the request is recorded, and will be applied when one is back",
            .remedy = "Do not send it again with another id. A kill works without one.",
            .deployment = call->wait_deployment,
            .instance = call->location });
}

/* --- GET /v1/requests/{id} --- */

static void show_answer(struct gateway_call *call, const struct store_value *value)
{
    const struct answered answered = read_answer(call, value);
    const char *problem = "null";
    struct json json;

    if (!answered.applied) {
        answer_refused(call, &answered);
        problem = arena_copy(call->arena, call->out.bytes, call->out.length);
        text_reset(&call->out);
    }
    json = call_json(call);
    json_put_object(&json, NULL);
    write_state(call, &json, answered.applied ? "APPLIED" : "REFUSED");
    json_put_uint(&json, "version", answered.version);
    json_put_text(&json, "deployment", answered.deployment);
    json_put_text(&json, "detail", answered.detail);
    json_put_raw(&json, "problem", problem);
    json_end_object(&json);
}

/* Sent, and not answered yet: this gateway or another has left a note. */
static bool show_pending(struct gateway_call *call, struct error *error)
{
    struct projection *const projection = call->projection;
    struct store_value note = { 0 };

    if (projection->store.get(
            projection->store.self,
            call->arena,
            keys_global(call->arena, projection->prefix, "asked:", call->wait_request),
            &note,
            error) != ERR_OK ||
        note.bytes == NULL)
        return false;
    call->wait_deployment = arena_copy(call->arena, note.bytes, strcspn(note.bytes, " "));
    answer_pending(call);
    call->status = OK;
    return true;
}

void get_request(struct gateway_call *call)
{
    struct store_value value = { 0 };
    struct error error = { 0 };

    call->wait_request = call->parameter[0];
    if (strlen(call->wait_request) > ID_MAX) {
        call_no_such(call, "request", "of that length");
        return;
    }
    if (find_answer(call, &value, &error) != ERR_OK)
        call_unavailable(call, &error);
    else if (value.bytes != NULL)
        show_answer(call, &value);
    else if (!show_pending(call, &error))
        call_no_such(call, "request", call->wait_request);
}
