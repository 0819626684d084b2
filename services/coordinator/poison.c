#include "services/coordinator/poison.h"

#include "common/wire/topics.h"
#include "services/coordinator/control.h"
#include "services/coordinator/in_hand.h"
#include "services/coordinator/mark.h"
#include "services/coordinator/outbox.h"
#include "services/coordinator/partition.h"

#include <inttypes.h>
#include <string.h>

static const char *tried_key(struct coordinator *shell, int32_t partition)
{
    return KEY_TRIED(&shell->arena, partition, shell_prefix(shell));
}

/* How many other processes began that record and said nothing since. */
static enum err deaths_read(
    struct coordinator *shell, const char *key, int64_t offset, int *ret, struct error *error)
{
    const char *const about = arena_printf(&shell->arena, "%" PRId64, offset);
    struct store_field *tries = NULL;
    size_t count = 0;
    const enum err err =
        shell->store.hash_all(shell->store.self, &shell->arena, key, &tries, &count, error);

    *ret = 0;
    if (err != ERR_OK)
        return error_wrap(error, err, "read %s", key);
    for (size_t i = 0; i < count; i++)
        if (strcmp(tries[i].name, shell->run) != 0 && strcmp(tries[i].value.bytes, about) == 0)
            ++*ret;
    return ERR_OK;
}

static enum err quarantine(struct coordinator *shell,
                           struct partition *partition,
                           const struct bus_record *record,
                           struct error *error)
{
    struct arena *const arena = &shell->arena;
    Pb__Control *const control = pb_new(arena, &pb__control__descriptor);
    Pb__Skip *const skip = pb_new(arena, &pb__skip__descriptor);
    struct outbox outbox = { .arena = arena };
    enum err err;

    skip->partition = (uint32_t)partition->number;
    skip->offset = record->offset;
    skip->reason = "the coordinator died on it again and again";
    control->body_case = PB__CONTROL__BODY_SKIP;
    control->skip = skip;
    outbox_add(&outbox,
               &(struct outgoing){
                   .kind = PB__OUTBOX_KIND__OUTBOX_RECORD,
                   .id = arena_printf(
                       arena, "skip.%d.%" PRId64, (int)partition->number, record->offset),
                   .topic = TOPIC_CONTROL,
                   .key = arena_printf(
                       arena, "skip/%d/%" PRId64, (int)partition->number, record->offset),
                   .subject = "",
                   .traceparent = "",
                   .at_ms = record->at_ms,
                   .message = &control->base,
               });
    /* It must be out before the record is passed over: whoever folds this log later reads it
     * there. */
    err = outbox_publish(shell, &outbox, error);
    in_hand_partition(shell, partition, CRASH_SKIP_AFTER_PUBLISH);
    if (err != ERR_OK)
        return error_wrap(error, err, "quarantine record %" PRId64, record->offset);
    control_add_skip(shell->control, partition->number, record->offset);
    LOG(shell->ports->log,
        LOG_ERROR,
        "record quarantined",
        { "partition", partition_name(shell, partition) },
        { "offset", arena_printf(arena, "%" PRId64, record->offset) });
    return ERR_OK;
}

enum err poison_look(struct coordinator *shell,
                     struct partition *partition,
                     const struct bus_record *record,
                     struct error *error)
{
    struct writes writes = partition_writes(shell, partition);
    const char *const key = tried_key(shell, partition->number);
    int deaths = 0;
    enum err err = deaths_read(shell, key, record->offset, &deaths, error);

    if (err != ERR_OK)
        return err;
    if (deaths >= QUARANTINE_DEATHS)
        return quarantine(shell, partition, record, error);
    writes_hash_int(&writes, key, shell->run, record->offset);
    return partition_commit(shell, partition, &writes, error);
}

void poison_outlived(struct coordinator *shell, const struct partition *partition)
{
    shell->outlived[partition->number] = true;
    poison_tell_outlived(shell);
}

void poison_tell_outlived(struct coordinator *shell)
{
    for (int32_t p = 0; p < shell->partition_count; p++) {
        struct writes writes = { .arena = &shell->arena,
                                 .prefix = shell_prefix(shell),
                                 .partition = p };
        struct error ignored = { 0 };

        if (!shell->outlived[p])
            continue;
        /* Our own line and nobody else's: it needs no guard. */
        writes_hash_delete(&writes, tried_key(shell, p), shell->run);
        shell->outlived[p] = writes_commit(&writes, shell->store, NULL, 0, &ignored) != ERR_OK;
    }
}

void poison_forget(struct coordinator *shell,
                   const struct partition *partition,
                   struct writes *writes)
{
    writes_delete(writes, tried_key(shell, partition->number));
}
