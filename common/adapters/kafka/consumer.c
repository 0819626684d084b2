#include "common/adapters/kafka/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For a client that must name a group though it never joins one. */
#define NO_GROUP "slipway.reader"

#define SESSION_FIX                                                                            \
    ": kafka.session must lie between the broker's group.min.session.timeout.ms and "          \
    "group.max.session.timeout.ms"

enum { PARTITIONS_MAX = 10000 };

struct kafka_position *kafka_position(struct kafka_consumer *consumer,
                                      const char *topic,
                                      int32_t partition)
{
    for (size_t i = 0; i < consumer->position_count; i++) {
        struct kafka_position *at = &consumer->positions[i];

        if (at->partition == partition && strcmp(at->topic, topic) == 0)
            return at;
    }
    return NULL;
}

static void headers_fill(const rd_kafka_headers_t *headers, struct bus_record *record)
{
    const char *name = NULL;
    const void *value = NULL;
    size_t size = 0, i = 0;

    while (i < BUS_HEADERS_MAX && rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
                                      RD_KAFKA_RESP_ERR_NO_ERROR) {
        /* librdkafka puts a NUL behind every value. */
        record->headers[i++] = (struct bus_header){ name, value != NULL ? value : "" };
    }
    record->header_count = i;
}

/* The record as it lies in the message, which stays until the next receive. */
static enum err record_fill(struct kafka_consumer *consumer,
                            struct bus_record *ret,
                            struct error *error)
{
    const rd_kafka_message_t *message = consumer->message;
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_timestamp_type_t kind;
    size_t prefix = strlen(consumer->bus->options.topic_prefix);

    free(consumer->key);
    consumer->key = calloc(1, message->key_len + 1);
    if (consumer->key == NULL)
        return error_set(error, ERR_INTERNAL, "kafka: no memory");
    if (message->key != NULL)
        memcpy(consumer->key, message->key, message->key_len);
    *ret = (struct bus_record){
        .topic = rd_kafka_topic_name(message->rkt) + prefix,
        .partition = message->partition,
        .offset = message->offset,
        .at_ms = rd_kafka_message_timestamp(message, &kind),
        .key = consumer->key,
        .bytes = message->payload,
        .length = message->len,
    };
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        headers_fill(headers, ret);
    return ERR_OK;
}

static enum err seek_to(struct kafka_consumer *consumer,
                        const char *name,
                        int32_t partition,
                        int64_t offset,
                        struct error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, name, partition)->offset = offset;
    rd_kafka_error_t *failure =
        rd_kafka_seek_partitions(consumer->handle, list, KAFKA_QUERY_MS);
    rd_kafka_resp_err_t code = rd_kafka_error_code(failure);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = list->elems[0].err;
    if (failure != NULL)
        rd_kafka_error_destroy(failure);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? ERR_OK : kafka_error(error, code, name);
}

/* The offset to go on from is not there. By the rule that means the beginning; otherwise
 * something is wrong with the log or with who chose the offset, and going on would hide it. */
static enum err offset_missing(struct kafka_consumer *consumer,
                               const rd_kafka_message_t *message,
                               struct error *error)
{
    const char *name = rd_kafka_topic_name(message->rkt);
    struct kafka_position *position = kafka_position(consumer, name, message->partition);
    int64_t low = 0, high = 0;

    if (position == NULL)
        return ERR_STALE;
    if (position->by_rule) {
        enum err err = kafka_restart(consumer, position, error);

        return err == ERR_OK ? ERR_STALE : err;
    }
    rd_kafka_query_watermark_offsets(
        consumer->handle, name, message->partition, &low, &high, KAFKA_QUERY_MS);
    error_set(&consumer->broken,
              ERR_INTERNAL,
              "%s partition %d has no offset %lld: it holds %lld up to %lld",
              name,
              (int)message->partition,
              (long long)message->offset,
              (long long)low,
              (long long)high);
    return error_set(error, ERR_INTERNAL, "%s", consumer->broken.text);
}

