/* The inside of the Redis store, for the files beside this one. */
#ifndef COMMON_ADAPTERS_REDIS_STORE_H
#define COMMON_ADAPTERS_REDIS_STORE_H

#include "common/adapters/redis/link.h"

enum { GUARDS_MAX = 16 };

/* The guards of the last commit. Armed: they have been watched and read since, right behind
 * that commit, so that the next one with the same guards need not ask first. */
struct redis_guards {
    struct arena arena;
    struct store_guard last[GUARDS_MAX]; /* expected: what was read, if armed */
    size_t count;
    bool armed;
    unsigned connection; /* link.connections when it was armed. */
};

struct redis_store {
    struct link link;
    struct redis_guards guards;
};

/* Whether these are the guards of the last commit, whatever they expect. */
bool guards_same(const struct redis_guards *guards, const struct store_batch *batch);

/* Whether a commit of this batch may go out without asking. */
bool guards_hold(const struct redis_store *store, const struct store_batch *batch);

/* Remember the batch's guards, not armed. */
void guards_remember(struct redis_guards *guards, const struct store_batch *batch);

/* Queue WATCH and a read of every guard of the batch; false when the link is gone. */
bool guards_send(struct link *link, const struct store_batch *batch);

/* The answers to guards_send. With `arm` the values are remembered and the guards armed; else
 * they are compared: ERR_CONFLICT. Always takes all answers. */
enum err guards_answer(struct redis_store *store,
                       const struct store_batch *batch,
                       bool arm,
                       struct error *error);

enum err redis_commit(void *self, const struct store_batch *batch, struct error *error);

#endif
