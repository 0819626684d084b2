/* The releases kept in an instance's directory:
 *
 *     releases/<version>-<first 12 of the digest>/   what was copied there
 *     releases/<same>.release                        its facts: version, digest, form
 *
 * A release is complete when its folder has its name: it is copied, verified and synced in
 * the stage of the order (turn.h), which is there whenever something is changed. */
#ifndef COMMON_DRIVERS_DEPLOYERS_RELEASE_STORE_H
#define COMMON_DRIVERS_DEPLOYERS_RELEASE_STORE_H

#include "common/drivers/deployers/artifact.h"

/* One release; name "" for none. A file lies alone in the release's folder. */
struct release {
    const char *name;
    const char *version;
    const char *digest;
    const char *file; /* Name of the file, for a release made of one; "" for a folder. */
};

/* What the facts beside the release say; for a release brought by others its name and the
 * digest of its folder. ERR_NOT_FOUND: no such release. */
enum err release_read(struct arena *arena,
                      const char *directory,
                      const char *name,
                      struct release *ret,
                      struct error *error) MUST_CHECK;

/* The digest of what lies there now. */
enum err release_digest(struct arena *arena,
                        const char *directory,
                        const struct release *release,
                        char ret_hex[DIGEST_HEX_SIZE],
                        struct error *error) MUST_CHECK;

/* Bring the artifact of the order there, unless it is. The copy is verified, so what is
 * switched to is what the plan's digest says. ERR_DENIED otherwise, with nothing left behind.
 */
enum err release_bring(const struct driver_env *env,
                       const struct deployer_order *order,
                       const char *directory,
                       struct release *ret,
                       struct error *error) MUST_CHECK;

/* The kept release of that version and digest, verified. ERR_NOT_FOUND. */
enum err release_find(struct arena *arena,
                      const char *directory,
                      const Pb__Observed *wanted,
                      struct release *ret,
                      struct error *error) MUST_CHECK;

/* Write down the facts of a release that was brought by others, so that it can be found again.
 * Harmless for one of ours. */
enum err release_adopt(struct arena *arena,
                       const char *stage,
                       const char *directory,
                       const struct release *release,
                       struct error *error) MUST_CHECK;

/* Remove all but the two named ones and, beside these, the newest `keep` releases. */
void release_prune(struct arena *arena,
                   const char *stage,
                   const char *directory,
                   uint32_t keep,
                   const char *const spared[2]);

#endif
