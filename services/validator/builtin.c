#include "services/validator/answer.h"

#include "common/drivers/finding.h"
#include "common/drivers/metric_sources/metric_source.h"
#include "common/drivers/providers/provider.h"

#include <string.h>

/* Every flag of the plan, read back from its provider. */
static Pb__Finding *answer_flags(const struct answer_context *context,
                                 const Pb__CheckSpec *check)
{
    const Pb__RunChecks *const checks = context->checks;
    const struct flag_value wanted = { .percent = checks->percent,
                                       .audience = checks->audience,
                                       .deployment = context->command->deployment };
    struct finding_fold fold = { .env = context->env, .what = "flags" };

    for (size_t i = 0; i < checks->n_flags; i++)
        finding_fold_add(
            &fold,
            checks->flags[i]->key,
            provider_read_back(
                context->env, check, checks->flags[i], context->command->environment, &wanted));
    return finding_fold_end(&fold);
}

static bool is_first_of_source(const Pb__CheckSpec *check, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(check->metrics[i]->source, check->metrics[index]->source) == 0)
            return false;
    }
    return true;
}

/* The criterion's value, whatever its limit says: data is what is asked for. */
static Pb__Finding *answer_data(const struct driver_env *env,
                                const Pb__CheckSpec *check,
                                Pb__MetricCriterion *criterion)
{
    Pb__CheckSpec asked = *check;
    struct metric_sample sample;
    Pb__Finding *finding;

    asked.metric = criterion;
    finding = metric_answer_since(env, &asked, NULL, &sample);
    if (sample.evidence != NULL)
        finding->verdict = PB__VERDICT__PASS;
    finding->wanted = "data";
    return finding;
}

/* Every metric of the plan returns data now. */
static Pb__Finding *answer_all_data(const struct answer_context *context,
                                    const Pb__CheckSpec *check)
{
    struct finding_fold fold = { .env = context->env, .what = "metrics" };

    for (size_t i = 0; i < check->n_metrics; i++)
        finding_fold_add(&fold,
                         check->metrics[i]->name,
                         answer_data(context->env, check, check->metrics[i]));
    return finding_fold_end(&fold);
}

/* Every metric source of the plan answers and has data of these services. */
static Pb__Finding *answer_sources(const struct answer_context *context,
                                   const Pb__CheckSpec *check)
{
    struct finding_fold fold = { .env = context->env, .what = "metric sources" };

    for (size_t i = 0; i < check->n_metrics; i++) {
        if (is_first_of_source(check, i))
            finding_fold_add(&fold,
                             check->metrics[i]->source,
                             answer_data(context->env, check, check->metrics[i]));
    }
    return finding_fold_end(&fold);
}

/* Every metric is inside its limit. */
static Pb__Finding *answer_limits(const struct answer_context *context,
                                  const Pb__CheckSpec *check)
{
    struct finding_fold fold = { .env = context->env, .what = "metrics" };

    for (size_t i = 0; i < check->n_metrics; i++) {
        Pb__CheckSpec asked = *check;
        struct metric_sample sample;

        asked.metric = check->metrics[i];
        finding_fold_add(
            &fold, check->metrics[i]->name, metric_answer(context->env, &asked, &sample));
    }
    return finding_fold_end(&fold);
}

static Pb__Finding *answer_alerts(const struct answer_context *context,
                                  const Pb__CheckSpec *check)
{
    return metric_alerts_answer(context->env, check);
}

/* clang-format off */
static const struct {
    const char *check;
    Pb__Finding *(*answer)(const struct answer_context *context, const Pb__CheckSpec *check);
    const char *nothing; /* Why there is no answer, when there was nothing to ask. */
} builtins[] = {
    { "verify.flags_off",             answer_flags,    "the plan brings no flag" },
    { "monitoring.active",            answer_sources,  "the plan names no metric" },
    { "monitoring.working",           answer_sources,  "the plan names no metric" },
    { "monitoring.metrics",           answer_all_data, "the plan names no metric" },
    { "monitoring.alerts_configured", answer_alerts,   "no alert is configured" },
    { "performance.metrics",          answer_limits,   "the plan names no metric" },
};
/* clang-format on */

static Pb__Finding *no_answer(const struct answer_context *context,
                              const Pb__CheckSpec *check,
                              Pb__Verdict verdict,
                              const char *why)
{
    Pb__Finding *const finding = finding_new(context->env, check, "builtin");

    finding_says(context->env, finding, verdict, "%s", why);
    return finding;
}

Pb__Finding *builtin_answer(const struct answer_context *context, const Pb__CheckSpec *check)
{
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++) {
        Pb__Finding *finding;

        if (strcmp(builtins[i].check, check->id) != 0)
            continue;
        finding = builtins[i].answer(context, check);
        if (finding == NULL)
            return no_answer(context, check, PB__VERDICT__NO_DATA, builtins[i].nothing);
        finding->kind = "builtin";
        return finding;
    }
    return no_answer(context,
                     check,
                     PB__VERDICT__ERROR,
                     arena_printf(context->env->arena,
                                  "the validator does not know how to answer '%.80s'",
                                  check->id));
}
