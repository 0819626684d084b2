/* The drivers of this folder, for the table in probes.c. */
#ifndef COMMON_DRIVERS_PROBES_ROWS_H
#define COMMON_DRIVERS_PROBES_ROWS_H

#include "common/drivers/probes/probe.h"

extern const struct probe_driver probe_http;
extern const struct probe_driver probe_tcp;
extern const struct probe_driver probe_command;
extern const struct probe_driver probe_version;
extern const struct probe_driver probe_configuration;
extern const struct probe_driver probe_metric;
extern const struct probe_driver probe_flag;
extern const struct probe_driver probe_log;

#endif
