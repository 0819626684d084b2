/* The shared store, as a table of functions: common/adapters/redis for the world,
 * common/adapters/memory for tests. Both pass tests/contract/store.
 *
 * One struct store belongs to one thread. Keys and fields are text, values are bytes.
 * All writes go through commit(), absolute and keyed, so that repeating one is harmless. */
#ifndef COMMON_PORTS_STORE_H
#define COMMON_PORTS_STORE_H

#include "common/base/arena.h"
#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_value {
    const char *bytes; /* NUL-terminated beside its length; NULL: no such key or field. */
    size_t length;
};

struct store_field {
    const char *name;
    struct store_value value;
};

struct store_member {
    const char *name;
    int64_t score;
};

enum store_op_kind {
    STORE_SET,           /* key, value */
    STORE_SET_EXPIRES,   /* key, value, score = milliseconds to live */
    STORE_ADD_EXPIRES,   /* The same; nothing if there is such a key already. */
    STORE_DELETE,        /* key */
    STORE_HASH_SET,      /* key, field, value */
    STORE_HASH_DELETE,   /* key, field */
    STORE_SORTED_ADD,    /* key, field = member, score */
    STORE_SORTED_REMOVE, /* key, field = member */
    STORE_MEMBER_ADD,    /* key, field = member */
    STORE_MEMBER_REMOVE, /* key, field = member */
};

/* Everything borrowed until commit returns. */
struct store_op {
    enum store_op_kind kind;
    const char *key;
    const char *field;
    struct store_value value;
    int64_t score;
};

/* A field of the guard's hash that must be so; expected NULL: must be absent. */
struct store_guard {
    const char *key;
    const char *field;
    const char *expected;
};

struct store_batch {
    const struct store_guard *guards;
    size_t guard_count;
    const struct store_op *ops;
    size_t op_count;
    const char *run; /* Of the server (store.run), as a guard; NULL: of any. */
};

struct store_range {
    const char *key;
    int64_t min;
    int64_t max;
    int limit; /* Negative: highest first, at most -limit. */
};

struct store {
    void *self;

    /* ret->bytes is NULL when there is no such key. */
    enum err (*get)(void *self,
                    struct arena *arena,
                    const char *key,
                    struct store_value *ret,
                    struct error *error);

    enum err (*hash_get)(void *self,
                         struct arena *arena,
                         const char *key,
                         const char *field,
                         struct store_value *ret,
                         struct error *error);

    /* All fields, in no order. No such key: none. */
    enum err (*hash_all)(void *self,
                         struct arena *arena,
                         const char *key,
                         struct store_field **ret,
                         size_t *ret_count,
                         struct error *error);

    /* Members with min <= score <= max, as range->limit says. */
    enum err (*sorted_range)(void *self,
                             struct arena *arena,
                             const struct store_range *range,
                             struct store_member **ret,
                             size_t *ret_count,
                             struct error *error);

    /* All members of a set, in no order. */
    enum err (*members)(void *self,
                        struct arena *arena,
                        const char *key,
                        const char ***ret,
                        size_t *ret_count,
                        struct error *error);

    /* Which run of the server answers now: another one after it was started again, or after a
     * replica took its place; then it may have forgotten what was written last. Borrowed until
     * the next call of anything here. "" if the server does not say. */
    enum err (*run)(void *self, const char **ret, struct error *error);

    /* Everything or nothing: if all guards hold, carry out the ops in order. ERR_CONFLICT when
     * a guard does not hold (nothing written). ERR_TIMED_OUT: unknown, read before going on. */
    enum err (*commit)(void *self, const struct store_batch *batch, struct error *error);

    void (*close)(void *self);
};

#endif
