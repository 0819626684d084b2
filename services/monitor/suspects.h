/* The deployments that may be to blame, kept at hand: read from the coordinator's projections,
 * of which only those that moved are read again. */
#ifndef SERVICES_MONITOR_SUSPECTS_H
#define SERVICES_MONITOR_SUSPECTS_H

#include "common/domain/blame.h"
#include "common/state/projection.h"

enum { SUSPECTS_MAX = 1000, SUSPECTS_ENDED_MAX = 200, SUSPECTS_WAIT_MS = 60 * 1000 };

struct suspects {
    struct arena arena; /* Owns all of it. */
    struct suspect *item;
    size_t count;
    int64_t read_ms;  /* When; 0: never. */
    int64_t asked_ms; /* When they were asked for first. */
};

void suspects_release(struct suspects *suspects);

/* Read what moved. On an error the suspects stay as they were. While the coordinator folds what
 * Redis may have lost, those at hand stay beside those found; ERR_UNAVAILABLE if none are at
 * hand, for SUSPECTS_WAIT_MS and as long as none are found. */
enum err suspects_read(struct suspects *suspects,
                       const struct projection *projection,
                       int64_t now_ms,
                       struct error *error) MUST_CHECK;

#endif
