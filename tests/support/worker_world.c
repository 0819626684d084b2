#include "tests/support/worker_world.h"

#include "common/wire/topics.h"
#include "tests/support/test.h"

static bool never_stopped(const struct worker_task *task)
{
    return ((const struct worker_world *)task->runtime)->drivers.stop;
}

static void note_progress(struct worker_task *task, const Pb__TaskProgress *progress)
{
    struct worker_world *const world = task->runtime;

    world->progressed++;
    world->last_progress = pb_clone(&world->drivers.arena, progress);
    if (progress->active && world->active == NULL)
        world->active = world->last_progress;
}

static enum memory_fault ask_store(void *self, const char *operation, const char *object)
{
    (void)operation;
    (void)object;
    return ((const struct worker_world *)self)->store_fault;
}

static enum memory_fault ask_bus(void *self, const char *operation, const char *object)
{
    (void)object;
    return strcmp(operation, "publish") == 0
               ? ((const struct worker_world *)self)->publish_fault
               : FAULT_NONE;
}

static enum err open_store(void *self, struct store *ret, struct error *error)
{
    struct worker_world *const world = self;

    (void)error;
    *ret = memory_store(world->space, (struct memory_faults){ world, ask_store });
    return ERR_OK;
}

static enum err open_http(void *self, struct http_client *ret, struct error *error)
{
    const struct worker_world *const world = self;

    (void)error;
    *ret = memory_http_client(world->drivers.http);
    return ERR_OK;
}

static void make_keys(struct envelope_keys *keys)
{
    static const char *const writers[] = { "coordinator", "monitor", "validator" };

    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        memcpy(keys->item[i].writer, writers[i], strlen(writers[i]) + 1);
        memset(keys->item[i].key, (int)i + 1, 32);
        keys->item[i].length = 32;
        keys->count++;
    }
}

static void make_topics(const struct worker_world *world)
{
    struct bus_topic topics[TOPICS_MAX];
    struct error error = { 0 };

    assert_int_equal(world->service.bus.ensure_topics(
                         world->service.bus.self, topics, topics_all(2, topics), &error),
                     ERR_OK);
}

void worker_world_open(struct worker_world *world, const char *settings)
{
    struct clock_port clock;
    struct error error = { 0 };

    memset(world, 0, sizeof *world);
    driver_world_open(&world->drivers, settings);
    clock = world->drivers.env.clock;
    world->broker = memory_broker_new(clock);
    world->space = memory_space_new(clock);
    world->log = memory_log_new();
    world->metrics = memory_metrics_new();
    make_keys(&world->keys);
    world->service = (struct service_ports){
        .settings = world->drivers.env.settings,
        .service = "monitor",
        .instance = "monitor-1",
        .clock = clock,
        .bus = memory_bus(world->broker, (struct memory_faults){ world, ask_bus }),
        .log = memory_log_port(world->log),
        .metrics = memory_metrics_port(world->metrics),
        .process = world->drivers.env.process,
        .keys = &world->keys,
        .open_store = open_store,
        .open_http = open_http,
        .open_self = world,
    };
    make_topics(world);
    world->ports.service = &world->service;
    world->ports.http = world->drivers.env.http;
    assert_int_equal(open_store(world, &world->ports.store, &error), ERR_OK);
}

void worker_world_close(struct worker_world *world)
{
    world->ports.store.close(world->ports.store.self);
    world->service.bus.close(world->service.bus.self);
    memory_broker_free(world->broker);
    memory_space_free(world->space);
    memory_log_free(world->log);
    memory_metrics_free(world->metrics);
    arena_release(&world->task_arena);
    driver_world_close(&world->drivers);
}

Pb__Command *worker_world_command(struct worker_world *world)
{
    Pb__Command *const command = pb_new(&world->drivers.arena, &pb__command__descriptor);

    command->deployment = "express-pay.1";
    command->feature = "express-pay";
    command->environment = "production";
    command->task = "express-pay.1/3/1/0";
    command->drive = 1;
    return command;
}

void worker_world_begin(struct worker_world *world, const Pb__Command *command)
{
    Pb__TaskFinished *const result =
        pb_new(&world->drivers.arena, &pb__task_finished__descriptor);

    arena_release(&world->task_arena);
    world->task_arena = arena_with_limit((size_t)4 << 20);
    world->progressed = 0;
    world->last_progress = NULL;
    world->active = NULL;
    result->task = command->task;
    result->drive = command->drive;
    world->task = (struct worker_task){
        .command = command,
        .arena = &world->task_arena,
        .started_ms = world->drivers.clock.now_ms,
        .result = result,
        .progress = note_progress,
        .stopped = never_stopped,
        .runtime = world,
    };
}

static const struct worker_handler *handler_of(const struct worker_spec *spec,
                                               const Pb__Command *command)
{
    for (size_t i = 0; i < spec->handler_count; i++) {
        if (spec->handlers[i].body == command->body_case)
            return &spec->handlers[i];
    }
    fail_msg("%s has no handler for that command", spec->name);
    return NULL;
}

enum worker_step worker_world_run(struct worker_world *world,
                                  const struct worker_spec *spec,
                                  unsigned at_most)
{
    const struct worker_handler *const handler = handler_of(spec, world->task.command);
    struct error error = { 0 };
    enum worker_step step = WORKER_AGAIN;

    for (unsigned i = 0; i < at_most && step == WORKER_AGAIN; i++) {
        if (world->before_step != NULL)
            world->before_step(world, world->drivers.clock.now_ms - world->task.started_ms);
        step = handler->step(&world->ports, &world->task, &error);
        if (step == WORKER_AGAIN)
            memory_clock_advance_to(&world->drivers.clock, world->task.wake_ms);
    }
    return step;
}

const Pb__Finding *worker_world_finding(struct worker_world *world, const char *check)
{
    for (size_t i = 0; i < world->task.result->n_findings; i++) {
        if (strcmp(world->task.result->findings[i]->check, check) == 0)
            return world->task.result->findings[i];
    }
    fail_msg("there is no finding of %s", check);
    return NULL;
}
