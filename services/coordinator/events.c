#include "services/coordinator/events.h"

#include "common/wire/topics.h"
#include "services/coordinator/batch.h"
#include "services/coordinator/in_hand.h"
#include "services/coordinator/leases.h"
#include "services/coordinator/mark.h"
#include "services/coordinator/partition.h"
#include "services/coordinator/takeover.h"

#include <inttypes.h>

/* What one turn has received, in order. */
struct drained {
    const struct bus_record *records[BATCH_RECORDS_MAX];
    size_t count;
};

static void assigned(void *self, const char *topic, int32_t number, int64_t *offset)
{
    (void)topic;
    (void)offset; /* The take-over seeks by what Redis says. */
    partition_add(self, number);
}

static void revoked(void *self, const char *topic, int32_t number, bool lost)
{
    (void)topic;
    partition_remove(self, number, lost);
}

enum err events_open(struct coordinator *shell, struct error *error)
{
    static const char *const topics[] = { TOPIC_EVENTS, NULL };
    const struct bus_subscription subscription = {
        .group = GROUP_COORDINATOR,
        .topics = topics,
        .start = BUS_FROM_COMMITTED,
        .listener = { shell, assigned, revoked },
    };
    const struct bus *const bus = &shell->ports->bus;

    return bus->subscribe(bus->self, &subscription, &shell->events, error);
}

/* Waits for the first record only: a batch never waits to become larger. */
static enum err drain(struct coordinator *shell, struct drained *drained, struct error *error)
{
    size_t bytes = 0;

    drained->count = 0;
    while (drained->count < BATCH_RECORDS_MAX && bytes < BATCH_BYTES_MAX) {
        const int wait_ms = drained->count == 0 ? RECEIVE_WAIT_MS : 0;
        struct bus_record record = { 0 };
        const enum err err = shell->events.receive(shell->events.self, wait_ms, &record, error);

        if (err == ERR_STALE)
            return ERR_OK;
        if (err != ERR_OK)
            return error_wrap(error, err, "receive %s", TOPIC_EVENTS);
        if (partition_find(shell, record.partition) == NULL)
            continue;
        drained->records[drained->count++] = record_copy(&shell->arena, &record);
        bytes += record.length;
    }
    return ERR_OK;
}

/* How many records from there on can be applied as one batch. */
static size_t run_length(const struct partition *partition,
                         const struct bus_record *const *records,
                         size_t count)
{
    const bool folding = partition->phase == PARTITION_FOLDING;
    size_t length = 1;

    if (partition->careful)
        return 1;
    while (length < count && records[length]->offset == records[0]->offset + (int64_t)length &&
           !(folding && records[length]->offset >= partition->fold_until))
        length++;
    return length;
}

static void apply_run(struct coordinator *shell,
                      struct partition *partition,
                      const struct bus_record *const *records,
                      size_t count)
{
    const struct metrics_port *const metrics = &shell->ports->metrics;
    struct error error = { 0 };
    enum err err = batch_run(shell, partition, records, count, &error);

    metrics->set(metrics->self, "slipway_batch_records", "", "", (int64_t)count);
    if (err == ERR_OK && partition->phase == PARTITION_LIVE && partition->look_at_cancelled)
        err = leases_look_at_cancelled(shell, partition, &error);
    if (err != ERR_OK)
        partition_retake(shell, partition, err, &error);
    takeover_finish(shell, partition);
}

/* A record beyond the expected one means that some were passed over: ask for them again. */
static void note_gap(struct coordinator *shell,
                     struct partition *partition,
                     const struct bus_record *record)
{
    const int64_t expected = partition_expects(partition);
    struct error error = { 0 };

    if (expected < 0 || record->offset < expected ||
        shell_monotonic_ms(shell) - partition->asked_at_ms < RETRY_PAUSE_MS)
        return;
    if (partition_seek(shell, partition, expected, &error) != ERR_OK)
        partition_retake(shell, partition, ERR_UNAVAILABLE, &error);
}

/* It was heard before as something else: the log has lost its end and grown again. */
static bool is_another(struct coordinator *shell,
                       const struct partition *partition,
                       const struct bus_record *record)
{
    return (partition->phase == PARTITION_LIVE || partition->phase == PARTITION_FOLDING) &&
           record->offset == partition->mark.offset &&
           !mark_matches(&shell->arena, &partition->mark, record);
}

