#include "services/gateway/desk.h"

#include "services/gateway/server.h"

#include <stdlib.h>
#include <string.h>

enum { LANES = 3, DESKS = 6, WAITING_MAX = 64, JOB_MEMORY = 1 << 20 };

/* A copy of a request that waits for its desk. */
struct job {
    struct job *next;
    struct arena arena; /* Holds everything below. */
    struct web_request request;
    const struct gateway_route *route;
    const Pb__Actor *actor;
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct job *first;
    struct job *last;
    size_t count;
    bool stopping;
};

struct desk {
    struct desks *desks;
    struct queue *queue;
    struct bench bench;
    pthread_t thread;
};

struct desks {
    struct gateway *gateway;
    struct queue queue[LANES];
    struct desk desk[DESKS];
    size_t running;
};

/* Three read, two stop, one takes alerts. */
static const enum lane lane_of_desk[DESKS] = {
    LANE_READS, LANE_READS, LANE_READS, LANE_STOPS, LANE_STOPS, LANE_ALERTS,
};

static struct queue *queue_of(struct desks *desks, enum lane lane)
{
    return &desks->queue[lane - LANE_READS];
}

enum err desks_open(struct gateway *gateway, struct desks **ret, struct error *error)
{
    struct desks *const desks = calloc(1, sizeof *desks);
    enum err err = ERR_OK;

    if (desks == NULL)
        abort();
    desks->gateway = gateway;
    for (size_t i = 0; i < LANES; i++) {
        (void)pthread_mutex_init(&desks->queue[i].lock, NULL);
        (void)pthread_cond_init(&desks->queue[i].filled, NULL);
    }
    for (size_t i = 0; i < DESKS && err == ERR_OK; i++) {
        desks->desk[i].desks = desks;
        desks->desk[i].queue = queue_of(desks, lane_of_desk[i]);
        err = bench_open(gateway, &desks->desk[i].bench, error);
    }
    *ret = desks;
    return err;
}

/* --- the queue --- */

static void copy_pairs(struct arena *arena, struct web_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pairs[i].name = arena_text(arena, pairs[i].name);
        pairs[i].value = arena_text(arena, pairs[i].value);
    }
}

static struct job *job_new(const struct gateway_call *call, const struct web_request *request)
{
    struct job *const job = calloc(1, sizeof *job);

    if (job == NULL)
        abort();
    job->arena = arena_with_limit(JOB_MEMORY);
    job->request = *request;
    job->request.method = arena_text(&job->arena, request->method);
    job->request.path = arena_text(&job->arena, request->path);
    job->request.peer = arena_text(&job->arena, request->peer);
    job->request.body = arena_copy(&job->arena, request->body, request->body_length);
    copy_pairs(&job->arena, job->request.query, job->request.query_count);
    copy_pairs(&job->arena, job->request.headers, job->request.header_count);
    job->route = call->route;
    job->actor = call->actor;
    return job;
}

static void job_free(struct job *job)
{
    arena_release(&job->arena);
    free(job);
}

bool desks_take(struct desks *desks,
                const struct gateway_call *call,
                const struct web_request *request)
{
    struct queue *const queue = queue_of(desks, call->lane);
    bool taken;

    (void)pthread_mutex_lock(&queue->lock);
    taken = queue->count < WAITING_MAX && !queue->stopping;
    if (taken) {
        struct job *const job = job_new(call, request);

        if (queue->last != NULL)
            queue->last->next = job;
        else
            queue->first = job;
        queue->last = job;
        queue->count++;
        (void)pthread_cond_signal(&queue->filled);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return taken;
}

/* The next job; NULL when the desks close. */
static struct job *queue_next(struct queue *queue)
{
    struct job *job = NULL;

    (void)pthread_mutex_lock(&queue->lock);
    while (queue->first == NULL && !queue->stopping)
        (void)pthread_cond_wait(&queue->filled, &queue->lock);
    if (!queue->stopping) {
        job = queue->first;
        queue->first = job->next;
        if (queue->first == NULL)
            queue->last = NULL;
        queue->count--;
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return job;
}

/* --- the threads --- */

static void *desk_main(void *self)
{
    struct desk *const desk = self;
    struct job *job;

    while ((job = queue_next(desk->queue)) != NULL) {
        const struct server_job carried = { .request = &job->request,
                                            .route = job->route,
                                            .actor = job->actor };

        server_carry_out(desk->desks->gateway, &desk->bench, &carried);
        job_free(job);
    }
    return NULL;
}

void desks_start(struct desks *desks)
{
    for (size_t i = 0; i < DESKS; i++) {
        if (pthread_create(&desks->desk[i].thread, NULL, desk_main, &desks->desk[i]) != 0)
            abort();
        desks->running++;
    }
}

static void queue_stop(struct queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->stopping = true;
    (void)pthread_cond_broadcast(&queue->filled);
    (void)pthread_mutex_unlock(&queue->lock);
}

void desks_stop(struct desks *desks)
{
    for (size_t i = 0; i < LANES; i++)
        queue_stop(&desks->queue[i]);
    for (size_t i = 0; i < desks->running; i++)
        (void)pthread_join(desks->desk[i].thread, NULL);
    desks->running = 0;
}

static void queue_release(struct queue *queue)
{
    for (struct job *job = queue->first; job != NULL;) {
        struct job *const next = job->next;

        job_free(job);
        job = next;
    }
    (void)pthread_cond_destroy(&queue->filled);
    (void)pthread_mutex_destroy(&queue->lock);
}

void desks_close(struct desks *desks)
{
    if (desks == NULL)
        return;
    desks_stop(desks);
    for (size_t i = 0; i < LANES; i++)
        queue_release(&desks->queue[i]);
    for (size_t i = 0; i < DESKS; i++)
        bench_close(&desks->desk[i].bench);
    free(desks);
}
