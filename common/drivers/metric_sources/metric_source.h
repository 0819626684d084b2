/* Where numbers come from: `prometheus` (its HTTP API), `scrape` (a /metrics page itself). One
 * file and one row in metric_sources.c each; every driver passes
 * tests/contract/metric_source_contract.c. */
#ifndef COMMON_DRIVERS_METRIC_SOURCES_METRIC_SOURCE_H
#define COMMON_DRIVERS_METRIC_SOURCES_METRIC_SOURCE_H

#include "common/drivers/driver.h"

/* One sample. */
struct metric_sample {
    int64_t value_micro;
    int64_t at_ms;
    const char *evidence; /* "GET http://prom:9090/api/v1/query?query=..." */
};

struct metric_source_driver {
    const char *name;
    const struct option *options;
    size_t config_size;

    /* Ask once. ERR_NOT_FOUND: no data (an empty result, NaN, a page without the metric): never
     * a number. ERR_UNAVAILABLE, ERR_TIMED_OUT: the source itself. ERR_INVALID: the query. */
    enum err (*query)(const struct driver_env *env,
                      const void *config,
                      const char *query,
                      struct metric_sample *ret,
                      struct error *error);
};

const struct metric_source_driver *metric_source_find(const char *name);
const struct metric_source_driver *const *metric_source_all(void);

/* Ask the configured source of that criterion, and compare: PASS, FAIL, NO_DATA, ERROR. The
 * sample is in ret_sample unless NO_DATA or ERROR. */
Pb__Finding *metric_answer(const struct driver_env *env,
                           const Pb__CheckSpec *check,
                           struct metric_sample *ret_sample);

#endif
