#include "common/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_SIZE = 16 * 1024,
    CHUNK_SIZE_MAX = 1024 * 1024,
    LINE_SIZE = 256, /* Most of what is printed is a key or an id. */
};

struct arena_chunk {
    struct arena_chunk *older;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena arena_with_limit(size_t limit)
{
    return (struct arena){ .limit = limit };
}

static void free_chunks(struct arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct arena_chunk *const older = chunk->older;

        free(chunk);
        chunk = older;
    }
}

void arena_release(struct arena *arena)
{
    free_chunks(arena->chunks);
    arena->chunks = NULL;
    arena->used = 0;
}

void arena_reset(struct arena *arena)
{
    if (arena->chunks != NULL) {
        free_chunks(arena->chunks->older);
        arena->chunks->older = NULL;
        arena->chunks->used = 0;
    }
    arena->used = 0;
}

/* Each chunk twice as large as the one before: long work asks for memory a few times only. */
static size_t chunk_size(const struct arena_chunk *before, size_t size)
{
    size_t room = CHUNK_SIZE;

    if (before != NULL && before->size >= CHUNK_SIZE)
        room = before->size < CHUNK_SIZE_MAX / 2 ? before->size * 2 : CHUNK_SIZE_MAX;
    return size > room ? size : room;
}

static struct arena_chunk *chunk_with_room(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = arena->chunks;
    size_t room;

    if (chunk != NULL && size <= chunk->size - chunk->used)
        return chunk;
    room = chunk_size(chunk, size);
    chunk = malloc(sizeof *chunk + room);
    if (chunk == NULL)
        abort();
    *chunk = (struct arena_chunk){ .older = arena->chunks, .size = room };
    arena->chunks = chunk;
    return chunk;
}

/* Not zeroed; NULL when the limit would be passed. */
static void *take(struct arena *arena, size_t *size)
{
    const size_t unit = alignof(max_align_t);
    struct arena_chunk *chunk;
    void *memory;

    if (*size > arena->limit - arena->used)
        return NULL;
    *size = (*size + unit - 1) / unit * unit;
    if (*size > arena->limit - arena->used)
        return NULL;
    chunk = chunk_with_room(arena, *size);
    memory = chunk->bytes + chunk->used;
    chunk->used += *size;
    arena->used += *size;
    return memory;
}

void *arena_try(struct arena *arena, size_t size)
{
    void *const memory = take(arena, &size);

    return memory != NULL ? memset(memory, 0, size) : NULL;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *const memory = arena_try(arena, size > 0 ? size : 1);

    if (memory == NULL)
        abort();
    return memory;
}

char *arena_copy(struct arena *arena, const void *bytes, size_t length)
{
    size_t size = length + 1;
    char *const copy = take(arena, &size);

    if (copy == NULL)
        abort();
    if (length > 0)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

const char *arena_text(struct arena *arena, const char *text)
{
    return text == NULL ? "" : arena_copy(arena, text, strlen(text));
}

const char *arena_printf(struct arena *arena, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list args;
    char *copy;
    int wanted;

    va_start(args, format);
    wanted = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (wanted < 0)
        abort();
    if ((size_t)wanted < sizeof line)
        return arena_copy(arena, line, (size_t)wanted);
    copy = arena_alloc(arena, (size_t)wanted + 1);
    va_start(args, format);
    (void)vsnprintf(copy, (size_t)wanted + 1, format, args);
    va_end(args);
    return copy;
}
