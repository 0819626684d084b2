#include "common/runtime/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES_MAX = 500, NAME_SIZE = 80, LABEL_SIZE = 48, VALUE_SIZE = 80, BUCKETS = 12 };

enum kind { COUNTER, GAUGE, HISTOGRAM };

/* Upper bounds in milliseconds; a last bucket takes the rest. */
static const int64_t bounds_ms[BUCKETS] = { 1,   2,   5,    10,   25,    50,
                                            100, 250, 1000, 5000, 30000, 300000 };

struct series {
    enum kind kind;
    char name[NAME_SIZE];
    char label[LABEL_SIZE];
    char value[VALUE_SIZE];
    int64_t number;
    int64_t buckets[BUCKETS + 1];
    int64_t sum_ms;
};

struct metrics {
    pthread_mutex_t lock;
    struct series item[SERIES_MAX];
    size_t count;
    int64_t dropped;
};

struct metrics *metrics_new(void)
{
    struct metrics *const metrics = calloc(1, sizeof *metrics);

    if (metrics == NULL)
        abort();
    (void)pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    (void)pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

static void copy(char *to, size_t size, const char *from)
{
    const size_t length = strlen(from) < size ? strlen(from) : size - 1;

    memcpy(to, from, length);
    to[length] = '\0';
}

/* With the lock held. NULL when the registry is full. */
static struct series *find(struct metrics *metrics,
                           enum kind kind,
                           const char *name,
                           const char *label,
                           const char *value)
{
    struct series *series;

    for (size_t i = 0; i < metrics->count; i++) {
        series = &metrics->item[i];
        if (strcmp(series->name, name) == 0 && strcmp(series->label, label) == 0 &&
            strcmp(series->value, value) == 0)
            return series;
    }
    if (metrics->count == SERIES_MAX) {
        metrics->dropped++;
        return NULL;
    }
    series = &metrics->item[metrics->count++];
    series->kind = kind;
    copy(series->name, sizeof series->name, name);
    copy(series->label, sizeof series->label, label);
    copy(series->value, sizeof series->value, value);
    return series;
}

static void add(void *self, const char *name, const char *label, const char *value, int64_t by)
{
    struct metrics *const metrics = self;
    struct series *series;

    (void)pthread_mutex_lock(&metrics->lock);
    series = find(metrics, COUNTER, name, label, value);
    if (series != NULL)
        series->number += by;
    (void)pthread_mutex_unlock(&metrics->lock);
}

static void set(void *self, const char *name, const char *label, const char *value, int64_t to)
{
    struct metrics *const metrics = self;
    struct series *series;

    (void)pthread_mutex_lock(&metrics->lock);
    series = find(metrics, GAUGE, name, label, value);
    if (series != NULL)
        series->number = to;
    (void)pthread_mutex_unlock(&metrics->lock);
}

static void observe_ms(
    void *self, const char *name, const char *label, const char *value, int64_t ms)
{
    struct metrics *const metrics = self;
    struct series *series;
    size_t bucket = 0;

    while (bucket < BUCKETS && ms > bounds_ms[bucket])
        bucket++;
    (void)pthread_mutex_lock(&metrics->lock);
    series = find(metrics, HISTOGRAM, name, label, value);
    if (series != NULL) {
        series->buckets[bucket]++;
        series->number++;
        series->sum_ms += ms;
    }
    (void)pthread_mutex_unlock(&metrics->lock);
}

struct metrics_port metrics_port(struct metrics *metrics)
{
    return (struct metrics_port){
        .self = metrics, .add = add, .set = set, .observe_ms = observe_ms
    };
}

/* --- writing --- */

/* {worker="executor",le="0.005"}; nothing when there is neither. */
static void write_labels(const struct series *series, const char *le, struct text *out)
{
    const bool labelled = series->label[0] != '\0';

    if (!labelled && le == NULL)
        return;
    text_add_char(out, '{');
    if (labelled) {
        text_add(out, "%s=\"", series->label);
        text_add_json(out, series->value);
        text_add_char(out, '"');
    }
    if (le != NULL)
        text_add(out, "%sle=\"%s\"", labelled ? "," : "", le);
    text_add_char(out, '}');
}

static void write_histogram(const struct series *series, struct text *out)
{
    int64_t total = 0;

    for (size_t i = 0; i <= BUCKETS; i++) {
        char bound[32];
        struct text le = text_over(bound, sizeof bound);

        total += series->buckets[i];
        if (i < BUCKETS)
            text_add(&le, "%" PRId64 ".%03" PRId64, bounds_ms[i] / 1000, bounds_ms[i] % 1000);
        else
            text_add(&le, "+Inf");
        text_add(out, "%s_bucket", series->name);
        write_labels(series, bound, out);
        text_add(out, " %" PRId64 "\n", total);
    }
    text_add(out, "%s_sum", series->name);
    write_labels(series, NULL, out);
    text_add(out, " %" PRId64 ".%03" PRId64 "\n", series->sum_ms / 1000, series->sum_ms % 1000);
    text_add(out, "%s_count", series->name);
    write_labels(series, NULL, out);
    text_add(out, " %" PRId64 "\n", series->number);
}

static void write_series(const struct series *series, struct text *out)
{
    if (series->kind == HISTOGRAM) {
        write_histogram(series, out);
        return;
    }
    text_add(out, "%s", series->name);
    write_labels(series, NULL, out);
    text_add(out, " %" PRId64 "\n", series->number);
}

static bool is_first_of_name(const struct metrics *metrics, size_t place)
{
    for (size_t i = 0; i < place; i++) {
        if (strcmp(metrics->item[i].name, metrics->item[place].name) == 0)
            return false;
    }
    return true;
}

void metrics_write(struct metrics *metrics, struct text *out)
{
    static const char *const kinds[] = { "counter", "gauge", "histogram" };

    (void)pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->count; i++) {
        if (!is_first_of_name(metrics, i))
            continue;
        text_add(out, "# TYPE %s %s\n", metrics->item[i].name, kinds[metrics->item[i].kind]);
        for (size_t k = i; k < metrics->count; k++) {
            if (strcmp(metrics->item[k].name, metrics->item[i].name) == 0)
                write_series(&metrics->item[k], out);
        }
    }
    text_add(
        out,
        "# TYPE slipway_series_dropped_total counter\nslipway_series_dropped_total %" PRId64
        "\n",
        metrics->dropped);
    (void)pthread_mutex_unlock(&metrics->lock);
}
