#include "services/monitor/watch_run.h"

#include "common/state/keys.h"
#include "services/monitor/once.h"
#include "services/monitor/publish.h"

#include <string.h>

enum {
    SCRATCH_MAX = 64 * 1024 * 1024, /* The pages of one round. */
    FLUSH_MS = 10 * 1000,
    HOUR_MS = 60 * 60 * 1000,
    SERIES_KEPT_DAYS = 30,
};

static const char *memory_key(const struct worker_ports *ports,
                              struct arena *arena,
                              const char *task)
{
    return keys_global(arena, ports->service->settings->redis.prefix, "watch:", task);
}

static const char *series_key(const struct worker_ports *ports,
                              struct arena *arena,
                              const char *deployment)
{
    return keys_global(arena, ports->service->settings->redis.prefix, "samples:", deployment);
}

/* What Redis holds under that key, or NULL. It is a convenience: without it a watch begins
 * anew. */
static void *recall(const struct worker_ports *ports,
                    struct arena *arena,
                    const char *key,
                    const ProtobufCMessageDescriptor *type)
{
    const struct store *const store = &ports->store;
    struct store_value value = { 0 };
    struct error ignored = { 0 };
    void *message = NULL;

    if (store->get(store->self, arena, key, &value, &ignored) != ERR_OK || value.bytes == NULL)
        return NULL;
    return pb_unpack(arena,
                     type,
                     (struct pb_bytes){ (const uint8_t *)value.bytes, value.length },
                     &message,
                     &ignored) == ERR_OK
               ? message
               : NULL;
}

static struct watch_run *begin(const struct worker_ports *ports, struct worker_task *task)
{
    struct watch_run *const run = arena_alloc(task->arena, sizeof *run);
    const Pb__Command *const command = task->command;
    struct arena scratch = arena_with_limit(SCRATCH_MAX);
    size_t count;

    run->watch = watch_begin(task->arena,
                             command->watch,
                             recall(ports,
                                    &scratch,
                                    memory_key(ports, &scratch, command->task),
                                    &pb__watch_memory__descriptor),
                             clock_now_ms(ports->service->clock));
    run->series = series_new(task->arena,
                             recall(ports,
                                    &scratch,
                                    series_key(ports, &scratch, command->deployment),
                                    &pb__deployment_series__descriptor));
    count = run->watch->count;
    run->memories = arena_alloc(task->arena, (count + 1) * sizeof(struct metric_memory *));
    run->incidents = arena_alloc(task->arena, (count + 1) * sizeof *run->incidents);
    for (size_t i = 0; i < count; i++) {
        if (run->watch->checks[i].by == WATCHED_METRIC)
            run->memories[i] = arena_alloc(task->arena, sizeof **run->memories);
    }
    arena_release(&scratch);
    task->memory = run;
    return run;
}

/* Every check that this round wants. */
static void look_around(const struct worker_ports *ports,
                        struct worker_task *task,
                        struct arena *scratch)
{
    struct watch_run *const run = task->memory;
    const int64_t now_ms = clock_now_ms(ports->service->clock);
    struct once once = { .inner = ports->http, .arena = scratch };
    struct driver_env env = worker_driver_env(ports, task, scratch);

    env.http = once_client(&once);
    for (size_t i = 0; i < run->watch->count && !task->stopped(task); i++) {
        if (watch_wants(run->watch, i, now_ms))
            watch_look_at(&env, ports, task, i);
    }
}

static void watch_crash_point(const struct worker_ports *ports,
                              const struct worker_task *task,
                              enum crash_place place)
{
    crash_point(ports->service->crash, place, worker_in_hand(task->command));
}

/* An incident that cannot be handed to the bus must not be forgotten: the round is an error,
 * and the next drive sees the breach again. */
static enum err report_incidents(const struct worker_ports *ports,
                                 struct worker_task *task,
                                 struct arena *scratch,
                                 struct error *error)
{
    struct watch_run *const run = task->memory;
    const size_t count = watch_incidents(run->watch, run->incidents);
    enum err err;

