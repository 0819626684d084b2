/* The one main every service runs on.
 *
 * A service is described, not programmed: its name, what it opens, what it does in a turn.
 * service_main() reads the command line and slipway.yaml, opens the ports (kafka, redis, curl,
 * httpd) by runtime/wiring, serves /healthz /readyz /metrics, calls turn() until SIGTERM, lets
 * it drain, and leaves.
 *
 *     executor --config /etc/slipway/slipway.yaml [--listen 127.0.0.1:0] [--instance NAME]
 *              [--check-config] [--crash-places] [--version] [--help]
 *
 * With --listen ...:0 the port is chosen freely; --port-file FILE writes the address taken.
 * Exit status: 0 clean stop, 1 configuration, 2 usage, 3 halted (cannot be trusted; restart
 * it). */
#ifndef COMMON_RUNTIME_SERVICE_H
#define COMMON_RUNTIME_SERVICE_H

#include "common/base/error.h"
#include "common/config/settings.h"
#include "common/ports/bus.h"
#include "common/ports/clock.h"
#include "common/ports/crash.h"
#include "common/ports/http_client.h"
#include "common/ports/log.h"
#include "common/ports/metrics.h"
#include "common/ports/process.h"
#include "common/ports/store.h"
#include "common/ports/web.h"
#include "common/wire/envelope.h"

#include <stdbool.h>

/* What /readyz says of an instance that is ready and has nothing to do. */
#define SERVICE_STANDS_BY "stands by: other instances have all partitions"

/* Everything a service may touch. In tests the same struct is filled with memory adapters. */
struct service_ports {
    const struct settings *settings;
    const char *service;  /* "executor" */
    const char *instance; /* "executor-1"; unique among the running ones */
    struct clock_port clock;
    struct bus bus;
    struct log_port log;
    struct metrics_port metrics;
    struct process_runner process;
    const struct envelope_keys *keys;
    /* Of those who may write service_spec.hears, the gateway among them: every record there
     * must prove one of them. NULL: slipway.yaml does not ask for it. */
    const struct envelope_keys *producers;
    const void *detail;       /* service_spec.detail */
    struct crash_plan *crash; /* NULL in production. */

    /* One store and one HTTP client belong to one thread: open as many as there are threads. */
    enum err (*open_store)(void *self, struct store *ret, struct error *error);
    /* A store of this process alone, empty, and gone when it is closed. NULL where nobody asks.
     */
    enum err (*open_aside)(void *self, struct store *ret, struct error *error);
    enum err (*open_http)(void *self, struct http_client *ret, struct error *error);
    void *open_self;

    /* Bytes that nobody else has; NULL: the system's. A simulation gives its own. */
    void (*random)(void *self, unsigned char *ret, size_t length);
    void *random_self;
};

/* A flag of one service: given, it sets that environment variable to "1" before open. */
struct service_flag {
    const char *name;     /* "--rebuild" */
    const char *variable; /* "SLIPWAY_REBUILD" */
    const char *help;     /* One line, below 60 columns. */
};

struct service_spec {
    const char *name;
    const char *summary; /* First line of --help. */
    const void *detail;  /* Handed to open in the ports. */
    const char *hears;   /* The topic of others that it takes in; NULL: none. */
    const struct service_flag *flags;
    size_t flag_count;

    /* Reads what this service alone can judge (options of drivers); what is wrong goes to
     * problems, as everything wrong with slipway.yaml does. May be NULL. */
    void (*check)(struct arena *arena,
                  const struct settings *settings,
                  struct yaml_problems *problems);

    /* Build the service's state. The ports stay valid until close. */
    enum err (*open)(const struct service_ports *ports, void **ret_state, struct error *error);

    /* Do one piece of work, waiting at most ~100 ms if there is none. Called again and again
     * from one thread. ERR_INTERNAL ends the process with status 3; other errors are logged,
     * and the next turn comes after a pause. */
    enum err (*turn)(void *state, struct error *error);

    /* For a program that does one thing and ends: true when it has, with its exit status. Such
     * a program is not listed among the instances. NULL: it runs until SIGTERM. */
    bool (*finished)(void *state, int *ret_status);

    /* True when the service can do its work, and possibly why it has none; else why not. Both
     * for /readyz. Any thread. */
    bool (*ready)(void *state, struct error *why);

    /* After the last turn: finish or hand back what is in hand, at most 10 s. May be NULL. */
    void (*drain)(void *state);

    void (*close)(void *state); /* Accepts NULL. */

    /* What a service answers over HTTP beside /healthz, /readyz and /metrics. All may be NULL.
     * web_started comes once, before the first request reaches web; web and web_gone are called
     * on the web server's thread, never after drain. */
    const char *(*listen)(const struct settings *settings); /* Where, without --listen. */
    void (*web_started)(void *state, struct web_server server);
    enum web_answer (*web)(void *state,
                           const struct web_request *request,
                           struct web_response *response);
    void (*web_gone)(void *state, uint64_t stream);
};

/* Returns the process's exit status. */
int service_main(const struct service_spec *spec, int argc, char **argv);

#endif
