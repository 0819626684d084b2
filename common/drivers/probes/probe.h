/* How a check is looked at: `http`, `tcp`, `command`, `version`, `configuration`, `metric`,
 * `flag`, `log`. One file and one row in probes.c each; every driver passes
 * tests/contract/probe_contract.c.
 *
 * A probe never answers PASS without having looked: silence is NO_DATA, a failed look is ERROR,
 * half an answer is INCONCLUSIVE. */
#ifndef COMMON_DRIVERS_PROBES_PROBE_H
#define COMMON_DRIVERS_PROBES_PROBE_H

#include "common/drivers/driver.h"

/* What to look at. */
struct probe_order {
    const void *config; /* The driver's options. */
    const Pb__CheckSpec
        *check; /* Its params say what is wanted: "version", "digest", "flag". */
    const struct setting_target *target;     /* NULL if the probe names none. */
    const struct setting_instance *instance; /* NULL: asked once, not per instance. */
};

struct probe_driver {
    const char *name;
    const struct option *options;
    size_t config_size;
    bool per_instance; /* Called once for each instance of the probe's `target`. */

    /* Look once, blocking at most the probe's timeout. Fills verdict, observed, wanted,
     * evidence and link of ret; never fails otherwise: what went wrong is a verdict. */
    void (*look)(const struct driver_env *env,
                 const struct probe_order *order,
                 Pb__Finding *ret);
};

/* The driver of that name, or NULL. */
const struct probe_driver *probe_find(const char *name);
const struct probe_driver *const *probe_all(void);

/* Answer one CheckSpec of kind "probe": finds the configured probe, looks at every instance,
 * and folds the answers into one finding (the worst verdict; observed names the instances that
 * differ). only: look at these instances; count 0 looks at all of them. */
Pb__Finding *probe_answer(const struct driver_env *env,
                          const Pb__CheckSpec *check,
                          const char *const *only,
                          size_t only_count);

#endif
