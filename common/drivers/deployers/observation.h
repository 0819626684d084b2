/* What a program of the driver `command` said on its first line. `observe`:
 * "<version> <sha256> [<fence>]", or nothing; `side`: "<side> [<fence>]",
 * where "-" is no side. */
#ifndef COMMON_DRIVERS_DEPLOYERS_OBSERVATION_H
#define COMMON_DRIVERS_DEPLOYERS_OBSERVATION_H

#include "common/drivers/deployers/facts.h"

/* version "": nothing is deployed. */
struct observation {
    const char *version;
    const char *digest;
    const char *side; /* Of the traffic; only what `side` said has one. */
    Pb__Fence fence;
    bool fenced;
    bool keeps; /* The target itself printed a fence, and that is it: */
    Pb__Fence kept;
};

/* ERR_INVALID: it said something else. */
enum err observation_parse(struct arena *arena,
                           const char *output,
                           struct observation *ret,
                           struct error *error) MUST_CHECK;

/* Likewise, what `side` said. */
enum err observation_parse_side(struct arena *arena,
                                const char *output,
                                struct observation *ret,
                                struct error *error) MUST_CHECK;

bool observation_is(const struct observation *seen, const char *version, const char *digest);

/* Nothing is left to be done: neither to bring what is wanted nor to tell that fence. */
bool observation_settles(const struct observation *seen,
                         const Pb__Observed *wanted,
                         const Pb__Fence *fence);

/* A target that keeps the fence was told that one, or a higher one; another need not be. */
bool observation_heard(const struct observation *seen, const Pb__Fence *fence);

#endif
