/* Places where a test may want the process to die: the boundaries after which something is
 * durable. In production no plan is given, and a place costs the test of one pointer.
 *
 *     SLIPWAY_CRASH_AT=after-commit          die the first time that place is reached
 *     SLIPWAY_CRASH_AT=after-commit:3        the third time
 *     SLIPWAY_CRASH_AT=after-commit@5        the first time with a deployment in step 5 in hand
 *     SLIPWAY_CRASH_AT=after-commit@undo:2   the second time with one that is taken back
 *
 * What stands behind @: 0 to 7, `undo`, or `lane` for what is said of a lane itself. */
#ifndef COMMON_PORTS_CRASH_H
#define COMMON_PORTS_CRASH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum crash_place {
    CRASH_NOWHERE,
#define CRASH(symbol, ...) CRASH_##symbol,
#include "common/ports/crash_places.def"
#undef CRASH
    CRASH_PLACES
};

/* What is in hand at a place: a set of these. 0: it is not known, or of no deployment. */
#define CRASH_STEP(step) (1U << (step)) /* 0 to 7 */
#define CRASH_UNDO       (1U << 8)
#define CRASH_LANE       (1U << 9)

struct crash_plan {
    enum crash_place at;
    unsigned in;                /* 0: whatever is in hand. */
    _Atomic unsigned remaining; /* Dies when this reaches 0. */

    /* Does not return. NULL: SIGKILL to this process. A test jumps out instead. */
    void (*die)(void *self);
    void *self;
};

/* Reads "place", "place@step", "place:n" or "place@step:n" with n from 1. False, and nothing
 * set, when text is NULL, empty or not of that form, or there is no such place. */
bool crash_plan_read(const char *text, struct crash_plan *ret);

/* CRASH_NOWHERE when there is none. */
enum crash_place crash_place_named(const char *name);

/* One line a place on standard output: name, who, what, between tabs. */
void crash_places_print(void);

/* Do not call this; call crash_point. */
void crash_place_reached(struct crash_plan *plan, enum crash_place place, unsigned in);

/* This process is at that place, with those in hand. plan is NULL in production. */
static inline void crash_point(struct crash_plan *plan, enum crash_place place, unsigned in)
{
    if (plan != NULL)
        crash_place_reached(plan, place, in);
}

#endif
