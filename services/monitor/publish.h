/* What the monitor writes: facts on events.v1, latches on control.v1, dead letters. Nothing
 * here waits for the bus; flush does. */
#ifndef SERVICES_MONITOR_PUBLISH_H
#define SERVICES_MONITOR_PUBLISH_H

#include "common/runtime/service.h"

/* id: ce_id; the same word again has the same. */
enum err publish_incident(const struct service_ports *ports,
                          const char *deployment,
                          const char *feature,
                          const char *id,
                          const Pb__IncidentReported *incident,
                          struct error *error) MUST_CHECK;

enum err publish_kill(const struct service_ports *ports,
                      const Pb__Kill *kill,
                      struct error *error) MUST_CHECK;

#endif
