/* Flags: what is granted, what is latched, and OFREP. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/state/keys.h"
#include "services/gateway/ofrep.h"
#include "services/gateway/rates.h"

#include <string.h>

enum { OK = 200, NOT_MODIFIED = 304, UNAVAILABLE = 503 };

/* --- showing --- */

/* How long after the kill the provider and all gateways said off, as the coordinator heard it;
 * null before that. */
static void write_off_after(struct gateway_call *call, struct json *json, const Pb__Kill *kill)
{
    Pb__DeploymentState *state = NULL;
    struct error ignored = { 0 };

    if (projection_deployment(
            call->projection, call_item(call), kill->deployment, &state, &ignored) == ERR_OK &&
        state->flags != NULL && state->flags->off_ms > 0)
        json_put_int(json,
                     "off_after_ms",
                     state->flags->off_ms > kill->at_ms ? state->flags->off_ms - kill->at_ms
                                                        : 0);
    else
        json_put_null(json, "off_after_ms");
}

static void write_latch(struct gateway_call *call, struct json *json, const Pb__Kill *kill)
{
    if (kill == NULL) {
        json_put_null(json, "latch");
        return;
    }
    json_put_object(json, "latch");
    json_put_int(json, "at_ms", kill->at_ms);
    json_put_text(json, "by", kill->actor != NULL ? kill->actor->subject : "");
    json_put_text(json, "reason", kill->reason);
    write_off_after(call, json, kill);
    json_end_object(json);
}

/* What flag-rollout found when it last asked every gateway; it is JSON already. */
static void write_read_back(struct gateway_call *call,
                            struct json *json,
                            const Pb__FlagValue *value)
{
    struct projection *const projection = call->projection;
    const char *const name =
        arena_printf(call->arena, "%s/%s", value->environment, value->flag);
    struct store_value found = { 0 };
    struct error error = { 0 };

    if (projection->store.get(projection->store.self,
                              call->arena,
                              keys_global(call->arena, projection->prefix, "readback:", name),
                              &found,
                              &error) == ERR_OK &&
        found.bytes != NULL && found.bytes[0] == '{')
        json_put_raw(json, "read_back", found.bytes);
    else
        json_put_null(json, "read_back");
}

/* A flag as it was when the lock was held. */
struct flag_copy {
    Pb__FlagValue *value;
    Pb__Kill *kill; /* NULL: not latched. */
    bool latched;
    uint64_t per_s;
};

static struct flag_copy copy_flag(struct gateway_call *call,
                                  const Pb__FlagValue *value,
                                  bool latched)
{
    const Pb__Kill *const kill =
        latched ? flag_table_kill(call->gateway->flags, value->deployment) : NULL;

    return (struct flag_copy){
        .value = pb_clone(call->arena, value),
        .kill = kill != NULL ? pb_clone(call->arena, kill) : NULL,
        .latched = latched,
        .per_s = rates_per_s(call->gateway->rates,
                             value->environment,
                             value->flag,
                             clock_monotonic_ms(call->gateway->ports->clock)),
    };
}

static void write_flag(struct gateway_call *call,
                       struct json *json,
                       const struct flag_copy *flag)
{
    const Pb__FlagValue *const value = flag->value;

    json_put_object(json, NULL);
    json_put_text(json, "flag", value->flag);
    json_put_text(json, "environment", value->environment);
    json_put_text(json, "deployment", value->deployment);
    json_put_text(json,
                  "state",
                  flag->latched        ? "LATCHED"
                  : value->percent > 0 ? "GRANTED"
                                       : "OFF");
    json_put_uint(json, "percent", flag->latched ? 0 : value->percent);
    json_put_text(json, "audience", value->audience);
    json_put_uint(json, "sequence", value->sequence);
    json_put_int(json, "at_ms", value->at_ms);
    write_latch(call, json, flag->kill);
    write_read_back(call, json, value);
    json_put_uint(json, "evaluations_per_s", flag->per_s);
    json_end_object(json);
}

static size_t copy_flags(struct gateway_call *call, struct flag_copy **ret)
{
    const Pb__FlagValue *const *values = NULL;
    struct flag_table *const table = call->gateway->flags;
    size_t count;

    (void)pthread_mutex_lock(&call->gateway->lock);
    count = flag_table_flags(table, &values);
    *ret = arena_alloc(call->arena, (count + 1) * sizeof **ret);
    for (size_t i = 0; i < count; i++) {
        bool latched = false;

        (void)flag_table_find(table, values[i]->environment, values[i]->flag, &latched);
        (*ret)[i] = copy_flag(call, values[i], latched);
    }
    (void)pthread_mutex_unlock(&call->gateway->lock);
    return count;
}

size_t flags_of(struct gateway_call *call, const char *deployment, const char ***ret)
{
    const Pb__FlagValue *const *values = NULL;
    size_t found = 0;
    size_t count;

    (void)pthread_mutex_lock(&call->gateway->lock);
    count = flag_table_flags(call->gateway->flags, &values);
    *ret = arena_alloc(call->arena, (count + 1) * 2 * sizeof **ret);
    for (size_t i = 0; i < count; i++) {
        if (!pb_same(values[i]->deployment, deployment))
            continue;
        (*ret)[2 * found] = arena_text(call->arena, values[i]->environment);
        (*ret)[2 * found++ + 1] = arena_text(call->arena, values[i]->flag);
    }
    (void)pthread_mutex_unlock(&call->gateway->lock);
    return found;
}

