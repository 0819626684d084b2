/* The message bus, as a table of functions: common/adapters/kafka for the world,
 * common/adapters/memory for tests. Both pass tests/contract/bus.
 *
 * Publishing goes through one struct bus (any thread); each struct bus_consumer belongs to
 * one thread. Records of one partition are received in order. */
#ifndef COMMON_PORTS_BUS_H
#define COMMON_PORTS_BUS_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BUS_HEADERS_MAX = 24, BUS_PARTITION_BY_KEY = -1 };

/* UTF-8 text both; the bus carries them as they are. */
struct bus_header {
    const char *name;
    const char *value;
};

/* A record received (everything borrowed until the next receive on that consumer) or to be
 * published (everything copied before publish returns). bytes == NULL is a tombstone. */
struct bus_record {
    const char *topic;
    int32_t partition; /* To publish: BUS_PARTITION_BY_KEY for bus_partition(key). */
    int64_t offset;    /* Received only. */
    int64_t at_ms;     /* Received: the record's timestamp. */
    const char *key;   /* "" if it had none. */
    const uint8_t *bytes;
    size_t length;
    struct bus_header headers[BUS_HEADERS_MAX];
    size_t header_count;
};

/* The value of that header, or NULL. */
const char *bus_header(const struct bus_record *record, const char *name);

/* The partition of a key: murmur2 as Kafka's own clients compute it. count > 0. */
int32_t bus_partition(const char *key, int32_t count);

/* An offset committed but no longer kept (or beyond the end) counts as none: everything again
 * rather than anything lost. */
enum bus_start {
    BUS_FROM_COMMITTED, /* Of the group; from the beginning if it has none. */
    BUS_FROM_BEGINNING,
    BUS_FROM_END, /* As it is when the partition is given. */
};

/* A partition comes to or leaves this consumer. Called from inside receive and close, on the
 * thread that called those. In `assigned`, *offset may be set to start elsewhere. `revoked`
 * with lost=true: the group has already given it to somebody else, commit nothing. */
struct bus_listener {
    void *self;
    void (*assigned)(void *self, const char *topic, int32_t partition, int64_t *offset);
    void (*revoked)(void *self, const char *topic, int32_t partition, bool lost);
};

enum { BUS_OFFSET_DEFAULT = -1 }; /* In assigned(): where `start` says. */

struct bus_subscription {
    const char *group;         /* NULL: all partitions of the topics, no group, no commits. */
    const char *const *topics; /* NULL-terminated. */
    enum bus_start start;
    struct bus_listener listener; /* Members may be NULL. */
};

struct bus_topic {
    const char *name;
    int32_t partitions;
    int64_t retention_ms; /* -1: unlimited. */
    bool compacted;
    bool log_append_time;
};

struct bus_consumer {
    void *self;

    /* Wait at most wait_ms for the next record. ERR_STALE when nothing came. May call the
     * listener. ERR_UNAVAILABLE: the bus is unwell, call again later. ERR_INTERNAL: the offset
     * to go on from is not in the log (cut at its end, or chosen wrongly by the listener). */
    enum err (*receive)(void *self, int wait_ms, struct bus_record *ret, struct error *error);

    /* The group's next offset of that partition becomes `next_offset`. Returns when the bus has
     * it. ERR_CONFLICT: the partition is no longer ours. */
    enum err (*commit)(void *self,
                       const char *topic,
                       int32_t partition,
                       int64_t next_offset,
                       struct error *error);

    /* The group's committed offset of that partition; -1 if it has none. */
    enum err (*committed)(void *self,
                          const char *topic,
                          int32_t partition,
                          int64_t *ret_offset,
                          struct error *error);

    /* First offset kept, and the offset the next record will get. */
    enum err (*watermarks)(void *self,
                           const char *topic,
                           int32_t partition,
                           int64_t *ret_low,
                           int64_t *ret_high,
                           struct error *error);

    /* How many partitions the group has given this consumer: none while there are more members
     * than partitions. ERR_UNAVAILABLE: it is no member, not yet or not again, and what the bus
     * said last. Without a group all of them, always. */
    enum err (*share)(void *self, size_t *ret_count, struct error *error);

    /* How often it has connected so far, to whichever server. What is received after this has
     * changed may come from a log that has lost its newest records and got others instead. */
    unsigned (*connections)(void *self);

    /* Continue that partition at that offset. */
    enum err (*seek)(
        void *self, const char *topic, int32_t partition, int64_t offset, struct error *error);

    /* Leaves the group at once; the consumer is gone. Accepts a consumer with self NULL. */
    void (*close)(void *self);
};

struct bus {
    void *self;

    /* Hand a record over for publishing, in order per partition. ERR_TOO_LARGE, ERR_INVALID
     * (no such topic), ERR_UNAVAILABLE (local queue full). Thread-safe. */
    enum err (*publish)(void *self, const struct bus_record *record, struct error *error);

    /* Wait until everything handed over so far by this thread is durably taken. ERR_TIMED_OUT:
     * unknown, publish again (ids make that harmless); ERR_UNAVAILABLE: some were refused. */
    enum err (*flush)(void *self, int timeout_ms, struct error *error);

    /* ERR_NOT_FOUND: no such topic; ERR_UNAVAILABLE: could not be asked. */
    enum err (*subscribe)(void *self,
                          const struct bus_subscription *subscription,
                          struct bus_consumer *ret,
                          struct error *error);

    /* How many partitions the topic has. ERR_NOT_FOUND. */
    enum err (*partitions)(void *self, const char *topic, int32_t *ret, struct error *error);

    /* Create the topics that are missing, and compare the settings of the others. A difference
     * is ERR_INVALID with a sentence that names topic, setting, found, wanted and the fix. */
    enum err (*ensure_topics)(void *self,
                              const struct bus_topic *topics,
                              size_t count,
                              struct error *error);

    /* An id that differs between clusters; "" if unknown. */
    const char *(*cluster_id)(void *self);

    void (*close)(void *self);
};

#endif
