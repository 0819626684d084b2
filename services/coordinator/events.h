/* events.v1: receiving it in group slipway.coordinator, and handing each partition its records.
 */
#ifndef SERVICES_COORDINATOR_EVENTS_H
#define SERVICES_COORDINATOR_EVENTS_H

#include "services/coordinator/shell.h"

enum err events_open(struct coordinator *shell, struct error *error) MUST_CHECK;

/* Wait a little for a record, take what else is there, and apply all of it. What fails is a
 * matter of its partition; an error here means that the bus is unwell. */
enum err events_turn(struct coordinator *shell, struct error *error) MUST_CHECK;

#endif
