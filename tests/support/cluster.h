/* A whole cluster in one process on virtual time: services run on ports in memory, are killed
 * at any place, and come back. Nothing sleeps and nothing is random but the owners' nonces. */
#ifndef TESTS_SUPPORT_CLUSTER_H
#define TESTS_SUPPORT_CLUSTER_H

#include "common/adapters/memory/bus.h"
#include "common/adapters/memory/clock.h"
#include "common/adapters/memory/log.h"
#include "common/adapters/memory/metrics.h"
#include "common/adapters/memory/store.h"
#include "common/runtime/service.h"

#include <setjmp.h>

enum { CLUSTER_INSTANCES_MAX = 4, CLUSTER_CONSUMERS_MAX = 8, CLUSTER_SETTLE_MAX = 10000 };

struct cluster;
struct cluster_consumer;

/* One running copy of a service. */
struct cluster_instance {
    struct cluster *cluster;
    const struct service_spec *spec;
    struct service_ports ports;
    char name[32];
    void *state; /* The service's own; NULL: not running. */
    struct bus bus;
    struct cluster_consumer *consumers[CLUSTER_CONSUMERS_MAX];
    size_t consumer_count;
    jmp_buf death;
    struct error error; /* Of the last turn that failed. */
};

struct cluster {
    struct memory_clock clock;
    struct memory_broker *broker;
    struct memory_space *space;
    struct memory_log *log;
    struct memory_metrics *metrics;
    struct envelope_keys keys;             /* Of every writer. */
    const struct envelope_keys *producers; /* As in service_ports; set before cluster_start. */
    const struct settings *settings;
    struct bus bus;              /* The test's own. */
    struct store store;          /* The test's own. */
    struct arena arena;          /* Lives as long as the cluster. */
    struct memory_faults faults; /* Of every instance started from now on. */
    struct cluster_instance instances[CLUSTER_INSTANCES_MAX];

    /* Called before each round of cluster_settle: those who are not services. May be NULL. */
    void (*beside)(void *self);
    void *beside_self;
};

/* All topics exist, with settings->kafka.partitions partitions. settings is borrowed. */
void cluster_open(struct cluster *cluster, const struct settings *settings);

/* Kills what still runs. */
void cluster_close(struct cluster *cluster);

/* Fails the test when the service does not open. */
struct cluster_instance *cluster_start(struct cluster *cluster,
                                       const struct service_spec *spec,
                                       const char *name);

/* A clean stop. */
void cluster_stop(struct cluster_instance *instance);

/* It dies here and now: nobody is told, nothing is finished. */
void cluster_kill(struct cluster_instance *instance);

/* For crash_plan.die, self being the instance: out of the turn, and dead. */
void cluster_die(void *self);

/* One turn. False when it died in it. An error of the turn is in instance->error. */
bool cluster_turn(struct cluster_instance *instance);

/* Turns of all running instances, one after the other, until a whole round has changed neither
 * log nor store. False when one died. */
bool cluster_settle(struct cluster *cluster);

/* The group has given up on this instance, which does not know. */
void cluster_evict(struct cluster_instance *instance);

/* How many records all topics and commits the store have had: equal twice means that nothing
 * happened. */
uint64_t cluster_activity(struct cluster *cluster);

/* Publish as that writer; fails the test when it cannot. id is the ce_id. */
struct cluster_record {
    const char *topic;
    const char *key;
    const char *writer; /* NULL: unsigned. */
    const char *id;
    const ProtobufCMessage *message;
    const char *traceparent; /* May be NULL. */
};
void cluster_publish(struct cluster *cluster, const struct cluster_record *record);

#endif
