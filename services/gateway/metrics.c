/* What the monitor has measured of a deployment. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/state/keys.h"

static const char *operator_of(Pb__Comparison comparison)
{
    switch (comparison) {
    case PB__COMPARISON__AT_MOST: return "<=";
    case PB__COMPARISON__AT_LEAST: return ">=";
    default: return "";
    }
}

bool deployment_load_series(struct gateway_call *call, struct view_source *source)
{
    struct projection *const projection = call->projection;
    struct store_value value = { 0 };
    struct error error = { 0 };
    void *series = NULL;

    if (projection->store.get(
            projection->store.self,
            call->arena,
            keys_global(call->arena, projection->prefix, "samples:", source->state->id),
            &value,
            &error) != ERR_OK) {
        call_unavailable(call, &error);
        return false;
    }
    if (value.bytes != NULL &&
        pb_unpack(call->arena,
                  &pb__deployment_series__descriptor,
                  (struct pb_bytes){ (const uint8_t *)value.bytes, value.length },
                  &series,
                  &error) == ERR_OK)
        source->series = series;
    return true;
}

/* The first point not older than since_ms. */
static size_t first_point(const Pb__MetricSeries *metric, int64_t since_ms)
{
    size_t i = 0;

    while (i < metric->n_at_ms && metric->at_ms[i] < since_ms)
        i++;
    return i;
}

static void write_metric(struct json *json,
                         const Pb__MetricSeries *metric,
                         int64_t every_ms,
                         int64_t since_ms)
{
    const size_t count =
        metric->n_values_micro < metric->n_at_ms ? metric->n_values_micro : metric->n_at_ms;
    const size_t first = first_point(metric, since_ms);

    json_put_object(json, NULL);
    json_put_text(json, "name", metric->name);
    json_put_text(json, "unit", metric->unit);
    json_put_text(json, "op", operator_of(metric->comparison));
    json_put_micro(json, "limit", metric->limit_micro);
    json_put_text(json, "verdict", pb_verdict_name(metric->verdict));
    json_put_array(json, "values");
    for (size_t i = first; i < count; i++)
        json_put_micro(json, NULL, metric->values_micro[i]);
    json_end_array(json);
    json_put_array(json, "at_ms");
    for (size_t i = first; i < count; i++)
        json_put_int(json, NULL, metric->at_ms[i]);
    json_end_array(json);
    view_time(json, "t0_ms", first < count ? metric->at_ms[first] : 0);
    json_put_int(json, "every_ms", every_ms);
    json_put_uint(json, "samples", metric->samples);
    json_put_text(json, "source", metric->source);
    json_put_text(json, "query", metric->query);
    json_put_text(json, "note", metric->note);
    json_end_object(json);
}

void view_metrics(struct json *json,
                  const char *key,
                  const Pb__DeploymentSeries *series,
                  int64_t since_ms)
{
    json_put_array(json, key);
    for (size_t i = 0; series != NULL && i < series->n_metrics; i++)
        write_metric(json, series->metrics[i], series->every_ms, since_ms);
    json_end_array(json);
}

void get_metrics(struct gateway_call *call)
{
    const struct query_number number = { "since_ms", 0, INT64_MAX, 0 };
    struct view_source source;
    uint64_t since_ms = 0;
    struct json json;

    if (!call_number(call, &number, &since_ms) || !deployment_load(call, &source) ||
        !deployment_load_series(call, &source))
        return;
    json = call_json(call);
    json_put_object(&json, NULL);
    view_metrics(&json, "items", source.series, (int64_t)since_ms);
    json_end_object(&json);
}
