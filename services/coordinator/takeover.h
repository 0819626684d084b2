/* Taking a partition over: the one way into being live, after an assignment, a restart, a lost
 * tail of Redis, an empty Redis, or any failure.
 *
 *   NEW      read what Redis has; write a random owner into it; find the log's ends
 *   FIRST    read the log's first record: is it the log that Redis knows?
 *   LAST     read the record applied last: is it still there, and the same?
 *   FOLDING  apply what follows, up to the log's end, without publishing
 *   LIVE     publish what is still wanted: the outbox beyond the group's offset, commands of
 *            tasks that are out, latches and flag values that control.v1 does not have */
#ifndef SERVICES_COORDINATOR_TAKEOVER_H
#define SERVICES_COORDINATOR_TAKEOVER_H

#include "services/coordinator/shell.h"

/* Begin or remind, as the phase wants. */
void takeover_turn(struct coordinator *shell, struct partition *partition);

/* The record waited for in FIRST or LAST. True if it is also the next one to apply. */
bool takeover_hear(struct coordinator *shell,
                   struct partition *partition,
                   const struct bus_record *record);

/* A name that nobody else has. */
void takeover_nonce(const struct service_ports *ports, char ret[OWNER_SIZE]);

/* FOLDING: go live if the log's end is reached. */
void takeover_finish(struct coordinator *shell, struct partition *partition);

#endif
