#include "common/adapters/memory/broker.h"

#include "common/adapters/memory/heap.h"

#include <stdlib.h>
#include <string.h>

int64_t *group_committed(struct memory_group *group,
                         const struct memory_topic *topic,
                         int32_t partition,
                         bool create)
{
    for (size_t i = 0; i < group->committed_count; i++) {
        struct memory_offset *at = &group->committed[i];

        if (at->topic == topic && at->partition == partition)
            return &at->offset;
    }
    if (!create)
        return NULL;
    group->committed = heap_room(group->committed,
                                 group->committed_count,
                                 &group->committed_capacity,
                                 sizeof *group->committed);
    struct memory_offset *at = &group->committed[group->committed_count++];

    *at = (struct memory_offset){ topic, partition, -1 };
    return &at->offset;
}

void group_join(struct memory_group *group, struct memory_consumer *member)
{
    group->members = heap_room(
        group->members, group->member_count, &group->member_capacity, sizeof *group->members);
    group->members[group->member_count++] = member;
    group->rebalancing = true;
    member->state = MEMBER_WAITING;
}

void group_leave(struct memory_group *group, struct memory_consumer *member)
{
    size_t kept = 0;

    for (size_t i = 0; i < group->member_count; i++) {
        if (group->members[i] != member)
            group->members[kept++] = group->members[i];
    }
    group->member_count = kept;
    group->rebalancing = true;
}

static bool member_wants(const struct memory_consumer *member, const struct memory_topic *topic)
{
    for (size_t i = 0; i < member->topic_count; i++) {
        if (member->topics[i] == topic)
            return true;
    }
    return false;
}

/* Kafka's range assignor: of each topic every member that wants it gets one stretch of
 * partitions, the first ones one more where it does not divide. */
static void group_deal(struct memory_group *group, const struct memory_topic *topic)
{
    int32_t takers = 0, taker = 0, next = 0;

    for (size_t i = 0; i < group->member_count; i++)
        takers += member_wants(group->members[i], topic);
    if (takers == 0)
        return;
    for (size_t i = 0; i < group->member_count; i++) {
        struct memory_consumer *member = group->members[i];

        if (!member_wants(member, topic))
            continue;
        int32_t share = topic->settings.partitions / takers;

        share += taker < topic->settings.partitions % takers;
        for (int32_t p = 0; p < share; p++)
            consumer_give(member, topic, next++);
        taker++;
    }
}

static bool group_all_waiting(const struct memory_group *group)
{
    for (size_t i = 0; i < group->member_count; i++) {
        if (group->members[i]->state != MEMBER_WAITING)
            return false;
    }
    return true;
}

/* An assignment nobody was told about yet is taken back silently. */
static void member_give_back(struct memory_consumer *member)
{
    if (member->state == MEMBER_STABLE)
        consumer_revoke(member, false);
    member->position_count = 0;
    member->state = MEMBER_WAITING;
}

void group_turn(struct memory_consumer *member)
{
    struct memory_group *group = member->group;

    if (member->state == MEMBER_EVICTED) {
        consumer_revoke(member, true);
        group_join(group, member);
    }
    if (group != NULL && group->rebalancing) {
        member_give_back(member);
        if (!group_all_waiting(group))
            return;
        for (size_t i = 0; i < member->broker->topic_count; i++)
            group_deal(group, member->broker->topics[i]);
        for (size_t i = 0; i < group->member_count; i++)
            group->members[i]->state = MEMBER_ASSIGNED;
        group->rebalancing = false;
    }
    if (member->state == MEMBER_ASSIGNED)
        consumer_start(member);
}
