/* The drivers of this folder, for the table in providers.c. */
#ifndef COMMON_DRIVERS_PROVIDERS_ROWS_H
#define COMMON_DRIVERS_PROVIDERS_ROWS_H

#include "common/drivers/providers/provider.h"

#define PROVIDER(symbol, ...) extern const struct provider_driver provider_##symbol;
#include "common/config/drivers.def"

#endif
