/* What control.v1 grants and latches, as this worker has heard it. Filled by the receiving
 * thread, asked by all. The topic has one partition, so whoever has heard a value has heard
 * every latch published before it. */
#ifndef SERVICES_FLAG_ROLLOUT_CONTROL_H
#define SERVICES_FLAG_ROLLOUT_CONTROL_H

#include "common/base/arena.h"
#include "common/drivers/providers/provider.h"
#include "common/runtime/service.h"

struct control;

/* Subscribes from the beginning. ports must outlive it. */
enum err flag_control_open(const struct service_ports *ports,
                           struct control **ret,
                           struct error *error) MUST_CHECK;
void flag_control_close(struct control *control); /* Accepts NULL. */

/* Fold in what has arrived, without waiting. Receiving thread only. Records that do not prove
 * their writer are counted and passed over. */
enum err control_poll(struct control *control, struct error *error) MUST_CHECK;

/* The value granted for a flag; all text copied into the arena. False if there is none. */
bool control_value(struct control *control,
                   struct arena *arena,
                   const char *environment,
                   const char *flag,
                   struct flag_value *ret);

/* The kill of that deployment, copied into the arena, or NULL. */
Pb__Kill *control_kill(struct control *control, struct arena *arena, const char *deployment);

/* A flag that is granted and not latched, by its place in the list; NULL past the end. */
Pb__FlagValue *control_granted(struct control *control, struct arena *arena, size_t place);

#endif
