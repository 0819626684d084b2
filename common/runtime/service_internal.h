/* The parts of service_main: service_main.c reads the command line, service_web.c answers the
 * probes, service.c opens, turns and stops. */
#ifndef COMMON_RUNTIME_SERVICE_INTERNAL_H
#define COMMON_RUNTIME_SERVICE_INTERNAL_H

#include "common/runtime/log.h"
#include "common/runtime/metrics.h"
#include "common/runtime/service.h"
#include "common/runtime/wiring.h"

#include <pthread.h>

/* Exit statuses. */
enum {
    SERVICE_STOPPED = 0,
    SERVICE_MISCONFIGURED = 1,
    SERVICE_USAGE = 2,
    SERVICE_HALTED = 3,
};

struct service {
    const struct service_spec *spec;
    struct service_ports ports;
    struct crash_plan crash;
    struct line_log log;
    struct metrics *metrics;
    struct envelope_keys keys;
    struct envelope_keys producers;
    struct wiring_web web;
    struct store registry;
    const char *listen;
    const char *port_file; /* NULL: none. */
    int64_t started_ms;

    void *state; /* NULL until opened; written once. */

    /* Shared with the web server's thread. */
    pthread_mutex_t lock;
    bool opened;
    char why[ERROR_TEXT_MAX]; /* Why it is not ready. */
};

/* service.c: before the loop, and the loop to its end. Both return an exit status. */
int service_start(struct service *service);
int service_run(struct service *service);

/* service_web.c */
struct web_handler service_web(struct service *service);
void service_set_state(struct service *service, void *state);
void service_set_why(struct service *service, const char *why);
enum err service_write_port(const struct service *service, struct error *error);

#endif
