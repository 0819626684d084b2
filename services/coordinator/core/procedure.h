/* The procedure as a pure function: state and event in, state and effects out.
 *
 * procedure_step() is the only function that moves a deployment. It does no I/O, reads no clock
 * and takes memory only from the arena it is handed; time arrives with the event. The shell
 * commits the new state and its effects in one atomic write, and only then carries the effects
 * out, so a crash in between loses nothing and an event delivered twice is STALE. Lanes
 * (lane.h) and features (feature.h) are small aggregates of the same form on the same log; an
 * event without a deployment is for one of them (see Event in event.proto).
 *
 * Texts of a new state and of effects may borrow from the event, the plan and the state before:
 * pack them before any of those goes away. */
#ifndef SERVICES_COORDINATOR_CORE_PROCEDURE_H
#define SERVICES_COORDINATOR_CORE_PROCEDURE_H

#include "common/base/arena.h"
#include "common/wire/pb.h"

enum { EFFECTS_MAX = 64 };

/* What became of an event. */
enum procedure_answer {
    PROCEDURE_APPLIED,
    PROCEDURE_STALE,      /* A late or repeated word: fine, counted, nothing changes. */
    PROCEDURE_REFUSED,    /* A request that may not be: the sender is told why. */
    PROCEDURE_IMPOSSIBLE, /* A bug or a forged record: alarm, the deployment is held. */
};

enum effect_kind {
    EFFECT_COMMAND, /* To a worker; the shell writes the task record PENDING first. */
    EFFECT_CANCEL,  /* Command with body cancel; the task record becomes CANCELLING. */
    EFFECT_FORGET,  /* The task record of `task` is done with. */
    EFFECT_EVENT,   /* To another aggregate, on events.v1 under `key`. */
    EFFECT_SIGNAL,  /* signals.v1 */
    EFFECT_CONTROL, /* control.v1 under `key`; published before all others: a latch comes first
                     */
    EFFECT_COMPILE, /* The shell compiles the plan and answers with PlanCompiled. */
    EFFECT_ARCHIVE, /* The shell publishes the report. */
    EFFECT_ANSWER,  /* To the sender of an operator request. */
    EFFECT_ENTRY,   /* A line of the timeline; written with the state, never published. */
};

/* The answer to an operator request. */
struct effect_answer {
    const char *request;
    bool applied;
    const char *code;   /* Of ux/api.md: "not-now", "plan-changed"; "" when applied. */
    const char *detail; /* One sentence. */
    const char *remedy;

    /* Of the one that was asked, where another answers for it; NULL and 0: who answers. */
    const char *deployment;
    uint64_t version;
};

/* One thing the world must now do. Everything borrowed from the step's arena or its inputs. */
struct effect {
    enum effect_kind kind;
    const char *worker; /* COMMAND, CANCEL */
    const char *task;   /* COMMAND, CANCEL, FORGET */
    const char *key;    /* EVENT, CONTROL */
    union {
        Pb__Command *command;
        Pb__Event *event;
        Pb__Signal *signal;
        Pb__Control *control;
        Pb__TimelineEntry *entry;
        struct effect_answer answer;
        const char *approach; /* COMPILE: of a replan, "" otherwise. */
    };
};

struct effects {
    struct effect item[EFFECTS_MAX];
    size_t count;
};

/* One event for one deployment. */
struct procedure_input {
    const Pb__DeploymentState *before; /* NULL: AttemptCreated gives birth. */
    const Pb__Plan *plan;              /* NULL until one was compiled. */
    const Pb__Event *event;
    const char *event_id; /* ce_id */
    int64_t at_ms;        /* The record's timestamp. */
};

struct procedure_output {
    Pb__DeploymentState *after; /* In the arena; set on APPLIED only. */
    struct effects effects;     /* On APPLIED; on REFUSED only the ANSWER. */
    char why[256];              /* On STALE and IMPOSSIBLE, for the log. */
};

/* Advance by one event. before is never changed. */
enum procedure_answer procedure_step(struct arena *arena,
                                     const struct procedure_input *input,
                                     struct procedure_output *ret);

/* What taking this deployment back now would do, in order, without doing it. */
struct undo_step {
    const char *what;
    const char *how; /* "latch", "cancel", "revert", "keep", "manual", "verify" */
    uint32_t change;
    uint32_t batch;
};
size_t procedure_undo_preview(struct arena *arena,
                              const Pb__DeploymentState *state,
                              const Pb__Plan *plan,
                              struct undo_step **ret);

/* Every request by its API name ("pause"), whether it would be applied now for that actor, and
 * why not otherwise. Runs the core on a copy. */
struct allowed_request {
    const char *request;
    bool allowed;
    const char *code;
    const char *why;
};
size_t procedure_allowed(struct arena *arena,
                         const Pb__DeploymentState *state,
                         const Pb__Plan *plan,
                         const Pb__Actor *actor,
                         struct allowed_request **ret);

/* True in COMPLETED, ABORTED and ROLLED_BACK. */
bool procedure_is_terminal(Pb__Phase phase);

#endif
