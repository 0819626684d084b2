#include "common/ports/bus.h"

#include <assert.h>
#include <string.h>

const char *bus_header(const struct bus_record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++) {
        if (strcmp(record->headers[i].name, name) == 0)
            return record->headers[i].value;
    }
    return NULL;
}

/* murmur2 with the seed of Kafka's DefaultPartitioner: a key published by any other client
 * lands where ours expects it. */
static uint32_t murmur2(const uint8_t *bytes, uint32_t length)
{
    const uint32_t seed = 0x9747b28c, m = 0x5bd1e995;
    uint32_t hash = seed ^ length;

    for (; length >= 4; bytes += 4, length -= 4) {
        uint32_t k = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                     (uint32_t)bytes[3] << 24;

        k *= m;
        k ^= k >> 24;
        k *= m;
        hash *= m;
        hash ^= k;
    }
    if (length > 0) {
        for (uint32_t i = 0; i < length; i++)
            hash ^= (uint32_t)bytes[i] << (8 * i);
        hash *= m;
    }
    hash ^= hash >> 13;
    hash *= m;
    return hash ^ hash >> 15;
}

int32_t bus_partition(const char *key, int32_t count)
{
    assert(count > 0);
    uint32_t hash = murmur2((const uint8_t *)key, (uint32_t)strlen(key));

    return (int32_t)(hash & 0x7fffffff) % count;
}
