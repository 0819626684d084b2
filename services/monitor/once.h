/* An HTTP client that asks the same question only once: within one round of a watch, ten
 * metrics of one page are ten looks at the same moment, and one request. */
#ifndef SERVICES_MONITOR_ONCE_H
#define SERVICES_MONITOR_ONCE_H

#include "common/ports/http_client.h"

enum { ONCE_ANSWERS_MAX = 256, ONCE_BYTES_MAX = 24 * 1024 * 1024 };

struct once_answer {
    const char *question;
    enum err err;
    struct error error;
    struct http_response response;
};

struct once {
    struct http_client inner; /* Borrowed. */
    struct arena *arena;      /* Of the round; borrowed. */
    struct once_answer *answers[ONCE_ANSWERS_MAX];
    size_t count;
    size_t bytes; /* Of bodies kept; beyond ONCE_BYTES_MAX nothing more is. */
};

/* A client that remembers the answers to plain GETs in once, and passes on everything else. */
struct http_client once_client(struct once *once);

#endif
