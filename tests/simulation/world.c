#include "tests/simulation/world.h"

#include "common/wire/topics.h"
#include "services/executor/executor.h"
#include "services/flag-rollout/service.h"
#include "services/monitor/monitor.h"
#include "services/notifier/service.h"
#include "services/prechecks/prechecks.h"
#include "services/validator/validator.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORLD_ARENA_MAX = 1024 * 1024 * 1024,
    SCRATCH_MAX = 256 * 1024 * 1024,
    START_MS = 1000,
    BUSY_STEP_MS = 20,        /* While something happens, time goes so far at a round. */
    IDLE_STEP_MS = 10 * 1000, /* And never farther than that. */
    COPY_EVERY_MS = 1500,
};

static const int64_t monday_ms = 1795442400000; /* 2026-11-23 12:00 UTC */

uint64_t world_activity(const struct world *world)
{
    return (uint64_t)memory_broker_published(world->broker) +
           memory_space_commits(world->space) + world->former_commits +
           (world->former != NULL ? memory_space_commits(world->former) : 0);
}

void world_tell(struct world *world, const char *format, ...)
{
    va_list arguments;

    if (!world->tracing)
        return;
    (void)printf("%9.3f ", (double)(world_now_ms(world) - monday_ms) / 1000);
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
}

const char *world_id(struct world *world, const char *what)
{
    return arena_printf(&world->arena, "%s.%u", what, ++world->said);
}

void world_say(struct world *world, const struct saying *saying)
{
    const struct envelope envelope = { .id = saying->id,
                                       .source = "/simulation",
                                       .writer = saying->writer,
                                       .time_ms = world_now_ms(world) };
    const struct envelope_out out = { .topic = saying->topic,
                                      .key = saying->key,
                                      .message = saying->message,
                                      .sign = saying->writer != NULL };
    struct bus_record record = { 0 };
    struct error error = { 0 };

    if (envelope_seal(&world->arena, &world->set->keys, &envelope, &out, &record, &error) !=
            ERR_OK ||
        world->bus.publish(world->bus.self, &record, &error) != ERR_OK) {
        (void)fprintf(stderr, "simulation: %s\n", error.text);
        abort();
    }
}

static void start_processes(struct world *world)
{
    static const struct worker_spec *const workers[] = { NULL,
                                                         &prechecks_spec,
                                                         &executor_spec,
                                                         &validator_spec,
                                                         &monitor_spec_inline,
                                                         &flag_rollout_worker,
                                                         &notifier_worker };
    const size_t kinds = sizeof workers / sizeof workers[0];

    for (size_t i = 0; i < kinds; i++) {
        const char *const name = workers[i] != NULL ? workers[i]->name : "coordinator";
        const unsigned copies = i == 0 || dice_below(&world->dice, 3) == 0 ? 2 : 1;

        for (unsigned copy = 1; copy <= copies; copy++)
            (void)process_add(
                world, workers[i], arena_printf(&world->arena, "%s-%u", name, copy));
    }
}

void world_open(struct world *world, struct stage_set *set, uint64_t seed)
{
    struct bus_topic topics[TOPICS_MAX];
    struct clock_port clock;
    struct error error = { 0 };
    const bool tracing = world->tracing;
    const bool every_rule = world->every_rule;

    memset(world, 0, sizeof *world);
    world->tracing = tracing;
    world->every_rule = every_rule;
    world->set = set;
    world->seed = seed;
    world->dice = dice_of(seed);
    world->weather = weather_draw(&world->dice);
    world->arena = arena_with_limit(WORLD_ARENA_MAX);
    world->scratch = arena_with_limit(SCRATCH_MAX);
    world->clock.now_ms = monday_ms;
    world->clock.monotonic_ms = START_MS;
    clock = memory_clock_port(&world->clock);
    world->broker = memory_broker_new(clock);
    world->space = memory_space_new(clock);
    world->bus = memory_bus(world->broker, (struct memory_faults){ 0 });
    world->store = memory_store(world->space, (struct memory_faults){ 0 });
    if (world->bus.ensure_topics(
            world->bus.self,
            topics,
            topics_all((int32_t)set->settings[0]->kafka.partitions, topics),
            &error) != ERR_OK)
        abort();
    world->history.hears_words = true;
    sites_open(world);
    gateways_open(world);
    people_open(world);
    start_processes(world);
}

void world_close(struct world *world)
{
    for (size_t i = 0; i < world->process_count; i++)
        process_kill(&world->processes[i]);
    gateways_close(world);
    world->bus.close(world->bus.self);
    world->store.close(world->store.self);
    memory_broker_free(world->broker);
    memory_space_free(world->former);
    memory_space_free(world->space);
    for (size_t i = 0; i < world->copy_count; i++)
        memory_space_free(world->copies[i]);
    free(world->history.deeds);
    free(world->history.words);
    free(world->history.glimpses);
    arena_release(&world->arena);
    arena_release(&world->scratch);
}

/* --- a round --- */

/* Redis writes its file now and then: what it comes back with is one of these. */
static void copy_store(struct world *world)
{
    if ((world->weather.store_tail == 0 && world->weather.replica == 0) || world->quiet ||
        world_now_ms(world) < world->copied_ms + COPY_EVERY_MS ||
        memory_space_commits(world->space) == world->copied_commits)
        return;
    if (world->copy_count == COPIES) {
        memory_space_free(world->copies[0]);
        memmove(world->copies, world->copies + 1, (COPIES - 1) * sizeof world->copies[0]);
        world->copy_count--;
    }
    world->copies[world->copy_count++] = memory_space_copy(world->space);
    world->copied_ms = world_now_ms(world);
    world->copied_commits = memory_space_commits(world->space);
}

/* All that have something to do, beginning with anybody. */
static void turn_processes(struct world *world)
{
    const size_t first = dice_below(&world->dice, (unsigned)world->process_count);

    for (size_t i = 0; i < world->process_count; i++) {
        struct process *const process = &world->processes[(first + i) % world->process_count];

        if (process_has_work(process))
            process_turn(process);
    }
}

static int64_t next_ms(const struct world *world)
{
    const int64_t late_ms = outer_world_wake_ms(world);
    int64_t next = people_wake_ms(world);

    if (late_ms < next)
        next = late_ms;
    if (alarms_wake_ms(world) < next)
        next = alarms_wake_ms(world);
    for (size_t i = 0; i < world->process_count; i++) {
        const int64_t wake_ms = process_wake_ms(&world->processes[i]);

        if (wake_ms < next)
            next = wake_ms;
    }
    return next;
}

static void pass_time(struct world *world, bool something_happened)
{
    const int64_t now_ms = world_now_ms(world);
    int64_t step_ms;

    if (something_happened) {
        step_ms = dice_ms(&world->dice, 0, BUSY_STEP_MS);
    } else {
        step_ms = next_ms(world) - now_ms;
        step_ms = step_ms < 1 ? 1 : step_ms > IDLE_STEP_MS ? IDLE_STEP_MS : step_ms;
    }
    memory_clock_advance(&world->clock, step_ms);
}

void world_round(struct world *world)
{
    const uint64_t before = world_activity(world);

    arena_reset(&world->scratch);
    copy_store(world);
    if (!world->quiet)
        mischief_turn(world);
    alarms_turn(world);
    replica_turn(world);
    log_loss_turn(world);
    outer_world_turn(world, world_now_ms(world));
    gateways_turn(world);
    people_turn(world);
    turn_processes(world);
    trace_turn(world);
    pass_time(world, world_activity(world) != before);
}
