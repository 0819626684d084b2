/* Asking others over HTTP, and sending mail: common/adapters/curl for the world, a table of
 * prepared answers in tests. Blocking; one struct http_client belongs to one thread. */
#ifndef COMMON_PORTS_HTTP_CLIENT_H
#define COMMON_PORTS_HTTP_CLIENT_H

#include "common/base/arena.h"
#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_HEADERS_MAX = 16, HTTP_BODY_MAX = 1024 * 1024 };

struct http_header {
    const char *name;
    const char *value;
};

struct http_request {
    const char *method; /* "GET" */
    const char *url;    /* http or https; redirects are never followed */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    const char *body; /* NULL: none */
    size_t body_length;
    int timeout_ms; /* Whole transfer; > 0. */

    /* Asked about once a second while it waits; true gives the transfer up. For what only
     * looks: whether a request that changes something arrived cannot be told afterwards. May
     * be NULL. */
    bool (*cancelled)(void *self);
    void *cancelled_self;
};

struct http_response {
    int status;
    const char *body; /* In the arena; NUL-terminated. */
    size_t body_length;
    struct http_header headers[HTTP_HEADERS_MAX]; /* The first ones; names lower-case. */
    size_t header_count;
    int64_t took_ms;
};

struct mail {
    const char *server; /* smtp://host:port or smtps:// */
    const char *user;   /* NULL: none */
    const char *password;
    const char *from;
    const char *to;      /* One recipient per transaction. */
    const char *message; /* RFC 5322, CRLF lines. */
    int timeout_ms;
};

struct http_client {
    void *self;

    /* Any status is ERR_OK. ERR_UNAVAILABLE: no answer; ERR_TIMED_OUT; ERR_CONFLICT:
     * cancelled; ERR_TOO_LARGE: a body over HTTP_BODY_MAX; ERR_INVALID: a URL or header that
     * cannot be sent. */
    enum err (*perform)(void *self,
                        struct arena *arena,
                        const struct http_request *request,
                        struct http_response *ret,
                        struct error *error);

    /* ERR_UNAVAILABLE: try again later (4xx of SMTP, no connection); ERR_DENIED: refused (5xx).
     */
    enum err (*send_mail)(void *self, const struct mail *mail, struct error *error);

    void (*close)(void *self);
};

/* The value of that header (name in lower case), or NULL. */
const char *http_header(const struct http_response *response, const char *name);

#endif
