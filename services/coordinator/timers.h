/* Timers: {p}:timers is the index over the timers of all states; a due one becomes TimerFired
 * on the log. */
#ifndef SERVICES_COORDINATOR_TIMERS_H
#define SERVICES_COORDINATOR_TIMERS_H

#include "services/coordinator/shell.h"
#include "services/coordinator/writes.h"

/* Fire what is due in live partitions. */
enum err timers_turn(struct coordinator *shell, struct error *error) MUST_CHECK;

/* The member of {p}:timers. */
const char *timers_member(struct arena *arena, const char *deployment, const Pb__Timer *timer);

#endif
