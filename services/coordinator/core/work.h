/* Tasks: what workers are asked, and what their answers mean. */
#ifndef SERVICES_COORDINATOR_CORE_WORK_H
#define SERVICES_COORDINATOR_CORE_WORK_H

#include "services/coordinator/core/turn.h"

/* What an answer amounts to, from best to worst. */
enum found {
    FOUND_GO,
    FOUND_WAIT,   /* Only what a person must say is missing. */
    FOUND_WARN,   /* A WARN that its check does not permit. */
    FOUND_UNSURE, /* INCONCLUSIVE, NO_DATA, or expected and absent. */
    FOUND_ERROR,  /* Could not be done; lost. */
    FOUND_FAIL,
};

struct judgement {
    enum found found;
    const char *rule;   /* "16 of 18 required checks PASS; verify.version FAIL: runs 1.9.2" */
    const char *remedy; /* Of the check that decided; "" if none. */
    const char *check;  /* That decided; "" if none. */
};

/* Checks of the plan that decide something, picked out. */
struct expectation {
    Pb__CheckSpec **item;
    size_t count;
};

enum task_flag {
    TASK_FORWARD = 1, /* Changes production: not started under a hold, a stop or a latch. */
    TASK_UNDO = 2,    /* Part of taking back. */
    TASK_BESIDE = 4,  /* Nothing waits for it. */
    TASK_WATCH = 8,   /* Runs by a clock that promote may end. */
};

struct task_kind {
    const char *name; /* TaskState.kind */
    const char *worker;
    unsigned flags;
    void (*fill)(struct turn *turn, const Pb__TaskState *task, Pb__Command *command);

    /* What the plan expects of it; NULL: its own findings decide, and there must be some. */
    struct expectation (*expected)(struct turn *turn);
};

/* --- tasks.c --- */

const struct task_kind *task_kind_find(const char *name);

/* The task the procedure waits for, or NULL. Beside tasks are not it. */
Pb__TaskState *task_main(const struct turn *turn);
Pb__TaskState *task_find(const struct turn *turn, const char *id);
bool task_is(const Pb__TaskState *task, enum task_flag flag);

/* Begin a task of that kind where the cursor stands and command its first drive. */
Pb__TaskState *task_start(struct turn *turn, const char *name);

/* Command the next drive after delay_ms, at once if 0. */
void task_again(struct turn *turn, Pb__TaskState *task, int64_t delay_ms);

/* 1 s, 2 s, 4 s, at most 30 s, as the plan says, for its number of errors. */
int64_t task_backoff_ms(const struct turn *turn, const Pb__TaskState *task);

/* Done with: out of the state, its record forgotten. */
void task_drop(struct turn *turn, Pb__TaskState *task);

/* Ask the worker to stop. Quiet at once when it only waits for its next drive. */
void task_cancel(struct turn *turn, Pb__TaskState *task);

/* Beside the procedure: a task of notifier that tells people. what: "blocked", "page", ... Sent
 * only if the plan has a channel for it. */
void announce(struct turn *turn, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- commands.c: bodies, by kind --- */

void fill_inputs(struct turn *turn, const Pb__TaskState *task, Pb__Command *command);
void fill_checks(struct turn *turn, const Pb__TaskState *task, Pb__Command *command);
void fill_health(struct turn *turn, const Pb__TaskState *task, Pb__Command *command);
void fill_apply(struct turn *turn, const Pb__TaskState *task, Pb__Command *command);
void fill_revert(struct turn *turn, const Pb__TaskState *task, Pb__Command *command);
void fill_read_back(struct turn *turn, const Pb__TaskState *task, Pb__Command *command);
void fill_flags(struct turn *turn, const Pb__TaskState *task, Pb__Command *command);
void fill_kill(struct turn *turn, const Pb__TaskState *task, Pb__Command *command);
void fill_watch(struct turn *turn, const Pb__TaskState *task, Pb__Command *command);
void fill_announce(struct turn *turn, const Pb__TaskState *task, Pb__Command *command);
void fill_finalise(struct turn *turn, const Pb__TaskState *task, Pb__Command *command);

/* How long one drive of it may take. */
int64_t task_limit_ms(struct turn *turn, const Pb__TaskState *task);

/* "status", "version", "percent", "date", ... as the notifier's templates use them. */
void announce_facts(struct turn *turn, Pb__Pair ***facts, size_t *count);

/* The channels of the plan for that kind of announcement. */
size_t announce_channels(struct turn *turn, const char *what, Pb__ChannelUse ***ret);

/* --- expect.c: what the plan expects where the cursor stands --- */

struct expectation expect_inputs(struct turn *turn);
struct expectation expect_step(struct turn *turn);   /* Steps 1, 3, 5, 6, 7. */
struct expectation expect_apply(struct turn *turn);  /* Of the batch at the cursor. */
struct expectation expect_health(struct turn *turn); /* Of the batch at the cursor. */
struct expectation expect_bake(struct turn *turn);
struct expectation expect_flags(struct turn *turn); /* Of setting a stage. */
struct expectation expect_stage(struct turn *turn); /* Of watching it, people's part too. */

/* What decides now, for a deployment that waits for people or rests. */
struct expectation expect_here(struct turn *turn);

/* Those of them that a worker can answer. */
struct expectation expect_of_worker(struct turn *turn, struct expectation all);

/* The core answers this check itself. */
bool check_is_own(const struct turn *turn, const char *id);

/* --- findings.c --- */

/* Keep the newest answer to each check in the step's results. */
void results_merge(struct turn *turn, Pb__Finding *const *findings, size_t count);
Pb__CheckResult *result_find(const Pb__StepState *step, const char *check);
Pb__CheckResult *result_put(struct turn *turn, Pb__StepState *step, const char *check);

/* Forget what was seen of these checks: they are measured anew. What people attested or waived
 * stays, and in step 7 what is done. */
void results_forget(struct turn *turn, struct expectation expected);

/* True while a waiver of it counts. */
bool result_waived(const struct turn *turn, const Pb__CheckResult *result);

/* Into the timeline, what the core answered itself. */
void entry_own_findings(struct turn *turn, struct expectation expected);

/* An incident that came while step 1 runs, as the finding of the check that forbids it. */
void result_of_critical(struct turn *turn, const Pb__Incident *incident);

/* From the results of the present step. */
struct judgement judge_results(struct turn *turn, struct expectation expected);

/* From the task's answer; merges its findings. */
struct judgement judge_finished(struct turn *turn,
                                const Pb__TaskState *task,
                                const Pb__TaskFinished *finished);

#endif
