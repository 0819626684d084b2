/* Where in the log a partition's state stands, and the proof that it is that log. */
#ifndef SERVICES_COORDINATOR_MARK_H
#define SERVICES_COORDINATOR_MARK_H

#include "services/coordinator/shell.h"
#include "services/coordinator/writes.h"

/* What {p}:log holds; all empty and offset -1 when Redis holds nothing. */
enum err mark_read(struct coordinator *shell,
                   int32_t partition,
                   struct log_mark *ret,
                   struct error *error) MUST_CHECK;

/* Move the mark past that record. */
void mark_pass(struct arena *arena, struct log_mark *mark, const struct bus_record *record);

/* True when that record is the one the mark was moved past last. */
bool mark_matches(struct arena *arena,
                  const struct log_mark *mark,
                  const struct bus_record *record);

/* Who this log is: the id of its genesis record; of a log that others began, a digest of the
 * first record. ret has room for DIGEST_HEX_SIZE + 16. */
void mark_identify(struct arena *arena, const struct bus_record *first, char *ret, size_t size);

/* The partitions that the genesis record speaks of; 0 when the first record is none. */
uint32_t mark_partitions(struct arena *arena, const struct bus_record *first);

/* The writes that store it: the offset comes last. */
void mark_write(struct writes *writes, const struct log_mark *mark);

/* The guards that only the owner of exactly this mark passes. Returns how many. */
size_t mark_guards(struct writes *writes, const struct log_mark *mark, struct store_guard *ret);

enum { MARK_GUARDS = 2 };

#endif
