#include "services/gateway/gateway.h"

#include "common/base/json.h"

#include <jansson.h>
#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>

enum { FLUSH_MS = 5000, OK = 200 };

const char *call_header(const struct gateway_call *call, const char *name)
{
    return call->web != NULL ? web_header(call->web, name) : NULL;
}

const char *call_query(const struct gateway_call *call, const char *name)
{
    for (size_t i = 0; i < call->query_count; i++) {
        if (strcmp(call->query[i]->key, name) == 0)
            return call->query[i]->value;
    }
    return NULL;
}

void call_problem(struct gateway_call *call, const struct problem *problem)
{
    text_reset(&call->out);
    call->status = problem_write(problem, &call->out);
    call->content_type = "application/problem+json";
}

void call_no_such(struct gateway_call *call, const char *what, const char *name)
{
    const struct problem problem = {
        .code = "no-such",
        .detail = arena_printf(call->arena, "no %s %s", what, name),
    };

    call_problem(call, &problem);
}

void call_unavailable(struct gateway_call *call, const struct error *error)
{
    const struct problem problem = { .code = "unavailable",
                                     .detail = error->text,
                                     .remedy = "Try again; a kill works without Redis." };

    call->retry_after_s = 1;
    call_problem(call, &problem);
}

struct json call_json(struct gateway_call *call)
{
    call->status = OK;
    call->content_type = "application/json";
    return json_into(&call->out);
}

static bool is_listed(const char *const *list, const char *name)
{
    for (; *list != NULL; list++) {
        if (strcmp(*list, name) == 0)
            return true;
    }
    return false;
}

bool call_known_query(struct gateway_call *call, const char *const *known)
{
    for (size_t i = 0; i < call->query_count; i++) {
        const char *const name = call->query[i]->key;
        const struct problem problem = {
            .code = "unknown-filter",
            .field = name,
            .detail = arena_printf(call->arena, "there is no filter %s", name),
        };

        if (is_listed(known, name))
            continue;
        call_problem(call, &problem);
        return false;
    }
    return true;
}

bool call_has_role(struct gateway_call *call, const char *const *roles)
{
    struct text names = text_new(1024);
    struct problem problem = { .code = "role-missing" };

    for (size_t i = 0; roles[i] != NULL; i++) {
        if (auth_has_role(call->actor, roles[i])) {
            text_release(&names);
            return true;
        }
        text_add(&names, "%s%s", i == 0 ? "" : ", ", roles[i]);
    }
    problem.detail = arena_printf(
        call->arena, "%s has none of the roles: %s", call->actor->subject, names.bytes);
    text_release(&names);
    call_problem(call, &problem);
    return false;
}

bool call_publish(struct gateway_call *call, const struct gateway_record *record)
{
    const struct service_ports *const ports = call->gateway->ports;
    const struct envelope envelope = {
        .id = record->id,
        .type = record->type,
        .source = arena_printf(call->arena, "/slipway/gateway/%s", ports->instance),
        .subject = record->subject,
        .traceparent = call_header(call, "traceparent"),
        .writer = "gateway",
        .time_ms = call->now_ms,
    };
    const struct envelope_out out = {
        .topic = record->topic,
        .key = record->key,
        .message = record->message,
        .sign = record->sign,
    };
    struct bus_record sealed;
    struct error error = { 0 };
    enum err err = envelope_seal(call->arena, ports->keys, &envelope, &out, &sealed, &error);

    if (err == ERR_OK)
        err = ports->bus.publish(ports->bus.self, &sealed, &error);
    if (err == ERR_OK)
        err = ports->bus.flush(ports->bus.self, FLUSH_MS, &error);
    if (err == ERR_OK)
        return true;
    if (err == ERR_INVALID || err == ERR_TOO_LARGE)
        call_problem(call,
                     &(struct problem){ .code = err == ERR_INVALID ? "invalid" : "too-large",
                                        .detail = error.text });
    else
        call_unavailable(call, &error);
    return false;
}

const char *call_new_id(struct gateway_call *call)
{
    unsigned char b[16];

    if (RAND_bytes(b, sizeof b) != 1)
        abort();
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    return arena_printf(call->arena,
                        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                        b[0],
                        b[1],
                        b[2],
                        b[3],
                        b[4],
                        b[5],
                        b[6],
                        b[7],
                        b[8],
                        b[9],
                        b[10],
                        b[11],
                        b[12],
                        b[13],
                        b[14],
                        b[15]);
}

const char *call_body_text(struct gateway_call *call, const char *member)
{
    json_error_t reason;
    json_t *const root = json_loadb(
        (const char *)call->body.bytes, call->body.length, JSON_REJECT_DUPLICATES, &reason);
    const char *const value = json_string_value(json_object_get(root, member));
    const char *const copy = value != NULL ? arena_text(call->arena, value) : NULL;

    json_decref(root);
    return copy;
}
