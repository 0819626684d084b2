/* Putting the documentation of step 7 where people find it: a folder, or a place that takes
 * HTTP PUT. */
#ifndef SERVICES_NOTIFIER_DOCUMENTS_H
#define SERVICES_NOTIFIER_DOCUMENTS_H

#include "common/drivers/driver.h"

/* What was published; text in env->arena. */
struct published {
    const char *link;   /* Path or address. */
    const char *digest; /* SHA-256 of the bytes as read back, lower-case hex. */
};

/* Publish text as <documents>/<deployment>/<name>.md, and read it back. Repeating it replaces
 * the document. ERR_INVALID: no place is configured, or a name that is no file name;
 * ERR_CONFLICT: read back as something else; ERR_DENIED, ERR_UNAVAILABLE. */
enum err document_publish(const struct driver_env *env,
                          const char *deployment,
                          const char *name,
                          const char *text,
                          struct published *ret,
                          struct error *error) MUST_CHECK;

#endif
