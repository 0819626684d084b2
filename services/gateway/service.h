/* The gateway as a service. */
#ifndef SERVICES_GATEWAY_SERVICE_H
#define SERVICES_GATEWAY_SERVICE_H

#include "services/gateway/gateway.h"

extern const struct service_spec gateway_service;

#endif
