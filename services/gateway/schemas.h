/* The shapes of the answers, one row each, for the OpenAPI description. */
#ifndef SERVICES_GATEWAY_SCHEMAS_H
#define SERVICES_GATEWAY_SCHEMAS_H

#include "common/base/json.h"

/* The object of all schemas by name, under that key. */
void schemas_write(struct json *json, const char *key);

/* One schema alone, as a reference: {"$ref": "#/components/schemas/<name>"}. */
void schema_reference(struct json *json, const char *key, const char *name);

#endif
