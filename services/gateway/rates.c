#include "services/gateway/rates.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MS_PER_S = 1000 };

/* Kept under a hash of its name: two flags that share one are counted as one, which a display
 * survives and which is not to be expected of 4096 names and 64 bits. */
struct rate {
    uint64_t name; /* 0: free. */
    int64_t window;
    uint64_t now;    /* In that window. */
    uint64_t before; /* In the one before it. */
};

struct rates {
    struct rate rate[RATES_FLAGS_MAX];
};

struct rates *rates_new(void)
{
    struct rates *const rates = calloc(1, sizeof *rates);

    if (rates == NULL)
        abort();
    return rates;
}

void rates_free(struct rates *rates)
{
    free(rates);
}

/* FNV-1a, never 0. */
static uint64_t hash_more(uint64_t hash, const char *text)
{
    const uint64_t prime = 0x100000001b3;

    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * prime;
    return (hash ^ '/') * prime;
}

static uint64_t name_of(const char *environment, const char *flag)
{
    const uint64_t hash = hash_more(hash_more(0xcbf29ce484222325, environment), flag);

    return hash != 0 ? hash : 1;
}

/* Its place, or the free one where it would stand; RATES_FLAGS_MAX if all are taken. */
static size_t place_of(const struct rates *rates, uint64_t name)
{
    for (size_t i = 0; i < RATES_FLAGS_MAX; i++) {
        const size_t place = (size_t)(name + i) % RATES_FLAGS_MAX;

        if (rates->rate[place].name == name || rates->rate[place].name == 0)
            return place;
    }
    return RATES_FLAGS_MAX;
}

/* As it stands in that window. */
static struct rate moved_to(struct rate rate, int64_t window)
{
    if (rate.window == window)
        return rate;
    rate.before = rate.window + 1 == window ? rate.now : 0;
    rate.now = 0;
    rate.window = window;
    return rate;
}

void rates_count(struct rates *rates,
                 const char *environment,
                 const char *flag,
                 int64_t monotonic_ms)
{
    const uint64_t name = name_of(environment, flag);
    const size_t place = place_of(rates, name);
    struct rate *rate;

    if (place == RATES_FLAGS_MAX)
        return;
    rate = &rates->rate[place];
    *rate = moved_to(*rate, monotonic_ms / RATES_WINDOW_MS);
    rate->name = name;
    rate->now++;
}

static uint64_t per_s(uint64_t count, int64_t ms)
{
    const uint64_t span = ms > 0 ? (uint64_t)ms : 1;

    return (count * MS_PER_S + span - 1) / span;
}

uint64_t rates_per_s(const struct rates *rates,
                     const char *environment,
                     const char *flag,
                     int64_t monotonic_ms)
{
    const size_t place = place_of(rates, name_of(environment, flag));
    struct rate rate;

    if (place == RATES_FLAGS_MAX || rates->rate[place].name == 0)
        return 0;
    rate = moved_to(rates->rate[place], monotonic_ms / RATES_WINDOW_MS);
    return rate.before > 0 ? per_s(rate.before, RATES_WINDOW_MS)
                           : per_s(rate.now, RATES_WINDOW_MS);
}
