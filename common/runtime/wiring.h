/* The one place that knows the concrete adapters. */
#ifndef COMMON_RUNTIME_WIRING_H
#define COMMON_RUNTIME_WIRING_H

#include "common/config/settings.h"
#include "common/ports/bus.h"
#include "common/ports/clock.h"
#include "common/ports/http_client.h"
#include "common/ports/process.h"
#include "common/ports/store.h"
#include "common/ports/web.h"
#include "common/wire/envelope.h"

/* Once in a process, before its first thread; and after its last. */
enum err wiring_start(struct error *error) MUST_CHECK;
void wiring_stop(void);

struct clock_port wiring_clock(void);
struct process_runner wiring_process(void);

/* Kafka, Redis and HTTP as settings say. Secrets are read from their files here. */
enum err wiring_bus(const struct settings *settings,
                    const char *client_id,
                    struct bus *ret,
                    struct error *error) MUST_CHECK;
enum err wiring_store(const struct settings *settings,
                      struct store *ret,
                      struct error *error) MUST_CHECK;
/* A store in this process's memory, gone when it is closed. */
struct store wiring_aside(void);

enum err wiring_http(struct http_client *ret, struct error *error) MUST_CHECK;

/* Reads every <writer>.key of settings->security.keys. ERR_INVALID when `own` has none,
 * ERR_DENIED when others may read one. */
enum err wiring_keys(const struct settings *settings,
                     const char *own,
                     struct envelope_keys *ret,
                     struct error *error) MUST_CHECK;

/* Reads every <name>.key of the folder <settings->security.producers>/<topic>, which must be
 * there but may be empty, and the gateway's, who writes for those that come over HTTP.
 * ERR_INVALID: a name that is a service's, or more keys than there is room for. */
enum err wiring_producers(const struct settings *settings,
                          const char *topic,
                          struct envelope_keys *ret,
                          struct error *error) MUST_CHECK;

/* A web server on its own thread. */
struct wiring_web {
    void *self;
    struct web_server server;
    const char *address; /* "127.0.0.1:43211" */
};
enum err wiring_web_open(const char *listen,
                         struct web_handler handler,
                         struct wiring_web *ret,
                         struct error *error) MUST_CHECK;
void wiring_web_stop(struct wiring_web *web);
void wiring_web_close(struct wiring_web *web); /* Accepts one that was never opened. */

#endif
