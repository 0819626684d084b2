#include "services/executor/executor.h"

#include <string.h>

Pb__Finding *executor_find(struct worker_task *task, const char *check, Pb__Verdict verdict)
{
    Pb__Finding *const finding = pb_new(task->arena, &pb__finding__descriptor);

    finding->check = arena_text(task->arena, check);
    finding->kind = "deployer";
    finding->required = true;
    finding->verdict = verdict;
    PB_APPEND(task->arena, task->result, findings, finding);
    return finding;
}

const Pb__Observed *baseline_of(Pb__Observed *const *baseline,
                                size_t count,
                                const char *target,
                                const char *instance)
{
    for (size_t i = 0; i < count; i++)
        if (pb_same(baseline[i]->target, target) && pb_same(baseline[i]->instance, instance))
            return baseline[i];
    return NULL;
}

/* The first side that is not that one, in the order of the instances. */
static const char *other_side(const struct setting_target *target, const char *side)
{
    for (size_t i = 0; i < target->instance_count; i++) {
        const char *const candidate = target->instances[i].side;

        if (candidate[0] != '\0' && !pb_same(candidate, side))
            return candidate;
    }
    return NULL;
}

const char *batch_side(const struct setting_target *target,
                       const Pb__Batch *batch,
                       const Pb__Observed *router_before,
                       struct error *error)
{
    const char *side = NULL;

    if (!pb_same(batch->side, "idle"))
        return batch->side;
    if (router_before != NULL &&
        strncmp(router_before->state, DEPLOYED_SIDE, strlen(DEPLOYED_SIDE)) == 0)
        side = other_side(target, router_before->state + strlen(DEPLOYED_SIDE));
    if (side == NULL)
        (void)error_set(error,
                        ERR_INVALID,
                        "%s: which side had the traffic before is unknown",
                        target->name);
    return side;
}

bool observed_as(const Pb__Observed *observed, const Pb__Observed *baseline)
{
    const bool settled = pb_same(observed->state, DEPLOYED_ACTIVE) ||
                         pb_same(observed->state, DEPLOYED_UNMANAGED) ||
                         pb_same(observed->state, DEPLOYED_NONE);

    if (strncmp(baseline->state, DEPLOYED_SIDE, strlen(DEPLOYED_SIDE)) == 0)
        return pb_same(observed->state, baseline->state);
    /* Left as it was found, where nothing of this deployment has touched it. */
    return (settled || pb_same(observed->state, baseline->state)) &&
           pb_same(observed->version, baseline->version) &&
           pb_same(observed->digest, baseline->digest);
}

const char *observed_text(struct arena *arena, const Pb__Observed *observed)
{
    if (strncmp(observed->state, DEPLOYED_SIDE, strlen(DEPLOYED_SIDE)) == 0)
        return observed->state;
    if (observed->version[0] == '\0' && observed->digest[0] == '\0')
        return pb_same(observed->state, DEPLOYED_NONE) || observed->state[0] == '\0'
                   ? "nothing"
                   : observed->state;
    return arena_printf(arena,
                        "%s sha256:%.12s%s%s",
                        observed->version,
                        observed->digest,
                        pb_same(observed->state, DEPLOYED_ACTIVE) ? "" : " ",
                        pb_same(observed->state, DEPLOYED_ACTIVE) ? "" : observed->state);
}
