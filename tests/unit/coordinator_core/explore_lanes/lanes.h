/* Several deployments and the lanes they share, on the real cores of both, with every delay of
 * the messages between them.
 *
 * Deployments and lanes live on different partitions of the log: a request, a grant and a
 * release arrive at any time later, in order only between one sender and one receiver. After a
 * loss in Redis a message may be sent once more, and that copy arrives whenever it likes. A
 * node is all states, all messages on their way, and what was really changed. */
#ifndef TESTS_UNIT_COORDINATOR_CORE_EXPLORE_LANES_LANES_H
#define TESTS_UNIT_COORDINATOR_CORE_EXPLORE_LANES_LANES_H

#include "services/coordinator/core/lane.h"
#include "services/coordinator/core/procedure.h"
#include "tests/support/test.h"
#include "tests/unit/coordinator_core/explore/ends.h"
#include "tests/unit/coordinator_core/explore/key.h"

enum { DEPS_MAX = 3, LANES_MAX = 2, MAIL_MAX = 16, CHANGES_MAX = 4, TRIES_MAX = 64 };

struct letter {
    struct pb_bytes event;
    uint8_t from; /* Deployments first, then lanes. */
    uint8_t to;
    bool stray; /* A copy: bound to no order. */
};

/* What is really so. */
struct road {
    uint8_t changed[LANES_MAX][CHANGES_MAX]; /* Deployment + 1, the first to change it first. */
    uint64_t fence[LANES_MAX][2];            /* Grant and version of the newest command. */
    uint8_t freezes[DEPS_MAX];               /* That may still come. */
    uint8_t copies;                          /* Messages that may still be sent twice. */
    uint8_t alerts[DEPS_MAX];                /* Critical ones, that may still come. */
    bool ended_badly[DEPS_MAX];              /* By skipping a change. */
};

struct place {
    struct pb_bytes deps[DEPS_MAX];
    struct pb_bytes lanes[LANES_MAX];
    struct letter mail[MAIL_MAX];
    size_t mail_count;
    struct road road;
    size_t parent;
    uint32_t depth; /* Events from the start, on the shortest way. */
    const char *label;
};

/* What may happen beside the ordinary. */
enum trouble {
    BRISK = 1,  /* Work that touches no lane ends well at once: with one deployment alone every
                   order of it is explored. */
    LOST = 2,   /* Changes fail, done or not; so do undos. */
    ALERT = 4,  /* One critical alert, that each hears in its own time. */
    CLOCKS = 8, /* Lanes are not granted in time. */
};

struct crossing {
    const char *name;
    const char *wants[DEPS_MAX]; /* The lanes of each, a letter each; NULL: no more. */
    uint8_t freezes;             /* Of each deployment. */
    uint8_t copies;
    unsigned trouble;
    bool deep;
    size_t nodes_max;
    bool back; /* The first has been completed, and is taken back: kind ROLLBACK. */
    bool open; /* Known to fail, or not counted yet: only by its name, see the README. */
};

/* A node's states unpacked, in the scratch arena. */
struct scene {
    Pb__DeploymentState *deps[DEPS_MAX];
    Pb__LaneState *lanes[LANES_MAX]; /* NULL: never used. */
};

struct atlas {
    const struct crossing *crossing;
    struct arena kept;
    struct arena scratch;
    size_t dep_count;
    size_t lane_count;
    Pb__Plan *plans[DEPS_MAX];
    struct place *places;
    size_t count;
    size_t *table;
    uint64_t (*keys)[2];
    size_t table_size;
    struct ways ways;
    uint32_t depth;   /* The longest of the shortest ways to a state. */
    uint32_t way_out; /* The longest of the shortest ways from a state to all ends. */
    size_t events;
    char breach[4096];
};

/* One event at one deployment, not by mail. */
struct tried {
    const char *label;
    Pb__Event *event;
    struct road road; /* Afterwards. */
    bool force;       /* Does not count as a way to an end. */
};

extern const struct crossing crossings[];
extern const size_t crossing_count;

Pb__Plan *lanes_plan(struct arena *arena, const char *wants);
void lanes_scene(struct atlas *atlas, const struct place *place, struct scene *ret);
size_t lanes_events(struct atlas *atlas,
                    const struct scene *scene,
                    const struct place *place,
                    size_t dep,
                    struct tried ret[TRIES_MAX]);
void lanes_key(struct atlas *atlas,
               const struct scene *scene,
               const struct place *place,
               uint64_t ret[2]);
/* NULL, or what must not be. */
const char *lanes_judge(const struct atlas *atlas,
                        const struct scene *scene,
                        const struct place *place);
/* The command that goes out must outrank all before it; moves the road's fence. */
const char *lanes_judge_command(const struct atlas *atlas,
                                const Pb__Command *command,
                                struct road *road);

/* One event at one deployment, or at one lane; what it sends is posted. False when it was not
 * applied, or with atlas->breach set. */
bool lanes_step_deployment(
    struct atlas *atlas, struct place *place, size_t node, size_t dep, const Pb__Event *event);
bool lanes_step_lane(
    struct atlas *atlas, struct place *place, size_t node, size_t lane, const Pb__Event *event);

/* The first place: all wait in the queue, or the first one's rollback begins. */
void lanes_begin(struct atlas *atlas, struct place *place);

/* Notes the breach with its trace: the way to that node, and one event more. */
void lanes_report(struct atlas *atlas, size_t node, const char *label, const char *what);

/* In the scratch arena. */
void *lanes_unpacked(struct atlas *atlas,
                     const ProtobufCMessageDescriptor *type,
                     struct pb_bytes packed);

/* The lane's number by its full name, or lane_count. */
size_t lanes_index(const struct atlas *atlas, const char *name);
/* The lane that a task of that deployment changes now, or lane_count. */
size_t lanes_changed_by(const struct atlas *atlas, const Pb__DeploymentState *state);
const char *lanes_dep_name(size_t dep);

#endif
