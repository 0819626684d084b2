#include "common/adapters/memory/store.h"

#include "common/adapters/memory/heap.h"
#include "common/adapters/memory/space.h"

#include <stdlib.h>
#include <string.h>

struct memory_store {
    struct memory_space *space;
    struct memory_faults faults;
};

static enum err wrong_kind(const char *key, struct error *error)
{
    return error_set(error, ERR_INTERNAL, "%s holds another kind of value", key);
}

/* The entry of that key if it is of that kind; ret is NULL when there is none. */
static enum err store_read(struct memory_store *store,
                           const char *operation,
                           const char *key,
                           enum space_kind kind,
                           struct space_entry **ret,
                           struct error *error)
{
    if (memory_fault_of(&store->faults, operation, key) != FAULT_NONE)
        return error_set(error, ERR_UNAVAILABLE, "%s of %s: no answer", operation, key);
    *ret = space_find(store->space, key);
    if (*ret != NULL && (*ret)->kind != kind)
        return wrong_kind(key, error);
    return ERR_OK;
}

static struct store_value value_of(struct arena *arena, const struct space_field *field)
{
    if (field == NULL)
        return (struct store_value){ 0 };
    return (struct store_value){ arena_copy(arena, field->bytes, field->length),
                                 field->length };
}

static enum err store_get(void *self,
                          struct arena *arena,
                          const char *key,
                          struct store_value *ret,
                          struct error *error)
{
    struct space_entry *entry;
    enum err err = store_read(self, "get", key, SPACE_VALUE, &entry, error);

    if (err == ERR_OK)
        *ret = value_of(arena, entry != NULL ? entry_find(entry, "") : NULL);
    return err;
}

static enum err store_hash_get(void *self,
                               struct arena *arena,
                               const char *key,
                               const char *field,
                               struct store_value *ret,
                               struct error *error)
{
    struct space_entry *entry;
    enum err err = store_read(self, "hash_get", key, SPACE_HASH, &entry, error);

    if (err == ERR_OK)
        *ret = value_of(arena, entry != NULL ? entry_find(entry, field) : NULL);
    return err;
}

static enum err store_hash_all(void *self,
                               struct arena *arena,
                               const char *key,
                               struct store_field **ret,
                               size_t *ret_count,
                               struct error *error)
{
    struct space_entry *entry;
    enum err err = store_read(self, "hash_all", key, SPACE_HASH, &entry, error);

    if (err != ERR_OK)
        return err;
    *ret_count = entry != NULL ? entry->count : 0;
    *ret = arena_alloc(arena, *ret_count * sizeof **ret);
    for (size_t i = 0; i < *ret_count; i++) {
        (*ret)[i].name = arena_text(arena, entry->fields[i].name);
        (*ret)[i].value = value_of(arena, &entry->fields[i]);
    }
    return ERR_OK;
}

/* As Redis orders a sorted set: by score, then by name. */
static int by_score(const void *left, const void *right)
{
    const struct store_member *a = left, *b = right;

    if (a->score != b->score)
        return a->score < b->score ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void members_reverse(struct store_member *members, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct store_member swapped = members[i];

        members[i] = members[count - 1 - i];
        members[count - 1 - i] = swapped;
    }
}

static enum err store_sorted_range(void *self,
                                   struct arena *arena,
                                   const struct store_range *range,
                                   struct store_member **ret,
                                   size_t *ret_count,
                                   struct error *error)
{
    struct space_entry *entry;
    enum err err = store_read(self, "sorted_range", range->key, SPACE_SORTED, &entry, error);

    if (err != ERR_OK)
        return err;
    size_t all = entry != NULL ? entry->count : 0, count = 0;
    size_t limit = (size_t)llabs((long long)range->limit);
    struct store_member *members = arena_alloc(arena, all * sizeof *members);

    for (size_t i = 0; i < all; i++) {
        const struct space_field *field = &entry->fields[i];

        if (field->score >= range->min && field->score <= range->max)
            members[count++] =
                (struct store_member){ arena_text(arena, field->name), field->score };
    }
    qsort(members, count, sizeof *members, by_score);
    if (range->limit < 0)
        members_reverse(members, count);
    *ret = members;
    *ret_count = count < limit ? count : limit;
    return ERR_OK;
}

static enum err store_members(void *self,
                              struct arena *arena,
                              const char *key,
                              const char ***ret,
                              size_t *ret_count,
                              struct error *error)
{
    struct space_entry *entry;
    enum err err = store_read(self, "members", key, SPACE_SET, &entry, error);

    if (err != ERR_OK)
        return err;
    *ret_count = entry != NULL ? entry->count : 0;
    *ret = arena_alloc(arena, *ret_count * sizeof **ret);
    for (size_t i = 0; i < *ret_count; i++)
        (*ret)[i] = arena_text(arena, entry->fields[i].name);
    return ERR_OK;
}

static enum err guard_check(struct memory_space *space,
                            const struct store_guard *guard,
                            struct error *error)
{
    struct space_entry *entry = space_find(space, guard->key);
    const struct space_field *found = NULL;

    if (entry != NULL && entry->kind != SPACE_HASH)
        return wrong_kind(guard->key, error);
    if (entry != NULL)
        found = entry_find(entry, guard->field);
    if (found == NULL && guard->expected == NULL)
        return ERR_OK;
    if (found != NULL && guard->expected != NULL && found->length == strlen(guard->expected) &&
        memcmp(found->bytes, guard->expected, found->length) == 0)
        return ERR_OK;
    return error_set(error,
                     ERR_CONFLICT,
                     "%s %s is %s, expected %s",
                     guard->key,
                     guard->field,
                     found != NULL ? found->bytes : "absent",
                     guard->expected != NULL ? guard->expected : "absent");
}

