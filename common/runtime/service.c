#include "common/runtime/service.h"

#include "common/base/json.h"
#include "common/runtime/log.h"
#include "common/runtime/metrics.h"
#include "common/runtime/service_internal.h"
#include "common/runtime/wiring.h"
#include "common/state/keys.h"
#include "common/wire/topics.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    PAUSE_MS = 1000,
    REGISTER_EVERY_MS = 5000,
    NAME_MEMORY = 16 * 1024,
    LEAVE_S = 15, /* From the wish to stop to the end; a drain takes at most 10. */
};

/* --- signals --- */

static bool asked_to_stop(int wait_ms)
{
    const struct timespec wait = { .tv_sec = wait_ms / 1000,
                                   .tv_nsec = (long)(wait_ms % 1000) * 1000000 };
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    return sigtimedwait(&set, NULL, &wait) > 0;
}

/* Blocked before the first thread, so that no thread is ever interrupted. */
static void block_signals(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* --- ports --- */

static enum err open_store(void *self, struct store *ret, struct error *error)
{
    const struct service *const service = self;

    return wiring_store(service->ports.settings, ret, error);
}

static enum err open_aside(void *self, struct store *ret, struct error *error)
{
    (void)self;
    (void)error;
    *ret = wiring_aside();
    return ERR_OK;
}

static enum err open_http(void *self, struct http_client *ret, struct error *error)
{
    (void)self;
    return wiring_http(ret, error);
}

static void log_error(const struct service *service, const char *message, const char *text)
{
    LOG(service->ports.log, LOG_ERROR, message, { "error", text });
}

/* Whoever writes what it hears must prove it, where slipway.yaml says so. */
static enum err open_producers(struct service *service, struct error *error)
{
    const struct settings *const settings = service->ports.settings;
    const char *const topic = service->spec->hears;

    if (topic == NULL || settings->security.producers[0] == '\0')
        return ERR_OK;
    service->ports.producers = &service->producers;
    return wiring_producers(settings, topic, &service->producers, error);
}

static enum err open_ports(struct service *service, struct error *error)
{
    struct arena arena = arena_with_limit(NAME_MEMORY);
    enum err err;

    service->ports.clock = wiring_clock();
    service->ports.process = wiring_process();
    service->ports.keys = &service->keys;
    service->ports.metrics = metrics_port(service->metrics);
    service->ports.open_store = open_store;
    service->ports.open_aside = open_aside;
    service->ports.open_http = open_http;
    service->ports.open_self = service;
    err = wiring_keys(service->ports.settings, service->ports.service, &service->keys, error);
    if (err == ERR_OK)
        err = open_producers(service, error);
    if (err == ERR_OK)
        err = wiring_bus(service->ports.settings,
                         arena_printf(&arena, "slipway-%s", service->ports.instance),
                         &service->ports.bus,
                         error);
    arena_release(&arena);
    return err;
}

/* --- topics --- */

static enum err check_topics(struct service *service, struct error *error)
{
    const struct bus *const bus = &service->ports.bus;
    struct bus_topic topics[TOPICS_MAX];
    int32_t partitions = 0;
    const int32_t wanted = (int32_t)service->ports.settings->kafka.partitions;
    enum err err;

    if (service->ports.settings->kafka.manage_topics)
        return bus->ensure_topics(bus->self, topics, topics_all(wanted, topics), error);
    err = bus->partitions(bus->self, TOPIC_EVENTS, &partitions, error);
    if (err == ERR_OK && partitions != wanted)
        err = error_set(error,
                        ERR_INVALID,
                        "%s has %d partitions, kafka.partitions says %d",
                        TOPIC_EVENTS,
                        (int)partitions,
                        (int)wanted);
    return err;
}

/* What can become well by itself is tried again until it does, or until we are asked to stop.
 */
static enum err until_done(struct service *service,
                           const char *what,
                           enum err (*attempt)(struct service *service, struct error *error))
{
    struct error error = { 0 };

    for (;;) {
        const enum err err = attempt(service, &error);

        if (err == ERR_OK)
            return ERR_OK;
        service_set_why(service, error.text);
        log_error(service, what, error.text);
        if (err_disposal(err) != DISPOSE_RETRY && err != ERR_NOT_FOUND) {
            (void)fprintf(stderr, "slipway-%s: %s\n", service->ports.service, error.text);
            return err;
        }
        if (asked_to_stop(PAUSE_MS))
            return ERR_STALE;
    }
}

static enum err open_state(struct service *service, struct error *error)
{
    void *state = NULL;
    const enum err err = service->spec->open(&service->ports, &state, error);

    if (err != ERR_OK) {
        service->spec->close(state);
        return err;
    }
    service_set_state(service, state);
    return ERR_OK;
}

/* --- being known to the others --- */

static void describe(const struct service *service, struct text *out)
{
    struct json json = json_into(out);

    json_put_object(&json, NULL);
    json_put_text(&json, "service", service->ports.service);
    json_put_text(&json, "instance", service->ports.instance);
    json_put_text(&json, "listen", service->web.address);
    json_put_text(&json, "version", SLIPWAY_VERSION);
    json_put_text(&json, "config_hash", service->ports.settings->hash);
    json_put_int(&json, "started_ms", service->started_ms);
    json_put_int(&json, "seen_ms", clock_now_ms(service->ports.clock));
    json_end_object(&json);
}

/* Into the hash `instances`: a view for people, so a failure is only tried again later. */
static void register_instance(struct service *service, bool leaving)
{
    struct arena arena = arena_with_limit(NAME_MEMORY);
    char bytes[2048];
    struct text text = text_over(bytes, sizeof bytes);
    const char *const prefix = service->ports.settings->redis.prefix;
    struct store_op op = {
        .kind = leaving ? STORE_HASH_DELETE : STORE_HASH_SET,
        .key = keys_global(&arena, prefix, "instances", ""),
        .field = service->ports.instance,
    };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };
    struct error error = { 0 };

    describe(service, &text);
    op.value = (struct store_value){ text.bytes, text.length };
    if (service->registry.commit != NULL)
        (void)service->registry.commit(service->registry.self, &batch, &error);
    arena_release(&arena);
}

