/* The numbers of a service, as Prometheus reads them: text format 0.0.4. */
#ifndef COMMON_RUNTIME_METRICS_H
#define COMMON_RUNTIME_METRICS_H

#include "common/base/text.h"
#include "common/ports/metrics.h"

struct metrics;

/* An empty registry for at most 500 series; further ones are counted as dropped. Thread-safe.
 */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics); /* Accepts NULL. */

struct metrics_port metrics_port(struct metrics *metrics);

/* Append all series, one name after the other. */
void metrics_write(struct metrics *metrics, struct text *out);

#endif
