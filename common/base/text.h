/* A text under construction, with a stated maximum.
 *
 * Either over memory the caller owns (text_over) or growing on the heap up to its maximum
 * (text_new). What does not fit is dropped and remembered, never written: check text_ok()
 * once, after the last append. */
#ifndef COMMON_BASE_TEXT_H
#define COMMON_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *bytes; /* Always NUL-terminated. */
    size_t size; /* Bytes at hand, the NUL included. */
    size_t length;
    size_t max; /* It never grows beyond, the NUL included. */
    bool owned;
    bool overflowed;
};

/* An empty text over size bytes, of which one holds the NUL. size > 0. */
struct text text_over(char *bytes, size_t size);

/* An empty text on the heap that may grow to max bytes. Release it with text_release. */
struct text text_new(size_t max);

/* Frees what text_new took; harmless on text_over and twice. */
void text_release(struct text *text);

/* Empty again, memory kept. */
void text_reset(struct text *text);

/* False once anything was cut off. */
bool text_ok(const struct text *text);

/* Append as printf would. */
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Append exactly length bytes. */
void text_add_bytes(struct text *text, const void *bytes, size_t length);

/* Append one character. */
void text_add_char(struct text *text, char c);

/* Append value as the inside of a JSON string, escaped. NULL is the empty string. */
void text_add_json(struct text *text, const char *value);

/* Bytes of the UTF-8 character that value begins with, 0 if it begins with none. */
size_t text_utf8_length(const char *value);

/* True if value is UTF-8 to its end: no overlong forms, no surrogates. */
bool text_is_utf8(const char *value);

#endif
