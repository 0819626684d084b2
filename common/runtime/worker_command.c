#include "common/runtime/dead_letter.h"
#include "common/runtime/worker_internal.h"
#include "common/state/keys.h"

#include <inttypes.h>
#include <string.h>

enum { FULL_AGAIN_MS = 250, STORE_AGAIN_MS = 1000 };

static const char *const writers[] = { "coordinator", NULL };

static enum err command_check(const Pb__Command *command, struct error *error)
{
    if (command->deployment[0] == '\0' || command->feature[0] == '\0')
        return error_set(error, ERR_INVALID, "deployment or feature is missing");
    if (command->body_case == PB__COMMAND__BODY_CANCEL) {
        if (command->cancel->task[0] == '\0')
            return error_set(error, ERR_INVALID, "cancel.task is missing");
    } else if (command->task[0] == '\0' || command->body_case == PB__COMMAND__BODY__NOT_SET) {
        return error_set(error, ERR_INVALID, "task or body is missing");
    }
    return ERR_OK;
}

/* The command of the record, believed. */
static enum err read_command(struct run *run,
                             const struct bus_record *record,
                             struct error *error)
{
    const struct service_ports *const service = run->worker->service;
    struct envelope envelope;
    void *message = NULL;
    enum err err = envelope_open(&run->arena, record, &envelope, error);

    if (err == ERR_OK)
        err = envelope_verify(service->keys, record, writers, error);
    if (err == ERR_OK && strcmp(envelope.type, pb__command__descriptor.name) != 0)
        err = error_set(error, ERR_INVALID, "ce_type is %.64s", envelope.type);
    if (err == ERR_OK)
        err = pb_unpack(&run->arena,
                        &pb__command__descriptor,
                        (struct pb_bytes){ record->bytes, record->length },
                        &message,
                        error);
    if (err == ERR_OK)
        err = command_check(message, error);
    if (err != ERR_OK)
        return err;
    run->task.command = message;
    run->worker->in_hand = worker_in_hand(message);
    run->traceparent = envelope.traceparent;
    return ERR_OK;
}

static const struct worker_handler *handler_of(const struct worker *worker,
                                               Pb__Command__BodyCase body)
{
    for (size_t i = 0; i < worker->spec->handler_count; i++) {
        if (worker->spec->handlers[i].body == body)
            return &worker->spec->handlers[i];
    }
    return NULL;
}

/* Everything about the task that its command says. task: of a Cancel, the one it is about. */
static void run_prepare(struct run *run, const char *task)
{
    const struct settings *const settings = run->worker->service->settings;
    const Pb__Command *const command = run->task.command;
    const int32_t partition =
        bus_partition(command->feature, (int32_t)settings->kafka.partitions);

    run->key = KEY_TASK(&run->arena, partition, settings->redis.prefix, task);
    run->leases = KEY_LEASES(&run->arena, partition, settings->redis.prefix);
    run->drive = arena_printf(&run->arena, "%" PRIu32, command->drive);
    run->handler = handler_of(run->worker, command->body_case);
    run->task.started_ms = worker_now_ms(run->worker);
    run->task.result = pb_new(&run->task_arena, &pb__task_finished__descriptor);
    run->task.result->task = arena_text(&run->task_arena, task);
    run->task.result->drive = command->drive;
}

static void drop(struct worker *worker, const Pb__Command *command, const char *why)
{
    worker_count(worker, "slipway_commands_dropped_total", "reason", why);
    LOG(worker->service->log,
        LOG_DEBUG,
        "command dropped",
        { "task", command->task },
        { "reason", why });
}

static enum command_fate retry(struct worker *worker, int after_ms)
{
    worker->pause_until_ms = worker_monotonic_ms(worker) + after_ms;
    return COMMAND_RETRY;
}

/* A task of ours is told to stop. True if it is one. */
static bool cancel_running(struct worker *worker, const char *task, uint32_t drive)
{
    bool found = false;

    (void)pthread_mutex_lock(&worker->lock);
    for (struct run *run = worker->runs; run != NULL; run = run->next) {
        if (strcmp(run->task.command->task, task) == 0 && run->task.command->drive == drive) {
            atomic_store(&run->cancelled, true);
            if (!run->stepping && !run->answered)
                run->due_ms = 0;
            found = true;
        }
    }
    (void)pthread_mutex_unlock(&worker->lock);
    if (found)
        worker_pool_wake(worker);
    return found;
}

