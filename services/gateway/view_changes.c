/* The changes of a plan, each batch as the record says it stands. */
#include "services/gateway/view.h"

#include <string.h>

enum { STEP_EXECUTE = 2 };

static const Pb__Applied *find_applied(const Pb__DeploymentState *state,
                                       uint32_t change,
                                       uint32_t batch)
{
    for (size_t i = 0; i < state->n_applied; i++) {
        if (state->applied[i]->change == change && state->applied[i]->batch == batch)
            return state->applied[i];
    }
    return NULL;
}

static bool is_current(const Pb__DeploymentState *state, uint32_t change, uint32_t batch)
{
    return state->phase == PB__PHASE__EXECUTING && state->cursor != NULL &&
           state->cursor->change == change && state->cursor->batch == batch;
}

static const char *batch_state(const Pb__DeploymentState *state,
                               uint32_t change,
                               uint32_t batch)
{
    /* Under a hold it is its turn, and nothing has been commanded yet. */
    if (find_applied(state, change, batch) != NULL)
        return is_current(state, change, batch) ? "UPDATING" : "NEW";
    return state->stop != NULL && state->stop->step >= STEP_EXECUTE ? "REVERTED" : "OLD";
}

/* What its batches amount to. */
static const char *change_state(const Pb__DeploymentState *state, const Pb__Change *change)
{
    const char *first = "OLD";

    for (size_t b = 0; b < change->n_batches; b++) {
        const char *const shown = batch_state(state, change->index, change->batches[b]->index);

        if (b == 0)
            first = shown;
        else if (strcmp(shown, first) != 0)
            return "UPDATING";
    }
    return first;
}

/* --- when --- */

struct span {
    int64_t began_ms; /* 0: not yet. */
    int64_t ended_ms;
};

static bool begins_apply(const Pb__TimelineEntry *entry)
{
    return pb_same(entry->type, "TaskStarted") && strncmp(entry->text, "apply ", 6) == 0;
}

/* When the batch at that place of all batches was put in: they go in one after the other, so
 * those that are in before it are counted in the record. */
static struct span span_of(const struct view_source *source, size_t place)
{
    struct span span = { 0 };
    size_t in = 0;

    for (size_t i = 0; i < source->timeline_count && in <= place; i++) {
        const Pb__TimelineEntry *const entry = source->timeline[i];

        if (entry->step != STEP_EXECUTE)
            continue;
        if (in == place && span.began_ms == 0 && begins_apply(entry))
            span.began_ms = entry->at_ms;
        if (pb_same(entry->type, "BatchGo") && in++ == place)
            span.ended_ms = entry->at_ms;
    }
    return span;
}

static void view_span(struct json *json, int64_t began_ms, int64_t ended_ms)
{
    view_time(json, "began_ms", began_ms);
    view_time(json, "ended_ms", ended_ms);
}

/* --- showing --- */

static void view_fence(struct json *json, const Pb__Applied *applied)
{
    if (applied == NULL || applied->fence == NULL) {
        json_put_null(json, "fence");
        return;
    }
    json_put_object(json, "fence");
    json_put_uint(json, "grant", applied->fence->grant);
    json_put_uint(json, "version", applied->fence->version);
    json_end_object(json);
}

/* What was read there before the first change; NULL: nothing. */
static const char *version_before(const Pb__DeploymentState *state,
                                  const Pb__Change *change,
                                  const char *instance)
{
    for (size_t i = 0; i < state->n_baseline; i++) {
        if (pb_same(state->baseline[i]->target, change->target) &&
            pb_same(state->baseline[i]->instance, instance))
            return state->baseline[i]->version;
    }
    return NULL;
}

/* What runs there, as the record has it; NULL while that is being changed, or was never read.
 */
static const char *running(const Pb__DeploymentState *state,
                           const Pb__Change *change,
                           const char *instance,
                           const char *shown)
{
    if (strcmp(shown, "NEW") == 0)
        return change->version;
    return strcmp(shown, "UPDATING") != 0 ? version_before(state, change, instance) : NULL;
}

static void view_instances(struct json *json,
                           const Pb__DeploymentState *state,
                           const Pb__Change *change,
                           const Pb__Batch *batch,
                           const char *shown)
{
    json_put_array(json, "instances");
    for (size_t i = 0; i < batch->n_instances; i++) {
        const char *version;

        json_put_object(json, NULL);
        json_put_text(json, "name", batch->instances[i]);
        json_put_text(json, "state", shown);
        version = running(state, change, batch->instances[i], shown);
        if (version != NULL)
            json_put_text(json, "running", version);
        else
            json_put_null(json, "running");
        json_end_object(json);
    }
    json_end_array(json);
}

static void view_batch(struct json *json,
                       const struct view_source *source,
                       const Pb__Change *change,
                       const Pb__Batch *batch,
                       size_t place)
{
    const char *const shown = batch_state(source->state, change->index, batch->index);
    const struct span span = span_of(source, place);

    json_put_object(json, NULL);
    json_put_uint(json, "index", batch->index);
    json_put_text(json, "kind", pb_enum_name(&pb__batch_kind__descriptor, (int)batch->kind));
    json_put_text(json, "side", batch->side);
    json_put_text(json, "state", shown);
    view_fence(json, find_applied(source->state, change->index, batch->index));
    view_span(json, span.began_ms, span.ended_ms);
    view_instances(json, source->state, change, batch, shown);
    json_end_object(json);
}

/* place: of its first batch among all. */
static void view_change(struct json *json,
                        const struct view_source *source,
                        const Pb__Change *change,
                        size_t place)
{
    const size_t last = place + change->n_batches - 1;

    json_put_object(json, NULL);
    json_put_uint(json, "index", change->index);
    json_put_text(
        json, "kind", pb_enum_name(&pb__artifact_kind__descriptor, (int)change->kind));
    json_put_text(json, "target", change->target);
    json_put_text(json, "service", change->service);
    json_put_text(json, "artifact", change->artifact);
    json_put_text(json, "version", change->version);
    json_put_text(json, "digest", change->digest != NULL ? change->digest->value : "");
    json_put_text(json,
                  "on_rollback",
                  pb_enum_name(&pb__on_rollback__descriptor, (int)change->on_rollback));
    json_put_text(json, "note", change->note);
    json_put_text(json, "state", change_state(source->state, change));
    view_span(json, span_of(source, place).began_ms, span_of(source, last).ended_ms);
    json_put_array(json, "batches");
    for (size_t b = 0; b < change->n_batches; b++)
        view_batch(json, source, change, change->batches[b], place + b);
    json_end_array(json);
    json_end_object(json);
}

void view_changes(struct json *json, const char *key, const struct view_source *source)
{
    size_t place = 0;

    json_put_array(json, key);
    for (size_t i = 0; source->plan != NULL && i < source->plan->n_changes; i++) {
        view_change(json, source, source->plan->changes[i], place);
        place += source->plan->changes[i]->n_batches;
    }
    json_end_array(json);
}
