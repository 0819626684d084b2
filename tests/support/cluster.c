#include "tests/support/cluster.h"

#include "common/adapters/memory/heap.h"
#include "common/wire/topics.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_MAX = 256 * 1024 * 1024 };

/* A consumer that can lose its process. */
struct cluster_consumer {
    struct bus_consumer inner;
    bool dead;
};

static enum err consumer_receive(void *self,
                                 int wait_ms,
                                 struct bus_record *ret,
                                 struct error *error)
{
    struct cluster_consumer *const consumer = self;

    return consumer->inner.receive(consumer->inner.self, wait_ms, ret, error);
}

static enum err consumer_commit(
    void *self, const char *topic, int32_t partition, int64_t next_offset, struct error *error)
{
    struct cluster_consumer *const consumer = self;

    return consumer->inner.commit(consumer->inner.self, topic, partition, next_offset, error);
}

static enum err consumer_committed(
    void *self, const char *topic, int32_t partition, int64_t *ret, struct error *error)
{
    struct cluster_consumer *const consumer = self;

    return consumer->inner.committed(consumer->inner.self, topic, partition, ret, error);
}

static enum err consumer_watermarks(void *self,
                                    const char *topic,
                                    int32_t partition,
                                    int64_t *ret_low,
                                    int64_t *ret_high,
                                    struct error *error)
{
    struct cluster_consumer *const consumer = self;

    return consumer->inner.watermarks(
        consumer->inner.self, topic, partition, ret_low, ret_high, error);
}

static enum err consumer_share(void *self, size_t *ret_count, struct error *error)
{
    struct cluster_consumer *const consumer = self;

    return consumer->inner.share(consumer->inner.self, ret_count, error);
}

static enum err consumer_seek(
    void *self, const char *topic, int32_t partition, int64_t offset, struct error *error)
{
    struct cluster_consumer *const consumer = self;

    return consumer->inner.seek(consumer->inner.self, topic, partition, offset, error);
}

static void consumer_close(void *self)
{
    struct cluster_consumer *const consumer = self;

    if (consumer != NULL && !consumer->dead)
        consumer->inner.close(consumer->inner.self);
    if (consumer != NULL)
        consumer->dead = true;
}

static unsigned consumer_connections(void *self)
{
    const struct cluster_consumer *const consumer = self;

    return consumer->inner.connections(consumer->inner.self);
}

static enum err instance_subscribe(void *self,
                                   const struct bus_subscription *subscription,
                                   struct bus_consumer *ret,
                                   struct error *error)
{
    struct cluster_instance *const instance = self;
    struct cluster_consumer *consumer;
    enum err err;

    assert_true(instance->consumer_count < CLUSTER_CONSUMERS_MAX);
    consumer = heap_take(sizeof *consumer);
    err = instance->bus.subscribe(instance->bus.self, subscription, &consumer->inner, error);
    if (err != ERR_OK) {
        free(consumer);
        return err;
    }
    instance->consumers[instance->consumer_count++] = consumer;
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

static enum err instance_publish(void *self,
                                 const struct bus_record *record,
                                 struct error *error)
{
    struct cluster_instance *const instance = self;

    return instance->bus.publish(instance->bus.self, record, error);
}

static enum err instance_flush(void *self, int timeout_ms, struct error *error)
{
    struct cluster_instance *const instance = self;

    return instance->bus.flush(instance->bus.self, timeout_ms, error);
}

static enum err instance_partitions(void *self,
                                    const char *topic,
                                    int32_t *ret,
                                    struct error *error)
{
    struct cluster_instance *const instance = self;

    return instance->bus.partitions(instance->bus.self, topic, ret, error);
}

static enum err instance_ensure(void *self,
                                const struct bus_topic *topics,
                                size_t count,
                                struct error *error)
{
    struct cluster_instance *const instance = self;

    return instance->bus.ensure_topics(instance->bus.self, topics, count, error);
}

static const char *instance_cluster_id(void *self)
{
    struct cluster_instance *const instance = self;

    return instance->bus.cluster_id(instance->bus.self);
}

static void instance_close(void *self)
{
    (void)self;
}

static enum err open_store(void *self, struct store *ret, struct error *error)
{
    struct cluster_instance *const instance = self;

