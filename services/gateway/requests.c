/* What people ask of a deployment: it becomes an event, and the coordinator's core answers. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/state/keys.h"
#include "common/wire/pbjson.h"
#include "common/wire/topics.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

enum { WAIT_DEFAULT_MS = 2000, WAIT_MAX_MS = 5000, REASON_MAX = 2000 };

/* {request, expected_version, reason, role, <one request>}: strict, so a typo is an answer. */
static Pb__OperatorRequest *read_request(struct gateway_call *call)
{
    struct error error = { 0 };
    void *message = NULL;
    Pb__OperatorRequest *request;

    if (pbjson_parse(call->arena,
                     &pb__operator_request__descriptor,
                     (const char *)call->body.bytes,
                     call->body.length,
                     &message,
                     &error) != ERR_OK) {
        call_problem(call, &(struct problem){ .code = "malformed", .detail = error.text });
        return NULL;
    }
    request = message;
    if (request->actor != NULL) {
        call_problem(call,
                     &(struct problem){ .code = "unknown-field",
                                        .field = "actor",
                                        .detail = "the token says who asks" });
        return NULL;
    }
    return request;
}

static bool needs_reason(const Pb__OperatorRequest *request)
{
    switch (request->body_case) {
    case PB__OPERATOR_REQUEST__BODY_REJECT:
    case PB__OPERATOR_REQUEST__BODY_PAUSE:
    case PB__OPERATOR_REQUEST__BODY_WAIVE:
    case PB__OPERATOR_REQUEST__BODY_ABORT:
    case PB__OPERATOR_REQUEST__BODY_ROLLBACK:
    case PB__OPERATOR_REQUEST__BODY_MARK_RESTORED:
    case PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE: return true;
    default: return false;
    }
}

/* The role in which the actor asks must be one of the token's. */
static bool check_request(struct gateway_call *call, const Pb__OperatorRequest *request)
{
    struct problem problem = { .code = NULL, .deployment = call->parameter[0] };

    if (request->body_case == PB__OPERATOR_REQUEST__BODY__NOT_SET) {
        problem.code = "malformed";
        problem.detail = "name one request: approve, reject, pause, ...";
    } else if (request->expected_version == 0) {
        problem.code = "version-missing";
        problem.field = "expected_version";
        problem.detail = "expected_version must be the version you saw";
    } else if (needs_reason(request) && request->reason[0] == '\0') {
        problem.code = "reason-missing";
        problem.field = "reason";
        problem.detail = "say why: it goes into the record";
    } else if (strlen(request->reason) > REASON_MAX) {
        problem.code = "too-large";
        problem.field = "reason";
        problem.detail = "at most 2000 bytes";
    } else if (request->role[0] != '\0' && !auth_has_role(call->actor, request->role)) {
        problem.code = "role-missing";
        problem.field = "role";
        problem.detail =
            arena_printf(call->arena, "%s is no %s", call->actor->subject, request->role);
    } else if (strlen(request->request) > 64) {
        problem.code = "malformed";
        problem.field = "request";
        problem.detail = "a UUID, at most 64 characters";
    }
    if (problem.code == NULL)
        return true;
    call_problem(call, &problem);
    return false;
}

static Pb__Event *event_of(struct gateway_call *call,
                           const Pb__DeploymentState *state,
                           Pb__OperatorRequest *request)
{
    Pb__Event *const event = pb_new(call->arena, &pb__event__descriptor);
    Pb__Actor *const actor = pb_clone(call->arena, call->actor);

    actor->via = "gateway";
    request->actor = actor;
    if (request->request[0] == '\0')
        request->request = call_new_id(call);
    event->deployment = state->id;
    event->feature = state->feature;
    event->body_case = PB__EVENT__BODY_REQUEST;
    event->request = request;
    return event;
}

/* --- dry run: the coordinator's core on a copy of the state --- */

