/* A lane: environment/service, changed by at most one deployment at a time. */
#ifndef SERVICES_COORDINATOR_CORE_LANE_H
#define SERVICES_COORDINATOR_CORE_LANE_H

#include "services/coordinator/core/procedure.h"

struct lane_input {
    const Pb__LaneState *before; /* NULL: never used before. */
    const Pb__Event *event;      /* LaneRequested or LaneReleased. */
    const char *event_id;
    int64_t at_ms;
};

struct lane_output {
    Pb__LaneState *after;
    struct effects effects; /* EVENTs to deployments: LaneGranted, SupersededBy. */
    char why[256];
};

/* Advance by one event: grants go to undo requests of the top first, then to forward requests
 * in the order they came. Of those no more than 64 wait: another one is stale. */
enum procedure_answer lane_step(struct arena *arena,
                                const struct lane_input *input,
                                struct lane_output *ret);

#endif
