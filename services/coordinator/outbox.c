#include "services/coordinator/outbox.h"

#include "common/state/projection.h"
#include "common/wire/topics.h"
#include "services/coordinator/compile.h"
#include "services/coordinator/in_hand.h"
#include "services/coordinator/mark.h"
#include "services/coordinator/partition.h"

#include <string.h>

enum { OUTBOX_READ_MAX = 100000 }; /* More than a crash between commit and publish leaves. */

void outbox_add(struct outbox *outbox, const struct outgoing *outgoing)
{
    if (outbox->count == outbox->capacity) {
        const size_t capacity = outbox->capacity == 0 ? 32 : 2 * outbox->capacity;
        struct outgoing *const items = arena_alloc(outbox->arena, capacity * sizeof *items);

        if (outbox->count > 0)
            memcpy(items, outbox->items, outbox->count * sizeof *items);
        outbox->items = items;
        outbox->capacity = capacity;
    }
    outbox->items[outbox->count++] = *outgoing;
}

struct pb_bytes outgoing_pack(struct arena *arena, const struct outgoing *outgoing)
{
    Pb__OutboxRecord record = PB__OUTBOX_RECORD__INIT;

    record.kind = outgoing->kind;
    record.id = outgoing->id;
    record.topic = outgoing->topic;
    record.key = outgoing->key;
    record.subject = outgoing->subject;
    record.traceparent = outgoing->traceparent;
    record.at_ms = outgoing->at_ms;
    if (outgoing->message != NULL) {
        const struct pb_bytes payload = pb_pack(arena, outgoing->message);

        record.payload.len = payload.length;
        record.payload.data = (uint8_t *)arena_copy(arena, payload.bytes, payload.length);
    }
    record.deployment = outgoing->deployment;
    record.version = outgoing->version;
    record.approach = outgoing->approach;
    if (outgoing->state.length > 0) {
        const struct pb_bytes state = outgoing->state;

        record.state.len = state.length;
        record.state.data = (uint8_t *)arena_copy(arena, state.bytes, state.length);
    }
    return pb_pack(arena, &record);
}

/* What is said on that topic. */
static const ProtobufCMessageDescriptor *type_of(const char *topic)
{
    /* clang-format off */
    static const struct { const char *topic; const ProtobufCMessageDescriptor *type; } types[] = {
        { TOPIC_EVENTS,      &pb__event__descriptor },
        { TOPIC_SIGNALS,     &pb__signal__descriptor },
        { TOPIC_CONTROL,     &pb__control__descriptor },
        { TOPIC_ARCHIVE,     &pb__deployment_report__descriptor },
        { TOPIC_DEAD_LETTER, &pb__dead_letter__descriptor },
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].topic, topic) == 0)
            return types[i].type;
    }
    return &pb__command__descriptor;
}

enum err outgoing_unpack(struct arena *arena,
                         struct pb_bytes packed,
                         struct outgoing *ret,
                         struct error *error)
{
    void *unpacked = NULL;
    void *message = NULL;
    const Pb__OutboxRecord *record;
    enum err err = pb_unpack(arena, &pb__outbox_record__descriptor, packed, &unpacked, error);

    if (err != ERR_OK)
        return err;
    record = unpacked;
    if (record->kind == PB__OUTBOX_KIND__OUTBOX_RECORD ||
        record->kind == PB__OUTBOX_KIND__OUTBOX_FINISHED)
        err = pb_unpack(arena,
                        type_of(record->topic),
                        (struct pb_bytes){ record->payload.data, record->payload.len },
                        &message,
                        error);
    if (err != ERR_OK)
        return err;
    *ret = (struct outgoing){
        .kind = record->kind,
        .id = record->id,
        .topic = record->topic,
        .key = record->key,
        .subject = record->subject,
        .traceparent = record->traceparent,
        .at_ms = record->at_ms,
        .message = message,
        .deployment = record->deployment,
        .version = record->version,
        .approach = record->approach,
        .state = { record->state.data, record->state.len },
    };
    return ERR_OK;
}

enum err outgoing_check(const struct outgoing *outgoing, struct error *error)
{
    size_t length;

