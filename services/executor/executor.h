/* Step 2 and its way back: one change on one batch of instances, one instance after the other.
 *
 * The order is the coordinator's; how a change reaches an instance is the deployer's. Here is
 * what lies between: which instances, under which fence, whether to go on, and what to report.
 */
#ifndef SERVICES_EXECUTOR_EXECUTOR_H
#define SERVICES_EXECUTOR_EXECUTOR_H

#include "common/drivers/deployers/deployer.h"
#include "common/runtime/worker.h"

/* What all tasks share; never changes after open. */
struct executor {
    struct arena arena; /* Owns the book. */
    const struct settings *settings;
    struct deployer_book book;
};

extern const struct worker_spec executor_spec;

/* Handlers of ApplyChange and RevertChange (batch.c), ReadBack (read_back.c). */
enum worker_step executor_apply(const struct worker_ports *ports,
                                struct worker_task *task,
                                struct error *error);
enum worker_step executor_revert(const struct worker_ports *ports,
                                 struct worker_task *task,
                                 struct error *error);
enum worker_step executor_read_back(const struct worker_ports *ports,
                                    struct worker_task *task,
                                    struct error *error);

/* --- reach.c: what the handlers share --- */

/* A finding in the task's result; its texts are the task arena's. */
Pb__Finding *executor_find(struct worker_task *task, const char *check, Pb__Verdict verdict);

/* What ran on that instance ("" for the router) before the deployment; NULL if unknown. */
const Pb__Observed *baseline_of(Pb__Observed *const *baseline,
                                size_t count,
                                const char *target,
                                const char *instance);

/* The side a batch means: its own; or for "idle" the one that had no traffic before the
 * deployment, so that it stays the same after the traffic was shifted. NULL with the reason in
 * error when that is unknown. */
const char *batch_side(const struct setting_target *target,
                       const Pb__Batch *batch,
                       const Pb__Observed *router_before,
                       struct error *error);

/* True when what is observed is what the baseline says, settled. */
bool observed_as(const Pb__Observed *observed, const Pb__Observed *baseline);

/* "1.1 sha256:0123456789ab", "nothing". */
const char *observed_text(struct arena *arena, const Pb__Observed *observed);

#endif
