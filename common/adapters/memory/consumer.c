#include "common/adapters/memory/broker.h"
#include "common/adapters/memory/heap.h"

#include <stdlib.h>
#include <string.h>

void consumer_give(struct memory_consumer *consumer,
                   const struct memory_topic *topic,
                   int32_t partition)
{
    consumer->positions = heap_room(consumer->positions,
                                    consumer->position_count,
                                    &consumer->position_capacity,
                                    sizeof *consumer->positions);
    int64_t offset = BUS_OFFSET_DEFAULT;

    /* "From the end" is the end as it was when the partition was given. */
    if (consumer->start == BUS_FROM_END)
        offset = partition_high(&topic->partitions[partition]);
    consumer->positions[consumer->position_count++] =
        (struct memory_offset){ topic, partition, offset };
}

static int64_t start_offset(struct memory_consumer *consumer, const struct memory_offset *at)
{
    const struct memory_partition *partition = &at->topic->partitions[at->partition];
    int64_t low = partition->low, high = partition_high(partition);

    if (consumer->start == BUS_FROM_END)
        return at->offset;
    if (consumer->start == BUS_FROM_BEGINNING || consumer->group == NULL)
        return low;
    const int64_t *committed =
        group_committed(consumer->group, at->topic, at->partition, false);

    /* Outside of what is kept: everything again rather than anything lost. */
    return committed == NULL || *committed < low || *committed > high ? low : *committed;
}

void consumer_start(struct memory_consumer *consumer)
{
    struct bus_listener *listener = &consumer->listener;

    consumer->state = MEMBER_STABLE;
    for (size_t i = 0; i < consumer->position_count; i++) {
        struct memory_offset *at = &consumer->positions[i];
        int64_t offset = BUS_OFFSET_DEFAULT;

        if (listener->assigned != NULL)
            listener->assigned(
                listener->self, at->topic->settings.name, at->partition, &offset);
        at->offset = offset != BUS_OFFSET_DEFAULT ? offset : start_offset(consumer, at);
    }
}

void consumer_revoke(struct memory_consumer *consumer, bool lost)
{
    struct bus_listener *listener = &consumer->listener;

    for (size_t i = 0; i < consumer->position_count; i++) {
        struct memory_offset *at = &consumer->positions[i];

        if (listener->revoked != NULL)
            listener->revoked(listener->self, at->topic->settings.name, at->partition, lost);
    }
    consumer->position_count = 0;
}

static enum err position_missing(const struct memory_offset *at, struct error *error)
{
    const struct memory_partition *partition = &at->topic->partitions[at->partition];

    return error_set(error,
                     ERR_INTERNAL,
                     "%s partition %d has no offset %lld: it holds %lld up to %lld",
                     at->topic->settings.name,
                     (int)at->partition,
                     (long long)at->offset,
                     (long long)partition->low,
                     (long long)partition_high(partition));
}

static enum err position_check(const struct memory_offset *at, struct error *error)
{
    const struct memory_partition *partition = &at->topic->partitions[at->partition];

    if (at->offset >= partition->low && at->offset <= partition_high(partition))
        return ERR_OK;
    return position_missing(at, error);
}

void consumer_cut(struct memory_consumer *consumer,
                  const struct memory_partition *partition,
                  int64_t next)
{
    for (size_t i = 0; i < consumer->position_count; i++) {
        const struct memory_offset *const at = &consumer->positions[i];

        if (&at->topic->partitions[at->partition] == partition && at->offset > next &&
            consumer->state == MEMBER_STABLE)
            consumer->cut = *at;
    }
}

/* ret is NULL when nothing is there to be received. Who once was at an offset that is not there
 * receives nothing any more, as it is with Kafka: going on later would hide it. */
static enum err consumer_next(struct memory_consumer *consumer,
                              struct memory_offset **ret,
                              struct error *error)
{
    int64_t earliest = INT64_MAX;

