/* Verification: folds the log of every partition anew, beside whatever runs, and compares what
 * Redis holds with it, byte for byte. It joins no group, and writes to neither Kafka nor Redis.
 */
#ifndef SERVICES_COORDINATOR_VERIFY_H
#define SERVICES_COORDINATOR_VERIFY_H

#include "common/runtime/service.h"

/* Exit status. */
enum {
    VERIFY_DIFFERS = 4, /* Redis is not what the log says. */
    VERIFY_UNSURE = 5,  /* Nothing is known to differ, but not all could be compared. */
};

/* "--verify" is among the arguments. */
bool verify_is_asked(int argc, char **argv);

/* Ends by itself, after saying on stdout what it found. */
const struct service_spec *verify_service(void);

/* What that service has found so far; borrowed. For tests. */
const char *verify_report(const void *state);

#endif
