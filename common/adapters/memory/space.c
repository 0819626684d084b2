#include "common/adapters/memory/space.h"

#include "common/adapters/memory/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The index of name in an ordered table, or where it belongs. Both structs begin with it. */
static size_t place(
    const void *items, size_t count, size_t item_size, const char *name, bool *ret_found)
{
    size_t low = 0, high = count;

    *ret_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        char *const *at =
            (char *const *)(const void *)((const char *)items + middle * item_size);
        int order = strcmp(*at, name);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void field_release(struct space_field *field)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a field that was found is there */
    free(field->name);
    free(field->bytes);
}

static void entry_release(struct space_entry *entry)
{
    for (size_t i = 0; i < entry->count; i++)
        field_release(&entry->fields[i]);
    free(entry->fields);
    free(entry->key);
}

struct memory_space *memory_space_new(struct clock_port clock)
{
    struct memory_space *space = heap_take(sizeof *space);

    space->clock = clock;
    (void)snprintf(space->run, sizeof space->run, "run-0");
    return space;
}

void memory_space_clear(struct memory_space *space)
{
    for (size_t i = 0; i < space->count; i++)
        entry_release(&space->entries[i]);
    space->count = 0;
}

void memory_space_free(struct memory_space *space)
{
    if (space == NULL)
        return;
    memory_space_clear(space);
    free(space->entries);
    free(space);
}

struct space_entry *space_find(const struct memory_space *space, const char *key)
{
    bool found;
    size_t at = place(space->entries, space->count, sizeof *space->entries, key, &found);

    if (!found || space->entries[at].expires_ms <= clock_now_ms(space->clock))
        return NULL;
    return &space->entries[at];
}

struct space_entry *space_make(struct memory_space *space,
                               const char *key,
                               enum space_kind kind)
{
    struct space_entry *entry = space_find(space, key);
    bool found;

    if (entry != NULL)
        return entry;
    space_drop(space, key);
    size_t at = place(space->entries, space->count, sizeof *space->entries, key, &found);

    space->entries =
        heap_room(space->entries, space->count, &space->capacity, sizeof *space->entries);
    entry = &space->entries[at];
    memmove(entry + 1, entry, (space->count - at) * sizeof *entry);
    *entry =
        (struct space_entry){ .key = heap_text(key), .kind = kind, .expires_ms = INT64_MAX };
    space->count++;
    return entry;
}

void space_drop(struct memory_space *space, const char *key)
{
    bool found;
    size_t at = place(space->entries, space->count, sizeof *space->entries, key, &found);

    if (!found)
        return;
    struct space_entry *entry = &space->entries[at];

    entry_release(entry);
    space->count--;
    memmove(entry, entry + 1, (space->count - at) * sizeof *entry);
}

struct space_field *entry_find(const struct space_entry *entry, const char *name)
{
    bool found;
    size_t at = place(entry->fields, entry->count, sizeof *entry->fields, name, &found);

    return found ? &entry->fields[at] : NULL;
}

void entry_put(struct space_entry *entry, const struct space_field *field)
{
    bool found;
    size_t at = place(entry->fields, entry->count, sizeof *entry->fields, field->name, &found);

    if (found) {
        field_release(&entry->fields[at]);
    } else {
        entry->fields =
            heap_room(entry->fields, entry->count, &entry->capacity, sizeof *entry->fields);
        memmove(entry->fields + at + 1,
                entry->fields + at,
                (entry->count - at) * sizeof *entry->fields);
        entry->count++;
    }
    entry->fields[at] = (struct space_field){ .name = heap_text(field->name),
                                              .bytes = heap_copy(field->bytes, field->length),
                                              .length = field->length,
                                              .score = field->score };
}

void entry_drop(struct space_entry *entry, const char *name)
{
    bool found;
    size_t at = place(entry->fields, entry->count, sizeof *entry->fields, name, &found);

    if (!found)
        return;
    field_release(&entry->fields[at]);
    entry->count--;
    memmove(entry->fields + at,
            entry->fields + at + 1,
            (entry->count - at) * sizeof *entry->fields);
}

struct memory_space *memory_space_copy(const struct memory_space *space)
{
    struct memory_space *copy = memory_space_new(space->clock);

    memory_space_restore(copy, space);
    return copy;
}

void memory_space_restore(struct memory_space *space, const struct memory_space *copy)
{
    memory_space_clear(space);
    space->runs = (space->runs > copy->runs ? space->runs : copy->runs) + 1;
    (void)snprintf(space->run, sizeof space->run, "run-%u", space->runs);
    for (size_t i = 0; i < copy->count; i++) {
        const struct space_entry *from = &copy->entries[i];
        struct space_entry *to = space_make(space, from->key, from->kind);

        to->expires_ms = from->expires_ms;
        for (size_t f = 0; f < from->count; f++)
            entry_put(to, &from->fields[f]);
    }
}

void memory_space_visit(const struct memory_space *space,
                        void (*visit)(void *self, const char *key),
                        void *self)
{
    for (size_t i = 0; i < space->count; i++) {
        if (space->entries[i].expires_ms > clock_now_ms(space->clock))
            visit(self, space->entries[i].key);
    }
}

uint64_t memory_space_commits(const struct memory_space *space)
{
    return space->commits;
}
