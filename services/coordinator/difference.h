/* Where two messages of one type differ first. */
#ifndef SERVICES_COORDINATOR_DIFFERENCE_H
#define SERVICES_COORDINATOR_DIFFERENCE_H

#include "common/base/text.h"
#include "common/wire/pb.h"

/* True if they differ; then out has the first field that does, by its path, with both values:
 * "flags.percent: 25, not 0". What is not there at all is said to be missing. */
bool difference_find(const ProtobufCMessageDescriptor *type,
                     const void *wanted,
                     const void *found,
                     struct text *out);

#endif