static void write_preview(struct gateway_call *call,
                          const struct view_source *source,
                          const Pb__DeploymentState *after)
{
    struct json json = call_json(call);
    struct view_source copy = *source;

    copy.state = after;
    json_put_object(&json, NULL);
    json_put_object(&json, "preview");
    json_put_text(&json, "phase_after", pb_phase_name(after->phase));
    json_put_uint(&json, "version", source->state->version);
    view_waiting(&json, "waiting_for", after);
    view_undo(&json, "undo", after->stop != NULL ? source : &copy);
    json_put_array(&json, "irreversible");
    if (after->stop != NULL && source->state->stop == NULL)
        json_put_text(&json, NULL, "It cannot be paused once begun.");
    json_end_array(&json);
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

static void answer_refused(struct gateway_call *call, const struct effect_answer *answer)
{
    const struct problem problem = {
        .code = answer->code,
        .detail = answer->detail,
        .remedy = answer->remedy,
        .deployment = call->parameter[0],
    };

    call_problem(call, &problem);
}

static void dry_run(struct gateway_call *call,
                    const struct view_source *source,
                    const Pb__Event *event)
{
    const struct procedure_input input = {
        .before = source->state,
        .plan = source->plan,
        .event = event,
        .event_id = event->request->request,
        .at_ms = call->now_ms,
    };
    struct procedure_output *const output = arena_alloc(call->arena, sizeof *output);
    const struct effect_answer *answer;

    switch (procedure_step(call->arena, &input, output)) {
    case PROCEDURE_APPLIED: write_preview(call, source, output->after); return;
    case PROCEDURE_REFUSED:
        answer = answer_in(&output->effects);
        if (answer != NULL) {
            answer_refused(call, answer);
            return;
        }
        break;
    default: break;
    }
    call_problem(call, &(struct problem){ .code = "not-now", .detail = output->why });
}

/* --- the coordinator's answer --- */

/* {"state": APPLIED | REFUSED, "version", "code", "detail", "remedy", "deployment"} as the
 * coordinator left it. */
static void answer_from_json(struct gateway_call *call, const struct store_value *value)
{
    json_error_t reason;
    json_t *const root = json_loadb(value->bytes, value->length, 0, &reason);
    const char *const state = json_string_value(json_object_get(root, "state"));
    struct problem problem = { .deployment = call->wait_deployment };

    if (state != NULL && strcmp(state, "APPLIED") == 0) {
        call->status = 200;
        call->content_type = "application/json";
        text_add_bytes(&call->out, value->bytes, value->length);
    } else {
        problem.code =
            arena_text(call->arena, json_string_value(json_object_get(root, "code")));
        problem.detail =
            arena_text(call->arena, json_string_value(json_object_get(root, "detail")));
        problem.remedy =
            arena_text(call->arena, json_string_value(json_object_get(root, "remedy")));
        call_problem(call, &problem);
    }
    json_decref(root);
}

static void answer_pending(struct gateway_call *call)
{
    struct json json = call_json(call);

    call->status = 202;
    json_put_object(&json, NULL);
    json_put_text(&json, "request", call->wait_request);
    json_put_text(&json, "state", "PENDING");
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

bool request_answer(struct gateway_call *call)
{
    struct store_value value;
    struct error error = { 0 };

    text_reset(&call->out);
    if (find_answer(call, &value, &error) != ERR_OK) {
        call_unavailable(call, &error);
        return false;
    }
    if (value.bytes == NULL) {
        answer_pending(call);
        return false;
    }
    call->wait_until_ms = 0;
    answer_from_json(call, &value);
    return true;
}

void get_request(struct gateway_call *call)
{
    call->wait_request = call->parameter[0];
    call->wait_deployment = NULL;
    if (strlen(call->wait_request) > 64 || !request_answer(call)) {
        if (call->status == 202)
            call_no_such(call, "answer yet to request", call->parameter[0]);
    }
}

/* --- for real --- */

/* Prefer: wait=N (seconds). */
static int64_t wait_ms(const struct gateway_call *call)
{
    const char *const prefer = call_header(call, "prefer");
    const char *const wait = prefer != NULL ? strstr(prefer, "wait=") : NULL;
    long seconds;

    if (wait == NULL)
        return WAIT_DEFAULT_MS;
    seconds = strtol(wait + strlen("wait="), NULL, 10);
    if (seconds < 0)
        return 0;
    return seconds * 1000 > WAIT_MAX_MS ? WAIT_MAX_MS : seconds * 1000;
}

static void publish_request(struct gateway_call *call, const Pb__Event *event)
{
    const struct gateway_record record = {
        .topic = TOPIC_EVENTS,
        .key = event->feature,
        .id = event->request->request,
        .type = "slipway.v1.Event",
        .subject = event->deployment,
        .message = event,
        .sign = true,
    };

    if (!call_publish(call, &record))
        return;
    call->wait_request = event->request->request;
    call->wait_deployment = event->deployment;
    call->wait_until_ms = call->now_ms + wait_ms(call);
    call->location = arena_printf(call->arena, "/v1/requests/%s", event->request->request);
    (void)request_answer(call);
}

void post_request(struct gateway_call *call)
{
    static const char *const known[] = { "dry_run", NULL };
    const char *const dry = call_query(call, "dry_run");
    Pb__OperatorRequest *request;
    struct view_source source;
    Pb__Event *event;

    if (!call_known_query(call, known))
        return;
    request = read_request(call);
    if (request == NULL || !check_request(call, request) || !deployment_load(call, &source))
        return;
    event = event_of(call, source.state, request);
    if (dry != NULL && strcmp(dry, "true") == 0)
        dry_run(call, &source, event);
    else
        publish_request(call, event);
}
