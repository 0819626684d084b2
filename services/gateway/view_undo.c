#include "services/gateway/view.h"

#include <string.h>

/* Without a measurement of its own, a batch taken back is expected to take what its apply may.
 */
static int64_t undo_estimate_ms(const struct view_source *source, const struct undo_step *step)
{
    if (pb_same(step->how, "revert") && source->plan != NULL &&
        step->change < source->plan->n_changes)
        return source->plan->changes[step->change]->timeout_ms;
    return pb_same(step->how, "latch") ? 5 : 1000;
}

static size_t undo_steps(const struct view_source *source, struct undo_step **ret)
{
    return procedure_undo_preview(source->arena, source->state, source->plan, ret);
}

static void write_steps(struct json *json,
                        const struct view_source *source,
                        const struct undo_step *steps,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_put_object(json, NULL);
        json_put_text(json, "what", steps[i].what);
        json_put_text(json, "how", steps[i].how);
        json_put_int(json, "estimate_ms", undo_estimate_ms(source, &steps[i]));
        json_end_object(json);
    }
}

int64_t view_undo_estimate_ms(const struct view_source *source)
{
    struct undo_step *steps = NULL;
    const size_t count = undo_steps(source, &steps);
    int64_t estimate_ms = 0;

    for (size_t i = 0; i < count; i++)
        estimate_ms += undo_estimate_ms(source, &steps[i]);
    return estimate_ms;
}

void view_effects(struct json *json, const char *key, const struct view_source *source)
{
    struct undo_step *steps = NULL;
    const size_t count = undo_steps(source, &steps);

    json_put_array(json, key);
    write_steps(json, source, steps, count);
    json_end_array(json);
}

/* --- what was done already, from the record --- */

/* What an entry of the record says was done, as the preview calls it; NULL: nothing of that. */
static const char *done_how(const Pb__TimelineEntry *entry)
{
    /* clang-format off */
    static const char *const hows[][2] = {
        { "StopQuiet", "cancel" }, { "Reverted", "revert" }, { "Kept",     "keep"   },
        { "MarkedRestored", "manual" }, { "Skipped",  "manual" }, { "Verified", "verify" },
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof hows / sizeof hows[0]; i++) {
        if (pb_same(entry->type, hows[i][0]))
            return hows[i][1];
    }
    return NULL;
}

static void write_done(
    struct json *json, const char *what, const char *how, int64_t took_ms, int64_t at_ms)
{
    json_put_object(json, NULL);
    json_put_text(json, "what", what);
    json_put_text(json, "how", how);
    json_put_text(json, "state", "DONE");
    json_put_null(json, "estimate_ms");
    json_put_int(json, "took_ms", took_ms > 0 ? took_ms : 0);
    view_time(json, "at_ms", at_ms);
    json_end_object(json);
}

/* Each took as long as passed since the one before; the first, since the stop. */
static void write_done_steps(struct json *json, const struct view_source *source)
{
    const Pb__DeploymentState *const state = source->state;
    int64_t before_ms = state->stop->at_ms;

    if (state->flags != NULL && state->flags->killed)
        write_done(json,
                   "Flags off everywhere, for good (latch)",
                   "latch",
                   state->flags->killed_ms - before_ms,
                   state->flags->killed_ms);
    for (size_t i = 0; i < source->timeline_count; i++) {
        const Pb__TimelineEntry *const entry = source->timeline[i];
        const char *const how = done_how(entry);

        if (how == NULL || entry->at_ms < state->stop->at_ms)
            continue;
        write_done(json, entry->text, how, entry->at_ms - before_ms, entry->at_ms);
        before_ms = entry->at_ms;
    }
}

/* --- what is left to do --- */

/* The first that is left is under way once it is being taken back. */
static const char *left_state(const Pb__DeploymentState *state, size_t place)
{
    if (state->stop == NULL || place > 0)
        return "PENDING";
    return state->phase == PB__PHASE__BLOCKED_ROLLBACK ? "BLOCKED" : "RUNNING";
}

static void write_left_steps(struct json *json, const struct view_source *source)
{
    struct undo_step *steps = NULL;
    const size_t count = undo_steps(source, &steps);

    for (size_t i = 0; i < count; i++) {
        json_put_object(json, NULL);
        json_put_text(json, "what", steps[i].what);
        json_put_text(json, "how", steps[i].how);
        json_put_text(json, "state", left_state(source->state, i));
        json_put_int(json, "estimate_ms", undo_estimate_ms(source, &steps[i]));
        json_put_null(json, "took_ms");
        json_put_null(json, "at_ms");
        json_end_object(json);
    }
}

void view_undo(struct json *json, const char *key, const struct view_source *source)
{
    json_put_object(json, key);
    json_put_int(json, "estimate_ms", view_undo_estimate_ms(source));
    json_put_text(json, "basis", "at most: the plan's limits");
    json_put_array(json, "steps");
    if (source->state->stop != NULL)
        write_done_steps(json, source);
    write_left_steps(json, source);
    json_end_array(json);
    json_end_object(json);
}
