/* How far alerts.v1 has been heard, kept in Redis beside the open alerts and written with them.
 *
 * Two marks say how far a partition came. The group's offset, kept by the bus: what lies before
 * it has been told, and is never told again. The mark in Redis: what lies before it is in the
 * open alerts that Redis holds. A Redis that forgot its newest writes, or all of them, has an
 * older mark than the desk wrote: then everything from there on is heard again, as far back as
 * the topic is kept, and what was told already is only remembered. */
#ifndef SERVICES_MONITOR_HEARD_H
#define SERVICES_MONITOR_HEARD_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HEARD_MARK_SIZE = 128, /* "<next offset> <cluster>" */
    HEARD_CHECK_MS = 1000, /* While nothing comes, Redis is asked this often for its marks. */
};

/* A partition of alerts.v1 that is ours. */
struct alert_source {
    int32_t partition;
    bool known;                 /* `mark` and `told` are as Redis and the bus had them. */
    char mark[HEARD_MARK_SIZE]; /* In Redis; "": none. */
    int64_t told;               /* Records before it are only remembered. */
    int64_t at;                 /* Where the consumer goes on; -1: where the group does. */
    int64_t first;              /* Of the records in hand; first == next: there are none. */
    int64_t next;
    int64_t said; /* Records before it were told by this desk, or wait in its book. */
    int64_t owed; /* The group is to be told of those from here to next, when no word waits. */
};

struct alert_desk;
struct store_guard;

/* NULL: it is not ours. */
struct alert_source *heard_source(struct alert_desk *desk, int32_t partition);

/* A partition came: nothing is known of it yet. Those beyond ALERTS_PARTITIONS_MAX are never
 * ours, which slipway.yaml does not allow. */
void heard_add(struct alert_desk *desk, int32_t partition);

/* Find out of each partition where to go on, and go there. Precondition: no record is in hand.
 * With Redis away alerts are told as they come, and it is asked again with the next call. */
enum err heard_know(struct alert_desk *desk, struct error *error) MUST_CHECK;

/* False if Redis has another mark than the desk wrote: it has lost something. Those partitions
 * are no longer known. */
bool heard_stands(struct alert_desk *desk);

/* What must be in Redis for the records in hand to be kept: one guard for each partition of
 * them, in the desk's arena; the marks that follow from them go to the desk's writes. */
void heard_keep(struct alert_desk *desk,
                const struct store_guard **ret_guards,
                size_t *ret_count);

/* They were kept; or refused, since Redis does not have what it had. */
void heard_kept(struct alert_desk *desk);
void heard_refused(struct alert_desk *desk);

#endif
