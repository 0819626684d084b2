/* MurmurHash3 x86 32, as flagd, Unleash and Guava compute it. Not for secrets. */
#ifndef COMMON_DOMAIN_MURMUR3_H
#define COMMON_DOMAIN_MURMUR3_H

#include <stddef.h>
#include <stdint.h>

/* Of length bytes. */
uint32_t murmur3_32(const void *bytes, size_t length, uint32_t seed);

#endif
