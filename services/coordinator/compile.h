/* What is made only when it is published: the answer to a deployment that asked for its plan,
 * and the report of one that ended. */
#ifndef SERVICES_COORDINATOR_COMPILE_H
#define SERVICES_COORDINATOR_COMPILE_H

#include "services/coordinator/outbox.h"

/* PlanCompiled for outgoing->deployment as of outgoing->version, under the settings of now,
 * with the freezes and the closed window of this moment. ret gets the message. */
enum err compile_answer(struct coordinator *shell,
                        const struct outgoing *outgoing,
                        struct outgoing *ret,
                        struct error *error) MUST_CHECK;

/* The report of outgoing->deployment, small enough for one record. ret gets the message. */
enum err archive_make(struct coordinator *shell,
                      const struct outgoing *outgoing,
                      struct outgoing *ret,
                      struct error *error) MUST_CHECK;

#endif
