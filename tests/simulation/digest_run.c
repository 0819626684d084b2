/* What tells two runs apart: every record and every key. */
#include "common/adapters/memory/space.h"
#include "common/wire/topics.h"
#include "tests/simulation/world.h"

#include <string.h>

static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *const at = bytes;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
    return text != NULL ? mix(hash, text, strlen(text) + 1) : hash;
}

static uint64_t mix_number(uint64_t hash, int64_t number)
{
    return mix(hash, &number, sizeof number);
}

static uint64_t mix_record(uint64_t hash, const struct bus_record *record)
{
    hash = mix_text(mix_number(hash, record->at_ms), record->key);
    for (size_t i = 0; i < record->header_count; i++)
        hash = mix_text(mix_text(hash, record->headers[i].name), record->headers[i].value);
    return record->bytes != NULL ? mix(hash, record->bytes, record->length) : hash;
}

static uint64_t mix_log(uint64_t hash, struct world *world)
{
    struct bus_topic topics[TOPICS_MAX];
    const size_t count = topics_all((int32_t)world->set->settings[0]->kafka.partitions, topics);
    const struct bus_record *record;

    for (size_t t = 0; t < count; t++) {
        for (int32_t p = 0; p < topics[t].partitions; p++) {
            for (int64_t o = 0;
                 (record = memory_broker_record(world->broker, topics[t].name, p, o)) != NULL;
                 o++)
                hash = mix_record(hash, record);
        }
    }
    return hash;
}

static uint64_t mix_space(uint64_t hash, const struct memory_space *space)
{
    for (size_t i = 0; i < space->count; i++) {
        const struct space_entry *const entry = &space->entries[i];

        hash = mix_text(hash, entry->key);
        for (size_t f = 0; f < entry->count; f++) {
            const struct space_field *const field = &entry->fields[f];

            hash = mix_number(mix_text(hash, field->name), field->score);
            if (field->bytes != NULL)
                hash = mix(hash, field->bytes, field->length);
        }
    }
    return hash;
}

uint64_t world_digest(struct world *world)
{
    const uint64_t hash = mix_number(0xcbf29ce484222325u, world_now_ms(world));

    return mix_space(mix_log(hash, world), world->space);
}
