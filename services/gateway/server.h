/* Between the web server and the handlers: a request becomes a call, a call an answer; and the
 * requests that wait for the coordinator are answered when it has spoken. */
#ifndef SERVICES_GATEWAY_SERVER_H
#define SERVICES_GATEWAY_SERVER_H

#include "services/gateway/gateway.h"

/* For struct web_handler; self is a struct gateway. Loop thread. */
enum web_answer server_handle(void *self,
                              const struct web_request *request,
                              struct web_response *response);
void server_gone(void *self, uint64_t stream);

/* A call that was admitted, carried out by a desk, and answered or put among the waits. */
struct server_job {
    const struct web_request *request;
    const struct gateway_route *route;
    const Pb__Actor *actor;
};
void server_carry_out(struct gateway *gateway,
                      struct bench *bench,
                      const struct server_job *job);

struct gateway_waits *waits_new(void);
void waits_free(struct gateway_waits *waits); /* Accepts NULL. */

/* Herald: answer those whose answer has come or whose time is up. Returns how many still wait.
 */
size_t waits_serve(struct gateway *gateway, struct bench *bench);

#endif
