#include "services/gateway/gateway.h"

#include "common/base/json.h"

#include <jansson.h>
#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>

enum { FLUSH_MS = 5000, OK = 200, DIGITS_MAX = 19, TRACE_VERSION_SIZE = 3, TRACE_ID_SIZE = 32 };

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
    struct problem complete = *problem;

    if (complete.trace_id == NULL)
        complete.trace_id =
            arena_copy(call->arena, call_traceparent(call) + TRACE_VERSION_SIZE, TRACE_ID_SIZE);
    text_reset(&call->out);
    call->etag = NULL;
    call->link = NULL;
    call->status = problem_write(&complete, &call->out);
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

bool call_flags_are_read(struct gateway_call *call)
{
    if (call->gateway->control_complete)
        return true;
    call->retry_after_s = 1;
    call_problem(call,
                 &(struct problem){ .code = "not-ready",
                                    .detail = "control.v1 is still being read",
                                    .remedy = "Ask again in a second." });
    return false;
}

struct json call_json(struct gateway_call *call)
{
    call->status = OK;
    call->content_type = "application/json";
    return json_into(&call->out);
}

/* --- the query --- */

static bool refuse_value(struct gateway_call *call,
                         const char *name,
                         const char *value,
                         const char *expected)
{
    call_problem(call,
                 &(struct problem){
                     .code = "malformed",
                     .field = name,
                     .detail = arena_printf(
                         call->arena, "%s is %.80s, expected %s", name, value, expected) });
    return false;
}

bool call_number(struct gateway_call *call, const struct query_number *number, uint64_t *ret)
{
    const char *const value = call_query(call, number->name);
    const size_t digits = value != NULL ? strspn(value, "0123456789") : 0;

    *ret = number->otherwise;
    if (value == NULL)
        return true;
    if (digits > 0 && digits < DIGITS_MAX && value[digits] == '\0') {
        *ret = strtoull(value, NULL, 10);
        if (*ret >= number->min && *ret <= number->max)
            return true;
    }
    return refuse_value(call,
                        number->name,
                        value,
                        arena_printf(call->arena,
                                     "a number from %llu to %llu",
                                     (unsigned long long)number->min,
                                     (unsigned long long)number->max));
}

static bool is_listed(const char *const *list, const char *name)
{
    for (; *list != NULL; list++) {
        if (strcmp(*list, name) == 0)
            return true;
    }
    return false;
}

static const char *listed(struct gateway_call *call, const char *const *list)
{
    struct text names = text_new(2048);
    const char *copy;

    for (size_t i = 0; list[i] != NULL; i++)
        text_add(&names, "%s%s", i == 0 ? "one of " : ", ", list[i]);
    copy = arena_text(call->arena, names.bytes);
    text_release(&names);
    return copy;
}

bool call_one_of(struct gateway_call *call, const char *name, const char *const *values)
{
    for (size_t i = 0; i < call->query_count; i++) {
        const Pb__Pair *const pair = call->query[i];

        if (strcmp(pair->key, name) == 0 && !is_listed(values, pair->value))
            return refuse_value(call, name, pair->value, listed(call, values));
    }
    return true;
}

bool call_boolean(struct gateway_call *call, const char *name, bool *ret)
{
    static const char *const values[] = { "true", "false", NULL };
    const char *value;

    if (!call_one_of(call, name, values))
        return false;
    value = call_query(call, name);
    *ret = value != NULL && strcmp(value, "true") == 0;
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
        .traceparent = call_traceparent(call),
        .writer = "gateway",
        .time_ms = call->now_ms,
    };
    const struct envelope_out out = {
        .topic = record->topic,
        .key = record->key,
        .message = record->message,
        .sign = true,
    };
    struct bus_record sealed;
    struct error error = { 0 };
    enum err err = envelope_seal(call->arena, ports->keys, &envelope, &out, &sealed, &error);

    crash_point(ports->crash, CRASH_GATEWAY_BEFORE_PUBLISH, 0);
    if (err == ERR_OK)
        err = ports->bus.publish(ports->bus.self, &sealed, &error);
    if (err == ERR_OK)
        err = ports->bus.flush(ports->bus.self, FLUSH_MS, &error);
    crash_point(ports->crash, CRASH_GATEWAY_AFTER_PUBLISH, 0);
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

static void random_bytes(unsigned char *bytes, size_t size)
{
    if (RAND_bytes(bytes, (int)size) != 1)
        abort();
}

/* Lower-case hex digits of size bytes. */
static char *hex_of(struct arena *arena, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *const hex = arena_alloc(arena, 2 * size + 1);

    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 0x0f];
    }
    return hex;
}

const char *call_new_id(struct gateway_call *call)
{
    unsigned char b[16];
    const char *hex;

    random_bytes(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    hex = hex_of(call->arena, b, sizeof b);
    return arena_printf(
        call->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* 00-<32 hex>-<16 hex>-<2 hex>, of which the ids are not all zero. */
static bool is_traceparent(const char *text)
{
    static const char form[] = "00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
    size_t i = 0;

    for (; form[i] != '\0'; i++) {
        const bool fits =
            form[i] == 'x' ? strchr("0123456789abcdef", text[i]) != NULL : text[i] == form[i];

        if (text[i] == '\0' || !fits)
            return false;
    }
    return text[i] == '\0' && strspn(text + TRACE_VERSION_SIZE, "0") < TRACE_ID_SIZE;
}

const char *call_traceparent(struct gateway_call *call)
{
    const char *const given = call_header(call, "traceparent");
    unsigned char b[24];
    const char *hex;

    if (call->traceparent != NULL)
        return call->traceparent;
    if (given != NULL && is_traceparent(given)) {
        call->traceparent = given;
        return given;
    }
    random_bytes(b, sizeof b);
    hex = hex_of(call->arena, b, sizeof b);
    call->traceparent = arena_printf(call->arena, "00-%.32s-%.16s-01", hex, hex + 32);
    return call->traceparent;
}

const char *call_body_text(struct gateway_call *call, const char *member)
{
    json_t *const root = json_loadb(
        (const char *)call->body.bytes, call->body.length, JSON_REJECT_DUPLICATES, NULL);
    const char *const value = json_string_value(json_object_get(root, member));
    const char *const copy = value != NULL ? arena_text(call->arena, value) : NULL;

    json_decref(root);
    return copy;
}
