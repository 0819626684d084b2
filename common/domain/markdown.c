#include "common/domain/markdown.h"

#include "common/wire/envelope.h"

#include <inttypes.h>
#include <string.h>

void markdown_text(struct text *out, const char *value)
{
    for (; value != NULL && *value != '\0'; value++) {
        const char c = *value;

        if (c == '<')
            text_add(out, "&lt;");
        else if (c == '&')
            text_add(out, "&amp;");
        else if ((unsigned char)c < 0x20 || c == 0x7f)
            text_add_char(out, ' ');
        else if (strchr("\\`*[]|>~", c) != NULL)
            text_add(out, "\\%c", c);
        else
            text_add_char(out, c);
    }
}

void markdown_row(struct text *out, const char *const *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const bool empty = cells[i] == NULL || cells[i][0] == '\0';

        text_add(out, "| ");
        markdown_text(out, empty ? "–" : cells[i]);
        text_add_char(out, ' ');
    }
    text_add(out, "|\n");
}

void markdown_rule(struct text *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_add(out, "|---");
    text_add(out, "|\n");
}

static bool is_web_address(const char *url)
{
    return strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
}

/* Inside <...> only these end the address or the line. */
static void add_address(struct text *out, const char *url)
{
    for (; *url != '\0'; url++) {
        if (strchr("<>\\\"` ", *url) != NULL || (unsigned char)*url < 0x20)
            text_add(out, "%%%02X", (unsigned)(unsigned char)*url);
        else
            text_add_char(out, *url);
    }
}

void markdown_link(struct text *out, const char *title, const char *url)
{
    if (is_web_address(url)) {
        text_add_char(out, '[');
        markdown_text(out, title[0] != '\0' ? title : url);
        text_add(out, "](<");
        add_address(out, url);
        text_add(out, ">)");
        return;
    }
    markdown_text(out, title);
    if (title[0] != '\0' && url[0] != '\0' && strcmp(title, url) != 0)
        text_add(out, ": ");
    if (strcmp(title, url) != 0)
        markdown_text(out, url);
}

const char *markdown_time(struct arena *arena, int64_t ms)
{
    const char *const rfc = envelope_time(arena, ms);

    return ms == 0 ? "" : arena_printf(arena, "%.10s %.8s UTC", rfc, rfc + 11);
}

const char *markdown_duration(struct arena *arena, int64_t ms)
{
    const int64_t seconds = ms / 1000;

    if (ms < 1000)
        return arena_printf(arena, "%" PRId64 " ms", ms);
    if (seconds < 60)
        return arena_printf(arena, "%" PRId64 ".%" PRId64 " s", seconds, ms % 1000 / 100);
    if (seconds < 3600)
        return arena_printf(arena, "%" PRId64 " min %" PRId64 " s", seconds / 60, seconds % 60);
    return arena_printf(
        arena, "%" PRId64 " h %" PRId64 " min", seconds / 3600, seconds / 60 % 60);
}
