/* What the last switch left behind, on an instance or beside a router's link. */
#ifndef COMMON_DRIVERS_DEPLOYERS_MARKER_H
#define COMMON_DRIVERS_DEPLOYERS_MARKER_H

#include "common/drivers/deployers/deployer.h"

#define MARKER_SWITCHING DEPLOYED_SWITCHING

struct marker {
    bool present;
    const char *state;   /* MARKER_SWITCHING, DEPLOYED_ACTIVE or DEPLOYED_NONE. */
    const char *release; /* The release, or the side. "" for none. */
    const char *version;
    const char *digest;
    const char *previous; /* What was current before. */
    Pb__Fence fence;
};

/* present is false when there is none. ERR_INVALID: damaged. */
enum err marker_read(struct arena *arena,
                     const char *path,
                     struct marker *ret,
                     struct error *error) MUST_CHECK;

/* Write it under the order's fence and deployment. */
enum err marker_write(const struct driver_env *env,
                      const char *path,
                      const struct deployer_order *order,
                      const struct marker *marker,
                      struct error *error) MUST_CHECK;

/* ERR_CONFLICT when the marker's fence is above the order's. */
enum err marker_admits(const struct marker *marker,
                       const struct deployer_order *order,
                       struct error *error) MUST_CHECK;

#endif
