/* OFREP: evaluating flags for OpenFeature clients, from memory. */
#ifndef SERVICES_GATEWAY_OFREP_H
#define SERVICES_GATEWAY_OFREP_H

#include "common/base/text.h"
#include "common/domain/flags.h"

enum { OFREP_ATTRIBUTES_MAX = 64 };

/* One question. body is the request's JSON. environment: whose flags. */
struct ofrep_request {
    struct arena *arena;
    const struct flag_table *flags;
    const char *environment;
    const char *body;
    size_t body_length;
};

/* POST /ofrep/v1/evaluate/flags/{key}: appends the answer, returns the status. */
int ofrep_evaluate(const struct ofrep_request *request, const char *key, struct text *out);

/* POST /ofrep/v1/evaluate/flags: all flags of the environment. */
int ofrep_evaluate_all(const struct ofrep_request *request, struct text *out);

#endif
