#include "services/gateway/herald.h"

#include "common/state/keys.h"
#include "services/gateway/server.h"
#include "services/gateway/stream.h"

#include <stdlib.h>
#include <time.h>

enum { BRISK_MS = 2, WATCH_MS = 100, CALM_MS = 1000, NS_PER_MS = 1000000, MS_PER_S = 1000 };

struct herald {
    struct gateway *gateway;
    struct bench bench;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* Of these two. */
    bool woken;
    bool stopping;
    pthread_cond_t changed;
    int64_t look_ms; /* When the age of the views is looked at next. */
};

enum err herald_open(struct gateway *gateway, struct herald **ret, struct error *error)
{
    struct herald *const herald = calloc(1, sizeof *herald);
    pthread_condattr_t attributes;

    if (herald == NULL)
        abort();
    herald->gateway = gateway;
    (void)pthread_mutex_init(&herald->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&herald->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    *ret = herald;
    return bench_open(gateway, &herald->bench, error);
}

/* When the newest deployment was moved: how old what everybody is shown can be at most. */
static void look_at_age(struct herald *herald)
{
    const int64_t now_ms = clock_monotonic_ms(herald->gateway->ports->clock);
    struct arena *const arena = &herald->bench.arena;

    if (now_ms < herald->look_ms)
        return;
    herald->look_ms = now_ms + CALM_MS;
    arena_reset(arena);
    for (int live = 0; live <= 1; live++) {
        struct store_member *newest = NULL;
        struct error error = { 0 };
        size_t count = 0;

        if (projection_list(
                &herald->bench.projection, arena, live, 1, &newest, &count, &error) == ERR_OK &&
            count > 0)
            gateway_saw(herald->gateway, keys_listed_ms(newest[0].score));
    }
}

int herald_round(struct herald *herald)
{
    const size_t waiting = waits_serve(herald->gateway, &herald->bench);
    const size_t watching = streams_serve(herald->gateway, &herald->bench);

    look_at_age(herald);
    if (waiting > 0)
        return BRISK_MS;
    return watching > 0 ? WATCH_MS : CALM_MS;
}

/* Until somebody wakes it, at most so long. False when it is to stop. */
static bool rest(struct herald *herald, int ms)
{
    struct timespec until;
    bool goes_on;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / MS_PER_S;
    until.tv_nsec += (long)(ms % MS_PER_S) * NS_PER_MS;
    if (until.tv_nsec >= (long)MS_PER_S * NS_PER_MS) {
        until.tv_nsec -= (long)MS_PER_S * NS_PER_MS;
        until.tv_sec++;
    }
    (void)pthread_mutex_lock(&herald->lock);
    while (!herald->woken && !herald->stopping) {
        if (pthread_cond_timedwait(&herald->changed, &herald->lock, &until) != 0)
            break;
    }
    herald->woken = false;
    goes_on = !herald->stopping;
    (void)pthread_mutex_unlock(&herald->lock);
    return goes_on;
}

static void *herald_main(void *self)
{
    struct herald *const herald = self;

    while (rest(herald, herald_round(herald)))
        continue;
    return NULL;
}

void herald_start(struct herald *herald)
{
    if (pthread_create(&herald->thread, NULL, herald_main, herald) != 0)
        abort();
    herald->running = true;
}

static void signal_change(struct herald *herald, bool stop)
{
    (void)pthread_mutex_lock(&herald->lock);
    herald->woken = true;
    herald->stopping = herald->stopping || stop;
    (void)pthread_cond_signal(&herald->changed);
    (void)pthread_mutex_unlock(&herald->lock);
}

void herald_wake(struct herald *herald)
{
    signal_change(herald, false);
}

void herald_stop(struct herald *herald)
{
    signal_change(herald, true);
    if (herald->running)
        (void)pthread_join(herald->thread, NULL);
    herald->running = false;
}

void herald_close(struct herald *herald)
{
    if (herald == NULL)
        return;
    herald_stop(herald);
    bench_close(&herald->bench);
    (void)pthread_cond_destroy(&herald->changed);
    (void)pthread_mutex_destroy(&herald->lock);
    free(herald);
}
