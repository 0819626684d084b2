/* What Prometheus Alertmanager (webhook version 4) and Grafana send, as our AlertBatch. */
#ifndef SERVICES_GATEWAY_ALERTMANAGER_H
#define SERVICES_GATEWAY_ALERTMANAGER_H

#include "common/wire/pb.h"

enum { ALERTMANAGER_ALERTS_MAX = 1000 };

/* ERR_INVALID with field and reason when the body is no such message. Unknown members are
 * ignored, as the senders' documentation asks. An alert without `service` or `environment`
 * label is kept: the monitor answers for what it cannot match. source names the sender. */
enum err alertmanager_read(struct arena *arena,
                           const char *source,
                           struct pb_bytes body,
                           Pb__AlertBatch **ret,
                           struct error *error) MUST_CHECK;

#endif
