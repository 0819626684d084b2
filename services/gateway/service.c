#include "services/gateway/service.h"

#include "common/wire/topics.h"
#include "services/gateway/feed.h"
#include "services/gateway/server.h"
#include "services/gateway/stream.h"

#include <stdlib.h>
#include <string.h>

enum { CALL_MEMORY = 64 << 20, BATCH = 500, BRISK_MS = 2, CALM_MS = 20 };

static const char *const control_topics[] = { TOPIC_CONTROL, NULL };
static const char *const feed_topics[] = { TOPIC_SIGNALS, TOPIC_DEAD_LETTER, NULL };
static const char *const control_writers[] = { "coordinator", "gateway", "monitor", NULL };

/* --- opening --- */

static enum err open_projection(const struct service_ports *ports,
                                struct projection *ret,
                                struct error *error)
{
    ret->prefix = ports->settings->redis.prefix;
    if (ports->bus.partitions(ports->bus.self, TOPIC_EVENTS, &ret->partitions, error) != ERR_OK)
        return error_wrap(error, ERR_UNAVAILABLE, "count partitions of %s", TOPIC_EVENTS);
    return ports->open_store(ports->open_self, &ret->store, error);
}

static enum err open_consumers(struct gateway *gateway, struct error *error)
{
    const struct bus *const bus = &gateway->ports->bus;
    const struct bus_subscription control = { .topics = control_topics,
                                              .start = BUS_FROM_BEGINNING };
    const struct bus_subscription feeds = { .topics = feed_topics,
                                            .start = BUS_FROM_BEGINNING };
    const enum err err = bus->subscribe(bus->self, &control, &gateway->control, error);

    return err != ERR_OK ? err : bus->subscribe(bus->self, &feeds, &gateway->feeds, error);
}

static enum err open_auth(struct gateway *gateway, struct error *error)
{
    struct arena arena = arena_with_limit(CALL_MEMORY);
    struct yaml_problems *const problems = arena_alloc(&arena, sizeof *problems);

    problems->arena = &arena;
    gateway->auth = auth_load(gateway->ports->settings->security.tokens, problems);
    if (gateway->auth == NULL)
        (void)error_set(error,
                        ERR_INVALID,
                        "%s:%d: %s",
                        problems->item[0].file,
                        problems->item[0].line,
                        problems->item[0].message);
    arena_release(&arena);
    return gateway->auth != NULL ? ERR_OK : ERR_INVALID;
}

static enum err gateway_open(const struct service_ports *ports,
                             void **ret_state,
                             struct error *error)
{
    struct gateway *const gateway = calloc(1, sizeof *gateway);
    enum err err;

    if (gateway == NULL)
        abort();
    gateway->ports = ports;
    gateway->flags = flag_table_new();
    gateway->feed = feed_new();
    gateway->waits = waits_new();
    gateway->streams = streams_new();
    gateway->loop_arena = arena_with_limit(CALL_MEMORY);
    gateway->own_arena = arena_with_limit(CALL_MEMORY);
    gateway->loop_text = text_new(GATEWAY_ANSWER_MAX);
    (void)pthread_mutex_init(&gateway->lock, NULL);
    *ret_state = gateway;
    err = open_auth(gateway, error);
    if (err == ERR_OK)
        err = open_projection(ports, &gateway->loop, error);
    if (err == ERR_OK)
        err = open_projection(ports, &gateway->own, error);
    if (err == ERR_OK)
        err = open_consumers(gateway, error);
    return err;
}

/* --- turning --- */

/* A control record that no writer of ours has signed is not believed; it was dead-lettered by
 * the coordinator, which reads the same topic. */
static void fold_control(struct gateway *gateway, const struct bus_record *record)
{
    struct error error = { 0 };
    void *control = NULL;
    bool changed;

    arena_reset(&gateway->own_arena);
    if (record->bytes != NULL &&
        (envelope_verify(gateway->ports->keys, record, control_writers, &error) != ERR_OK ||
         pb_unpack(&gateway->own_arena,
                   &pb__control__descriptor,
                   (struct pb_bytes){ record->bytes, record->length },
                   &control,
                   &error) != ERR_OK)) {
        gateway->ports->metrics.add(gateway->ports->metrics.self,
                                    "slipway_records_refused_total",
                                    "topic",
                                    "control",
                                    1);
        LOG(gateway->ports->log,
            LOG_WARNING,
            "control record refused",
            { "key", record->key },
            { "error", error.text });
        return;
    }
    (void)pthread_mutex_lock(&gateway->lock);
    changed = flag_table_apply(gateway->flags, record->key, control);
    (void)pthread_mutex_unlock(&gateway->lock);
    if (changed)
        streams_flags_changed(gateway);
}

