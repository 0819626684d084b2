#include "services/validator/answer.h"

#include "common/drivers/finding.h"
#include "common/drivers/metric_sources/metric_source.h"
#include "common/drivers/probes/probe.h"

#include <string.h>

/* The instances that the changes at hand reached: of a batch under way that batch, and of two
 * sides the one that was brought. The other side runs what ran before, and is right to. */
static size_t instances_reached(const struct answer_context *context, const char *const **ret)
{
    const Pb__RunChecks *const checks = context->checks;
    const char **names = NULL;
    size_t count = 0;

    for (size_t c = 0; c < checks->n_changes; c++) {
        for (size_t b = 0; b < checks->changes[c]->n_batches; b++) {
            const Pb__Batch *const batch = checks->changes[c]->batches[b];

            for (size_t i = 0; i < batch->n_instances; i++) {
                names = pb_grow(context->env->arena, names, count, sizeof *names);
                names[count++] = batch->instances[i];
            }
        }
    }
    *ret = names;
    return count;
}

static Pb__Finding *answer_probe(const struct answer_context *context,
                                 const Pb__CheckSpec *check)
{
    const char *const *names;
    const size_t count = instances_reached(context, &names);

    return probe_answer(context->env, check, names, count);
}

Pb__Finding *check_answer(const struct answer_context *context, const Pb__CheckSpec *check)
{
    struct metric_sample sample;
    Pb__Finding *finding;

    if (strcmp(check->kind, "probe") == 0)
        return answer_probe(context, check);
    if (strcmp(check->kind, "metric") == 0)
        return metric_answer(context->env, check, &sample);
    if (strcmp(check->kind, "builtin") == 0)
        return builtin_answer(context, check);
    finding = finding_new(context->env, check, check->kind);
    finding_says(context->env,
                 finding,
                 PB__VERDICT__ERROR,
                 "the validator cannot answer a check of kind '%.40s'",
                 check->kind);
    return finding;
}
