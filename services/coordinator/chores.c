#include "services/coordinator/chores.h"

#include "common/wire/topics.h"
#include "services/coordinator/holds.h"
#include "services/coordinator/leases.h"
#include "services/coordinator/mark.h"
#include "services/coordinator/partition.h"
#include "services/coordinator/poison.h"
#include "services/coordinator/timers.h"

#include <string.h>

enum { PHASES_MAX = 32, OUTBOX_COUNTED_MAX = 10000 };

/* True, and the next time set, when it is time. */
static bool is_due(struct coordinator *shell, int64_t *next_ms, int64_t every_ms)
{
    const int64_t now_ms = shell_monotonic_ms(shell);

    if (now_ms < *next_ms)
        return false;
    *next_ms = now_ms + every_ms;
    return true;
}

/* One that was started again, or a replica in its place: workers claim nothing there before it
 * is said that nothing is missing. */
static enum err check_run(struct coordinator *shell,
                          const struct partition *partition,
                          struct error *error)
{
    const char *const dot = strchr(partition->ready, READY_RUN);
    const char *run = "";
    const enum err err = shell->store.run(shell->store.self, &run, error);

    if (err != ERR_OK || (dot != NULL && strcmp(run, dot + 1) == 0))
        return err;
    return error_set(error, ERR_CONFLICT, "this is another Redis, or another run of it");
}

/* Without a commit nothing would notice that Redis has lost its tail, or everything: timers
 * would simply not be there any more. And a tail that was only our word that we have caught up
 * fits all commits, while workers wait for that word. */
static void check_mark(struct coordinator *shell, struct partition *partition)
{
    struct error error = { 0 };
    enum err err;

    if (partition->phase != PARTITION_LIVE)
        return;
    err = partition_unchanged(shell, partition, &error);
    if (err == ERR_OK)
        err = check_run(shell, partition, &error);
    if (err != ERR_OK)
        partition_retake(shell, partition, err, &error);
}

static void check_marks(struct coordinator *shell)
{
    for (int32_t p = 0; p < shell->partition_count; p++) {
        if (shell->partitions[p] != NULL)
            check_mark(shell, shell->partitions[p]);
    }
}

static void count_phases(const struct coordinator *shell)
{
    const struct metrics_port *const metrics = &shell->ports->metrics;
    int64_t counts[PHASES_MAX] = { 0 };

    for (int32_t p = 0; p < shell->partition_count; p++) {
        const struct partition *const partition = shell->partitions[p];

        for (size_t i = 0; partition != NULL && i < partition->live.count; i++) {
            const int phase = (int)partition->live.items[i].phase;

            if (phase > 0 && phase < PHASES_MAX)
                counts[phase]++;
        }
    }
    for (unsigned i = 0; i < pb__phase__descriptor.n_values; i++) {
        const int phase = pb__phase__descriptor.values[i].value;

        if (phase > 0 && phase < PHASES_MAX)
            metrics->set(metrics->self,
                         "slipway_deployments",
                         "phase",
                         pb__phase__descriptor.values[i].name,
                         counts[phase]);
    }
}

static void count_partition(struct coordinator *shell, const struct partition *partition)
{
    const struct metrics_port *const metrics = &shell->ports->metrics;
    const char *const name = partition_name(shell, partition);
    const struct store_range range = {
        .key = KEY_OUTBOX(&shell->arena, partition->number, shell_prefix(shell)),
        .min = INT64_MIN,
        .max = INT64_MAX,
        .limit = OUTBOX_COUNTED_MAX,
    };
    struct store_member *members = NULL;
    struct error ignored = { 0 };
    size_t count = 0;
    int64_t low = 0;
    int64_t high = 0;

    /* Numbers that cannot be had now are shown as they were. */
    if (shell->store.sorted_range(
            shell->store.self, &shell->arena, &range, &members, &count, &ignored) == ERR_OK)
        metrics->set(metrics->self, "slipway_outbox_depth", "partition", name, (int64_t)count);
    if (shell->events.watermarks(
            shell->events.self, TOPIC_EVENTS, partition->number, &low, &high, &ignored) ==
        ERR_OK)
        metrics->set(metrics->self,
                     "slipway_log_lag_records",
                     "partition",
                     name,
                     high - (partition->mark.offset + 1));
}

static void count_all(struct coordinator *shell)
{
    count_phases(shell);
    for (int32_t p = 0; p < shell->partition_count; p++) {
        if (shell->partitions[p] != NULL && shell->partitions[p]->phase == PARTITION_LIVE)
            count_partition(shell, shell->partitions[p]);
    }
}

enum err chores_turn(struct coordinator *shell, struct error *error)
{
    enum err err = ERR_OK;

    poison_tell_outlived(shell);
    if (is_due(shell, &shell->timers_at_ms, TIMERS_EVERY_MS))
        err = timers_turn(shell, error);
    if (err == ERR_OK)
        err = holds_turn(shell, error);
    if (err == ERR_OK && is_due(shell, &shell->chores_at_ms, CHORES_EVERY_MS)) {
        check_marks(shell);
        err = leases_turn(shell, error);
    }
    if (err == ERR_OK && is_due(shell, &shell->numbers_at_ms, NUMBERS_EVERY_MS))
        count_all(shell);
    return err;
}
