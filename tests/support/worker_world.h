/* A worker's handler without a runtime: one task, its steps called one after the other on a
 * clock that jumps to the time each asks for. */
#ifndef TESTS_SUPPORT_WORKER_WORLD_H
#define TESTS_SUPPORT_WORKER_WORLD_H

#include "common/adapters/memory/bus.h"
#include "common/adapters/memory/log.h"
#include "common/adapters/memory/metrics.h"
#include "common/adapters/memory/store.h"
#include "common/runtime/worker.h"
#include "tests/support/driver_world.h"

enum { WORKER_WORLD_STEPS_MAX = 10000 };

struct worker_world {
    struct driver_world drivers;
    struct memory_broker *broker;
    struct memory_space *space;
    struct memory_log *log;
    struct memory_metrics *metrics;
    struct envelope_keys keys; /* Of monitor and coordinator. */
    struct service_ports service;
    struct worker_ports ports;
    struct worker_task task;
    struct arena task_arena;
    unsigned progressed;             /* Calls of task.progress. */
    Pb__TaskProgress *last_progress; /* A copy. */
    Pb__TaskProgress *active;        /* The first that said so. */

    enum memory_fault store_fault; /* What happens to every operation. */
    enum memory_fault publish_fault;

    /* Called before each step; may change the world. */
    void (*before_step)(struct worker_world *world, int64_t elapsed_ms);
};

/* settings: as driver_world_open. All topics exist with two partitions. */
void worker_world_open(struct worker_world *world, const char *settings);
void worker_world_close(struct worker_world *world);

/* A new command of deployment express-pay.1 in production; set its body. */
Pb__Command *worker_world_command(struct worker_world *world);

/* Begin a task with that command, forgetting the one before. */
void worker_world_begin(struct worker_world *world, const Pb__Command *command);

/* Calls the handler of the command's body until it is done or at_most steps are taken. */
enum worker_step worker_world_run(struct worker_world *world,
                                  const struct worker_spec *spec,
                                  unsigned at_most);

/* The finding of that check in the task's result; fails the test when there is none. */
const Pb__Finding *worker_world_finding(struct worker_world *world, const char *check);

#endif
