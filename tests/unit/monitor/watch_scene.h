/* A shop of two instances whose pages show what a test wants, and a watch of it. */
#ifndef TESTS_UNIT_MONITOR_WATCH_SCENE_H
#define TESTS_UNIT_MONITOR_WATCH_SCENE_H

#include "services/monitor/monitor.h"
#include "tests/support/worker_world.h"

/* The pages of both instances, as the tests want them. */
struct shop {
    double errors;
    double hits;
    enum err err;
};

struct watch_scene {
    struct worker_world world;
    struct shop shop;
    struct shop (*at)(int64_t elapsed_ms); /* How the shop is then; NULL: it stays. */
};

int watch_scene_open(void **state);
int watch_scene_close(void **state);

/* Begins a task that watches for 10 s, at most 60 s, a round a second. kind: "bake" */
Pb__Watch *watch_of(struct watch_scene *f, const char *kind);

/* Adds a check; of kind "probe" it asks the probe `health`. */
Pb__CheckSpec *watch_add(struct watch_scene *f,
                         Pb__Watch *watch,
                         const char *id,
                         const char *kind);

/* Adds errors per hit of the watch, at most 5 %, required. */
Pb__MetricCriterion *watch_add_metric(struct watch_scene *f, Pb__Watch *watch, const char *id);

/* Adds the metric that counts hits, of which a stage needs so many. */
void watch_add_samples(struct watch_scene *f, Pb__Watch *watch, uint64_t needed);
enum worker_step watch_run_steps(struct watch_scene *f, unsigned at_most);
void watch_run_to_end(struct watch_scene *f);
int64_t watch_took_ms(const struct watch_scene *f);
Pb__Verdict watch_verdict_of(struct watch_scene *f, const char *check);

/* How many incidents are on the log; ret: the newest. */
size_t watch_incidents_told(struct watch_scene *f, Pb__IncidentReported **ret);

/* How the shop may be after that time: two instances, each a hit a millisecond. */
struct shop shop_calm(int64_t ms);
struct shop shop_breaks_at_3s(int64_t ms);
struct shop shop_hiccups_at_3s(int64_t ms);
struct shop shop_hiccups_at_10s(int64_t ms);
struct shop shop_without_users(int64_t ms);
struct shop shop_away_from_5s_to_15s(int64_t ms);
struct shop shop_recovers_after_8s(int64_t ms);

#endif
