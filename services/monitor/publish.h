/* What the monitor writes: facts on events.v1, latches on control.v1, dead letters. Nothing
 * here waits for the bus; flush does. */
#ifndef SERVICES_MONITOR_PUBLISH_H
#define SERVICES_MONITOR_PUBLISH_H

#include "common/runtime/service.h"

/* An incident of a deployment. Borrowed for the call. */
struct incident_fact {
    const char *deployment;
    const char *feature;
    const char *id; /* ce_id; the same word again has the same. */
    const Pb__IncidentReported *incident;
};
enum err publish_incident(const struct service_ports *ports,
                          const struct incident_fact *fact,
                          struct error *error) MUST_CHECK;

enum err publish_kill(const struct service_ports *ports,
                      const Pb__Kill *kill,
                      struct error *error) MUST_CHECK;

#endif
