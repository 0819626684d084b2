/* A batch of records of one partition, applied in order and committed as one.
 *
 * batch.c takes the records and says what became of each; aggregates.c loads and stores what
 * they move; effects.c turns what the core answers into writes and things to publish. */
#ifndef SERVICES_COORDINATOR_BATCH_H
#define SERVICES_COORDINATOR_BATCH_H

#include "services/coordinator/core/procedure.h"
#include "services/coordinator/outbox.h"
#include "services/coordinator/record.h"

/* A deployment, lane or feature that this batch touches. */
struct aggregate {
    enum aggregate_kind kind;
    const char *id;
    const char *key;                   /* In Redis. */
    void *state;                       /* Its message; NULL: not born. */
    const Pb__DeploymentState *before; /* As loaded; NULL for others and the unborn. */
    bool dirty;
    struct pb_bytes packed; /* As written; once it is. */
};

struct batch {
    struct coordinator *shell;
    struct partition *partition;
    struct arena *arena;
    struct writes writes;
    struct outbox outbox;
    struct log_mark mark; /* As it will be after the records taken so far. */
    struct aggregate **aggregates;
    size_t aggregate_count;
    int64_t now_ms;
    unsigned index; /* Of the next thing to keep in the outbox for the present record. */
};

/* Apply the records, commit, and, when the partition is live, publish. The records follow the
 * partition's mark without a gap. After an error the partition must be taken over again: what
 * was committed is committed, and everything else is repeated. */
enum err batch_run(struct coordinator *shell,
                   struct partition *partition,
                   const struct bus_record *const *records,
                   size_t count,
                   struct error *error) MUST_CHECK;

/* --- aggregates.c --- */

/* The aggregate with its state as of this point of the batch. */
enum err aggregate_get(struct batch *batch,
                       enum aggregate_kind kind,
                       const char *id,
                       struct aggregate **ret,
                       struct error *error) MUST_CHECK;

/* The plan that this state names; NULL in ret if it names none. */
enum err aggregate_plan(struct batch *batch,
                        const Pb__DeploymentState *state,
                        Pb__Plan **ret,
                        struct error *error) MUST_CHECK;

/* The writes that store every aggregate the batch has changed. */
void aggregates_write(struct batch *batch);

/* After the commit: remember what was written. */
void aggregates_keep(struct batch *batch);

/* --- effects.c --- */

/* What the core answered to one event. */
struct answered {
    const struct heard *heard;
    const char *id; /* Of the aggregate. */
    uint64_t version;
    const struct effects *effects;
    const void *after; /* Its message after the event. */
};

/* ERR_TOO_LARGE if one of them could not be sent. */
enum err effects_check(const struct effects *effects, struct error *error) MUST_CHECK;

/* Add their writes and what they say. */
void effects_take(struct batch *batch, const struct answered *answered);

/* Keep and, when live, publish something; numbers it within its record. Folding what the
 * group's offset says is out is left out. */
void batch_say(struct batch *batch, const struct outgoing *outgoing, int64_t offset);

/* The answer to an operator request. */
void batch_answer_request(struct batch *batch,
                          const struct heard *heard,
                          const struct effect_answer *answer,
                          uint64_t version);

/* --- letters.c --- */

/* Say in dead-letter.v1 why that record could not be used. */
void batch_dead_letter(struct batch *batch,
                       const struct bus_record *record,
                       const char *reason);

/* Hold that deployment until a person has looked; nothing if it is NULL. what: "quarantine",
 * "impossible". */
void batch_hold(struct batch *batch,
                const struct bus_record *record,
                const char *deployment,
                const char *what,
                const char *reason);

#endif
