/* The validator: answers checks. Health of each batch (step 2), validation (step 3) and
 * post-deployment validation (step 5), one finding a check. */
#ifndef SERVICES_VALIDATOR_VALIDATOR_H
#define SERVICES_VALIDATOR_VALIDATOR_H

#include "common/runtime/worker.h"

/* For worker_main, and for tests to run inline. */
extern const struct worker_spec validator_spec;

#endif