static void doubt(struct coordinator *shell,
                  struct partition *partition,
                  const struct bus_record *record)
{
    struct error why = { 0 };
    const enum err err = error_set(&why,
                                   ERR_CONFLICT,
                                   "record %" PRId64 " is not the one that was applied",
                                   record->offset);

    partition_retake(shell, partition, err, &why);
}

static void feed(struct coordinator *shell,
                 struct partition *partition,
                 const struct bus_record *const *records,
                 size_t count)
{
    size_t i = 0;

    while (i < count) {
        if (is_another(shell, partition, records[i])) {
            doubt(shell, partition, records[i]);
            i++;
        } else if (records[i]->offset != partition_expects(partition)) {
            note_gap(shell, partition, records[i]);
            i++;
        } else if (partition->phase == PARTITION_FIRST || partition->phase == PARTITION_LAST) {
            if (!takeover_hear(shell, partition, records[i]))
                i++;
            takeover_finish(shell, partition);
        } else {
            const size_t length = run_length(partition, records + i, count - i);

            apply_run(shell, partition, records + i, length);
            i += length;
        }
    }
}

/* While records keep coming the group is told now and then; when none come, at once. */
static enum err commit_groups(struct coordinator *shell, bool idle, struct error *error)
{
    const int64_t now_ms = shell_monotonic_ms(shell);
    enum err err = ERR_OK;

    if (!idle && now_ms < shell->group_commit_at_ms)
        return ERR_OK;
    shell->group_commit_at_ms = now_ms + GROUP_COMMIT_EVERY_MS;
    for (int32_t p = 0; p < shell->partition_count && err == ERR_OK; p++) {
        if (shell->partitions[p] != NULL)
            err = partition_group_commit(shell, shell->partitions[p], error);
    }
    /* Given to somebody else: the listener will hear of it. */
    return err == ERR_CONFLICT ? ERR_OK : err;
}

/* Everything of the log is looked at anew, as at a take-over. */
static void doubt_all(struct coordinator *shell, enum err code, const struct error *why)
{
    for (int32_t p = 0; p < shell->partition_count; p++) {
        struct partition *const partition = shell->partitions[p];

        if (partition != NULL &&
            (partition->phase == PARTITION_LAST || partition->phase == PARTITION_FOLDING ||
             partition->phase == PARTITION_LIVE))
            partition_retake(shell, partition, code, why);
    }
}

/* A log that was lost in part and written on is not seen from its newest records: after each
 * new connection the record applied last is looked at before any other is believed. */
static void look_again(struct coordinator *shell)
{
    const unsigned connections = shell->events.connections(shell->events.self);
    struct error why = { 0 };

    if (connections == shell->connections)
        return;
    shell->connections = connections;
    (void)error_set(&why, ERR_STALE, "the connection to the log is new");
    doubt_all(shell, ERR_STALE, &why);
    for (int32_t p = 0; p < shell->partition_count; p++) {
        if (shell->partitions[p] != NULL)
            shell->partitions[p]->retry_at_ms = 0; /* Nothing is wrong so far. */
    }
}

enum err events_turn(struct coordinator *shell, struct error *error)
{
    struct drained *const drained = arena_alloc(&shell->arena, sizeof *drained);
    const struct bus_record **const own =
        arena_alloc(&shell->arena, BATCH_RECORDS_MAX * sizeof *own);
    enum err err = drain(shell, drained, error);

    look_again(shell);
    in_hand_records(shell, drained->records, drained->count, CRASH_AFTER_RECEIVE);
    for (int32_t p = 0; p < shell->partition_count; p++) {
        size_t count = 0;

        for (size_t i = 0; i < drained->count; i++) {
            if (drained->records[i]->partition == p)
                own[count++] = drained->records[i];
        }
        if (count > 0 && shell->partitions[p] != NULL)
            feed(shell, shell->partitions[p], own, count);
    }
    /* The log is not there any more where it was heard last. Nobody says anything by the clock
     * before it is known which log it is: that could fill the place of what was lost. */
    if (err == ERR_INTERNAL)
        doubt_all(shell, ERR_INTERNAL, error);
    if (err == ERR_OK)
        err = commit_groups(shell, drained->count == 0, error);
    return err;
}
