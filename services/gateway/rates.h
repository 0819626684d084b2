/* How often each flag is evaluated by this gateway, over the last ten seconds or so.
 *
 * Not thread-safe: the gateway's lock guards it. */
#ifndef SERVICES_GATEWAY_RATES_H
#define SERVICES_GATEWAY_RATES_H

#include <stddef.h>
#include <stdint.h>

enum {
    RATES_WINDOW_MS = 10000,
    RATES_FLAGS_MAX = 4096, /* Flags beyond are not counted; a power of two. */
};

struct rates;
struct rates *rates_new(void);
void rates_free(struct rates *rates); /* Accepts NULL. */

/* The flag was evaluated once, at that time of a monotonic clock. */
void rates_count(struct rates *rates,
                 const char *environment,
                 const char *flag,
                 int64_t monotonic_ms);

/* Evaluations a second, rounded up: 0 only if there were none. Of the last whole window; of the
 * one that runs as long as there is no other. */
uint64_t rates_per_s(const struct rates *rates,
                     const char *environment,
                     const char *flag,
                     int64_t monotonic_ms);

#endif
