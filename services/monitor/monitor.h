/* The monitor: watches batches, stages and the time after a rollout, and turns alerts into
 * incidents. */
#ifndef SERVICES_MONITOR_MONITOR_H
#define SERVICES_MONITOR_MONITOR_H

#include "common/runtime/worker.h"

/* For worker_main: alerts have a thread of their own, so that nothing else delays them. */
extern const struct worker_spec monitor_spec;

/* For worker_open_inline: alerts are heard in the worker's turn. */
extern const struct worker_spec monitor_spec_inline;

#endif
