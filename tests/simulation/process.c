#include "tests/simulation/world.h"

#include "common/state/keys.h"
#include "services/coordinator/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IDLE_CHORES_MS = 1000, /* What a coordinator does by the clock without being asked. */
    NAP_MS = 2000,
    DOZE_MS = 20 * 1000,
    SLEEP_MS = 5 * 60 * 1000,
    RESTART_MS = 10 * 1000,
    STEPS = 8,
    COMES_THERE = 8, /* Times before it dies, at most. */
};

/* --- its calls to the world --- */

/* Its groups may have given up on it before it wakes: then two are at work on the same thing.
 */
static void stand_still(struct process *process, int64_t most_ms)
{
    struct world *const world = process->world;

    process->busy = true;
    process->evicted = false;
    process->since_ms = world_now_ms(world);
    process->until_ms = process->since_ms + dice_ms(&world->dice, 1, most_ms);
    world_tell(world,
               "%s stands still for %lld ms",
               process->name,
               (long long)(process->until_ms - process->since_ms));
    if (dice_below(&world->dice, 4) == 0) {
        memory_broker_evict(world->broker, process);
        process->evicted = true;
        world_counts(world, FAULT_OF_evicted);
    }
    world_counts(world, most_ms <= NAP_MS ? FAULT_OF_nap : FAULT_OF_sleep);
    fiber_yield(process->fiber);
    process->busy = false;
    if (process->evicted && !process->dying)
        world_counts(world, FAULT_OF_woke_evicted);
}

void process_waits(struct process *process, int64_t ms)
{
    struct world *const world = process->world;

    if (process->dying || !process->turning || world->quiet)
        return;
    process->busy = true;
    process->evicted = false;
    process->since_ms = world_now_ms(world);
    process->until_ms = process->since_ms + ms;
    fiber_yield(process->fiber);
    process->busy = false;
}

static void die(struct process *process, const char *operation, const char *object)
{
    process->dying = true;
    world_tell(process->world, "%s dies at %s %s", process->name, operation, object);
}

static bool is_of_store(const char *operation, const char *object)
{
    static const char *const reads[] = {
        "get", "hash_get", "hash_all", "sorted_range", "members"
    };

    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        if (strcmp(operation, reads[i]) == 0)
            return true;
    }
    return strcmp(operation, "commit") == 0 && strstr(object, ".v1") == NULL;
}

static bool is_away(const struct world *world, const char *operation, const char *object)
{
    return world_now_ms(world) <
           (is_of_store(operation, object) ? world->store_back_ms : world->bus_back_ms);
}

static enum memory_fault goes_wrong(struct world *world,
                                    enum fault fault,
                                    enum memory_fault result)
{
    world_counts(world, fault);
    return result;
}

/* What becomes of a call. May take its time. */
static enum memory_fault ask(void *self, const char *operation, const char *object)
{
    struct process *const process = self;
    struct world *const world = process->world;
    const struct weather *const weather = &world->weather;

    if (process->dying)
        return FAULT_BEFORE;
    if (world->quiet || !process->turning)
        return FAULT_NONE;
    if (dice_chance(&world->dice, weather->crash)) {
        const bool done = dice_below(&world->dice, 2) > 0;

        die(process, operation, object);
        return goes_wrong(world,
                          done ? FAULT_OF_died_after : FAULT_OF_died_before,
                          done ? FAULT_AFTER : FAULT_BEFORE);
    }
    if (dice_chance(&world->dice, weather->nap))
        stand_still(process, NAP_MS);
    else if (dice_chance(&world->dice, weather->sleep))
        stand_still(process, dice_below(&world->dice, 2) == 0 ? SLEEP_MS : DOZE_MS);
    if (process->dying)
        return FAULT_BEFORE;
    if (is_away(world, operation, object))
        return goes_wrong(world, FAULT_OF_not_there, FAULT_BEFORE);
    if (dice_chance(&world->dice, weather->refused))
        return goes_wrong(world, FAULT_OF_refused, FAULT_BEFORE);
    if (dice_chance(&world->dice, weather->unanswered))
        return goes_wrong(world, FAULT_OF_unanswered, FAULT_AFTER);
    if (dice_chance(&world->dice, weather->dropped))
        return goes_wrong(world, FAULT_OF_dropped, FAULT_LOST);
    return FAULT_NONE;
}

enum memory_fault process_asks(struct process *process, const char *how, const char *what)
{
    return ask(process, how, what);
}

bool process_reaches_out(struct process *process, const char *what)
{
    return ask(process, "reach", what) == FAULT_NONE;
}

static int64_t wall_ms(void *self)
{
    const struct process *const process = self;

    return process->world->clock.now_ms + process->skew_ms;
}

static int64_t steady_ms(void *self)
{
    return ((const struct process *)self)->world->clock.monotonic_ms;
}