    if (outgoing->message == NULL)
        return ERR_OK;
    length = protobuf_c_message_get_packed_size(outgoing->message);
    if (length > PB_RECORD_MAX)
        return error_set(error,
                         ERR_TOO_LARGE,
                         "%s to %s: %zu bytes, at most %d",
                         outgoing->id,
                         outgoing->topic,
                         length,
                         PB_RECORD_MAX);
    return ERR_OK;
}

void outbox_keep(struct writes *writes, const struct outgoing *outgoing, int64_t score)
{
    const int32_t p = writes->partition;

    writes_hash(writes,
                KEY_OUTBOX_BODY(writes->arena, p, writes->prefix),
                outgoing->id,
                outgoing_pack(writes->arena, outgoing));
    writes_sorted(writes, KEY_OUTBOX(writes->arena, p, writes->prefix), outgoing->id, score);
}

/* Signals and dead letters are for others; everything else proves its writer. */
static bool is_signed(const char *topic)
{
    return strcmp(topic, TOPIC_SIGNALS) != 0 && strcmp(topic, TOPIC_DEAD_LETTER) != 0;
}

bool outgoing_is_hopeless(enum err err)
{
    return err_disposal(err) == DISPOSE_DEAD_LETTER || err == ERR_NOT_FOUND;
}

/* It is rebuilt from the log if anybody asks. */
static enum err give_up(struct coordinator *shell,
                        const struct outgoing *outgoing,
                        enum err err,
                        const struct error *why)
{
    if (!outgoing_is_hopeless(err))
        return err;
    shell->ports->metrics.add(
        shell->ports->metrics.self, "slipway_effects_given_up_total", "", "", 1);
    LOG(shell->ports->log,
        LOG_ERROR,
        "an effect cannot be made and is given up",
        { "id", outgoing->id },
        { "topic", outgoing->topic },
        { "error", why->text });
    return ERR_OK;
}

static enum err make_from_store(struct coordinator *shell,
                                struct outgoing *outgoing,
                                struct error *error)
{
    if (outgoing->kind == PB__OUTBOX_KIND__OUTBOX_COMPILE)
        return compile_answer(shell, outgoing, outgoing, error);
    if (outgoing->kind == PB__OUTBOX_KIND__OUTBOX_ARCHIVE)
        return archive_make(shell, outgoing, outgoing, error);
    return finished_make(shell, outgoing, outgoing, error);
}

/* Fills in the message of what is made only now, or gives it up: then *ret_made is false. It is
 * made of what Redis holds, and must say the same whenever it is made: not of a Redis that has
 * lost its tail. */
static enum err make(struct coordinator *shell,
                     struct outgoing *outgoing,
                     bool *ret_made,
                     struct error *error)
{
    const struct partition *partition;
    const char *feature;
    struct error why = { 0 };
    enum err err;
    enum err made;

    *ret_made = true;
    if (outgoing->kind == PB__OUTBOX_KIND__OUTBOX_RECORD)
        return ERR_OK;
    made = make_from_store(shell, outgoing, &why);
    feature = projection_feature_of(&shell->arena, outgoing->deployment);
    partition = partition_find(shell, bus_partition(feature, shell->partition_count));
    if (partition == NULL)
        return error_set(error, ERR_CONFLICT, "%s is no longer ours", outgoing->deployment);
    err = partition_unchanged(shell, partition, error);
    if (err != ERR_OK || made == ERR_OK)
        return err;
    *ret_made = false;
    err = give_up(shell, outgoing, made, &why);
    if (err != ERR_OK)
        *error = why;
    return err;
}

static enum err publish_one(struct coordinator *shell,
                            const struct outgoing *outgoing,
                            struct error *error)
{
    const struct envelope envelope = {
        .id = outgoing->id,
        .source = shell->source,
        .subject = outgoing->subject,
        .traceparent = outgoing->traceparent,
        .writer = COORDINATOR,
        .time_ms = outgoing->at_ms,
    };
    struct envelope_out out = { .topic = outgoing->topic, .key = outgoing->key };
    struct bus_record record = { 0 };
    struct outgoing made = *outgoing;
    bool is_made = false;
    enum err err = make(shell, &made, &is_made, error);