void get_flags(struct gateway_call *call)
{
    struct flag_copy *flags = NULL;
    struct json json;
    size_t count;

    if (!call_flags_are_read(call))
        return;
    count = copy_flags(call, &flags);
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < count; i++)
        write_flag(call, &json, &flags[i]);
    json_end_array(&json);
    json_put_null(&json, "next");
    json_end_object(&json);
}

static void no_such_flag(struct gateway_call *call)
{
    call_no_such(call,
                 "flag",
                 arena_printf(call->arena, "%s/%s", call->parameter[0], call->parameter[1]));
}

void get_flag(struct gateway_call *call)
{
    const Pb__FlagValue *value;
    struct flag_copy copy = { 0 };
    bool latched = false;
    struct json json;

    if (!call_flags_are_read(call))
        return;
    (void)pthread_mutex_lock(&call->gateway->lock);
    value =
        flag_table_find(call->gateway->flags, call->parameter[0], call->parameter[1], &latched);
    if (value != NULL)
        copy = copy_flag(call, value, latched);
    (void)pthread_mutex_unlock(&call->gateway->lock);
    if (value == NULL) {
        no_such_flag(call);
        return;
    }
    json = call_json(call);
    write_flag(call, &json, &copy);
}

/* For flag-rollout's read-back: what this gateway answers users with, and nothing more. */
void get_internal_flag(struct gateway_call *call)
{
    const Pb__FlagValue *value;
    bool latched = false;
    struct json json;

    if (!call_flags_are_read(call))
        return;
    json = call_json(call);
    (void)pthread_mutex_lock(&call->gateway->lock);
    value =
        flag_table_find(call->gateway->flags, call->parameter[0], call->parameter[1], &latched);
    if (value != NULL) {
        json_put_object(&json, NULL);
        json_put_text(&json, "flag", value->flag);
        json_put_text(&json, "environment", value->environment);
        json_put_text(&json, "deployment", value->deployment);
        json_put_uint(&json, "percent", latched ? 0 : value->percent);
        json_put_text(&json, "audience", value->audience);
        json_put_uint(&json, "sequence", value->sequence);
        json_put_bool(&json, "latched", latched);
        json_end_object(&json);
    }
    (void)pthread_mutex_unlock(&call->gateway->lock);
    if (value == NULL)
        no_such_flag(call);
}

/* --- OFREP --- */

/* The environment: ?environment=, or the only one there is. */
static const char *environment_of(struct gateway_call *call)
{
    const struct settings *const settings = call->gateway->ports->settings;
    const char *const asked = call_query(call, "environment");

    if (asked != NULL)
        return asked;
    return settings->environment_count > 0 ? settings->environments[0].name : "";
}

static struct ofrep_request ofrep_of(struct gateway_call *call)
{
    return (struct ofrep_request){
        .arena = call->arena,
        .flags = call->gateway->flags,
        .environment = environment_of(call),
        .body = (const char *)call->body.bytes,
        .body_length = call->body.length,
    };
}

/* As OFREP has it for a provider that cannot answer: clients go on with their defaults. */
static bool ofrep_is_ready(struct gateway_call *call)
{
    struct json json;

    if (call->gateway->control_complete)
        return true;
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_text(&json, "errorCode", "PROVIDER_NOT_READY");
    json_put_text(&json, "errorDetails", "the flags are still being read; ask again");
    json_end_object(&json);
    call->status = UNAVAILABLE;
    call->retry_after_s = 1;
    return false;
}

/* Under the lock: all of the environment were evaluated. */
static void count_all(struct gateway_call *call, const char *environment)
{
    const int64_t now_ms = clock_monotonic_ms(call->gateway->ports->clock);
    const Pb__FlagValue *const *values = NULL;
    const size_t count = flag_table_flags(call->gateway->flags, &values);

    for (size_t i = 0; i < count; i++) {
        if (pb_same(values[i]->environment, environment))
            rates_count(call->gateway->rates, environment, values[i]->flag, now_ms);
    }
}

void post_ofrep_flag(struct gateway_call *call)
{
    const struct ofrep_request request = ofrep_of(call);

    if (!ofrep_is_ready(call))
        return;
    call->content_type = "application/json";
    (void)pthread_mutex_lock(&call->gateway->lock);
    call->status = ofrep_evaluate(&request, call->parameter[0], &call->out);
    if (call->status == OK)
        rates_count(call->gateway->rates,
                    request.environment,
                    call->parameter[0],
                    clock_monotonic_ms(call->gateway->ports->clock));
    (void)pthread_mutex_unlock(&call->gateway->lock);
}

/* The ETag covers the flags and the context: the same question has the same answer until a flag
 * changes. */
static const char *bulk_etag(struct gateway_call *call)
{
    char hex[DIGEST_HEX_SIZE];
    uint64_t version;

    (void)pthread_mutex_lock(&call->gateway->lock);
    version = flag_table_version(call->gateway->flags);
    (void)pthread_mutex_unlock(&call->gateway->lock);
    digest_sha256(call->body.bytes, call->body.length, hex);
    return arena_printf(call->arena, "\"%llu-%.16s\"", (unsigned long long)version, hex);
}

void post_ofrep_all(struct gateway_call *call)
{
    const struct ofrep_request request = ofrep_of(call);

    if (!ofrep_is_ready(call))
        return;
    call->etag = bulk_etag(call);
    if (call_has(call, call->etag)) {
        call->status = NOT_MODIFIED;
        return;
    }
    call->content_type = "application/json";
    (void)pthread_mutex_lock(&call->gateway->lock);
    call->status = ofrep_evaluate_all(&request, &call->out);
    if (call->status == OK)
        count_all(call, request.environment);
    (void)pthread_mutex_unlock(&call->gateway->lock);
}
