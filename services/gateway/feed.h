/* The newest signals and dead letters, kept in memory for those who ask. */
#ifndef SERVICES_GATEWAY_FEED_H
#define SERVICES_GATEWAY_FEED_H

#include "common/ports/bus.h"
#include "common/wire/pb.h"

#include <stdbool.h>

enum { FEED_KEEPS = 500 };

struct gateway_feed;

struct gateway_feed *feed_new(void);
void feed_free(struct gateway_feed *feed); /* Accepts NULL. */

/* Takes a record of signals.v1 or dead-letter.v1; others, and what cannot be read, are ignored.
 */
void feed_add(struct gateway_feed *feed, const struct bus_record *record);

/* Walks from the oldest kept to the newest. False when there is none at that place. The packed
 * message is borrowed until the next feed_add. */
bool feed_signal(const struct gateway_feed *feed, size_t place, struct pb_bytes *ret);
bool feed_dead_letter(const struct gateway_feed *feed, size_t place, struct pb_bytes *ret);

#endif
