#include "services/gateway/alertmanager.h"

#include "common/wire/envelope.h"

#include <jansson.h>

#include <string.h>

static const char *text_of(struct arena *arena, const json_t *object, const char *name)
{
    return arena_text(arena, json_string_value(json_object_get(object, name)));
}

static Pb__Severity severity_of(const char *label)
{
    if (strcmp(label, "critical") == 0 || strcmp(label, "page") == 0)
        return PB__SEVERITY__CRITICAL;
    if (strcmp(label, "info") == 0 || strcmp(label, "none") == 0)
        return PB__SEVERITY__INFO;
    return PB__SEVERITY__WARNING;
}

/* Alertmanager writes the year 1 while an alert is still open. */
static int64_t time_of(struct arena *arena, const json_t *object, const char *name)
{
    const int64_t ms = envelope_parse_time(text_of(arena, object, name));

    return ms > 0 ? ms : 0;
}

static void read_labels(struct arena *arena, json_t *labels, Pb__Alert *alert)
{
    const char *name;
    json_t *value;

    json_object_foreach(labels, name, value)
    {
        if (json_is_string(value))
            PB_APPEND(arena, alert, labels, pb_pair_new(arena, name, json_string_value(value)));
    }
    alert->name = pb_pair(alert->labels, alert->n_labels, "alertname");
    alert->service = pb_pair(alert->labels, alert->n_labels, "service");
    alert->environment = pb_pair(alert->labels, alert->n_labels, "environment");
    alert->severity = severity_of(pb_pair(alert->labels, alert->n_labels, "severity"));
}

static enum err read_alert(struct arena *arena,
                           const json_t *object,
                           Pb__Alert *alert,
                           struct error *error)
{
    json_t *const labels = json_object_get(object, "labels");
    const json_t *const annotations = json_object_get(object, "annotations");
    const char *const status = text_of(arena, object, "status");

    if (!json_is_object(labels))
        return error_set(error, ERR_INVALID, "labels must be an object");
    if (strcmp(status, "firing") != 0 && strcmp(status, "resolved") != 0)
        return error_set(error, ERR_INVALID, "status must be firing or resolved");
    read_labels(arena, labels, alert);
    alert->status = status[0] == 'f' ? PB__ALERT_STATUS__FIRING : PB__ALERT_STATUS__RESOLVED;
    alert->fingerprint = text_of(arena, object, "fingerprint");
    alert->starts_at_ms = time_of(arena, object, "startsAt");
    alert->ends_at_ms = time_of(arena, object, "endsAt");
    alert->link = text_of(arena, object, "generatorURL");
    alert->summary = text_of(arena, annotations, "summary");
    if (alert->summary[0] == '\0')
        alert->summary = text_of(arena, annotations, "description");
    if (alert->fingerprint[0] == '\0')
        return error_set(error, ERR_INVALID, "fingerprint is missing");
    return ERR_OK;
}

static enum err read_batch(struct arena *arena,
                           const json_t *root,
                           Pb__AlertBatch *batch,
                           struct error *error)
{
    const json_t *const alerts = json_object_get(root, "alerts");
    const json_int_t truncated = json_integer_value(json_object_get(root, "truncatedAlerts"));

    if (!json_is_array(alerts))
        return error_set(error, ERR_INVALID, "alerts must be a list");
    if (json_array_size(alerts) > ALERTMANAGER_ALERTS_MAX)
        return error_set(
            error, ERR_TOO_LARGE, "more than %d alerts in a message", ALERTMANAGER_ALERTS_MAX);
    batch->group = text_of(arena, root, "groupKey");
    batch->truncated = truncated > 0 && truncated < UINT32_MAX ? (uint32_t)truncated : 0;
    for (size_t i = 0; i < json_array_size(alerts); i++) {
        Pb__Alert *const alert = pb_new(arena, &pb__alert__descriptor);

        if (read_alert(arena, json_array_get(alerts, i), alert, error) != ERR_OK)
            return error_wrap(error, ERR_INVALID, "alerts[%zu]", i);
        PB_APPEND(arena, batch, alerts, alert);
    }
    return ERR_OK;
}

enum err alertmanager_read(struct arena *arena,
                           const char *source,
                           struct pb_bytes body,
                           Pb__AlertBatch **ret,
                           struct error *error)
{
    Pb__AlertBatch *const batch = pb_new(arena, &pb__alert_batch__descriptor);
    json_error_t reason;
    json_t *const root =
        json_loadb((const char *)body.bytes, body.length, JSON_REJECT_DUPLICATES, &reason);
    enum err err;

    if (root == NULL)
        return error_set(error, ERR_INVALID, "line %d: %s", reason.line, reason.text);
    batch->source = arena_text(arena, source);
    err = read_batch(arena, root, batch, error);
    json_decref(root);
    if (err == ERR_OK)
        *ret = batch;
    return err;
}