static enum err trouble_hear(struct kafka_consumer *consumer,
                             const rd_kafka_message_t *message,
                             struct error *error)
{
    (void)snprintf(consumer->trouble,
                   sizeof consumer->trouble,
                   "%s%s",
                   rd_kafka_message_errstr(message),
                   message->err == RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT ? SESSION_FIX
                                                                             : "");
    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED: return ERR_STALE; /* A revocation follows. */
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: return offset_missing(consumer, message, error);
    default:
        return error_set(error,
                         kafka_outcome(message->err) == ERR_INTERNAL ? ERR_INTERNAL
                                                                     : ERR_UNAVAILABLE,
                         "receive: %s",
                         consumer->trouble);
    }
}

static enum err message_take(struct kafka_consumer *consumer,
                             struct bus_record *ret,
                             struct error *error)
{
    const rd_kafka_message_t *message = consumer->message;

    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return trouble_hear(consumer, message, error);
    struct kafka_position *position =
        kafka_position(consumer, rd_kafka_topic_name(message->rkt), message->partition);

    if (position != NULL)
        position->by_rule = false;
    consumer->unwell = false;
    return record_fill(consumer, ret, error);
}

static void message_release(struct kafka_consumer *consumer)
{
    if (consumer->message != NULL)
        rd_kafka_message_destroy(consumer->message);
    consumer->message = NULL;
}

/* Without a group the partitions are ours from the first receive on. */
static void give_all(struct kafka_consumer *consumer)
{
    consumer->given = true;
    kafka_assigned(consumer, consumer->initial);
    rd_kafka_assign(consumer->handle, consumer->initial);
}

static enum err consumer_receive(void *self,
                                 int wait_ms,
                                 struct bus_record *ret,
                                 struct error *error)
{
    struct kafka_consumer *consumer = self;

    message_release(consumer);
    if (!consumer->grouped && !consumer->given)
        give_all(consumer);
    if (consumer->broken.text[0] != '\0')
        return error_set(error, ERR_INTERNAL, "%s", consumer->broken.text);
    consumer->message = rd_kafka_consumer_poll(consumer->handle, wait_ms);
    if (consumer->message != NULL)
        return message_take(consumer, ret, error);
    if (!consumer->unwell)
        return ERR_STALE;
    consumer->unwell = false;
    return error_set(error, ERR_UNAVAILABLE, "receive: %s", consumer->trouble);
}

static enum err position_find(struct kafka_consumer *consumer,
                              const char *topic,
                              int32_t partition,
                              struct kafka_position **ret,
                              struct error *error)
{
    char name[KAFKA_NAME_SIZE];
    enum err err = kafka_full_name(consumer->bus, topic, name, error);

    if (err != ERR_OK)
        return err;
    *ret = kafka_position(consumer, name, partition);
    if (*ret == NULL)
        return error_set(error, ERR_CONFLICT, "%s %d is not ours", topic, (int)partition);
    return ERR_OK;
}

/* Waits for the broker's answer, but not for ever, as rd_kafka_commit would. */
static rd_kafka_resp_err_t commit_wait(rd_kafka_t *handle,
                                       const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_queue_t *answers = rd_kafka_queue_new(handle);
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(handle, list, answers, NULL, NULL);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(answers, KAFKA_QUERY_MS);

        code = event != NULL ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (event != NULL && code == RD_KAFKA_RESP_ERR_NO_ERROR)
            code = rd_kafka_event_topic_partition_list(event)->elems[0].err;
        if (event != NULL)
            rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(answers);
    return code;
}

