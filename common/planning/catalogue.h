/* Every check of the procedure, by step and name: one row each, as in design steps.md.
 *
 * A plan may ask one row several times: "smoke.api" answered by two probes is planned as
 * "smoke.api.<probe>", a metric as "bake.<metric>", a batch as "apply.<change>.<batch>"
 * (numbers from 1). catalogue_find() finds the row of such a name too. */
#ifndef COMMON_PLANNING_CATALOGUE_H
#define COMMON_PLANNING_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

enum check_answer {
    CHECK_BUILTIN, /* The worker knows how: digest, read-back, window. */
    CHECK_BOUND, /* A probe, metric or person that feature or policy binds, or a planned N/A. */
    CHECK_METRIC, /* Made from metric criteria. */
};

struct check_row {
    unsigned step;      /* 1 to 7; 0: asked before review. An id may stand in several steps. */
    const char *id;     /* "smoke.api" */
    const char *worker; /* Who looks: "prechecks"; "coordinator" for what the core knows. */
    enum check_answer answer;
    bool waivable;
    const char *asks;   /* For people: "critical API endpoints answer as they should" */
    const char *remedy; /* What to do when it is not PASS. */
};

/* The whole table, in the order of the procedure. */
const struct check_row *catalogue(size_t *ret_count);

/* The row of that name in that step, or NULL. step 0 looks in all, the first wins. */
const struct check_row *catalogue_find(const char *id, unsigned step);

/* The id of the table nearest to a misspelt one, or NULL. */
const char *catalogue_nearest(const char *id);

/* "smoke" of "smoke.api": its length. */
size_t catalogue_group(const char *id);

#endif
