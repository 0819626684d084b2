/* Three deployments on two lanes, on the real cores of deployments and lanes, walked at random:
 * messages between them take any time, in order only between one sender and one receiver. */
#ifndef TESTS_UNIT_COORDINATOR_CORE_WALK_H
#define TESTS_UNIT_COORDINATOR_CORE_WALK_H

#include "services/coordinator/core/lane.h"
#include "tests/unit/coordinator_core/play.h"

enum { DEPLOYMENTS = 3, LANES = 2, MESSAGES_MAX = 512 };

struct message {
    const Pb__Event *event;
    int from; /* Deployment, or DEPLOYMENTS + lane. */
    int to;
};

struct party {
    const char *id;
    const char *feature;
    Pb__Plan *plan;
    Pb__DeploymentState *state;
};

struct walk {
    struct arena arena;
    uint64_t seed;
    int64_t now_ms;
    struct party party[DEPLOYMENTS];
    Pb__LaneState *lane[LANES];
    int changed[LANES][DEPLOYMENTS]; /* Who changed it, oldest first; -1: nobody. */
    struct message message[MESSAGES_MAX];
    size_t messages;
    unsigned long applied;
    unsigned long exits[32]; /* By phase. */
    unsigned long superseded;
    char log[64 * 1024];
    struct text story;
};

extern const char *const walk_lanes[LANES];

uint32_t dice(struct walk *walk, uint32_t sides);

/* The task that a deployment waits for, or NULL. */
const Pb__TaskState *walk_task(const Pb__DeploymentState *state);

/* One event for one deployment; fails the test when an invariant breaks. */
void walk_hear(struct walk *walk, int who, const char *label, const Pb__Event *event);

/* The oldest message between two that are chosen at random arrives. */
void walk_deliver(struct walk *walk);

/* Something happens somewhere. */
void walk_step(struct walk *walk);

#endif
