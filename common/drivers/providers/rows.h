/* The drivers of this folder, for the table in providers.c. */
#ifndef COMMON_DRIVERS_PROVIDERS_ROWS_H
#define COMMON_DRIVERS_PROVIDERS_ROWS_H

#include "common/drivers/providers/provider.h"

extern const struct provider_driver provider_builtin;

#endif
