/* What every probe must keep: it answers each state of its world with the verdict that state
 * deserves, says what it saw and how to see it again, and never takes silence for health. */
#ifndef TESTS_CONTRACT_PROBE_PROBE_CONTRACT_H
#define TESTS_CONTRACT_PROBE_PROBE_CONTRACT_H

#include "common/drivers/probes/probe.h"
#include "tests/support/driver_world.h"

/* One state of the world around a probe. NULL where a driver cannot come into that state. */
struct probe_case {
    const char *driver;
    const char *settings; /* The section `probes`, with one probe named "looked". */

    void (*well)(struct driver_world *world);   /* -> PASS */
    void (*wrong)(struct driver_world *world);  /* -> FAIL */
    void (*silent)(struct driver_world *world); /* -> neither PASS nor FAIL: no answer in time,
                                                   nothing there */
    void (*half)(struct driver_world *world);   /* shop-2 alone is wrong -> FAIL naming it */

    /* Adds what the check must say; may be NULL. */
    void (*ask)(struct driver_world *world, Pb__CheckSpec *check);
};

/* Runs all of it; fails the cmocka test that calls it. */
void probe_contract(const struct probe_case *one);

#endif
