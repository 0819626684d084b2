#include "services/monitor/monitor.h"

#include "common/drivers/metric_sources/metric_source.h"
#include "common/drivers/probes/probe.h"
#include "common/drivers/providers/provider.h"
#include "common/wire/topics.h"
#include "services/monitor/alerts.h"
#include "services/monitor/watch_run.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { WAIT_MS = 200, PAUSE_MS = 200 };

struct monitor {
    const struct service_ports *ports;
    struct alert_desk *desk;
    pthread_t thread;
    bool has_thread;
    atomic_bool stop;
};

static void pause_ms(long ms)
{
    const struct timespec pause = { .tv_nsec = ms * 1000000L };

    (void)nanosleep(&pause, NULL);
}

static void *hear_alerts(void *self)
{
    struct monitor *const monitor = self;

    while (!atomic_load(&monitor->stop)) {
        struct error error = { 0 };

        if (alert_desk_turn(monitor->desk, WAIT_MS, &error) == ERR_OK)
            continue;
        LOG(monitor->ports->log, LOG_WARNING, "alerts wait", { "why", error.text });
        pause_ms(PAUSE_MS);
    }
    return NULL;
}

static void check_drivers(struct arena *arena,
                          const struct settings *settings,
                          struct yaml_problems *problems)
{
    probes_check(arena, settings, problems);
    metric_sources_check(arena, settings, problems);
    providers_check(arena, settings, problems);
}

static void monitor_close(void *state)
{
    struct monitor *const monitor = state;

    if (monitor == NULL)
        return;
    atomic_store(&monitor->stop, true);
    if (monitor->has_thread)
        (void)pthread_join(monitor->thread, NULL);
    alert_desk_close(monitor->desk);
    free(monitor);
}

static enum err open_desk(struct monitor *monitor, struct error *error)
{
    const struct service_ports *const ports = monitor->ports;
    struct store store = { 0 };
    const enum err err = ports->open_store(ports->open_self, &store, error);

    return err == ERR_OK ? alert_desk_open(ports, store, &monitor->desk, error) : err;
}

static enum err start_thread(struct monitor *monitor, struct error *error)
{
    if (pthread_create(&monitor->thread, NULL, hear_alerts, monitor) != 0)
        return error_set(error, ERR_INTERNAL, "no thread for alerts");
    monitor->has_thread = true;
    return ERR_OK;
}

static enum err open_monitor(const struct service_ports *ports,
                             bool own_thread,
                             void **ret_state,
                             struct error *error)
{
    struct monitor *const monitor = calloc(1, sizeof *monitor);
    enum err err;

    if (monitor == NULL)
        abort();
    monitor->ports = ports;
    atomic_init(&monitor->stop, false);
    err = open_desk(monitor, error);
    if (err == ERR_OK && own_thread)
        err = start_thread(monitor, error);
    if (err != ERR_OK) {
        monitor_close(monitor);
        return err;
    }
    *ret_state = monitor;
    return ERR_OK;
}

static enum err monitor_open(const struct service_ports *ports,
                             void **ret_state,
                             struct error *error)
{
    return open_monitor(ports, true, ret_state, error);
}

static enum err monitor_open_inline(const struct service_ports *ports,
                                    void **ret_state,
                                    struct error *error)
{
    return open_monitor(ports, false, ret_state, error);
}

static enum err monitor_turn(void *state, const struct worker_ports *ports, struct error *error)
{
    struct monitor *const monitor = state;

    (void)ports;
    return alert_desk_turn(monitor->desk, 0, error);
}

static const struct worker_handler handlers[] = {
    { .body = PB__COMMAND__BODY_WATCH, .step = watch_step, .looks = true },
};

const struct worker_spec monitor_spec = {
    .name = "monitor",
    .hears = TOPIC_ALERTS,
    .summary = "watches batches, stages and running features; turns alerts into incidents",
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .check = check_drivers,
    .open = monitor_open,
    .close = monitor_close,
};

const struct worker_spec monitor_spec_inline = {
    .name = "monitor",
    .hears = TOPIC_ALERTS,
    .summary = "watches batches, stages and running features; turns alerts into incidents",
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .check = check_drivers,
    .open = monitor_open_inline,
    .close = monitor_close,
    .turn = monitor_turn,
};
