#include "common/adapters/redis/store.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT = 6379, TIMEOUT_MS = 2000, GUARDS_LIMIT = 1024 * 1024, NUMBER_SIZE = 24 };

static enum err too_large(const char *key, struct error *error)
{
    return error_set(error, ERR_TOO_LARGE, "redis: what %s holds is too large", key);
}

static enum err unexpected(const char *key, struct error *error)
{
    return error_set(error, ERR_INTERNAL, "redis: an unexpected answer about %s", key);
}

/* A copy with a NUL behind it; NULL when the arena cannot take it. */
static const char *bytes_copy(struct arena *arena, const redisReply *answer)
{
    char *copy = arena_try(arena, (size_t)answer->len + 1);

    if (copy != NULL)
        memcpy(copy, answer->str, (size_t)answer->len);
    return copy;
}

static enum err value_take(struct arena *arena,
                           const redisReply *answer,
                           const char *key,
                           struct store_value *ret,
                           struct error *error)
{
    if (answer->type == REDIS_REPLY_NIL) {
        *ret = (struct store_value){ 0 };
        return ERR_OK;
    }
    if (answer->type != REDIS_REPLY_STRING)
        return unexpected(key, error);
    const char *copy = bytes_copy(arena, answer);

    if (copy == NULL)
        return too_large(key, error);
    *ret = (struct store_value){ copy, (size_t)answer->len };
    return ERR_OK;
}

static enum err store_get(void *self,
                          struct arena *arena,
                          const char *key,
                          struct store_value *ret,
                          struct error *error)
{
    struct redis_store *store = self;
    const struct link_word words[] = { link_text("GET"), link_text(key) };
    redisReply *answer = NULL;
    enum err err = link_ask(&store->link, words, 2, &answer, error);

    if (err != ERR_OK)
        return err;
    err = value_take(arena, answer, key, ret, error);
    freeReplyObject(answer);
    return err;
}

static enum err store_hash_get(void *self,
                               struct arena *arena,
                               const char *key,
                               const char *field,
                               struct store_value *ret,
                               struct error *error)
{
    struct redis_store *store = self;
    const struct link_word words[] = { link_text("HGET"), link_text(key), link_text(field) };
    redisReply *answer = NULL;
    enum err err = link_ask(&store->link, words, 3, &answer, error);

    if (err != ERR_OK)
        return err;
    err = value_take(arena, answer, key, ret, error);
    freeReplyObject(answer);
    return err;
}

/* An answer that is a list, with room for count items of item_size; *ret_items NULL if it is
 * empty. The answer must be freed whenever it is not NULL. */
static enum err list_ask(struct redis_store *store,
                         const struct link_word *words,
                         size_t count,
                         redisReply **ret_answer,
                         struct error *error)
{
    enum err err = link_ask(&store->link, words, count, ret_answer, error);

    if (err != ERR_OK || (*ret_answer)->type == REDIS_REPLY_ARRAY)
        return err;
    return unexpected(words[1].bytes, error);
}

static enum err fields_take(struct arena *arena,
                            const redisReply *answer,
                            const char *key,
                            struct store_field *fields,
                            struct error *error)
{
    enum err err = fields != NULL ? ERR_OK : too_large(key, error);

    for (size_t i = 0; i + 1 < answer->elements && err == ERR_OK; i += 2) {
        struct store_field *field = &fields[i / 2];

        field->name = bytes_copy(arena, answer->element[i]);
        err = value_take(arena, answer->element[i + 1], key, &field->value, error);
        if (field->name == NULL)
            err = too_large(key, error);
    }
    return err;
}

static enum err store_hash_all(void *self,
                               struct arena *arena,
                               const char *key,
                               struct store_field **ret,
                               size_t *ret_count,
                               struct error *error)
{
    const struct link_word words[] = { link_text("HGETALL"), link_text(key) };
    redisReply *answer = NULL;
    enum err err = list_ask(self, words, 2, &answer, error);

    if (err == ERR_OK) {
        size_t count = answer->elements / 2;
        struct store_field *fields = arena_try(arena, (count + 1) * sizeof *fields);

        err = fields_take(arena, answer, key, fields, error);
        if (err == ERR_OK) {
            *ret = fields;
            *ret_count = count;
        }
    }
    if (answer != NULL)
        freeReplyObject(answer);
    return err;
}

static const char *bound(int64_t score, char number[NUMBER_SIZE])
{
    if (score == INT64_MIN)
        return "-inf";
    if (score == INT64_MAX)
        return "+inf";
    snprintf(number, NUMBER_SIZE, "%" PRId64, score);
    return number;
}

/* Redis writes large scores as floating-point numbers do: 1e+18. */
static enum err members_scored_take(struct arena *arena,
                                    const redisReply *answer,
                                    const char *key,
                                    struct store_member *members,
                                    struct error *error)
{
    if (members == NULL)
        return too_large(key, error);
    for (size_t i = 0; i + 1 < answer->elements; i += 2) {
        members[i / 2] = (struct store_member){
            .name = bytes_copy(arena, answer->element[i]),
            .score = (int64_t)strtod(answer->element[i + 1]->str, NULL),
        };
        if (members[i / 2].name == NULL)
            return too_large(key, error);
    }
    return ERR_OK;
}

