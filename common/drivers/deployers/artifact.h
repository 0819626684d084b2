/* The artifact of a change, as it lies below its target's artifact root. */
#ifndef COMMON_DRIVERS_DEPLOYERS_ARTIFACT_H
#define COMMON_DRIVERS_DEPLOYERS_ARTIFACT_H

#include "common/drivers/deployers/deployer.h"

struct artifact {
    const char *path; /* Absolute. */
    const char *name; /* Last part of the path. */
    bool folder;
};

/* Where it is. ERR_INVALID: the source is absolute, climbs out, or passes a link;
 * ERR_NOT_FOUND.
 */
enum err artifact_find(const struct driver_env *env,
                       const struct deployer_order *order,
                       struct artifact *ret,
                       struct error *error) MUST_CHECK;

/* ERR_DENIED unless what lies at path is what the change's digest says. */
enum err artifact_verify(const char *path,
                         bool folder,
                         const Pb__Change *change,
                         struct error *error) MUST_CHECK;

/* Find and verify: the contract of deployer_driver.check_artifact. */
enum err artifact_check(const struct driver_env *env,
                        const struct deployer_order *order,
                        struct error *error);

/* SHA-256 of a file or a folder. */
enum err artifact_digest(const char *path,
                         bool folder,
                         char ret_hex[DIGEST_HEX_SIZE],
                         struct error *error) MUST_CHECK;

#endif
