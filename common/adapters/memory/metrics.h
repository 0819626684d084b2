/* Metrics that can be looked up. Any thread. */
#ifndef COMMON_ADAPTERS_MEMORY_METRICS_H
#define COMMON_ADAPTERS_MEMORY_METRICS_H

#include "common/ports/metrics.h"

struct memory_metrics;

struct memory_metrics *memory_metrics_new(void);
void memory_metrics_free(struct memory_metrics *metrics); /* Accepts NULL. */

/* The port borrows the metrics. */
struct metrics_port memory_metrics_port(struct memory_metrics *metrics);

/* What a name with that label stands at: a counter's sum, a gauge's last value, how many
 * durations were observed. 0 if it never was. */
int64_t memory_metric(struct memory_metrics *metrics,
                      const char *name,
                      const char *label,
                      const char *value);

#endif
