#include "services/coordinator/poison.h"

#include "common/wire/topics.h"
#include "services/coordinator/control.h"
#include "services/coordinator/mark.h"
#include "services/coordinator/outbox.h"
#include "services/coordinator/partition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How often that record was begun and not ended. */
static enum err deaths_read(
    struct coordinator *shell, const char *key, int64_t offset, int *ret, struct error *error)
{
    struct store_value value = { 0 };
    const enum err err = shell->store.get(shell->store.self, &shell->arena, key, &value, error);
    int64_t about = -1;
    int deaths = 0;

    *ret = 0;
    if (err != ERR_OK)
        return error_wrap(error, err, "read %s", key);
    if (value.bytes != NULL && sscanf(value.bytes, "%" SCNd64 " %d", &about, &deaths) == 2 &&
        about == offset)
        *ret = deaths;
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
    const char *const key = KEY_INFLIGHT(&shell->arena, partition->number, shell_prefix(shell));
    int deaths = 0;
    enum err err = deaths_read(shell, key, record->offset, &deaths, error);
    const char *text;

    if (err != ERR_OK)
        return err;
    if (deaths >= QUARANTINE_DEATHS)
        return quarantine(shell, partition, record, error);
    text = arena_printf(&shell->arena, "%" PRId64 " %d", record->offset, deaths + 1);
    writes_set(&writes, key, (struct pb_bytes){ (const uint8_t *)text, strlen(text) });
    return partition_commit(shell, partition, &writes, error);
}
