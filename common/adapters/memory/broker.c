#include "common/adapters/memory/broker.h"

#include "common/adapters/memory/heap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct memory_broker *memory_broker_new(struct clock_port clock)
{
    struct memory_broker *broker = heap_take(sizeof *broker);

    broker->clock = clock;
    return broker;
}

static void record_release(struct memory_record *stored)
{
    struct bus_record *record = &stored->record;

    free((void *)(uintptr_t)record->key);
    free((void *)(uintptr_t)record->bytes);
    for (size_t i = 0; i < record->header_count; i++) {
        free((void *)(uintptr_t)record->headers[i].name);
        free((void *)(uintptr_t)record->headers[i].value);
    }
}

static void topic_free(struct memory_topic *topic)
{
    for (int32_t p = 0; p < topic->settings.partitions; p++) {
        struct memory_partition *partition = &topic->partitions[p];

        for (size_t i = 0; i < partition->count; i++)
            record_release(&partition->records[i]);
        free(partition->records);
    }
    free(topic->partitions);
    free((void *)(uintptr_t)topic->settings.name);
    free(topic);
}

void memory_broker_free(struct memory_broker *broker)
{
    if (broker == NULL)
        return;
    for (size_t i = 0; i < broker->topic_count; i++)
        topic_free(broker->topics[i]);
    for (size_t i = 0; i < broker->group_count; i++) {
        struct memory_group *group = broker->groups[i];

        assert(group->member_count == 0);
        free(group->name);
        free(group->committed);
        free(group->members);
        free(group);
    }
    free(broker->topics);
    free(broker->groups);
    free(broker);
}

struct memory_topic *broker_topic(struct memory_broker *broker, const char *name)
{
    for (size_t i = 0; i < broker->topic_count; i++) {
        if (strcmp(broker->topics[i]->settings.name, name) == 0)
            return broker->topics[i];
    }
    return NULL;
}

struct memory_topic *broker_topic_add(struct memory_broker *broker,
                                      const struct bus_topic *settings)
{
    struct memory_topic *topic = heap_take(sizeof *topic);

    topic->settings = *settings;
    topic->settings.name = heap_text(settings->name);
    topic->partitions = heap_take((size_t)settings->partitions * sizeof *topic->partitions);
    broker->topics = heap_room(
        broker->topics, broker->topic_count, &broker->topic_capacity, sizeof *broker->topics);
    broker->topics[broker->topic_count++] = topic;
    return topic;
}

struct memory_group *broker_group(struct memory_broker *broker, const char *name)
{
    for (size_t i = 0; i < broker->group_count; i++) {
        if (strcmp(broker->groups[i]->name, name) == 0)
            return broker->groups[i];
    }
    struct memory_group *group = heap_take(sizeof *group);

    group->name = heap_text(name);
    broker->groups = heap_room(
        broker->groups, broker->group_count, &broker->group_capacity, sizeof *broker->groups);
    broker->groups[broker->group_count++] = group;
    return group;
}

struct memory_partition *broker_partition(struct memory_broker *broker,
                                          const char *name,
                                          int32_t partition)
{
    struct memory_topic *topic = broker_topic(broker, name);

    if (topic == NULL || partition < 0 || partition >= topic->settings.partitions)
        return NULL;
    return &topic->partitions[partition];
}

int64_t partition_high(const struct memory_partition *partition)
{
    return partition->low + (int64_t)partition->count;
}

void broker_append(struct memory_broker *broker,
                   struct memory_topic *topic,
                   int32_t number,
                   const struct bus_record *record)
{
    struct memory_partition *partition = &topic->partitions[number];

    partition->records = heap_room(
        partition->records, partition->count, &partition->capacity, sizeof *partition->records);
    struct memory_record *stored = &partition->records[partition->count];
    struct bus_record *copy = &stored->record;

    *copy = (struct bus_record){
        .topic = topic->settings.name,
        .partition = number,
        .offset = partition_high(partition),
        .at_ms = clock_now_ms(broker->clock),
        .key = heap_text(record->key != NULL ? record->key : ""),
        .bytes = heap_copy(record->bytes, record->length),
        .length = record->bytes != NULL ? record->length : 0,
        .header_count = record->header_count,
    };
    for (size_t i = 0; i < record->header_count; i++) {
        copy->headers[i].name = heap_text(record->headers[i].name);
        copy->headers[i].value = heap_text(record->headers[i].value);
    }
    stored->sequence = broker->sequence++;
    partition->count++;
}

const struct bus_record *memory_broker_record(struct memory_broker *broker,
                                              const char *topic,
                                              int32_t number,
                                              int64_t offset)
{
    struct memory_partition *partition = broker_partition(broker, topic, number);

    if (partition == NULL || offset < partition->low || offset >= partition_high(partition))
        return NULL;
    return &partition->records[offset - partition->low].record;
}

int64_t memory_broker_high(struct memory_broker *broker, const char *topic, int32_t number)
{
    const struct memory_partition *const partition = broker_partition(broker, topic, number);

    return partition != NULL ? partition_high(partition) : 0;
}

int64_t memory_broker_order(struct memory_broker *broker,
                            const char *topic,
                            int32_t number,
                            int64_t offset)
{
    struct memory_partition *partition = broker_partition(broker, topic, number);

    if (partition == NULL || offset < partition->low || offset >= partition_high(partition))
        return -1;
    return partition->records[offset - partition->low].sequence;
}

int64_t memory_broker_published(const struct memory_broker *broker)
{
    return broker->sequence;
}

void memory_broker_cut(struct memory_broker *broker,
                       const char *topic,
                       int32_t number,
                       int64_t first,
                       int64_t next)
{
    struct memory_partition *partition = broker_partition(broker, topic, number);

    assert(partition != NULL && first <= next);
    for (size_t g = 0; g < broker->group_count; g++) {
        for (size_t i = 0; i < broker->groups[g]->member_count; i++)
            consumer_cut(broker->groups[g]->members[i], partition, next);
    }
    broker->cuts++;
    while (partition->count > 0 && partition_high(partition) > next)
        record_release(&partition->records[--partition->count]);
    size_t drop = 0;

    while (drop < partition->count && partition->low + (int64_t)drop < first)
        record_release(&partition->records[drop++]);
    partition->count -= drop;
    partition->low += (int64_t)drop;
    if (drop > 0)
        memmove(partition->records,
                partition->records + drop,
                partition->count * sizeof *partition->records);
}
