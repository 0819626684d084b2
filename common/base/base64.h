/* Bytes as base64 and back (RFC 4648). */
#ifndef COMMON_BASE_BASE64_H
#define COMMON_BASE_BASE64_H

#include "common/base/arena.h"
#include "common/base/text.h"

#include <stdint.h>

/* Appends length bytes as base64, padded. */
void base64_write(struct text *out, const void *bytes, size_t length);

/* The bytes of length characters, in the arena; padding is optional, both alphabets are read.
 * NULL when it is no base64 or the arena is full. */
uint8_t *base64_read(struct arena *arena, const char *text, size_t length, size_t *ret_length);

#endif