static enum space_kind op_kind(const struct store_op *op)
{
    switch (op->kind) {
    case STORE_HASH_SET:
    case STORE_HASH_DELETE: return SPACE_HASH;
    case STORE_SORTED_ADD:
    case STORE_SORTED_REMOVE: return SPACE_SORTED;
    case STORE_MEMBER_ADD:
    case STORE_MEMBER_REMOVE: return SPACE_SET;
    default: return SPACE_VALUE;
    }
}

static enum err op_check(struct memory_space *space,
                         const struct store_op *op,
                         struct error *error)
{
    struct space_entry *entry = space_find(space, op->key);
    bool replaces = op_kind(op) == SPACE_VALUE;

    if (entry != NULL && !replaces && entry->kind != op_kind(op))
        return wrong_kind(op->key, error);
    return ERR_OK;
}

static void op_set(struct memory_space *space, const struct store_op *op)
{
    const char *bytes = op->value.bytes != NULL ? op->value.bytes : "";
    struct space_field field = {
        (char *)(uintptr_t) "", (char *)(uintptr_t)bytes, op->value.length, 0
    };

    if (op->kind == STORE_ADD_EXPIRES && space_find(space, op->key) != NULL)
        return;
    space_drop(space, op->key);
    struct space_entry *entry = space_make(space, op->key, SPACE_VALUE);

    if (op->kind == STORE_SET_EXPIRES || op->kind == STORE_ADD_EXPIRES)
        entry->expires_ms = clock_now_ms(space->clock) + op->score;
    entry_put(entry, &field);
}

static void op_put(struct memory_space *space, const struct store_op *op)
{
    bool valued = op->kind == STORE_HASH_SET;
    const char *bytes = op->value.bytes != NULL ? op->value.bytes : "";
    struct space_field field = { (char *)(uintptr_t)op->field,
                                 valued ? (char *)(uintptr_t)bytes : NULL,
                                 valued ? op->value.length : 0,
                                 op->score };

    entry_put(space_make(space, op->key, op_kind(op)), &field);
}

/* A collection without members is no key, as in Redis. */
static void op_drop(struct memory_space *space, const struct store_op *op)
{
    struct space_entry *entry = space_find(space, op->key);

    if (entry == NULL)
        return;
    entry_drop(entry, op->field);
    if (entry->count == 0)
        space_drop(space, op->key);
}

static void op_apply(struct memory_space *space, const struct store_op *op)
{
    switch (op->kind) {
    case STORE_SET:
    case STORE_SET_EXPIRES:
    case STORE_ADD_EXPIRES: op_set(space, op); break;
    case STORE_DELETE: space_drop(space, op->key); break;
    case STORE_HASH_SET:
    case STORE_SORTED_ADD:
    case STORE_MEMBER_ADD: op_put(space, op); break;
    case STORE_HASH_DELETE:
    case STORE_SORTED_REMOVE:
    case STORE_MEMBER_REMOVE: op_drop(space, op); break;
    }
}

static enum err store_run(void *self, const char **ret, struct error *error)
{
    struct memory_store *store = self;

    if (memory_fault_of(&store->faults, "run", "") != FAULT_NONE)
        return error_set(error, ERR_UNAVAILABLE, "run: no answer");
    *ret = store->space->run;
    return ERR_OK;
}

static const char *batch_name(const struct store_batch *batch)
{
    if (batch->guard_count > 0)
        return batch->guards[0].key;
    return batch->op_count > 0 ? batch->ops[0].key : "";
}

static enum err store_commit(void *self, const struct store_batch *batch, struct error *error)
{
    struct memory_store *store = self;
    enum memory_fault fault = memory_fault_of(&store->faults, "commit", batch_name(batch));
    enum err err = ERR_OK;

    if (fault == FAULT_BEFORE || fault == FAULT_LOST)
        return error_set(error, ERR_UNAVAILABLE, "commit: no answer");
    if (batch->run != NULL && strcmp(batch->run, store->space->run) != 0)
        return error_set(error, ERR_CONFLICT, "this is another run of the store");
    for (size_t i = 0; i < batch->guard_count && err == ERR_OK; i++)
        err = guard_check(store->space, &batch->guards[i], error);
    for (size_t i = 0; i < batch->op_count && err == ERR_OK; i++)
        err = op_check(store->space, &batch->ops[i], error);
    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < batch->op_count; i++)
        op_apply(store->space, &batch->ops[i]);
    store->space->commits++;
    if (fault == FAULT_AFTER)
        return error_set(error, ERR_TIMED_OUT, "commit: answer lost");
    return ERR_OK;
}

struct store memory_store(struct memory_space *space, struct memory_faults faults)
{
    struct memory_store *store = heap_take(sizeof *store);

    store->space = space;
    store->faults = faults;
    return (struct store){
        .self = store,
        .get = store_get,
        .hash_get = store_hash_get,
        .hash_all = store_hash_all,
        .sorted_range = store_sorted_range,
        .members = store_members,
        .run = store_run,
        .commit = store_commit,
        .close = free,
    };
}

void memory_store_move(struct store store, struct memory_space *space)
{
    ((struct memory_store *)store.self)->space = space;
}

static void close_alone(void *self)
{
    struct memory_store *const store = self;

    if (store == NULL)
        return;
    memory_space_free(store->space);
    free(store);
}

struct store memory_store_alone(struct clock_port clock)
{
    struct store store = memory_store(memory_space_new(clock), (struct memory_faults){ 0 });

    store.close = close_alone;
    return store;
}
