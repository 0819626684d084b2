/* Monitoring: every metric returns data, dashboards are there, alerts are configured, and none
 * of them is critical and open. */
#include "services/prechecks/links.h"
#include "services/prechecks/tally.h"

#include "common/drivers/metric_sources/metric_source.h"
#include "common/state/keys.h"

enum { ALERT_MAX = 64 * 1024 };

static Pb__Finding *ask(const struct look *look, const Pb__MetricCriterion *criterion)
{
    Pb__CheckSpec *const check = pb_new(look->env.arena, &pb__check_spec__descriptor);
    struct metric_sample sample = { 0 };

    check->id = look->check->id;
    check->kind = "metric";
    check->metric = arena_alloc(look->env.arena, sizeof *check->metric);
    *check->metric = *criterion;
    return metric_answer(&look->env, check, &sample);
}

/* The metrics the plan gave this check. */
static size_t metrics_of(const struct look *look, Pb__MetricCriterion *const **ret)
{
    if (look->check->n_metrics > 0) {
        *ret = look->check->metrics;
        return look->check->n_metrics;
    }
    *ret = &look->check->metric;
    return look->check->metric != NULL ? 1 : 0;
}

/* PASS and FAIL compare a number: there is data. */
static bool has_data(const Pb__Finding *finding)
{
    return finding->verdict == PB__VERDICT__PASS || finding->verdict == PB__VERDICT__FAIL;
}

void look_at_metrics(const struct look *look, Pb__Finding *ret)
{
    Pb__MetricCriterion *const *metrics;
    const size_t count = metrics_of(look, &metrics);
    struct tally tally = tally_begin();

    for (size_t i = 0; i < count; i++) {
        const Pb__Finding *const answer = ask(look, metrics[i]);

        tally_add(&tally,
                  has_data(answer) ? PB__VERDICT__PASS : answer->verdict,
                  "%s: %s",
                  metrics[i]->name,
                  answer->observed);
        ret->evidence = answer->evidence;
    }
    ret->wanted = "every metric of the plan returns data now";
    tally_end(
        &tally, look->env.arena, ret, "metrics return data", "the plan watches no metric");
}

/* A source without data yet is there; one that does not answer is not. */
void look_at_metric_sources(const struct look *look, Pb__Finding *ret)
{
    Pb__MetricCriterion *const *metrics;
    const size_t count = metrics_of(look, &metrics);
    struct tally tally = tally_begin();

    for (size_t i = 0; i < count; i++) {
        const Pb__Finding *const answer = ask(look, metrics[i]);
        const bool answers = has_data(answer) || answer->verdict == PB__VERDICT__NO_DATA;

        tally_add(&tally,
                  answers ? PB__VERDICT__PASS : answer->verdict,
                  "%s: %s",
                  metrics[i]->source,
                  answer->observed);
    }
    ret->wanted = "every metric source answers";
    tally_end(&tally, look->env.arena, ret, "queries answered", "the plan watches no metric");
}

void look_at_dashboards(const struct look *look, Pb__Finding *ret)
{
    struct tally tally = tally_begin();

    for (size_t i = 0; i < look->asked->n_dashboards; i++) {
        const Pb__Link *const dashboard = look->asked->dashboards[i];
        const struct link_answer answer = link_reach(look, dashboard->url);

        tally_add(&tally, answer.verdict, "%.200s %s", dashboard->url, answer.said);
        ret->link = dashboard->url;
    }
    ret->wanted = "every dashboard can be reached";
    ret->evidence = "GET each dashboard's address";
    tally_end(&tally, look->env.arena, ret, "dashboards", "the acceptance names no dashboard");
}

/* As step 5 asks again: the sources that evaluate rules, else the section of slipway.yaml. */
void look_at_alert_rules(const struct look *look, Pb__Finding *ret)
{
    const Pb__Finding *const answer = metric_alerts_answer(&look->env, look->check);

    if (answer == NULL) {
        ret->verdict = PB__VERDICT__FAIL;
        ret->observed =
            "slipway.yaml names no alert, and no metric source that evaluates rules";
        ret->wanted = "at least one alert that Slipway reacts to";
        ret->evidence = "`alerts` in slipway.yaml";
        return;
    }
    ret->verdict = answer->verdict;
    ret->observed = answer->observed;
    ret->wanted = answer->wanted;
    ret->evidence = answer->evidence;
}

static void add_alert(const struct look *look,
                      const struct store_field *field,
                      struct tally *tally)
{
    const struct pb_bytes packed = { (const uint8_t *)field->value.bytes, field->value.length };
    const Pb__Alert *alert;
    struct error error = { 0 };
    void *message;

    if (packed.length > ALERT_MAX ||
        pb_unpack(look->env.arena, &pb__alert__descriptor, packed, &message, &error) !=
            ERR_OK) {
        tally_add(tally, PB__VERDICT__ERROR, "alert %s cannot be read", field->name);
        return;
    }
    alert = message;
    if (alert->severity == PB__SEVERITY__CRITICAL &&
        alert->status == PB__ALERT_STATUS__FIRING &&
        (alert->environment[0] == '\0' ||
         pb_same(alert->environment, look->command->environment)))
        tally_add(tally, PB__VERDICT__FAIL, "%s: %s", alert->name, alert->summary);
}

static void add_service(const struct look *look, const char *service, struct tally *tally)
{
    const struct store *const store = &look->ports->store;
    struct error error = { 0 };
    struct store_field *fields = NULL;
    size_t count = 0;
    const enum err err = store->hash_all(
        store->self,
        look->env.arena,
        keys_global(look->env.arena, look->env.settings->redis.prefix, "alerts:", service),
        &fields,
        &count,
        &error);

    tally_add(tally,
              err == ERR_OK ? PB__VERDICT__PASS : PB__VERDICT__ERROR,
              "alerts of %s: %s",
              service,
              error.text);
    for (size_t i = 0; i < count && err == ERR_OK; i++)
        add_alert(look, &fields[i], tally);
}

/* True when a change before this one has the same service. */
static bool is_repeated(const struct look *look, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (pb_same(look->asked->changes[i]->service, look->asked->changes[index]->service))
            return true;
    return false;
}

void look_at_open_alerts(const struct look *look, Pb__Finding *ret)
{
    struct tally tally = tally_begin();

    /* Those of the feature: also one that it relies on without changing it. */
    for (size_t i = 0; i < look->check->n_params; i++)
        if (pb_same(look->check->params[i]->key, "service"))
            add_service(look, look->check->params[i]->value, &tally);
    for (size_t i = 0; i < look->asked->n_changes && tally.count == 0; i++)
        if (!is_repeated(look, i))
            add_service(look, look->asked->changes[i]->service, &tally);
    ret->wanted = "no critical alert is open";
    tally_end(&tally,
              look->env.arena,
              ret,
              "services without an open critical alert",
              "the plan changes no service");
}
