/* Memory for the length of one piece of work: taken piece by piece, given back at once.
 *
 * An arena has a limit. arena_try() answers NULL beyond it, for sizes that a message
 * claims; arena_alloc() aborts, for sizes that the program itself chooses. */
#ifndef COMMON_BASE_ARENA_H
#define COMMON_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* Newest first; owned. */
    size_t used;
    size_t limit;
};

/* An empty arena that will hand out at most limit bytes. Takes no memory yet. */
struct arena arena_with_limit(size_t limit);

/* Frees everything; the arena is empty and usable again. */
void arena_release(struct arena *arena);

/* Keeps the newest chunk for reuse; everything handed out becomes invalid. */
void arena_reset(struct arena *arena);

/* Zeroed, aligned for any type. NULL when the limit would be passed. */
void *arena_try(struct arena *arena, size_t size);

/* Zeroed, aligned for any type; never NULL. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of length bytes and a NUL. */
char *arena_copy(struct arena *arena, const void *bytes, size_t length);

/* A copy of text; of the empty string when text is NULL. */
const char *arena_text(struct arena *arena, const char *text);

/* printf into the arena. */
const char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
