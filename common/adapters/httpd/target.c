#include "common/adapters/httpd/target.h"

#include "common/base/text.h"

#include <stdbool.h>
#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that "%xy" stands for; -1 if it is no escape or one that nobody needs. */
static int escaped_byte(const char *percent, bool in_path)
{
    const int high = hex_value(percent[1]);
    const int low = high >= 0 ? hex_value(percent[2]) : -1;
    const int byte = high * 16 + low;

    if (high < 0 || low < 0)
        return -1;
    /* A decoded slash would move the borders between segments. */
    return byte == 0 || (in_path && (byte < ' ' || byte == 0x7f || byte == '/')) ? -1 : byte;
}

/* length bytes of text decoded; NULL if they cannot be. */
static const char *decode(struct arena *arena, const char *text, size_t length, bool in_path)
{
    char *const decoded = arena_try(arena, length + 1);
    size_t at = 0;

    for (size_t i = 0; decoded != NULL && i < length; i++) {
        int byte = (unsigned char)text[i];

        if (byte == '%') {
            byte = escaped_byte(text + i, in_path);
            i += 2;
        } else if (byte == '+' && !in_path) {
            byte = ' ';
        } else if (byte <= ' ' || byte == 0x7f) {
            byte = -1;
        }
        if (byte < 0)
            return NULL;
        decoded[at++] = (char)byte;
    }
    return decoded != NULL && text_is_utf8(decoded) ? decoded : NULL;
}

/* The segments between slashes. Only the last may be empty: "/" and "/v1/". */
static bool segments_are_plain(const char *path)
{
    while (*path == '/') {
        const char *const segment = path + 1;
        const size_t length = strcspn(segment, "/");
        const bool last = segment[length] == '\0';

        if (length == 0 && !last)
            return false;
        if (strncmp(segment, "..", length) == 0 && length > 0 && length <= 2)
            return false;
        path = segment + length;
    }
    return true;
}

static enum err query_decode(struct arena *arena,
                             const char *query,
                             struct web_request *ret,
                             struct error *error)
{
    while (*query != '\0') {
        const size_t length = strcspn(query, "&");
        const char *const equals = memchr(query, '=', length);
        const size_t name_length = equals != NULL ? (size_t)(equals - query) : length;
        struct web_pair pair = { .value = "" };

        if (length > 0) {
            pair.name = decode(arena, query, name_length, false);
            if (equals != NULL)
                pair.value = decode(arena, equals + 1, length - name_length - 1, false);
            if (pair.name == NULL || pair.value == NULL)
                return error_set(error, ERR_INVALID, "the query cannot be decoded");
            if (ret->query_count == WEB_QUERY_MAX)
                return error_set(
                    error, ERR_INVALID, "more than %d query parameters", WEB_QUERY_MAX);
            ret->query[ret->query_count++] = pair;
        }
        query += length + (query[length] == '&' ? 1 : 0);
    }
    return ERR_OK;
}

enum err target_decode(struct arena *arena,
                       const char *target,
                       struct web_request *ret,
                       struct error *error)
{
    const size_t length = strcspn(target, "?");
    const char *path;

    if (target[0] != '/')
        return error_set(error, ERR_INVALID, "the target is not a path");
    path = decode(arena, target, length, true);
    if (path == NULL || strchr(target, '#') != NULL)
        return error_set(error, ERR_INVALID, "the path cannot be decoded");
    if (!segments_are_plain(path))
        return error_set(error, ERR_INVALID, "the path has an empty or a dotted segment");
    ret->path = path;
    ret->query_count = 0;
    return target[length] == '?' ? query_decode(arena, target + length + 1, ret, error)
                                 : ERR_OK;
}
