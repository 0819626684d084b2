#include "services/coordinator/takeover.h"

#include "common/wire/topics.h"
#include "services/coordinator/clean.h"
#include "services/coordinator/control.h"
#include "services/coordinator/in_hand.h"
#include "services/coordinator/kills.h"
#include "services/coordinator/leases.h"
#include "services/coordinator/mark.h"
#include "services/coordinator/partition.h"
#include "services/coordinator/poison.h"
#include "services/coordinator/states.h"
#include "services/coordinator/told.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

enum { NONCE_BYTES = (OWNER_SIZE - 1) / 2, LIVE_READ_MAX = 100000 };

void takeover_nonce(const struct service_ports *ports, char ret[OWNER_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[NONCE_BYTES];

    if (ports->random != NULL)
        ports->random(ports->random_self, raw, sizeof raw);
    else if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
        abort();
    for (size_t i = 0; i < sizeof raw; i++) {
        ret[2 * i] = digits[raw[i] >> 4];
        ret[2 * i + 1] = digits[raw[i] & 15];
    }
    ret[OWNER_SIZE - 1] = '\0';
}

/* The log is not the one that the state was folded from: nothing is touched, unless the
 * operator said at the start that it is right so. True if it goes on. */
static bool mismatch(struct coordinator *shell,
                     struct partition *partition,
                     const struct error *what)
{
    struct error why = *what;

    if (shell->adopt && !shell->settled[partition->number] && !partition->adopting) {
        partition->adopting = true;
        LOG(shell->ports->log,
            LOG_WARNING,
            "log adopted",
            { "partition", partition_name(shell, partition) },
            { "error", what->text });
    }
    if (partition->adopting)
        return true;
    (void)error_wrap(&why, ERR_INVALID, "%s %d", TOPIC_EVENTS, (int)partition->number);
    (void)snprintf(
        why.text + strlen(why.text),
        sizeof why.text - strlen(why.text),
        "; start with --rebuild to fold the state anew from this log, or with --adopt "
        "to keep it and go on at this log's end");
    partition_stop(shell, partition, &why);
    return false;
}

static enum err write_genesis(struct coordinator *shell,
                              const struct partition *partition,
                              struct error *error)
{
    struct arena *const arena = &shell->arena;
    const struct bus *const bus = &shell->ports->bus;
    Pb__Event *const event = pb_new(arena, &pb__event__descriptor);
    Pb__Genesis *const genesis = pb_new(arena, &pb__genesis__descriptor);
    struct bus_record record = { 0 };
    struct envelope envelope = { .source = shell->source,
                                 .writer = COORDINATOR,
                                 .time_ms = shell_now_ms(shell) };
    const struct envelope_out out = {
        .topic = TOPIC_EVENTS, .key = "", .message = &event->base, .sign = true
    };
    char id[OWNER_SIZE];
    enum err err;

    takeover_nonce(shell->ports, id);
    genesis->id = id;
    genesis->partition = (uint32_t)partition->number;
    genesis->partitions = (uint32_t)shell->partition_count;
    genesis->created_ms = shell_now_ms(shell);
    event->body_case = PB__EVENT__BODY_GENESIS;
    event->genesis = genesis;
    envelope.id = arena_printf(arena, "genesis.%s", id);
    err = envelope_seal(arena, shell->ports->keys, &envelope, &out, &record, error);
    if (err != ERR_OK)
        return err;
    record.partition = partition->number;
    err = bus->publish(bus->self, &record, error);
    if (err == ERR_OK)
        err = bus->flush(bus->self, FLUSH_TIMEOUT_MS, error);
    in_hand_partition(shell, partition, CRASH_GENESIS_AFTER_PUBLISH);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "write the genesis record");
}

static enum err find_ends(struct coordinator *shell,
                          struct partition *partition,
                          struct error *error)
{
    struct bus_consumer *const events = &shell->events;
    const int32_t p = partition->number;
    enum err err = events->watermarks(
        events->self, TOPIC_EVENTS, p, &partition->first_offset, &partition->fold_until, error);

    if (err == ERR_OK && partition->fold_until == 0) {
        err = write_genesis(shell, partition, error);
        if (err == ERR_OK)
            err = events->watermarks(events->self,
                                     TOPIC_EVENTS,
                                     p,
                                     &partition->first_offset,
                                     &partition->fold_until,
                                     error);
    }
    if (err == ERR_OK)
        err = events->committed(events->self, TOPIC_EVENTS, p, &partition->committed, error);
    return err;
}

