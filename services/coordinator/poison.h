/* A record on which owner after owner dies is passed over, so that it stops one deployment and
 * not a whole partition. */
#ifndef SERVICES_COORDINATOR_POISON_H
#define SERVICES_COORDINATOR_POISON_H

#include "services/coordinator/shell.h"

/* Before a record is applied by an owner whose predecessor died: note in {p}:inflight that it
 * is being tried once more. After QUARANTINE_DEATHS tries that ended nowhere, publish a Skip
 * for it instead; from then on control_skips() says so. */
enum err poison_look(struct coordinator *shell,
                     struct partition *partition,
                     const struct bus_record *record,
                     struct error *error) MUST_CHECK;

#endif
