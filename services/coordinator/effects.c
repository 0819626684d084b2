#include "services/coordinator/batch.h"

#include "common/base/json.h"
#include "common/wire/topics.h"
#include "services/coordinator/leases.h"
#include "services/coordinator/partition.h"

#include <string.h>

enum { ANSWER_MAX = 4096, ANSWER_TTL_MS = 24 * 60 * 60 * 1000 };

static const ProtobufCMessage *message_of(const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_COMMAND:
    case EFFECT_CANCEL: return &effect->command->base;
    case EFFECT_EVENT: return &effect->event->base;
    case EFFECT_SIGNAL: return &effect->signal->base;
    case EFFECT_CONTROL: return &effect->control->base;
    case EFFECT_FORGET:
    case EFFECT_COMPILE:
    case EFFECT_ARCHIVE:
    case EFFECT_ANSWER:
    case EFFECT_ENTRY: break;
    }
    return NULL;
}

enum err effects_check(const struct effects *effects, struct error *error)
{
    for (size_t i = 0; i < effects->count; i++) {
        const struct outgoing outgoing = {
            .id = "an effect",
            .topic = "the bus",
            .message = message_of(&effects->item[i]),
        };
        const enum err err = outgoing_check(&outgoing, error);

        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

/* The effects of what came before the group's committed offset are out already. */
static bool is_out(const struct batch *batch, int64_t offset)
{
    return batch->partition->phase == PARTITION_FOLDING && offset < batch->partition->committed;
}

void batch_say(struct batch *batch, const struct outgoing *outgoing, int64_t offset)
{
    const unsigned last = (1U << OUTBOX_SCORE_SHIFT) - 1;
    const unsigned index = batch->index < last ? batch->index++ : last;
    struct outgoing kept = *outgoing;

    if (is_out(batch, offset))
        return;
    kept.kept = true;
    outbox_keep(&batch->writes, &kept, (offset << OUTBOX_SCORE_SHIFT) | (int64_t)index);
    outbox_add(&batch->outbox, &kept);
}

static struct outgoing outgoing_of(struct batch *batch,
                                   const struct answered *answered,
                                   size_t index)
{
    const struct effect *const effect = &answered->effects->item[index];

    return (struct outgoing){
        .kind = PB__OUTBOX_KIND__OUTBOX_RECORD,
        .id = arena_printf(batch->arena,
                           "%s.%llu.%zu",
                           answered->id,
                           (unsigned long long)answered->version,
                           index),
        .key = answered->heard->record->key,
        .subject = answered->id,
        .traceparent = answered->heard->envelope.traceparent,
        .at_ms = answered->heard->record->at_ms,
        .message = message_of(effect),
        .deployment = answered->id,
        .version = answered->version,
        .approach = "",
    };
}

static const char *commands_topic(struct batch *batch, const char *worker)
{
    return arena_printf(batch->arena, "commands.%s.v1", worker);
}

/* A command is a hint: the record of its task is the truth, and holds the command to be sent
 * again. Where Redis had lost everything, somebody may be at work on it: nobody can claim it
 * before the longest lease is over, and then it counts as lost. */
static void take_command(struct batch *batch, struct outgoing *outgoing, int64_t offset)
{
    struct writes *const writes = &batch->writes;
    const Pb__Command *const command = (const Pb__Command *)outgoing->message;
    const char *const key =
        KEY_TASK(batch->arena, writes->partition, writes->prefix, command->task);
    const char *const leases = KEY_LEASES(batch->arena, writes->partition, writes->prefix);
    const bool maybe_claimed = batch->partition->from_nothing && is_out(batch, offset);
    const char *const worker = outgoing->topic + strlen("commands.");

    writes_delete(writes, key);
    writes_hash_text(writes, key, "state", maybe_claimed ? "CLAIMED" : "PENDING");
    writes_hash_int(writes, key, "drive", command->drive);
    writes_hash_text(writes,
                     key,
                     "worker",
                     arena_copy(batch->arena, worker, strlen(worker) - strlen(".v1")));
    writes_hash_int(writes, key, "deadline", command->deadline_ms);
    writes_hash_text(writes, key, "deployment", command->deployment);
    writes_hash(writes, key, "command", outgoing_pack(batch->arena, outgoing));
    if (maybe_claimed) {
        const int64_t until_ms = batch->now_ms + LEASE_LONGEST_MS;

        writes_hash_text(writes, key, "owner", TASK_OWNER_UNKNOWN);
        writes_hash_int(writes, key, "lease_until", until_ms);
        writes_sorted(writes, leases, command->task, until_ms);
        return;
    }
    writes_sorted_remove(writes, leases, command->task);
    outbox_add(&batch->outbox, outgoing);
}

static void take_cancel(struct batch *batch, const struct outgoing *outgoing, const char *task)
{
    struct writes *const writes = &batch->writes;
    const char *const key = KEY_TASK(batch->arena, writes->partition, writes->prefix, task);

    writes_hash_text(writes, key, "state", "CANCELLING");
    writes_hash(writes, key, "cancel", outgoing_pack(batch->arena, outgoing));
    outbox_add(&batch->outbox, outgoing);
    batch->partition->look_at_cancelled = true;
}

static void take_forget(struct batch *batch, const char *task)
{
    struct writes *const writes = &batch->writes;

    writes_delete(writes, KEY_TASK(batch->arena, writes->partition, writes->prefix, task));
    writes_sorted_remove(
        writes, KEY_LEASES(batch->arena, writes->partition, writes->prefix), task);
}

static void take_entry(struct batch *batch,
                       const struct answered *answered,
                       size_t index,
                       const Pb__TimelineEntry *entry)
{
    struct writes *const writes = &batch->writes;
    const char *const key =
        KEY_TIMELINE(batch->arena, writes->partition, writes->prefix, answered->id);
    const char *const field = arena_printf(
        batch->arena, "%010llu.%04zu", (unsigned long long)answered->version, index);

    writes_hash(writes, key, field, pb_pack(batch->arena, entry));
}

/* Kept by its key as well, so that a take-over can assert it again. */
static void take_control(struct batch *batch, struct outgoing *outgoing, int64_t offset)
{
    struct writes *const writes = &batch->writes;

    writes_hash(writes,
                KEY_CONTROL(batch->arena, writes->partition, writes->prefix),
                outgoing->key,
                outgoing_pack(batch->arena, outgoing));
    batch_say(batch, outgoing, offset);
}

void batch_answer_request(struct batch *batch,
                          const struct heard *heard,
                          const struct effect_answer *answer,
                          uint64_t version)
{
    struct writes *const writes = &batch->writes;
    struct text text = text_over(arena_alloc(batch->arena, ANSWER_MAX), ANSWER_MAX);
    struct json json = json_into(&text);

    if (batch->now_ms - heard->record->at_ms > ANSWER_TTL_MS)
        return;
    json_put_object(&json, NULL);
    json_put_text(&json, "state", answer->applied ? "APPLIED" : "REFUSED");
    json_put_uint(&json, "version", answer->version != 0 ? answer->version : version);
    json_put_text(&json, "code", answer->code);
    json_put_text(&json, "detail", answer->detail);
    json_put_text(&json, "remedy", answer->remedy);
    json_put_text(&json,
                  "deployment",
                  answer->deployment != NULL ? answer->deployment : heard->event->deployment);
    json_end_object(&json);
    /* The record of a request may come twice. Then the second is refused, for the first was
     * applied; but what became of the request is what became of the first. */
    writes_add_expires(
        writes,
        KEY_REQUEST(batch->arena, writes->partition, writes->prefix, answer->request),
        text.bytes,
        ANSWER_TTL_MS);
}

/* The report is of the deployment as it ended, whenever it is made. */
static void set_ended(struct batch *batch,
                      const struct answered *answered,
                      Pb__OutboxKind kind,
                      struct outgoing *outgoing)
{
    outgoing->kind = kind;
    outgoing->state = pb_pack(batch->arena, answered->after);
}

static void take_one(struct batch *batch, const struct answered *answered, size_t index)
{
    const struct effect *const effect = &answered->effects->item[index];
    const int64_t offset = answered->heard->record->offset;
    struct outgoing outgoing = outgoing_of(batch, answered, index);

    switch (effect->kind) {
    case EFFECT_COMMAND:
        outgoing.topic = commands_topic(batch, effect->worker);
        take_command(batch, &outgoing, offset);
        return;
    case EFFECT_CANCEL:
        outgoing.topic = commands_topic(batch, effect->worker);
        take_cancel(batch, &outgoing, effect->task);
        return;
    case EFFECT_FORGET: take_forget(batch, effect->task); return;
    case EFFECT_ENTRY: take_entry(batch, answered, index, effect->entry); return;
    case EFFECT_ANSWER:
        batch_answer_request(batch, answered->heard, &effect->answer, answered->version);
        return;
    case EFFECT_CONTROL:
        outgoing.topic = TOPIC_CONTROL;
        outgoing.key = effect->key;
        take_control(batch, &outgoing, offset);
        return;
    case EFFECT_EVENT:
        outgoing.topic = TOPIC_EVENTS;
        outgoing.key = effect->key;
        break;
    case EFFECT_SIGNAL:
        outgoing.topic = TOPIC_SIGNALS;
        outgoing.key = effect->signal->feature;
        if (effect->signal->body_case == PB__SIGNAL__BODY_DEPLOYMENT_FINISHED)
            set_ended(batch, answered, PB__OUTBOX_KIND__OUTBOX_FINISHED, &outgoing);
        break;
    case EFFECT_COMPILE:
        outgoing.topic = TOPIC_EVENTS;
        outgoing.kind = PB__OUTBOX_KIND__OUTBOX_COMPILE;
        outgoing.approach = effect->approach;
        break;
    case EFFECT_ARCHIVE:
        outgoing.topic = TOPIC_ARCHIVE;
        outgoing.key = answered->id;
        set_ended(batch, answered, PB__OUTBOX_KIND__OUTBOX_ARCHIVE, &outgoing);
        break;
    }
    batch_say(batch, &outgoing, offset);
}

void effects_take(struct batch *batch, const struct answered *answered)
{
    for (size_t i = 0; i < answered->effects->count; i++)
        take_one(batch, answered, i);
}
