/* The inside of the Kafka bus, for the files beside this one. */
#ifndef COMMON_ADAPTERS_KAFKA_CLIENT_H
#define COMMON_ADAPTERS_KAFKA_CLIENT_H

#include "common/adapters/kafka/kafka.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    KAFKA_QUERY_MS = 5000, /* For an answer about offsets or metadata. */
    KAFKA_NAME_SIZE = 256, /* Kafka allows 249 characters. */
    KAFKA_TROUBLE_SIZE = 256,
};

/* A topic as a producer knows it. */
struct kafka_topic {
    char *name; /* With the prefix. */
    rd_kafka_topic_t *handle;
    int32_t partitions;
    struct kafka_topic *next;
};

/* One producer of librdkafka. A fatal error ends it, and the next generation takes over; who
 * still uses the old one keeps it until he is done. */
struct kafka_generation {
    rd_kafka_t *producer;
    struct kafka_topic *topics;
    unsigned users; /* One of them is the bus, while it is current. */
};

/* What one thread has handed over and not yet flushed. Lives as long as the bus. */
struct kafka_account {
    pthread_t owner;
    size_t pending;
    size_t refused;
    size_t unknown;
    char why[KAFKA_TROUBLE_SIZE]; /* The latest refusal. */
    struct kafka_account *next;
};

struct kafka_bus {
    struct kafka_options options; /* Everything owned. */
    pthread_mutex_t lock;         /* Of all below. */
    pthread_cond_t served;        /* Somebody has polled the producer. */
    bool polling;                 /* One thread polls for all that flush. */
    struct kafka_generation *current;
    struct kafka_account *accounts;
    char trouble[KAFKA_TROUBLE_SIZE]; /* The last word of librdkafka about the brokers. */
    char cluster[KAFKA_NAME_SIZE];    /* "" until it is known. */
};

struct kafka_position {
    char *topic; /* With the prefix; owned. */
    int32_t partition;
    bool by_rule;  /* Started by the subscription's rule and not yet received from. */
    int64_t start; /* As librdkafka was told; may be one of its RD_KAFKA_OFFSET_. */
};

struct kafka_consumer {
    const struct kafka_bus *bus;
    rd_kafka_t *handle;
    bool grouped;
    bool given; /* The partitions were assigned, of a group those that are ours. */
    enum bus_start start;
    struct bus_listener listener;
    rd_kafka_message_t *message; /* The one handed out last. */
    char *key;                   /* Its key, with a NUL. */
    struct kafka_position *positions;
    size_t position_count;
    size_t position_capacity;
    rd_kafka_topic_partition_list_t *initial; /* Without a group: all partitions. */
    atomic_uint
        connections; /* Counted by threads of librdkafka, before anything comes by one. */
    bool unwell;
    char trouble[KAFKA_TROUBLE_SIZE]; /* The last; "": none since the partitions were given. */
    struct error broken;              /* Not empty: there is no going on. */
};

/* config.c: opaque goes to the callbacks. */
enum err kafka_producer_config(struct kafka_bus *bus,
                               rd_kafka_conf_t **ret,
                               struct error *error);
enum err kafka_consumer_config(const struct kafka_bus *bus,
                               const char *group,
                               rd_kafka_conf_t **ret,
                               struct error *error);

/* After how long a silent member is replaced. */
int64_t kafka_session_ms(const struct kafka_bus *bus);

/* outcome.c */
enum err kafka_outcome(rd_kafka_resp_err_t code);
enum err kafka_error(struct error *error, rd_kafka_resp_err_t code, const char *what);

/* bus.c: the name with the prefix. ERR_INVALID if it is too long. */
enum err kafka_full_name(const struct kafka_bus *bus,
                         const char *name,
                         char ret[KAFKA_NAME_SIZE],
                         struct error *error);

/* Asks the broker. topic with the prefix. */
enum err kafka_ask_partitions(rd_kafka_t *client,
                              rd_kafka_topic_t *topic,
                              int32_t *ret,
                              struct error *error);
enum err kafka_partitions(struct kafka_bus *bus,
                          const char *name,
                          int32_t *ret,
                          struct error *error);

/* producer.c */
enum err kafka_generation_new(struct kafka_bus *bus,
                              struct kafka_generation **ret,
                              struct error *error);

/* Use the current producer between these two. */
struct kafka_generation *kafka_enter(struct kafka_bus *bus);
void kafka_leave(struct kafka_bus *bus, struct kafka_generation *generation);

enum err kafka_publish(void *self, const struct bus_record *record, struct error *error);
enum err kafka_flush(void *self, int timeout_ms, struct error *error);
void kafka_delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque);

/* consumer.c */
enum err kafka_subscribe(void *self,
                         const struct bus_subscription *subscription,
                         struct bus_consumer *ret,
                         struct error *error);
struct kafka_position *kafka_position(struct kafka_consumer *consumer,
                                      const char *topic,
                                      int32_t partition);

/* rebalance.c: tell the listener of these partitions and set where they start; and that they
 * are gone. */
void kafka_assigned(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list);
void kafka_revoked(struct kafka_consumer *consumer, bool lost);

/* Begin again with everything assigned, where it stands; `position` at its beginning. */
enum err kafka_restart(struct kafka_consumer *consumer,
                       struct kafka_position *position,
                       struct error *error);
void kafka_rebalance(rd_kafka_t *handle,
                     rd_kafka_resp_err_t code,
                     rd_kafka_topic_partition_list_t *list,
                     void *opaque);

/* topics.c */
enum err kafka_ensure_topics(void *self,
                             const struct bus_topic *topics,
                             size_t count,
                             struct error *error);

#endif
