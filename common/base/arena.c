#include "common/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 16 * 1024 };

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

static struct arena_chunk *chunk_with_room(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = arena->chunks;
    size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

    if (chunk != NULL && size <= chunk->size - chunk->used)
        return chunk;
    chunk = malloc(sizeof *chunk + room);
    if (chunk == NULL)
        abort();
    *chunk = (struct arena_chunk){ .older = arena->chunks, .size = room };
    arena->chunks = chunk;
    return chunk;
}

void *arena_try(struct arena *arena, size_t size)
{
    const size_t unit = alignof(max_align_t);
    struct arena_chunk *chunk;
    void *memory;

    if (size > arena->limit - arena->used)
        return NULL;
    size = (size + unit - 1) / unit * unit;
    if (size > arena->limit - arena->used)
        return NULL;
    chunk = chunk_with_room(arena, size);
    memory = chunk->bytes + chunk->used;
    chunk->used += size;
    arena->used += size;
    return memset(memory, 0, size);
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
    char *const copy = arena_alloc(arena, length + 1);

    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

const char *arena_text(struct arena *arena, const char *text)
{
    return text == NULL ? "" : arena_copy(arena, text, strlen(text));
}

const char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *copy;
    int wanted;

    va_start(args, format);
    wanted = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (wanted < 0)
        abort();
    copy = arena_alloc(arena, (size_t)wanted + 1);
    va_start(args, format);
    (void)vsnprintf(copy, (size_t)wanted + 1, format, args);
    va_end(args);
    return copy;
}
