/* The thread that brings news: answers of the coordinator to those who wait for one, and what
 * changed to those who watch. */
#ifndef SERVICES_GATEWAY_HERALD_H
#define SERVICES_GATEWAY_HERALD_H

#include "services/gateway/gateway.h"

struct herald;

/* Opens its store; the thread does not run yet. */
enum err herald_open(struct gateway *gateway,
                     struct herald **ret,
                     struct error *error) MUST_CHECK;
void herald_start(struct herald *herald);

/* Any thread: there is something to wait for, or to tell. */
void herald_wake(struct herald *herald);

/* Ends the thread. May be called twice. */
void herald_stop(struct herald *herald);
void herald_close(struct herald *herald); /* Stops it first. Accepts NULL. */

/* One round, as the thread makes it. Answers in how many ms it wants the next. */
int herald_round(struct herald *herald);

#endif
