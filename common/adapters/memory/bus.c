#include "common/adapters/memory/bus.h"

#include "common/adapters/memory/broker.h"
#include "common/adapters/memory/heap.h"

#include <stdlib.h>
#include <string.h>

struct memory_client {
    struct memory_broker *broker;
    struct memory_faults faults;
    bool lost;    /* Since the last flush a record was dropped. */
    bool unknown; /* Since the last flush an acknowledgement was. */
};

static enum err record_check(const struct memory_topic *topic,
                             const struct bus_record *record,
                             struct error *error)
{
    if (topic == NULL)
        return error_set(error, ERR_INVALID, "publish: no such topic: %s", record->topic);
    if (record->partition < BUS_PARTITION_BY_KEY ||
        record->partition >= topic->settings.partitions)
        return error_set(error,
                         ERR_INVALID,
                         "publish: %s has no partition %d",
                         record->topic,
                         (int)record->partition);
    if (record->bytes != NULL && record->length > MEMORY_RECORD_MAX)
        return error_set(error,
                         ERR_TOO_LARGE,
                         "publish to %s: a record of %zu bytes is too large",
                         record->topic,
                         record->length);
    return ERR_OK;
}

static enum err bus_publish(void *self, const struct bus_record *record, struct error *error)
{
    struct memory_client *client = self;
    struct memory_topic *topic = broker_topic(client->broker, record->topic);
    enum err err = record_check(topic, record, error);

    if (err != ERR_OK)
        return err;
    enum memory_fault fault = memory_fault_of(&client->faults, "publish", record->topic);

    if (fault == FAULT_BEFORE)
        return error_set(error, ERR_UNAVAILABLE, "publish to %s: queue full", record->topic);
    client->lost |= fault == FAULT_LOST;
    client->unknown |= fault == FAULT_AFTER;
    if (fault == FAULT_LOST)
        return ERR_OK;
    int32_t partition = record->partition;

    if (partition == BUS_PARTITION_BY_KEY)
        partition =
            bus_partition(record->key != NULL ? record->key : "", topic->settings.partitions);
    broker_append(client->broker, topic, partition, record);
    return ERR_OK;
}

static enum err bus_flush(void *self, int timeout_ms, struct error *error)
{
    struct memory_client *client = self;
    enum memory_fault fault = memory_fault_of(&client->faults, "flush", "");
    bool lost = client->lost || fault == FAULT_BEFORE || fault == FAULT_LOST;
    bool unknown = client->unknown || fault == FAULT_AFTER;

    client->lost = client->unknown = false;
    if (lost)
        return error_set(error, ERR_UNAVAILABLE, "flush: a record was refused");
    if (unknown)
        return error_set(error, ERR_TIMED_OUT, "flush: no answer within %d ms", timeout_ms);
    return ERR_OK;
}

static enum err bus_subscribe(void *self,
                              const struct bus_subscription *subscription,
                              struct bus_consumer *ret,
                              struct error *error)
{
    struct memory_client *client = self;

    return memory_subscribe(client->broker, client->faults, subscription, ret, error);
}

static enum err bus_partitions(void *self, const char *name, int32_t *ret, struct error *error)
{
    struct memory_client *client = self;
    struct memory_topic *topic = broker_topic(client->broker, name);

    if (memory_fault_of(&client->faults, "partitions", name) != FAULT_NONE)
        return error_set(error, ERR_UNAVAILABLE, "partitions of %s: no answer", name);
    if (topic == NULL)
        return error_set(error, ERR_NOT_FOUND, "no such topic: %s", name);
    *ret = topic->settings.partitions;
    return ERR_OK;
}

static enum err differs(
    const char *topic, const char *setting, int64_t found, int64_t wanted, struct error *error)
{
    if (found == wanted)
        return ERR_OK;
    return error_set(error,
                     ERR_INVALID,
                     "topic %s: %s is %lld, wanted %lld; change it or the configuration",
                     topic,
                     setting,
                     (long long)found,
                     (long long)wanted);
}

static enum err topic_compare(const struct bus_topic *found,
                              const struct bus_topic *wanted,
                              struct error *error)
{
    const struct {
        const char *name;
        int64_t found, wanted;
    } settings[] = {
        { "partitions", found->partitions, wanted->partitions },
        { "retention.ms", found->retention_ms, wanted->retention_ms },
        { "cleanup.policy=compact", found->compacted, wanted->compacted },
        { "message.timestamp.type=LogAppendTime",
          found->log_append_time,
          wanted->log_append_time },
    };
    enum err err = ERR_OK;

    for (size_t i = 0; i < sizeof settings / sizeof settings[0] && err == ERR_OK; i++)
        err = differs(
            found->name, settings[i].name, settings[i].found, settings[i].wanted, error);
    return err;
}

static enum err bus_ensure_topics(void *self,
                                  const struct bus_topic *topics,
                                  size_t count,
                                  struct error *error)
{
    struct memory_client *client = self;
    enum err err = ERR_OK;

    if (memory_fault_of(&client->faults, "ensure_topics", "") != FAULT_NONE)
        return error_set(error, ERR_UNAVAILABLE, "ensure topics: no answer");
    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        struct memory_topic *topic = broker_topic(client->broker, topics[i].name);

        if (topic == NULL)
            broker_topic_add(client->broker, &topics[i]);
        else
            err = topic_compare(&topic->settings, &topics[i], error);
    }
    return err;
}

static const char *bus_cluster_id(void *self)
{
    (void)self;
    return "memory";
}

struct bus memory_bus(struct memory_broker *broker, struct memory_faults faults)
{
    struct memory_client *client = heap_take(sizeof *client);

    client->broker = broker;
    client->faults = faults;
    return (struct bus){
        .self = client,
        .publish = bus_publish,
        .flush = bus_flush,
        .subscribe = bus_subscribe,
        .partitions = bus_partitions,
        .ensure_topics = bus_ensure_topics,
        .cluster_id = bus_cluster_id,
        .close = free,
    };
}
