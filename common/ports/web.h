/* Answering HTTP: common/adapters/httpd for the world; in tests a handler is called with a
 * request made by hand.
 *
 * A handler runs on the server's one loop thread and must not block: what takes long is handed
 * to another thread, and answered later by the request's id. */
#ifndef COMMON_PORTS_WEB_H
#define COMMON_PORTS_WEB_H

#include "common/base/arena.h"
#include "common/base/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    WEB_QUERY_MAX = 32,
    WEB_HEADERS_MAX = 64,
    WEB_RESPONSE_HEADERS_MAX = 16,
    WEB_BODY_MAX = 256 * 1024,   /* Of a request. */
    WEB_STREAM_MAX = 256 * 1024, /* Waiting for one slow reader. */
};

struct web_pair {
    const char *name;
    const char *value;
};

/* A complete request. Everything borrowed until the handler returns. */
struct web_request {
    uint64_t id; /* Never 0, never used twice by one server. */
    const char *method;
    const char *path; /* Decoded: UTF-8, begins with "/", no empty, "." or ".." segment. */
    struct web_pair query[WEB_QUERY_MAX]; /* Decoded, in the order written. */
    size_t query_count;
    struct web_pair headers[WEB_HEADERS_MAX]; /* As received. */
    size_t header_count;
    const char *body; /* NUL-terminated; "" if there was none. */
    size_t body_length;
    const char *peer;    /* "127.0.0.1" */
    struct arena *arena; /* For the answer; 4 MiB. */
};

/* Everything is copied when it is taken over. Starts as 200 without headers and body. */
struct web_response {
    int status;
    struct web_pair headers[WEB_RESPONSE_HEADERS_MAX];
    size_t header_count;
    const char *body; /* WEB_STREAM: the first bytes of the stream; NULL: none. */
    size_t body_length;

    int wait_ms;          /* WEB_LATER: this response is sent if nobody answers until then. */
    int ping_ms;          /* WEB_STREAM: ": ping" after so long a silence; 0: never. */
    const char *farewell; /* WEB_STREAM: the last words to a reader that was too slow. */
};

enum web_answer {
    WEB_NOW,    /* The response is complete. */
    WEB_LATER,  /* Another thread calls answer() with the request's id. It may do so before the
                   handler has returned. */
    WEB_STREAM, /* Status and headers of a stream; its bytes come by push() with that id. */
};

/* Both on the loop thread (gone, at last, on the one that stops the server): never at once. */
struct web_handler {
    void *self;
    enum web_answer (*handle)(void *self,
                              const struct web_request *request,
                              struct web_response *response);

    /* A stream is over, whoever ended it. Once for each WEB_STREAM. May be NULL. Called with
     * nothing held; may call answer, push and end. */
    void (*gone)(void *self, uint64_t stream);
};

/* What other threads call. All of it is thread-safe, never blocks, and is harmless for an id
 * that is over. */
struct web_server {
    void *self;

    /* ERR_STALE: answered already, waited too long, or the client has left. */
    enum err (*answer)(void *self, uint64_t request, const struct web_response *response);

    /* One whole event after what was pushed before. ERR_STALE: the stream is over.
     * ERR_TOO_LARGE: its reader has fallen WEB_STREAM_MAX behind; what waits is thrown away, it
     * gets the farewell, and the stream is over. */
    enum err (*push)(void *self, uint64_t stream, const char *bytes, size_t length);

    /* End the stream after what was pushed. */
    void (*end)(void *self, uint64_t stream);
};

/* The first value of that header, in any case; NULL if there is none. */
const char *web_header(const struct web_request *request, const char *name);

/* The first value of that query parameter; NULL if there is none. */
const char *web_query(const struct web_request *request, const char *name);

/* Append a header. Both texts are borrowed. At most WEB_RESPONSE_HEADERS_MAX. */
void web_set_header(struct web_response *response, const char *name, const char *value);

#endif
