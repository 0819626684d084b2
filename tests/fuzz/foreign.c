/* Any bytes as a record of others, in structured or binary mode, with data as JSON or protobuf:
 * refused with a reason, or a message that can be packed again. */
#include "common/wire/foreign.h"

#include <stdlib.h>
#include <string.h>

enum { MEMORY_MAX = 64 * 1024 * 1024, RECORD_MAX = 256 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_read_again(struct arena *arena, const ProtobufCMessage *message)
{
    struct error error = { 0 };
    void *again = NULL;

    if (pb_unpack(arena, message->descriptor, pb_pack(arena, message), &again, &error) !=
            ERR_OK &&
        error.text[0] == '\0')
        abort();
}

static enum err take(struct arena *arena, const struct bus_record *record, struct error *error)
{
    struct bus_record plain = { 0 };
    struct envelope envelope;
    void *message = NULL;
    enum err err = foreign_unwrap(arena, record, &plain, error);

    if (err == ERR_OK)
        err = envelope_open(arena, &plain, &envelope, error);
    if (err == ERR_OK)
        err = foreign_message(
            arena, &plain, &pb__acceptance_signed_off__descriptor, &message, error);
    if (err == ERR_OK)
        must_read_again(arena, message);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = { "application/cloudevents+json",
                                         "application/cloudevents+json; charset=UTF-8",
                                         "application/json",
                                         "application/protobuf" };
    struct arena arena = arena_with_limit(MEMORY_MAX);
    struct bus_record record = {
        .topic = "acceptance.v1",
        .key = "pay",
        .headers = { { "ce_specversion", "1.0" },
                     { "ce_id", "1" },
                     { "ce_source", "/ci" },
                     { "ce_type", "slipway.v1.AcceptanceSignedOff" } },
        .header_count = 5,
    };
    struct error error = { 0 };

    if (size > 0 && size <= RECORD_MAX) {
        record.headers[4] = (struct bus_header){ "content-type", kinds[data[0] % 4] };
        record.bytes = data + 1;
        record.length = size - 1;
        if (take(&arena, &record, &error) != ERR_OK && error.text[0] == '\0')
            abort();
    }
    arena_release(&arena);
    return 0;
}
