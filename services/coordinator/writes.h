/* Writes to Redis, collected piece by piece for one commit. Absolute and keyed, in order. */
#ifndef SERVICES_COORDINATOR_WRITES_H
#define SERVICES_COORDINATOR_WRITES_H

#include "common/ports/store.h"
#include "common/state/keys.h"
#include "common/wire/pb.h"

/* Everything in the arena. Start with { .arena, .prefix, .partition }. */
struct writes {
    struct arena *arena;
    const char *prefix;
    int32_t partition;
    struct store_op *ops;
    size_t count;
    size_t capacity;
};

void writes_set(struct writes *writes, const char *key, struct pb_bytes bytes);

/* If there is no such key yet: the first stands. */
void writes_add_expires(struct writes *writes, const char *key, const char *text, int64_t ms);
void writes_delete(struct writes *writes, const char *key);
void writes_hash(struct writes *writes,
                 const char *key,
                 const char *field,
                 struct pb_bytes bytes);
void writes_hash_text(struct writes *writes,
                      const char *key,
                      const char *field,
                      const char *text);
void writes_hash_int(struct writes *writes, const char *key, const char *field, int64_t number);
void writes_hash_delete(struct writes *writes, const char *key, const char *field);
void writes_sorted(struct writes *writes, const char *key, const char *member, int64_t score);
void writes_sorted_remove(struct writes *writes, const char *key, const char *member);
void writes_member(struct writes *writes, const char *key, const char *member);
void writes_member_remove(struct writes *writes, const char *key, const char *member);

/* Carry them out if the guards hold. The writes stay as they are. */
enum err writes_commit(const struct writes *writes,
                       struct store store,
                       const struct store_guard *guards,
                       size_t guard_count,
                       struct error *error) MUST_CHECK;

#endif
