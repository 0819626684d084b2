/* Holds an answer against the description that the gateway itself serves. */
#ifndef TESTS_UNIT_GATEWAY_SCHEMA_CHECK_H
#define TESTS_UNIT_GATEWAY_SCHEMA_CHECK_H

#include "common/base/text.h"

#include <jansson.h>

/* Appends to fault what does not fit the schema of that name, with its place; nothing when all
 * of it does. A member that the schema does not know is a fault too. openapi: the whole
 * description. */
void schema_check(const json_t *openapi, const char *name, json_t *value, struct text *fault);

#endif
