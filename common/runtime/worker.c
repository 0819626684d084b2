#include "common/runtime/worker_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    TASKS_MAX = 64,
    SCRATCH_MAX = 16 * 1024 * 1024,
    CHECK_MEMORY_MAX = 64 * 1024 * 1024,
    IDLE_MS = 100,
    HEAR_AT_ONCE = 32, /* Records of one turn. */
};

struct worker_ports worker_ports_of(struct worker *worker, struct arena *scratch)
{
    return (struct worker_ports){ .service = worker->service,
                                  .scratch = scratch,
                                  .state = worker->state };
}

static void names_set(struct worker *worker)
{
    const struct service_ports *const service = worker->service;
    const char *const name = worker->spec->name;

    (void)snprintf(worker->owner,
                   sizeof worker->owner,
                   "%s@%lld",
                   service->instance,
                   (long long)worker_now_ms(worker));
    (void)snprintf(
        worker->source, sizeof worker->source, "/slipway/%s/%s", name, service->instance);
    (void)snprintf(worker->topic, sizeof worker->topic, "commands.%s.v1", name);
    (void)snprintf(worker->group, sizeof worker->group, "slipway.%s", name);
    (void)snprintf(worker->why, sizeof worker->why, "not yet a member of %s", worker->group);
}

static struct worker *worker_new(const struct worker_spec *spec,
                                 const struct service_ports *ports)
{
    struct worker *const worker = calloc(1, sizeof *worker);
    pthread_condattr_t attributes;

    if (worker == NULL)
        abort();
    worker->spec = spec;
    worker->service = ports;
    worker->tasks_max = spec->tasks_max > 0 ? spec->tasks_max : TASKS_MAX;
    worker->scratch = arena_with_limit(SCRATCH_MAX);
    names_set(worker);
    (void)pthread_mutex_init(&worker->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&worker->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return worker;
}

static enum err check_settings(const struct worker_spec *spec,
                               const struct settings *settings,
                               struct error *error)
{
    struct arena arena = arena_with_limit(CHECK_MEMORY_MAX);
    struct yaml_problems *const problems = arena_alloc(&arena, sizeof *problems);
    enum err err;

    problems->arena = &arena;
    spec->check(&arena, settings, problems);
    err = driver_problems(problems, error);
    arena_release(&arena);
    return err;
}

enum err worker_open(const struct worker_spec *spec,
                     const struct service_ports *ports,
                     struct worker **ret,
                     struct error *error)
{
    struct worker *const worker = worker_new(spec, ports);
    enum err err = ERR_OK;

    if (spec->check != NULL)
        err = check_settings(spec, ports->settings, error);
    if (err == ERR_OK && spec->open != NULL)
        err = spec->open(ports, &worker->state, error);
    worker->opened = err == ERR_OK;
    worker->ports = worker_ports_of(worker, &worker->scratch);
    if (err == ERR_OK)
        err = ports->open_store(ports->open_self, &worker->ports.store, error);
    if (err == ERR_OK)
        err = ports->open_http(ports->open_self, &worker->ports.http, error);
    if (err != ERR_OK) {
        worker_free(worker);
        return err;
    }
    *ret = worker;
    return ERR_OK;
}

void worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    worker_pool_close(worker);
    while (worker->runs != NULL) {
        struct run *const run = worker->runs;

        worker->runs = run->next;
        run_free(run);
    }
    if (worker->consumer.close != NULL)
        worker->consumer.close(worker->consumer.self);
    if (worker->opened && worker->spec->close != NULL)
        worker->spec->close(worker->state);
    if (worker->ports.store.close != NULL)
        worker->ports.store.close(worker->ports.store.self);
    if (worker->ports.http.close != NULL)
        worker->ports.http.close(worker->ports.http.self);
    arena_release(&worker->scratch);
    (void)pthread_cond_destroy(&worker->changed);
    (void)pthread_mutex_destroy(&worker->lock);
    free(worker);
}

static void say(struct worker *worker, const char *why)
{
    (void)pthread_mutex_lock(&worker->lock);
    (void)snprintf(worker->why, sizeof worker->why, "%s", why);
    (void)pthread_mutex_unlock(&worker->lock);
}

/* A worker that is no member of its group takes nothing, however well its turns go. */
static void say_standing(struct worker *worker)
{
    const struct bus_consumer *const consumer = &worker->consumer;
    struct error error = { 0 };
    size_t share = 0;
    const enum err err = consumer->share(consumer->self, &share, &error);

    (void)pthread_mutex_lock(&worker->lock);
    worker->why[0] = '\0';
    worker->idle = share == 0;
    if (err != ERR_OK)
        (void)snprintf(worker->why,
                       sizeof worker->why,
                       "not yet a member of %s: %.300s",
                       worker->group,
                       error.text);
    (void)pthread_mutex_unlock(&worker->lock);
}

static enum err subscribe(struct worker *worker, struct error *error)
{
    const struct bus *const bus = &worker->service->bus;
    const char *const topics[] = { worker->topic, NULL };
    const struct bus_subscription subscription = { .group = worker->group,
                                                   .topics = topics,
                                                   .start = BUS_FROM_COMMITTED };
    enum err err;

    if (worker->subscribed)
        return ERR_OK;
    err = bus->subscribe(bus->self, &subscription, &worker->consumer, error);
    worker->subscribed = err == ERR_OK;
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "hear %s", worker->topic);
}

/* The offset is committed when the claim stands, not when the work is done. A partition that is
 * no longer ours is heard by its new owner, who cannot claim what we have. */
static enum err settle(struct worker *worker,
                       const struct bus_record *record,
                       struct error *error)
{
    const struct bus_consumer *const consumer = &worker->consumer;
    const enum err err = consumer->commit(
        consumer->self, record->topic, record->partition, record->offset + 1, error);

