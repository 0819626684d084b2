#include "common/runtime/worker_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    THREADS = 4,
    SCRATCH_MAX = 16 * 1024 * 1024,
    LOOK_AGAIN_MS = 500, /* The wall clock may have been set. */
    DRAIN_MS = 8 * 1000, /* For steps to end by themselves; */
    QUIT_MS = 2 * 1000,  /* then for those that ask stopped(). */
};

/* A thread with what belongs to it alone. */
struct worker_hand {
    struct worker *worker;
    struct worker_ports ports;
    struct arena scratch;
    pthread_t thread;
    bool started;
};

struct worker_pool {
    struct worker_hand *hands; /* The last one keeps the leases. */
    unsigned count;
};

/* With the lock: until something changes, at most so long. */
static void wait_for_change(struct worker *worker, int64_t wait_ms)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ms / 1000);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&worker->changed, &worker->lock, &until);
}

/* With the lock: until the next step is due. Steps under way or held up end with a signal. */
static int64_t idle_ms(const struct worker *worker)
{
    const int64_t now_ms = worker_now_ms(worker);
    int64_t wait_ms = LOOK_AGAIN_MS;

    for (const struct run *run = worker->runs; run != NULL; run = run->next) {
        if (!run->stepping && run->due_ms > now_ms && run->due_ms - now_ms < wait_ms)
            wait_ms = run->due_ms - now_ms;
    }
    return wait_ms;
}

static bool wait_for_work(struct worker *worker)
{
    bool stopping;

    (void)pthread_mutex_lock(&worker->lock);
    if (!worker->stopping && !worker_has_due(worker))
        wait_for_change(worker, idle_ms(worker));
    stopping = worker->stopping;
    (void)pthread_mutex_unlock(&worker->lock);
    return !stopping;
}

static void *do_steps(void *self)
{
    struct worker_hand *const hand = self;

    for (;;) {
        while (worker_step_one(hand->worker, &hand->ports, 0))
            continue;
        if (!wait_for_work(hand->worker))
            return NULL;
    }
}

static void *keep_leases(void *self)
{
    struct worker_hand *const hand = self;
    bool stopping = false;

    while (!stopping) {
        leases_keep(hand->worker, hand->ports.store);
        (void)pthread_mutex_lock(&hand->worker->lock);
        if (!hand->worker->stopping)
            wait_for_change(hand->worker, LOOK_AGAIN_MS);
        stopping = hand->worker->stopping;
        (void)pthread_mutex_unlock(&hand->worker->lock);
    }
    return NULL;
}

static enum err hand_open(struct worker_hand *hand, struct worker *worker, struct error *error)
{
    const struct service_ports *const service = worker->service;
    enum err err;

    hand->worker = worker;
    hand->scratch = arena_with_limit(SCRATCH_MAX);
    hand->ports = worker_ports_of(worker, &hand->scratch);
    err = service->open_store(service->open_self, &hand->ports.store, error);
    if (err == ERR_OK)
        err = service->open_http(service->open_self, &hand->ports.http, error);
    return err;
}

static void hand_close(struct worker_hand *hand)
{
    if (hand->started)
        (void)pthread_join(hand->thread, NULL);
    if (hand->ports.store.close != NULL)
        hand->ports.store.close(hand->ports.store.self);
    if (hand->ports.http.close != NULL)
        hand->ports.http.close(hand->ports.http.self);
    arena_release(&hand->scratch);
}

/* Signals are for the thread that waits for them. */
static enum err hands_start(struct worker_pool *pool, struct error *error)
{
    sigset_t all, before;
    bool started = true;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    for (unsigned i = 0; i < pool->count && started; i++) {
        struct worker_hand *const hand = &pool->hands[i];

        started =
            pthread_create(
                &hand->thread, NULL, i + 1 < pool->count ? do_steps : keep_leases, hand) == 0;
        hand->started = started;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started ? ERR_OK : error_set(error, ERR_UNAVAILABLE, "no thread to be had");
}

enum err worker_pool_open(struct worker *worker, struct error *error)
{
    struct worker_pool *const pool = calloc(1, sizeof *pool);
    const unsigned threads = worker->spec->threads > 0 ? worker->spec->threads : THREADS;
    enum err err = ERR_OK;

