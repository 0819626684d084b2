/* Alerts: what is open, one sent by hand, and Alertmanager's webhook. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/state/keys.h"
#include "common/wire/pbjson.h"
#include "common/wire/topics.h"
#include "services/gateway/alertmanager.h"

#include <string.h>

enum { ACCEPTED = 202, FINGERPRINT_LENGTH = 16 };

static const char *const senders[] = { "alerting",    "release-engineer", "operations-lead",
                                       "devops-lead", "technical-lead",   NULL };

/* --- showing --- */

static void write_alerts_of(struct gateway_call *call, struct json *json, const char *service)
{
    struct projection *const projection = call->projection;
    struct store_field *fields = NULL;
    struct error error = { 0 };
    size_t count = 0;

    if (projection->store.hash_all(
            projection->store.self,
            call->arena,
            keys_global(call->arena, projection->prefix, "alerts:", service),
            &fields,
            &count,
            &error) != ERR_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct pb_bytes packed = { (const uint8_t *)fields[i].value.bytes,
                                         fields[i].value.length };
        void *alert = NULL;

        if (pb_unpack(call->arena, &pb__alert__descriptor, packed, &alert, &error) == ERR_OK)
            pbjson_put(json, NULL, alert, PBJSON_FULL);
    }
}

void get_alerts(struct gateway_call *call)
{
    const struct settings *const settings = call->gateway->ports->settings;
    struct json json = call_json(call);

    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < settings->target_count; i++) {
        const char *const service = settings->targets[i].service;
        bool seen = false;

        for (size_t k = 0; k < i && !seen; k++)
            seen = pb_same(settings->targets[k].service, service);
        if (!seen)
            write_alerts_of(call, &json, service);
    }
    json_end_array(&json);
    json_end_object(&json);
}

/* --- sending --- */

static bool publish_batch(struct gateway_call *call, const Pb__AlertBatch *batch)
{
    const char *const key = batch->n_alerts > 0 ? batch->alerts[0]->service : "";

    return call_publish(call,
                        &(struct gateway_record){ .topic = TOPIC_ALERTS,
                                                  .key = key,
                                                  .id = call_new_id(call),
                                                  .type = "slipway.v1.AlertBatch",
                                                  .subject = key,
                                                  .message = batch });
}

static void answer_taken(struct gateway_call *call, const Pb__AlertBatch *batch)
{
    struct json json = call_json(call);

    call->status = ACCEPTED;
    json_put_object(&json, NULL);
    json_put_uint(&json, "alerts", batch->n_alerts);
    json_put_uint(&json, "truncated", batch->truncated);
    json_end_object(&json);
}

/* Answered 2xx only once Kafka has it: Alertmanager sends again after 5xx, never after 4xx. */
void post_alertmanager(struct gateway_call *call)
{
    Pb__AlertBatch *batch = NULL;
    struct error error = { 0 };

    if (!call_has_role(call, senders))
        return;
    if (alertmanager_read(call->arena,
                          arena_printf(call->arena, "alertmanager/%s", call->actor->subject),
                          call->body,
                          &batch,
                          &error) != ERR_OK) {
        call_problem(call, &(struct problem){ .code = "malformed", .detail = error.text });
        return;
    }
    if (batch->n_alerts == 0 || publish_batch(call, batch))
        answer_taken(call, batch);
}

/* By hand: service, environment, severity, summary. The same four words are the same alert. */
static void complete_alert(struct gateway_call *call, Pb__Alert *alert)
{
    const char *const words = arena_printf(call->arena,
                                           "%s/%s/%s/%s",
                                           alert->environment,
                                           alert->service,
                                           alert->name,
                                           alert->summary);
    char hex[DIGEST_HEX_SIZE];

    digest_sha256(words, strlen(words), hex);
    if (alert->fingerprint[0] == '\0')
        alert->fingerprint = arena_copy(call->arena, hex, FINGERPRINT_LENGTH);
    if (alert->name[0] == '\0')
        alert->name = "manual";
    if (alert->status == PB__ALERT_STATUS__ALERT_STATUS_UNSPECIFIED)
        alert->status = PB__ALERT_STATUS__FIRING;
    if (alert->starts_at_ms == 0)
        alert->starts_at_ms = call->now_ms;
}

static const char *alert_fault(const Pb__Alert *alert, const char **ret_field)
{
    *ret_field = "service";
    if (alert->service[0] == '\0')
        return "service is missing";
    *ret_field = "environment";
    if (alert->environment[0] == '\0')
        return "environment is missing";
    *ret_field = "severity";
    if (alert->severity == PB__SEVERITY__SEVERITY_UNSPECIFIED)
        return "severity must be INFO, WARNING or CRITICAL";
    return NULL;
}

void post_alert(struct gateway_call *call)
{
    Pb__AlertBatch *const batch = pb_new(call->arena, &pb__alert_batch__descriptor);
    struct error error = { 0 };
    const char *field = "";
    const char *fault;
    void *message = NULL;

    if (!call_has_role(call, senders))
        return;
    if (pbjson_parse(call->arena,
                     &pb__alert__descriptor,
                     (const char *)call->body.bytes,
                     call->body.length,
                     &message,
                     &error) != ERR_OK) {
        call_problem(call, &(struct problem){ .code = "malformed", .detail = error.text });
        return;
    }
    fault = alert_fault(message, &field);
    if (fault != NULL) {
        call_problem(call,
                     &(struct problem){ .code = "invalid", .field = field, .detail = fault });
        return;
    }
    complete_alert(call, message);
    batch->source = call->actor->subject;
    PB_APPEND(call->arena, batch, alerts, message);
    if (publish_batch(call, batch))
        answer_taken(call, batch);
}
