/* Reading the state of one deployment outside a batch. */
#ifndef SERVICES_COORDINATOR_STATES_H
#define SERVICES_COORDINATOR_STATES_H

#include "common/state/projection.h"
#include "services/coordinator/shell.h"

/* The reader over Redis. */
struct projection states_projection(struct coordinator *shell);

/* As of the last commit, from the cache where it has it. ERR_NOT_FOUND. In the arena of the
 * piece of work. */
enum err states_read(struct coordinator *shell,
                     struct partition *partition,
                     const char *deployment,
                     Pb__DeploymentState **ret,
                     struct error *error) MUST_CHECK;

/* Its plan; NULL in ret if it has none yet. Borrowed from the cache. */
enum err states_plan(struct coordinator *shell,
                     struct partition *partition,
                     const Pb__DeploymentState *state,
                     Pb__Plan **ret,
                     struct error *error) MUST_CHECK;

#endif
