#include "tests/replay/log_file.h"

#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 4 * 1024 * 1024, BYTE_BITS = 8 };

static const char magic[] = "slipway log 1\n";

struct reader {
    struct arena *arena;
    const uint8_t *bytes;
    size_t length;
    size_t at;
};

static const uint8_t *next(struct reader *reader, size_t count)
{
    const uint8_t *const place = reader->bytes + reader->at;

    assert_true(reader->length - reader->at >= count);
    reader->at += count;
    return place;
}

/* Little-endian. */
static uint64_t next_number(struct reader *reader, size_t size)
{
    const uint8_t *const place = next(reader, size);
    uint64_t number = 0;

    for (size_t i = size; i-- > 0;)
        number = number << BYTE_BITS | place[i];
    return number;
}

static const char *next_text(struct reader *reader)
{
    const size_t length = (size_t)next_number(reader, 2);

    return arena_copy(reader->arena, next(reader, length), length);
}

static struct log_record next_record(struct reader *reader)
{
    struct log_record record = { 0 };

    record.partition = (uint32_t)next_number(reader, 4);
    record.offset = (int64_t)next_number(reader, 8);
    record.at_ms = (int64_t)next_number(reader, 8);
    record.key = next_text(reader);
    record.id = next_text(reader);
    record.payload.length = (size_t)next_number(reader, 4);
    record.payload.bytes = next(reader, record.payload.length);
    return record;
}

static struct reader opened(struct arena *arena, const char *path)
{
    struct reader reader = { .arena = arena };
    uint8_t *const bytes = arena_alloc(arena, FILE_MAX);
    FILE *const file = fopen(path, "rb");

    assert_non_null(file);
    reader.bytes = bytes;
    reader.length = fread(bytes, 1, FILE_MAX, file);
    assert_true(feof(file) != 0);
    (void)fclose(file);
    return reader;
}

struct log_file log_file_read(struct arena *arena, const char *path)
{
    struct reader reader = opened(arena, path);
    struct log_file log = { 0 };
    size_t room;

    assert_memory_equal(next(&reader, strlen(magic)), magic, strlen(magic));
    room = (size_t)next_number(&reader, 4);
    log.records = arena_alloc(arena, room * sizeof *log.records);
    while (log.count < room)
        log.records[log.count++] = next_record(&reader);
    assert_int_equal(reader.at, reader.length);
    return log;
}
