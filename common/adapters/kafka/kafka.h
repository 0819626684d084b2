/* The bus on Apache Kafka. */
#ifndef COMMON_ADAPTERS_KAFKA_KAFKA_H
#define COMMON_ADAPTERS_KAFKA_KAFKA_H

#include "common/ports/bus.h"

/* One of librdkafka's, such as security.protocol. What the bus relies on cannot be changed. */
struct kafka_property {
    const char *name;
    const char *value; /* May be a secret: never shown. */
};

/* Everything is copied. */
struct kafka_options {
    const char *brokers;   /* "host:port,host:port" */
    const char *client_id; /* "slipway-executor-1" */
    int64_t fetch_wait_ms; /* How long an idle fetch waits at the broker; 0: 100. */
    int64_t session_ms;    /* A member silent for so long has left its group; 0: 6000. */
    uint32_t replication;  /* Of topics created; 0: the broker's default. */
    uint32_t min_insync;   /* Copies that have a record before it counts; 0: the broker's. */

    /* Put before all names of topics and groups; NULL: "". */
    const char *topic_prefix;
    const struct kafka_property *properties;
    size_t property_count;
};

/* Does not wait for a broker: whether one answers is seen by the first use. ERR_INVALID:
 * options or properties librdkafka does not accept.
 *
 * Of what is left unflushed, close() waits for at most a second. Close all consumers first. */
enum err kafka_bus_open(const struct kafka_options *options,
                        struct bus *ret,
                        struct error *error) MUST_CHECK;

#endif
