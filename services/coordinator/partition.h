/* A partition of events.v1 that the group has given to this process. */
#ifndef SERVICES_COORDINATOR_PARTITION_H
#define SERVICES_COORDINATOR_PARTITION_H

#include "services/coordinator/shell.h"
#include "services/coordinator/writes.h"

/* NULL if it is not ours. */
struct partition *partition_find(const struct coordinator *shell, int32_t number);

/* It has come to us: to be taken over in the next turn. */
void partition_add(struct coordinator *shell, int32_t number);

/* It is no longer ours. lost: somebody else may have it already, so nothing more is written. */
void partition_remove(struct coordinator *shell, int32_t number, bool lost);

/* Whatever is known of it may be wrong: forget it and take the partition over again, after a
 * pause. Logs why. */
void partition_retake(struct coordinator *shell,
                      struct partition *partition,
                      enum err code,
                      const struct error *why);

/* It cannot go on without an operator. Logs why, once. */
void partition_stop(struct coordinator *shell,
                    struct partition *partition,
                    const struct error *why);

/* Enter a phase; why is what /readyz says until the next, "" when all is well. */
void partition_enter(struct coordinator *shell,
                     struct partition *partition,
                     enum partition_phase phase,
                     const char *why);

/* An empty collection of writes for that partition, in the arena of the piece of work. */
struct writes partition_writes(struct coordinator *shell, const struct partition *partition);

/* Carry them out if Redis still stands where this process left it: whoever has gone on from
 * there knows what this one does not. ERR_CONFLICT otherwise. */
enum err partition_commit(struct coordinator *shell,
                          const struct partition *partition,
                          struct writes *writes,
                          struct error *error) MUST_CHECK;

/* The same for what is out of use. When Redis stands elsewhere the partition is taken over
 * again, and what was out of use is found again then. */
enum err partition_sweep(struct coordinator *shell,
                         struct partition *partition,
                         struct writes *writes,
                         struct error *error) MUST_CHECK;

/* ERR_CONFLICT when Redis does not stand where this process left it. What was read from it
 * before is then not to be believed: said when that is to go out, which no commit guards. */
enum err partition_unchanged(struct coordinator *shell,
                             const struct partition *partition,
                             struct error *error) MUST_CHECK;

/* "3", for logs and metrics. */
const char *partition_name(struct coordinator *shell, const struct partition *partition);

/* Continue with that record. Nothing else is accepted until it comes. */
enum err partition_seek(struct coordinator *shell,
                        struct partition *partition,
                        int64_t offset,
                        struct error *error) MUST_CHECK;

/* The offset of the record that the partition can take next. */
int64_t partition_expects(const struct partition *partition);

/* Tell the group how far the effects are out. */
enum err partition_group_commit(struct coordinator *shell,
                                struct partition *partition,
                                struct error *error) MUST_CHECK;

#endif
