#include "common/drivers/finding.h"
#include "common/drivers/metric_sources/metric_source.h"

/* What the sources say together. */
struct alerts_seen {
    size_t sources; /* That evaluate rules. */
    size_t rules;
    const struct setting_alert_rule *missing; /* Where it should be; NULL: none is. */
    enum err err;                             /* Of a source that did not answer; ERR_OK. */
    struct error error;
};

static void ask_source(const struct driver_env *env, const char *name, struct alerts_seen *seen)
{
    const struct metric_source_driver *driver = NULL;
    const void *config = NULL;
    size_t rules = 0;
    struct error error = { 0 };
    enum err err = metric_source_open(env, name, &driver, &config, &error);

    if (err == ERR_OK && driver->alert_rules == NULL)
        return;
    if (err == ERR_OK)
        err = driver->alert_rules(env, config, NULL, &rules, &error);
    seen->sources++;
    seen->rules += rules;
    if (err == ERR_OK)
        return;
    seen->err = err;
    seen->error = error;
}

/* Is the rule where slipway.yaml says? */
static void ask_rule(const struct driver_env *env,
                     const struct setting_alert_rule *rule,
                     struct alerts_seen *seen)
{
    const struct metric_source_driver *driver = NULL;
    const void *config = NULL;
    size_t rules = 0;
    struct error error = { 0 };
    enum err err;

    if (rule->source == NULL || rule->source[0] == '\0')
        return;
    err = metric_source_open(env, rule->source, &driver, &config, &error);
    if (err == ERR_OK && driver->alert_rules != NULL)
        err = driver->alert_rules(env, config, rule->alert, &rules, &error);
    if (err == ERR_OK && rules == 0)
        seen->missing = rule;
    if (err == ERR_OK)
        return;
    seen->err = err;
    seen->error = error;
}

static void judge(const struct driver_env *env,
                  const struct alerts_seen *seen,
                  Pb__Finding *finding)
{
    const size_t named = env->settings->alert_rule_count;

    if (seen->err != ERR_OK)
        finding_says(env, finding, PB__VERDICT__ERROR, "%s", seen->error.text);
    else if (seen->missing != NULL)
        finding_says(env,
                     finding,
                     PB__VERDICT__FAIL,
                     "%s does not evaluate a rule %s",
                     seen->missing->source,
                     seen->missing->alert);
    else if (seen->sources > 0)
        finding_says(env,
                     finding,
                     seen->rules > 0 ? PB__VERDICT__PASS : PB__VERDICT__FAIL,
                     "%zu alerting rules in %zu metric sources",
                     seen->rules,
                     seen->sources);
    else
        finding_says(env,
                     finding,
                     PB__VERDICT__PASS,
                     "%s names %zu alerts; none of the metric sources evaluates rules",
                     env->settings->file,
                     named);
}

Pb__Finding *metric_alerts_answer(const struct driver_env *env, const Pb__CheckSpec *check)
{
    struct alerts_seen seen = { 0 };
    Pb__Finding *finding;

    for (size_t i = 0; i < env->settings->metric_source_count; i++)
        ask_source(env, env->settings->metric_sources[i].name, &seen);
    for (size_t i = 0; i < env->settings->alert_rule_count && seen.err == ERR_OK; i++)
        ask_rule(env, &env->settings->alert_rules[i], &seen);
    if (seen.sources == 0 && env->settings->alert_rule_count == 0)
        return NULL;
    finding = finding_new(env, check, "metric");
    finding->wanted = "at least one alerting rule, and each that slipway.yaml places";
    finding->evidence = seen.sources > 0 ? "GET /api/v1/rules?type=alert of the metric sources"
                                         : "the section alerts of slipway.yaml";
    judge(env, &seen, finding);
    return finding;
}