/* True when the log can be the one, judged by its ends and its cluster alone. */
static bool check_ends(struct coordinator *shell,
                       struct partition *partition,
                       const struct log_mark *stored)
{
    const char *const cluster = shell->ports->bus.cluster_id(shell->ports->bus.self);
    struct error what = { 0 };

    if (stored->offset >= partition->fold_until)
        (void)error_set(&what,
                        ERR_INVALID,
                        "record %" PRId64 " was applied, but the log ends at %" PRId64
                        ": records were lost",
                        stored->offset,
                        partition->fold_until - 1);
    else if (partition->first_offset > 0)
        (void)error_set(&what,
                        ERR_INVALID,
                        "the log begins at record %" PRId64
                        " instead of 0: its retention must be unlimited",
                        partition->first_offset);
    else if (stored->cluster[0] != '\0' && cluster[0] != '\0' &&
             strcmp(stored->cluster, cluster) != 0)
        (void)error_set(&what,
                        ERR_INVALID,
                        "this is cluster %.60s, the state is of cluster %.60s",
                        cluster,
                        stored->cluster);
    return what.text[0] == '\0' || mismatch(shell, partition, &what);
}

/* The group remembers an offset that the log has lost. What is said of the records that will
 * take those places must not pass for said. */
static enum err forget_beyond(struct coordinator *shell,
                              struct partition *partition,
                              struct error *error)
{
    enum err err;

    if (partition->committed <= partition->fold_until)
        return ERR_OK;
    err = shell->events.commit(
        shell->events.self, TOPIC_EVENTS, partition->number, partition->fold_until, error);
    if (err != ERR_OK)
        return error_wrap(error, err, "forget what the log has lost");
    partition->committed = partition->fold_until;
    return ERR_OK;
}

/* From here on nobody else can commit. */
static enum err take_owner(struct coordinator *shell,
                           struct partition *partition,
                           struct error *error)
{
    struct writes writes = partition_writes(shell, partition);
    const char *const key = KEY_LOG(&shell->arena, partition->number, shell_prefix(shell));
    char owner[OWNER_SIZE];
    enum err err;

    takeover_nonce(shell->ports, owner);
    writes_hash_text(&writes, key, "owner", owner);
    writes_hash_text(&writes, key, "ready", "");
    err = partition_commit(shell, partition, &writes, error);
    if (err != ERR_OK)
        return error_wrap(error, err, "take ownership");
    memcpy(partition->mark.owner, owner, sizeof partition->mark.owner);
    return ERR_OK;
}

static enum err begin(struct coordinator *shell,
                      struct partition *partition,
                      struct error *error)
{
    const char *const cluster = shell->ports->bus.cluster_id(shell->ports->bus.self);
    struct log_mark stored = { 0 };
    enum err err = find_ends(shell, partition, error);

    if (err == ERR_OK)
        err = mark_read(shell, partition->number, &stored, error);
    if (err != ERR_OK)
        return err;
    partition->from_nothing = stored.offset < 0 || partition->rebuild;
    partition->careful = stored.owner[0] != '\0';
    if (partition->from_nothing) {
        err = clean_partition(shell, partition, &stored, error);
        if (err != ERR_OK)
            return error_wrap(error, err, "begin from nothing");
        stored = (struct log_mark){ .offset = -1 };
        in_hand_partition(shell, partition, CRASH_TAKEOVER_AFTER_CLEAN);
    }
    if (!check_ends(shell, partition, &stored))
        return ERR_OK;
    partition->mark = stored;
    err = forget_beyond(shell, partition, error);
    if (err == ERR_OK)
        err = take_owner(shell, partition, error);
    if (err != ERR_OK)
        return err;
    in_hand_partition(shell, partition, CRASH_TAKEOVER_AFTER_OWNER);
    (void)snprintf(partition->mark.cluster, sizeof partition->mark.cluster, "%s", cluster);
    partition->group_offset = partition->committed;
    partition_enter(shell, partition, PARTITION_FIRST, "waits for the log's first record");
    return partition_seek(shell, partition, partition->first_offset, error);
}

