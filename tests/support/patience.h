/* How long a test waits for something that must happen: until a time is over, and at least some
 * attempts. With 0 ms (nothing can happen by waiting) only the attempts count. */
#ifndef TESTS_SUPPORT_PATIENCE_H
#define TESTS_SUPPORT_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct patience {
    int64_t until_ms;
    unsigned attempts;
};

static inline int64_t patience_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline struct patience patience_for(int ms)
{
    return (struct patience){ patience_now_ms() + ms, 20 };
}

/* Whether to try again. */
static inline bool patience_left(struct patience *patience)
{
    if (patience->attempts > 0) {
        patience->attempts--;
        return true;
    }
    return patience_now_ms() < patience->until_ms;
}

#endif
