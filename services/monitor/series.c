#include "services/monitor/series.h"

#include <string.h>

static struct series_ring *ring_of(struct series *series,
                                   struct arena *arena,
                                   const Pb__MetricCriterion *criterion)
{
    struct series_ring *ring;

    for (size_t i = 0; i < series->count; i++) {
        if (strcmp(series->rings[i]->criterion->name, criterion->name) == 0) {
            series->rings[i]->criterion = criterion;
            return series->rings[i];
        }
    }
    if (series->count == SERIES_METRICS_MAX)
        return NULL;
    ring = arena_alloc(arena, sizeof *ring);
    ring->criterion = criterion;
    series->rings[series->count++] = ring;
    return ring;
}

static void ring_add(struct series_ring *ring, int64_t value_micro, int64_t at_ms)
{
    const size_t at = (size_t)(ring->samples % SERIES_POINTS);

    ring->values_micro[at] = value_micro;
    ring->at_ms[at] = at_ms;
    ring->samples++;
}

static void set_note(struct series_ring *ring, const char *note)
{
    size_t length = strnlen(note, SERIES_NOTE_MAX);

    if (length == SERIES_NOTE_MAX) {
        length--;
        while (length > 0 && ((unsigned char)note[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(ring->note, note, length);
    ring->note[length] = '\0';
}

static const Pb__MetricCriterion *criterion_of(struct arena *arena,
                                               const Pb__MetricSeries *kept)
{
    Pb__MetricCriterion *const criterion = pb_new(arena, &pb__metric_criterion__descriptor);

    criterion->name = arena_text(arena, kept->name);
    criterion->source = arena_text(arena, kept->source);
    criterion->query = arena_text(arena, kept->query);
    criterion->unit = arena_text(arena, kept->unit);
    criterion->comparison = kept->comparison;
    criterion->limit_micro = kept->limit_micro;
    return criterion;
}

static void restore(struct series *series, struct arena *arena, const Pb__MetricSeries *kept)
{
    struct series_ring *const ring = ring_of(series, arena, criterion_of(arena, kept));
    const size_t count =
        kept->n_values_micro < kept->n_at_ms ? kept->n_values_micro : kept->n_at_ms;

    if (ring == NULL || kept->samples < count)
        return;
    ring->samples = kept->samples - count;
    for (size_t i = 0; i < count; i++)
        ring_add(ring, kept->values_micro[i], kept->at_ms[i]);
    ring->verdict = kept->verdict;
    set_note(ring, kept->note);
}

struct series *series_new(struct arena *arena, const Pb__DeploymentSeries *kept)
{
    struct series *const series = arena_alloc(arena, sizeof *series);

    for (size_t i = 0; kept != NULL && i < kept->n_metrics; i++)
        restore(series, arena, kept->metrics[i]);
    return series;
}

void series_note(struct series *series,
                 struct arena *arena,
                 const Pb__MetricCriterion *criterion,
                 const Pb__Finding *finding,
                 const int64_t *value_micro)
{
    struct series_ring *const ring = ring_of(series, arena, criterion);

    if (ring == NULL)
        return;
    ring->verdict = finding->verdict;
    set_note(ring, value_micro == NULL ? finding->observed : "");
    if (value_micro != NULL)
        ring_add(ring, *value_micro, finding->at_ms);
}

static Pb__MetricSeries *ring_message(const struct series_ring *ring, struct arena *arena)
{
    Pb__MetricSeries *const message = pb_new(arena, &pb__metric_series__descriptor);
    const uint64_t held = ring->samples < SERIES_POINTS ? ring->samples : SERIES_POINTS;

    message->name = ring->criterion->name;
    message->source = ring->criterion->source;
    message->query = ring->criterion->query;
    message->unit = ring->criterion->unit;
    message->comparison = ring->criterion->comparison;
    message->limit_micro = ring->criterion->limit_micro;
    message->verdict = ring->verdict;
    message->note = arena_text(arena, ring->note);
    message->samples = ring->samples;
    message->values_micro = arena_alloc(arena, (held + 1) * sizeof *message->values_micro);
    message->at_ms = arena_alloc(arena, (held + 1) * sizeof *message->at_ms);
    for (uint64_t i = 0; i < held; i++) {
        const size_t at = (size_t)((ring->samples - held + i) % SERIES_POINTS);

        message->values_micro[i] = ring->values_micro[at];
        message->at_ms[i] = ring->at_ms[at];
    }
    message->n_values_micro = held;
    message->n_at_ms = held;
    return message;
}

Pb__DeploymentSeries *series_message(const struct series *series,
                                     struct arena *arena,
                                     const char *deployment,
                                     int64_t every_ms)
{
    Pb__DeploymentSeries *const message = pb_new(arena, &pb__deployment_series__descriptor);

    message->deployment = deployment;
    message->every_ms = every_ms;
    for (size_t i = 0; i < series->count; i++)
        PB_APPEND(arena, message, metrics, ring_message(series->rings[i], arena));
    return message;
}
