/* The notifier in a world of memory: channels, a record in the store, a folder for documents.
 */
#ifndef TESTS_UNIT_NOTIFIER_NOTIFIER_WORLD_H
#define TESTS_UNIT_NOTIFIER_NOTIFIER_WORLD_H

#include "common/adapters/memory/log.h"
#include "common/adapters/memory/metrics.h"
#include "common/adapters/memory/store.h"
#include "services/notifier/service.h"
#include "tests/unit/channels/fake_channels.h"
#include "tests/unit/flag_rollout/fake_task.h"

enum { ANNOUNCE = 0, FINALISE = 1 };

struct notifier_world {
    struct fake_channels out;
    struct memory_space *space;
    struct memory_metrics *metrics;
    struct memory_log *log;
    struct service_ports service;
    struct worker_ports ports;
    struct fake_task task;
    Pb__Command command;
    Pb__Announce announce;
    Pb__Finalise finalise;
    Pb__DeploymentState *deployment;
    Pb__Plan *plan;
    char documents[96];
};

extern struct notifier_world n;

int set_up(void **state);
int tear_down(void **state);

/* Writes n.deployment and n.plan into the store as they are now. */
void write_record(void);

/* Adds a check or a use of a channel to n.finalise. */
void ask(const char *check);
void use(const char *channel, const char *purpose, bool required);

/* Runs a new task of that handler to its end. */
const Pb__TaskFinished *run(unsigned which);

Pb__Verdict verdict_of(const char *check);

#endif
