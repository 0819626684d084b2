#include "common/runtime/dead_letter.h"

#include "common/base/text.h"
#include "common/wire/topics.h"

#include <inttypes.h>

enum { MEMORY_MAX = 1024 * 1024, FLUSH_MS = 5000 };

static Pb__DeadLetter *letter_of(struct arena *arena,
                                 const struct service_ports *ports,
                                 const struct bus_record *record,
                                 const struct dead_letter *letter)
{
    Pb__DeadLetter *const message = pb_new(arena, &pb__dead_letter__descriptor);
    const size_t length =
        record->length < DEAD_LETTER_BYTES_MAX ? record->length : DEAD_LETTER_BYTES_MAX;
    const char *const id = bus_header(record, "ce_id");
    const char *const source = bus_header(record, "ce_source");

    message->topic = arena_text(arena, record->topic);
    message->partition = record->partition;
    message->offset = record->offset;
    message->key = text_is_utf8(record->key) ? record->key : "(not UTF-8)";
    message->id = id != NULL && text_is_utf8(id) ? id : "";
    message->source = source != NULL && text_is_utf8(source) ? source : "";
    message->service = ports->service;
    message->reason = arena_text(arena, letter->reason);
    message->field = arena_text(arena, letter->field);
    message->fix = arena_text(arena, letter->fix);
    message->attempts = letter->attempts;
    message->at_ms = clock_now_ms(ports->clock);
    if (length > 0) {
        message->bytes.data = (uint8_t *)arena_copy(arena, record->bytes, length);
        message->bytes.len = length;
    }
    return message;
}

static enum err publish(const struct service_ports *ports,
                        const struct bus_record *record,
                        struct error *error)
{
    enum err err = ports->bus.publish(ports->bus.self, record, error);

    if (err == ERR_OK)
        err = ports->bus.flush(ports->bus.self, FLUSH_MS, error);
    return err;
}

enum err dead_letter_publish(const struct service_ports *ports,
                             const struct bus_record *record,
                             const struct dead_letter *letter,
                             struct error *error)
{
    struct arena arena = arena_with_limit(MEMORY_MAX);
    Pb__DeadLetter *const message = letter_of(&arena, ports, record, letter);
    const char *const place = arena_printf(
        &arena, "%s/%" PRId32 "/%" PRId64, record->topic, record->partition, record->offset);
    const struct envelope envelope = {
        .id = arena_printf(&arena, "%s/%s", ports->service, place),
        .source = arena_printf(&arena, "/slipway/%s/%s", ports->service, ports->instance),
        .writer = ports->service,
        .time_ms = message->at_ms,
    };
    const struct envelope_out out = {
        .topic = TOPIC_DEAD_LETTER, .key = message->key, .message = &message->base, .sign = true
    };
    struct bus_record sealed;
    enum err err = envelope_seal(&arena, ports->keys, &envelope, &out, &sealed, error);

    if (err == ERR_OK)
        err = publish(ports, &sealed, error);
    if (err == ERR_OK) {
        ports->metrics.add(
            ports->metrics.self, "slipway_dead_letters_total", "topic", record->topic, 1);
        LOG(ports->log,
            LOG_WARNING,
            "record put aside",
            { "place", place },
            { "reason", message->reason },
            { "field", letter->field });
    }
    arena_release(&arena);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "put %s aside", record->topic);
}
