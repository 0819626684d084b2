#include "common/base/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct text *out, const void *bytes, size_t length)
{
    const uint8_t *const in = bytes;

    for (size_t i = 0; i < length; i += 3) {
        const size_t left = length - i;
        const uint32_t three = (uint32_t)in[i] << 16 |
                               (uint32_t)(left > 1 ? in[i + 1] : 0) << 8 |
                               (uint32_t)(left > 2 ? in[i + 2] : 0);
        const char four[4] = {
            digits[three >> 18],
            digits[three >> 12 & 63],
            left > 1 ? digits[three >> 6 & 63] : '=',
            left > 2 ? digits[three & 63] : '=',
        };

        text_add_bytes(out, four, sizeof four);
    }
}

static int digit_of(char c)
{
    const char *const at = c != '\0' ? strchr(digits, c) : NULL;

    if (at != NULL)
        return (int)(at - digits);
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

uint8_t *base64_read(struct arena *arena, const char *text, size_t length, size_t *ret_length)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t count = 0;
    uint8_t *bytes;

    while (length > 0 && text[length - 1] == '=')
        length--;
    if (length % 4 == 1)
        return NULL;
    bytes = arena_try(arena, length * 3 / 4 + 1);
    for (size_t i = 0; bytes != NULL && i < length; i++) {
        const int digit = digit_of(text[i]);

        if (digit < 0)
            return NULL;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[count++] = (uint8_t)(bits >> held);
        }
    }
    *ret_length = count;
    return bytes;
}
