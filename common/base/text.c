#include "common/base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 256 };

struct text text_over(char *bytes, size_t size)
{
    bytes[0] = '\0';
    return (struct text){ .bytes = bytes, .size = size, .max = size };
}

struct text text_new(size_t max)
{
    const size_t size = max < FIRST_SIZE ? max : FIRST_SIZE;
    char *bytes = malloc(size);

    if (bytes == NULL)
        abort();
    bytes[0] = '\0';
    return (struct text){ .bytes = bytes, .size = size, .max = max, .owned = true };
}

void text_release(struct text *text)
{
    if (text->owned)
        free(text->bytes);
    *text = (struct text){ 0 };
}

void text_reset(struct text *text)
{
    text->length = 0;
    text->overflowed = false;
    text->bytes[0] = '\0';
}

bool text_ok(const struct text *text)
{
    return !text->overflowed;
}

/* True when more bytes and a NUL fit after the present ones. */
static bool make_room(struct text *text, size_t more)
{
    size_t size = text->size;
    char *bytes;

    if (more < text->size - text->length)
        return true;
    if (!text->owned || more >= text->max - text->length)
        return false;
    while (size - text->length <= more)
        size = size * 2 < text->max ? size * 2 : text->max;
    bytes = realloc(text->bytes, size);
    if (bytes == NULL)
        abort();
    text->bytes = bytes;
    text->size = size;
    return true;
}

void text_add_bytes(struct text *text, const void *bytes, size_t length)
{
    if (!make_room(text, length)) {
        text->overflowed = true;
        return;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add_char(struct text *text, char c)
{
    text_add_bytes(text, &c, 1);
}

void text_add(struct text *text, const char *format, ...)
{
    va_list args;
    int wanted;

    va_start(args, format);
    wanted = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (wanted < 0 || !make_room(text, (size_t)wanted)) {
        text->overflowed = true;
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text->bytes + text->length, text->size - text->length, format, args);
    va_end(args);
    text->length += (size_t)wanted;
}

void text_add_json(struct text *text, const char *value)
{
    static const char short_form[32] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
    };

    for (; value != NULL && *value != '\0'; value++) {
        const unsigned char c = (unsigned char)*value;

        if (c == '"' || c == '\\')
            text_add(text, "\\%c", c);
        else if (c < 0x20 && short_form[c] != 0)
            text_add(text, "\\%c", short_form[c]);
        else if (c < 0x20)
            text_add(text, "\\u%04x", c);
        else
            text_add_char(text, (char)c);
    }
}

size_t text_utf8_length(const char *value)
{
    const unsigned char *const s = (const unsigned char *)value;

    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        return (s[1] & 0xc0) == 0x80 ? 2 : 0;
    if ((s[0] & 0xf0) == 0xe0) {
        const bool overlong = s[0] == 0xe0 && s[1] < 0xa0;
        const bool surrogate = s[0] == 0xed && s[1] > 0x9f;

        if (overlong || surrogate || (s[1] & 0xc0) != 0x80)
            return 0;
        return (s[2] & 0xc0) == 0x80 ? 3 : 0;
    }
    if (s[0] < 0xf0 || s[0] > 0xf4 || (s[1] & 0xc0) != 0x80)
        return 0;
    if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return (s[2] & 0xc0) == 0x80 && (s[3] & 0xc0) == 0x80 ? 4 : 0;
}

/* Eight bytes at a time: nearly all that is ever asked about is plain ASCII. */
static size_t ascii_length(const char *value, size_t length)
{
    size_t i = 0;

    for (uint64_t word; i + sizeof word <= length; i += sizeof word) {
        memcpy(&word, value + i, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            return i;
    }
    while (i < length && (unsigned char)value[i] < 0x80)
        i++;
    return i;
}

bool text_is_utf8(const char *value)
{
    value += ascii_length(value, strlen(value));
    while (*value != '\0') {
        const size_t step = text_utf8_length(value);

        if (step == 0)
            return false;
        value += step;
    }
    return true;
}
