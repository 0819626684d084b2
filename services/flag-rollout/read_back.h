/* Making the provider hold a value, and looking whether it does. */
#ifndef SERVICES_FLAG_ROLLOUT_READ_BACK_H
#define SERVICES_FLAG_ROLLOUT_READ_BACK_H

#include "common/runtime/worker.h"
#include "services/flag-rollout/control.h"

enum {
    SCRATCH_MAX = 2 * 1024 * 1024, /* Memory of one step, given back at its end. */
    POLL_FIRST_MS = 20,            /* Gateways fold a record within a few milliseconds. */
    POLL_LATER_MS = 200,           /* Once it has taken longer than POLL_BUSY_MS. */
    POLL_BUSY_MS = 1000,
    PATIENCE_MS = 10 * 1000, /* Then what was found last is the answer. */
    MARGIN_MS = 500,         /* Before the task's deadline. */
};

/* What this worker's threads share. */
struct flag_rollout {
    const struct service_ports *ports;
    struct control *control;
    int64_t next_round_ms; /* Of the background read-back; receiving thread only. */
    size_t next_place;
};

/* Verdict and words about several flags, merged: the worst verdict wins. */
struct merged {
    Pb__Verdict verdict;
    const char *observed;
    const char *wanted;
    const char *evidence;
};
void merge(struct arena *arena, struct merged *merged, const Pb__Finding *finding);

/* Sets the flag at its provider and compares what every instance says with wanted; the reading
 * goes to readback:<environment>/<flag> for people. */
Pb__Finding *read_back_assert(const struct worker_ports *ports,
                              const struct driver_env *env,
                              const Pb__FlagSpec *flag,
                              const char *environment,
                              const struct flag_value *wanted);

/* The same without setting: for the background. */
Pb__Finding *read_back_look(const struct worker_ports *ports,
                            const struct driver_env *env,
                            const Pb__FlagSpec *flag,
                            const char *environment,
                            const struct flag_value *wanted);

/* Call again soon; later the longer it has taken. */
enum worker_step read_back_again(struct worker_task *task, int64_t now_ms);

/* True when the last answer has to do: patience or the deadline is used up. */
bool read_back_is_late(const struct worker_task *task, int64_t from_ms, int64_t now_ms);

/* OK, FAILED or ERROR, from the worst verdict. */
Pb__Outcome read_back_outcome(Pb__Verdict verdict);

/* The plan's check of that name, or one of our own making. */
const Pb__CheckSpec *check_named(struct arena *arena,
                                 Pb__CheckSpec *const *checks,
                                 size_t count,
                                 const char *id);

/* A finding of the task, from several flags. */
void find_merged(struct worker_task *task,
                 const Pb__CheckSpec *check,
                 const struct merged *merged);

/* DONE with CANCELLED. */
enum worker_step read_back_cancelled(struct worker_task *task);

/* The handlers. */
enum worker_step set_flags_step(const struct worker_ports *ports,
                                struct worker_task *task,
                                struct error *error);
enum worker_step kill_flags_step(const struct worker_ports *ports,
                                 struct worker_task *task,
                                 struct error *error);

/* rollout.reviewed: the stage is one of the plan that was approved. */
void review_stage(const struct worker_ports *ports,
                  struct worker_task *task,
                  const Pb__CheckSpec *check);

/* Read one granted flag back if its time has come. Receiving thread only. */
void background_read_back(struct flag_rollout *state, const struct worker_ports *ports);

#endif
