/* What Redis holds of a partition, against what a fold of its log gives. */
#ifndef SERVICES_COORDINATOR_COMPARE_H
#define SERVICES_COORDINATOR_COMPARE_H

#include "common/base/text.h"
#include "common/ports/store.h"
#include "common/wire/pb.h"

struct comparison {
    struct arena *arena; /* Of this comparison. */
    struct store folded; /* What the log gives. */
    struct store found;  /* Redis. */
    const char *prefix;
    int32_t partition;
    struct text *report; /* A line for each of the first differences. */
    size_t differences;
    size_t deployments;
    size_t lanes;
};

/* Byte for byte: states of deployments, lanes and features, plans, acceptances, timelines, and
 * the lists and indexes over them. Task records, leases and the outbox are not compared: they
 * also say what workers and the sending have done since. */
enum err compare_partition(struct comparison *comparison, struct error *error) MUST_CHECK;

#endif
