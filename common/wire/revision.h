/* The revision of the procedure that this release begins deployments under. Each keeps the one
 * it was born with: what behaves otherwise later is `if (revision >= n)`. */
#ifndef COMMON_WIRE_REVISION_H
#define COMMON_WIRE_REVISION_H

/* A test builds the coordinator of a later release. */
#ifndef SLIPWAY_PROCEDURE_REVISION
#define SLIPWAY_PROCEDURE_REVISION 1
#endif

enum { PROCEDURE_REVISION = SLIPWAY_PROCEDURE_REVISION };

#endif
