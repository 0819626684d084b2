#include "common/runtime/worker_internal.h"
#include "common/wire/topics.h"

#include <inttypes.h>

enum { MEMORY_MAX = 4 * 1024 * 1024, FLUSH_MS = 5000, PROGRESS_EVERY_MS = 1000 };

static Pb__Event *event_of(struct arena *arena, const struct run *run)
{
    Pb__Event *const event = pb_new(arena, &pb__event__descriptor);

    event->deployment = run->task.command->deployment;
    event->feature = run->task.command->feature;
    return event;
}

/* The same word about the same drive has the same id, so a repetition is recognised. */
static enum err report(struct run *run,
                       struct arena *arena,
                       const char *what,
                       Pb__Event *event,
                       struct error *error)
{
    const struct service_ports *const service = run->worker->service;
    const Pb__Command *const command = run->task.command;
    const struct envelope envelope = {
        .id = arena_printf(arena, "%s/%" PRIu32 "/%s", command->task, command->drive, what),
        .source = run->worker->source,
        .subject = command->deployment,
        .traceparent = run->traceparent,
        .writer = service->service,
        .time_ms = clock_now_ms(service->clock),
    };
    const struct envelope_out out = {
        .topic = TOPIC_EVENTS, .key = command->feature, .message = &event->base, .sign = true
    };
    struct bus_record record;
    enum err err;

    /* What a machine answered may be any bytes; a record holds text. */
    pb_clean(&run->arena, event);
    event_fit(arena, event);
    err = envelope_seal(arena, service->keys, &envelope, &out, &record, error);
    if (err != ERR_OK)
        return err;
    record.partition =
        bus_partition(command->feature, (int32_t)service->settings->kafka.partitions);
    return service->bus.publish(service->bus.self, &record, error);
}

void report_started(struct run *run)
{
    struct arena arena = arena_with_limit(MEMORY_MAX);
    Pb__Event *const event = event_of(&arena, run);
    Pb__TaskStarted *const started = pb_new(&arena, &pb__task_started__descriptor);
    struct error error = { 0 };

    started->task = run->task.command->task;
    started->drive = run->task.command->drive;
    started->instance = run->worker->service->instance;
    event->body_case = PB__EVENT__BODY_TASK_STARTED;
    event->task_started = started;
    /* Nothing depends on it: it is for people who watch. */
    if (report(run, &arena, "started", event, &error) != ERR_OK)
        LOG(run->worker->service->log,
            LOG_WARNING,
            "start of a task not reported",
            { "task", run->task.command->task },
            { "error", error.text });
    arena_release(&arena);
}

/* The first word that a watch is active matters to others; the rest is for people. */
static bool may_tell(struct run *run, const Pb__TaskProgress *progress)
{
    const int64_t now_ms = worker_monotonic_ms(run->worker);
    const bool first_active = progress->active && !run->said_active;

    if (!first_active && run->progress_ms != INT64_MIN &&
        now_ms - run->progress_ms < PROGRESS_EVERY_MS)
        return false;
    run->progress_ms = now_ms;
    run->said_active = run->said_active || progress->active;
    return true;
}

void report_progress(struct worker_task *task, const Pb__TaskProgress *progress)
{
    struct run *const run = task->runtime;
    struct arena arena = arena_with_limit(MEMORY_MAX);
    Pb__Event *event;
    Pb__TaskProgress *copy;
    struct error error = { 0 };

    if (!may_tell(run, progress))
        return;
    event = event_of(&arena, run);
    copy = pb_new(&arena, &pb__task_progress__descriptor);
    *copy = *progress;
    copy->task = task->command->task;
    copy->drive = task->command->drive;
    event->body_case = PB__EVENT__BODY_TASK_PROGRESS;
    event->task_progress = copy;
    if (report(run,
               &arena,
               arena_printf(&arena, "progress/%" PRIu64, ++run->progress_count),
               event,
               &error) != ERR_OK &&
        progress->active)
        run->said_active = false; /* Said again with the next. */
    arena_release(&arena);
}

static void stamp(const Pb__TaskFinished *result, int64_t now_ms)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        if (result->findings[i]->at_ms == 0)
            result->findings[i]->at_ms = now_ms;
    }
}

enum err report_finished(struct run *run, struct error *error)
{
    const struct service_ports *const service = run->worker->service;
    struct arena arena = arena_with_limit(MEMORY_MAX);
    Pb__Event *const event = event_of(&arena, run);
    enum err err;

    event->body_case = PB__EVENT__BODY_TASK_FINISHED;
    event->task_finished = run->task.result;
    stamp(run->task.result, clock_now_ms(service->clock));
    err = report(run, &arena, "finished", event, error);
    if (err == ERR_OK)
        err = service->bus.flush(service->bus.self, FLUSH_MS, error);
    LOG(service->log,
        err == ERR_OK ? LOG_INFO : LOG_WARNING,
        err == ERR_OK ? "task finished" : "result of a task not reported yet",
        { "task", run->task.command->task },
        { "drive", run->drive },
        { "outcome", pb_enum_name(&pb__outcome__descriptor, (int)run->task.result->outcome) },
        { "error", err == ERR_OK ? run->task.result->error : error->text });
    arena_release(&arena);
    return err;
}