static enum err consumer_commit(
    void *self, const char *topic, int32_t partition, int64_t next_offset, struct error *error)
{
    struct kafka_consumer *consumer = self;
    struct kafka_position *position;

    if (!consumer->grouped)
        return error_set(error, ERR_INVALID, "commit of %s: there is no group", topic);
    enum err err = position_find(consumer, topic, partition, &position, error);

    if (err == ERR_OK && rd_kafka_assignment_lost(consumer->handle))
        err = error_set(error, ERR_CONFLICT, "%s %d was lost", topic, (int)partition);
    if (err != ERR_OK)
        return err;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, position->topic, partition)->offset = next_offset;
    rd_kafka_resp_err_t code = commit_wait(consumer->handle, list);

    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_OK;
    return error_wrap(error, kafka_error(error, code, topic), "commit");
}

static enum err consumer_committed(
    void *self, const char *topic, int32_t partition, int64_t *ret_offset, struct error *error)
{
    struct kafka_consumer *consumer = self;
    char name[KAFKA_NAME_SIZE];
    enum err err = kafka_full_name(consumer->bus, topic, name, error);

    if (err == ERR_OK && !consumer->grouped)
        err = error_set(error, ERR_INVALID, "committed of %s: there is no group", topic);
    if (err != ERR_OK)
        return err;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, name, partition);
    rd_kafka_resp_err_t code = rd_kafka_committed(consumer->handle, list, KAFKA_QUERY_MS);
    int64_t offset = list->elems[0].offset;

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = list->elems[0].err;
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_wrap(error, kafka_error(error, code, name), "committed");
    *ret_offset = offset >= 0 ? offset : -1;
    return ERR_OK;
}

static enum err consumer_watermarks(void *self,
                                    const char *topic,
                                    int32_t partition,
                                    int64_t *ret_low,
                                    int64_t *ret_high,
                                    struct error *error)
{
    struct kafka_consumer *consumer = self;
    char name[KAFKA_NAME_SIZE];
    int64_t low, high;
    enum err err = kafka_full_name(consumer->bus, topic, name, error);

    if (err != ERR_OK)
        return err;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        consumer->handle, name, partition, &low, &high, KAFKA_QUERY_MS);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_wrap(error, kafka_error(error, code, name), "watermarks");
    *ret_low = low;
    *ret_high = high;
    return ERR_OK;
}

static unsigned consumer_connections(void *self)
{
    struct kafka_consumer *consumer = self;

    return atomic_load(&consumer->connections);
}

static enum err consumer_share(void *self, size_t *ret_count, struct error *error)
{
    const struct kafka_consumer *consumer = self;
    const bool said = consumer->trouble[0] != '\0';

    if (consumer->grouped && !consumer->given)
        return error_set(error,
                         ERR_UNAVAILABLE,
                         "the group has given no share (session %lld ms)%s%s",
                         (long long)kafka_session_ms(consumer->bus),
                         said ? ": " : "",
                         consumer->trouble);
    *ret_count = consumer->grouped || consumer->given ? consumer->position_count
                                                      : (size_t)consumer->initial->cnt;
    return ERR_OK;
}

static enum err consumer_seek(
    void *self, const char *topic, int32_t partition, int64_t offset, struct error *error)
{
    struct kafka_consumer *consumer = self;
    struct kafka_position *position;
    enum err err = position_find(consumer, topic, partition, &position, error);

    if (err != ERR_OK)
        return err;
    position->by_rule = false;
    position->start = offset;
    consumer->broken.text[0] = '\0'; /* Who chooses another offset knows. */
    return seek_to(consumer, position->topic, partition, offset, error);
}

static void consumer_free(struct kafka_consumer *consumer)
{
    message_release(consumer);
    if (consumer->handle != NULL) {
        if (!consumer->grouped)
            kafka_revoked(consumer, false);
        rd_kafka_consumer_close(consumer->handle);
        rd_kafka_destroy(consumer->handle);
    }
    if (consumer->initial != NULL)
        rd_kafka_topic_partition_list_destroy(consumer->initial);
    free(consumer->positions);
    free(consumer->key);
    free(consumer);
}

static void consumer_close(void *self)
{
    if (self != NULL)
        consumer_free(self);
}