/* --- the loop --- */

static int turn_until_stopped(struct service *service)
{
    int64_t register_ms = 0;
    int status = SERVICE_STOPPED;
    struct error error = { 0 };

    while (!asked_to_stop(0)) {
        const int64_t now_ms = clock_monotonic_ms(service->ports.clock);
        const enum err err = service->spec->turn(service->state, &error);

        if (service->spec->finished != NULL && service->spec->finished(service->state, &status))
            return status;
        if (now_ms >= register_ms && service->spec->finished == NULL) {
            register_instance(service, false);
            register_ms = now_ms + REGISTER_EVERY_MS;
        }
        if (err == ERR_OK || err == ERR_STALE)
            continue;
        log_error(service, "turn failed", error.text);
        if (err == ERR_INTERNAL)
            return SERVICE_HALTED;
        if (asked_to_stop(PAUSE_MS))
            break;
    }
    return SERVICE_STOPPED;
}

/* Whatever hangs in drain or close, the process ends: everything it holds survives a crash. */
static void leave_in_time(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGALRM);
    (void)signal(SIGALRM, SIG_DFL);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    (void)alarm(LEAVE_S);
}

static void stop(struct service *service)
{
    leave_in_time();
    LOG(service->ports.log,
        LOG_INFO,
        "stopping",
        { "why", service->spec->finished != NULL ? "done" : "asked to" });
    wiring_web_stop(&service->web);
    if (service->spec->drain != NULL && service->state != NULL)
        service->spec->drain(service->state);
    if (service->spec->finished == NULL)
        register_instance(service, true);
}

int service_run(struct service *service)
{
    struct error error = { 0 };
    int status = SERVICE_STOPPED;
    enum err err = until_done(service, "topics are not as they must be", check_topics);

    if (err == ERR_OK)
        err = until_done(service, "cannot open", open_state);
    if (err == ERR_OK) {
        /* Without it the service works, but is not listed among the instances. */
        if (wiring_store(service->ports.settings, &service->registry, &error) != ERR_OK)
            LOG(service->ports.log, LOG_WARNING, "not listed", { "error", error.text });
        LOG(service->ports.log, LOG_INFO, "started", { "listen", service->web.address });
        status = turn_until_stopped(service);
        stop(service);
    } else if (err != ERR_STALE) {
        status = SERVICE_MISCONFIGURED;
    }
    /* The service's own threads may speak to the web server until it is closed. */
    wiring_web_stop(&service->web);
    service->spec->close(service->state);
    wiring_web_close(&service->web);
    if (service->registry.close != NULL)
        service->registry.close(service->registry.self);
    return status;
}

int service_start(struct service *service)
{
    struct error error = { 0 };

    block_signals();
    service->metrics = metrics_new();
    service->started_ms = clock_now_ms(wiring_clock());
    if (wiring_start(&error) != ERR_OK || open_ports(service, &error) != ERR_OK ||
        wiring_web_open(service->listen, service_web(service), &service->web, &error) !=
            ERR_OK ||
        service_write_port(service, &error) != ERR_OK) {
        (void)fprintf(stderr, "slipway-%s: %s\n", service->ports.service, error.text);
        return SERVICE_MISCONFIGURED;
    }
    return SERVICE_STOPPED;
}
