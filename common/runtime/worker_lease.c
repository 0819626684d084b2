#include "common/runtime/worker_internal.h"
#include "common/state/keys.h"

#include <inttypes.h>
#include <string.h>

enum { KEEP_AGAIN_MS = 1000, MEMORY_MAX = 1024 * 1024 };

static struct store_value value_of(const char *text)
{
    return (struct store_value){ .bytes = text, .length = strlen(text) };
}

static struct store_op set(const struct run *run, const char *field, const char *value)
{
    return (struct store_op){
        .kind = STORE_HASH_SET, .key = run->key, .field = field, .value = value_of(value)
    };
}

static struct store_op index_until(const struct run *run, int64_t until_ms)
{
    return (struct store_op){ .kind = STORE_SORTED_ADD,
                              .key = run->leases,
                              .field = run->task.command->task,
                              .score = until_ms };
}

/* The coordinator has found the log where Redis had nothing, and knows that somebody may be at
 * work on this drive: it is us. Nobody else ever was, for a drive is claimed once. */
static enum err adopt(const struct run *run,
                      struct store store,
                      int64_t until_ms,
                      struct error *error)
{
    struct arena arena = arena_with_limit(MEMORY_MAX);
    const struct store_guard guards[] = {
        { run->key, "owner", TASK_OWNER_UNKNOWN },
        { run->key, "drive", run->drive },
    };
    const struct store_op ops[] = {
        set(run, "owner", run->worker->owner),
        set(run, "lease_until", arena_printf(&arena, "%" PRId64, until_ms)),
        index_until(run, until_ms),
    };
    const struct store_batch batch = {
        .guards = guards, .guard_count = 2, .ops = ops, .op_count = 3
    };
    const enum err err = store.commit(store.self, &batch, error);

    arena_release(&arena);
    return err;
}

/* The owner's word on the record, in one commit. state NULL: as it is. */
static enum err write_as_owner(const struct run *run,
                               struct store store,
                               int64_t until_ms,
                               const char *state,
                               struct error *error)
{
    struct arena arena = arena_with_limit(MEMORY_MAX);
    const struct store_guard guards[] = {
        { run->key, "owner", run->worker->owner },
        { run->key, "drive", run->drive },
    };
    const struct store_op ops[] = {
        set(run, "lease_until", arena_printf(&arena, "%" PRId64, until_ms)),
        index_until(run, until_ms),
        set(run, "state", state != NULL ? state : ""),
    };
    const struct store_batch batch = {
        .guards = guards, .guard_count = 2, .ops = ops, .op_count = state != NULL ? 3 : 2
    };
    const enum err err = store.commit(store.self, &batch, error);

    arena_release(&arena);
    return err;
}

/* The record's field; "" if it cannot be read. */
static const char *field_of(const struct run *run,
                            struct store store,
                            struct arena *arena,
                            const char *field)
{
    struct store_value value = { 0 };
    struct error ignored = { 0 };

    if (store.hash_get(store.self, arena, run->key, field, &value, &ignored) != ERR_OK)
        return "";
    return value.bytes != NULL ? value.bytes : "";
}

/* What a commit without an answer has done shows in the record. */
static enum lease_answer answer_of(const struct run *run, struct store store, enum err err)
{
    struct arena arena = arena_with_limit(MEMORY_MAX);
    bool ours = err == ERR_OK;

    if (err == ERR_TIMED_OUT)
        ours = strcmp(field_of(run, store, &arena, "owner"), run->worker->owner) == 0 &&
               strcmp(field_of(run, store, &arena, "drive"), run->drive) == 0;
    arena_release(&arena);
    if (ours)
        return LEASE_OURS;
    return err == ERR_CONFLICT ? LEASE_NOT_OURS : LEASE_UNKNOWN;
}

/* What must be so for a claim. */
struct guarded {
    const struct store_guard *by;
    size_t count;
    const char *run; /* Of the server; NULL: of any. */
};