static void give_random(void *self, unsigned char *ret, size_t length)
{
    struct process *const process = self;

    for (size_t i = 0; i < length; i++)
        ret[i] = (unsigned char)dice_roll(&process->world->dice);
}

static enum err open_store(void *self, struct store *ret, struct error *error)
{
    struct process *const process = self;

    (void)error;
    *ret = memory_store(process->world->space, (struct memory_faults){ process, ask });
    if (process->store_count == STORES_MAX)
        abort();
    process->stores[process->store_count++] = *ret;
    return ERR_OK;
}

static enum err open_http(void *self, struct http_client *ret, struct error *error)
{
    (void)error;
    *ret = outer_http_client(self);
    return ERR_OK;
}

static void write_log(void *self,
                      enum log_level level,
                      const char *message,
                      const struct log_field *fields,
                      size_t count)
{
    struct process *const process = self;
    char line[1024];
    size_t length;

    if (!process->world->tracing || process->dying)
        return;
    (void)level;
    length = (size_t)snprintf(line, sizeof line, "%s: %s", process->name, message);
    for (size_t i = 0; i < count && length < sizeof line; i++) {
        if (fields[i].value != NULL)
            length += (size_t)snprintf(
                line + length, sizeof line - length, " %s=%s", fields[i].name, fields[i].value);
    }
    world_tell(process->world, "%s", line);
}

static void count(
    void *self, const char *name, const char *label, const char *value, int64_t by)
{
    (void)self;
    (void)name;
    (void)label;
    (void)value;
    (void)by;
}

/* --- its life --- */

/* Unlike the real one it goes on to the end of its turn, but without an effect. */
static void die_there(void *self)
{
    struct process *const process = self;

    if (process->dying || !process->turning || process->world->quiet)
        return;
    process->dying = true;
    world_counts(process->world, FAULT_OF_died_at_place);
    world_tell(process->world, "%s dies at place %d", process->name, (int)process->crash.at);
}

static unsigned any_place(struct process *process)
{
    struct dice *const dice = &process->world->dice;
    const unsigned first =
        process->worker != NULL ? CRASH_WORKER_AFTER_LETTER : CRASH_AFTER_RECEIVE;
    const unsigned last =
        process->worker != NULL ? CRASH_FLAGS_AFTER_READ_BACK : CRASH_TAKEOVER_AFTER_PUBLISH;

    return first + dice_below(dice, last - first + 1);
}

/* Some who start are to die at a place of their service, the first time or a later one. */
static struct crash_plan *doom(struct process *process)
{
    struct world *const world = process->world;

    if (world->quiet || !dice_chance(&world->dice, world->weather.doomed))
        return NULL;
    process->crash.at = (enum crash_place)any_place(process);
    process->crash.in =
        dice_below(&world->dice, 3) == 0 ? CRASH_STEP(dice_below(&world->dice, STEPS)) : 0;
    process->crash.remaining = 1 + dice_below(&world->dice, COMES_THERE);
    process->crash.die = die_there;
    process->crash.self = process;
    return &process->crash;
}

static struct service_ports ports_of(struct process *process)
{
    const struct world *const world = process->world;

    return (struct service_ports){
        .settings = world->set->settings[process->edited],
        .service = process->worker != NULL ? process->worker->name : "coordinator",
        .instance = process->name,
        .clock = { wall_ms, steady_ms, process },
        .bus = memory_bus(world->broker, (struct memory_faults){ process, ask }),
        .log = { process, write_log },
        .process = outer_world_runner(process),
        .metrics = { process, count, count, count },
        .keys = &world->set->keys,
        .open_store = open_store,
        .open_http = open_http,
        .open_self = process,
        .random = give_random,
        .random_self = process,
        .crash = doom(process),
    };
}

static void start(struct process *process)
{
    const char *const flag = log_loss_flag(process);
    struct error error = { 0 };
    enum err err;

    process->store_count = 0;
    process->ports = ports_of(process);
    if (flag != NULL)
        (void)setenv(flag, "1", 1);
    process->dying = process->busy = process->idle = false;
    err = process->worker != NULL
              ? worker_open_inline(process->worker, &process->ports, &process->state, &error)
              : coordinator_service()->open(&process->ports, &process->state, &error);
    if (flag != NULL)
        (void)unsetenv(flag);
    if (err != ERR_OK) {
        (void)fprintf(stderr, "%s does not open: %s\n", process->name, error.text);
        abort();
    }
    if (process->edited)
        world_counts(process->world,
                     process->worker != NULL ? FAULT_OF_edit_worker
                                             : FAULT_OF_edit_coordinator);
    world_tell(process->world, "%s starts", process->name);
}

