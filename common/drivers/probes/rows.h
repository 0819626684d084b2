/* The drivers of this folder, for the table in probes.c. */
#ifndef COMMON_DRIVERS_PROBES_ROWS_H
#define COMMON_DRIVERS_PROBES_ROWS_H

#include "common/drivers/probes/probe.h"

#define PROBE(symbol, ...) extern const struct probe_driver probe_##symbol;
#include "common/config/drivers.def"

#endif
