/* Numbers by name: a hash table that grows to a stated maximum and forgets on demand. */
#ifndef SERVICES_MONITOR_CORE_TALLY_H
#define SERVICES_MONITOR_CORE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally;

/* At most max names. */
struct tally *tally_new(size_t max);
void tally_free(struct tally *tally); /* Accepts NULL. */

/* Everything forgotten. */
void tally_clear(struct tally *tally);

/* The number of that name; 0 if it has none. */
int64_t tally_get(const struct tally *tally, const char *name);

/* Give the name that number; 0 forgets it. False when there is no room for another name. */
bool tally_set(struct tally *tally, const char *name, int64_t value);

size_t tally_count(const struct tally *tally);

#endif
