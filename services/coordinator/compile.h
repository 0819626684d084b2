/* What is made only when it is published: the answer to a deployment that asked for its plan,
 * the report of one that ended, and the signal that names this report. */
#ifndef SERVICES_COORDINATOR_COMPILE_H
#define SERVICES_COORDINATOR_COMPILE_H

#include "services/coordinator/outbox.h"

/* PlanCompiled for outgoing->deployment as of outgoing->version, under the settings of now,
 * with the freezes and the closed window of this moment. ret gets the message. */
enum err compile_answer(struct coordinator *shell,
                        const struct outgoing *outgoing,
                        struct outgoing *ret,
                        struct error *error) MUST_CHECK;

/* The report of outgoing->deployment as of outgoing->state, small enough for one record. The
 * same bytes whenever it is made. ret gets the message. */
enum err archive_make(struct coordinator *shell,
                      const struct outgoing *outgoing,
                      struct outgoing *ret,
                      struct error *error) MUST_CHECK;

/* DeploymentFinished with where the report is and the digest of what archive_make() makes;
 * without a digest where that cannot be made. ret gets the message. */
enum err finished_make(struct coordinator *shell,
                       const struct outgoing *outgoing,
                       struct outgoing *ret,
                       struct error *error) MUST_CHECK;

#endif
