/* Which drivers there are and what each can do, known below the drivers themselves, so that
 * reading a file and compiling a plan can say no before anything runs. A test compares this
 * with what the drivers say of themselves. The rows are in drivers.def. */
#ifndef COMMON_CONFIG_CAPABILITIES_H
#define COMMON_CONFIG_CAPABILITIES_H

#include <stdbool.h>
#include <stddef.h>

enum driver_kind {
    DRIVER_DEPLOYER,
    DRIVER_PROBE,
    DRIVER_METRIC_SOURCE,
    DRIVER_PROVIDER,
    DRIVER_CHANNEL,
};

struct capability {
    enum driver_kind kind;
    const char *name;
    unsigned artifacts; /* Deployers: bit 1 << ARTIFACT_KIND of what it can bring. */
    bool can_shift;     /* Deployers: can move traffic between two sides. */
    bool per_instance;  /* Probes, metric sources: cannot do without a target. */
};

/* The whole table. */
const struct capability *capabilities(size_t *ret_count);

/* The row of that driver, or NULL. */
const struct capability *capability_find(enum driver_kind kind, const char *name);

/* The driver name of that kind nearest to a misspelt one, or NULL. */
const char *capability_nearest(enum driver_kind kind, const char *name);

#endif