    (void)error;
    *ret = memory_store(instance->cluster->space, instance->cluster->faults);
    return ERR_OK;
}

static enum err open_aside(void *self, struct store *ret, struct error *error)
{
    struct cluster_instance *const instance = self;

    (void)error;
    *ret = memory_store_alone(memory_clock_port(&instance->cluster->clock));
    return ERR_OK;
}

static enum err open_http(void *self, struct http_client *ret, struct error *error)
{
    (void)self;
    (void)ret;
    return error_set(error, ERR_UNAVAILABLE, "this cluster has no network");
}

static void make_keys(struct envelope_keys *keys)
{
    static const char *const writers[] = { "coordinator",  "gateway",  "monitor",
                                           "prechecks",    "executor", "validator",
                                           "flag-rollout", "notifier" };

    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        (void)snprintf(keys->item[i].writer, sizeof keys->item[i].writer, "%s", writers[i]);
        memset(keys->item[i].key, (int)i + 1, 32);
        keys->item[i].length = 32;
        keys->count++;
    }
}

void cluster_open(struct cluster *cluster, const struct settings *settings)
{
    struct bus_topic topics[TOPICS_MAX];
    struct error error = { 0 };
    struct clock_port clock;

    memset(cluster, 0, sizeof *cluster);
    cluster->settings = settings;
    cluster->arena = arena_with_limit(ARENA_MAX);
    clock = memory_clock_port(&cluster->clock);
    cluster->clock.now_ms = 1795442400000; /* 2026-11-23 12:00, a Monday. */
    cluster->clock.monotonic_ms = 1000;
    cluster->broker = memory_broker_new(clock);
    cluster->space = memory_space_new(clock);
    cluster->log = memory_log_new();
    cluster->metrics = memory_metrics_new();
    make_keys(&cluster->keys);
    cluster->bus = memory_bus(cluster->broker, (struct memory_faults){ 0 });
    cluster->store = memory_store(cluster->space, (struct memory_faults){ 0 });
    assert_int_equal(
        cluster->bus.ensure_topics(cluster->bus.self,
                                   topics,
                                   topics_all((int32_t)settings->kafka.partitions, topics),
                                   &error),
        ERR_OK);
}

void cluster_close(struct cluster *cluster)
{
    for (size_t i = 0; i < CLUSTER_INSTANCES_MAX; i++)
        cluster_kill(&cluster->instances[i]);
    cluster->bus.close(cluster->bus.self);
    cluster->store.close(cluster->store.self);
    memory_broker_free(cluster->broker);
    memory_space_free(cluster->space);
    memory_log_free(cluster->log);
    memory_metrics_free(cluster->metrics);
    arena_release(&cluster->arena);
}

static struct cluster_instance *free_place(struct cluster *cluster)
{
    for (size_t i = 0; i < CLUSTER_INSTANCES_MAX; i++) {
        if (cluster->instances[i].state == NULL)
            return &cluster->instances[i];
    }
    fail_msg("too many instances");
    return NULL;
}

static struct service_ports ports_of(struct cluster_instance *instance)
{
    const struct cluster *const cluster = instance->cluster;

    return (struct service_ports){
        .settings = cluster->settings,
        .service = instance->spec->name,
        .instance = instance->name,
        .clock = memory_clock_port(&instance->cluster->clock),
        .bus = { .self = instance,
                 .publish = instance_publish,
                 .flush = instance_flush,
                 .subscribe = instance_subscribe,
                 .partitions = instance_partitions,
                 .ensure_topics = instance_ensure,
                 .cluster_id = instance_cluster_id,
                 .close = instance_close },
        .log = memory_log_port(cluster->log),
        .metrics = memory_metrics_port(cluster->metrics),
        .keys = &cluster->keys,
        .producers = cluster->producers,
        .open_store = open_store,
        .open_aside = open_aside,
        .open_http = open_http,
        .open_self = instance,
    };
}

struct cluster_instance *cluster_start(struct cluster *cluster,
                                       const struct service_spec *spec,
                                       const char *name)
{
    struct cluster_instance *const instance = free_place(cluster);
    struct error error = { 0 };

    *instance = (struct cluster_instance){ .cluster = cluster, .spec = spec };
    (void)snprintf(instance->name, sizeof instance->name, "%s", name);
    instance->bus = memory_bus(cluster->broker, cluster->faults);
    instance->ports = ports_of(instance);
    if (spec->open(&instance->ports, &instance->state, &error) != ERR_OK)
        fail_msg("%s: %s", name, error.text);
    return instance;
}

