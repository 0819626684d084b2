#include "common/runtime/worker_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COMMAND_MEMORY_MAX = 20 * 1024 * 1024, /* A record of 256 KiB may unpack to 16 MiB. */
    TASK_MEMORY_MAX = 4 * 1024 * 1024,
    DOUBT_AGAIN_MS = 200,
    REPORT_AGAIN_MS = 1000,
    MARK_AGAIN_MS = 500,
    MARK_TRIES = 10,
    OVERTIME_MS = 30 * 1000, /* A handler that does not stop at its deadline. */
};

struct run *run_new(struct worker *worker)
{
    struct run *const run = calloc(1, sizeof *run);

    if (run == NULL)
        abort();
    run->worker = worker;
    run->arena = arena_with_limit(COMMAND_MEMORY_MAX);
    run->task_arena = arena_with_limit(TASK_MEMORY_MAX);
    run->progress_ms = INT64_MIN;
    run->task.arena = &run->task_arena;
    run->task.progress = report_progress;
    run->task.stopped = run_stopped;
    run->task.runtime = run;
    return run;
}

void run_free(struct run *run)
{
    arena_release(&run->arena);
    arena_release(&run->task_arena);
    free(run);
}

static void show_running(struct worker *worker)
{
    worker->service->metrics.set(
        worker->service->metrics.self, "slipway_tasks_running", "", "", worker->run_count);
}

void run_add(struct run *run)
{
    struct worker *const worker = run->worker;

    (void)pthread_mutex_lock(&worker->lock);
    run->next = worker->runs;
    worker->runs = run;
    worker->run_count++;
    run->due_ms = worker_now_ms(worker);
    show_running(worker);
    (void)pthread_mutex_unlock(&worker->lock);
}

/* With the lock. Waits until nobody renews its lease. */
static void run_remove(struct run *run)
{
    struct worker *const worker = run->worker;
    struct run **at = &worker->runs;

    while (run->keeping)
        (void)pthread_cond_wait(&worker->changed, &worker->lock);
    while (*at != run)
        at = &(*at)->next;
    *at = run->next;
    worker->run_count--;
    show_running(worker);
    run_free(run);
}

/* Since it was last renewed. The lease may have ended for all others: nobody may be believed
 * but the own clock. */
static int64_t lease_age_ms(const struct run *run)
{
    return worker_monotonic_ms(run->worker) - atomic_load(&run->renewed_ms);
}

static bool is_late(const struct run *run, int64_t grace_ms)
{
    const int64_t deadline_ms = run->task.command->deadline_ms;

    return deadline_ms > 0 && worker_now_ms(run->worker) >= deadline_ms + grace_ms;
}

static bool is_leaving(const struct run *run)
{
    const bool looks = run->handler != NULL && run->handler->looks;

    return atomic_load(&run->worker->quitting) ||
           (looks && atomic_load(&run->worker->draining));
}

/* A lease in doubt may be renewed the next moment; a step that was told to stop has acted on it
 * and hears nothing else until its end. */
bool run_stopped(const struct worker_task *task)
{
    struct run *const run = task->runtime;

    run->told_to_stop = run->told_to_stop || atomic_load(&run->cancelled) ||
                        atomic_load(&run->lost) || is_leaving(run) ||
                        lease_age_ms(run) >= WORKER_DOUBT_MS || is_late(run, 0);
    return run->told_to_stop;
}

static void answer_error(struct run *run, const char *text)
{
    run->task.result->outcome = PB__OUTCOME__OUTCOME_ERROR;
    run->task.result->error = arena_text(&run->arena, text);
    run->answered = true;
}

/* Forward work under another configuration than the plan was compiled for could bring it to
 * other machines. Taking back and looking go on: they find what was done by its marker. */
static bool is_forward(const Pb__Command *command)
{
    if (command->body_case == PB__COMMAND__BODY_APPLY)
        return true;
    return command->body_case == PB__COMMAND__BODY_SET_FLAGS && command->set_flags->percent > 0;
}

static bool may_begin(struct run *run)
{
    const Pb__Command *const command = run->task.command;
    const char *const hash = run->worker->service->settings->hash;

    if (run->handler == NULL) {
        answer_error(run,
                     arena_printf(&run->arena,
                                  "%s does not carry out commands of kind %d",
                                  run->worker->spec->name,
                                  (int)command->body_case));
        return false;
    }
    if (is_forward(command) && strcmp(command->config_hash, hash) != 0) {
        answer_error(run,
                     arena_printf(&run->arena,
                                  "the plan was made under configuration %s, %s runs under %s",
                                  command->config_hash,
                                  run->worker->service->instance,
                                  hash));
        return false;
    }
    return true;
}

/* A handler that stopped says CANCELLED; why it had to is known here. */
static void judge(struct run *run, const struct error *error)
{
    Pb__TaskFinished *const result = run->task.result;

    run->answered = true;
    if (result->outcome == PB__OUTCOME__OUTCOME_UNSPECIFIED) {
        answer_error(run, error->text[0] != '\0' ? error->text : "it ended without an outcome");
    } else if (result->outcome == PB__OUTCOME__OUTCOME_CANCELLED &&
               !atomic_load(&run->cancelled)) {
        if (is_late(run, 0))
            answer_error(run, "its deadline has passed");
        else
            run->silent = true;
    }
}

