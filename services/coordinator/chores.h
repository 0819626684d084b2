/* What is done by the clock: timers, leases, freezes and windows, looking whether Redis is
 * still what it was, numbers for /metrics. */
#ifndef SERVICES_COORDINATOR_CHORES_H
#define SERVICES_COORDINATOR_CHORES_H

#include "services/coordinator/shell.h"

/* Do what is due. */
enum err chores_turn(struct coordinator *shell, struct error *error) MUST_CHECK;

#endif