    if (err != ERR_OK || !is_made)
        return err;
    out.message = made.message;
    out.sign = is_signed(outgoing->topic);
    err = envelope_seal(&shell->arena, shell->ports->keys, &envelope, &out, &record, error);
    if (err == ERR_OK)
        err = shell->ports->bus.publish(shell->ports->bus.self, &record, error);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "publish %s", outgoing->id);
}

static enum err publish_some(struct coordinator *shell,
                             const struct outbox *outbox,
                             bool control,
                             struct error *error)
{
    size_t count = 0;
    enum err err = ERR_OK;

    for (size_t i = 0; i < outbox->count && err == ERR_OK; i++) {
        if ((strcmp(outbox->items[i].topic, TOPIC_CONTROL) == 0) != control)
            continue;
        err = publish_one(shell, &outbox->items[i], error);
        count++;
    }
    if (err != ERR_OK || count == 0)
        return err;
    return shell->ports->bus.flush(shell->ports->bus.self, FLUSH_TIMEOUT_MS, error);
}

static bool says_control(const struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->count; i++) {
        if (strcmp(outbox->items[i].topic, TOPIC_CONTROL) == 0)
            return true;
    }
    return false;
}

enum err outbox_publish(struct coordinator *shell,
                        const struct outbox *outbox,
                        struct error *error)
{
    /* A latch is out before anything that could depend on it. */
    const enum err err = publish_some(shell, outbox, true, error);

    if (says_control(outbox))
        in_hand_outbox(shell, outbox, CRASH_AFTER_CONTROL);
    return err == ERR_OK ? publish_some(shell, outbox, false, error) : err;
}

static void trim_one(struct writes *writes, const char *id)
{
    const int32_t p = writes->partition;

    writes_hash_delete(writes, KEY_OUTBOX_BODY(writes->arena, p, writes->prefix), id);
    writes_sorted_remove(writes, KEY_OUTBOX(writes->arena, p, writes->prefix), id);
}

enum err outbox_trim(struct coordinator *shell,
                     const struct partition *partition,
                     const struct outbox *outbox,
                     struct error *error)
{
    struct writes writes = partition_writes(shell, partition);

    for (size_t i = 0; i < outbox->count; i++) {
        if (outbox->items[i].kept)
            trim_one(&writes, outbox->items[i].id);
    }
    return partition_commit(shell, partition, &writes, error);
}

static enum err load_one(struct coordinator *shell,
                         const char *key,
                         const char *id,
                         struct outbox *ret,
                         struct error *error)
{
    struct store_value value = { 0 };
    struct outgoing outgoing;
    enum err err =
        shell->store.hash_get(shell->store.self, &shell->arena, key, id, &value, error);

    if (err != ERR_OK || value.bytes == NULL)
        return err;
    err = outgoing_unpack(&shell->arena,
                          (struct pb_bytes){ (const uint8_t *)value.bytes, value.length },
                          &outgoing,
                          error);
    if (err != ERR_OK)
        return error_wrap(error, err, "read %s of the outbox", id);
    outgoing.kept = true;
    outbox_add(ret, &outgoing);
    return ERR_OK;
}

enum err outbox_load(struct coordinator *shell,
                     const struct partition *partition,
                     struct outbox *ret,
                     struct error *error)
{
    struct writes old = partition_writes(shell, partition);
    struct arena *const arena = &shell->arena;
    const char *const body = KEY_OUTBOX_BODY(arena, partition->number, shell_prefix(shell));
    const struct store_range range = {
        .key = KEY_OUTBOX(arena, partition->number, shell_prefix(shell)),
        .min = INT64_MIN,
        .max = INT64_MAX,
        .limit = OUTBOX_READ_MAX,
    };
    struct store_member *members = NULL;
    size_t count = 0;
    enum err err =
        shell->store.sorted_range(shell->store.self, arena, &range, &members, &count, error);

    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        if (members[i].score >> OUTBOX_SCORE_SHIFT < partition->committed)
            trim_one(&old, members[i].name);
        else
            err = load_one(shell, body, members[i].name, ret, error);
    }
    if (err != ERR_OK)
        return err;
    return partition_commit(shell, partition, &old, error);
}
