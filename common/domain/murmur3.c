#include "common/domain/murmur3.h"

static uint32_t rotate_left(uint32_t x, unsigned by)
{
    return (x << by) | (x >> (32 - by));
}

static uint32_t mix_block(uint32_t block)
{
    return rotate_left(block * UINT32_C(0xcc9e2d51), 15) * UINT32_C(0x1b873593);
}

static uint32_t mix_end(uint32_t hash)
{
    hash = (hash ^ (hash >> 16)) * UINT32_C(0x85ebca6b);
    hash = (hash ^ (hash >> 13)) * UINT32_C(0xc2b2ae35);
    return hash ^ (hash >> 16);
}

uint32_t murmur3_32(const void *bytes, size_t length, uint32_t seed)
{
    const unsigned char *const at = bytes;
    const size_t whole = length - length % 4;
    uint32_t hash = seed;
    uint32_t rest = 0;

    for (size_t i = 0; i < whole; i += 4) {
        const uint32_t block = (uint32_t)at[i] | (uint32_t)at[i + 1] << 8 |
                               (uint32_t)at[i + 2] << 16 | (uint32_t)at[i + 3] << 24;

        hash = rotate_left(hash ^ mix_block(block), 13) * 5 + UINT32_C(0xe6546b64);
    }
    for (size_t i = length; i > whole; i--)
        rest = rest << 8 | at[i - 1];
    if (whole < length)
        hash ^= mix_block(rest);
    return mix_end(hash ^ (uint32_t)length);
}
