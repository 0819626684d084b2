#include "common/adapters/redis/store.h"

#include <string.h>

bool guards_same(const struct redis_guards *guards, const struct store_batch *batch)
{
    if (guards->count == 0 || guards->count != batch->guard_count)
        return false;
    for (size_t i = 0; i < guards->count; i++) {
        if (strcmp(guards->last[i].key, batch->guards[i].key) != 0 ||
            strcmp(guards->last[i].field, batch->guards[i].field) != 0)
            return false;
    }
    return true;
}

static bool equal(const char *found, const char *expected)
{
    if (found == NULL || expected == NULL)
        return found == expected;
    return strcmp(found, expected) == 0;
}

bool guards_hold(const struct redis_store *store, const struct store_batch *batch)
{
    const struct redis_guards *guards = &store->guards;

    if (!guards->armed || guards->connection != store->link.connections ||
        store->link.context == NULL || !guards_same(guards, batch))
        return false;
    for (size_t i = 0; i < guards->count; i++) {
        if (!equal(guards->last[i].expected, batch->guards[i].expected))
            return false;
    }
    return true;
}

void guards_remember(struct redis_guards *guards, const struct store_batch *batch)
{
    guards->armed = false;
    arena_reset(&guards->arena);
    guards->count = batch->guard_count <= GUARDS_MAX ? batch->guard_count : 0;
    for (size_t i = 0; i < guards->count; i++) {
        guards->last[i] = (struct store_guard){
            .key = arena_text(&guards->arena, batch->guards[i].key),
            .field = arena_text(&guards->arena, batch->guards[i].field),
        };
    }
}

bool guards_send(struct link *link, const struct store_batch *batch)
{
    bool sent = true;

    for (size_t i = 0; i < batch->guard_count; i++) {
        const struct link_word watch[] = { link_text("WATCH"),
                                           link_text(batch->guards[i].key) };

        sent &= link_command(link, watch, 2);
    }
    for (size_t i = 0; i < batch->guard_count; i++) {
        const struct link_word read[] = { link_text("HGET"),
                                          link_text(batch->guards[i].key),
                                          link_text(batch->guards[i].field) };

        sent &= link_command(link, read, 3);
    }
    return sent;
}

static enum err guard_compare(const struct store_guard *guard,
                              const redisReply *found,
                              struct error *error)
{
    const char *value = found->type == REDIS_REPLY_STRING ? found->str : NULL;
    enum err err = link_judge(found, error);

    if (err != ERR_OK || (equal(value, guard->expected) &&
                          (value == NULL || strlen(value) == (size_t)found->len)))
        return err;
    return error_set(error,
                     ERR_CONFLICT,
                     "%s %s is %s, expected %s",
                     guard->key,
                     guard->field,
                     value != NULL ? value : "absent",
                     guard->expected != NULL ? guard->expected : "absent");
}

/* A value that cannot be compared as text later must not look as if it could. */
static bool guard_arm(struct redis_guards *guards, size_t index, const redisReply *found)
{
    const char *value = found->type == REDIS_REPLY_STRING ? found->str : NULL;

    if (value != NULL && strlen(value) != (size_t)found->len)
        return false;
    guards->last[index].expected = value != NULL ? arena_text(&guards->arena, value) : NULL;
    return found->type == REDIS_REPLY_STRING || found->type == REDIS_REPLY_NIL;
}

/* One answer, checked or remembered. The first error is the one to tell. */
static enum err answer_take(struct redis_store *store,
                            const struct store_guard *guard,
                            const redisReply *answer,
                            size_t index,
                            struct error *error)
{
    if (guard != NULL)
        return guard_compare(guard, answer, error);
    return guard_arm(&store->guards, index, answer) ? ERR_OK : ERR_STALE;
}

enum err guards_answer(struct redis_store *store,
                       const struct store_batch *batch,
                       bool arm,
                       struct error *error)
{
    enum err first = ERR_OK;

    for (size_t i = 0; i < 2 * batch->guard_count; i++) {
        redisReply *answer = NULL;
        enum err err = link_answer(&store->link, &answer, error);
        size_t index = i - batch->guard_count;

        if (err != ERR_OK)
            return err;
        if (first != ERR_OK)
            err = first;
        else if (i < batch->guard_count)
            err = link_judge(answer, error);
        else
            err = answer_take(store, arm ? NULL : &batch->guards[index], answer, index, error);
        first = err;
        freeReplyObject(answer);
    }
    if (arm && first == ERR_OK) {
        store->guards.armed = true;
        store->guards.connection = store->link.connections;
    }
    return first;
}
