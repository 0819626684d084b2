#include "services/coordinator/partition.h"

#include "common/wire/topics.h"
#include "services/coordinator/in_hand.h"
#include "services/coordinator/mark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct partition *partition_find(const struct coordinator *shell, int32_t number)
{
    return number >= 0 && number < shell->partition_count ? shell->partitions[number] : NULL;
}

const char *partition_name(struct coordinator *shell, const struct partition *partition)
{
    return arena_printf(&shell->arena, "%d", (int)partition->number);
}

struct writes partition_writes(struct coordinator *shell, const struct partition *partition)
{
    return (struct writes){ .arena = &shell->arena,
                            .prefix = shell_prefix(shell),
                            .partition = partition->number };
}

enum err partition_commit(struct coordinator *shell,
                          const struct partition *partition,
                          struct writes *writes,
                          struct error *error)
{
    struct store_guard guards[MARK_GUARDS];
    const size_t count = mark_guards(writes, &partition->mark, guards);

    return writes_commit(writes, shell->store, guards, count, error);
}

enum err partition_unchanged(struct coordinator *shell,
                             const struct partition *partition,
                             struct error *error)
{
    const struct log_mark *const mark = &partition->mark;
    struct log_mark stored = { 0 };
    const enum err err = mark_read(shell, partition->number, &stored, error);

    if (err != ERR_OK)
        return err;
    if (strcmp(stored.owner, mark->owner) == 0 && strcmp(stored.ready, partition->ready) == 0 &&
        stored.offset == mark->offset)
        return ERR_OK;
    return error_set(error, ERR_CONFLICT, "Redis is not what it was after the last commit");
}

enum err partition_sweep(struct coordinator *shell,
                         struct partition *partition,
                         struct writes *writes,
                         struct error *error)
{
    const enum err err = partition_commit(shell, partition, writes, error);

    if (err != ERR_CONFLICT)
        return err;
    partition_retake(shell, partition, err, error);
    return ERR_OK;
}

void partition_enter(struct coordinator *shell,
                     struct partition *partition,
                     enum partition_phase phase,
                     const char *why)
{
    (void)pthread_mutex_lock(&shell->lock);
    partition->phase = phase;
    (void)snprintf(partition->why, sizeof partition->why, "%s", why);
    (void)pthread_mutex_unlock(&shell->lock);
}

void partition_add(struct coordinator *shell, int32_t number)
{
    struct partition *partition;

    if (number < 0 || number >= shell->partition_count || shell->partitions[number] != NULL)
        return;
    partition = calloc(1, sizeof *partition);
    if (partition == NULL)
        abort();
    partition->number = number;
    partition->mark.offset = -1;
    partition->rebuild = shell->rebuild && !shell->settled[number];
    partition_enter(shell, partition, PARTITION_NEW, "is being taken over");
    (void)pthread_mutex_lock(&shell->lock);
    shell->partitions[number] = partition;
    (void)pthread_mutex_unlock(&shell->lock);
    LOG(shell->ports->log,
        LOG_INFO,
        "partition assigned",
        { "partition", partition_name(shell, partition) });
}

/* A clean hand-over leaves no owner: the next one need not fear the record that comes next. */
static void release_owner(struct coordinator *shell, struct partition *partition)
{
    struct writes writes = partition_writes(shell, partition);
    const char *const key = KEY_LOG(&shell->arena, partition->number, shell_prefix(shell));
    struct error ignored = { 0 };

    writes_hash_delete(&writes, key, "owner");
    /* If it fails the next owner is only more careful than it need be. */
    if (partition_commit(shell, partition, &writes, &ignored) != ERR_OK)
        return;
}

void partition_remove(struct coordinator *shell, int32_t number, bool lost)
{
    struct partition *const partition = partition_find(shell, number);

    if (partition == NULL)
        return;
    if (!lost && partition->phase == PARTITION_LIVE && !partition->publish_failed)
        release_owner(shell, partition);
    LOG(shell->ports->log,
        LOG_INFO,
        lost ? "partition lost" : "partition given back",
        { "partition", partition_name(shell, partition) });
    (void)pthread_mutex_lock(&shell->lock);
    shell->partitions[number] = NULL;
    (void)pthread_mutex_unlock(&shell->lock);
    cache_clear(&partition->cache);
    live_clear(&partition->live);
    free(partition);
}

static void forget(struct partition *partition)
{
    cache_clear(&partition->cache);
    live_clear(&partition->live);
    partition->mark = (struct log_mark){ .offset = -1 };
    partition->publish_failed = false;
}

void partition_retake(struct coordinator *shell,
                      struct partition *partition,
                      enum err code,
                      const struct error *why)
{
    forget(partition);
    partition->retry_at_ms = shell_monotonic_ms(shell) + RETRY_PAUSE_MS;
    partition_enter(shell, partition, PARTITION_NEW, why->text);
    shell->ports->metrics.add(
        shell->ports->metrics.self, "slipway_takeovers_total", "cause", err_name(code), 1);
    LOG(shell->ports->log,
        LOG_WARNING,
        "partition will be taken over again",
        { "partition", partition_name(shell, partition) },
        { "error", why->text });
}

void partition_stop(struct coordinator *shell,
                    struct partition *partition,
                    const struct error *why)
{
    forget(partition);
    partition_enter(shell, partition, PARTITION_STOPPED, why->text);
    LOG(shell->ports->log,
        LOG_ERROR,
        "partition stopped: an operator must decide",
        { "partition", partition_name(shell, partition) },
        { "error", why->text });
}

enum err partition_seek(struct coordinator *shell,
                        struct partition *partition,
                        int64_t offset,
                        struct error *error)
{
    partition->wanted_offset = offset;
    partition->asked_at_ms = shell_monotonic_ms(shell);
    return shell->events.seek(
        shell->events.self, TOPIC_EVENTS, partition->number, offset, error);
}

int64_t partition_expects(const struct partition *partition)
{
    switch (partition->phase) {
    case PARTITION_FIRST:
    case PARTITION_LAST: return partition->wanted_offset;
    case PARTITION_FOLDING:
    case PARTITION_LIVE: return partition->mark.offset + 1;
    case PARTITION_NEW:
    case PARTITION_STOPPED: return -1;
    }
    return -1;
}

enum err partition_group_commit(struct coordinator *shell,
                                struct partition *partition,
                                struct error *error)
{
    const int64_t next = partition->mark.offset + 1;
    enum err err;

    if (partition->phase != PARTITION_LIVE || partition->publish_failed ||
        partition->group_offset >= next)
        return ERR_OK;
    err =
        shell->events.commit(shell->events.self, TOPIC_EVENTS, partition->number, next, error);
    if (err == ERR_OK) {
        partition->group_offset = next;
        in_hand_partition(shell, partition, CRASH_AFTER_GROUP_COMMIT);
    }
    return err;
}
