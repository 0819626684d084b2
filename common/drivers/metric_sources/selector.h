/* What can be asked of a page of metrics: a small language, and nothing beyond it.
 *
 *     query    = term [ "/" term ]
 *     term     = selector | "increase" "(" selector ")"
 *     selector = name [ "{" label ( "=" | "!=" ) "\"" value "\"" { "," ... } "}" ]
 *
 * A selector is the sum over all series that match, on all instances; at least one must.
 * increase() is how far those counters have risen since the watch began, restarts included;
 * outside a watch, since each instance began. A quotient with 0 below is no data. */
#ifndef COMMON_DRIVERS_METRIC_SOURCES_SELECTOR_H
#define COMMON_DRIVERS_METRIC_SOURCES_SELECTOR_H

#include "common/drivers/metric_sources/exposition.h"
#include "common/drivers/metric_sources/metric_source.h"

enum { SELECTOR_MATCHERS_MAX = 8, SELECTOR_TERMS_MAX = 2 };

struct selector_matcher {
    const char *label;
    const char *value;
    bool differs; /* "!=" */
};

struct selector_term {
    const char *name;
    struct selector_matcher matchers[SELECTOR_MATCHERS_MAX];
    size_t matcher_count;
    bool increase;
};

struct selector_query {
    struct selector_term terms[SELECTOR_TERMS_MAX];
    size_t count;
};

/* ERR_INVALID with what is not understood, and what is. Text lives in the arena. */
enum err selector_parse(struct arena *arena,
                        const char *text,
                        struct selector_query *ret,
                        struct error *error) MUST_CHECK;

/* The sums being made, page by page. */
struct selector_sum {
    const struct selector_query *query;
    struct metric_memory *memory; /* May be NULL. */
    const char *instance;         /* Whose page is being read. */
    int64_t oldest_ms;            /* Of the times that samples carry; 0: none carries one. */
    struct {
        double sum;
        size_t series;
    } term[SELECTOR_TERMS_MAX];
    uint64_t seen[METRIC_SERIES_MAX]; /* Of the instance being read. */
    size_t seen_count;
};

/* Begin with the next instance's page. */
void selector_sum_page(struct selector_sum *sum, const char *instance);

/* An exposition_visit: self is the struct selector_sum. ERR_INVALID when a series stands on the
 * page twice; ERR_TOO_LARGE when more than METRIC_SERIES_MAX match. */
enum err selector_visit(void *self,
                        const struct exposition_sample *sample,
                        struct error *error);

/* After the last page. ERR_NOT_FOUND with the reason when there is no number. */
enum err selector_result(struct selector_sum *sum, double *ret, struct error *error) MUST_CHECK;

#endif
