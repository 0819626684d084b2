/* Markdown with text of strangers in it: what they write is shown, never obeyed. */
#ifndef COMMON_DOMAIN_MARKDOWN_H
#define COMMON_DOMAIN_MARKDOWN_H

#include "common/base/arena.h"
#include "common/base/text.h"

#include <stdint.h>

/* Appends value on one line, with everything escaped that Markdown or HTML could read. NULL is
 * the empty text. */
void markdown_text(struct text *out, const char *value);

/* One row of a table: `count` cells. An empty or NULL cell shows as a dash. */
void markdown_row(struct text *out, const char *const *cells, size_t count);
#define MARKDOWN_ROW(out, ...)                                                                 \
    markdown_row((out),                                                                        \
                 (const char *const[]){ __VA_ARGS__ },                                         \
                 sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

/* The row of that many dashes below a table's head. */
void markdown_rule(struct text *out, size_t count);

/* [title](url) for http and https; only the texts for any other address. */
void markdown_link(struct text *out, const char *title, const char *url);

/* "2026-11-23 08:24:00 UTC"; "" for 0. */
const char *markdown_time(struct arena *arena, int64_t ms);

/* "27 h 41 min", "4 min 12 s", "3.2 s", "11 ms". */
const char *markdown_duration(struct arena *arena, int64_t ms);

#endif
