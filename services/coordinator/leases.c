#include "services/coordinator/leases.h"

#include "services/coordinator/in_hand.h"
#include "services/coordinator/partition.h"
#include "services/coordinator/told.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEASES_PER_TURN = 256,
    NUMBER_BASE = 10,
    TELL_AGAIN_MS = 10 * 1000, /* A word that was not taken up may not have got out. */
};

/* The record of a task as Redis has it. */
struct task_record {
    const char *state; /* "" if there is none. */
    const char *owner; /* "" if nobody claimed it. */
    uint32_t drive;
    int64_t lease_until_ms;
    struct pb_bytes command;
    struct pb_bytes cancel;
};

static struct pb_bytes bytes_of(const struct store_value *value)
{
    return (struct pb_bytes){ (const uint8_t *)value->bytes, value->length };
}

static void record_field(struct task_record *record, const struct store_field *field)
{
    const char *const text = field->value.bytes;

    if (strcmp(field->name, "state") == 0)
        record->state = text;
    else if (strcmp(field->name, "owner") == 0)
        record->owner = text;
    else if (strcmp(field->name, "drive") == 0)
        record->drive = (uint32_t)strtoul(text, NULL, NUMBER_BASE);
    else if (strcmp(field->name, "lease_until") == 0)
        record->lease_until_ms = strtoll(text, NULL, NUMBER_BASE);
    else if (strcmp(field->name, "command") == 0)
        record->command = bytes_of(&field->value);
    else if (strcmp(field->name, "cancel") == 0)
        record->cancel = bytes_of(&field->value);
}

static enum err record_read(struct coordinator *shell,
                            const struct partition *partition,
                            const char *task,
                            struct task_record *ret,
                            struct error *error)
{
    const char *const key =
        KEY_TASK(&shell->arena, partition->number, shell_prefix(shell), task);
    struct store_field *fields = NULL;
    size_t count = 0;
    const enum err err =
        shell->store.hash_all(shell->store.self, &shell->arena, key, &fields, &count, error);

    *ret = (struct task_record){ .state = "", .owner = "" };
    if (err != ERR_OK)
        return error_wrap(error, err, "read %s", key);
    for (size_t i = 0; i < count; i++)
        record_field(ret, &fields[i]);
    return ERR_OK;
}

static const char *deployment_of(struct arena *arena, const char *task)
{
    const char *const slash = strchr(task, '/');

    return slash == NULL ? task : arena_copy(arena, task, (size_t)(slash - task));
}

static void tell_lost(struct coordinator *shell,
                      struct outbox *outbox,
                      const char *task,
                      uint32_t drive,
                      const char *why)
{
    Pb__Event *const event = told_event(&shell->arena, deployment_of(&shell->arena, task));
    Pb__TaskLost *const lost = pb_new(&shell->arena, &pb__task_lost__descriptor);

    lost->task = arena_text(&shell->arena, task);
    lost->drive = drive;
    lost->why = why;
    event->body_case = PB__EVENT__BODY_TASK_LOST;
    event->task_lost = lost;
    told_add(
        shell, outbox, arena_printf(&shell->arena, "%s.%" PRIu32 ".lost", task, drive), event);
}

/* True if it is time to say that this drive is lost; from now on it has been said. */
static bool may_tell(const struct coordinator *shell, struct live_task *task)
{
    const int64_t now_ms = shell_now_ms(shell);

    if (task->lost_told_ms != 0 && now_ms - task->lost_told_ms < TELL_AGAIN_MS)
        return false;
    task->lost_told_ms = now_ms;
    return true;
}

/* Where to say what was found, and what to take out of {p}:leases. */
struct looking {
    struct partition *partition;
    struct outbox *outbox;
    struct writes *over;
};

/* One member of {p}:leases whose time is over. What no longer needs it is taken out. */
static enum err look_at_lease(struct coordinator *shell,
                              const struct looking *looking,
                              const char *task,
                              struct error *error)
{
    struct live_task *const live = live_task_find(&looking->partition->live, task);
    struct writes *const over = looking->over;
    struct task_record record;
    const enum err err = record_read(shell, looking->partition, task, &record, error);
    const bool held =
        strcmp(record.state, "CLAIMED") == 0 || strcmp(record.state, "CANCELLING") == 0;

    if (err != ERR_OK)
        return err;
    if (held && record.lease_until_ms > shell_now_ms(shell))
        return ERR_OK;
    if (!held || live == NULL || live->drive != record.drive) {
        writes_sorted_remove(
            over, KEY_LEASES(&shell->arena, over->partition, over->prefix), task);
        return ERR_OK;
    }
    if (!may_tell(shell, live))
        return ERR_OK;
    tell_lost(shell,
              looking->outbox,
              task,
              record.drive,
              arena_printf(&shell->arena, "the lease of %s ended", record.owner));
    return ERR_OK;
}

static enum err look_at_leases(struct coordinator *shell,
                               struct partition *partition,
                               struct outbox *outbox,
                               struct error *error)
{
    struct writes over = partition_writes(shell, partition);
    const struct looking looking = { partition, outbox, &over };
    const struct store_range range = {
        .key = KEY_LEASES(&shell->arena, partition->number, shell_prefix(shell)),
        .min = INT64_MIN,
        .max = shell_now_ms(shell),
        .limit = LEASES_PER_TURN,
    };
    struct store_member *members = NULL;
    size_t count = 0;
    enum err err = shell->store.sorted_range(
        shell->store.self, &shell->arena, &range, &members, &count, error);

