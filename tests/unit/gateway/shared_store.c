#include "tests/unit/gateway/shared_store.h"

#include <pthread.h>
#include <stdlib.h>

struct shared {
    struct store inner;
    void (*before)(void);
};

/* All stores of a test look at one space. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct store *enter(void *self)
{
    struct shared *const shared = self;

    if (shared->before != NULL)
        shared->before();
    (void)pthread_mutex_lock(&lock);
    return &shared->inner;
}

static enum err leave(enum err err)
{
    (void)pthread_mutex_unlock(&lock);
    return err;
}

static enum err shared_get(void *self,
                           struct arena *arena,
                           const char *key,
                           struct store_value *ret,
                           struct error *error)
{
    struct store *const inner = enter(self);

    return leave(inner->get(inner->self, arena, key, ret, error));
}

static enum err shared_hash_get(void *self,
                                struct arena *arena,
                                const char *key,
                                const char *field,
                                struct store_value *ret,
                                struct error *error)
{
    struct store *const inner = enter(self);

    return leave(inner->hash_get(inner->self, arena, key, field, ret, error));
}

static enum err shared_hash_all(void *self,
                                struct arena *arena,
                                const char *key,
                                struct store_field **ret,
                                size_t *ret_count,
                                struct error *error)
{
    struct store *const inner = enter(self);

    return leave(inner->hash_all(inner->self, arena, key, ret, ret_count, error));
}

static enum err shared_sorted_range(void *self,
                                    struct arena *arena,
                                    const struct store_range *range,
                                    struct store_member **ret,
                                    size_t *ret_count,
                                    struct error *error)
{
    struct store *const inner = enter(self);

    return leave(inner->sorted_range(inner->self, arena, range, ret, ret_count, error));
}

static enum err shared_members(void *self,
                               struct arena *arena,
                               const char *key,
                               const char ***ret,
                               size_t *ret_count,
                               struct error *error)
{
    struct store *const inner = enter(self);

    return leave(inner->members(inner->self, arena, key, ret, ret_count, error));
}

static enum err shared_run(void *self, const char **ret, struct error *error)
{
    struct store *const inner = enter(self);

    return leave(inner->run(inner->self, ret, error));
}

static enum err shared_commit(void *self, const struct store_batch *batch, struct error *error)
{
    struct store *const inner = enter(self);

    return leave(inner->commit(inner->self, batch, error));
}

static void shared_close(void *self)
{
    struct shared *const shared = self;

    (void)pthread_mutex_lock(&lock);
    shared->inner.close(shared->inner.self);
    (void)pthread_mutex_unlock(&lock);
    free(shared);
}

struct store shared_store(struct store inner, void (*before)(void))
{
    struct shared *const shared = calloc(1, sizeof *shared);

    if (shared == NULL)
        abort();
    *shared = (struct shared){ .inner = inner, .before = before };
    return (struct store){
        .self = shared,
        .get = shared_get,
        .hash_get = shared_hash_get,
        .hash_all = shared_hash_all,
        .sorted_range = shared_sorted_range,
        .members = shared_members,
        .run = shared_run,
        .commit = shared_commit,
        .close = shared_close,
    };
}
