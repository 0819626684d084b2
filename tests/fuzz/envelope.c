/* Any bytes as headers and payload of a record: refused with a reason, or opened; never
 * believed without its MAC. Times are read, and written again the same. */
#include "common/wire/envelope.h"

#include <stdlib.h>
#include <string.h>

enum { MEMORY_MAX = 1024 * 1024, PARTS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_time(struct arena *arena, const char *text)
{
    const int64_t ms = envelope_parse_time(text);

    if (ms >= 0 && ms < INT64_C(253402300800000) &&
        envelope_parse_time(envelope_time(arena, ms)) != ms)
        abort();
}

/* The input is cut at its NULs: header values, then the payload. */
static void fill(struct arena *arena,
                 struct bus_record *record,
                 const uint8_t *data,
                 size_t size)
{
    static const char *const names[PARTS] = { "ce_specversion", "ce_id",   "ce_type",
                                              "ce_source",      "ce_time", "ce_writer",
                                              "ce_mac",         "ce_id" };

    for (size_t i = 0; i < PARTS && size > 0; i++) {
        const size_t length = strnlen((const char *)data, size);
        const size_t step = length < size ? length + 1 : length;

        if (length > 0)
            record->headers[record->header_count++] =
                (struct bus_header){ names[i], arena_copy(arena, data, length) };
        data += step;
        size -= step;
    }
    record->bytes = data;
    record->length = size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_with_limit(MEMORY_MAX);
    struct envelope_keys keys = { .count = 1, .item = { { "executor", { 1 }, 32 } } };
    struct bus_record record = { .topic = "events.v1", .key = "k" };
    struct envelope envelope;
    struct error error = { 0 };

    if (size > 64 * 1024)
        return 0;
    fill(&arena, &record, data, size);
    if (envelope_open(&arena, &record, &envelope, &error) == ERR_OK)
        try_time(&arena, envelope_time(&arena, envelope.time_ms));
    else if (error.text[0] == '\0')
        abort();
    if (envelope_verify(&keys, &record, NULL, &error) == ERR_OK)
        abort();
    if (record.header_count > 0)
        try_time(&arena, record.headers[record.header_count - 1].value);
    arena_release(&arena);
    return 0;
}
