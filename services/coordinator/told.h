/* Events that the shell itself puts on the log: timers, lost tasks, holds, kills seen. They are
 * made from what the state and the clock say, so a crash loses nothing: they are made again. */
#ifndef SERVICES_COORDINATOR_TOLD_H
#define SERVICES_COORDINATOR_TOLD_H

#include "services/coordinator/outbox.h"

/* A new event for that deployment, to be filled. */
Pb__Event *told_event(struct arena *arena, const char *deployment);

/* Add it, with a ce_id that a repetition has as well. */
void told_add(struct coordinator *shell,
              struct outbox *outbox,
              const char *id,
              Pb__Event *event);

#endif
