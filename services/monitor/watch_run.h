/* The handler of Watch commands: looks at the world for core/watch, round by round. */
#ifndef SERVICES_MONITOR_WATCH_RUN_H
#define SERVICES_MONITOR_WATCH_RUN_H

#include "common/drivers/metric_sources/metric_source.h"
#include "common/runtime/worker.h"
#include "services/monitor/core/watch.h"
#include "services/monitor/series.h"

/* A watch under way; the task's memory. */
struct watch_run {
    struct watch *watch;
    struct series *series;
    struct metric_memory **memories;  /* One for each check that is a metric, else NULL. */
    struct watch_incident *incidents; /* Room for one a check. */
};

enum worker_step watch_step(const struct worker_ports *ports,
                            struct worker_task *task,
                            struct error *error);

/* --- watch_look.c --- */

/* Look at one check of the watch and note it. env's arena is the round's. */
void watch_look_at(const struct driver_env *env,
                   const struct worker_ports *ports,
                   struct worker_task *task,
                   size_t check);

#endif
