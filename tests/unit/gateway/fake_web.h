/* A web server that keeps what it is given. Any thread. */
#ifndef TESTS_UNIT_GATEWAY_FAKE_WEB_H
#define TESTS_UNIT_GATEWAY_FAKE_WEB_H

#include "common/base/text.h"
#include "common/ports/web.h"

#include <pthread.h>
#include <stdbool.h>

enum { FAKE_WEB_MAX = 512 };

struct fake_answer {
    uint64_t id;
    int status;
    char body[4096]; /* Cut. */
};

struct fake_web {
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct fake_answer answer[FAKE_WEB_MAX];
    size_t answer_count;
    struct text pushed; /* "<stream> <event>" one after the other. */
};

void fake_web_open(struct fake_web *web);
void fake_web_close(struct fake_web *web);
struct web_server fake_web_server(struct fake_web *web);

/* Waits for the answer to that request; NULL if none came in time. */
const struct fake_answer *fake_web_answer(struct fake_web *web, uint64_t id);

/* The same without waiting. */
const struct fake_answer *fake_web_answer_now(struct fake_web *web, uint64_t id);

#endif
