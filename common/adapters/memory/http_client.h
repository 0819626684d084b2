/* An HTTP client that answers from a prepared table and remembers what it was asked. */
#ifndef COMMON_ADAPTERS_MEMORY_HTTP_CLIENT_H
#define COMMON_ADAPTERS_MEMORY_HTTP_CLIENT_H

#include "common/ports/http_client.h"

/* One row. The first row that fits and is not used up answers; without one the request is
 * ERR_UNAVAILABLE, and the text names it. All pointers are borrowed for the life of the table.
 */
struct memory_http_answer {
    const char *method; /* "GET"; "MAIL" for send_mail; NULL: any */
    const char *url; /* As in fnmatch(3): "http://shop-*:8080/health"; of mail: its server. */
    unsigned times;  /* Answers so often; 0: always. */

    enum err err; /* Not ERR_OK: there is no response. */
    int status;
    const char *body; /* NULL: "" */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    int64_t took_ms;

    /* If set, it alone makes the answer. */
    enum err (*respond)(void *self,
                        struct arena *arena,
                        const struct http_request *request,
                        struct http_response *ret,
                        struct error *error);
    void *respond_self;
};

/* What was asked; owned by the table. Of mail: method "MAIL", url the server, body the message,
 * mail_from and mail_to. */
struct memory_http_call {
    char *method;
    char *url;
    char *body; /* "" if none */
    size_t body_length;
    char *mail_from;
    char *mail_to;
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
};

struct memory_http;

struct memory_http *memory_http_new(void);
void memory_http_free(struct memory_http *http); /* Accepts NULL. */

/* A client of the table, which is borrowed. Any number of them. */
struct http_client memory_http_client(struct memory_http *http);

/* Add a row at the end. */
void memory_http_answer(struct memory_http *http, const struct memory_http_answer *answer);

/* Forget all rows, so that others can take their place. The record of calls stays. */
void memory_http_forget(struct memory_http *http);

size_t memory_http_call_count(const struct memory_http *http);

/* index < memory_http_call_count */
const struct memory_http_call *memory_http_call(const struct memory_http *http, size_t index);

#endif
