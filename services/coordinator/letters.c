#include "services/coordinator/letters.h"

#include "common/base/text.h"
#include "common/wire/topics.h"
#include "services/coordinator/batch.h"

#include <inttypes.h>

enum { LETTER_BYTES_MAX = 64 * 1024 };

static const char *header_or_nothing(const struct bus_record *record, const char *name)
{
    const char *const value = bus_header(record, name);

    return value != NULL && text_is_utf8(value) ? value : "";
}

struct outgoing letter_make(struct arena *arena, const struct letter *letter)
{
    const struct bus_record *const record = letter->record;
    Pb__DeadLetter *const message = pb_new(arena, &pb__dead_letter__descriptor);

    message->topic = record->topic;
    message->partition = record->partition;
    message->offset = record->offset;
    message->key = text_is_utf8(record->key) ? record->key : "";
    message->id = header_or_nothing(record, "ce_id");
    message->source = header_or_nothing(record, "ce_source");
    message->service = COORDINATOR;
    message->reason = arena_text(arena, letter->reason);
    message->field = arena_text(arena, letter->field);
    message->fix = arena_text(arena, letter->fix);
    message->attempts = 1;
    message->bytes.len = record->length < LETTER_BYTES_MAX ? record->length : LETTER_BYTES_MAX;
    if (message->bytes.len > 0)
        message->bytes.data = (uint8_t *)arena_copy(arena, record->bytes, message->bytes.len);
    message->at_ms = record->at_ms;
    return (struct outgoing){
        .kind = PB__OUTBOX_KIND__OUTBOX_RECORD,
        .id = arena_printf(arena,
                           "dead-letter.%s.%d.%" PRId64,
                           record->topic,
                           (int)record->partition,
                           record->offset),
        .topic = TOPIC_DEAD_LETTER,
        .key = message->key,
        .subject = "",
        .traceparent = header_or_nothing(record, "ce_traceparent"),
        .at_ms = record->at_ms,
        .message = &message->base,
        .deployment = "",
        .approach = "",
    };
}

void letter_note(struct coordinator *shell, const struct letter *letter)
{
    const struct bus_record *const record = letter->record;

    shell->ports->metrics.add(
        shell->ports->metrics.self, "slipway_dead_letters_total", "topic", record->topic, 1);
    LOG(shell->ports->log,
        LOG_WARNING,
        "dead letter",
        { "topic", record->topic },
        { "partition", arena_printf(&shell->arena, "%d", (int)record->partition) },
        { "offset", arena_printf(&shell->arena, "%" PRId64, record->offset) },
        { "id", header_or_nothing(record, "ce_id") },
        { "error", letter->reason });
}

void batch_dead_letter(struct batch *batch, const struct bus_record *record, const char *reason)
{
    const struct letter letter = { .record = record, .reason = reason };
    const struct outgoing outgoing = letter_make(batch->arena, &letter);

    letter_note(batch->shell, &letter);
    batch_say(batch, &outgoing, record->offset);
}

void batch_hold(struct batch *batch,
                const struct bus_record *record,
                const char *deployment,
                const char *what,
                const char *reason)
{
    Pb__Event *event;
    Pb__HoldSet *hold;

    if (deployment == NULL)
        return;
    hold = pb_new(batch->arena, &pb__hold_set__descriptor);
    hold->kind = PB__HOLD_KIND__HOLD_OPERATOR;
    hold->id = arena_printf(
        batch->arena, "%s/%d/%" PRId64, what, (int)record->partition, record->offset);
    hold->reason = arena_text(batch->arena, reason);
    event = pb_new(batch->arena, &pb__event__descriptor);
    event->deployment = deployment;
    event->feature = record->key;
    event->body_case = PB__EVENT__BODY_HOLD_SET;
    event->hold_set = hold;
    batch_say(batch,
              &(struct outgoing){
                  .kind = PB__OUTBOX_KIND__OUTBOX_RECORD,
                  .id = arena_printf(batch->arena, "hold.%s", hold->id),
                  .topic = TOPIC_EVENTS,
                  .key = record->key,
                  .subject = deployment,
                  .traceparent = "",
                  .at_ms = record->at_ms,
                  .message = &event->base,
                  .deployment = deployment,
                  .approach = "",
              },
              record->offset);
}
