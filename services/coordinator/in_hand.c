#include "services/coordinator/in_hand.h"

#include "services/coordinator/partition.h"
#include "services/coordinator/record.h"

unsigned in_hand_of_state(const Pb__DeploymentState *state)
{
    switch (state->phase) {
    case PB__PHASE__STOPPING:
    case PB__PHASE__ROLLING_BACK:
    case PB__PHASE__BLOCKED_ROLLBACK:
    case PB__PHASE__ABORTED:
    case PB__PHASE__ROLLED_BACK: return CRASH_UNDO;
    default: return state->step <= 7 ? CRASH_STEP(state->step) : 0;
    }
}

static unsigned of_aggregate(const struct aggregate *aggregate)
{
    unsigned in = 0;

    if (aggregate->kind == AGGREGATE_LANE)
        return CRASH_LANE;
    if (aggregate->kind != AGGREGATE_DEPLOYMENT)
        return 0;
    if (aggregate->before != NULL)
        in |= in_hand_of_state(aggregate->before);
    if (aggregate->state != NULL)
        in |= in_hand_of_state(aggregate->state);
    return in;
}

void in_hand_batch(const struct batch *batch, enum crash_place place)
{
    unsigned in = 0;

    if (batch->shell->ports->crash == NULL)
        return;
    for (size_t i = 0; i < batch->aggregate_count; i++)
        in |= of_aggregate(batch->aggregates[i]);
    crash_point(batch->shell->ports->crash, place, in);
}

void in_hand_partition(const struct coordinator *shell,
                       const struct partition *partition,
                       enum crash_place place)
{
    unsigned in = 0;

    if (shell->ports->crash == NULL)
        return;
    for (size_t i = 0; i < partition->live.count; i++)
        in |= partition->live.items[i].in_hand;
    crash_point(shell->ports->crash, place, in);
}

/* What is live under that name, in any partition of ours. */
static unsigned of_deployment(const struct coordinator *shell, const char *deployment)
{
    for (int32_t p = 0; p < shell->partition_count; p++) {
        const struct live *const live = shell->partitions[p] != NULL
                                            ? live_find(&shell->partitions[p]->live, deployment)
                                            : NULL;

        if (live != NULL)
            return live->in_hand;
    }
    return 0;
}

void in_hand_records(struct coordinator *shell,
                     const struct bus_record *const *records,
                     size_t count,
                     enum crash_place place)
{
    unsigned in = 0;

    if (shell->ports->crash == NULL || count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        const char *const deployment = record_deployment(&shell->arena, records[i]);

        if (deployment != NULL)
            in |= of_deployment(shell, deployment);
    }
    crash_point(shell->ports->crash, place, in);
}

void in_hand_outbox(const struct coordinator *shell,
                    const struct outbox *outbox,
                    enum crash_place place)
{
    unsigned in = 0;

    if (shell->ports->crash == NULL || outbox->count == 0)
        return;
    for (size_t i = 0; i < outbox->count; i++)
        in |= of_deployment(shell, outbox->items[i].subject);
    crash_point(shell->ports->crash, place, in);
}

void in_hand_acceptances(const struct coordinator *shell, size_t count, enum crash_place place)
{
    if (count > 0)
        crash_point(shell->ports->crash, place, CRASH_STEP(0));
}
