/* A claimed task without the runtime around it: a handler is called until it is done, on a
 * virtual clock. */
#ifndef TESTS_UNIT_FLAG_ROLLOUT_FAKE_TASK_H
#define TESTS_UNIT_FLAG_ROLLOUT_FAKE_TASK_H

#include "common/adapters/memory/clock.h"
#include "common/runtime/worker.h"

struct fake_task {
    struct arena arena;
    struct worker_task task;
    bool stop;
    unsigned steps; /* Made so far. */
};

typedef enum worker_step (*handler_step)(const struct worker_ports *ports,
                                         struct worker_task *task,
                                         struct error *error);

/* Opens fake for that command at the clock's time. */
void fake_task_open(struct fake_task *fake,
                    const Pb__Command *command,
                    const struct memory_clock *clock);
void fake_task_close(struct fake_task *fake);

/* One step. The clock is moved to the time the handler wants to be called at. */
enum worker_step fake_task_step(struct fake_task *fake,
                                handler_step step,
                                const struct worker_ports *ports,
                                struct memory_clock *clock);

/* Steps until it is done, at most 1000; returns the result. */
const Pb__TaskFinished *fake_task_run(struct fake_task *fake,
                                      handler_step step,
                                      const struct worker_ports *ports,
                                      struct memory_clock *clock);

/* The finding of that check, or NULL. */
const Pb__Finding *fake_task_finding(const struct fake_task *fake, const char *check);

#endif
