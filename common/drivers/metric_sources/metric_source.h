/* Where numbers come from: `prometheus` (its HTTP API), `scrape` (a /metrics page itself). One
 * file and one row in common/config/drivers.def each; every driver passes
 * tests/contract/metric_source. */
#ifndef COMMON_DRIVERS_METRIC_SOURCES_METRIC_SOURCE_H
#define COMMON_DRIVERS_METRIC_SOURCES_METRIC_SOURCE_H

#include "common/drivers/driver.h"

enum { METRIC_SERIES_MAX = 256 };

/* One sample. */
struct metric_sample {
    int64_t value_micro;
    int64_t at_ms;
    const char *evidence; /* "GET http://prom:9090/api/v1/query?query=..." */
};

/* What a watch remembers of one criterion's counters between two samples, so that increase()
 * means "since this watch began": a counter that stood at 900 errors before the change must
 * neither accuse it nor hide its own. Zeroed at the beginning, then the driver's own; at most
 * METRIC_SERIES_MAX series. */
struct metric_memory {
    bool begun; /* One complete sample was taken: the baseline stands. */
    size_t count;
    struct {
        uint64_t series; /* Hash of term, instance, name and labels. */
        size_t term;     /* Of the query. */
        double last;
        double grown; /* Since the baseline, across restarts of the instance. */
    } item[METRIC_SERIES_MAX];
};

/* What to ask. */
struct metric_query {
    const void *config;
    const char *text;
    struct metric_memory *memory; /* NULL: a single look, increase() counts from the start of
                                     the instance. */
};

struct metric_source_driver {
    const char *name;
    const struct option *options;
    size_t config_size;

    /* Ask once. ERR_NOT_FOUND: no data (an empty result, NaN, a page without the metric): never
     * a number. ERR_CONFLICT: an answer that the source itself doubts. ERR_UNAVAILABLE,
     * ERR_TIMED_OUT, ERR_DENIED: the source itself. ERR_INVALID: the query. */
    enum err (*query)(const struct driver_env *env,
                      const struct metric_query *query,
                      struct metric_sample *ret,
                      struct error *error);

    /* How many alerting rules (of that name; NULL: in all) it evaluates without trouble. NULL:
     * the source knows of none. */
    enum err (*alert_rules)(const struct driver_env *env,
                            const void *config,
                            const char *name,
                            size_t *ret_count,
                            struct error *error);
};

const struct metric_source_driver *metric_source_find(const char *name);
const struct metric_source_driver *const *metric_source_all(void);

/* Reads the options of every configured source; what is wrong with them goes to problems. */
void metric_sources_check(struct arena *arena,
                          const struct settings *settings,
                          struct yaml_problems *problems);

/* Ask the configured source of that criterion, and compare: PASS, FAIL, NO_DATA, INCONCLUSIVE,
 * ERROR. The sample is in ret_sample when the verdict is PASS or FAIL by its value
 * (ret_sample->evidence is NULL otherwise). */
Pb__Finding *metric_answer(const struct driver_env *env,
                           const Pb__CheckSpec *check,
                           struct metric_sample *ret_sample);

/* The same as one sample of a watch. memory may be NULL. */
Pb__Finding *metric_answer_since(const struct driver_env *env,
                                 const Pb__CheckSpec *check,
                                 struct metric_memory *memory,
                                 struct metric_sample *ret_sample);

/* Are alerts configured? Asks every configured source that evaluates rules: FAIL when none has
 * any, or one has not the rule that slipway.yaml says it has. Where no source can tell, the
 * alerts that slipway.yaml names count. NULL when there was nothing to look at. */
Pb__Finding *metric_alerts_answer(const struct driver_env *env, const Pb__CheckSpec *check);

/* The configured source of that name with its options read. ERR_INVALID. */
enum err metric_source_open(const struct driver_env *env,
                            const char *name,
                            const struct metric_source_driver **ret_driver,
                            const void **ret_config,
                            struct error *error) MUST_CHECK;

/* "at most 0.05 ratio" */
const char *metric_limit_text(struct arena *arena, const Pb__MetricCriterion *criterion);

/* "0.031 ratio" */
const char *metric_value_text(struct arena *arena, int64_t value_micro, const char *unit);

/* In millionths, rounded. False when it is not finite or does not fit. */
bool metric_micro(double value, int64_t *ret_micro);

#endif