static enum err consumer_open(struct kafka_consumer *consumer,
                              const char *group,
                              struct error *error)
{
    char name[KAFKA_NAME_SIZE], text[KAFKA_TROUBLE_SIZE];
    rd_kafka_conf_t *conf;
    enum err err =
        kafka_full_name(consumer->bus, group != NULL ? group : NO_GROUP, name, error);

    if (err == ERR_OK)
        err = kafka_consumer_config(consumer->bus, name, &conf, error);
    if (err != ERR_OK)
        return err;
    rd_kafka_conf_set_opaque(conf, consumer);
    consumer->handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (consumer->handle == NULL) {
        rd_kafka_conf_destroy(conf);
        return error_set(error, ERR_INVALID, "kafka: %s", text);
    }
    rd_kafka_poll_set_consumer(consumer->handle);
    return ERR_OK;
}

/* All partitions of that topic; for a start at the end with the end as it is now. */
static enum err initial_add(struct kafka_consumer *consumer,
                            const char *name,
                            int32_t partitions,
                            struct error *error)
{
    for (int32_t p = 0; p < partitions && p < PARTITIONS_MAX; p++) {
        rd_kafka_topic_partition_t *at =
            rd_kafka_topic_partition_list_add(consumer->initial, name, p);
        int64_t low, high;

        if (consumer->start != BUS_FROM_END)
            continue;
        rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
            consumer->handle, name, p, &low, &high, KAFKA_QUERY_MS);

        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return kafka_error(error, code, name);
        at->offset = high;
    }
    return ERR_OK;
}

/* The topics by their full names in consumer->initial: with their partitions without a group,
 * without them with one. */
static enum err topics_resolve(struct kafka_bus *bus,
                               struct kafka_consumer *consumer,
                               const char *const *topics,
                               struct error *error)
{
    enum err err = ERR_OK;

    consumer->initial = rd_kafka_topic_partition_list_new(8);
    for (; *topics != NULL && err == ERR_OK; topics++) {
        char name[KAFKA_NAME_SIZE];
        int32_t partitions = 0;

        err = kafka_full_name(bus, *topics, name, error);
        if (err == ERR_OK)
            err = kafka_partitions(bus, name, &partitions, error);
        if (err == ERR_OK && consumer->grouped)
            rd_kafka_topic_partition_list_add(consumer->initial, name, RD_KAFKA_PARTITION_UA);
        else if (err == ERR_OK)
            err = initial_add(consumer, name, partitions, error);
    }
    return err;
}

static enum err consumer_join(struct kafka_consumer *consumer, struct error *error)
{
    if (!consumer->grouped)
        return ERR_OK;
    rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer->handle, consumer->initial);

    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? ERR_OK : kafka_error(error, code, "subscribe");
}

enum err kafka_subscribe(void *self,
                         const struct bus_subscription *subscription,
                         struct bus_consumer *ret,
                         struct error *error)
{
    struct kafka_bus *bus = self;
    struct kafka_consumer *consumer = calloc(1, sizeof *consumer);

    if (consumer == NULL)
        return error_set(error, ERR_UNAVAILABLE, "subscribe: no memory");
    consumer->bus = bus;
    consumer->grouped = subscription->group != NULL;
    consumer->start = subscription->start;
    consumer->listener = subscription->listener;
    enum err err = consumer_open(consumer, subscription->group, error);

    if (err == ERR_OK)
        err = topics_resolve(bus, consumer, subscription->topics, error);
    if (err == ERR_OK)
        err = consumer_join(consumer, error);
    if (err != ERR_OK) {
        consumer_free(consumer);
        return error_wrap(error, err, "subscribe");
    }
    *ret = (struct bus_consumer){
        .self = consumer,
        .receive = consumer_receive,
        .commit = consumer_commit,
        .committed = consumer_committed,
        .watermarks = consumer_watermarks,
        .share = consumer_share,
        .connections = consumer_connections,
        .seek = consumer_seek,
        .close = consumer_close,
    };
    return ERR_OK;
}
