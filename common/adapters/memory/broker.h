/* The inside of the memory broker, for the files beside this one. */
#ifndef COMMON_ADAPTERS_MEMORY_BROKER_H
#define COMMON_ADAPTERS_MEMORY_BROKER_H

#include "common/adapters/memory/bus.h"

struct memory_record {
    struct bus_record record; /* All pointers owned. */
    int64_t sequence;         /* Order of publishing over all partitions. */
};

struct memory_partition {
    struct memory_record *records; /* The first one has offset `low`. */
    size_t count;
    size_t capacity;
    int64_t low;
};

struct memory_topic {
    struct bus_topic settings; /* name owned */
    struct memory_partition *partitions;
};

struct memory_offset {
    const struct memory_topic *topic;
    int32_t partition;
    int64_t offset;
};

struct memory_consumer;

/* topics are pointers to single blocks, so that consumers may keep them. */
struct memory_group {
    char *name;
    struct memory_offset *committed;
    size_t committed_count;
    size_t committed_capacity;
    struct memory_consumer **members; /* In the order of joining. */
    size_t member_count;
    size_t member_capacity;
    bool rebalancing;
};

struct memory_broker {
    struct clock_port clock;
    struct memory_topic **topics;
    size_t topic_count;
    size_t topic_capacity;
    struct memory_group **groups;
    size_t group_count;
    size_t group_capacity;
    int64_t sequence;
    unsigned cuts; /* Whoever cuts a log has to be stopped for it. */
};

enum member_state {
    MEMBER_WAITING,  /* Has nothing, ready for the next assignment. */
    MEMBER_ASSIGNED, /* `positions` were dealt, the listener does not know yet. */
    MEMBER_STABLE,   /* Receives. */
    MEMBER_EVICTED,  /* Believes to be stable. */
};

struct memory_consumer {
    struct memory_broker *broker;
    struct memory_faults faults;
    struct memory_group *group; /* NULL: none */
    struct memory_topic **topics;
    size_t topic_count;
    enum bus_start start;
    struct bus_listener listener;
    enum member_state state;
    struct memory_offset cut; /* Where it was when that was lost; topic NULL: nowhere. */
    struct memory_offset *positions;
    size_t position_count;
    size_t position_capacity;
};

struct memory_topic *broker_topic(struct memory_broker *broker, const char *name);
struct memory_topic *broker_topic_add(struct memory_broker *broker,
                                      const struct bus_topic *settings);
struct memory_group *broker_group(struct memory_broker *broker, const char *name);

/* NULL if there is no such topic or partition. */
struct memory_partition *broker_partition(struct memory_broker *broker,
                                          const char *name,
                                          int32_t partition);
int64_t partition_high(const struct memory_partition *partition);

/* Copies the record to the end of that partition. */
void broker_append(struct memory_broker *broker,
                   struct memory_topic *topic,
                   int32_t number,
                   const struct bus_record *record);

/* The place of the committed offset, created if asked for; NULL if there is none. */
int64_t *group_committed(struct memory_group *group,
                         const struct memory_topic *topic,
                         int32_t partition,
                         bool create);
void group_join(struct memory_group *group, struct memory_consumer *member);
void group_leave(struct memory_group *group, struct memory_consumer *member);

/* What a member does at the start of a receive: give back, wait, take what was dealt. */
void group_turn(struct memory_consumer *member);

/* Add a position; the start rules are applied by consumer_start. */
void consumer_give(struct memory_consumer *consumer,
                   const struct memory_topic *topic,
                   int32_t partition);
void consumer_start(struct memory_consumer *consumer);
/* The partition ends at next now: who was beyond it is told so from now on. */
void consumer_cut(struct memory_consumer *consumer,
                  const struct memory_partition *partition,
                  int64_t next);
void consumer_revoke(struct memory_consumer *consumer, bool lost);

enum err memory_subscribe(struct memory_broker *broker,
                          struct memory_faults faults,
                          const struct bus_subscription *subscription,
                          struct bus_consumer *ret,
                          struct error *error);

#endif
