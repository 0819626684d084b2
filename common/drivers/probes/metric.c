#include "common/drivers/metric_sources/metric_source.h"
#include "common/drivers/probes/look.h"
#include "common/drivers/probes/rows.h"

struct metric_probe {
    const char *source;
    const char *query;
    const char *at_most;
    const char *at_least;
    const char *unit;
    int64_t settle_ms;
};

/* clang-format off */
static const struct option metric_options[] = {
    TEXT_OPTION(struct metric_probe, source, "source", NULL, "configured metric source"),
    TEXT_OPTION(struct metric_probe, query, "query", NULL, "in the language of that source"),
    TEXT_OPTION(struct metric_probe, at_most, "at_most", "", "limit; one of at_most and at_least"),
    TEXT_OPTION(struct metric_probe, at_least, "at_least", "", "limit; one of at_most and at_least"),
    TEXT_OPTION(struct metric_probe, unit, "unit", "", "for people: ratio, ms"),
    DURATION_OPTION(struct metric_probe, settle_ms, "settle", "0s", "how long a worker keeps looking for a PASS"),
    OPTIONS_END,
};
/* clang-format on */

/* The probe's options as the criterion a plan would hold. NULL without exactly one limit. */
static Pb__MetricCriterion *criterion_of(const struct driver_env *env,
                                         const struct metric_probe *probe,
                                         const char *name)
{
    Pb__MetricCriterion *const criterion =
        pb_new(env->arena, &pb__metric_criterion__descriptor);
    const bool most = probe->at_most[0] != '\0';
    const char *const limit = most ? probe->at_most : probe->at_least;

    if (most == (probe->at_least[0] != '\0') ||
        option_micro(limit, &criterion->limit_micro) != ERR_OK)
        return NULL;
    criterion->name = name;
    criterion->source = probe->source;
    criterion->query = probe->query;
    criterion->unit = probe->unit;
    criterion->comparison = most ? PB__COMPARISON__AT_MOST : PB__COMPARISON__AT_LEAST;
    return criterion;
}

static void metric_look(const struct driver_env *env,
                        const struct probe_order *order,
                        Pb__Finding *ret)
{
    Pb__CheckSpec asked = *order->check;
    struct metric_sample sample;
    const Pb__Finding *answer;

    asked.metric = criterion_of(env, order->config, order->check->probe);
    if (asked.metric == NULL) {
        finding_says(
            env,
            ret,
            PB__VERDICT__ERROR,
            "the probe needs a number as at_most or as at_least, and only one of them");
        return;
    }
    answer = metric_answer(env, &asked, &sample);
    ret->verdict = answer->verdict;
    ret->observed = answer->observed;
    ret->wanted = answer->wanted;
    ret->evidence = answer->evidence;
}

const struct probe_driver probe_metric = {
    .name = "metric",
    .options = metric_options,
    .config_size = sizeof(struct metric_probe),
    .look = metric_look,
};