void takeover_turn(struct coordinator *shell, struct partition *partition)
{
    const int64_t now_ms = shell_monotonic_ms(shell);
    struct error error = { 0 };
    enum err err = ERR_OK;

    if (partition->phase == PARTITION_NEW && now_ms >= partition->retry_at_ms &&
        control_is_caught_up(shell->control)) {
        err = begin(shell, partition, &error);
    } else if (partition->phase == PARTITION_FIRST || partition->phase == PARTITION_LAST ||
               partition->phase == PARTITION_FOLDING) {
        if (now_ms - partition->asked_at_ms >= RECORD_PATIENCE_MS)
            err = partition_seek(shell, partition, partition_expects(partition), &error);
    }
    if (err != ERR_OK)
        partition_retake(shell, partition, err, &error);
}

/* Keep the state as it is, and go on at the end of this log: its last record counts as applied.
 */
static enum err adopt(struct coordinator *shell,
                      struct partition *partition,
                      struct error *error)
{
    partition_enter(shell, partition, PARTITION_LAST, "waits for the log's last record");
    return partition_seek(shell, partition, partition->fold_until - 1, error);
}

static enum err write_adopted(struct coordinator *shell,
                              struct partition *partition,
                              const struct bus_record *last,
                              struct error *error)
{
    struct writes writes = partition_writes(shell, partition);
    struct log_mark mark = partition->mark;
    enum err err;

    mark_pass(&shell->arena, &mark, last);
    mark_write(&writes, &mark);
    err = partition_commit(shell, partition, &writes, error);
    in_hand_partition(shell, partition, CRASH_ADOPT_AFTER_COMMIT);
    if (err != ERR_OK)
        return error_wrap(error, err, "adopt");
    partition->mark = mark;
    partition->from_nothing = false;
    partition->adopting = false;
    return ERR_OK;
}

/* True if the partition count is the one that the log was begun with. */
static bool check_partitions(struct coordinator *shell,
                             struct partition *partition,
                             const struct bus_record *first)
{
    const uint32_t partitions = mark_partitions(&shell->arena, first);
    struct error why = { 0 };

    if (partitions == 0 || partitions == (uint32_t)shell->partition_count)
        return true;
    (void)error_set(&why,
                    ERR_INVALID,
                    "%s was begun with %" PRIu32 " partitions and is now used with %" PRId32
                    ": set kafka.partitions to %" PRIu32 " again",
                    TOPIC_EVENTS,
                    partitions,
                    shell->partition_count,
                    partitions);
    partition_stop(shell, partition, &why);
    return false;
}

static void fold(struct coordinator *shell, struct partition *partition)
{
    partition_enter(shell, partition, PARTITION_FOLDING, "folds its log");
    partition->asked_at_ms = shell_monotonic_ms(shell);
}

static enum err hear_first(struct coordinator *shell,
                           struct partition *partition,
                           const struct bus_record *record,
                           struct error *error)
{
    struct log_mark *const mark = &partition->mark;
    char genesis[sizeof mark->genesis];
    struct error what = { 0 };

    if (!check_partitions(shell, partition, record))
        return ERR_OK;
    mark_identify(&shell->arena, record, genesis, sizeof genesis);
    if (mark->genesis[0] != '\0' && strcmp(mark->genesis, genesis) != 0) {
        (void)error_set(&what,
                        ERR_INVALID,
                        "this log began as %.80s, the state is of %.80s",
                        genesis,
                        mark->genesis);
        if (!mismatch(shell, partition, &what))
            return ERR_OK;
    }
    memcpy(mark->genesis, genesis, sizeof mark->genesis);
    if (partition->adopting)
        return adopt(shell, partition, error);
    if (mark->offset < 0) {
        fold(shell, partition);
        return ERR_OK;
    }
    partition_enter(
        shell, partition, PARTITION_LAST, "waits for the record that was applied last");
    return mark->offset == record->offset
               ? ERR_OK
               : partition_seek(shell, partition, mark->offset, error);
}

static enum err hear_last(struct coordinator *shell,
                          struct partition *partition,
                          const struct bus_record *record,
                          struct error *error)
{
    struct error what = { 0 };
    enum err err = ERR_OK;

    if (partition->adopting) {
        err = write_adopted(shell, partition, record, error);
    } else if (!mark_matches(&shell->arena, &partition->mark, record)) {
        (void)error_set(&what,
                        ERR_INVALID,
                        "record %" PRId64 " is not the one that was applied (%.100s)",
                        record->offset,
                        partition->mark.ce_id);
        return mismatch(shell, partition, &what) ? adopt(shell, partition, error) : ERR_OK;
    }
    if (err == ERR_OK)
        fold(shell, partition);
    return err;
}