    for (size_t i = 0; i < count; i++) {
        const struct watch_incident *const found = &run->incidents[i];
        Pb__IncidentReported incident = PB__INCIDENT_REPORTED__INIT;
        struct incident_fact fact = { .deployment = task->command->deployment,
                                      .feature = task->command->feature };

        incident.cause = found->cause;
        incident.severity = found->severity;
        incident.open = found->open;
        incident.count = 1;
        incident.summary = arena_printf(
            scratch, "%s: %s", found->check->spec->id, found->check->last.observed);
        fact.id = arena_printf(scratch,
                               "watch.%s.%u.%s.%u.%s",
                               task->command->task,
                               task->command->drive,
                               found->cause,
                               found->number,
                               found->open ? "open" : "over");
        fact.incident = &incident;
        err = publish_incident(ports->service, &fact, error);
        if (err != ERR_OK)
            return err;
    }
    if (count == 0)
        return ERR_OK;
    err = ports->service->bus.flush(ports->service->bus.self, FLUSH_MS, error);
    watch_crash_point(ports, task, CRASH_WATCH_AFTER_INCIDENT);
    return err;
}

static void tell_progress(struct worker_task *task, struct arena *scratch, int64_t now_ms)
{
    const struct watch_run *const run = task->memory;
    Pb__TaskProgress progress = PB__TASK_PROGRESS__INIT;

    progress.task = task->command->task;
    progress.drive = task->command->drive;
    progress.samples = watch_samples(run->watch);
    progress.active = run->watch->active;
    progress.n_findings = watch_findings(run->watch, scratch, now_ms, &progress.findings);
    task->progress(task, &progress);
}

/* For the next drive and for people. Redis may be away: then they go without. */
static void keep(const struct worker_ports *ports,
                 const struct worker_task *task,
                 struct arena *scratch,
                 bool over)
{
    const struct watch_run *const run = task->memory;
    const Pb__Command *const command = task->command;
    const struct pb_bytes memory =
        pb_pack(scratch, watch_remember(run->watch, scratch, command->task));
    const struct pb_bytes series = pb_pack(
        scratch,
        series_message(
            run->series, scratch, command->deployment, command->watch->sample_every_ms));
    const struct store_op ops[] = {
        { .kind = over ? STORE_DELETE : STORE_SET_EXPIRES,
          .key = memory_key(ports, scratch, command->task),
          .value = { (const char *)memory.bytes, memory.length },
          .score = command->watch->max_ms + HOUR_MS },
        { .kind = STORE_SET_EXPIRES,
          .key = series_key(ports, scratch, command->deployment),
          .value = { (const char *)series.bytes, series.length },
          .score = (int64_t)SERIES_KEPT_DAYS * 24 * HOUR_MS },
    };
    const struct store_batch batch = { .ops = ops, .op_count = sizeof ops / sizeof ops[0] };
    struct error ignored = { 0 };

    if (ports->store.commit(ports->store.self, &batch, &ignored) != ERR_OK)
        ports->service->metrics.add(
            ports->service->metrics.self, "slipway_watch_not_kept_total", "", "", 1);
}

static void conclude(struct worker_task *task, int64_t now_ms)
{
    const struct watch_run *const run = task->memory;
    Pb__TaskFinished *const result = task->result;

    result->n_findings = watch_findings(run->watch, task->arena, now_ms, &result->findings);
    result->samples = watch_samples(run->watch);
    result->coverage_bp = watch_coverage_bp(run->watch, now_ms);
    result->outcome = PB__OUTCOME__OUTCOME_OK;
}

/* One round. */
static enum worker_step take_round(const struct worker_ports *ports,
                                   struct worker_task *task,
                                   struct arena *scratch,
                                   struct error *error)
{
    struct watch_run *const run = task->memory;
    struct watch_decision decision;
    int64_t now_ms;

    look_around(ports, task, scratch);
    if (task->stopped(task)) {
        task->result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
        return WORKER_DONE;
    }
    now_ms = clock_now_ms(ports->service->clock);
    decision = watch_round_over(run->watch, now_ms);
    if (report_incidents(ports, task, scratch, error) != ERR_OK)
        return WORKER_DONE;
    keep(ports, task, scratch, decision.over);
    watch_crash_point(ports, task, CRASH_WATCH_AFTER_KEEP);
    if (!decision.over) {
        tell_progress(task, scratch, now_ms);
        task->wake_ms = decision.wake_ms;
        return WORKER_AGAIN;
    }
    conclude(task, now_ms);
    return WORKER_DONE;
}

enum worker_step watch_step(const struct worker_ports *ports,
                            struct worker_task *task,
                            struct error *error)
{
    struct arena scratch = arena_with_limit(SCRATCH_MAX);
    enum worker_step step;

    if (task->memory == NULL)
        (void)begin(ports, task);
    step = take_round(ports, task, &scratch, error);
    arena_release(&scratch);
    return step;
}
