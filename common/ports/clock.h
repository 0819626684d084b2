/* The time, as something that can be handed in. */
#ifndef COMMON_PORTS_CLOCK_H
#define COMMON_PORTS_CLOCK_H

#include <stdint.h>

struct clock_port {
    int64_t (*now_ms)(void *self);       /* Unix time. */
    int64_t (*monotonic_ms)(void *self); /* Never jumps; only differences mean anything. */
    void *self;
};

static inline int64_t clock_now_ms(struct clock_port clock)
{
    return clock.now_ms(clock.self);
}

static inline int64_t clock_monotonic_ms(struct clock_port clock)
{
    return clock.monotonic_ms(clock.self);
}

#endif
