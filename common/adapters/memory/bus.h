/* A broker in memory, and the bus as its clients see it.
 *
 * Records are in the log from the moment they are published; a receive that finds nothing
 * returns at once. Over all its partitions a consumer receives in the order of publishing.
 * Groups rebalance as Kafka's do with the range assignor: when somebody joins or leaves, every
 * member gives everything back in its next receive, and once all have, every member is assigned
 * its share in its next receive. A member that does not call receive holds up the others until
 * it is evicted. */
#ifndef COMMON_ADAPTERS_MEMORY_BUS_H
#define COMMON_ADAPTERS_MEMORY_BUS_H

#include "common/adapters/memory/faults.h"
#include "common/ports/bus.h"
#include "common/ports/clock.h"

enum { MEMORY_RECORD_MAX = 1000 * 1000 };

struct memory_broker;

/* Timestamps come from the clock. Free it after all its clients and consumers. */
struct memory_broker *memory_broker_new(struct clock_port clock);
void memory_broker_free(struct memory_broker *broker);

/* A client of the broker. The broker is borrowed. */
struct bus memory_bus(struct memory_broker *broker, struct memory_faults faults);

/* The record at that offset, borrowed until the broker changes; NULL if there is none. */
const struct bus_record *memory_broker_record(struct memory_broker *broker,
                                              const char *topic,
                                              int32_t number,
                                              int64_t offset);

/* The offset that the next record there gets; 0 if there is no such partition. */
int64_t memory_broker_high(struct memory_broker *broker, const char *topic, int32_t number);

/* Keep only the offsets [first, next): retention at the low end, a loss at the high end. The
 * topic must exist. */
void memory_broker_cut(struct memory_broker *broker,
                       const char *topic,
                       int32_t number,
                       int64_t first,
                       int64_t next);

/* The process died: the consumer is gone without a word to its listener, and its group goes on
 * without it. Accepts a consumer with self NULL. */
void memory_consumer_crash(struct bus_consumer *consumer);

/* The group has given up on this member (a long pause, a broken network) and gives its
 * partitions to the others. It learns of it in its next receive, where it joins again. */
void memory_consumer_evict(const struct bus_consumer *consumer);

/* The same for all members whose faults have that self: all consumers of one process. */
void memory_broker_evict(struct memory_broker *broker, const void *faults_self);

/* How many records of all topics were published before that one; -1 if there is none. */
int64_t memory_broker_order(struct memory_broker *broker,
                            const char *topic,
                            int32_t number,
                            int64_t offset);

/* How many records were published: equal twice means that nothing was said. */
int64_t memory_broker_published(const struct memory_broker *broker);

#endif
