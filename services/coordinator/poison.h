/* A record on which owner after owner dies is passed over, so that it stops one deployment and
 * not a whole partition.
 *
 * Only deaths count. On a bad night a try ends in many other ways: Redis does not answer, or
 * the partition has gone to another owner meanwhile. A process that outlived its try takes it
 * back; a log of which such a record was skipped would be told otherwise than it went. */
#ifndef SERVICES_COORDINATOR_POISON_H
#define SERVICES_COORDINATOR_POISON_H

#include "services/coordinator/shell.h"
#include "services/coordinator/writes.h"

/* Before a record is applied by an owner whose predecessor left without a word: note in
 * {p}:tried that this process begins it. When QUARANTINE_DEATHS other processes began it last,
 * publish a Skip for it instead; from then on control_skips() says so. */
enum err poison_look(struct coordinator *shell,
                     struct partition *partition,
                     const struct bus_record *record,
                     struct error *error) MUST_CHECK;

/* The try that was noted ended, and not in death: to be taken back. */
void poison_outlived(struct coordinator *shell, const struct partition *partition);

/* Take back what poison_outlived() noted, as soon as Redis listens, whoever is owner now. */
void poison_tell_outlived(struct coordinator *shell);

/* Nothing was poison up to here. */
void poison_forget(struct coordinator *shell,
                   const struct partition *partition,
                   struct writes *writes);

#endif
