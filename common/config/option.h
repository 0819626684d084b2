/* Settings, declared as a table beside the struct they fill.
 *
 * The table is the only place a setting exists: parsing, defaults, errors with file and line,
 * and the generated reference (tests/lint, README) are all read from it. A setting whose field
 * has the wrong type does not compile. */
#ifndef COMMON_CONFIG_OPTION_H
#define COMMON_CONFIG_OPTION_H

#include "common/config/yaml.h"

#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_END,
    OPTION_TEXT,        /* const char * */
    OPTION_COUNT,       /* uint32_t */
    OPTION_BOOL,        /* bool */
    OPTION_DURATION_MS, /* int64_t; "250ms", "30s", "5m", "24h" */
    OPTION_PERCENT,     /* uint32_t, 0 to 100, "%" allowed */
    OPTION_MICRO,       /* int64_t millionths, from a decimal number: "0.01", "1 %" is 0.01 */
    OPTION_TEXT_LIST,   /* struct option_texts */
    OPTION_SECRET_FILE, /* const char *: path of a file; read when used, never shown */
};

struct option_texts {
    const char **items;
    size_t count;
};

struct option {
    enum option_type type;
    const char *name;     /* YAML key. */
    const char *fallback; /* As it would be written; NULL: required; "": absent is fine. */
    size_t offset;
    const char *help; /* One line for the reference. */
};

/* Comparing pointers of unlike type is a compile error under -Werror. */
#define OPTION_FIELD(S, field, type)                                                           \
    (offsetof(S, field) + 0 * sizeof(&((S *)0)->field == (type *)0))

/* clang-format off */
#define OPTION_ROW(kind, S, field, ctype, key, otherwise, about)             \
    { .type = (kind), .name = (key), .fallback = (otherwise),                \
      .offset = OPTION_FIELD(S, field, ctype), .help = (about) }
#define TEXT_OPTION(S, field, ...)     OPTION_ROW(OPTION_TEXT, S, field, const char *, __VA_ARGS__)
#define COUNT_OPTION(S, field, ...)    OPTION_ROW(OPTION_COUNT, S, field, uint32_t, __VA_ARGS__)
#define BOOL_OPTION(S, field, ...)     OPTION_ROW(OPTION_BOOL, S, field, bool, __VA_ARGS__)
#define DURATION_OPTION(S, field, ...) OPTION_ROW(OPTION_DURATION_MS, S, field, int64_t, __VA_ARGS__)
#define PERCENT_OPTION(S, field, ...)  OPTION_ROW(OPTION_PERCENT, S, field, uint32_t, __VA_ARGS__)
#define MICRO_OPTION(S, field, ...)    OPTION_ROW(OPTION_MICRO, S, field, int64_t, __VA_ARGS__)
#define LIST_OPTION(S, field, ...)     OPTION_ROW(OPTION_TEXT_LIST, S, field, struct option_texts, __VA_ARGS__)
#define SECRET_OPTION(S, field, ...)   OPTION_ROW(OPTION_SECRET_FILE, S, field, const char *, __VA_ARGS__)
#define OPTIONS_END { .type = OPTION_END }
/* clang-format on */

/* Fill config from a mapping, marking its keys as used. Every problem is added; ERR_INVALID if
 * there was one. Text is borrowed from the tree. */
enum err options_read(const struct option *options,
                      const struct yaml_node *mapping,
                      void *config,
                      struct yaml_problems *problems);

/* Single values, for readers that build lists. ERR_INVALID leaves ret as it was. */
enum err option_duration_ms(const char *text, int64_t *ret_ms);
enum err option_micro(const char *text, int64_t *ret_micro);
enum err option_count(const char *text, uint32_t *ret);
enum err option_percent(const char *text, uint32_t *ret);
enum err option_bool(const char *text, bool *ret);

/* One row of the reference for each option, in man(7) markup. */
struct text;
void options_reference(const struct option *options, struct text *out);

#endif
