/* The newest samples of each metric of a deployment, for people to look at. */
#ifndef SERVICES_MONITOR_SERIES_H
#define SERVICES_MONITOR_SERIES_H

#include "common/base/arena.h"
#include "common/wire/pb.h"

enum { SERIES_POINTS = 120, SERIES_METRICS_MAX = 64, SERIES_NOTE_MAX = 160 };

struct series_ring {
    const Pb__MetricCriterion *criterion; /* Borrowed from the watch or the arena. */
    int64_t values_micro[SERIES_POINTS];
    int64_t at_ms[SERIES_POINTS];
    uint64_t samples; /* Taken so far; the ring holds the last ones. */
    Pb__Verdict verdict;
    char note[SERIES_NOTE_MAX];
};

struct series {
    struct series_ring *rings[SERIES_METRICS_MAX];
    size_t count;
};

/* What was kept before goes on; kept may be NULL. */
struct series *series_new(struct arena *arena, const Pb__DeploymentSeries *kept);

/* One look; value_micro is NULL when it found no value. */
void series_note(struct series *series,
                 struct arena *arena,
                 const Pb__MetricCriterion *criterion,
                 const Pb__Finding *finding,
                 const int64_t *value_micro);

Pb__DeploymentSeries *series_message(const struct series *series,
                                     struct arena *arena,
                                     const char *deployment,
                                     int64_t every_ms);

#endif