static void end(struct process *process)
{
    struct world *const world = process->world;

    if (process->worker != NULL)
        worker_close_inline(process->state);
    else
        coordinator_service()->close(process->state);
    process->ports.bus.close(process->ports.bus.self);
    process->state = NULL;
    process->store_count = 0;
    process->up_at_ms = world_now_ms(world) + dice_ms(&world->dice, 1, RESTART_MS);
}

struct process *process_add(struct world *world,
                            const struct worker_spec *worker,
                            const char *name)
{
    struct process *const process = &world->processes[world->process_count];

    *process = (struct process){ .world = world,
                                 .worker = worker,
                                 .fiber = world->set->fibers[world->process_count] };
    (void)snprintf(process->name, sizeof process->name, "%s", name);
    world->process_count++;
    start(process);
    return process;
}

static void run_turn(void *self)
{
    struct process *const process = self;
    struct error error = { 0 };
    const enum err err = process->worker != NULL
                             ? worker_turn_inline(process->state, &error)
                             : coordinator_service()->turn(process->state, &error);

    if (err != ERR_OK && !process->dying)
        world_tell(process->world, "%s: turn: %s", process->name, error.text);
}

static void after_turn(struct process *process, uint64_t before)
{
    process->turning = false;
    process->turned_ms = world_now_ms(process->world);
    process->seen = world_activity(process->world);
    process->idle = process->seen == before;
    if (process->dying)
        end(process);
}

/* A process that stands still longer than its session is given up by its groups. */
static void miss(struct process *process)
{
    struct world *const world = process->world;

    if (process->evicted || world_now_ms(world) - process->since_ms < SESSION_MS)
        return;
    memory_broker_evict(world->broker, process);
    process->evicted = true;
    world_tell(world, "%s is given up by its groups", process->name);
}

void process_turn(struct process *process)
{
    struct world *const world = process->world;
    const uint64_t before = world_activity(world);
    bool returned;

    if (process->state == NULL) {
        if (world_now_ms(world) >= process->up_at_ms && !log_loss_keeps_down(process))
            start(process);
        return;
    }
    if (process->busy && world_now_ms(world) < process->until_ms && !world->quiet) {
        miss(process);
        return;
    }
    if (process->busy) {
        miss(process);
        returned = fiber_resume(process->fiber);
    } else {
        process->turning = true;
        returned = fiber_call(process->fiber, run_turn, process);
    }
    if (returned)
        after_turn(process, before);
}

void process_kill(struct process *process)
{
    if (process->state == NULL)
        return;
    process->dying = true;
    if (process->busy)
        (void)fiber_resume(process->fiber);
    process->turning = false;
    end(process);
}

void process_stop(struct process *process)
{
    if (process->state == NULL)
        return;
    if (process->busy) {
        process_kill(process);
        return;
    }
    world_tell(process->world, "%s stops", process->name);
    world_counts(process->world, FAULT_OF_restart);
    if (process->worker == NULL)
        coordinator_service()->drain(process->state);
    else
        worker_drain_inline(process->state);
    end(process);
}

/* --- when it wants to be called --- */

static int64_t first_timer_ms(const struct process *process)
{
    const struct world *const world = process->world;
    const struct settings *const settings = process->ports.settings;
    struct arena *const arena = &process->world->scratch;
    int64_t first_ms = INT64_MAX;

    for (int32_t p = 0; p < (int32_t)settings->kafka.partitions; p++) {
        const struct store_range range = {
            KEY_TIMERS(arena, p, settings->redis.prefix), INT64_MIN, INT64_MAX, 1
        };
        struct store_member *members = NULL;
        struct error error = { 0 };
        size_t found = 0;

        if (world->store.sorted_range(
                world->store.self, arena, &range, &members, &found, &error) == ERR_OK &&
            found > 0 && members[0].score < first_ms)
            first_ms = members[0].score;
    }
    return first_ms == INT64_MAX ? INT64_MAX : first_ms - process->skew_ms;
}

int64_t process_wake_ms(const struct process *process)
{
    int64_t chores_ms;
    int64_t wake_ms;

    if (process->state == NULL && log_loss_keeps_down(process))
        return INT64_MAX;
    if (process->state == NULL)
        return process->up_at_ms;
    if (process->busy)
        return process->evicted || process->until_ms < process->since_ms + SESSION_MS
                   ? process->until_ms
                   : process->since_ms + SESSION_MS;
    chores_ms = process->turned_ms + IDLE_CHORES_MS;
    if (process->worker != NULL) {
        wake_ms = worker_next_wake_ms(process->state);
        return wake_ms == INT64_MAX ? INT64_MAX : wake_ms - process->skew_ms;
    }
    wake_ms = first_timer_ms(process);
    return wake_ms < chores_ms && wake_ms > process->turned_ms ? wake_ms : chores_ms;
}

bool process_has_work(const struct process *process)
{
    if (!process->idle || process->seen != world_activity(process->world))
        return true;
    return world_now_ms(process->world) >= process_wake_ms(process);
}
