#include "common/drivers/finding.h"
#include "common/drivers/metric_sources/metric_source.h"

static bool inside(const Pb__MetricCriterion *criterion, int64_t value_micro)
{
    switch (criterion->comparison) {
    case PB__COMPARISON__AT_MOST: return value_micro <= criterion->limit_micro;
    case PB__COMPARISON__AT_LEAST: return value_micro >= criterion->limit_micro;
    default: return false;
    }
}

enum err metric_source_open(const struct driver_env *env,
                            const char *name,
                            const struct metric_source_driver **ret_driver,
                            const void **ret_config,
                            struct error *error)
{
    const struct setting_driver *const setting = settings_metric_source(env->settings, name);
    const struct metric_source_driver *const driver =
        setting != NULL ? metric_source_find(setting->driver) : NULL;
    struct yaml_problems *problems;
    const void *config;

    if (driver == NULL)
        return error_set(
            error, ERR_INVALID, "metric source '%.100s' is not configured here", name);
    problems = arena_alloc(env->arena, sizeof *problems);
    problems->arena = env->arena;
    config = driver_config(
        env->arena, driver->options, driver->config_size, setting->options, problems);
    if (config == NULL)
        return error_set(error,
                         ERR_INVALID,
                         "metric source %s: %s",
                         setting->name,
                         problems->count > 0 ? problems->item[0].message : "wrong options");
    *ret_driver = driver;
    *ret_config = config;
    return ERR_OK;
}

static enum err sample(const struct driver_env *env,
                       const Pb__MetricCriterion *criterion,
                       struct metric_memory *memory,
                       struct metric_sample *ret,
                       struct error *error)
{
    const struct metric_source_driver *driver = NULL;
    struct metric_query query = { .text = criterion->query, .memory = memory };
    const enum err err =
        metric_source_open(env, criterion->source, &driver, &query.config, error);

    if (err != ERR_OK || driver == NULL)
        return err;
    return driver->query(env, &query, ret, error);
}

static Pb__Verdict verdict_of(const Pb__MetricCriterion *criterion,
                              enum err err,
                              int64_t value_micro)
{
    switch (err) {
    case ERR_OK: return inside(criterion, value_micro) ? PB__VERDICT__PASS : PB__VERDICT__FAIL;
    case ERR_NOT_FOUND: return PB__VERDICT__NO_DATA;
    case ERR_CONFLICT: return PB__VERDICT__INCONCLUSIVE;
    default: return PB__VERDICT__ERROR;
    }
}

Pb__Finding *metric_answer_since(const struct driver_env *env,
                                 const Pb__CheckSpec *check,
                                 struct metric_memory *memory,
                                 struct metric_sample *ret_sample)
{
    const Pb__MetricCriterion *const criterion = check->metric;
    Pb__Finding *const finding = finding_new(env, check, "metric");
    struct metric_sample taken = { 0 };
    struct error error = { 0 };
    enum err err;

    *ret_sample = taken;
    if (criterion == NULL || criterion->comparison == PB__COMPARISON__COMPARISON_UNSPECIFIED) {
        finding->verdict = PB__VERDICT__ERROR;
        finding->observed = "the plan names no metric with a limit for this check";
        return finding;
    }
    err = sample(env, criterion, memory, &taken, &error);
    finding_says(env,
                 finding,
                 verdict_of(criterion, err, taken.value_micro),
                 err == ERR_OK ? "%s is %s" : "%s: %s",
                 criterion->name,
                 err == ERR_OK
                     ? metric_value_text(env->arena, taken.value_micro, criterion->unit)
                     : error.text);
    finding->wanted = arena_printf(
        env->arena, "%s %s", criterion->name, metric_limit_text(env->arena, criterion));
    finding->evidence =
        err == ERR_OK
            ? taken.evidence
            : arena_printf(env->arena, "ask %s for: %s", criterion->source, criterion->query);
    if (err == ERR_OK)
        *ret_sample = taken;
    return finding;
}

Pb__Finding *metric_answer(const struct driver_env *env,
                           const Pb__CheckSpec *check,
                           struct metric_sample *ret_sample)
{
    Pb__Finding *const finding = metric_answer_since(env, check, NULL, ret_sample);

    if (finding->verdict == PB__VERDICT__NO_DATA &&
        check->metric->no_data == PB__NO_DATA_RULE__NO_DATA_FAILS)
        finding->verdict = PB__VERDICT__FAIL;
    return finding;
}
