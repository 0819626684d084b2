/* What every metric source must keep: a number is a number that somebody measured; everything
 * else has a name of its own. */
#ifndef TESTS_CONTRACT_METRIC_SOURCE_METRIC_SOURCE_CONTRACT_H
#define TESTS_CONTRACT_METRIC_SOURCE_METRIC_SOURCE_CONTRACT_H

#include "common/drivers/metric_sources/metric_source.h"
#include "tests/support/driver_world.h"

struct metric_source_case {
    const char *settings; /* The section `metric_sources`, with one named "asked". */
    const char *query;    /* One number. */
    const char *wrong;    /* A query that it refuses; */
    const char *refuses;  /* and what it answers to it; "" if it sees so itself. */
    int refuses_status;
    const char *(*page)(struct driver_world *world,
                        const char *value); /* "0.25" as it stands. */
    const char *nothing;                    /* A page without the metric. */
    const char *nonsense;                   /* A page that is none. */
};

void metric_source_contract(const struct metric_source_case *one);

/* A check of kind "metric" that asks "asked" with query: at most 0.05 ratio, no data holds. */
Pb__CheckSpec *metric_check(struct driver_world *world, const char *query);

#endif
