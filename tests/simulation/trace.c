/* The records of a run as they are published, a line each. */
#include "common/wire/pbjson.h"
#include "common/wire/topics.h"
#include "tests/simulation/world.h"

#include <string.h>

enum { LINE_MAX_LENGTH = 700 };

static const ProtobufCMessageDescriptor *type_of(const char *topic)
{
    if (strcmp(topic, TOPIC_EVENTS) == 0)
        return &pb__event__descriptor;
    if (strcmp(topic, TOPIC_SIGNALS) == 0)
        return &pb__signal__descriptor;
    if (strcmp(topic, TOPIC_CONTROL) == 0)
        return &pb__control__descriptor;
    if (strcmp(topic, TOPIC_DEAD_LETTER) == 0)
        return &pb__dead_letter__descriptor;
    return NULL;
}

static void tell(struct world *world, const char *topic, const struct bus_record *record)
{
    const ProtobufCMessageDescriptor *const type = type_of(topic);
    struct text text = text_over(arena_alloc(&world->scratch, PB_RECORD_MAX), PB_RECORD_MAX);
    struct error error = { 0 };
    const char *const id = bus_header(record, "ce_id");
    void *message = NULL;

    if (type != NULL && pb_unpack(&world->scratch,
                                  type,
                                  (struct pb_bytes){ record->bytes, record->length },
                                  &message,
                                  &error) == ERR_OK)
        pbjson_print(message, PBJSON_SET, &text);
    world_tell(world,
               "  %s %lld %s %.*s",
               topic,
               (long long)record->offset,
               id != NULL ? id : "-",
               LINE_MAX_LENGTH,
               message != NULL ? text.bytes : "");
}

void trace_turn(struct world *world)
{
    struct bus_topic topics[TOPICS_MAX];
    const size_t count = topics_all((int32_t)world->set->settings[0]->kafka.partitions, topics);
    size_t place = 0;

    if (!world->tracing)
        return;
    for (size_t t = 0; t < count; t++) {
        for (int32_t p = 0; p < topics[t].partitions; p++, place++) {
            const struct bus_record *record;

            while ((record = memory_broker_record(
                        world->broker, topics[t].name, p, world->traced[place])) != NULL) {
                world->traced[place]++;
                tell(world, topics[t].name, record);
            }
        }
    }
}
