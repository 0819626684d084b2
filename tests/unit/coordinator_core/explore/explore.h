/* Every order of events on small plans, breadth first, on the real core.
 *
 * A node is a deployment's state and the world around it: what was really changed, what the
 * flag provider really holds, the latch, and which parts of the plan really ended well. Nothing
 * is counted without bound, so the search is complete for a plan, not cut at a depth. Time is
 * no number here: every armed timer may fire next, whichever was armed first. */
#ifndef TESTS_UNIT_COORDINATOR_CORE_EXPLORE_H
#define TESTS_UNIT_COORDINATOR_CORE_EXPLORE_H

#include "services/coordinator/core/procedure.h"
#include "tests/support/test.h"
#include "tests/unit/coordinator_core/explore/ends.h"
#include "tests/unit/coordinator_core/explore/key.h"

/* What is really so, whatever anybody reports. */
struct world {
    uint32_t changed; /* Batches, a bit each, in plan order. */
    uint32_t skipped; /* Batches that a person left as they are. */
    uint32_t percent; /* That the provider holds. */
    uint32_t granted; /* That control.v1 holds; 0 once latched. */
    uint32_t passed;  /* Parts of the plan's course that ended well, a bit each: course.c. */
    bool latched;     /* control.v1 holds the latch. */
    bool unseen;      /* A latch written by others, not yet told to the core. */
    bool frozen;
    bool closed;           /* The window. */
    uint8_t late;          /* A worker that the core has given up on: enum late. */
    uint32_t late_percent; /* What it writes. */
    uint8_t troubles;      /* That have come; counted where a scenario bounds them. */
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

/* What may happen beside the ordinary: answers and losses of workers, one alert, requests. */
enum weather {
    UNSURE = 1,  /* INCONCLUSIVE, WARN, silence, progress; warning alerts. */
    AROUND = 2,  /* Freezes, kills from outside, deadlines. */
    LATE = 4,    /* Writes by workers that were given up on. */
    INTAKE = 8,  /* Missing inputs, supplied ones, another acceptance, a withdrawal. */
    WINDOW = 16, /* It closes and opens. */
    NEWER = 32,  /* A newer deployment lies above this one on its lanes. */
    EVERYTHING = 63,
};

struct scenario {
    const char *name;
    Pb__Plan *(*plan)(struct arena *arena);
    unsigned weather;
    uint8_t troubles; /* At most so many in one run; 0: without bound. */
    bool deep;        /* Only when asked for: minutes, not seconds. */
    size_t nodes_max; /* More than it has: the search must end by itself. */
    bool back;        /* It takes back one that was completed: kind ROLLBACK. */
};

struct node {
    struct pb_bytes state;
    struct world world;
    uint32_t parent;
    uint32_t depth; /* Events from birth, on the shortest way. */
    const char *label;
};

struct search {
    const struct scenario *scenario;
    struct arena kept;    /* Nodes and plan. */
    struct arena scratch; /* One node's successors. */
    Pb__Plan *plan;
    struct node *nodes;
    size_t count;
    uint32_t *table; /* Open addressing over keys; 0: empty, else node + 1. */
    uint64_t (*keys)[2];
    size_t table_size;
    struct ways ways;
    size_t events;
    uint32_t depth;      /* The longest of the shortest ways to a state. */
    uint32_t way_out;    /* The longest of the shortest ways from a state to an end. */
    size_t audits;       /* States taken for known ones, whose events were compared. */
    struct audit *audit; /* Still to be compared. */
    size_t audit_count;
    size_t audit_max;
    size_t audit_every; /* One of so many events. */
    char breach[4096];  /* The first, with its shortest trace; "" if none. */

    /* Where the events of the node that was looked at last led. */
    struct led *led;
    size_t led_count;
};

struct led {
    const char *label;
    size_t to;
};

/* Taken for a known one by its key: its events must lead where the known one's lead. */
struct audit {
    struct pb_bytes state;
    size_t node;
    size_t parent;
    const char *label;
};

/* When all plans are explored, and when only the quick ones are. */
enum { AUDITS_MAX = 4096, AUDITS_QUICK = 256 };

/* One event tried in a state. */
struct attempt {
    const char *label;
    enum why why;
    Pb__Event *event;   /* NULL: only the world moves. */
    struct world world; /* Afterwards, if it is applied. */

