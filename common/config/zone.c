#include "common/config/zone.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { HEADER_SIZE = 44, TYPE_SIZE = 6, TRANSITIONS_MAX = 4000, NAME_MAX_LENGTH = 64 };

/* RFC 8536 permits no offset beyond these. */
enum { OFFSET_LEAST_S = -25 * 3600, OFFSET_MOST_S = 26 * 3600 };

struct zone {
    size_t count; /* Transitions, rising. */
    int64_t *at_s;
    int32_t *offset_s; /* From that moment on. */
    int32_t first_offset_s;
    bool has_rule; /* For what comes after the last transition. */
    struct zone_rule rule;
};

/* What is left of the file. */
struct bytes {
    const unsigned char *at;
    size_t left;
};

struct header {
    unsigned char version;
    uint32_t utc_count, standard_count, leap_count, time_count, type_count, char_count;
};

static int64_t big_endian(const unsigned char *at, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | at[i];
    if (size == 4)
        return (int32_t)(uint32_t)value;
    return (int64_t)value;
}

static bool take_header(struct bytes *bytes, struct header *ret)
{
    uint32_t counts[6];

    if (bytes->left < HEADER_SIZE || memcmp(bytes->at, "TZif", 4) != 0)
        return false;
    for (size_t i = 0; i < 6; i++)
        counts[i] = (uint32_t)big_endian(bytes->at + 20 + 4 * i, 4);
    *ret = (struct header){ bytes->at[4], counts[0], counts[1], counts[2],
                            counts[3],    counts[4], counts[5] };
    bytes->at += HEADER_SIZE;
    bytes->left -= HEADER_SIZE;
    return ret->time_count <= TRANSITIONS_MAX && ret->type_count > 0 &&
           ret->type_count <= 256 && ret->char_count <= 2048 && ret->leap_count <= 1000 &&
           ret->utc_count <= 256 && ret->standard_count <= 256;
}

static size_t block_size(const struct header *header, size_t time_size)
{
    return header->time_count * (time_size + 1) + (size_t)header->type_count * TYPE_SIZE +
           header->char_count + header->leap_count * (time_size + 4) + header->standard_count +
           header->utc_count;
}

static bool skip(struct bytes *bytes, size_t size)
{
    if (bytes->left < size)
        return false;
    bytes->at += size;
    bytes->left -= size;
    return true;
}

static bool offset_of_type(const unsigned char *types, size_t index, int32_t *ret)
{
    const int64_t offset_s = big_endian(types + index * TYPE_SIZE, 4);

    *ret = (int32_t)offset_s;
    return offset_s > OFFSET_LEAST_S && offset_s < OFFSET_MOST_S;
}

static bool read_block(struct arena *arena,
                       const struct header *header,
                       struct bytes bytes,
                       size_t time_size,
                       struct zone *zone)
{
    const unsigned char *const indices = bytes.at + header->time_count * time_size;
    const unsigned char *const types = indices + header->time_count;

    if (bytes.left < block_size(header, time_size) ||
        !offset_of_type(types, 0, &zone->first_offset_s))
        return false;
    zone->count = header->time_count;
    zone->at_s = arena_alloc(arena, zone->count * sizeof *zone->at_s);
    zone->offset_s = arena_alloc(arena, zone->count * sizeof *zone->offset_s);
    for (size_t i = 0; i < zone->count; i++) {
        zone->at_s[i] = big_endian(bytes.at + i * time_size, time_size);
        if (indices[i] >= header->type_count ||
            !offset_of_type(types, indices[i], &zone->offset_s[i]) ||
            (i > 0 && zone->at_s[i] <= zone->at_s[i - 1]))
            return false;
    }
    return true;
}

