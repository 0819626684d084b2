#include "common/adapters/kafka/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CLUSTER_WAIT_MS = 2000 };

enum err kafka_full_name(const struct kafka_bus *bus,
                         const char *name,
                         char ret[KAFKA_NAME_SIZE],
                         struct error *error)
{
    int length = snprintf(ret, KAFKA_NAME_SIZE, "%s%s", bus->options.topic_prefix, name);

    if (length < 0 || length >= KAFKA_NAME_SIZE)
        return error_set(error, ERR_INVALID, "a name is too long: %.40s...", name);
    return ERR_OK;
}

enum err kafka_ask_partitions(rd_kafka_t *client,
                              rd_kafka_topic_t *topic,
                              int32_t *ret,
                              struct error *error)
{
    const struct rd_kafka_metadata *metadata = NULL;
    const char *name = rd_kafka_topic_name(topic);
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, topic, &metadata, KAFKA_QUERY_MS);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt != 1)
        code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = metadata->topics[0].err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topics[0].partition_cnt < 1)
        code = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        *ret = metadata->topics[0].partition_cnt;
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_OK;
    return kafka_error(error, code, name);
}

enum err kafka_partitions(struct kafka_bus *bus,
                          const char *name,
                          int32_t *ret,
                          struct error *error)
{
    struct kafka_generation *generation = kafka_enter(bus);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(generation->producer, name, NULL);
    enum err err;

    if (topic == NULL)
        err = kafka_error(error, rd_kafka_last_error(), name);
    else
        err = kafka_ask_partitions(generation->producer, topic, ret, error);
    if (topic != NULL)
        rd_kafka_topic_destroy(topic);
    kafka_leave(bus, generation);
    return err;
}

static enum err bus_partitions(void *self, const char *topic, int32_t *ret, struct error *error)
{
    struct kafka_bus *bus = self;
    char name[KAFKA_NAME_SIZE];
    enum err err = kafka_full_name(bus, topic, name, error);

    return err == ERR_OK ? kafka_partitions(bus, name, ret, error) : err;
}

static const char *bus_cluster_id(void *self)
{
    struct kafka_bus *bus = self;

    /* Written once, by whoever gets the answer first: the same for all. */
    pthread_mutex_lock(&bus->lock);
    bool known = bus->cluster[0] != '\0';

    pthread_mutex_unlock(&bus->lock);
    if (known)
        return bus->cluster;
    struct kafka_generation *generation = kafka_enter(bus);
    char *id = rd_kafka_clusterid(generation->producer, CLUSTER_WAIT_MS);

    kafka_leave(bus, generation);
    if (id == NULL)
        return "";
    pthread_mutex_lock(&bus->lock);
    if (bus->cluster[0] == '\0')
        snprintf(bus->cluster, sizeof bus->cluster, "%s", id);
    pthread_mutex_unlock(&bus->lock);
    free(id);
    return bus->cluster;
}

static void options_release(struct kafka_options *options)
{
    free((void *)(uintptr_t)options->brokers);
    free((void *)(uintptr_t)options->client_id);
    free((void *)(uintptr_t)options->topic_prefix);
    for (size_t i = 0; options->properties != NULL && i < options->property_count; i++) {
        free((void *)(uintptr_t)options->properties[i].name);
        free((void *)(uintptr_t)options->properties[i].value);
    }
    free((void *)(uintptr_t)options->properties);
}

/* False when there is no memory; options_release takes what was copied so far. */
static bool options_copy(struct kafka_options *copy, const struct kafka_options *options)
{
    const char *prefix = options->topic_prefix != NULL ? options->topic_prefix : "";
    struct kafka_property *properties = calloc(options->property_count + 1, sizeof *properties);

    *copy = *options;
    copy->brokers = strdup(options->brokers);
    copy->client_id = strdup(options->client_id);
    copy->topic_prefix = strdup(prefix);
    copy->properties = properties;
    bool complete = copy->brokers != NULL && copy->client_id != NULL &&
                    copy->topic_prefix != NULL && properties != NULL;

    for (size_t i = 0; properties != NULL && i < options->property_count; i++) {
        properties[i].name = strdup(options->properties[i].name);
        properties[i].value = strdup(options->properties[i].value);
        complete &= properties[i].name != NULL && properties[i].value != NULL;
    }
    return complete;
}

static void bus_free(struct kafka_bus *bus)
{
    if (bus->current != NULL)
        kafka_leave(bus, bus->current);
    while (bus->accounts != NULL) {
        struct kafka_account *account = bus->accounts;

        bus->accounts = account->next;
        free(account);
    }
    pthread_cond_destroy(&bus->served);
    pthread_mutex_destroy(&bus->lock);
    options_release(&bus->options);
    free(bus);
}

static void bus_close(void *self)
{
    if (self != NULL)
        bus_free(self);
}

static void locks_init(struct kafka_bus *bus)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&bus->served, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&bus->lock, NULL);
}

enum err kafka_bus_open(const struct kafka_options *options,
                        struct bus *ret,
                        struct error *error)
{
    struct kafka_bus *bus = calloc(1, sizeof *bus);

    if (bus == NULL)
        return error_set(error, ERR_INTERNAL, "kafka: no memory");
    locks_init(bus);
    enum err err = ERR_OK;

    if (!options_copy(&bus->options, options))
        err = error_set(error, ERR_INTERNAL, "kafka: no memory");
    if (err == ERR_OK)
        err = kafka_generation_new(bus, &bus->current, error);
    if (err != ERR_OK) {
        bus_free(bus);
        return err;
    }
    *ret = (struct bus){
        .self = bus,
        .publish = kafka_publish,
        .flush = kafka_flush,
        .subscribe = kafka_subscribe,
        .partitions = bus_partitions,
        .ensure_topics = kafka_ensure_topics,
        .cluster_id = bus_cluster_id,
        .close = bus_close,
    };
    return ERR_OK;
}
