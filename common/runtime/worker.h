/* A worker: a service that carries out commands, one small task at a time.
 *
 * The runtime receives commands.<worker>.v1, verifies the writer, claims the task's record in
 * Redis (PENDING, same drive; otherwise the command is dropped and counted), keeps the lease,
 * calls the handler's step until it is done, and publishes TaskFinished. A lease is renewed at
 * a third of its length; at half without renewal, by the monotonic clock, the task is told to
 * stop and nothing new starts.
 *
 * A handler is a step function, so that one thread can carry many watches and tests can run on
 * a virtual clock: it does a bounded piece of work (an HTTP call, a program run) and answers
 * either DONE or AGAIN with the time to be called next. */
#ifndef COMMON_RUNTIME_WORKER_H
#define COMMON_RUNTIME_WORKER_H

#include "common/drivers/driver.h"
#include "common/runtime/service.h"

enum worker_step { WORKER_DONE, WORKER_AGAIN };

/* What a step may touch. */
struct worker_ports {
    const struct service_ports *service;
    struct http_client http; /* This thread's own. */
    struct store store;      /* This thread's own. */
    struct arena *scratch;   /* Emptied before each step; at most 16 MiB. */
    void *state;             /* What worker_spec.open made; shared by threads, lock it. */
};

/* One claimed task. */
struct worker_task {
    const Pb__Command *command; /* Borrowed for the life of the task. */
    struct arena *arena; /* Lives as long as the task, at most 4 MiB: for what the next step or
                            the answer needs. All else goes to worker_ports.scratch. */
    void *memory;        /* The handler's own, NULL at first; take it from the arena. */
    int64_t started_ms;
    int64_t wake_ms; /* Set with WORKER_AGAIN: call again at this time. */

    /* The answer, filled by the handler; starts as an empty TaskFinished with task and drive.
     */
    Pb__TaskFinished *result;

    /* Publish a TaskProgress now. At most one every second goes out, others are dropped; the
     * first that says `active` always does. Task and drive are filled in. */
    void (*progress)(struct worker_task *task, const Pb__TaskProgress *progress);

    /* True once the task was cancelled, its lease is in doubt, its deadline has passed or the
     * service has to leave. Ask
     * before each thing that changes the world; then answer DONE with OUTCOME_CANCELLED. The
     * runtime knows why: it reports CANCELLED, or ERROR for a deadline, or says nothing and
     * leaves the task to its next drive. */
    bool (*stopped)(const struct worker_task *task);
    void *runtime; /* The runtime's own. */
};

/* One kind of command. */
struct worker_handler {
    Pb__Command__BodyCase body;

    /* Called again and again until it answers DONE. Never called by two threads at once for one
     * task. On DONE with result->outcome unset, OUTCOME_ERROR is reported with error's text. */
    enum worker_step (*step)(const struct worker_ports *ports,
                             struct worker_task *task,
                             struct error *error);

    /* It only looks: when the service is told to stop, the step is, too, and another instance
     * looks again. Anything else gets some seconds to end by itself. */
    bool looks;
};

struct worker_spec {
    const char *name; /* "executor": topic commands.executor.v1, group slipway.executor. */
    const char *summary;
    const struct worker_handler *handlers;
    size_t handler_count;
    const char *hears;  /* As service_spec.hears. */
    unsigned threads;   /* 4 if 0. */
    unsigned tasks_max; /* At once; 64 if 0. Further commands wait in Kafka. */

    /* As service_spec.check: reads what open will read. What it finds wrong stops the start, so
     * that it is not found in the middle of a deployment. May be NULL. */
    void (*check)(struct arena *arena,
                  const struct settings *settings,
                  struct yaml_problems *problems);

    /* What all tasks share, from settings in which check found nothing wrong. May be NULL. */
    enum err (*open)(const struct service_ports *ports, void **ret_state, struct error *error);
    void (*close)(void *state); /* May be NULL; accepts NULL. */

    /* Beside the commands: called once per turn of the receiving thread, for what else the
     * worker hears (monitor: alerts.v1). May be NULL. */
    enum err (*turn)(void *state, const struct worker_ports *ports, struct error *error);
};

/* main() of a worker. */
int worker_main(const struct worker_spec *spec, int argc, char **argv);

/* The worker as a service without threads, for scenario tests: turn() receives, claims and runs
 * every due step in the calling thread. */
enum err worker_open_inline(const struct worker_spec *spec,
                            const struct service_ports *ports,
                            void **ret_worker,
                            struct error *error) MUST_CHECK;
enum err worker_turn_inline(void *self, struct error *error) MUST_CHECK;

/* When the earliest waiting task wants its next step or its lease renewed; INT64_MAX if there
 * is none. */
int64_t worker_next_wake_ms(void *self);

/* What a wish to stop does: no more commands are heard, and what is under way is handed back,
 * for another instance to drive. Close it afterwards. */
void worker_drain_inline(void *self);
void worker_close_inline(void *self);

/* What a driver is handed by a task: its ports, scratch for its memory, and the task's word
 * whether to stop. task may be NULL: nothing stops it then. */
struct driver_env worker_driver_env(const struct worker_ports *ports,
                                    const struct worker_task *task,
                                    struct arena *scratch);

/* What of a deployment that command has in hand, for crash points. */
unsigned worker_in_hand(const Pb__Command *command);

/* Add a finding to the task's result: verdict, and printf for observed. The check supplies id,
 * kind, required and remedy. Returns the finding so that more can be set. */
Pb__Finding *worker_find(struct worker_task *task,
                         const Pb__CheckSpec *check,
                         Pb__Verdict verdict,
                         const char *observed,
                         ...) __attribute__((format(printf, 4, 5)));

#endif
