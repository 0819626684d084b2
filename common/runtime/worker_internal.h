/* The parts of a worker: worker.c opens it and goes its rounds, worker_command.c takes commands
 * in, worker_run.c carries tasks out, worker_lease.c keeps their records in Redis,
 * worker_report.c tells the log about them, worker_pool.c is its threads. */
#ifndef COMMON_RUNTIME_WORKER_INTERNAL_H
#define COMMON_RUNTIME_WORKER_INTERNAL_H

#include "common/runtime/worker.h"
#include "common/state/keys.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    WORKER_LEASE_MS = TASK_LEASE_MS,
    WORKER_RENEW_MS = WORKER_LEASE_MS / 3,
    WORKER_DOUBT_MS = WORKER_LEASE_MS / 2, /* Without renewal: start nothing new. */
    WORKER_OWNER_MAX = 160,
    WORKER_NAME_MAX = 96,
};

/* One claimed task. What is marked so belongs to the lock; the rest to the thread that has set
 * `stepping`, or to everybody because it never changes. */
struct run {
    struct run *next; /* Lock. */
    struct worker *worker;
    struct arena arena;                   /* The command and what stands beside it here. */
    struct arena task_arena;              /* The handler's. */
    const struct worker_handler *handler; /* NULL: there is none for this command. */
    struct worker_task task;
    const char *traceparent;
    const char *key;    /* Of its record. */
    const char *leases; /* Of the index of leases. */
    const char *drive;

    bool stepping;     /* Lock. */
    bool keeping;      /* Lock: the lease is being renewed. */
    int64_t due_ms;    /* Lock: wall clock, of the next step. */
    int64_t keep_ms;   /* Lock: monotonic, of the next renewal. */
    uint64_t round;    /* Lock: inline, the last round it was stepped in. */
    bool answered;     /* The result is final. */
    bool silent;       /* Nothing is to be reported: another drive will. */
    bool published;    /* Only the record is still to be marked. */
    bool told;         /* A step has seen that the task is cancelled. */
    bool told_to_stop; /* The step under way, for whatever reason. */
    unsigned mark_tries;
    uint64_t progress_count;
    int64_t progress_ms; /* Monotonic, of the last. */
    bool said_active;

    _Atomic bool cancelled;
    _Atomic bool lost;          /* Somebody else's, or nobody's. */
    _Atomic int64_t renewed_ms; /* Monotonic: what the lease counts from. */
};

struct worker {
    const struct worker_spec *spec;
    const struct service_ports *service;
    void *state;
    bool opened;                  /* spec->open has succeeded. */
    char owner[WORKER_OWNER_MAX]; /* Of leases: this process and no other, ever. */
    char source[WORKER_OWNER_MAX];
    char topic[WORKER_NAME_MAX];
    char group[WORKER_NAME_MAX];
    unsigned tasks_max;

    /* The receiving thread's. */
    struct bus_consumer consumer;
    bool subscribed;
    struct worker_ports ports;
    struct arena scratch;
    int64_t pause_until_ms; /* Monotonic. */
    uint64_t round;
    unsigned in_hand; /* crash.h: of the command that was received last. */

    struct worker_pool *pool; /* NULL: inline. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct run *runs; /* Lock, as what follows. */
    unsigned run_count;
    bool stopping;            /* Threads end. */
    char why[ERROR_TEXT_MAX]; /* It is not ready; "" if it is. */
    bool idle;                /* It is ready, but others have all partitions. */
    _Atomic bool draining;    /* No step begins, and those that only look are told to stop. */
    _Atomic bool quitting;    /* All are. */
};

/* worker.c */
struct service_spec worker_service(const struct worker_spec *spec);
enum err worker_open(const struct worker_spec *spec,
                     const struct service_ports *ports,
                     struct worker **ret,
                     struct error *error);
enum err worker_hear(struct worker *worker, int wait_ms, struct error *error);
void worker_free(struct worker *worker);
struct worker_ports worker_ports_of(struct worker *worker, struct arena *scratch);

/* worker_command.c: what becomes of a record. RETRY: it is to be received again, later. */
enum command_fate { COMMAND_SETTLED, COMMAND_RETRY };
enum command_fate worker_take(struct worker *worker,
                              const struct bus_record *record,
                              struct error *error);

/* worker_run.c */
struct run *run_new(struct worker *worker);
void run_free(struct run *run);
void run_add(struct run *run);
/* Carry out what is due now: one step of one task, or what is left to do after its last. False
 * if nothing was due. */
bool worker_step_one(struct worker *worker, const struct worker_ports *ports, uint64_t round);
/* With the lock: something is due. */
bool worker_has_due(struct worker *worker);
bool run_stopped(const struct worker_task *task);

/* worker_lease.c. store: of the calling thread. */
enum lease_answer { LEASE_OURS, LEASE_NOT_OURS, LEASE_UNKNOWN };
enum lease_answer lease_claim(struct run *run, struct store store, const char **ret_why);
/* A cancelled task that nobody holds becomes ours. */
enum lease_answer lease_claim_cancelled(struct run *run, struct store store);
void lease_renew(struct run *run, struct store store);
/* From now on nobody renews it. */
void lease_stop_keeping(struct run *run);
/* It counts as expired. */
void lease_release(struct run *run, struct store store);
enum lease_answer lease_done(struct run *run, struct store store);
/* Renews what is due. */
void leases_keep(struct worker *worker, struct store store);

/* worker_report.c */
void report_started(struct run *run);
void report_progress(struct worker_task *task, const Pb__TaskProgress *progress);
/* Returns when the log has it. */
enum err report_finished(struct run *run, struct error *error);

/* worker_fit.c: shorten what findings say until the event fits into a record. */
void event_fit(struct arena *arena, Pb__Event *event);

/* worker_pool.c */
enum err worker_pool_open(struct worker *worker, struct error *error);
/* Wakes a thread for what has become due. */
void worker_pool_wake(struct worker *worker);
/* Threads have ended. */
void worker_pool_close(struct worker *worker);
void worker_drain(struct worker *worker);

static inline int64_t worker_now_ms(const struct worker *worker)
{
    return clock_now_ms(worker->service->clock);
}

static inline int64_t worker_monotonic_ms(const struct worker *worker)
{
    return clock_monotonic_ms(worker->service->clock);
}

static inline void worker_count(const struct worker *worker,
                                const char *name,
                                const char *label,
                                const char *value)
{
    worker->service->metrics.add(worker->service->metrics.self, name, label, value, 1);
}

#endif
