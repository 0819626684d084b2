/* The flag-rollout worker: sets flags and reads them back, turns them off for good. */
#ifndef SERVICES_FLAG_ROLLOUT_SERVICE_H
#define SERVICES_FLAG_ROLLOUT_SERVICE_H

#include "common/runtime/worker.h"

extern const struct worker_spec flag_rollout_worker;

#endif