static enum err store_sorted_range(void *self,
                                   struct arena *arena,
                                   const struct store_range *range,
                                   struct store_member **ret,
                                   size_t *ret_count,
                                   struct error *error)
{
    char low[NUMBER_SIZE], high[NUMBER_SIZE], limit[NUMBER_SIZE];
    const char *min = bound(range->min, low), *max = bound(range->max, high);
    bool down = range->limit < 0;
    redisReply *answer = NULL;

    snprintf(limit, sizeof limit, "%lld", llabs((long long)range->limit));
    const struct link_word words[] = {
        link_text(down ? "ZREVRANGEBYSCORE" : "ZRANGEBYSCORE"),
        link_text(range->key),
        link_text(down ? max : min),
        link_text(down ? min : max),
        link_text("WITHSCORES"),
        link_text("LIMIT"),
        link_text("0"),
        link_text(limit),
    };
    enum err err = list_ask(self, words, sizeof words / sizeof words[0], &answer, error);

    if (err == ERR_OK) {
        size_t count = answer->elements / 2;
        struct store_member *members = arena_try(arena, (count + 1) * sizeof *members);

        err = members_scored_take(arena, answer, range->key, members, error);
        if (err == ERR_OK) {
            *ret = members;
            *ret_count = count;
        }
    }
    if (answer != NULL)
        freeReplyObject(answer);
    return err;
}

static enum err names_take(struct arena *arena,
                           const redisReply *answer,
                           const char *key,
                           const char **names,
                           struct error *error)
{
    if (names == NULL)
        return too_large(key, error);
    for (size_t i = 0; i < answer->elements; i++) {
        names[i] = bytes_copy(arena, answer->element[i]);
        if (names[i] == NULL)
            return too_large(key, error);
    }
    return ERR_OK;
}

static enum err store_members(void *self,
                              struct arena *arena,
                              const char *key,
                              const char ***ret,
                              size_t *ret_count,
                              struct error *error)
{
    const struct link_word words[] = { link_text("SMEMBERS"), link_text(key) };
    redisReply *answer = NULL;
    enum err err = list_ask(self, words, 2, &answer, error);

    if (err == ERR_OK) {
        const char **names = arena_try(arena, (answer->elements + 1) * sizeof *names);

        err = names_take(arena, answer, key, names, error);
        if (err == ERR_OK) {
            *ret = names;
            *ret_count = answer->elements;
        }
    }
    if (answer != NULL)
        freeReplyObject(answer);
    return err;
}

static void store_close(void *self)
{
    struct redis_store *store = self;

    if (store == NULL)
        return;
    link_drop(&store->link);
    free(store->link.host);
    free(store->link.socket);
    free(store->link.user);
    free(store->link.password);
    arena_release(&store->guards.arena);
    free(store);
}

/* hiredis writes to sockets with write(): a server that has gone would end the process. */
static void sigpipe_ignore(void)
{
    struct sigaction action;

    if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
        action.sa_handler = SIG_IGN;
        sigaction(SIGPIPE, &action, NULL);
    }
}

static enum err store_run(void *self, const char **ret, struct error *error)
{
    struct redis_store *store = self;
    const enum err err = link_ready(&store->link, error);

    if (err == ERR_OK)
        *ret = store->link.run;
    return err;
}

/* False: no memory. */
static bool text_keep(const char *text, char **ret)
{
    *ret = text != NULL && text[0] != '\0' ? strdup(text) : NULL;
    return *ret != NULL || text == NULL || text[0] == '\0';
}

enum err redis_store_open(const struct redis_options *options,
                          struct store *ret,
                          struct error *error)
{
    struct redis_store *store = calloc(1, sizeof *store);

    if (store == NULL)
        return error_set(error, ERR_INTERNAL, "redis: no memory");
    struct link *link = &store->link;

    link->port = options->port > 0 ? options->port : PORT;
    link->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS;
    store->guards.arena = arena_with_limit(GUARDS_LIMIT);
    if (!text_keep(options->host != NULL ? options->host : "127.0.0.1", &link->host) ||
        !text_keep(options->socket, &link->socket) || !text_keep(options->user, &link->user) ||
        !text_keep(options->password, &link->password)) {
        store_close(store);
        return error_set(error, ERR_INTERNAL, "redis: no memory");
    }
    sigpipe_ignore();
    *ret = (struct store){
        .self = store,
        .get = store_get,
        .hash_get = store_hash_get,
        .hash_all = store_hash_all,
        .sorted_range = store_sorted_range,
        .members = store_members,
        .run = store_run,
        .commit = redis_commit,
        .close = store_close,
    };
    return ERR_OK;
}
