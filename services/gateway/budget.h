/* How many requests a token may make: one bucket a token for its everyday traffic and one of
 * its own for stopping things, so that neither its reads nor anybody else can use that up. */
#ifndef SERVICES_GATEWAY_BUDGET_H
#define SERVICES_GATEWAY_BUDGET_H

#include "common/wire/pb.h"

#include <stdbool.h>
#include <stdint.h>

enum { BUDGET_ACTORS_MAX = 1000, BUDGET_STOPS_PER_MINUTE = 120 };

struct budgets;

/* Full at first: a minute's worth at once, then as many a minute. per_minute 0: no limit. */
struct budgets *budgets_new(uint32_t per_minute);
void budgets_free(struct budgets *budgets); /* Accepts NULL. */

/* One request of that actor, known by its address. False when its bucket is empty; then
 * ret_wait_s says in how many seconds it is not. now_ms: monotonic. */
bool budget_take(struct budgets *budgets,
                 const Pb__Actor *actor,
                 bool stop,
                 int64_t now_ms,
                 int *ret_wait_s);

#endif
