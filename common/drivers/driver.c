#include "common/drivers/driver.h"

#include "common/base/text.h"

#include <string.h>
#include <unistd.h>

enum { EXPANDED_MAX = 1024 * 1024, FOLDER_MAX = 4096 };

void *driver_config(struct arena *arena,
                    const struct option *options,
                    size_t config_size,
                    struct yaml_node *node,
                    struct yaml_problems *problems)
{
    void *const config = arena_alloc(arena, config_size > 0 ? config_size : 1);

    return options_read(options, node, config, problems) == ERR_OK ? config : NULL;
}

const char *driver_path(const struct driver_env *env, const char *path)
{
    const char *const file = env->settings != NULL ? env->settings->file : "";
    const char *const slash = strrchr(file, '/');
    char here[FOLDER_MAX];

    if (path[0] == '/' || path[0] == '\0')
        return path;
    if (slash != NULL)
        path = arena_printf(env->arena, "%.*s/%s", (int)(slash - file), file, path);
    if (path[0] == '/' || getcwd(here, sizeof here) == NULL)
        return path;
    return arena_printf(env->arena, "%s/%s", here, path);
}

/* Length of the UTF-8 character at bytes, 0 if there is none. */
static size_t character_length(const char *bytes, size_t length)
{
    for (size_t n = 1; n <= 4 && n <= length; n++) {
        char character[5] = { 0 };

        memcpy(character, bytes, n);
        if (strlen(character) == n && text_is_utf8(character))
            return n;
    }
    return 0;
}

const char *driver_excerpt(struct arena *arena, const char *bytes, size_t length, size_t max)
{
    char *const copy = arena_alloc(arena, (length < max ? length : max) + 1);
    size_t kept = 0;

    for (size_t i = 0; i < length;) {
        const size_t n = character_length(bytes + i, length - i);
        const bool blank = n == 1 && (bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\t');
        const bool text =
            n > 1 || (n == 1 && (unsigned char)bytes[i] >= ' ' && bytes[i] != 127);
        const size_t size = text ? n : 1;

        if (kept + size > max)
            break;
        if (text)
            memcpy(copy + kept, bytes + i, size);
        else
            copy[kept] = blank ? ' ' : '?';
        kept += size;
        i += n > 0 ? n : 1;
    }
    while (kept > 0 && copy[kept - 1] == ' ')
        kept--;
    copy[kept] = '\0';
    return copy;
}

enum err driver_problems(const struct yaml_problems *problems, struct error *error)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct yaml_problem *const problem = &problems->item[i];

        if (!problem->warning)
            return error_set(error,
                             ERR_INVALID,
                             "%s:%d:%d: %s%s",
                             problem->file,
                             problem->line,
                             problem->column,
                             problem->message,
                             problems->errors > 1 ? " (and more: see --check-config)" : "");
    }
    return ERR_OK;
}

bool driver_stopped(const struct driver_env *env)
{
    return env->stopped != NULL && env->stopped(env->stopped_self);
}

/* The pair whose name stands between the braces at text, or NULL. */
static const Pb__Pair *pair_at(const char *text,
                               size_t length,
                               Pb__Pair *const *values,
                               size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(values[i]->key) == length && memcmp(values[i]->key, text, length) == 0)
            return values[i];
    return NULL;
}

const char *driver_expand(struct arena *arena,
                          const char *text,
                          Pb__Pair *const *values,
                          size_t count)
{
    struct text out = text_new(EXPANDED_MAX);
    const char *expanded;

    while (*text != '\0') {
        const char *const end = *text == '{' ? strchr(text, '}') : NULL;
        const Pb__Pair *const pair =
            end != NULL ? pair_at(text + 1, (size_t)(end - text - 1), values, count) : NULL;

        if (pair == NULL) {
            text_add_char(&out, *text++);
            continue;
        }
        text_add(&out, "%s", pair->value);
        text = end + 1;
    }
    expanded = arena_copy(arena, out.bytes, out.length);
    text_release(&out);
    return expanded;
}

const char *const *driver_argv(const struct driver_env *env,
                               const struct option_texts *words,
                               Pb__Pair *const *values,
                               size_t count)
{
    const char **const argv = arena_alloc(env->arena, (words->count + 1) * sizeof *argv);

    for (size_t i = 0; i < words->count; i++)
        argv[i] = driver_expand(env->arena, words->items[i], values, count);
    if (words->count > 0 && strchr(argv[0], '/') != NULL)
        argv[0] = driver_path(env, argv[0]);
    return argv;
}