bool takeover_hear(struct coordinator *shell,
                   struct partition *partition,
                   const struct bus_record *record)
{
    const bool first = partition->phase == PARTITION_FIRST;
    struct error error = { 0 };
    const enum err err = first ? hear_first(shell, partition, record, &error)
                               : hear_last(shell, partition, record, &error);

    if (err != ERR_OK)
        partition_retake(shell, partition, err, &error);
    return record->offset == partition_expects(partition);
}

static enum err read_live(struct coordinator *shell,
                          struct partition *partition,
                          struct error *error)
{
    struct arena *const arena = &shell->arena;
    const char *const busy = KEY_BUSY(arena, partition->number, shell_prefix(shell));
    const struct store_range range = {
        .key = KEY_LIVE(arena, partition->number, shell_prefix(shell)),
        .min = INT64_MIN,
        .max = INT64_MAX,
        .limit = LIVE_READ_MAX,
    };
    struct store_member *members = NULL;
    const char **ended = NULL;
    size_t count = 0;
    size_t ended_count = 0;
    enum err err =
        shell->store.sorted_range(shell->store.self, arena, &range, &members, &count, error);

    if (err == ERR_OK)
        err = shell->store.members(shell->store.self, arena, busy, &ended, &ended_count, error);
    live_clear(&partition->live);
    for (size_t i = 0; i < count + ended_count && err == ERR_OK; i++) {
        const char *const id = i < count ? members[i].name : ended[i - count];
        Pb__DeploymentState *state = NULL;

        err = states_read(shell, partition, id, &state, error);
        if (err == ERR_OK)
            live_update(&partition->live, state, shell_now_ms(shell));
    }
    return err;
}

static enum err publish_wanted(struct coordinator *shell,
                               struct partition *partition,
                               struct error *error)
{
    struct outbox outbox = { .arena = &shell->arena };
    enum err err = read_live(shell, partition, error);

    if (err == ERR_OK)
        err = control_assert(shell, partition, &outbox, error);
    if (err == ERR_OK)
        err = outbox_load(shell, partition, &outbox, error);
    if (err == ERR_OK)
        err = leases_commands(shell, partition, &outbox, error);
    /* What a Redis that has lost its tail no longer holds would not be said, and the group
     * would be told that it was. */
    if (err == ERR_OK)
        err = partition_unchanged(shell, partition, error);
    if (err == ERR_OK)
        err = outbox_publish(shell, &outbox, error);
    in_hand_partition(shell, partition, CRASH_TAKEOVER_AFTER_PUBLISH);
    if (err == ERR_OK)
        err = outbox_trim(shell, partition, &outbox, error);
    return err;
}

/* Workers may believe the task records again. */
static enum err write_ready(struct coordinator *shell,
                            struct partition *partition,
                            struct error *error)
{
    struct writes writes = partition_writes(shell, partition);
    const char *const key = KEY_LOG(&shell->arena, partition->number, shell_prefix(shell));
    const char *run = "";
    const enum err err = shell->store.run(shell->store.self, &run, error);

    if (err != ERR_OK)
        return err;
    (void)snprintf(partition->ready,
                   sizeof partition->ready,
                   "%s%c%s",
                   partition->mark.owner,
                   READY_RUN,
                   run);
    writes_hash_text(&writes, key, "ready", partition->ready);
    poison_forget(shell, partition, &writes);
    return partition_commit(shell, partition, &writes, error);
}

void takeover_finish(struct coordinator *shell, struct partition *partition)
{
    struct error error = { 0 };
    enum err err;

    if (partition->phase != PARTITION_FOLDING ||
        partition->mark.offset + 1 < partition->fold_until)
        return;
    /* Workers drop commands of a partition that is not ready: that first. */
    err = write_ready(shell, partition, &error);
    in_hand_partition(shell, partition, CRASH_TAKEOVER_AFTER_READY);
    if (err == ERR_OK)
        err = publish_wanted(shell, partition, &error);
    if (err != ERR_OK) {
        (void)error_wrap(&error, err, "go live");
        partition_retake(shell, partition, err, &error);
        return;
    }
    partition->careful = false;
    partition->rebuild = false;
    shell->settled[partition->number] = true;
    partition->from_nothing = false;
    kills_look_again(partition);
    partition_enter(shell, partition, PARTITION_LIVE, "");
    LOG(shell->ports->log,
        LOG_INFO,
        "partition live",
        { "partition", partition_name(shell, partition) },
        { "offset", arena_printf(&shell->arena, "%" PRId64, partition->mark.offset) });
}
