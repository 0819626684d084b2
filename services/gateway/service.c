#include "services/gateway/service.h"

#include "common/wire/control_record.h"
#include "common/wire/topics.h"
#include "services/gateway/budget.h"
#include "services/gateway/desk.h"
#include "services/gateway/feed.h"
#include "services/gateway/herald.h"
#include "services/gateway/rates.h"
#include "services/gateway/server.h"
#include "services/gateway/stream.h"

#include <stdlib.h>
#include <string.h>

enum { FOLD_MEMORY = 16 << 20, AUTH_MEMORY = 8 << 20, BATCH = 500, CALM_MS = 20 };

static const char *const control_topics[] = { TOPIC_CONTROL, NULL };
static const char *const feed_topics[] = { TOPIC_SIGNALS, TOPIC_DEAD_LETTER, NULL };

/* --- opening --- */

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
    struct arena arena = arena_with_limit(AUTH_MEMORY);
    struct yaml_problems *const problems = arena_alloc(&arena, sizeof *problems);
    const struct settings *const settings = gateway->ports->settings;

    problems->arena = &arena;
    gateway->auth =
        auth_load(settings_path(settings, &arena, settings->security.tokens), problems);
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
    gateway->rates = rates_new();
    gateway->feed = feed_new();
    gateway->waits = waits_new();
    gateway->streams = streams_new();
    gateway->budgets = budgets_new(ports->settings->gateway.requests_per_minute);
    gateway->fold_arena = arena_with_limit(FOLD_MEMORY);
    (void)pthread_mutex_init(&gateway->lock, NULL);
    *ret_state = gateway;
    err = open_auth(gateway, error);
    if (err == ERR_OK)
        err = bench_open(gateway, &gateway->loop, error);
    if (err == ERR_OK)
        err = desks_open(gateway, &gateway->desks, error);
    if (err == ERR_OK)
        err = herald_open(gateway, &gateway->herald, error);
    if (err == ERR_OK)
        err = open_consumers(gateway, error);
    return err;
}

/* --- turning --- */

/* A record that is not believed was dead-lettered by the coordinator, which reads the same
 * topic. */
static void fold_control(struct gateway *gateway, const struct bus_record *record)
{
    struct error error = { 0 };
    Pb__Control *control = NULL;
    bool changed;

    arena_reset(&gateway->fold_arena);
    if (control_record_read(
            &gateway->fold_arena, gateway->ports->keys, record, &control, &error) != ERR_OK) {
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
    if (changed)
        streams_control_changed(gateway, record->key);
    (void)pthread_mutex_unlock(&gateway->lock);
    gateway_saw(gateway, record->at_ms);
    if (changed)
        herald_wake(gateway->herald);
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
        if (strcmp(record.topic, TOPIC_DEAD_LETTER) == 0)
            streams_letter_came(gateway);
        (void)pthread_mutex_unlock(&gateway->lock);
        gateway_saw(gateway, record.at_ms);
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
    enum err err = receive_control(gateway, CALM_MS, error);

    if (err == ERR_OK)
        err = receive_feeds(gateway, error);
    if (err == ERR_OK)
        err = check_complete(gateway, error);
    return err;
}

static bool gateway_ready(void *state, struct error *why)
{
    struct gateway *const gateway = state;
    const char *trouble;

    if (!gateway->control_complete) {
        (void)error_set(why, ERR_UNAVAILABLE, "%s is still being read", TOPIC_CONTROL);
        return false;
    }
    (void)pthread_mutex_lock(&gateway->lock);
    trouble = flag_table_trouble(gateway->flags);
    if (trouble != NULL)
        (void)error_set(why, ERR_TOO_LARGE, "%s", trouble);
    (void)pthread_mutex_unlock(&gateway->lock);
    return trouble == NULL;
}

/* The web server has stopped; what is in hand is answered into the void. */
static void gateway_drain(void *state)
{
    struct gateway *const gateway = state;

    desks_stop(gateway->desks);
    herald_stop(gateway->herald);
}

static void close_consumer(struct bus_consumer *consumer)
{
    if (consumer->close != NULL)
        consumer->close(consumer->self);
}

static void gateway_close(void *state)
{
    struct gateway *const gateway = state;

    if (gateway == NULL)
        return;
    desks_close(gateway->desks);
    herald_close(gateway->herald);
    close_consumer(&gateway->control);
    close_consumer(&gateway->feeds);
    bench_close(&gateway->loop);
    budgets_free(gateway->budgets);
    auth_free(gateway->auth);
    flag_table_free(gateway->flags);
    rates_free(gateway->rates);
    feed_free(gateway->feed);
    waits_free(gateway->waits);
    streams_free(gateway->streams);
    arena_release(&gateway->fold_arena);
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
    desks_start(gateway->desks);
    herald_start(gateway->herald);
}

const struct service_spec gateway_service = {
    .name = "gateway",
    .summary = "the HTTP API: people, CI systems, monitoring, flag evaluation",
    .open = gateway_open,
    .turn = gateway_turn,
    .ready = gateway_ready,
    .drain = gateway_drain,
    .close = gateway_close,
    .listen = gateway_listen,
    .web_started = gateway_web_started,
    .web = server_handle,
    .web_gone = server_gone,
};