    if (pool == NULL)
        abort();
    worker->pool = pool;
    pool->count = threads + 1;
    pool->hands = calloc(pool->count, sizeof *pool->hands);
    if (pool->hands == NULL)
        abort();
    for (unsigned i = 0; i < pool->count && err == ERR_OK; i++)
        err = hand_open(&pool->hands[i], worker, error);
    return err == ERR_OK ? hands_start(pool, error) : err;
}

void worker_pool_wake(struct worker *worker)
{
    (void)pthread_mutex_lock(&worker->lock);
    (void)pthread_cond_broadcast(&worker->changed);
    (void)pthread_mutex_unlock(&worker->lock);
}

void worker_pool_close(struct worker *worker)
{
    struct worker_pool *const pool = worker->pool;

    if (pool == NULL)
        return;
    (void)pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    (void)pthread_cond_broadcast(&worker->changed);
    (void)pthread_mutex_unlock(&worker->lock);
    for (unsigned i = 0; i < pool->count; i++)
        hand_close(&pool->hands[i]);
    free(pool->hands);
    free(pool);
    worker->pool = NULL;
}

/* With the lock: a step is under way, or a result is not yet out. */
static bool is_busy(const struct worker *worker)
{
    for (const struct run *run = worker->runs; run != NULL; run = run->next) {
        if (run->stepping || run->answered)
            return true;
    }
    return false;
}

/* With the lock. */
static void wait_until_quiet(struct worker *worker, int64_t wait_ms)
{
    const int64_t deadline_ms = worker_monotonic_ms(worker) + wait_ms;

    while (is_busy(worker) && worker_monotonic_ms(worker) < deadline_ms)
        wait_for_change(worker, LOOK_AGAIN_MS / 10);
}

/* Its own words: whoever reads why a task was lost looks for them. */
static void tell_left(struct worker *worker)
{
    (void)pthread_mutex_lock(&worker->lock);
    for (const struct run *run = worker->runs; run != NULL; run = run->next) {
        if (run->stepping)
            LOG(worker->service->log,
                LOG_WARNING,
                "left at work: its lease ends by itself, then the task is driven again",
                { "task", run->task.command->task },
                { "drive", run->drive });
    }
    (void)pthread_mutex_unlock(&worker->lock);
}

/* Hands back what is not at work; what still is keeps its lease until that ends. */
static void release_all(struct worker *worker)
{
    tell_left(worker);
    for (;;) {
        struct run *run;

        (void)pthread_mutex_lock(&worker->lock);
        for (run = worker->runs; run != NULL; run = run->next) {
            if (!run->stepping && !atomic_load(&run->lost))
                break;
        }
        if (run != NULL)
            run->stepping = true;
        (void)pthread_mutex_unlock(&worker->lock);
        if (run == NULL)
            return;
        lease_release(run, worker->ports.store);
        /* It stays marked as stepping: nobody touches it until it is freed. */
    }
}

void worker_drain(struct worker *worker)
{
    if (worker->consumer.close != NULL)
        worker->consumer.close(worker->consumer.self);
    worker->consumer = (struct bus_consumer){ 0 };
    (void)pthread_mutex_lock(&worker->lock);
    atomic_store(&worker->draining, true);
    (void)pthread_cond_broadcast(&worker->changed);
    if (worker->pool != NULL) {
        wait_until_quiet(worker, DRAIN_MS);
        atomic_store(&worker->quitting, true);
        wait_until_quiet(worker, QUIT_MS);
    }
    (void)pthread_mutex_unlock(&worker->lock);
    release_all(worker);
}
