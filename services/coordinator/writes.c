#include "services/coordinator/writes.h"

#include <string.h>

static struct store_op *add(struct writes *writes, enum store_op_kind kind, const char *key)
{
    struct store_op *op;

    if (writes->count == writes->capacity) {
        const size_t capacity = writes->capacity == 0 ? 64 : 2 * writes->capacity;
        struct store_op *const ops = arena_alloc(writes->arena, capacity * sizeof *ops);

        if (writes->count > 0)
            memcpy(ops, writes->ops, writes->count * sizeof *ops);
        writes->ops = ops;
        writes->capacity = capacity;
    }
    op = &writes->ops[writes->count++];
    *op = (struct store_op){ .kind = kind, .key = key };
    return op;
}

static struct store_value value_of(struct pb_bytes bytes)
{
    /* An empty message packs to nothing, which is still a value. */
    if (bytes.length == 0)
        return (struct store_value){ "", 0 };
    return (struct store_value){ (const char *)bytes.bytes, bytes.length };
}

void writes_set(struct writes *writes, const char *key, struct pb_bytes bytes)
{
    add(writes, STORE_SET, key)->value = value_of(bytes);
}

void writes_add_expires(struct writes *writes, const char *key, const char *text, int64_t ms)
{
    struct store_op *const op = add(writes, STORE_ADD_EXPIRES, key);

    op->value = (struct store_value){ text, strlen(text) };
    op->score = ms;
}

void writes_delete(struct writes *writes, const char *key)
{
    (void)add(writes, STORE_DELETE, key);
}

void writes_hash(struct writes *writes,
                 const char *key,
                 const char *field,
                 struct pb_bytes bytes)
{
    struct store_op *const op = add(writes, STORE_HASH_SET, key);

    op->field = field;
    op->value = value_of(bytes);
}

void writes_hash_text(struct writes *writes,
                      const char *key,
                      const char *field,
                      const char *text)
{
    struct store_op *const op = add(writes, STORE_HASH_SET, key);

    op->field = field;
    op->value = (struct store_value){ text, strlen(text) };
}

void writes_hash_int(struct writes *writes, const char *key, const char *field, int64_t number)
{
    writes_hash_text(
        writes, key, field, arena_printf(writes->arena, "%lld", (long long)number));
}

void writes_hash_delete(struct writes *writes, const char *key, const char *field)
{
    add(writes, STORE_HASH_DELETE, key)->field = field;
}

void writes_sorted(struct writes *writes, const char *key, const char *member, int64_t score)
{
    struct store_op *const op = add(writes, STORE_SORTED_ADD, key);

    op->field = member;
    op->score = score;
}

void writes_sorted_remove(struct writes *writes, const char *key, const char *member)
{
    add(writes, STORE_SORTED_REMOVE, key)->field = member;
}

void writes_member(struct writes *writes, const char *key, const char *member)
{
    add(writes, STORE_MEMBER_ADD, key)->field = member;
}

enum err writes_commit(const struct writes *writes,
                       struct store store,
                       const struct store_guard *guards,
                       size_t guard_count,
                       struct error *error)
{
    const struct store_batch batch = {
        .guards = guards,
        .guard_count = guard_count,
        .ops = writes->ops,
        .op_count = writes->count,
    };

    if (writes->count == 0)
        return ERR_OK;
    return store.commit(store.self, &batch, error);
}

void writes_member_remove(struct writes *writes, const char *key, const char *member)
{
    add(writes, STORE_MEMBER_REMOVE, key)->field = member;
}
