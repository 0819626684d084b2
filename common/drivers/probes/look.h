/* What the probes share: placeholders, and asking over HTTP. */
#ifndef COMMON_DRIVERS_PROBES_LOOK_H
#define COMMON_DRIVERS_PROBES_LOOK_H

#include "common/drivers/finding.h"
#include "common/drivers/probes/probe.h"

enum { LOOK_EXCERPT_MAX = 120, LOOK_TEXT_MAX = 400 };

/* {instance}, {url}, {target}, and every param of the check by its name. */
Pb__Pair **look_values(const struct driver_env *env,
                       const struct probe_order *order,
                       size_t *ret_count);

/* text with those placeholders replaced. */
const char *look_expand(const struct driver_env *env,
                        const struct probe_order *order,
                        const char *text);

/* The param of the check of that name, or "". */
const char *look_param(const struct probe_order *order, const char *name);

/* The verdict when the other side could not be asked: unreachable is FAIL where somebody was
 * expected to answer, out of time is INCONCLUSIVE, anything else ERROR. */
Pb__Verdict look_unanswered(enum err err);

/* GET as the probe's options say. The answer is ERR_OK with a response, or a verdict has been
 * given. */
struct look_request {
    const char *method;
    const char *url;                    /* Placeholders replaced. */
    const struct option_texts *headers; /* "Name: value"; NULL: none. */
    const char *body;                   /* NULL: none */
    int64_t timeout_ms;
};
enum err look_ask(const struct driver_env *env,
                  const struct look_request *request,
                  struct http_response *ret_response,
                  Pb__Finding *ret);

#endif
