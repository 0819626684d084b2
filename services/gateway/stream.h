/* Live updates: server-sent events for everyone who watches. */
#ifndef SERVICES_GATEWAY_STREAM_H
#define SERVICES_GATEWAY_STREAM_H

#include "services/gateway/gateway.h"

struct gateway_streams *streams_new(void);
void streams_free(struct gateway_streams *streams); /* Accepts NULL. */

/* Loop thread: the call becomes a live stream of that id. False (and answered with too-many)
 * when there are too many. */
bool stream_register(struct gateway_call *call, uint64_t id);

/* Loop thread: the stream is over. */
void stream_forget(struct gateway *gateway, uint64_t id);

/* Herald: push what has changed since the last time, at most every 100 ms. Returns how many
 * watch. */
size_t streams_serve(struct gateway *gateway, struct bench *bench);

/* With the gateway's lock held: what that key of control.v1 stands for has changed; told with
 * the next streams_serve. */
void streams_control_changed(struct gateway *gateway, const char *key);
void streams_letter_came(struct gateway *gateway); /* Likewise: a dead letter. */

#endif