    *ret = NULL;
    if (consumer->cut.topic != NULL)
        return position_missing(&consumer->cut, error);
    for (size_t i = 0; i < consumer->position_count; i++) {
        struct memory_offset *at = &consumer->positions[i];
        const struct memory_partition *partition = &at->topic->partitions[at->partition];
        enum err err = position_check(at, error);

        if (err != ERR_OK)
            return err;
        if (at->offset == partition_high(partition))
            continue;
        int64_t sequence = partition->records[at->offset - partition->low].sequence;

        if (sequence < earliest) {
            earliest = sequence;
            *ret = at;
        }
    }
    return ERR_OK;
}

static enum err consumer_receive(void *self,
                                 int wait_ms,
                                 struct bus_record *ret,
                                 struct error *error)
{
    struct memory_consumer *consumer = self;
    struct memory_offset *at;

    (void)wait_ms;
    if (memory_fault_of(&consumer->faults, "receive", "") != FAULT_NONE)
        return error_set(error, ERR_UNAVAILABLE, "receive: no answer");
    group_turn(consumer);
    if (consumer->state != MEMBER_STABLE)
        return ERR_STALE;
    enum err err = consumer_next(consumer, &at, error);

    if (err != ERR_OK)
        return err;
    if (at == NULL)
        return ERR_STALE;
    const struct memory_partition *partition = &at->topic->partitions[at->partition];

    *ret = partition->records[at->offset - partition->low].record;
    at->offset++;
    return ERR_OK;
}

static struct memory_offset *consumer_position(struct memory_consumer *consumer,
                                               const char *topic,
                                               int32_t partition)
{
    for (size_t i = 0; i < consumer->position_count; i++) {
        struct memory_offset *at = &consumer->positions[i];

        if (at->partition == partition && strcmp(at->topic->settings.name, topic) == 0)
            return at;
    }
    return NULL;
}

static enum err consumer_commit(
    void *self, const char *topic, int32_t partition, int64_t next_offset, struct error *error)
{
    struct memory_consumer *consumer = self;
    struct memory_offset *at = consumer_position(consumer, topic, partition);
    enum memory_fault fault = memory_fault_of(&consumer->faults, "commit", topic);

    if (consumer->group == NULL)
        return error_set(error, ERR_INVALID, "commit of %s: there is no group", topic);
    if (fault == FAULT_BEFORE || fault == FAULT_LOST)
        return error_set(error, ERR_UNAVAILABLE, "commit of %s: no answer", topic);
    if (at == NULL || consumer->state != MEMBER_STABLE)
        return error_set(error, ERR_CONFLICT, "%s %d is not ours", topic, (int)partition);
    *group_committed(consumer->group, at->topic, partition, true) = next_offset;
    if (fault == FAULT_AFTER)
        return error_set(error, ERR_TIMED_OUT, "commit of %s: answer lost", topic);
    return ERR_OK;
}

static enum err consumer_committed(
    void *self, const char *name, int32_t partition, int64_t *ret_offset, struct error *error)
{
    struct memory_consumer *consumer = self;
    struct memory_topic *topic = broker_topic(consumer->broker, name);

    if (consumer->group == NULL)
        return error_set(error, ERR_INVALID, "committed of %s: there is no group", name);
    if (memory_fault_of(&consumer->faults, "committed", name) != FAULT_NONE)
        return error_set(error, ERR_UNAVAILABLE, "committed of %s: no answer", name);
    const int64_t *committed = group_committed(consumer->group, topic, partition, false);

    *ret_offset = committed != NULL ? *committed : -1;
    return ERR_OK;
}

static enum err consumer_watermarks(void *self,
                                    const char *topic,
                                    int32_t number,
                                    int64_t *ret_low,
                                    int64_t *ret_high,
                                    struct error *error)
{
    struct memory_consumer *consumer = self;
    const struct memory_partition *partition =
        broker_partition(consumer->broker, topic, number);

    if (memory_fault_of(&consumer->faults, "watermarks", topic) != FAULT_NONE)
        return error_set(error, ERR_UNAVAILABLE, "watermarks of %s: no answer", topic);
    if (partition == NULL)
        return error_set(error, ERR_NOT_FOUND, "no such partition: %s %d", topic, (int)number);
    *ret_low = partition->low;
    *ret_high = partition_high(partition);
    return ERR_OK;
}

static unsigned consumer_connections(void *self)
{
    const struct memory_consumer *consumer = self;

    return consumer->broker->cuts;
}

