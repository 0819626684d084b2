/* Memory that never runs out: tests have no better answer to that than to stop. */
#ifndef COMMON_ADAPTERS_MEMORY_HEAP_H
#define COMMON_ADAPTERS_MEMORY_HEAP_H

#include <stddef.h>

/* Zeroed; freed with free(). */
void *heap_take(size_t size);

/* A copy with a NUL behind it; NULL stays NULL. */
void *heap_copy(const void *bytes, size_t length);
char *heap_text(const char *text);

/* `items` with room for one more than count; the room is zeroed. */
void *heap_room(void *items, size_t count, size_t *capacity, size_t item_size);

#endif