static enum err receive_control(struct gateway *gateway, int wait_ms, struct error *error)
{
    struct bus_record record;
    enum err err = ERR_OK;

    for (int i = 0; i < BATCH; i++) {
        err = gateway->control.receive(
            gateway->control.self, i == 0 ? wait_ms : 0, &record, error);
        if (err != ERR_OK)
            break;
        fold_control(gateway, &record);
        gateway->control_next = record.offset + 1;
    }
    return err == ERR_STALE ? ERR_OK : err;
}

static enum err receive_feeds(struct gateway *gateway, struct error *error)
{
    struct bus_record record;
    enum err err = ERR_OK;

    for (int i = 0; i < BATCH; i++) {
        err = gateway->feeds.receive(gateway->feeds.self, 0, &record, error);
        if (err != ERR_OK)
            break;
        (void)pthread_mutex_lock(&gateway->lock);
        feed_add(gateway->feed, &record);
        (void)pthread_mutex_unlock(&gateway->lock);
    }
    return err == ERR_STALE ? ERR_OK : err;
}

/* Flags may only be answered once control.v1 has been read to its end: a latch must not be
 * missed because it stands late in the topic. */
static enum err check_complete(struct gateway *gateway, struct error *error)
{
    int64_t low = 0;
    int64_t high = 0;
    enum err err;

    if (gateway->control_complete)
        return ERR_OK;
    err = gateway->control.watermarks(
        gateway->control.self, TOPIC_CONTROL, 0, &low, &high, error);
    if (err == ERR_OK && (high == low || gateway->control_next >= high))
        gateway->control_complete = true;
    return err;
}

static enum err gateway_turn(void *state, struct error *error)
{
    struct gateway *const gateway = state;
    const size_t waiting = waits_serve(gateway);
    enum err err = receive_control(gateway, waiting > 0 ? BRISK_MS : CALM_MS, error);

    if (err == ERR_OK)
        err = receive_feeds(gateway, error);
    if (err == ERR_OK)
        err = check_complete(gateway, error);
    streams_serve(gateway);
    return err;
}

static bool gateway_ready(void *state, struct error *why)
{
    const struct gateway *const gateway = state;

    if (!gateway->control_complete)
        (void)error_set(why, ERR_UNAVAILABLE, "%s is still being read", TOPIC_CONTROL);
    return gateway->control_complete;
}

static void close_consumer(struct bus_consumer *consumer)
{
    if (consumer->close != NULL)
        consumer->close(consumer->self);
}

static void close_projection(struct projection *projection)
{
    if (projection->store.close != NULL)
        projection->store.close(projection->store.self);
}

static void gateway_close(void *state)
{
    struct gateway *const gateway = state;

    if (gateway == NULL)
        return;
    close_consumer(&gateway->control);
    close_consumer(&gateway->feeds);
    close_projection(&gateway->loop);
    close_projection(&gateway->own);
    auth_free(gateway->auth);
    flag_table_free(gateway->flags);
    feed_free(gateway->feed);
    waits_free(gateway->waits);
    streams_free(gateway->streams);
    arena_release(&gateway->loop_arena);
    arena_release(&gateway->own_arena);
    text_release(&gateway->loop_text);
    (void)pthread_mutex_destroy(&gateway->lock);
    free(gateway);
}

/* --- HTTP --- */

static const char *gateway_listen(const struct settings *settings)
{
    return settings->gateway.listen;
}

static void gateway_web_started(void *state, struct web_server server)
{
    struct gateway *const gateway = state;

    gateway->server = server;
}

const struct service_spec gateway_service = {
    .name = "gateway",
    .summary = "the HTTP API: people, CI systems, monitoring, flag evaluation",
    .open = gateway_open,
    .turn = gateway_turn,
    .ready = gateway_ready,
    .close = gateway_close,
    .listen = gateway_listen,
    .web_started = gateway_web_started,
    .web = server_handle,
    .web_gone = server_gone,
};
