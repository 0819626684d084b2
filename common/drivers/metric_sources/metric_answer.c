#include "common/drivers/metric_sources/metric_source.h"

#include <string.h>

static bool inside(const Pb__MetricCriterion *criterion, int64_t value_micro)
{
    switch (criterion->comparison) {
    case PB__COMPARISON__AT_MOST: return value_micro <= criterion->limit_micro;
    case PB__COMPARISON__AT_LEAST: return value_micro >= criterion->limit_micro;
    default: return false;
    }
}

static enum err sample(const struct driver_env *env,
                       const Pb__MetricCriterion *criterion,
                       struct metric_memory *memory,
                       struct metric_sample *ret,
                       struct error *error)
{
    const struct setting_driver *const setting =
        settings_metric_source(env->settings, criterion->source);
    const struct metric_source_driver *const driver =
        setting != NULL ? metric_source_find(setting->driver) : NULL;
    struct yaml_problems *problems;
    struct metric_query query = { .text = criterion->query, .memory = memory };

    if (driver == NULL)
        return error_set(error,
                         ERR_INVALID,
                         "metric source '%.100s' is not configured here",
                         criterion->source);
    problems = arena_alloc(env->arena, sizeof *problems);
    problems->arena = env->arena;
    query.config = driver_config(
        env->arena, driver->options, driver->config_size, setting->options, problems);
    if (query.config == NULL)
        return error_set(error,
                         ERR_INVALID,
                         "metric source %s: %s",
                         setting->name,
                         problems->count > 0 ? problems->item[0].message : "wrong options");
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

static const char *because(struct arena *arena, const char *name, const char *why)
{
    const char *const text = arena_printf(arena, "%s: %s", name, why);

    return driver_excerpt(arena, text, strlen(text), ERROR_TEXT_MAX);
}

Pb__Finding *metric_answer_since(const struct driver_env *env,
                                 const Pb__CheckSpec *check,
                                 struct metric_memory *memory,
                                 struct metric_sample *ret_sample)
{
    const Pb__MetricCriterion *const criterion = check->metric;
    Pb__Finding *const finding = pb_new(env->arena, &pb__finding__descriptor);
    struct metric_sample taken = { 0 };
    struct error error = { 0 };
    enum err err;

    finding->check = check->id;
    finding->kind = "metric";
    finding->required = check->required;
    finding->remedy = check->remedy;
    finding->at_ms = clock_now_ms(env->clock);
    *ret_sample = taken;
    if (criterion == NULL || criterion->comparison == PB__COMPARISON__COMPARISON_UNSPECIFIED) {
        finding->verdict = PB__VERDICT__ERROR;
        finding->observed = "the plan names no metric with a limit for this check";
        return finding;
    }
    err = sample(env, criterion, memory, &taken, &error);
    finding->verdict = verdict_of(criterion, err, taken.value_micro);
    finding->wanted = arena_printf(
        env->arena, "%s %s", criterion->name, metric_limit_text(env->arena, criterion));
    finding->observed =
        err == ERR_OK
            ? arena_printf(env->arena,
                           "%s is %s",
                           criterion->name,
                           metric_value_text(env->arena, taken.value_micro, criterion->unit))
            : because(env->arena, criterion->name, error.text);
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