static void release(struct cluster_instance *instance)
{
    instance->spec->close(instance->state);
    for (size_t i = 0; i < instance->consumer_count; i++)
        free(instance->consumers[i]);
    instance->bus.close(instance->bus.self);
    instance->state = NULL;
    instance->consumer_count = 0;
}

void cluster_stop(struct cluster_instance *instance)
{
    if (instance->state == NULL)
        return;
    if (instance->spec->drain != NULL)
        instance->spec->drain(instance->state);
    release(instance);
}

void cluster_kill(struct cluster_instance *instance)
{
    if (instance->state == NULL)
        return;
    for (size_t i = 0; i < instance->consumer_count; i++) {
        struct cluster_consumer *const consumer = instance->consumers[i];

        if (!consumer->dead)
            memory_consumer_crash(&consumer->inner);
        consumer->dead = true;
    }
    release(instance);
}

void cluster_die(void *self)
{
    struct cluster_instance *const instance = self;

    longjmp(instance->death, 1);
}

bool cluster_turn(struct cluster_instance *instance)
{
    struct error error = { 0 };

    if (instance->state == NULL)
        return true;
    if (setjmp(instance->death) != 0) {
        cluster_kill(instance);
        return false;
    }
    if (instance->spec->turn(instance->state, &error) != ERR_OK)
        instance->error = error;
    return true;
}

void cluster_evict(struct cluster_instance *instance)
{
    for (size_t i = 0; i < instance->consumer_count; i++) {
        if (!instance->consumers[i]->dead)
            memory_consumer_evict(&instance->consumers[i]->inner);
    }
}

static uint64_t records_of(struct cluster *cluster, const struct bus_topic *topic)
{
    uint64_t count = 0;

    for (int32_t p = 0; p < topic->partitions; p++) {
        for (int64_t o = 0; memory_broker_record(cluster->broker, topic->name, p, o) != NULL;
             o++)
            count++;
    }
    return count;
}

uint64_t cluster_activity(struct cluster *cluster)
{
    struct bus_topic topics[TOPICS_MAX];
    const size_t count = topics_all((int32_t)cluster->settings->kafka.partitions, topics);
    uint64_t activity = memory_space_commits(cluster->space);

    for (size_t i = 0; i < count; i++)
        activity += records_of(cluster, &topics[i]);
    return activity;
}

bool cluster_settle(struct cluster *cluster)
{
    enum { QUIET_ROUNDS = 8 }; /* A rebalance and a take-over are a few turns of no records. */
    unsigned quiet = 0;

    for (unsigned round = 0; round < CLUSTER_SETTLE_MAX && quiet < QUIET_ROUNDS; round++) {
        const uint64_t before = cluster_activity(cluster);

        if (cluster->beside != NULL)
            cluster->beside(cluster->beside_self);
        for (size_t i = 0; i < CLUSTER_INSTANCES_MAX; i++) {
            if (!cluster_turn(&cluster->instances[i]))
                return false;
        }
        quiet = cluster_activity(cluster) == before ? quiet + 1 : 0;
    }
    assert_int_equal(quiet, QUIET_ROUNDS);
    return true;
}

void cluster_publish(struct cluster *cluster, const struct cluster_record *record)
{
    const struct envelope envelope = {
        .id = record->id,
        .source = "/test",
        .writer = record->writer,
        .traceparent = record->traceparent,
        .time_ms = cluster->clock.now_ms,
    };
    const struct envelope_out out = { .topic = record->topic,
                                      .key = record->key,
                                      .message = record->message,
                                      .sign = record->writer != NULL };
    struct bus_record sealed = { 0 };
    struct error error = { 0 };

    if (envelope_seal(&cluster->arena, &cluster->keys, &envelope, &out, &sealed, &error) !=
        ERR_OK)
        fail_msg("%s", error.text);
    if (cluster->bus.publish(cluster->bus.self, &sealed, &error) != ERR_OK)
        fail_msg("%s", error.text);
}
