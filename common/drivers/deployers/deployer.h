/* How a change reaches its target: `release-directory`, `command`. One file and one row in
 * deployers.c each; every driver passes tests/contract/deployer_contract.c.
 *
 * All functions work on one instance and may block up to the change's timeout. Each compares
 * wanted with observed first and does nothing when they agree, so that repeating one is
 * harmless. */
#ifndef COMMON_DRIVERS_DEPLOYERS_DEPLOYER_H
#define COMMON_DRIVERS_DEPLOYERS_DEPLOYER_H

#include "common/drivers/driver.h"

/* What to bring where. */
struct deployer_order {
    const struct setting_target *target;
    const void *config;                      /* Of the target: the driver's target_options. */
    const struct setting_instance *instance; /* NULL for shift. */
    const void *instance_config;             /* The driver's instance_options. */
    const Pb__Change *change;
    const Pb__Fence *fence;
    const Pb__Observed *baseline; /* What ran before; NULL if unknown. */
    const char *side;             /* shift: the side to receive the traffic. */
};

struct deployer_driver {
    const char *name;
    const struct option *target_options;
    size_t target_config_size;
    const struct option *instance_options;
    size_t instance_config_size;
    unsigned kinds; /* Bit 1 << ARTIFACT_KIND of what it can bring. */
    bool can_shift;

    /* What runs on the instance now. ERR_NOT_FOUND: nothing was ever deployed there. Changes
     * nothing. */
    enum err (*observe)(const struct driver_env *env,
                        const struct deployer_order *order,
                        Pb__Observed *ret,
                        struct error *error);

    /* Is the artifact there, with the digest the plan names? Changes nothing. May be NULL. */
    enum err (*check_artifact)(const struct driver_env *env,
                               const struct deployer_order *order,
                               struct error *error);

    /* Bring the change to the instance; ret is what runs afterwards, read back. ERR_CONFLICT:
     * the target holds a higher fence. ERR_DENIED: the artifact is not what the digest says. */
    enum err (*apply)(const struct driver_env *env,
                      const struct deployer_order *order,
                      Pb__Observed *ret,
                      struct error *error);

    /* Back to the baseline; ret is what runs afterwards. */
    enum err (*revert)(const struct driver_env *env,
                       const struct deployer_order *order,
                       Pb__Observed *ret,
                       struct error *error);

    /* Move the traffic to order->side; ret->state says the side that has it. */
    enum err (*shift)(const struct driver_env *env,
                      const struct deployer_order *order,
                      Pb__Observed *ret,
                      struct error *error);
};

/* The driver of that name, or NULL. */
const struct deployer_driver *deployer_find(const char *name);

/* Every row, NULL-terminated, for documentation and tests. */
const struct deployer_driver *const *deployer_all(void);

#endif
