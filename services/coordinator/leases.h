/* Tasks that have gone quiet: expired leases, cancelled tasks nobody holds, commands nobody
 * took. Only the owner of the partition declares a task lost, and only on the log. */
#ifndef SERVICES_COORDINATOR_LEASES_H
#define SERVICES_COORDINATOR_LEASES_H

#include "services/coordinator/outbox.h"

/* How long somebody may still be at work on a task after Redis has forgotten the lease: the
 * lease and the time between two looks. */
enum { LEASE_LONGEST_MS = TASK_LEASE_MS + 1000 };

/* For live partitions: expired leases, and commands that seem lost. */
enum err leases_turn(struct coordinator *shell, struct error *error) MUST_CHECK;

/* A task cancelled before anybody claimed it can never be claimed any more: it is quiet. Called
 * after a batch that cancelled. */
enum err leases_look_at_cancelled(struct coordinator *shell,
                                  struct partition *partition,
                                  struct error *error) MUST_CHECK;

/* At take-over: the commands and cancellations of all tasks that are out. */
enum err leases_commands(struct coordinator *shell,
                         struct partition *partition,
                         struct outbox *outbox,
                         struct error *error) MUST_CHECK;

#endif