    return err == ERR_CONFLICT ? ERR_OK : err;
}

enum err worker_hear(struct worker *worker, int wait_ms, struct error *error)
{
    const struct bus_consumer *const consumer = &worker->consumer;
    struct bus_record record;
    struct error why = { 0 };
    enum err err = consumer->receive(consumer->self, wait_ms, &record, error);

    if (err != ERR_OK)
        return err;
    if (worker_take(worker, &record, &why) == COMMAND_SETTLED) {
        crash_point(worker->service->crash, CRASH_WORKER_BEFORE_OFFSET, worker->in_hand);
        err = settle(worker, &record, error);
        crash_point(worker->service->crash, CRASH_WORKER_AFTER_OFFSET, worker->in_hand);
        return err;
    }
    err = consumer->seek(consumer->self, record.topic, record.partition, record.offset, error);
    if (err != ERR_OK)
        return err;
    return why.text[0] != '\0' ? error_set(error, ERR_UNAVAILABLE, "%s", why.text) : ERR_STALE;
}

static bool is_paused(const struct worker *worker)
{
    return worker_monotonic_ms(worker) < worker->pause_until_ms;
}

/* All that is waiting; the first receive may wait. */
static enum err hear_all(struct worker *worker, int wait_ms, struct error *error)
{
    enum err err = subscribe(worker, error);

    for (int i = 0; i < HEAR_AT_ONCE && err == ERR_OK && !is_paused(worker); i++) {
        err = worker_hear(worker, wait_ms, error);
        wait_ms = 0;
    }
    return err == ERR_STALE ? ERR_OK : err;
}

static enum err own_turn(struct worker *worker, enum err err, struct error *error)
{
    struct error why = { 0 };
    enum err own = ERR_OK;

    arena_reset(&worker->scratch);
    if (worker->spec->turn != NULL)
        own = worker->spec->turn(worker->state, &worker->ports, &why);
    if (err != ERR_OK || own == ERR_OK)
        return err;
    *error = why;
    return own;
}

static enum err say_end(struct worker *worker, enum err err, const struct error *error)
{
    if (err == ERR_OK && worker->consumer.share != NULL)
        say_standing(worker);
    else
        say(worker, err == ERR_OK ? "" : error->text);
    return err;
}

/* While records are made to wait, the thread waits for a task to end. */
static void rest(struct worker *worker)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += IDLE_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&worker->lock);
    (void)pthread_cond_timedwait(&worker->changed, &worker->lock, &until);
    (void)pthread_mutex_unlock(&worker->lock);
}

static enum err turn(void *self, struct error *error)
{
    struct worker *const worker = self;
    enum err err = ERR_OK;

    if (is_paused(worker))
        rest(worker);
    else
        err = hear_all(worker, worker->spec->turn != NULL ? IDLE_MS / 10 : IDLE_MS, error);
    return say_end(worker, own_turn(worker, err, error), error);
}

static bool ready(void *self, struct error *why)
{
    struct worker *const worker = self;
    bool is_ready;

    (void)pthread_mutex_lock(&worker->lock);
    is_ready = worker->why[0] == '\0';
    (void)snprintf(why->text,
                   sizeof why->text,
                   "%s",
                   is_ready && worker->idle ? SERVICE_STANDS_BY : worker->why);
    (void)pthread_mutex_unlock(&worker->lock);
    return is_ready;
}

static enum err open_with_threads(const struct service_ports *ports,
                                  void **ret_state,
                                  struct error *error)
{
    struct worker *worker;
    enum err err = worker_open(ports->detail, ports, &worker, error);

    if (err != ERR_OK)
        return err;
    err = worker_pool_open(worker, error);
    if (err != ERR_OK) {
        worker_free(worker);
        return err;
    }
    *ret_state = worker;
    return ERR_OK;
}

static void drain(void *self)
{
    worker_drain(self);
}

static void close_worker(void *self)
{
    worker_free(self);
}

struct service_spec worker_service(const struct worker_spec *spec)
{
    return (struct service_spec){
        .name = spec->name,
        .summary = spec->summary,
        .detail = spec,
        .hears = spec->hears,
        .check = spec->check,
        .open = open_with_threads,
        .turn = turn,
        .ready = ready,
        .drain = drain,
        .close = close_worker,
    };
}

enum err worker_open_inline(const struct worker_spec *spec,
                            const struct service_ports *ports,
                            void **ret_worker,
                            struct error *error)
{
    struct worker *worker;
    const enum err err = worker_open(spec, ports, &worker, error);

    if (err == ERR_OK)
        *ret_worker = worker;
    return err;
}

enum err worker_turn_inline(void *self, struct error *error)
{
    struct worker *const worker = self;
    enum err err;

    leases_keep(worker, worker->ports.store);
    err = hear_all(worker, 0, error);
    worker->round++;
    while (worker_step_one(worker, &worker->ports, worker->round))
        continue;
    return say_end(worker, own_turn(worker, err, error), error);
}

int64_t worker_next_wake_ms(void *self)
{
    const struct worker *const worker = self;
    const int64_t ahead_ms = worker_now_ms(worker) - worker_monotonic_ms(worker);
    int64_t next_ms = is_paused(worker) ? worker->pause_until_ms + ahead_ms : INT64_MAX;

    for (const struct run *run = worker->runs; run != NULL; run = run->next) {
        if (run->due_ms < next_ms)
            next_ms = run->due_ms;
        if (run->keep_ms < INT64_MAX && run->keep_ms + ahead_ms < next_ms)
            next_ms = run->keep_ms + ahead_ms;
    }
    return next_ms;
}

void worker_drain_inline(void *self)
{
    worker_drain(self);
}

void worker_close_inline(void *self)
{
    worker_free(self);
}
