/* A record of events.v1, opened, proven and addressed. */
#ifndef SERVICES_COORDINATOR_RECORD_H
#define SERVICES_COORDINATOR_RECORD_H

#include "services/coordinator/shell.h"

enum aggregate_kind {
    AGGREGATE_NONE, /* Genesis: for nobody. */
    AGGREGATE_DEPLOYMENT,
    AGGREGATE_LANE,
    AGGREGATE_FEATURE,
};

/* Everything borrowed from the arena it was heard into. */
struct heard {
    const struct bus_record *record;
    struct envelope envelope;
    const Pb__Event *event;
    enum aggregate_kind target;
    const char *id; /* Of that aggregate: deployment, "<environment>/<service>", feature. */
};

/* A copy of everything that record borrows. */
struct bus_record *record_copy(struct arena *arena, const struct bus_record *record);

/* ERR_INVALID, ERR_TOO_LARGE or ERR_DENIED with the reason: a dead letter. */
enum err record_hear(struct coordinator *shell,
                     struct arena *arena,
                     const struct bus_record *record,
                     struct heard *ret,
                     struct error *why) MUST_CHECK;

/* The deployment that the record's headers name, for when it must not be opened; NULL if none.
 */
const char *record_deployment(struct arena *arena, const struct bus_record *record);

/* "timer_fired" */
const char *record_body_name(const Pb__Event *event);

#endif