static enum lease_answer take(struct run *run,
                              struct store store,
                              struct guarded guarded,
                              const char *state)
{
    struct arena arena = arena_with_limit(MEMORY_MAX);
    const int64_t asked_ms = worker_monotonic_ms(run->worker);
    const int64_t until_ms = worker_now_ms(run->worker) + WORKER_LEASE_MS;
    const struct store_op ops[] = {
        set(run, "state", state),
        set(run, "owner", run->worker->owner),
        set(run, "lease_until", arena_printf(&arena, "%" PRId64, until_ms)),
        index_until(run, until_ms),
    };
    const struct store_batch batch = { .guards = guarded.by,
                                       .guard_count = guarded.count,
                                       .run = guarded.run,
                                       .ops = ops,
                                       .op_count = 4 };
    struct error error = { 0 };
    const enum err err = store.commit(store.self, &batch, &error);

    arena_release(&arena);
    atomic_store(&run->renewed_ms, asked_ms);
    run->keep_ms = asked_ms + WORKER_RENEW_MS;
    return answer_of(run, store, err);
}

/* Why the record did not let itself be claimed, in one of few words. */
static const char *why_not(struct run *run, struct store store)
{
    struct arena arena = arena_with_limit(MEMORY_MAX);
    const char *const state = field_of(run, store, &arena, "state");
    const char *const drive = field_of(run, store, &arena, "drive");
    const char *why = "taken";

    if (state[0] == '\0')
        why = "gone";
    else if (strcmp(drive, run->drive) != 0)
        why = "other drive";
    arena_release(&arena);
    return why;
}

/* The run of the server that the coordinator had before it when it said so; NULL: unknown. */
static const char *ready_run(const char *ready)
{
    const char *const dot = ready != NULL ? strchr(ready, READY_RUN) : NULL;

    return dot != NULL && dot[1] != '\0' ? dot + 1 : NULL;
}

static bool is_that_run(struct store store, const char *run)
{
    struct error ignored = { 0 };
    const char *now = "";

    return run == NULL ||
           (store.run(store.self, &now, &ignored) == ERR_OK && strcmp(now, run) == 0);
}

enum lease_answer lease_claim(struct run *run, struct store store, const char **ret_why)
{
    struct worker *const worker = run->worker;
    const struct settings *const settings = worker->service->settings;
    const char *const log =
        KEY_LOG(&run->arena,
                bus_partition(run->task.command->feature, (int32_t)settings->kafka.partitions),
                settings->redis.prefix);
    struct store_value ready = { 0 };
    struct error error = { 0 };
    enum lease_answer answer;

    /* While the coordinator folds what Redis may have lost, its records are not to be believed;
     * neither are those of a replica that has just been promoted, or of a Redis that was
     * started again. It sends the commands again afterwards. */
    if (store.hash_get(store.self, &run->arena, log, "ready", &ready, &error) != ERR_OK)
        return LEASE_UNKNOWN;
    *ret_why = "catching up";
    if (ready.bytes != NULL && ready.length == 0)
        return LEASE_NOT_OURS;
    answer = take(
        run,
        store,
        (struct guarded){ (const struct store_guard[]){ { log, "ready", ready.bytes },
                                                        { run->key, "state", "PENDING" },
                                                        { run->key, "drive", run->drive } },
                          3,
                          ready_run(ready.bytes) },
        "CLAIMED");
    if (answer == LEASE_NOT_OURS && is_that_run(store, ready_run(ready.bytes)))
        *ret_why = why_not(run, store);
    return answer;
}

enum lease_answer lease_claim_cancelled(struct run *run, struct store store)
{
    return take(
        run,
        store,
        (struct guarded){ (const struct store_guard[]){ { run->key, "state", "CANCELLING" },
                                                        { run->key, "drive", run->drive },
                                                        { run->key, "owner", NULL } },
                          3,
                          NULL },
        "CANCELLING");
}

/* There is no record because Redis was emptied, and the coordinator has not said since that
 * what it holds is to be believed. */
static bool is_forgotten(const struct run *run, struct store store, struct arena *arena)
{
    const struct settings *const settings = run->worker->service->settings;
    const char *const log =
        KEY_LOG(arena,
                bus_partition(run->task.command->feature, (int32_t)settings->kafka.partitions),
                settings->redis.prefix);
    struct store_value ready = { 0 };
    struct error ignored = { 0 };

    return field_of(run, store, arena, "state")[0] == '\0' &&
           (store.hash_get(store.self, arena, log, "ready", &ready, &ignored) != ERR_OK ||
            ready.bytes == NULL || ready.length == 0);
}

/* What it means that the record is not under our name. ERR_OK: it is again; ERR_CONFLICT: it is
 * somebody else's, or given up; otherwise it cannot be told yet. */
