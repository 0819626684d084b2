#include "tests/support/edited.h"

#include "common/base/text.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 512 * 1024 };

static const char *replaced(
    struct arena *arena, const char *text, const char *was, const char *now, bool every)
{
    struct text out = text_new(2 * FILE_MAX);
    const char *found, *result;

    while (*was != '\0' && (found = strstr(text, was)) != NULL) {
        text_add_bytes(&out, text, (size_t)(found - text));
        text_add_bytes(&out, now, strlen(now));
        text = found + strlen(was);
        if (!every)
            break;
    }
    text_add_bytes(&out, text, strlen(text));
    assert_true(text_ok(&out));
    result = arena_text(arena, out.bytes);
    text_release(&out);
    return result;
}

const char *edited_text(struct arena *arena, const char *text, const char *was, const char *now)
{
    return replaced(arena, text, was, now, true);
}

const char *edited_file(struct arena *arena, const char *path, const char *was, const char *now)
{
    FILE *const file = fopen(path, "rb");
    char *const bytes = arena_alloc(arena, FILE_MAX);

    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    (void)fread(bytes, 1, FILE_MAX - 1, file);
    (void)fclose(file);
    if (*was != '\0' && strstr(bytes, was) == NULL)
        fail_msg("%s does not hold: %s", path, was);
    return replaced(arena, bytes, was, now, false);
}
