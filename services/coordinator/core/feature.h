/* A feature: its attempts, of which one is live. */
#ifndef SERVICES_COORDINATOR_CORE_FEATURE_H
#define SERVICES_COORDINATOR_CORE_FEATURE_H

#include "services/coordinator/core/procedure.h"

struct feature_input {
    const Pb__FeatureState *before; /* NULL: first acceptance. */

    /* AcceptanceReceived, AcceptanceWithdrawn, AttemptMoved; or an AttemptCreated, by which a
     * terminal deployment passes on that a person wishes a new attempt, or its rollback. */
    const Pb__Event *event;
    const char *event_id;
    int64_t at_ms;
};

struct feature_output {
    Pb__FeatureState *after;
    struct effects
        effects; /* EVENT AttemptCreated, or AcceptanceReceived passed to the live one. */
    char why[256];
};

/* Advance by one event. Equal content is STALE (a duplicate, noted). */
enum procedure_answer feature_step(struct arena *arena,
                                   const struct feature_input *input,
                                   struct feature_output *ret);

#endif
