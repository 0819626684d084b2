/* A key space in memory, and the store as its clients see it: what Redis does for the
 * operations of ports/store.h, expiry by the clock handed in. */
#ifndef COMMON_ADAPTERS_MEMORY_STORE_H
#define COMMON_ADAPTERS_MEMORY_STORE_H

#include "common/adapters/memory/faults.h"
#include "common/ports/clock.h"
#include "common/ports/store.h"

struct memory_space;

/* Free it after all its stores. */
struct memory_space *memory_space_new(struct clock_port clock);
void memory_space_free(struct memory_space *space); /* Accepts NULL. */

/* A client of the space, which is borrowed. Several see each other's writes. */
struct store memory_store(struct memory_space *space, struct memory_faults faults);

/* From now on that client speaks to another space: the one it spoke to was replaced. */
void memory_store_move(struct store store, struct memory_space *space);

/* The only client of a space of its own, which goes when it is closed. */
struct store memory_store_alone(struct clock_port clock);

/* Redis came back empty. */
void memory_space_clear(struct memory_space *space);

/* Redis came back as it was: copy first, restore later. The copy is freed like a space. */
struct memory_space *memory_space_copy(const struct memory_space *space);
void memory_space_restore(struct memory_space *space, const struct memory_space *copy);

/* Calls visit with every key alive, in the order of their names; for comparing two spaces. */
void memory_space_visit(const struct memory_space *space,
                        void (*visit)(void *self, const char *key),
                        void *self);

/* How many commits were carried out. */
uint64_t memory_space_commits(const struct memory_space *space);

#endif
