#include "common/adapters/memory/heap.h"

#include <stdlib.h>
#include <string.h>

void *heap_take(size_t size)
{
    void *taken = calloc(1, size > 0 ? size : 1);

    if (taken == NULL)
        abort();
    return taken;
}

void *heap_copy(const void *bytes, size_t length)
{
    if (bytes == NULL)
        return NULL;
    char *copy = heap_take(length + 1);

    memcpy(copy, bytes, length);
    return copy;
}

char *heap_text(const char *text)
{
    return text != NULL ? heap_copy(text, strlen(text)) : NULL;
}

void *heap_room(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return items;
    size_t wanted = *capacity > 0 ? *capacity * 2 : 8;
    char *grown = realloc(items, wanted * item_size);

    if (grown == NULL)
        abort();
    memset(grown + count * item_size, 0, (wanted - count) * item_size);
    *capacity = wanted;
    return grown;
}
