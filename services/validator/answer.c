#include "services/validator/answer.h"

#include "common/drivers/deployers/deployer.h"
#include "common/drivers/finding.h"
#include "common/drivers/metric_sources/metric_source.h"
#include "common/drivers/probes/probe.h"

#include <string.h>

/* The side that had the traffic before, of a target that has two; NULL if that is unknown. */
static const char *side_before(const Pb__RunChecks *checks, const char *target)
{
    const size_t length = strlen(DEPLOYED_SIDE);

    for (size_t i = 0; i < checks->n_baseline; i++) {
        const Pb__Observed *const seen = checks->baseline[i];

        if (pb_same(seen->target, target) && strncmp(seen->state, DEPLOYED_SIDE, length) == 0)
            return seen->state + length;
    }
    return NULL;
}

static bool is_on_side(const struct setting_target *target,
                       const char *instance,
                       const char *side)
{
    for (size_t i = 0; target != NULL && side != NULL && i < target->instance_count; i++)
        if (pb_same(target->instances[i].name, instance))
            return pb_same(target->instances[i].side, side);
    return false;
}

struct names {
    const char **item;
    size_t count;
};

static void add_batch(const struct answer_context *context,
                      const Pb__Change *change,
                      const Pb__Batch *batch,
                      struct names *names)
{
    const struct setting_target *const target =
        settings_target(context->env->settings, change->target);
    const char *const before =
        pb_same(batch->side, "idle") ? side_before(context->checks, change->target) : NULL;

    for (size_t i = 0; i < batch->n_instances; i++) {
        if (is_on_side(target, batch->instances[i], before))
            continue;
        names->item =
            pb_grow(context->env->arena, names->item, names->count, sizeof *names->item);
        names->item[names->count++] = batch->instances[i];
    }
}

/* The instances that the changes at hand reached: of a batch under way that batch, and of two
 * sides the one that was brought. The other side runs what ran before, and is right to. */
static struct names instances_reached(const struct answer_context *context)
{
    const Pb__RunChecks *const checks = context->checks;
    struct names names = { NULL, 0 };

    for (size_t c = 0; c < checks->n_changes; c++)
        for (size_t b = 0; b < checks->changes[c]->n_batches; b++)
            add_batch(context, checks->changes[c], checks->changes[c]->batches[b], &names);
    return names;
}

static Pb__Finding *answer_probe(const struct answer_context *context,
                                 const Pb__CheckSpec *check)
{
    const struct names names = instances_reached(context);

    return probe_answer(context->env, check, names.item, names.count);
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
