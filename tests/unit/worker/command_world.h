/* A worker with all that is around it, in memory: the coordinator's commands and task records
 * on one side, what the worker put on events.v1 on the other. Everything of the bus and the
 * store goes through one lock, so that a worker with threads can live here, too. */
#ifndef TESTS_UNIT_WORKER_COMMAND_WORLD_H
#define TESTS_UNIT_WORKER_COMMAND_WORLD_H

#include "common/adapters/memory/bus.h"
#include "common/adapters/memory/clock.h"
#include "common/adapters/memory/http_client.h"
#include "common/adapters/memory/log.h"
#include "common/adapters/memory/metrics.h"
#include "common/adapters/memory/store.h"
#include "common/runtime/worker.h"

#include <pthread.h>

#define TASK "express-pay.3/2/1/0"

struct command_world {
    struct memory_clock clock;
    struct memory_broker *broker;
    struct memory_space *space;
    struct memory_http *http;
    struct memory_log *log;
    struct memory_metrics *metrics;
    struct settings settings;
    struct envelope_keys keys;
    struct service_ports ports;
    struct bus bus;     /* Ours: never fails. */
    struct store store; /* Ours: never fails. */
    struct arena arena;
    unsigned commands; /* Published so far. */

    /* What fails for the worker: an operation's name and how, NULL: nothing. */
    const char *failing;
    enum memory_fault fault;
};

void command_world_open(struct command_world *world);
void command_world_close(struct command_world *world);

/* A command for deployment express-pay.3 with that body case (a RunChecks where it matters). */
Pb__Command *command_of(struct command_world *world,
                        Pb__Command__BodyCase body,
                        const char *task,
                        uint32_t drive);

/* As the coordinator does: the record PENDING, then the command. */
void command_order(struct command_world *world, const Pb__Command *command);

/* The command alone, as written by `writer`. */
void command_publish(struct command_world *world,
                     const Pb__Command *command,
                     const char *writer);

/* The record of the task alone. */
void record_set(struct command_world *world,
                const char *task,
                const char *field,
                const char *to);
const char *record_get(struct command_world *world, const char *task, const char *field);

/* As the coordinator does: the record CANCELLING, then the command. */
void command_cancel(struct command_world *world, const char *task, uint32_t drive);

/* The events on events.v1 so far, in order: "started 1; finished 1 OUTCOME_OK; ". */
const char *events_told(struct command_world *world);

/* The last TaskFinished, or NULL. */
const Pb__TaskFinished *events_result(struct command_world *world);

int64_t metric_of(struct command_world *world,
                  const char *name,
                  const char *label,
                  const char *value);

#endif
