/* Every order of events on small plans, breadth first, on the real core.
 *
 * A node is a deployment's state and the world around it: what was really changed, what the
 * flag provider really holds, the latch. Nothing is counted without bound, so the search is
 * complete for a plan, not cut at a depth. Time is no number here: every armed timer may fire.
 */
#ifndef TESTS_UNIT_COORDINATOR_CORE_EXPLORE_H
#define TESTS_UNIT_COORDINATOR_CORE_EXPLORE_H

#include "services/coordinator/core/procedure.h"
#include "tests/support/test.h"
#include "tests/unit/coordinator_core/explore/key.h"

/* What is really so, whatever anybody reports. */
struct world {
    uint32_t changed; /* Batches, a bit each, in plan order. */
    uint32_t skipped; /* Batches that a person left as they are. */
    uint32_t percent; /* That the provider holds. */
    bool latched;
    bool unseen; /* A latch written by others, not yet told to the core. */
    bool frozen;
    uint8_t late;          /* A worker that the core has given up on: enum late. */
    uint32_t late_percent; /* What it writes. */
};

/* Its command was taken before the latch; its write may land at any time until the provider's
 * longest timeout, and after each write it reads again what is wanted. */
enum late { LATE_NOBODY, LATE_WRITES, LATE_READS_AGAIN };

/* Why an event may come, for judging what it may do. */
enum why {
    WHY_WELL, /* Work ended well, a hold ended. */
    WHY_FAIL,
    WHY_TIME,
    WHY_WORLD, /* A freeze, a kill from outside. */
    WHY_ASKED, /* A request that helps. */
    WHY_FORCE, /* A request that ends it. */
    WHY_STALE, /* It comes too late: nothing may change. */
    WHY_AUTO,  /* A message on its way arrives. */
};

struct scenario {
    const char *name;
    Pb__Plan *(*plan)(struct arena *arena);
    bool unsure;       /* Also INCONCLUSIVE and WARN. */
    bool surroundings; /* Also freezes, kills from outside and deadlines. */
    bool late;         /* Also writes by workers that were given up on. */
    bool deep;         /* Only when asked for: minutes, not seconds. */
    size_t nodes_max;  /* More than it has: the search must end by itself. */
};

struct node {
    struct pb_bytes state;
    struct world world;
    size_t parent;
    const char *label;
    bool ends_well; /* An end is reachable without failure, abort or skipping. */
};

struct search {
    const struct scenario *scenario;
    struct arena kept;    /* Nodes and plan. */
    struct arena scratch; /* One node's successors. */
    Pb__Plan *plan;
    struct node *nodes;
    size_t count;
    size_t *table; /* Open addressing over keys; 0: empty, else node + 1. */
    uint64_t (*keys)[2];
    size_t table_size;
    struct edge *back;
    size_t back_count;
    size_t back_max;
    size_t events;
    char breach[4096]; /* The first, with its shortest trace; "" if none. */
};

struct edge {
    uint32_t from;
    uint32_t to;
};

/* One event tried in a state. */
struct attempt {
    const char *label;
    enum why why;
    Pb__Event *event;   /* NULL: only the world moves. */
    struct world world; /* Afterwards, if it is applied. */
};

enum { ATTEMPTS_MAX = 128 };

/* All events that may come now. Returns how many. */
size_t attempts_list(struct search *search,
                     const Pb__DeploymentState *state,
                     const struct world *world,
                     struct attempt ret[ATTEMPTS_MAX]);

/* What distinguishes one state from another: no times, no counters. */
void key_of(const Pb__DeploymentState *state, const struct world *world, uint64_t ret[2]);

/* NULL, or what must not be. */
const char *judge_state(const struct search *search,
                        const Pb__DeploymentState *state,
                        const struct world *world);
/* The same record once more: at least once is all that a log promises. */
const char *judge_again(struct search *search,
                        const struct attempt *attempt,
                        const struct procedure_input *input,
                        const struct procedure_output *output);
const char *judge_move(const struct search *search,
                       const Pb__DeploymentState *before,
                       const struct attempt *attempt,
                       const struct procedure_output *output);

uint32_t batch_bit(const Pb__Plan *plan, uint32_t change, uint32_t batch);

extern const struct scenario scenarios[];
extern const size_t scenario_count;

#endif
