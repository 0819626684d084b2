/* The notifier worker: announcements while a deployment runs, and step 7. */
#ifndef SERVICES_NOTIFIER_SERVICE_H
#define SERVICES_NOTIFIER_SERVICE_H

#include "common/runtime/worker.h"

extern const struct worker_spec notifier_worker;

#endif
