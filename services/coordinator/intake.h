/* acceptance.v1, as CI systems and the gateway write it: checked, and passed on to the feature
 * as an event. What cannot be used goes to dead-letter.v1, and its sender hears
 * AcceptanceRefused. */
#ifndef SERVICES_COORDINATOR_INTAKE_H
#define SERVICES_COORDINATOR_INTAKE_H

#include "services/coordinator/shell.h"

/* Take what has come. Independent of which partitions of events.v1 are ours. */
enum err intake_turn(struct coordinator *shell, struct error *error) MUST_CHECK;

#endif
