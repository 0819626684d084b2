/* Judges the history of a run by what the design promises, from the records as any outsider
 * could read them, by the .proto files alone: nothing here knows the coordinator. */
#ifndef TESTS_SIMULATION_JUDGE_H
#define TESTS_SIMULATION_JUDGE_H

#include "common/adapters/memory/bus.h"
#include "common/wire/pb.h"
#include "tests/simulation/history.h"

/* A record of any topic. */
struct said {
    int64_t order; /* Of publishing, over all topics. */
    int64_t at_ms;
    const char *topic;
    int32_t partition;
    int64_t offset;
    const char *key;
    const char *id;     /* ce_id; "" if it has none. */
    const char *writer; /* "" if it names none. */
    const uint8_t *bytes;
    size_t length;
    bool poison; /* It does not say what a record of its topic says. */

    /* What it says: one of these. */
    const Pb__Event *event;
    const Pb__Command *command;
    const Pb__Signal *signal;
    const Pb__Control *control;
    const Pb__DeadLetter *letter;
    const Pb__AlertBatch *alerts;
    const Pb__DeploymentReport *report;
};

struct judge {
    struct arena *arena;
    const struct said *said; /* In the order of publishing. */
    size_t count;
    const struct said **events; /* By their ids, then in the order of publishing. */
    size_t event_count;
    const struct history *history;
    const char *const *features;
    size_t feature_count;

    /* Told of each rule that is broken after the first; NULL: nobody asks. */
    void (*also)(const char *rule);

    /* The first rule that was broken; NULL: none. */
    const char *rule;
    char sentence[512];
};

/* Reads everything the broker holds. */
void judge_read(struct judge *judge, struct memory_broker *broker, int32_t partitions);

/* Finds what a record says; it is poison if nobody can, or if it is marked so. */
void judge_understand(struct judge *judge, struct said *said);

/* Applies every rule until one is broken, or all if somebody asks for that. True if all hold.
 */
bool judge_all(struct judge *judge);

/* For rules: this one is broken. Returns false. */
bool judge_broken(struct judge *judge, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A rule, and its name. */
struct rule {
    const char *name;
    bool (*holds)(struct judge *judge);
};

/* What came of the trouble, as the record shows. */
struct faults;
void consequences_count(const struct judge *judge, struct faults *ret);

/* Ends with a rule without a name. */
extern const struct rule rules_of_records[], rules_of_steps[], rules_of_flags[],
    rules_of_lanes[], rules_of_undo[], rules_of_timelines[], rules_of_ends[], rules_of_words[],
    rules_of_tasks[];

/* What holds even where the record lost its end and all was folded anew. */
extern const struct rule rules_of_latches[];

/* "one.2/3/1/0": 3; 0 if it is no task. */
uint32_t judge_step(const char *task);

/* The version at which that deployment decided on the record: of "one.2.17.3" by one.2 it
 * is 17. Effects of one deployment were decided in this order, whenever they are said. 0: it is
 * not that deployment's. */
uint64_t judge_version(const struct said *said, const char *deployment);

/* The plan that a command, or a deployment at last, runs under; NULL if the log has none. */
const Pb__Plan *judge_plan(const struct judge *judge, const Pb__Command *command);
const Pb__Plan *judge_plan_of(const struct judge *judge, const char *deployment);

/* The last report of that deployment; NULL if there is none. */
const Pb__DeploymentReport *judge_report(const struct judge *judge, const char *deployment);

/* Before that record somebody had said that the task was done. */
bool judge_ended_well(const struct judge *judge, const char *task, int64_t before);

/* Whether the deployment of that end ever was available to so many. */
bool judge_was_available(const struct judge *judge, const struct said *end, uint32_t percent);

/* What that brought is not taken back: by plan, or because a person said so. */
bool judge_may_stay(const struct judge *judge, const struct deed *deed);

/* The event of that id; NULL if there is none. */
const struct said *judge_event(const struct judge *judge, const char *id);

/* The last report of each deployment, one after the other; *at begins as 0. NULL: no more. */
const Pb__DeploymentReport *judge_next_report(const struct judge *judge, size_t *at);

/* First signal of that kind of that deployment, from that order on; NULL if there is none. */
const struct said *judge_signal(const struct judge *judge,
                                const char *deployment,
                                Pb__Signal__BodyCase body);

#endif
