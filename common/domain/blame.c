#include "common/domain/blame.h"

#include <string.h>

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When production last changed by it: code, then each stage of the rollout. */
static int64_t changed_ms(const Pb__DeploymentState *state)
{
    const Pb__AuditDates *const dates = state->dates;
    int64_t last_ms = 0;

    if (dates == NULL)
        return state->n_applied > 0 ? state->now_ms : 0;
    last_ms = dates->execution_ms;
    for (size_t i = 0; i < dates->n_activation_ms; i++)
        last_ms = later(last_ms, dates->activation_ms[i]);
    return last_ms == 0 && state->n_applied > 0 ? state->now_ms : last_ms;
}

static bool is_at_work(Pb__Phase phase)
{
    return phase >= PB__PHASE__CHECKING && phase <= PB__PHASE__OBSERVING;
}

static bool is_over(Pb__Phase phase)
{
    return phase == PB__PHASE__ABORTED || phase == PB__PHASE__ROLLED_BACK;
}

/* It was told of something, and must be told when that is over, whatever became of it since. */
static bool waits_for_news(const Pb__DeploymentState *state)
{
    if (is_over(state->phase) || state->phase == PB__PHASE__COMPLETED)
        return false;
    for (size_t i = 0; i < state->n_incidents; i++) {
        if (state->incidents[i]->open)
            return true;
    }
    return false;
}

static const char *const *copy_texts(struct arena *arena,
                                     const char *const *texts,
                                     size_t count)
{
    const char **const copy = arena_alloc(arena, (count + 1) * sizeof *copy);

    for (size_t i = 0; i < count; i++)
        copy[i] = arena_text(arena, texts[i]);
    return copy;
}

static const char *const *flag_keys(struct arena *arena, const Pb__Plan *plan)
{
    const char **const keys = arena_alloc(arena, (plan->n_flags + 1) * sizeof *keys);

    for (size_t i = 0; i < plan->n_flags; i++)
        keys[i] = arena_text(arena, plan->flags[i]->key);
    return keys;
}

/* From when on a kill takes something back: from step 2 to the end of step 7. */
static bool may_latch(const Pb__DeploymentState *state)
{
    if (state->phase == PB__PHASE__BLOCKED)
        return state->step >= 2;
    return state->phase >= PB__PHASE__EXECUTING && state->phase <= PB__PHASE__FINALISING;
}

struct suspect suspect_of(struct arena *arena,
                          const Pb__DeploymentState *state,
                          const Pb__Plan *plan)
{
    const bool changed = state->n_applied > 0 || changed_ms(state) > 0;
    struct suspect suspect = { .deployment = arena_text(arena, state->id) };

    /* In step 1 it has changed nothing, but must hear of what opens before it begins. */
    suspect.at_work = is_at_work(state->phase) || waits_for_news(state);
    suspect.innocent = is_over(state->phase) || (!suspect.at_work && !changed);
    if (suspect.innocent)
        return suspect;
    suspect.feature = arena_text(arena, state->feature);
    suspect.environment = arena_text(arena, state->environment);
    suspect.services = copy_texts(arena, state->services, state->n_services);
    suspect.service_count = state->n_services;
    suspect.phase = state->phase;
    suspect.step = state->step;
    suspect.changed_ms = changed_ms(state);
    suspect.may_latch = may_latch(state);
    suspect.killed = state->flags != NULL && state->flags->killed;
    if (plan == NULL)
        return suspect;
    suspect.flags = flag_keys(arena, plan);
    suspect.flag_count = plan->n_flags;
    suspect.blame_window_ms = plan->blame_window_ms;
    return suspect;
}

bool suspect_matches(const struct suspect *suspect, const Pb__Alert *alert, int64_t now_ms)
{
    if (suspect->innocent || !pb_same(suspect->environment, alert->environment))
        return false;
    if (!suspect->at_work && suspect->blame_window_ms > 0 &&
        now_ms - suspect->changed_ms > suspect->blame_window_ms)
        return false;
    for (size_t i = 0; i < suspect->service_count; i++) {
        if (strcmp(suspect->services[i], alert->service) == 0)
            return true;
    }
    return false;
}

struct suspect suspect_copy(struct arena *arena, const struct suspect *suspect)
{
    struct suspect copy = *suspect;

    copy.deployment = arena_text(arena, suspect->deployment);
    if (suspect->innocent)
        return copy;
    copy.feature = arena_text(arena, suspect->feature);
    copy.environment = arena_text(arena, suspect->environment);
    copy.services = copy_texts(arena, suspect->services, suspect->service_count);
    copy.flags = copy_texts(arena, suspect->flags, suspect->flag_count);
    return copy;
}
