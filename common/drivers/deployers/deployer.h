/* How a change reaches its target: `release-directory`, `command`. One file and one row in
 * common/config/drivers.def each; every driver passes tests/contract/deployer.
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
    const char *deployment;       /* Written into the target's marker. */

    /* A folder where to make what is then moved into its place (turn.h); NULL: there is none.
     * The driver's own to set. */
    const char *stage;

    /* Where to leave what was run and what it printed last (2 KiB); NULL: nobody asks. */
    const char **ret_evidence;
};

/* Observed.state of an instance, as far as the callers look at it. Anything else means that the
 * instance must be brought there again. */
#define DEPLOYED_ACTIVE    "active"    /* There, and restarted since. */
#define DEPLOYED_UNMANAGED "unmanaged" /* There, but not brought by this driver. */
#define DEPLOYED_NONE      "none"      /* Nothing is deployed. */
/* A switch was begun and not finished. What lies there is a whole release, and version and
 * digest are its own; whether it runs nobody can say but the instance. The next apply or revert
 * does the rest. */
#define DEPLOYED_SWITCHING "switching"
#define DEPLOYED_SIDE      "side=" /* Before the side that has the traffic, "" if none. */

/* Of every function: ERR_STALE when env->stopped said so before anything irreversible;
 * ERR_DENIED or ERR_INVALID when repeating it cannot help; ERR_UNAVAILABLE or ERR_TIMED_OUT
 * when it can. */

struct deployer_driver {
    const char *name;
    const struct option *target_options;
    size_t target_config_size;
    const struct option *instance_options;
    size_t instance_config_size;
    unsigned kinds; /* Bit 1 << ARTIFACT_KIND of what it can bring. */
    bool can_shift;

    /* What runs on the instance now, its digest computed from what lies there. ERR_NOT_FOUND:
     * nothing is deployed (ret says so too). Without an instance: ret->state is DEPLOYED_SIDE
     * and the side that has the traffic. Changes nothing. */
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

    /* Back to the baseline; ret is what runs afterwards. A baseline without version and digest
     * was nothing: it is nothing again. ERR_NOT_FOUND: what ran before is gone. */
    enum err (*revert)(const struct driver_env *env,
                       const struct deployer_order *order,
                       Pb__Observed *ret,
                       struct error *error);

    /* Move the traffic to order->side ("": to none); ret->state says the side that has it. */
    enum err (*shift)(const struct driver_env *env,
                      const struct deployer_order *order,
                      Pb__Observed *ret,
                      struct error *error);
};

/* The deployers of all targets with their options read, for the life of a service. */
struct deployer_book {
    const struct deployer_entry *entries;
    size_t count;
};
struct deployer_entry {
    const struct setting_target *target;
    const struct deployer_driver *driver;
    const void *config;
    const void **instance_configs; /* In the order of target->instances. */
};

/* Reads every target's options. Each problem goes to problems; what could be read is in the
 * book. Everything lives in arena. */
struct deployer_book deployer_book_read(struct arena *arena,
                                        const struct settings *settings,
                                        struct yaml_problems *problems);

/* The entry of that target, or NULL. */
const struct deployer_entry *deployer_book_find(const struct deployer_book *book,
                                                const char *target);

/* An order for that instance (NULL: the target as a whole). change, fence and the rest are the
 * caller's to set. */
struct deployer_order deployer_order_for(const struct deployer_entry *entry,
                                         const struct setting_instance *instance);

/* The driver of that name, or NULL. */
const struct deployer_driver *deployer_find(const char *name);

/* Every row, NULL-terminated, for documentation and tests. */
const struct deployer_driver *const *deployer_all(void);

#define DEPLOYER(symbol, ...) extern const struct deployer_driver deployer_##symbol;
#include "common/config/drivers.def"

#endif