    /* With other clocks than those it was listed for; NULL: as they are. */
    const Pb__DeploymentState *state;
};

enum { ATTEMPTS_MAX = 160 };

/* --- attempts.c, attempts_world.c, attempts_people.c --- */

struct listing {
    struct search *search;
    const Pb__DeploymentState *state;
    const struct world *world;
    struct attempt *items;
    size_t count;
};

/* The bound is reached: what comes now is only what goes well. */
bool attempts_spent(const struct search *search, const struct world *world);

/* All events that may come now. Returns how many. */
size_t attempts_list(struct search *search,
                     const Pb__DeploymentState *state,
                     const struct world *world,
                     struct attempt ret[ATTEMPTS_MAX]);

Pb__Event *attempt_add(struct listing *list,
                       const char *label,
                       enum why why,
                       Pb__Event__BodyCase body);

/* Something that the core does not hear of. */
struct world *attempt_add_world(struct listing *list, const char *label, enum why why);
struct world *attempt_world(struct listing *list); /* Of the last one added. */
bool attempt_weather(const struct listing *list, enum weather weather);

void attempts_of_world(struct listing *list);
void attempts_of_people(struct listing *list);

/* --- clocks.c: time is no number --- */

/* Whatever clock is armed may be the next, and none is overdue: all are due at one moment. */
void clocks_open(Pb__DeploymentState *state);

/* Several pieces of work share one timer: those that run, or those that wait for a drive. */
bool clocks_shared(const Pb__DeploymentState *state, bool retry);

/* A copy in which that piece of work is due before all others. */
Pb__DeploymentState *clocks_first(struct arena *arena,
                                  const Pb__DeploymentState *state,
                                  size_t index);

/* A copy some time later, when nothing has come due meanwhile. */
Pb__DeploymentState *clocks_later(struct arena *arena,
                                  const Pb__DeploymentState *state,
                                  int64_t by_ms);

/* --- course.c: the plan, part after part, each a bit of world.passed --- */

enum { COURSE_NONE = -1 };

/* Where that kind of work stands, at that cursor; COURSE_NONE: not on the way forward. */
int course_at(const Pb__Plan *plan, const char *kind, const Pb__Cursor *cursor);

/* Everything before it; what must have ended well before it begins. */
uint32_t course_before(const Pb__Plan *plan, int at);
uint32_t course_all(const Pb__Plan *plan);

/* It begins anew: it, and what comes after it, has not ended well yet. */
uint32_t course_begun(const Pb__Plan *plan, uint32_t passed, int at);

/* Parts whose check a person has waived: they count as passed. */
uint32_t course_waived(const Pb__Plan *plan, const Pb__DeploymentState *state);

/* While it is being taken back only this still counts: whether flags were ever allowed on. */
uint32_t course_forgotten(const Pb__Plan *plan, uint32_t passed);

uint32_t batch_bit(const Pb__Plan *plan, uint32_t change, uint32_t batch);

/* --- key.c --- */

/* What distinguishes one state from another: no times, no counters. */
void key_of(const Pb__DeploymentState *state, const struct world *world, uint64_t ret[2]);

/* The same before it is hashed, for saying where two differ. */
const char *key_text(struct arena *arena,
                     const Pb__DeploymentState *state,
                     const struct world *world);

/* --- judge.c, judge_effects.c: NULL, or what must not be, with the invariant's number --- */

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

/* What goes out with it; the world then is as control.v1 and the commands make it. */
const char *judge_effects(const struct search *search,
                          const Pb__DeploymentState *before,
                          const struct attempt *attempt,
                          const struct procedure_output *output,
                          struct world *world);

/* --- audit.c --- */

/* Noted now and then, and compared when all states are known. */
void audit_note(struct search *search, const Pb__DeploymentState *state, struct audit audit);
void audit_compare(struct search *search, size_t index);

/* --- birth.c: where it begins, and what the world is like then --- */

Pb__DeploymentState *birth_of(struct search *search, struct world *world);

/* --- search.c --- */

/* With the first node, and no other. */
void search_open(struct search *search, const struct scenario *scenario);
void search_close(struct search *search);

/* Judges that node, tries all its events, judges what they do, and adds what they lead to. */
void search_expand(struct search *search, size_t from);

/* In the scratch arena. */
Pb__DeploymentState *search_state(struct search *search, size_t node);

/* Notes the breach with its trace: the way to that node, and one event more. */
void search_report(struct search *search, size_t node, const char *label, const char *what);

/* --- scenarios.c --- */

Pb__Plan *plan_flags_only(struct arena *arena);
Pb__Plan *plan_two_batches_stop(struct arena *arena);
Pb__Plan *plan_gate_and_block(struct arena *arena);

extern const struct scenario scenarios[];
extern const size_t scenario_count;

#endif
