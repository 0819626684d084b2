/* Alerts: what is open, one sent by hand, and Alertmanager's webhook. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/domain/blame.h"
#include "common/state/keys.h"
#include "common/wire/pbjson.h"
#include "common/wire/topics.h"
#include "services/gateway/alertmanager.h"

#include <string.h>

enum { ACCEPTED = 202, FINGERPRINT_LENGTH = 16, LIVE_MAX = 2000, ENDED_MAX = 200 };

static const char *const senders[] = { "alerting",    "release-engineer", "operations-lead",
                                       "devops-lead", "technical-lead",   NULL };

/* --- whom an alert concerns --- */

/* Deployments that may be to blame, by the monitor's own rule. */
struct suspected {
    struct suspect *item;
    size_t count;
    bool known; /* False: Redis could not be asked. */
};

static enum err add_suspects(struct gateway_call *call,
                             bool live,
                             struct suspected *to,
                             struct error *error)
{
    const struct projection *const projection = call->projection;
    struct store_member *members = NULL;
    size_t count = 0;
    enum err err = projection_list(
        projection, call->arena, live, live ? LIVE_MAX : ENDED_MAX, &members, &count, error);

    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        Pb__DeploymentState *state = NULL;
        Pb__Plan *plan = NULL;
        struct error no_plan = { 0 };

        err =
            projection_deployment(projection, call_item(call), members[i].name, &state, error);
        if (err == ERR_NOT_FOUND) {
            err = ERR_OK;
            continue;
        }
        if (err != ERR_OK ||
            projection_plan(projection, call->item, state, &plan, &no_plan) != ERR_OK)
            plan = NULL;
        if (err == ERR_OK)
            to->item[to->count++] = suspect_of(call->arena, state, plan);
    }
    return err;
}

static struct suspected find_suspects(struct gateway_call *call)
{
    struct suspected suspected = {
        .item = arena_alloc(call->arena, (LIVE_MAX + ENDED_MAX) * sizeof(struct suspect))
    };
    struct error error = { 0 };

    suspected.known = add_suspects(call, true, &suspected, &error) == ERR_OK &&
                      add_suspects(call, false, &suspected, &error) == ERR_OK;
    return suspected;
}

/* null when nobody could be asked: an empty list would say that it concerns nobody. */
static void write_matches(struct gateway_call *call,
                          struct json *json,
                          const struct suspected *suspected,
                          const Pb__Alert *alert)
{
    if (!suspected->known) {
        json_put_null(json, "matches");
        return;
    }
    json_put_array(json, "matches");
    for (size_t i = 0; i < suspected->count; i++) {
        const struct suspect *const suspect = &suspected->item[i];

        if (!suspect_matches(suspect, alert, call->now_ms))
            continue;
        json_put_object(json, NULL);
        json_put_text(json, "deployment", suspect->deployment);
        view_time(json, "changed_ms", suspect->changed_ms);
        json_put_bool(json, "at_work", suspect->at_work);
        json_put_bool(json, "latched", suspect->killed);
        json_end_object(json);
    }
    json_end_array(json);
}

/* --- showing --- */

static void write_alert(struct gateway_call *call,
                        struct json *json,
                        const struct suspected *suspected,
                        const Pb__Alert *alert)
{
    json_put_object(json, NULL);
    pbjson_put_fields(json, alert, PBJSON_FULL);
    write_matches(call, json, suspected, alert);
    json_end_object(json);
}

static enum err write_alerts_of(struct gateway_call *call,
                                struct json *json,
                                const struct suspected *suspected,
                                const char *service)
{
    struct projection *const projection = call->projection;
    struct store_field *fields = NULL;
    struct error error = { 0 };
    size_t count = 0;
    const enum err err = projection->store.hash_all(
        projection->store.self,
        call_item(call),
        keys_global(call->item, projection->prefix, "alerts:", service),
        &fields,
        &count,
        &error);

    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        const struct pb_bytes packed = { (const uint8_t *)fields[i].value.bytes,
                                         fields[i].value.length };
        void *alert = NULL;

        if (pb_unpack(call->item, &pb__alert__descriptor, packed, &alert, &error) == ERR_OK)
            write_alert(call, json, suspected, alert);
    }
    if (err != ERR_OK)
        call_unavailable(call, &error);
    return err;
}

static bool is_first_of_service(const struct settings *settings, size_t target)
{
    for (size_t i = 0; i < target; i++) {
        if (pb_same(settings->targets[i].service, settings->targets[target].service))
            return false;
    }
    return true;
}

void get_alerts(struct gateway_call *call)
{
    const struct settings *const settings = call->gateway->ports->settings;
    const struct suspected suspected = find_suspects(call);
    struct json json = call_json(call);

    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < settings->target_count; i++) {
        if (is_first_of_service(settings, i) &&
            write_alerts_of(call, &json, &suspected, settings->targets[i].service) != ERR_OK)
            return;
    }
    json_end_array(&json);
    json_put_null(&json, "next");
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

static struct json answer_taken(struct gateway_call *call, const Pb__AlertBatch *batch)
{
    struct json json = call_json(call);

    call->status = ACCEPTED;
    json_put_object(&json, NULL);
    json_put_uint(&json, "alerts", batch->n_alerts);
    json_put_uint(&json, "truncated", batch->truncated);
    return json;
}

/* Answered 2xx only once Kafka has it: Alertmanager sends again after 5xx, never after 4xx. */
void post_alertmanager(struct gateway_call *call)
{
    Pb__AlertBatch *batch = NULL;
    struct error error = { 0 };
    struct json json;

    if (!call_has_role(call, senders))
        return;
    if (alertmanager_read(call->arena,
                          arena_printf(call->arena, "alertmanager/%s", call->actor->subject),
                          call->body,
                          &batch,
                          &error) != ERR_OK) {
        call_problem(call,
                     &(struct problem){ .code = strstr(error.text, "more than") != NULL
                                                    ? "too-large"
                                                    : "malformed",
                                        .detail = error.text });
        return;
    }
    if (batch->n_alerts == 0 || publish_batch(call, batch)) {
        json = answer_taken(call, batch);
        json_end_object(&json);
    }
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

/* Recorded; and whom it concerns, if that can be said. */
static void answer_alert(struct gateway_call *call, const Pb__AlertBatch *batch)
{
    const struct suspected suspected = find_suspects(call);
    struct json json = answer_taken(call, batch);

    json_put_text(&json, "fingerprint", batch->alerts[0]->fingerprint);
    json_put_int(&json, "at_ms", call->now_ms);
    write_matches(call, &json, &suspected, batch->alerts[0]);
    json_end_object(&json);
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
        answer_alert(call, batch);
}
