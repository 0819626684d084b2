/* Writing. All ops of a batch travel in one MULTI/EXEC. Guards are watched and read before it;
 * in a row of commits with the same guards (a partition's owner) the watching and reading for
 * the next one rides behind the EXEC of the last, and each commit is one round trip. */
#include "common/adapters/redis/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TRIES = 8, NUMBER_SIZE = 24 };

static const char *const op_commands[] = {
    [STORE_SET] = "SET",         [STORE_SET_EXPIRES] = "SET",
    [STORE_ADD_EXPIRES] = "SET", [STORE_DELETE] = "DEL",
    [STORE_HASH_SET] = "HSET",   [STORE_HASH_DELETE] = "HDEL",
    [STORE_SORTED_ADD] = "ZADD", [STORE_SORTED_REMOVE] = "ZREM",
    [STORE_MEMBER_ADD] = "SADD", [STORE_MEMBER_REMOVE] = "SREM",
};

/* The words behind command and key. Returns how many words there are in all. */
static size_t op_words(const struct store_op *op,
                       char number[NUMBER_SIZE],
                       struct link_word words[])
{
    const struct link_word value = { op->value.bytes, op->value.length };
    size_t count = 2;

    snprintf(number, NUMBER_SIZE, "%" PRId64, op->score);
    switch (op->kind) {
    case STORE_SET: words[count++] = value; break;
    case STORE_SET_EXPIRES:
    case STORE_ADD_EXPIRES:
        words[count++] = value;
        words[count++] = link_text("PX");
        words[count++] = link_text(number);
        if (op->kind == STORE_ADD_EXPIRES)
            words[count++] = link_text("NX");
        break;
    case STORE_DELETE: break;
    case STORE_HASH_SET:
        words[count++] = link_text(op->field);
        words[count++] = value;
        break;
    case STORE_SORTED_ADD:
        words[count++] = link_text(number);
        words[count++] = link_text(op->field);
        break;
    case STORE_HASH_DELETE:
    case STORE_SORTED_REMOVE:
    case STORE_MEMBER_ADD:
    case STORE_MEMBER_REMOVE: words[count++] = link_text(op->field); break;
    }
    return count;
}

/* What lives for no time at all is deleted: Redis refuses PX 0. */
static bool op_send(struct link *link, const struct store_op *op)
{
    const struct store_op gone = { .kind = STORE_DELETE, .key = op->key };
    struct link_word words[LINK_WORDS_MAX];
    char number[NUMBER_SIZE];

    if (op->kind == STORE_SET_EXPIRES && op->score <= 0)
        op = &gone;
    words[0] = link_text(op_commands[op->kind]);
    words[1] = link_text(op->key);
    return link_command(link, words, op_words(op, number, words));
}

static bool word_send(struct link *link, const char *command)
{
    const struct link_word word = link_text(command);

    return link_command(link, &word, 1);
}

static bool batch_send(struct link *link, const struct store_batch *batch)
{
    bool sent = word_send(link, "MULTI");

    for (size_t i = 0; i < batch->op_count && sent; i++)
        sent = op_send(link, &batch->ops[i]);
    return sent && word_send(link, "EXEC");
}

/* What became of each op. */
static enum err executed_judge(const redisReply *answer, struct error *error)
{
    enum err err = ERR_OK;

    if (answer->type == REDIS_REPLY_NIL)
        return ERR_STALE;
    for (size_t i = 0; i < answer->elements && err == ERR_OK; i++)
        err = link_judge(answer->element[i], error);
    return err == ERR_OK ? ERR_OK : ERR_INTERNAL;
}

/* MULTI, each op, EXEC. An op that was refused when it was queued makes EXEC refuse the whole
 * batch: then the op's own word is the reason. */
static enum err batch_answer(struct link *link,
                             const struct store_batch *batch,
                             struct error *error)
{
    enum err refused = ERR_OK;

    for (size_t i = 0; i < batch->op_count + 2; i++) {
        redisReply *answer = NULL;
        struct error later = { 0 };
        enum err err = link_answer(link, &answer, &later);

        if (err != ERR_OK)
            return error_set(error, ERR_TIMED_OUT, "commit in doubt: %s", later.text);
        if (refused == ERR_OK)
            refused = link_judge(answer, error);
        if (refused == ERR_OK && i == batch->op_count + 1)
            refused = executed_judge(answer, error);
        freeReplyObject(answer);
    }
    return refused;
}

/* The link is ready, and guards (if any) are watched and hold. */
static enum err batch_execute(struct redis_store *store,
                              const struct store_batch *batch,
                              struct error *error)
{
    struct link *link = &store->link;
    bool arm = guards_same(&store->guards, batch);
    struct error ignored = { 0 };

    guards_remember(&store->guards, batch);
    if (!batch_send(link, batch) || (arm && !guards_send(link, batch))) {
        link_drop(link);
        return error_set(error, ERR_UNAVAILABLE, "commit: no memory");
    }
    enum err err = batch_answer(link, batch, error);

    /* The commit stands whatever becomes of arming the next one. */
    if (arm && err != ERR_TIMED_OUT && guards_answer(store, batch, true, &ignored) != ERR_OK)
        store->guards.armed = false;
    return err;
}

static void unwatch(struct link *link)
{
    struct error ignored = { 0 };
    redisReply *answer = NULL;

    if (word_send(link, "UNWATCH") && link_answer(link, &answer, &ignored) == ERR_OK)
        freeReplyObject(answer);
}

static enum err run_check(const struct redis_store *store,
                          const struct store_batch *batch,
                          struct error *error)
{
    if (batch->run == NULL || strcmp(batch->run, store->link.run) == 0)
        return ERR_OK;
    return error_set(error,
                     ERR_CONFLICT,
                     "this is run %s of the server, expected %s",
                     store->link.run,
                     batch->run);
}

static enum err guards_check(struct redis_store *store,
                             const struct store_batch *batch,
                             struct error *error)
{
    enum err err = link_ready(&store->link, error);

    /* What was armed is lost with the UNWATCH below, or renewed behind the EXEC. */
    store->guards.armed = false;
    if (err == ERR_OK)
        err = run_check(store, batch, error);
    if (err != ERR_OK || batch->guard_count == 0)
        return err;
    if (!guards_send(&store->link, batch)) {
        link_drop(&store->link);
        return error_set(error, ERR_UNAVAILABLE, "commit: no memory");
    }
    err = guards_answer(store, batch, false, error);
    if (err != ERR_OK && store->link.context != NULL)
        unwatch(&store->link);
    return err;
}

enum err redis_commit(void *self, const struct store_batch *batch, struct error *error)
{
    struct redis_store *store = self;
    enum err err = link_ready(&store->link, error);

    if (err == ERR_OK && guards_hold(store, batch) &&
        run_check(store, batch, error) == ERR_OK) {
        err = batch_execute(store, batch, error);
        if (err != ERR_STALE)
            return err;
    }
    for (int attempt = 0; attempt < TRIES; attempt++) {
        err = guards_check(store, batch, error);
        if (err == ERR_OK)
            err = batch_execute(store, batch, error);
        if (err != ERR_STALE)
            return err;
    }
    return error_set(error,
                     ERR_UNAVAILABLE,
                     "commit: %s changes too fast",
                     batch->guard_count > 0 ? batch->guards[0].key : "store");
}