static void run_step(struct run *run, const struct worker_ports *ports)
{
    struct error error = { 0 };
    enum worker_step step;

    if (!may_begin(run))
        return;
    arena_reset(ports->scratch);
    run->told = atomic_load(&run->cancelled);
    run->told_to_stop = false;
    run->task.wake_ms = worker_now_ms(run->worker);
    step = run->handler->step(ports, &run->task, &error);
    if (run->handler->looks && run->told_to_stop) {
        /* What it saw may have been cut off: that must not pass for an answer. */
        run->task.result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
        step = WORKER_DONE;
    }
    if (step == WORKER_DONE)
        judge(run, &error);
    else if (is_late(run, OVERTIME_MS))
        answer_error(run, "its deadline has passed, and it did not stop");
}

static void count_finished(const struct run *run)
{
    static const char *const names[] = { "unset", "ok", "failed", "cancelled", "error" };
    const struct worker *const worker = run->worker;
    const unsigned outcome = (unsigned)run->task.result->outcome;

    worker_count(worker,
                 "slipway_tasks_finished_total",
                 "outcome",
                 outcome < sizeof names / sizeof names[0] ? names[outcome] : "other");
    worker->service->metrics.observe_ms(worker->service->metrics.self,
                                        "slipway_task_duration_seconds",
                                        "",
                                        "",
                                        worker_now_ms(worker) - run->task.started_ms);
}

static void run_crash_point(const struct run *run, enum crash_place place)
{
    crash_point(run->worker->service->crash, place, worker_in_hand(run->task.command));
}

/* What is left to do after the last step. Killed anywhere in here, the lease ends, and the log
 * decides by what it has: a result makes the loss stale. True when nothing is left; else
 * *ret_due_ms is set. */
static bool run_settle(struct run *run, const struct worker_ports *ports, int64_t *ret_due_ms)
{
    const int64_t now_ms = worker_now_ms(run->worker);
    struct error error = { 0 };

    if (run->silent) {
        lease_release(run, ports->store);
        return true;
    }
    if (!run->published) {
        if (report_finished(run, &error) != ERR_OK) {
            worker_count(run->worker, "slipway_reports_failed_total", "", "");
            *ret_due_ms = now_ms + REPORT_AGAIN_MS;
            return false;
        }
        run_crash_point(run, CRASH_WORKER_AFTER_REPORT);
        run->published = true;
        lease_stop_keeping(run);
        count_finished(run);
    }
    *ret_due_ms = now_ms + MARK_AGAIN_MS;
    if (lease_done(run, ports->store) == LEASE_UNKNOWN && ++run->mark_tries < MARK_TRIES)
        return false;
    run_crash_point(run, CRASH_WORKER_AFTER_MARK);
    return true;
}

static bool run_turn(struct run *run, const struct worker_ports *ports, int64_t *ret_due_ms)
{
    if (atomic_load(&run->lost))
        return true;
    if (!run->answered && lease_age_ms(run) >= WORKER_LEASE_MS) {
        worker_count(run->worker, "slipway_leases_lost_total", "", "");
        return true;
    }
    if (!run->answered && lease_age_ms(run) >= WORKER_DOUBT_MS) {
        *ret_due_ms = worker_now_ms(run->worker) + DOUBT_AGAIN_MS;
        return false;
    }
    if (!run->answered) {
        run_crash_point(run, CRASH_WORKER_BEFORE_STEP);
        run_step(run, ports);
        run_crash_point(run, CRASH_WORKER_AFTER_STEP);
    }
    if (!run->answered) {
        *ret_due_ms = run->task.wake_ms;
        return false;
    }
    return atomic_load(&run->lost) || run_settle(run, ports, ret_due_ms);
}

/* With the lock: what is due first, or NULL. Inline (round > 0), each task once a round. */
static struct run *next_due(struct worker *worker, uint64_t round)
{
    const int64_t now_ms = worker_now_ms(worker);
    struct run *first = NULL;

    for (struct run *run = worker->runs; run != NULL; run = run->next) {
        const bool waits =
            run->stepping || run->due_ms > now_ms || (round > 0 && run->round == round) ||
            (atomic_load(&worker->draining) && !run->answered && !atomic_load(&run->lost));

        if (!waits && (first == NULL || run->due_ms < first->due_ms))
            first = run;
    }
    return first;
}

bool worker_has_due(struct worker *worker)
{
    return next_due(worker, 0) != NULL;
}

bool worker_step_one(struct worker *worker, const struct worker_ports *ports, uint64_t round)
{
    struct run *run;
    int64_t due_ms = 0;
    bool over;

    (void)pthread_mutex_lock(&worker->lock);
    run = next_due(worker, round);
    if (run != NULL) {
        run->stepping = true;
        run->round = round;
    }
    (void)pthread_mutex_unlock(&worker->lock);
    if (run == NULL)
        return false;
    over = run_turn(run, ports, &due_ms);
    (void)pthread_mutex_lock(&worker->lock);
    if (over) {
        run_remove(run); /* Still stepping: while the removal waits, nobody else may take it. */
    } else {
        run->stepping = false;
        /* A cancellation that came while it was at work is not made to wait. */
        run->due_ms = atomic_load(&run->cancelled) && !run->told && !run->answered ? 0 : due_ms;
    }
    (void)pthread_cond_broadcast(&worker->changed);
    (void)pthread_mutex_unlock(&worker->lock);
    return true;
}