    for (size_t i = 0; i < count && err == ERR_OK; i++)
        err = look_at_lease(shell, &looking, members[i].name, error);
    return err == ERR_OK ? partition_sweep(shell, partition, &over, error) : err;
}

static enum err add_packed(struct coordinator *shell,
                           struct pb_bytes packed,
                           struct outbox *outbox,
                           struct error *error)
{
    struct outgoing outgoing;
    enum err err;

    if (packed.bytes == NULL)
        return ERR_OK;
    err = outgoing_unpack(&shell->arena, packed, &outgoing, error);
    if (err == ERR_OK)
        outbox_add(outbox, &outgoing);
    return err;
}

/* A command that nobody has claimed for a while is sent again, each time after twice as long:
 * a worker may have dropped it while Redis was away. */
static enum err resend(struct coordinator *shell,
                       struct partition *partition,
                       struct live_task *task,
                       struct outbox *outbox,
                       struct error *error)
{
    const int64_t now_ms = shell_now_ms(shell);
    const int64_t patience_ms = (int64_t)LIVE_RESEND_MS << task->resends;
    struct task_record record;
    enum err err;

    if (task->waiting || task->cancelling || now_ms - task->sent_ms < patience_ms)
        return ERR_OK;
    err = record_read(shell, partition, task->name, &record, error);
    if (err != ERR_OK)
        return err;
    task->sent_ms = now_ms;
    if (task->resends < LIVE_RESENDS_SHIFT_MAX)
        task->resends++;
    if (strcmp(record.state, "PENDING") != 0 || record.drive != task->drive)
        return ERR_OK;
    return add_packed(shell, record.command, outbox, error);
}

static enum err look_at_commands(struct coordinator *shell,
                                 struct partition *partition,
                                 struct outbox *outbox,
                                 struct error *error)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < partition->live.count; i++) {
        struct live *const live = &partition->live.items[i];

        for (size_t t = 0; t < live->task_count && err == ERR_OK; t++)
            err = resend(shell, partition, &live->tasks[t], outbox, error);
    }
    return err;
}

enum err leases_turn(struct coordinator *shell, struct error *error)
{
    struct outbox outbox = { .arena = &shell->arena };
    enum err err = ERR_OK;

    for (int32_t p = 0; p < shell->partition_count && err == ERR_OK; p++) {
        struct partition *const partition = shell->partitions[p];

        if (partition == NULL || partition->phase != PARTITION_LIVE)
            continue;
        err = look_at_leases(shell, partition, &outbox, error);
        if (err == ERR_OK)
            err = look_at_commands(shell, partition, &outbox, error);
    }
    if (err == ERR_OK)
        err = outbox_publish(shell, &outbox, error);
    in_hand_outbox(shell, &outbox, CRASH_LEASES_AFTER_PUBLISH);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "look after tasks");
}

static enum err look_at_cancelled(struct coordinator *shell,
                                  struct partition *partition,
                                  struct live_task *task,
                                  struct outbox *outbox,
                                  struct error *error)
{
    struct task_record record;
    enum err err;

    if (!task->cancelling)
        return ERR_OK;
    err = record_read(shell, partition, task->name, &record, error);
    if (err != ERR_OK || strcmp(record.state, "CANCELLING") != 0 || record.owner[0] != '\0')
        return err;
    if (may_tell(shell, task))
        tell_lost(shell, outbox, task->name, task->drive, "cancelled before anybody began");
    return ERR_OK;
}

enum err leases_look_at_cancelled(struct coordinator *shell,
                                  struct partition *partition,
                                  struct error *error)
{
    struct outbox outbox = { .arena = &shell->arena };
    enum err err = ERR_OK;

    for (size_t i = 0; i < partition->live.count; i++) {
        struct live *const live = &partition->live.items[i];

        for (size_t t = 0; t < live->task_count && err == ERR_OK; t++)
            err = look_at_cancelled(shell, partition, &live->tasks[t], &outbox, error);
    }
    if (err == ERR_OK)
        err = outbox_publish(shell, &outbox, error);
    in_hand_outbox(shell, &outbox, CRASH_LEASES_AFTER_PUBLISH);
    if (err == ERR_OK)
        partition->look_at_cancelled = false;
    return err;
}

static enum err command_of(struct coordinator *shell,
                           struct partition *partition,
                           struct live_task *task,
                           struct outbox *outbox,
                           struct error *error)
{
    struct task_record record;
    const enum err err = record_read(shell, partition, task->name, &record, error);

    if (err != ERR_OK)
        return err;
    if (strcmp(record.state, "CANCELLING") == 0) {
        partition->look_at_cancelled = true;
        return add_packed(shell, record.cancel, outbox, error);
    }
    if (strcmp(record.state, "PENDING") == 0)
        return add_packed(shell, record.command, outbox, error);
    if (record.state[0] == '\0' && !task->waiting)
        tell_lost(shell, outbox, task->name, task->drive, "its record was lost");
    return ERR_OK;
}

enum err leases_commands(struct coordinator *shell,
                         struct partition *partition,
                         struct outbox *outbox,
                         struct error *error)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < partition->live.count; i++) {
        struct live *const live = &partition->live.items[i];

        for (size_t t = 0; t < live->task_count && err == ERR_OK; t++)
            err = command_of(shell, partition, &live->tasks[t], outbox, error);
    }
    return err;
}
