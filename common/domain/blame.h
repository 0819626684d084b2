/* Whether a deployment may be to blame for an alert: pure. */
#ifndef COMMON_DOMAIN_BLAME_H
#define COMMON_DOMAIN_BLAME_H

#include "common/base/arena.h"
#include "common/wire/pb.h"

/* A deployment as far as blame is concerned. */
struct suspect {
    const char *deployment;
    const char *feature;
    const char *environment;
    const char *const *services;
    size_t service_count;
    const char *const *flags; /* What a latch of it would turn off. */
    size_t flag_count;
    Pb__Phase phase;
    uint32_t step;
    int64_t listed_at;       /* Place in its list (keys_listed_at) when this was made. */
    int64_t changed_ms;      /* When it last changed something; 0: not yet. */
    int64_t blame_window_ms; /* So long after that; 0: for ever. */
    bool at_work;            /* Changing, watching, or with an open incident right now: suspect
                                whatever the time. */
    bool may_latch;          /* A kill of it would take something back. */
    bool killed;             /* Latched already. */
    bool innocent;           /* Not to blame for anything; only deployment is set. */
};

/* The suspect that state and plan (NULL: none yet) make; strings are copied into arena.
 * Innocent when it can have changed nothing yet, or has taken everything back. */
struct suspect suspect_of(struct arena *arena,
                          const Pb__DeploymentState *state,
                          const Pb__Plan *plan);

/* Service and environment agree, and the alert is not later than the blame window. */
bool suspect_matches(const struct suspect *suspect, const Pb__Alert *alert, int64_t now_ms);

/* A deep copy into arena. */
struct suspect suspect_copy(struct arena *arena, const struct suspect *suspect);

#endif
