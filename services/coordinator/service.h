/* The coordinator as a service: main.c runs it, scenario tests run the same description on
 * ports in memory. */
#ifndef SERVICES_COORDINATOR_SERVICE_H
#define SERVICES_COORDINATOR_SERVICE_H

#include "common/runtime/service.h"

/* Environment: SLIPWAY_CRASH_AT (common/ports/crash.h), and what the operator decides about a
 * log that is not the one Redis knows: SLIPWAY_ADOPT=1 (--adopt) or SLIPWAY_REBUILD=1
 * (--rebuild). Each is obeyed once for each partition. */
const struct service_spec *coordinator_service(void);

#endif
