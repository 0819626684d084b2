/* What every coordinator hears on control.v1: flag values, latches, freezes, and records to
 * pass over. Folded from its beginning before any partition is taken over. */
#ifndef SERVICES_COORDINATOR_CONTROL_H
#define SERVICES_COORDINATOR_CONTROL_H

#include "common/domain/flags.h"
#include "services/coordinator/shell.h"

/* Start listening. Released by control_close. */
enum err control_open(struct coordinator *shell,
                      struct control **ret,
                      struct error *error) MUST_CHECK;
void control_close(struct control *control); /* Accepts NULL. */

/* Fold in what has come. */
enum err control_turn(struct coordinator *shell, struct error *error) MUST_CHECK;

/* True once everything that was there at the start is folded in. */
bool control_is_caught_up(const struct control *control);

/* True if that record of events.v1 is to be passed over. */
bool control_skips(const struct control *control, int32_t partition, int64_t offset);
void control_add_skip(struct control *control, int32_t partition, int64_t offset);

const struct flag_table *control_table(const struct control *control);

/* Publish again what this partition's deployments have said on control.v1 and the topic does
 * not have. At take-over. */
struct outbox;
enum err control_assert(struct coordinator *shell,
                        const struct partition *partition,
                        struct outbox *outbox,
                        struct error *error) MUST_CHECK;

#endif
