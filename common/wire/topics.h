/* The topics, in one table: names, rights and settings are the ones of messages.md. */
#ifndef COMMON_WIRE_TOPICS_H
#define COMMON_WIRE_TOPICS_H

#include "common/ports/bus.h"

#define TOPIC_ACCEPTANCE       "acceptance.v1"
#define TOPIC_ALERTS           "alerts.v1"
#define TOPIC_EVENTS           "events.v1"
#define TOPIC_CONTROL          "control.v1"
#define TOPIC_SIGNALS          "signals.v1"
#define TOPIC_ARCHIVE          "archive.v1"
#define TOPIC_DEAD_LETTER      "dead-letter.v1"
#define TOPIC_COMMANDS(worker) "commands." worker ".v1"

enum { TOPICS_MAX = 16 };

/* All topics with their settings, for `partitions` partitions of the sharded ones (control,
 * archive and dead-letter have one). Returns how many. */
size_t topics_all(int32_t partitions, struct bus_topic ret[TOPICS_MAX]);

#endif
