/* The target of a request line, decoded and checked: "/v1/flags?state=on". Pure. */
#ifndef COMMON_ADAPTERS_HTTPD_TARGET_H
#define COMMON_ADAPTERS_HTTPD_TARGET_H

#include "common/ports/web.h"

/* Fills path and query of ret; texts in arena. ERR_INVALID with the reason: no leading "/", a
 * wrong or forbidden %-escape (NUL, "/", control characters), not UTF-8, an empty, "." or ".."
 * segment, too many parameters. */
enum err target_decode(struct arena *arena,
                       const char *target,
                       struct web_request *ret,
                       struct error *error) MUST_CHECK;

#endif
