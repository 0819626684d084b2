#include "common/drivers/probes/identity.h"
#include "common/drivers/probes/rows.h"

/* Which code runs on each instance. */
const struct probe_driver probe_version = {
    .name = "version",
    .options = identity_options,
    .config_size = sizeof(struct identity_probe),
    .per_instance = true,
    .look = identity_look,
};
