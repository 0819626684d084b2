/* Signing in with a browser: a cookie instead of a header, because an EventSource sends none.
 *
 * The cookie is "<mark>.<expires_ms>.<mac>": the mark finds the token in the token file, the
 * MAC is of the gateways' own key over the token's whole hash and the time. So every gateway
 * knows it, nothing is kept, and whoever's token is taken out of the file is signed out. */
#ifndef SERVICES_GATEWAY_SESSION_H
#define SERVICES_GATEWAY_SESSION_H

#include "services/gateway/gateway.h"

/* The actor of the call's cookie; NULL if it has none, or one that is not ours or too old. */
const Pb__Actor *session_actor(const struct gateway_call *call);

/* False (and answered) when a browser could have been talked into this call by another site: a
 * change asked for with a cookie, but not from our own page, or not as JSON. */
bool session_may_change(struct gateway_call *call);

#endif
