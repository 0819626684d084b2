/* The parts of a server: loop.c runs it, request.c takes requests in, exchange.c holds what is
 * answered later or streamed, listen.c opens the socket. */
#ifndef COMMON_ADAPTERS_HTTPD_INTERNAL_H
#define COMMON_ADAPTERS_HTTPD_INTERNAL_H

#include "common/adapters/httpd/httpd.h"
#include "common/base/text.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>

enum { ADDRESS_TEXT_MAX = 80 };

/* A connection, for the reaper. Loop thread only. */
struct visitor {
    struct visitor *next;
    struct visitor *previous;
    int fd;
    int64_t since_ms; /* Start of the connection or its request, or end of its last one. */
    bool busy;        /* A whole request is here and being answered. */
    bool idle;        /* Between two requests. */
};

/* Where a request stands. */
enum exchange_state {
    EXCHANGE_FREE,
    EXCHANGE_ARRIVING,  /* Head or body still coming. */
    EXCHANGE_DECIDING,  /* The handler runs. */
    EXCHANGE_WAITING,   /* For answer() or its deadline; suspended. */
    EXCHANGE_ANSWERED,  /* reply is set and not yet queued. */
    EXCHANGE_STREAMING, /* Bytes come by push(). */
    EXCHANGE_OVER,      /* Everything was handed to the library. */
};

/* Bytes of one push. */
struct chunk {
    struct chunk *next;
    size_t length;
    size_t sent;
    char bytes[];
};

/* One request in progress. The first group belongs to the loop thread, the second to the lock.
 */
struct exchange {
    struct httpd *httpd;
    struct MHD_Connection *connection;
    char *target;     /* Raw; owned. */
    struct text body; /* Taken when the head is accepted. */
    bool head_seen;
    bool stream; /* The handler will hear of its end. */

    uint64_t id;
    enum exchange_state state;
    bool suspended;
    bool gone; /* The reader has hung up. */
    struct MHD_Response *reply;
    int reply_status;
    int64_t deadline_ms; /* WAITING: of the fallback, which stands in reply. */
    struct chunk *first;
    struct chunk *last;
    size_t queued;
    bool ending;     /* After what is queued. */
    bool overran;    /* It fell too far behind. */
    char *farewell;  /* Owned. */
    int64_t sent_ms; /* Last push or ping. */
    int ping_ms;
};

struct httpd {
    struct httpd_options options;
    char address[ADDRESS_TEXT_MAX];
    struct MHD_Daemon *daemon;
    int epoll;
    int wake; /* eventfd: the loop has something to do. */
    pthread_t thread;
    bool running;
    struct visitor *visitors;

    pthread_mutex_t lock;
    bool stopping;
    uint64_t next_number;
    struct exchange *exchanges; /* exchange_count of them. */
    size_t exchange_count;
};

/* listen.c: a listening socket, and how it is called. */
enum err listen_on(const char *address,
                   int *ret_fd,
                   char ret_address[ADDRESS_TEXT_MAX],
                   struct error *error) MUST_CHECK;

/* Milliseconds of the monotonic clock. */
int64_t httpd_now_ms(void);

/* Ends the loop's wait. Any thread. */
void httpd_wake(struct httpd *httpd);

/* exchange.c. Without the lock, loop thread: */
struct exchange *exchange_new(struct httpd *httpd);
void exchange_free(struct exchange *exchange);
struct MHD_Response *exchange_reply(const struct web_response *response, int *ret_status);
enum MHD_Result exchange_stream(struct exchange *exchange, const struct web_response *response);
enum MHD_Result exchange_wait(struct exchange *exchange, const struct web_response *response);
enum MHD_Result exchange_queue(struct exchange *exchange);
void exchange_hung_up(struct httpd *httpd, uint64_t id);
/* Fallbacks that are due, pings; with everything: all that waits is let go. */
void exchanges_tick(struct httpd *httpd, bool everything);

/* Any thread: web_server. */
enum err exchange_answer(void *self, uint64_t id, const struct web_response *response);
enum err exchange_push(void *self, uint64_t id, const char *bytes, size_t length);
void exchange_end(void *self, uint64_t id);

/* request.c: the library's callbacks. */
void *request_begins(void *self, const char *target, struct MHD_Connection *connection);
enum MHD_Result request_comes(void *self,
                              struct MHD_Connection *connection,
                              const char *url,
                              const char *method,
                              const char *version,
                              const char *upload,
                              size_t *upload_size,
                              void **context);
void request_ends(void *self,
                  struct MHD_Connection *connection,
                  void **context,
                  enum MHD_RequestTerminationCode code);

#endif
