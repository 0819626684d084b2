/* Watching the gateway's live updates. The herald's rounds are made by hand. */
#ifndef TESTS_UNIT_GATEWAY_WATCHING_H
#define TESTS_UNIT_GATEWAY_WATCHING_H

#include "tests/unit/gateway/fake_web.h"

#include <stdint.h>

extern struct fake_web web;

/* world_open and world_close, with that web server. */
int watching_open(void **state);
int watching_close(void **state);

/* GET /v1/stream as that subject; topics NULL: none named. Answers the status. */
int watch(const char *subject, const char *topics, uint64_t id);

/* The same as a browser does after a break, with the id of what it had last. */
int watch_again(const char *subject, const char *topics, uint64_t id, const char *last);

/* The id of the last event of a text. */
const char *last_id(const char *news);

/* What was pushed since the last time, after 300 ms. */
const char *told(void);

#endif
