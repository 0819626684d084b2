/* Errors as RFC 9457 problem details, from one table. */
#ifndef SERVICES_GATEWAY_PROBLEM_H
#define SERVICES_GATEWAY_PROBLEM_H

#include "common/base/text.h"

#include <stddef.h>

/* What is said beside code and detail. All may be NULL. */
struct problem {
    const char *code;   /* A row of the table: "not-now". */
    const char *detail; /* One sentence of what is wrong here. */
    const char *remedy; /* What to do. */
    const char *field;
    const char *deployment;
    const char *instance;
    const char *trace_id;
    const char *more; /* Further members, JSON without braces: "\"near\":[\"a\"]". */
};

/* The HTTP status of that code; 500 for one that is not in the table. */
int problem_status(const char *code);

/* Append the application/problem+json body. Returns the status. */
int problem_write(const struct problem *problem, struct text *out);

/* The name of a kind of problem is this and its code; what it means is told at the path. */
#define PROBLEM_URN  "urn:slipway:problem:"
#define PROBLEM_DOCS "/docs/problems/"

/* One kind of problem, for the description and its documentation. */
struct problem_text {
    const char *code;
    int status; /* Of HTTP. */
    const char *title;
    const char *meaning;
    const char *remedy;
};

/* By its place in the table; NULL beyond the last. */
const struct problem_text *problem_text(size_t index);

#endif
