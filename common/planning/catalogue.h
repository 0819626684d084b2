/* Every check of the procedure, by name: one row each, as in design steps.md. */
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
    const char *id;    /* "smoke.api" */
    unsigned step;     /* 1 to 7; 0: asked before review */
    const char *group; /* "smoke" */
    enum check_answer answer;
    bool waivable;
    const char *asks;   /* For people: "critical API endpoints answer as they should" */
    const char *remedy; /* What to do when it is not PASS. */
};

/* The whole table, in the order of the procedure. */
const struct check_row *catalogue(size_t *ret_count);

/* The row of that name, or NULL. */
const struct check_row *catalogue_find(const char *id);

#endif
