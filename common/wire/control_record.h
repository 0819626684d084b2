/* What a record of control.v1 says, once it is known who wrote it: all who fold that topic (the
 * coordinator, the gateways, flag-rollout, `slipway flags kill --direct`) believe the same. */
#ifndef COMMON_WIRE_CONTROL_RECORD_H
#define COMMON_WIRE_CONTROL_RECORD_H

#include "common/wire/envelope.h"

/* ret is in the arena; NULL for a tombstone. Flags are the coordinator's; freezes, skips and
 * tombstones also the gateway's; kills also the monitor's.
 * ERR_DENIED when its writer is not proven or may not say that; ERR_INVALID and ERR_TOO_LARGE
 * as pb_unpack. */
enum err control_record_read(struct arena *arena,
                             const struct envelope_keys *keys,
                             const struct bus_record *record,
                             Pb__Control **ret,
                             struct error *error) MUST_CHECK;

#endif
