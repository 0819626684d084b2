/* One value out of a JSON text. */
#ifndef COMMON_DRIVERS_PROBES_JSON_PATH_H
#define COMMON_DRIVERS_PROBES_JSON_PATH_H

#include "common/base/arena.h"

#include <stddef.h>

/* The value at path ("database.replicas.0.state": names of members and numbers of elements,
 * separated by dots) as text: a string itself, anything else as compact JSON. NULL when the
 * bytes are no JSON or nothing stands there. */
const char *json_path_text(struct arena *arena,
                           const char *bytes,
                           size_t length,
                           const char *path);

#endif
