/* What every flag provider must do, asked of each through a world of its own. */
#ifndef TESTS_CONTRACT_PROVIDER_PROVIDER_CONTRACT_H
#define TESTS_CONTRACT_PROVIDER_PROVIDER_CONTRACT_H

#include "common/drivers/providers/provider.h"

#include <stdbool.h>

/* The other side of one driver. The flag is "express-pay" in "production", of deployment
 * "express-pay.1". */
struct provider_world {
    const char *driver;
    void (*open)(void);
    void (*close)(void);
    const struct driver_env *(*env)(void);

    /* What the coordinator does before anybody is asked to set: publish the granted value. */
    void (*publish)(uint64_t sequence, uint32_t percent, const char *audience);
    void (*latch)(void);

    /* One instance, or all of them, do not answer until the world is closed. */
    void (*silence)(bool all);
};

extern const struct provider_world builtin_world;

#endif
