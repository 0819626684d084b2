/* What the program `observe` of the driver `command` said on its first line:
 * "<version> <sha256> [<fence>]", or nothing. */
#ifndef COMMON_DRIVERS_DEPLOYERS_OBSERVATION_H
#define COMMON_DRIVERS_DEPLOYERS_OBSERVATION_H

#include "common/drivers/deployers/facts.h"

/* version "": nothing is deployed. */
struct observation {
    const char *version;
    const char *digest;
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

/* The next word of a line, or "". */
const char *observation_word(struct arena *arena, const char **line);

bool observation_is(const struct observation *seen, const char *version, const char *digest);

/* Nothing is left to be done: neither to bring what is wanted nor to tell that fence. */
bool observation_settles(const struct observation *seen,
                         const Pb__Observed *wanted,
                         const Pb__Fence *fence);

#endif