/* "\n<rule>\n"; an empty rule says nothing about the future. */
static bool read_footer(struct bytes bytes, struct zone *zone)
{
    char rule[128];
    size_t length;

    if (bytes.left < 2 || bytes.at[0] != '\n')
        return false;
    for (length = 1; length < bytes.left && bytes.at[length] != '\n'; length++)
        if (bytes.at[length] == '\0')
            return false;
    length--;
    if (length == 0)
        return true;
    if (length >= sizeof rule)
        return false;
    memcpy(rule, bytes.at + 1, length);
    rule[length] = '\0';
    zone->has_rule = zone_rule_parse(rule, &zone->rule);
    return zone->has_rule;
}

enum err zone_parse(struct arena *arena,
                    const void *bytes,
                    size_t length,
                    const struct zone **ret,
                    struct error *error)
{
    struct zone *const zone = arena_alloc(arena, sizeof *zone);
    struct bytes rest = { bytes, length };
    struct header header;
    size_t time_size = 4;
    bool good = take_header(&rest, &header);

    if (good && header.version >= '2') {
        time_size = 8;
        good = skip(&rest, block_size(&header, 4)) && take_header(&rest, &header);
    }
    good = good && read_block(arena, &header, rest, time_size, zone);
    if (good && time_size == 8)
        good = skip(&rest, block_size(&header, 8)) && read_footer(rest, zone);
    if (!good)
        return error_set(error, ERR_INVALID, "not a time zone file");
    *ret = zone;
    return ERR_OK;
}

static bool is_zone_name(const char *name)
{
    const size_t length = strlen(name);

    if (length == 0 || length > NAME_MAX_LENGTH || strstr(name, "//") != NULL ||
        !isalpha((unsigned char)name[0]))
        return false;
    for (; *name != '\0'; name++)
        if (!isalnum((unsigned char)*name) && strchr("+-_/", *name) == NULL)
            return false;
    return true;
}

enum err zone_load(struct arena *arena,
                   const char *name,
                   const struct zone **ret,
                   struct error *error)
{
    char *const bytes = arena_alloc(arena, ZONE_FILE_MAX);
    size_t length;
    FILE *file;

    if (!is_zone_name(name))
        return error_set(error, ERR_INVALID, "%.64s is no time zone", name);
    if (strcmp(name, "UTC") == 0) {
        *ret = arena_alloc(arena, sizeof **ret);
        return ERR_OK;
    }
    file = fopen(arena_printf(arena, "/usr/share/zoneinfo/%s", name), "rb");
    if (file == NULL)
        return error_set(error, ERR_NOT_FOUND, "%s is no known time zone", name);
    length = fread(bytes, 1, ZONE_FILE_MAX, file);
    (void)fclose(file);
    if (zone_parse(arena, bytes, length, ret, error) != ERR_OK)
        return error_wrap(error, ERR_INVALID, "%s", name);
    return ERR_OK;
}

int64_t zone_offset_s(const struct zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->count;

    if (zone->has_rule && (high == 0 || at_s >= zone->at_s[high - 1]))
        return zone_rule_offset_s(&zone->rule, at_s);
    while (low < high) { /* The number of transitions at or before that moment. */
        const size_t middle = low + (high - low) / 2;

        if (zone->at_s[middle] <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? zone->first_offset_s : zone->offset_s[low - 1];
}

int64_t zone_moment_s(const struct zone *zone, int64_t local_s)
{
    const int64_t before_s = zone_offset_s(zone, local_s - OFFSET_MOST_S);
    const int64_t after_s = zone_offset_s(zone, local_s - OFFSET_LEAST_S);
    int64_t low_s, high_s;

    /* Whichever offset leads to a moment at which it holds; the earlier one first. */
    if (zone_offset_s(zone, local_s - before_s) == before_s)
        return local_s - before_s;
    if (zone_offset_s(zone, local_s - after_s) == after_s)
        return local_s - after_s;
    /* Left out: find the change between the two. */
    low_s = local_s - after_s;
    high_s = local_s - before_s;
    while (high_s - low_s > 1) {
        const int64_t middle_s = low_s + (high_s - low_s) / 2;

        if (zone_offset_s(zone, middle_s) == before_s)
            low_s = middle_s;
        else
            high_s = middle_s;
    }
    return high_s;
}
