/* Taking out of Redis what a partition's log did not say, before it is folded from its first
 * record. */
#ifndef SERVICES_COORDINATOR_CLEAN_H
#define SERVICES_COORDINATOR_CLEAN_H

#include "services/coordinator/shell.h"

/* Only the owner that stored names may be cleaned away: otherwise ERR_CONFLICT. */
enum err clean_partition(struct coordinator *shell,
                         const struct partition *partition,
                         const struct log_mark *stored,
                         struct error *error) MUST_CHECK;

#endif
