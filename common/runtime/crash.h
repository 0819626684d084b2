/* Places where a test may want the process to die: the boundaries after which something is
 * durable. In production no plan is given, and a place costs the test of one pointer.
 *
 *     SLIPWAY_CRASH_AT=after-commit      die the first time that place is reached
 *     SLIPWAY_CRASH_AT=after-commit:3    die the third time */
#ifndef COMMON_RUNTIME_CRASH_H
#define COMMON_RUNTIME_CRASH_H

#include <stdbool.h>

struct crash_plan {
    char at[64];
    unsigned remaining; /* Dies when this reaches 0. */

    /* Does not return. NULL: SIGKILL to this process. A test jumps out instead. */
    void (*die)(void *self);
    void *self;
};

/* Reads "place" or "place:n" with n from 1. False, and nothing set, when text is NULL, empty or
 * not of that form. */
bool crash_plan_read(const char *text, struct crash_plan *ret);

/* Do not call this; call crash_point. */
void crash_place_reached(struct crash_plan *plan, const char *place);

/* This process is at that place. plan is NULL in production. */
static inline void crash_point(struct crash_plan *plan, const char *place)
{
    if (plan != (struct crash_plan *)0)
        crash_place_reached(plan, place);
}

#endif
