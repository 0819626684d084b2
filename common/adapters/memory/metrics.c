#include "common/adapters/memory/metrics.h"

#include "common/adapters/memory/heap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct metric {
    char *name;
    char *label;
    char *value;
    int64_t number;
};

struct memory_metrics {
    pthread_mutex_t lock;
    struct metric *all;
    size_t count;
    size_t capacity;
};

struct memory_metrics *memory_metrics_new(void)
{
    struct memory_metrics *metrics = heap_take(sizeof *metrics);

    pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

void memory_metrics_free(struct memory_metrics *metrics)
{
    if (metrics == NULL)
        return;
    for (size_t i = 0; i < metrics->count; i++) {
        free(metrics->all[i].name);
        free(metrics->all[i].label);
        free(metrics->all[i].value);
    }
    free(metrics->all);
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

/* With the lock held. */
static struct metric *metric_of(struct memory_metrics *metrics,
                                const char *name,
                                const char *label,
                                const char *value)
{
    for (size_t i = 0; i < metrics->count; i++) {
        struct metric *at = &metrics->all[i];

        if (strcmp(at->name, name) == 0 && strcmp(at->label, label) == 0 &&
            strcmp(at->value, value) == 0)
            return at;
    }
    metrics->all =
        heap_room(metrics->all, metrics->count, &metrics->capacity, sizeof *metrics->all);
    struct metric *added = &metrics->all[metrics->count++];

    *added = (struct metric){ heap_text(name), heap_text(label), heap_text(value), 0 };
    return added;
}

static void metrics_add(
    void *self, const char *name, const char *label, const char *value, int64_t by)
{
    struct memory_metrics *metrics = self;

    pthread_mutex_lock(&metrics->lock);
    metric_of(metrics, name, label, value)->number += by;
    pthread_mutex_unlock(&metrics->lock);
}

static void metrics_set(
    void *self, const char *name, const char *label, const char *value, int64_t to)
{
    struct memory_metrics *metrics = self;

    pthread_mutex_lock(&metrics->lock);
    metric_of(metrics, name, label, value)->number = to;
    pthread_mutex_unlock(&metrics->lock);
}

static void metrics_observe(
    void *self, const char *name, const char *label, const char *value, int64_t ms)
{
    (void)ms;
    metrics_add(self, name, label, value, 1);
}

struct metrics_port memory_metrics_port(struct memory_metrics *metrics)
{
    return (struct metrics_port){ metrics, metrics_add, metrics_set, metrics_observe };
}

int64_t memory_metric(struct memory_metrics *metrics,
                      const char *name,
                      const char *label,
                      const char *value)
{
    pthread_mutex_lock(&metrics->lock);
    int64_t number = metric_of(metrics, name, label, value)->number;

    pthread_mutex_unlock(&metrics->lock);
    return number;
}
