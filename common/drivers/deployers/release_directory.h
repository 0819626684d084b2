/* The driver `release-directory`: releases side by side below a directory of the instance, and
 * a link that says which one runs.
 *
 *     releases/<version>-<digest>/   every release kept
 *     current -> releases/<...>      switched at once
 *     marker                         who switched it last, under which fence, and whether the
 *                                    instance was restarted since
 *     lock, lock.turn-*              one executor at a time (turn.h)
 *
 * The marker says `switching` before the link moves and `active` after the restart. A kill at
 * any point between leaves `switching`, and the next apply or revert does the rest. Exposed for
 * tests and router.c only. */
#ifndef COMMON_DRIVERS_DEPLOYERS_RELEASE_DIRECTORY_H
#define COMMON_DRIVERS_DEPLOYERS_RELEASE_DIRECTORY_H

#include "common/drivers/deployers/deployer.h"

struct release_directory_config {
    struct option_texts restart;
    struct option_texts stop;
    int64_t restart_timeout_ms;
    int64_t take_over_ms;
    uint32_t keep;
    const char *router_link;
    const char *router_to;
    struct option_texts router_reload;
    int64_t router_timeout_ms;

    /* Tests only: called when a point is reached, with its name. */
    void (*reached)(void *self, const char *point);
    void *reached_self;
};

struct release_directory_instance {
    const char *directory;
};

/* router.c: the side the router's link points to (ret->state "side=blue"), and moving it. */
enum err router_observe(const struct driver_env *env,
                        const struct deployer_order *order,
                        Pb__Observed *ret,
                        struct error *error);
enum err router_shift(const struct driver_env *env,
                      const struct deployer_order *order,
                      Pb__Observed *ret,
                      struct error *error);

void release_directory_reached(const struct deployer_order *order, const char *point);

#endif
