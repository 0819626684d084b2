/* Crash points of the coordinator, with the deployments that are in hand there. Free of cost
 * where no plan is given. */
#ifndef SERVICES_COORDINATOR_IN_HAND_H
#define SERVICES_COORDINATOR_IN_HAND_H

#include "services/coordinator/batch.h"

/* The step that a state is in, as crash.h says it. */
unsigned in_hand_of_state(const Pb__DeploymentState *state);

/* Whatever the batch has touched, as it was and as it is. */
void in_hand_batch(const struct batch *batch, enum crash_place place);

/* All that is live in the partition. */
void in_hand_partition(const struct coordinator *shell,
                       const struct partition *partition,
                       enum crash_place place);

/* Those that the records are about. Not reached where there is no record. */
void in_hand_records(struct coordinator *shell,
                     const struct bus_record *const *records,
                     size_t count,
                     enum crash_place place);

/* Those of whom something is said. Not reached where nothing is. */
void in_hand_outbox(const struct coordinator *shell,
                    const struct outbox *outbox,
                    enum crash_place place);

/* Not reached where there is no acceptance. */
void in_hand_acceptances(const struct coordinator *shell, size_t count, enum crash_place place);

#endif
