/* What `version` and `configuration` have in common: each instance says which artifact it runs,
 * and that must be the one the plan brought. */
#ifndef COMMON_DRIVERS_PROBES_IDENTITY_H
#define COMMON_DRIVERS_PROBES_IDENTITY_H

#include "common/drivers/probes/probe.h"

struct identity_probe {
    const char *target;
    const char *url;
    const char *version_at;
    const char *digest_at;
    int64_t timeout_ms;
    int64_t settle_ms;
};

extern const struct option identity_options[];

/* A probe_driver's look. wanted: the check's params "version" and "digest" (sha256 in hex, with
 * or without "sha256:"). Both must be reported as wanted; without a wanted one, or without a
 * reported digest where one is wanted, the answer is INCONCLUSIVE. */
void identity_look(const struct driver_env *env,
                   const struct probe_order *order,
                   Pb__Finding *ret);

#endif
