#include "common/adapters/kafka/client.h"

#include <stdlib.h>
#include <string.h>

static struct kafka_position *position_add(struct kafka_consumer *consumer,
                                           const char *topic,
                                           int32_t partition)
{
    if (consumer->position_count == consumer->position_capacity) {
        size_t capacity =
            consumer->position_capacity > 0 ? consumer->position_capacity * 2 : 16;
        struct kafka_position *grown = realloc(consumer->positions, capacity * sizeof *grown);

        if (grown == NULL)
            return NULL;
        consumer->positions = grown;
        consumer->position_capacity = capacity;
    }
    struct kafka_position *position = &consumer->positions[consumer->position_count];

    *position = (struct kafka_position){ .topic = strdup(topic), .partition = partition };
    if (position->topic == NULL)
        return NULL;
    consumer->position_count++;
    return position;
}

/* The end is asked for now: left to librdkafka it would be the end at some later time. */
static int64_t end_now(struct kafka_consumer *consumer, const rd_kafka_topic_partition_t *at)
{
    int64_t low, high;

    if (at->offset >= 0)
        return at->offset;
    if (rd_kafka_query_watermark_offsets(
            consumer->handle, at->topic, at->partition, &low, &high, KAFKA_QUERY_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return RD_KAFKA_OFFSET_END;
    return high;
}

/* Into each: what the group has committed, else the beginning. If that cannot be asked for now,
 * librdkafka will ask, and where nothing is committed receive() hears of it. */
static void committed_fill(struct kafka_consumer *consumer,
                           rd_kafka_topic_partition_list_t *list)
{
    bool known = rd_kafka_committed(consumer->handle, list, KAFKA_QUERY_MS) ==
                 RD_KAFKA_RESP_ERR_NO_ERROR;

    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *at = &list->elems[i];

        if (!known || at->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            at->offset = RD_KAFKA_OFFSET_STORED;
        else if (at->offset < 0)
            at->offset = RD_KAFKA_OFFSET_BEGINNING;
        at->err = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
}

static void rule_fill(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    if (consumer->start == BUS_FROM_COMMITTED && consumer->grouped) {
        committed_fill(consumer, list);
        return;
    }
    for (int i = 0; i < list->cnt; i++) {
        if (consumer->start == BUS_FROM_END)
            list->elems[i].offset = end_now(consumer, &list->elems[i]);
        else
            list->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
    }
}

void kafka_assigned(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    size_t prefix = strlen(consumer->bus->options.topic_prefix);

    rule_fill(consumer, list);
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *at = &list->elems[i];
        struct kafka_position *position = position_add(consumer, at->topic, at->partition);
        int64_t offset = BUS_OFFSET_DEFAULT;

        if (position == NULL) {
            error_set(&consumer->broken, ERR_INTERNAL, "kafka: no memory");
            return;
        }
        if (consumer->listener.assigned != NULL)
            consumer->listener.assigned(
                consumer->listener.self, at->topic + prefix, at->partition, &offset);
        position->by_rule = offset == BUS_OFFSET_DEFAULT;
        if (!position->by_rule)
            at->offset = offset;
        position->start = at->offset;
    }
}

void kafka_revoked(struct kafka_consumer *consumer, bool lost)
{
    size_t prefix = strlen(consumer->bus->options.topic_prefix);

    for (size_t i = 0; i < consumer->position_count; i++) {
        struct kafka_position *position = &consumer->positions[i];

        if (consumer->listener.revoked != NULL)
            consumer->listener.revoked(
                consumer->listener.self, position->topic + prefix, position->partition, lost);
    }
    for (size_t i = 0; i < consumer->position_count; i++)
        free(consumer->positions[i].topic);
    consumer->position_count = 0;
}

enum err kafka_restart(struct kafka_consumer *consumer,
                       struct kafka_position *position,
                       struct error *error)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)consumer->position_count);

    for (size_t i = 0; i < consumer->position_count; i++)
        rd_kafka_topic_partition_list_add(
            list, consumer->positions[i].topic, consumer->positions[i].partition);
    rd_kafka_resp_err_t code = rd_kafka_position(consumer->handle, list);

    position->start = RD_KAFKA_OFFSET_BEGINNING;
    for (int i = 0; i < list->cnt; i++) {
        const struct kafka_position *at = &consumer->positions[i];

        if (at == position || list->elems[i].offset < 0)
            list->elems[i].offset = at->start;
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = rd_kafka_assign(consumer->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? ERR_OK : kafka_error(error, code, "restart");
}

/* With the range assignor a rebalance always gives everything or takes everything. */
void kafka_rebalance(rd_kafka_t *handle,
                     rd_kafka_resp_err_t code,
                     rd_kafka_topic_partition_list_t *list,
                     void *opaque)
{
    struct kafka_consumer *consumer = opaque;

    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        kafka_assigned(consumer, list);
        rd_kafka_assign(handle, list);
        consumer->given = true;
        consumer->trouble[0] = '\0';
        return;
    }
    consumer->given = false;
    kafka_revoked(consumer, rd_kafka_assignment_lost(handle) != 0);
    rd_kafka_assign(handle, NULL);
}
