/* What people ask of a deployment: it becomes an event, and the coordinator's core answers. */
#include "services/gateway/resources.h"

#include "common/state/keys.h"
#include "common/wire/pbjson.h"
#include "common/wire/topics.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

enum {
    WAIT_DEFAULT_MS = 2000,
    WAIT_MAX_MS = 5000,
    REASON_MAX = 2000,
    ID_MAX = 64,
    SMALL_BODY = 64 * 1024,
    REMEMBER_MS = 24 * 60 * 60 * 1000,
};

bool request_stops(const struct gateway_call *call)
{
    static const char *const stops[] = { "rollback", "abort", "pause" };
    json_t *root;
    bool found = false;

    if (call->route->handle != post_request || call->body.length > SMALL_BODY)
        return false;
    root = json_loadb((const char *)call->body.bytes, call->body.length, 0, NULL);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
        found = found || json_object_get(root, stops[i]) != NULL;
    json_decref(root);
    return found;
}

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

/* It becomes part of a key and of a record's id. */
static bool is_id(const char *id)
{
    return strlen(id) <= ID_MAX &&
           id[strspn(id,
                     "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.")] ==
               '\0';
}

/* The role in which the actor asks must be one of the token's. */
static bool check_request(struct gateway_call *call, const Pb__OperatorRequest *request)
{
    struct problem problem = { .code = NULL, .deployment = call->parameter[0] };

    if (request->body_case == PB__OPERATOR_REQUEST__BODY__NOT_SET) {
        problem.code = "malformed";
        problem.detail = "name one request: approve, reject, pause, ...";
    } else if (!is_id(request->request)) {
        problem.code = "malformed";
        problem.field = "request";
        problem.detail = "a UUID: at most 64 letters, digits, -, _ and .";
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

/* --- repeats --- */

/* What an id was used for: the deployment, and what was asked by whom. */
static const char *meaning_of(struct gateway_call *call, const Pb__Event *event)
{
    const struct pb_bytes packed = pb_pack(call->arena, event->request);
    char hex[DIGEST_HEX_SIZE];

    digest_sha256(packed.bytes, packed.length, hex);
    return arena_printf(call->arena, "%s %s", event->deployment, hex);
}

static const char *note_key(struct gateway_call *call, const char *request)
{
    return keys_global(call->arena, call->projection->prefix, "asked:", request);
}

enum asked { ASKED_NEVER, ASKED_BEFORE, ASKED_OTHERWISE };

/* Not knowing is as never: the coordinator refuses what it has applied already. */
static enum asked asked_before(struct gateway_call *call, const Pb__Event *event)
{
    struct projection *const projection = call->projection;
    struct store_value found = { 0 };
    struct error error = { 0 };

    if (projection->store.get(projection->store.self,
                              call->arena,
                              note_key(call, event->request->request),
                              &found,
                              &error) != ERR_OK ||
        found.bytes == NULL)
        return ASKED_NEVER;
    return strcmp(found.bytes, meaning_of(call, event)) == 0 ? ASKED_BEFORE : ASKED_OTHERWISE;
}

static void remember(struct gateway_call *call, const Pb__Event *event)
{
    struct projection *const projection = call->projection;
    const char *const meaning = meaning_of(call, event);
    const struct store_op op = {
        .kind = STORE_SET_EXPIRES,
        .key = note_key(call, event->request->request),
        .value = { meaning, strlen(meaning) },
        .score = REMEMBER_MS,
    };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };
    struct error error = { 0 };

    if (projection->store.commit(projection->store.self, &batch, &error) != ERR_OK)
        LOG(call->gateway->ports->log,
            LOG_WARNING,
            "a request was not remembered",
            { "request", event->request->request },
            { "error", error.text });
}

/* --- sending --- */

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
    return seconds > WAIT_MAX_MS / 1000 ? WAIT_MAX_MS : seconds * 1000;
}

static bool publish_request(struct gateway_call *call, const Pb__Event *event)
{
    const struct gateway_record record = {
        .topic = TOPIC_EVENTS,
        .key = event->feature,
        .id = event->request->request,
        .type = "slipway.v1.Event",
        .subject = event->deployment,
        .message = event,
    };

    if (!call_publish(call, &record))
        return false;
    remember(call, event);
    crash_point(call->gateway->ports->crash, CRASH_GATEWAY_AFTER_REMEMBER, 0);
    return true;
}

static void send_request(struct gateway_call *call, const Pb__Event *event)
{
    switch (asked_before(call, event)) {
    case ASKED_NEVER:
        if (!publish_request(call, event))
            return;
        break;
    case ASKED_OTHERWISE:
        call_problem(call,
                     &(struct problem){ .code = "invalid",
                                        .field = "request",
                                        .detail = "this id was used for another request",
                                        .remedy = "Make a new id for each request." });
        return;
    case ASKED_BEFORE: break;
    }
    call->wait_request = event->request->request;
    call->wait_deployment = event->deployment;
    call->wait_version = event->request->expected_version;
    call->wait_until_ms = call->now_ms + wait_ms(call);
    (void)request_answer(call);
}

void post_request(struct gateway_call *call)
{
    Pb__OperatorRequest *request;
    struct view_source source;
    Pb__Event *event;
    bool dry = false;

    if (!call_boolean(call, "dry_run", &dry))
        return;
    request = read_request(call);
    if (request == NULL || !check_request(call, request) || !deployment_load(call, &source))
        return;
    event = event_of(call, source.state, request);
    if (dry)
        request_preview(call, &source, event);
    else
        send_request(call, event);
}
