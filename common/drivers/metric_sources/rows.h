/* The drivers of this folder, for the table in metric_sources.c. */
#ifndef COMMON_DRIVERS_METRIC_SOURCES_ROWS_H
#define COMMON_DRIVERS_METRIC_SOURCES_ROWS_H

#include "common/drivers/metric_sources/metric_source.h"

#define METRIC_SOURCE(symbol, ...)                                                             \
    extern const struct metric_source_driver metric_source_##symbol;
#include "common/config/drivers.def"

#endif
