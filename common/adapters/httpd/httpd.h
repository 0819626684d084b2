/* libmicrohttpd behind ports/web.h: one loop thread, external epoll.
 *
 * Refused before a handler sees it: a request whose length can be read in two ways
 * (Content-Length with Transfer-Encoding, either of them twice), two Hosts, a target that is
 * not a plain path or decodes to something else than clean UTF-8, a body over body_max. Clients
 * that need longer than request_ms for a whole request are hung up on; between two requests a
 * connection may rest for idle_ms. That is longer than most clients keep one, so that nobody
 * sends a request into a connection that is just being closed.
 */
#ifndef COMMON_ADAPTERS_HTTPD_HTTPD_H
#define COMMON_ADAPTERS_HTTPD_HTTPD_H

#include "common/ports/web.h"

struct httpd;

/* Zero means the default. */
struct httpd_options {
    const char *listen; /* "127.0.0.1:8080", "[::1]:0", "localhost:80"; port 0: any free one. */
    unsigned connections; /* Together; 512. */
    unsigned per_address; /* From one address; 256. */
    size_t body_max;      /* WEB_BODY_MAX. */
    size_t head_max;      /* Request line and headers together; 16 KiB. */
    int request_ms;       /* 10000. */
    int idle_ms;          /* 75000. */
    struct web_handler handler;
};

/* Listens and starts the loop. ERR_INVALID: listen is no address. ERR_UNAVAILABLE: it cannot be
 * had ("127.0.0.1:8080: Address already in use"). The process must ignore SIGPIPE. */
enum err httpd_open(const struct httpd_options *options,
                    struct httpd **ret,
                    struct error *error) MUST_CHECK;

/* "127.0.0.1:43211", as it came to be. */
const char *httpd_address(const struct httpd *httpd);

struct web_server httpd_server(struct httpd *httpd);

/* Answers what waits with its fallback, ends all streams, and ends the loop: afterwards no
 * handler is called any more, and the functions of web_server answer ERR_STALE. */
void httpd_stop(struct httpd *httpd);

/* Stops, and frees. Nobody may use its web_server any more. Accepts NULL. */
void httpd_close(struct httpd *httpd);

#endif
