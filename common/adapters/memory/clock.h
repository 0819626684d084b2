/* A clock that moves only when told. Wall time and monotonic time move together, unless the
 * wall is set: that is how a test moves the wall backwards. */
#ifndef COMMON_ADAPTERS_MEMORY_CLOCK_H
#define COMMON_ADAPTERS_MEMORY_CLOCK_H

#include "common/ports/clock.h"

#include <stdatomic.h>

struct memory_clock {
    _Atomic int64_t now_ms;
    _Atomic int64_t monotonic_ms;
};

/* The port borrows the clock, which must outlive it. */
struct clock_port memory_clock_port(struct memory_clock *clock);

/* Let ms pass. ms >= 0. */
void memory_clock_advance(struct memory_clock *clock, int64_t ms);

/* Let the time pass until now_ms is at_ms; nothing if that is not in the future. */
void memory_clock_advance_to(struct memory_clock *clock, int64_t at_ms);

#endif
