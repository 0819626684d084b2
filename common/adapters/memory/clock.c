#include "common/adapters/memory/clock.h"

#include <assert.h>

static int64_t now_ms(void *self)
{
    struct memory_clock *clock = self;

    return clock->now_ms;
}

static int64_t monotonic_ms(void *self)
{
    struct memory_clock *clock = self;

    return clock->monotonic_ms;
}

struct clock_port memory_clock_port(struct memory_clock *clock)
{
    return (struct clock_port){ now_ms, monotonic_ms, clock };
}

void memory_clock_advance(struct memory_clock *clock, int64_t ms)
{
    assert(ms >= 0);
    clock->now_ms += ms;
    clock->monotonic_ms += ms;
}

void memory_clock_advance_to(struct memory_clock *clock, int64_t at_ms)
{
    int64_t now = clock->now_ms;

    if (at_ms > now)
        memory_clock_advance(clock, at_ms - now);
}
