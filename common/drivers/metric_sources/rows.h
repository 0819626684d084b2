/* The drivers of this folder, for the table in metric_sources.c. */
#ifndef COMMON_DRIVERS_METRIC_SOURCES_ROWS_H
#define COMMON_DRIVERS_METRIC_SOURCES_ROWS_H

#include "common/drivers/metric_sources/metric_source.h"

extern const struct metric_source_driver metric_source_prometheus;
extern const struct metric_source_driver metric_source_scrape;

#endif
