/* How a check is looked at: `http`, `tcp`, `command`, `version`, `configuration`, `metric`,
 * `flag`, `log`. One file and one row in common/config/drivers.def
 * each; every driver passes tests/contract/probe.
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
    bool per_instance; /* Called for each instance of the probe's target, if it has one. */

    /* Look once, blocking at most the probe's timeout. Fills verdict, observed, wanted,
     * evidence and link of ret; never fails otherwise: what went wrong is a verdict. */
    void (*look)(const struct driver_env *env,
                 const struct probe_order *order,
                 Pb__Finding *ret);
};

/* The driver of that name, or NULL. */
const struct probe_driver *probe_find(const char *name);
const struct probe_driver *const *probe_all(void);

/* Reads the options of every configured probe; what is wrong with them goes to problems. */
void probes_check(struct arena *arena,
                  const struct settings *settings,
                  struct yaml_problems *problems);

/* Answer one CheckSpec of kind "probe": finds the configured probe, looks at every instance,
 * and folds the answers into one finding (the worst verdict; observed names the instances that
 * differ). only: look at these instances of the probe's target; count 0, or a target that has
 * none of them, looks at all. */
Pb__Finding *probe_answer(const struct driver_env *env,
                          const Pb__CheckSpec *check,
                          const char *const *only,
                          size_t only_count);

/* How long a worker may go on looking for a PASS before another answer counts: the probe's
 * option `settle`, 0 if it has none. A program that was just started needs a moment. */
int64_t probe_settle_ms(const struct settings *settings, const char *probe);

#endif
