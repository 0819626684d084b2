#include "services/monitor/core/tally.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

struct slot {
    char *name; /* Owned; NULL: empty. */
    int64_t value;
};

/* Open addressing, at most half full. */
struct tally {
    struct slot *slots;
    size_t size; /* A power of two. */
    size_t count;
    size_t max;
};

static struct slot *slots_new(size_t size)
{
    struct slot *const slots = calloc(size, sizeof *slots);

    if (slots == NULL)
        abort();
    return slots;
}

struct tally *tally_new(size_t max)
{
    struct tally *const tally = calloc(1, sizeof *tally);

    if (tally == NULL)
        abort();
    tally->slots = slots_new(FIRST_SLOTS);
    tally->size = FIRST_SLOTS;
    tally->max = max;
    return tally;
}

void tally_clear(struct tally *tally)
{
    for (size_t i = 0; i < tally->size; i++) {
        free(tally->slots[i].name);
        tally->slots[i] = (struct slot){ 0 };
    }
    tally->count = 0;
}

void tally_free(struct tally *tally)
{
    if (tally == NULL)
        return;
    tally_clear(tally);
    free(tally->slots);
    free(tally);
}

static size_t hash_of(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return (size_t)(hash ^ (hash >> 32));
}

/* Where the name is, or the empty slot where it would be. */
static size_t find(const struct slot *slots, size_t size, const char *name)
{
    size_t at = hash_of(name) & (size - 1);

    while (slots[at].name != NULL && strcmp(slots[at].name, name) != 0)
        at = (at + 1) & (size - 1);
    return at;
}

int64_t tally_get(const struct tally *tally, const char *name)
{
    return tally->slots[find(tally->slots, tally->size, name)].value;
}

static void grow(struct tally *tally)
{
    const size_t size = tally->size * 2;
    struct slot *const slots = slots_new(size);

    for (size_t i = 0; i < tally->size; i++) {
        if (tally->slots[i].name != NULL)
            slots[find(slots, size, tally->slots[i].name)] = tally->slots[i];
    }
    free(tally->slots);
    tally->slots = slots;
    tally->size = size;
}

/* Empties the slot, and moves up those behind it that had to give way to it. */
static void forget(struct tally *tally, size_t at)
{
    const size_t mask = tally->size - 1;

    free(tally->slots[at].name);
    tally->slots[at] = (struct slot){ 0 };
    tally->count--;
    for (size_t i = (at + 1) & mask; tally->slots[i].name != NULL; i = (i + 1) & mask) {
        const struct slot moved = tally->slots[i];

        tally->slots[i] = (struct slot){ 0 };
        tally->slots[find(tally->slots, tally->size, moved.name)] = moved;
    }
}

bool tally_set(struct tally *tally, const char *name, int64_t value)
{
    size_t at = find(tally->slots, tally->size, name);

    if (tally->slots[at].name != NULL) {
        tally->slots[at].value = value;
        if (value == 0)
            forget(tally, at);
        return true;
    }
    if (value == 0)
        return true;
    if (tally->count == tally->max)
        return false;
    if (tally->count * 2 >= tally->size) {
        grow(tally);
        at = find(tally->slots, tally->size, name);
    }
    tally->slots[at].name = malloc(strlen(name) + 1);
    if (tally->slots[at].name == NULL)
        abort();
    memcpy(tally->slots[at].name, name, strlen(name) + 1);
    tally->slots[at].value = value;
    tally->count++;
    return true;
}

size_t tally_count(const struct tally *tally)
{
    return tally->count;
}
