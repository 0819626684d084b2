/* The deployments that may be to blame, kept at hand: read from the coordinator's projections,
 * of which only those that moved are read again. */
#ifndef SERVICES_MONITOR_SUSPECTS_H
#define SERVICES_MONITOR_SUSPECTS_H

#include "common/domain/blame.h"
#include "common/state/projection.h"

enum { SUSPECTS_MAX = 1000, SUSPECTS_ENDED_MAX = 200 };

struct suspects {
    struct arena arena; /* Owns all of it. */
    struct suspect *item;
    size_t count;
    int64_t read_ms; /* When; 0: never. */
};

void suspects_release(struct suspects *suspects);

/* Read what moved. On an error the suspects stay as they were. */
enum err suspects_read(struct suspects *suspects,
                       const struct projection *projection,
                       int64_t now_ms,
                       struct error *error) MUST_CHECK;

#endif