static enum err consumer_share(void *self, size_t *ret_count, struct error *error)
{
    const struct memory_consumer *consumer = self;

    if (consumer->group != NULL && consumer->state != MEMBER_STABLE)
        return error_set(error, ERR_UNAVAILABLE, "the group has given no share");
    *ret_count = consumer->position_count;
    return ERR_OK;
}

static enum err consumer_seek(
    void *self, const char *topic, int32_t partition, int64_t offset, struct error *error)
{
    struct memory_consumer *consumer = self;
    struct memory_offset *at = consumer_position(self, topic, partition);

    if (at == NULL)
        return error_set(error, ERR_CONFLICT, "%s %d is not ours", topic, (int)partition);
    at->offset = offset;
    consumer->cut.topic = NULL; /* Who chooses another offset knows. */
    return ERR_OK;
}

static void consumer_free(struct memory_consumer *consumer)
{
    if (consumer->group != NULL && consumer->state != MEMBER_EVICTED)
        group_leave(consumer->group, consumer);
    free(consumer->topics);
    free(consumer->positions);
    free(consumer);
}

static void consumer_close(void *self)
{
    struct memory_consumer *consumer = self;

    if (consumer == NULL)
        return;
    if (consumer->state == MEMBER_STABLE || consumer->state == MEMBER_EVICTED)
        consumer_revoke(consumer, consumer->state == MEMBER_EVICTED);
    consumer_free(consumer);
}

void memory_consumer_crash(struct bus_consumer *consumer)
{
    if (consumer->self != NULL)
        consumer_free(consumer->self);
    consumer->self = NULL;
}

static void member_evict(struct memory_consumer *member)
{
    if (member->group == NULL || member->state == MEMBER_EVICTED)
        return;
    group_leave(member->group, member);
    if (member->state != MEMBER_STABLE)
        member->position_count = 0;
    member->state = MEMBER_EVICTED;
}

void memory_consumer_evict(const struct bus_consumer *consumer)
{
    member_evict(consumer->self);
}

void memory_broker_evict(struct memory_broker *broker, const void *faults_self)
{
    for (size_t g = 0; g < broker->group_count; g++) {
        struct memory_group *group = broker->groups[g];

        for (size_t i = group->member_count; i-- > 0;) {
            if (group->members[i]->faults.self == faults_self)
                member_evict(group->members[i]);
        }
    }
}

static enum err topics_resolve(struct memory_consumer *consumer,
                               const char *const *names,
                               struct error *error)
{
    size_t capacity = 0;

    for (; *names != NULL; names++) {
        struct memory_topic *topic = broker_topic(consumer->broker, *names);

        if (topic == NULL)
            return error_set(error, ERR_NOT_FOUND, "subscribe: no such topic: %s", *names);
        consumer->topics = heap_room(
            consumer->topics, consumer->topic_count, &capacity, sizeof(struct memory_topic *));
        consumer->topics[consumer->topic_count++] = topic;
    }
    return ERR_OK;
}

/* Without a group every partition is ours from the start. */
static void consumer_give_all(struct memory_consumer *consumer)
{
    for (size_t i = 0; i < consumer->topic_count; i++) {
        for (int32_t p = 0; p < consumer->topics[i]->settings.partitions; p++)
            consumer_give(consumer, consumer->topics[i], p);
    }
    consumer->state = MEMBER_ASSIGNED;
}

enum err memory_subscribe(struct memory_broker *broker,
                          struct memory_faults faults,
                          const struct bus_subscription *subscription,
                          struct bus_consumer *ret,
                          struct error *error)
{
    struct memory_consumer *consumer = heap_take(sizeof *consumer);

    *consumer = (struct memory_consumer){ .broker = broker,
                                          .faults = faults,
                                          .start = subscription->start,
                                          .listener = subscription->listener };
    enum err err = topics_resolve(consumer, subscription->topics, error);

    if (err != ERR_OK) {
        consumer_free(consumer);
        return err;
    }
    if (subscription->group != NULL) {
        consumer->group = broker_group(broker, subscription->group);
        group_join(consumer->group, consumer);
    } else {
        consumer_give_all(consumer);
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