/* The one thing said about a task that was cancelled before anybody began. */
static void become_cancelled(struct run *run, const char *task)
{
    Pb__Command *const command = pb_clone(&run->arena, run->task.command);

    command->task = task;
    run->task.command = command;
    run->task.result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
    run->answered = true;
    atomic_store(&run->cancelled, true);
}

/* Takes the run over, or frees it. */
static enum command_fate take_cancel(struct run *run)
{
    struct worker *const worker = run->worker;
    const Pb__Command *const command = run->task.command;
    const char *const task = command->cancel->task;
    enum lease_answer answer;

    if (cancel_running(worker, task, command->drive)) {
        run_free(run);
        return COMMAND_SETTLED;
    }
    run_prepare(run, task);
    become_cancelled(run, task);
    answer = lease_claim_cancelled(run, worker->ports.store);
    if (answer == LEASE_OURS) {
        run_add(run);
        worker_pool_wake(worker);
        return COMMAND_SETTLED;
    }
    if (answer == LEASE_NOT_OURS)
        drop(worker, run->task.command, "cancelled elsewhere");
    run_free(run);
    return answer == LEASE_NOT_OURS ? COMMAND_SETTLED : retry(worker, STORE_AGAIN_MS);
}

static bool is_full(struct worker *worker)
{
    bool full;

    (void)pthread_mutex_lock(&worker->lock);
    full = worker->run_count >= worker->tasks_max;
    (void)pthread_mutex_unlock(&worker->lock);
    return full;
}

/* Takes the run over, or frees it. Killed after the claim: nobody renews the lease, it ends,
 * and the coordinator drives the task again. */
static enum command_fate take_task(struct run *run)
{
    struct worker *const worker = run->worker;
    const char *why = "";
    enum lease_answer answer;

    if (is_full(worker)) {
        run_free(run);
        return retry(worker, FULL_AGAIN_MS);
    }
    run_prepare(run, run->task.command->task);
    answer = lease_claim(run, worker->ports.store, &why);
    if (answer == LEASE_OURS) {
        worker_count(worker, "slipway_tasks_claimed_total", "", "");
        LOG(worker->service->log,
            LOG_INFO,
            "task claimed",
            { "task", run->task.command->task },
            { "drive", run->drive });
        report_started(run);
        run_add(run);
        crash_point(worker->service->crash, CRASH_WORKER_AFTER_CLAIM, worker->in_hand);
        worker_pool_wake(worker);
        return COMMAND_SETTLED;
    }
    if (answer == LEASE_NOT_OURS)
        drop(worker, run->task.command, why);
    run_free(run);
    return answer == LEASE_NOT_OURS ? COMMAND_SETTLED : retry(worker, STORE_AGAIN_MS);
}

static enum command_fate put_aside(struct worker *worker,
                                   const struct bus_record *record,
                                   enum err err,
                                   struct error *error)
{
    const struct error reason = *error;
    const struct dead_letter letter = {
        .reason = reason.text,
        .fix = err == ERR_DENIED
                   ? "only the coordinator writes commands; if it did, its key here "
                     "(security.keys) is not the one it signs with"
                   : NULL,
        .attempts = 1,
    };

    if (dead_letter_publish(worker->service, record, &letter, error) == ERR_OK) {
        crash_point(worker->service->crash, CRASH_WORKER_AFTER_LETTER, 0);
        return COMMAND_SETTLED;
    }
    return retry(worker, STORE_AGAIN_MS);
}

enum command_fate worker_take(struct worker *worker,
                              const struct bus_record *record,
                              struct error *error)
{
    struct run *const run = run_new(worker);
    const enum err err = read_command(run, record, error);

    if (err != ERR_OK) {
        run_free(run);
        return put_aside(worker, record, err, error);
    }
    if (run->task.command->body_case == PB__COMMAND__BODY_CANCEL)
        return take_cancel(run);
    return take_task(run);
}
