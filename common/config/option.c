#include "common/config/option.h"

#include "common/base/text.h"

#include <string.h>

static const struct type {
    const char *name;     /* For the reference. */
    const char *expected; /* For errors. */
} types[] = {
    [OPTION_END] = { "", "" },
    [OPTION_TEXT] = { "text", "text" },
    [OPTION_COUNT] = { "number", "a whole number" },
    [OPTION_BOOL] = { "true or false", "true or false" },
    [OPTION_DURATION_MS] = { "duration", "a duration such as 250ms, 30s, 5m, 24h, 7d" },
    [OPTION_PERCENT] = { "percent", "a whole number from 0 to 100" },
    [OPTION_MICRO] = { "decimal", "a decimal number with at most six places, such as 0.01" },
    [OPTION_TEXT_LIST] = { "list", "a list of texts" },
    [OPTION_SECRET_FILE] = { "secret file", "the path of a file that holds the secret" },
};

static enum err store_scalar(const struct option *option, const char *text, void *field)
{
    switch (option->type) {
    case OPTION_TEXT:
    case OPTION_SECRET_FILE: *(const char **)field = text; return ERR_OK;
    case OPTION_COUNT: return option_count(text, field);
    case OPTION_BOOL: return option_bool(text, field);
    case OPTION_DURATION_MS: return option_duration_ms(text, field);
    case OPTION_PERCENT: return option_percent(text, field);
    case OPTION_MICRO: return option_micro(text, field);
    case OPTION_TEXT_LIST:
    case OPTION_END: break;
    }
    return ERR_INTERNAL;
}

/* One text stands for a list of one. */
static enum err store_list(struct arena *arena,
                           const struct yaml_node *value,
                           struct option_texts *field)
{
    const size_t count = value->kind == YAML_SCALAR ? 1 : value->count;
    const char **const items = arena_alloc(arena, (count + 1) * sizeof *items);

    if (value->kind == YAML_MAPPING)
        return ERR_INVALID;
    if (value->kind == YAML_SCALAR)
        items[0] = value->text;
    for (size_t i = 0; value->kind == YAML_SEQUENCE && i < count; i++) {
        if (value->items[i]->kind != YAML_SCALAR)
            return ERR_INVALID;
        items[i] = value->items[i]->text;
    }
    *field = (struct option_texts){ items, count };
    return ERR_OK;
}

/* The default as it would be written; lists of defaults are a text without commas. */
static enum err store_fallback(struct arena *arena, const struct option *option, void *field)
{
    struct option_texts *const list = field;

    if (option->type == OPTION_TEXT_LIST) {
        *list = (struct option_texts){ 0 };
        if (*option->fallback != '\0') {
            list->items = arena_alloc(arena, sizeof *list->items);
            list->items[list->count++] = option->fallback;
        }
        return ERR_OK;
    }
    if (*option->fallback == '\0' && option->type != OPTION_TEXT &&
        option->type != OPTION_SECRET_FILE)
        return ERR_OK;
    return store_scalar(option, option->fallback, field);
}

static enum err complain_value(const struct option *option,
                               const struct yaml_node *value,
                               struct yaml_problems *problems)
{
    const char *const expected = types[option->type].expected;

    if (value->kind != YAML_SCALAR)
        return yaml_complain(problems,
                             value,
                             expected,
                             "%s is a %s",
                             value->path,
                             value->kind == YAML_MAPPING ? "mapping" : "list");
    if (value->text[0] == '\0')
        return yaml_complain(problems, value, expected, "%s is empty", value->path);
    return yaml_complain(problems, value, expected, "%s is %.80s", value->path, value->text);
}

static enum err read_option(const struct option *option,
                            const struct yaml_node *mapping,
                            void *config,
                            struct yaml_problems *problems)
{
    const struct yaml_node *const value = yaml_get(mapping, option->name);
    void *const field = (char *)config + option->offset;
    enum err err;

    if (value == NULL && option->fallback == NULL)
        return yaml_complain(problems,
                             mapping,
                             option->help,
                             "%s%s%s is missing",
                             mapping != NULL ? mapping->path : "",
                             mapping != NULL && *mapping->path != '\0' ? "." : "",
                             option->name);
    if (value == NULL)
        return store_fallback(problems->arena, option, field);
    if (option->type == OPTION_TEXT_LIST)
        err = store_list(problems->arena, value, field);
    else if (value->kind != YAML_SCALAR || (option->fallback == NULL && *value->text == '\0'))
        err = ERR_INVALID;
    else
        err = store_scalar(option, value->text, field);
    return err == ERR_OK ? ERR_OK : complain_value(option, value, problems);
}

enum err options_read(const struct option *options,
                      const struct yaml_node *mapping,
                      void *config,
                      struct yaml_problems *problems)
{
    enum err err = ERR_OK;

    if (mapping != NULL && mapping->kind != YAML_MAPPING)
        return yaml_complain(problems,
                             mapping,
                             "keys and values",
                             "%s must be a mapping",
                             *mapping->path != '\0' ? mapping->path : "the file");
    for (const struct option *option = options; option->type != OPTION_END; option++)
        if (read_option(option, mapping, config, problems) != ERR_OK)
            err = ERR_INVALID;
    return err;
}

void options_reference(const struct option *options, struct text *out)
{
    for (const struct option *option = options; option->type != OPTION_END; option++) {
        text_add(out, ".TP\n\\fB%s\\fR: %s", option->name, types[option->type].name);
        if (option->fallback == NULL)
            text_add(out, " (required)");
        else if (*option->fallback != '\0')
            text_add(out, " (\\fB%s\\fR)", option->fallback);
        text_add(out, "\n%s\n", option->help);
    }
}