static enum err look_again(const struct run *run,
                           struct store store,
                           int64_t until_ms,
                           struct error *error)
{
    struct arena arena = arena_with_limit(MEMORY_MAX);
    const bool forgotten = is_forgotten(run, store, &arena);
    const enum err err = forgotten ? ERR_UNAVAILABLE : adopt(run, store, until_ms, error);

    arena_release(&arena);
    return err;
}

void lease_renew(struct run *run, struct store store)
{
    struct worker *const worker = run->worker;
    const int64_t asked_ms = worker_monotonic_ms(worker);
    struct arena arena = arena_with_limit(MEMORY_MAX);
    struct error error = { 0 };
    const int64_t until_ms = worker_now_ms(worker) + WORKER_LEASE_MS;
    enum err err = write_as_owner(run, store, until_ms, NULL, &error);

    if (err == ERR_CONFLICT)
        err = look_again(run, store, until_ms, &error);
    if (err == ERR_OK) {
        atomic_store(&run->renewed_ms, asked_ms);
        if (strcmp(field_of(run, store, &arena, "state"), "CANCELLING") == 0)
            atomic_store(&run->cancelled, true);
    } else if (err == ERR_CONFLICT) {
        atomic_store(&run->lost, true);
        worker_count(worker, "slipway_leases_lost_total", "", "");
        LOG(worker->service->log,
            LOG_WARNING,
            "lease lost: the task is somebody else's, or its record is gone",
            { "task", run->task.command->task },
            { "drive", run->drive });
    } else {
        worker_count(worker, "slipway_lease_renewals_failed_total", "", "");
    }
    arena_release(&arena);
}

void lease_stop_keeping(struct run *run)
{
    struct worker *const worker = run->worker;

    (void)pthread_mutex_lock(&worker->lock);
    while (run->keeping)
        (void)pthread_cond_wait(&worker->changed, &worker->lock);
    run->keep_ms = INT64_MAX;
    (void)pthread_mutex_unlock(&worker->lock);
}

void lease_release(struct run *run, struct store store)
{
    struct error error = { 0 };

    lease_stop_keeping(run);

    /* What cannot be released ends by itself. */
    if (!atomic_load(&run->lost) && write_as_owner(run, store, 0, NULL, &error) == ERR_OK)
        LOG(run->worker->service->log,
            LOG_INFO,
            "task handed back",
            { "task", run->task.command->task },
            { "drive", run->drive });
}

enum lease_answer lease_done(struct run *run, struct store store)
{
    const struct store_guard guards[] = {
        { run->key, "owner", run->worker->owner },
        { run->key, "drive", run->drive },
    };
    const struct store_op ops[] = {
        set(run, "state", "DONE"),
        { .kind = STORE_SORTED_REMOVE, .key = run->leases, .field = run->task.command->task },
    };
    const struct store_batch batch = {
        .guards = guards, .guard_count = 2, .ops = ops, .op_count = 2
    };
    struct error error = { 0 };
    const enum err err = store.commit(store.self, &batch, &error);

    if (err == ERR_OK)
        return LEASE_OURS;
    return err == ERR_CONFLICT ? LEASE_NOT_OURS : LEASE_UNKNOWN;
}

/* With the lock: a task whose lease is to be renewed now, or NULL. */
static struct run *next_to_keep(struct worker *worker, int64_t now_ms)
{
    for (struct run *run = worker->runs; run != NULL; run = run->next) {
        if (!run->keeping && !atomic_load(&run->lost) && now_ms >= run->keep_ms)
            return run;
    }
    return NULL;
}

void leases_keep(struct worker *worker, struct store store)
{
    struct run *run;

    (void)pthread_mutex_lock(&worker->lock);
    while ((run = next_to_keep(worker, worker_monotonic_ms(worker))) != NULL) {
        const bool was_cancelled = atomic_load(&run->cancelled);

        run->keeping = true;
        (void)pthread_mutex_unlock(&worker->lock);
        lease_renew(run, store);
        (void)pthread_mutex_lock(&worker->lock);
        run->keeping = false;
        run->keep_ms = atomic_load(&run->renewed_ms) + WORKER_RENEW_MS;
        if (run->keep_ms <= worker_monotonic_ms(worker))
            run->keep_ms = worker_monotonic_ms(worker) + KEEP_AGAIN_MS;
        if (atomic_load(&run->lost) || (!was_cancelled && atomic_load(&run->cancelled)))
            run->due_ms = 0;
        (void)pthread_cond_broadcast(&worker->changed);
    }
    (void)pthread_mutex_unlock(&worker->lock);
}
