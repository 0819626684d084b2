/* Threads that carry calls which ask Redis, Kafka or other gateways.
 *
 * Each lane has desks and a short queue of its own: people who stop something do not wait
 * behind those who read, alerts behind neither, and a store that hangs delays only those who
 * ask it. */
#ifndef SERVICES_GATEWAY_DESK_H
#define SERVICES_GATEWAY_DESK_H

#include "services/gateway/gateway.h"

struct desks;

/* Opens the stores of all desks; no thread runs yet. */
enum err desks_open(struct gateway *gateway,
                    struct desks **ret,
                    struct error *error) MUST_CHECK;

/* From here on calls are carried out. */
void desks_start(struct desks *desks);

/* Loop thread: an admitted call with all that it borrows is copied for a desk of its lane,
 * which answers request->id. False when too many wait there already. */
bool desks_take(struct desks *desks,
                const struct gateway_call *call,
                const struct web_request *request);

/* Lets the calls in hand end, drops those that wait, ends the threads. May be called twice. */
void desks_stop(struct desks *desks);

void desks_close(struct desks *desks); /* Stops them first. Accepts NULL. */

#endif
