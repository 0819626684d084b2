#include "common/drivers/deployers/facts.h"

#include "common/base/text.h"
#include "common/drivers/deployers/disk.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { FACTS_SIZE_MAX = 16 * 1024 };

/* The last line, so that half a file is seen as such. */
#define LAST_LINE "end=yes"

void facts_add(struct arena *arena, struct facts *facts, const char *name, const char *value)
{
    facts->items =
        pb_grow(arena, (const void *)facts->items, facts->count, sizeof *facts->items);
    facts->items[facts->count++] = pb_pair_new(arena, name, value != NULL ? value : "");
}

const char *facts_get(const struct facts *facts, const char *name)
{
    return pb_pair(facts->items, facts->count, name);
}

bool fence_parse(const char *text, Pb__Fence *ret)
{
    char *end;

    pb__fence__init(ret);
    if (!isdigit((unsigned char)*text))
        return false;
    ret->grant = strtoull(text, &end, 10);
    if (*end != '.' || !isdigit((unsigned char)end[1]))
        return false;
    ret->version = strtoull(end + 1, &end, 10);
    return *end == '\0';
}

Pb__Fence facts_fence(const struct facts *facts, const char *name)
{
    Pb__Fence fence;

    if (!fence_parse(facts_get(facts, name), &fence))
        pb__fence__init(&fence);
    return fence;
}

static enum err parse_line(struct arena *arena,
                           struct facts *facts,
                           const char *line,
                           size_t length)
{
    const char *const equals = memchr(line, '=', length);

    if (equals == NULL)
        return ERR_INVALID;
    facts_add(arena,
              facts,
              arena_copy(arena, line, (size_t)(equals - line)),
              arena_copy(arena, equals + 1, length - (size_t)(equals - line) - 1));
    return ERR_OK;
}

enum err facts_parse(struct arena *arena,
                     const char *path,
                     const char *line,
                     struct facts *ret,
                     struct error *error)
{
    struct facts facts = { 0 };
    enum err err = ERR_OK;

    while (err == ERR_OK && *line != '\0') {
        const size_t length = strcspn(line, "\n");

        err = parse_line(arena, &facts, line, length);
        line += length + (line[length] == '\n');
    }
    if (err != ERR_OK || !pb_same(facts_get(&facts, "end"), "yes"))
        return error_set(error, ERR_INVALID, "%s is damaged: repair or remove it", path);
    *ret = facts;
    return ERR_OK;
}

enum err facts_read(struct arena *arena,
                    const char *path,
                    struct facts *ret,
                    struct error *error)
{
    const char *text;
    const enum err err = disk_read(arena, path, FACTS_SIZE_MAX, &text, error);

    return err == ERR_OK ? facts_parse(arena, path, text, ret, error) : err;
}

static bool is_one_line(const char *value)
{
    for (; *value != '\0'; value++)
        if (iscntrl((unsigned char)*value))
            return false;
    return true;
}

enum err facts_text(struct arena *arena,
                    const char *path,
                    const struct facts *facts,
                    const char **ret,
                    struct error *error)
{
    struct text text = text_new(FACTS_SIZE_MAX);
    enum err err = ERR_OK;

    for (size_t i = 0; i < facts->count && err == ERR_OK; i++) {
        text_add(&text, "%s=%s\n", facts->items[i]->key, facts->items[i]->value);
        if (!is_one_line(facts->items[i]->value))
            err = error_set(
                error, ERR_INVALID, "%s: %s is not one line", path, facts->items[i]->key);
    }
    text_add(&text, LAST_LINE "\n");
    if (err == ERR_OK && !text_ok(&text))
        err = error_set(error, ERR_TOO_LARGE, "%s would be too large", path);
    if (err == ERR_OK)
        *ret = arena_copy(arena, text.bytes, text.length);
    text_release(&text);
    return err;
}

enum err facts_write(struct arena *arena,
                     const char *stage,
                     const char *path,
                     const struct facts *facts,
                     struct error *error)
{
    const char *text;
    const enum err err = facts_text(arena, path, facts, &text, error);

    return err == ERR_OK ? disk_write(stage, path, text, error) : err;
}
