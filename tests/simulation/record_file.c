#include "tests/simulation/record_file.h"

#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 256 * 1024 * 1024, BYTE_BITS = 8, RECORD_LEAST = 33, DEED_LEAST = 43 };

static const char magic[] = "slipway record 1\n";

/* Once broken it only yields zeros. */
struct reader {
    struct arena *arena;
    const uint8_t *bytes;
    size_t length;
    size_t at;
    bool broken;
};

static const uint8_t *next(struct reader *reader, size_t count)
{
    const uint8_t *const place = reader->bytes + reader->at;

    if (reader->length - reader->at < count)
        reader->broken = true;
    if (reader->broken)
        return NULL;
    reader->at += count;
    return place;
}

static uint64_t next_number(struct reader *reader, size_t size)
{
    const uint8_t *const place = next(reader, size);
    uint64_t number = 0;

    for (size_t i = place != NULL ? size : 0; i-- > 0;)
        number = number << BYTE_BITS | place[i];
    return number;
}

static const char *next_text(struct reader *reader)
{
    const size_t length = (size_t)next_number(reader, 2);
    const uint8_t *const place = next(reader, length);

    return place != NULL ? arena_copy(reader->arena, place, length) : "";
}

/* So many, of which each takes that much at least. */
static size_t next_count(struct reader *reader, size_t least)
{
    const size_t count = (size_t)next_number(reader, 4);

    if (count > (reader->length - reader->at) / least)
        reader->broken = true;
    return reader->broken ? 0 : count;
}

static struct said next_said(struct reader *reader, int64_t order)
{
    struct said said = { .order = order };

    said.partition = (int32_t)next_number(reader, 4);
    said.offset = (int64_t)next_number(reader, 8);
    said.at_ms = (int64_t)next_number(reader, 8);
    said.poison = next_number(reader, 1) != 0;
    said.topic = next_text(reader);
    said.key = next_text(reader);
    said.id = next_text(reader);
    said.writer = next_text(reader);
    said.length = (size_t)next_number(reader, 4);
    said.bytes = next(reader, said.length);
    return said;
}

static struct deed next_deed(struct reader *reader)
{
    struct deed deed = { 0 };

    deed.order = (int64_t)next_number(reader, 8);
    deed.at_ms = (int64_t)next_number(reader, 8);
    deed.grant = next_number(reader, 8);
    deed.at_version = next_number(reader, 8);
    deed.back = next_number(reader, 1) != 0;
    deed.service = next_text(reader);
    deed.target = next_text(reader);
    deed.instance = next_text(reader);
    deed.deployment = next_text(reader);
    deed.version = next_text(reader);
    return deed;
}

static void read_said(struct judge *judge, struct reader *reader)
{
    const size_t count = next_count(reader, RECORD_LEAST);
    struct said *const all = arena_alloc(judge->arena, (count + 1) * sizeof *all);

    for (size_t i = 0; i < count && !reader->broken; i++) {
        all[i] = next_said(reader, (int64_t)i);
        if (!reader->broken)
            judge_understand(judge, &all[i]);
    }
    judge->said = all;
    judge->count = count;
}

static void read_deeds(struct judge *judge, struct reader *reader, struct history *ret)
{
    const size_t count = next_count(reader, DEED_LEAST);

    ret->deeds = arena_alloc(judge->arena, (count + 1) * sizeof *ret->deeds);
    ret->deed_count = count;
    for (size_t i = 0; i < count; i++) {
        ret->deeds[i] = next_deed(reader);
        if (ret->deeds[i].order < 0 || ret->deeds[i].order > (int64_t)judge->count)
            reader->broken = true;
    }
}

static bool is_known(const struct judge *judge,
                     const char *const *features,
                     const char *feature)
{
    for (size_t i = 0; i < judge->feature_count; i++) {
        if (strcmp(features[i], feature) == 0)
            return true;
    }
    return false;
}

/* All of which anything was told. */
static void find_features(struct judge *judge)
{
    const char **const features =
        arena_alloc(judge->arena, (judge->count + 1) * sizeof *features);

    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Signal *const signal = judge->said[i].signal;

        if (signal != NULL && !is_known(judge, features, signal->feature))
            features[judge->feature_count++] = signal->feature;
    }
    judge->features = features;
}

static bool opened(struct arena *arena, const char *path, struct reader *ret)
{
    FILE *const file = fopen(path, "rb");
    uint8_t *bytes;
    long length;

    *ret = (struct reader){ .arena = arena };
    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (length = ftell(file)) < 0 ||
        length > FILE_MAX || fseek(file, 0, SEEK_SET) != 0) {
        if (file != NULL)
            (void)fclose(file);
        return false;
    }
    bytes = arena_alloc(arena, (size_t)length + 1);
    ret->bytes = bytes;
    ret->length = fread(bytes, 1, (size_t)length, file);
    (void)fclose(file);
    return ret->length == (size_t)length;
}

bool record_file_read(struct judge *judge, const char *path, struct history *ret)
{
    struct reader reader;
    const uint8_t *start;

    if (!opened(judge->arena, path, &reader)) {
        (void)fprintf(stderr, "%s cannot be read\n", path);
        return false;
    }
    start = next(&reader, strlen(magic));
    if (start == NULL || memcmp(start, magic, strlen(magic)) != 0) {
        (void)fprintf(stderr, "%s is no record\n", path);
        return false;
    }
    read_said(judge, &reader);
    read_deeds(judge, &reader, ret);
    if (reader.broken || reader.at != reader.length) {
        (void)fprintf(stderr, "%s is not whole: broken near byte %zu\n", path, reader.at);
        return false;
    }
    find_features(judge);
    return true;
}
