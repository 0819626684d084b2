/* The flag-rollout worker in a world of memory, with gateways that follow control.v1 at once,
 * or when the test says so. */
#ifndef TESTS_UNIT_FLAG_ROLLOUT_ROLLOUT_WORLD_H
#define TESTS_UNIT_FLAG_ROLLOUT_ROLLOUT_WORLD_H

#include "common/adapters/memory/bus.h"
#include "common/adapters/memory/log.h"
#include "common/adapters/memory/metrics.h"
#include "common/adapters/memory/store.h"
#include "services/flag-rollout/service.h"
#include "tests/unit/flag_rollout/fake_task.h"
#include "tests/unit/providers/fake_gateways.h"

enum { SET = 0, KILL = 1, BEGAN_MS = 1000000, SETTLE_MS = 2000 };

struct rollout_world {
    struct fake_gateways gateways;
    struct memory_broker *broker;
    struct memory_space *space;
    struct memory_log *log;
    struct memory_metrics *metrics;
    struct envelope_keys keys;
    struct service_ports service;
    struct worker_ports ports;
    struct fake_task task;
    Pb__Command command;
    Pb__FlagSpec flag;
    Pb__FlagSpec *flags[1];
    Pb__SetFlags set;
    Pb__KillFlags kill;
};

extern struct rollout_world w;

int set_up(void **state);
int tear_down(void **state);

/* Puts a record on control.v1 in the name of that writer, and lets the worker hear it. */
void publish(const char *writer, const char *key, const Pb__Control *control);

/* A value for express-pay, heard by the worker alone, or by the gateways as well. */
Pb__FlagValue *grant_heard_by_the_worker(uint64_t sequence, uint32_t percent);
void grant(uint64_t sequence, uint32_t percent);
void latch_heard_by_the_worker(const char *deployment);

/* Opens a task of express-pay.1. */
void command_set(uint64_t sequence, uint32_t percent);
void command_kill(void);

/* One step, or all, of the handler SET or KILL. */
enum worker_step step(unsigned which);
const Pb__TaskFinished *run(unsigned which);

/* Of the finding of that check; UNSPECIFIED if there is none. */
Pb__Verdict verdict_of(const char *check);

#endif
