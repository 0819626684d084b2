#include "tests/unit/coordinator_core/explore/key.h"

#include "tests/unit/coordinator_core/explore/explore.h"
#include "tests/unit/coordinator_core/explore/plans.h"

#include <stdlib.h>
#include <string.h>

const Pb__TaskState *main_task(const Pb__DeploymentState *state)
{
    for (size_t i = 0; i < state->n_tasks; i++) {
        if (!state->tasks[i]->announce)
            return state->tasks[i];
    }
    return NULL;
}

static void add_task(struct text *out, const Pb__TaskState *task)
{
    text_add(out,
             "T%s%d,%u,%u,%d",
             task->kind,
             task->cancelling,
             task->errors,
             task->remeasured,
             task->retry_at_ms != 0);
}

static void add_tasks(struct text *out, const Pb__DeploymentState *state)
{
    const Pb__TaskState *const task = main_task(state);

    if (task != NULL)
        add_task(out, task);
    for (size_t i = 0; i < state->n_tasks; i++) {
        if (!state->tasks[i]->announce)
            continue;
        text_add(out, "B");
        add_task(out, state->tasks[i]);
    }
}

static void add_results(struct text *out, const Pb__StepState *step, bool waived)
{
    for (size_t i = 0; i < step->n_results; i++) {
        const Pb__CheckResult *const result = step->results[i];

        if (!waived || result->waived)
            text_add(out,
                     "R%s,%d%d%d",
                     result->check,
                     (int)result->verdict,
                     result->waived,
                     result->by[0] != '\0');
    }
}

/* While it is being taken back the findings decide nothing. Of other steps only waivers last,
 * and they count where the step may come again: 1 from the queue, 4 from step 5. Behind that,
 * with and without them the step in question was Go. */
static void add_steps(struct text *out, const Pb__DeploymentState *state)
{
    if (state->stop != NULL)
        return;
    add_results(out, state->steps[state->step], false);
    if (state->step == 0)
        add_results(out, state->steps[1], true);
    if (state->step == 5)
        add_results(out, state->steps[4], true);
}

static void add_people(struct text *out, const Pb__DeploymentState *state)
{
    for (size_t i = 0; i < state->n_approvals; i++)
        if (!state->approvals[i]->voided)
            text_add(out, "A%s", state->approvals[i]->role);
    for (size_t i = 0; i < state->n_signoffs; i++) {
        const Pb__SignOffGiven *const given = state->signoffs[i];

        if (given->try_number == state->steps[given->step]->try_number)
            text_add(out, "S%u%d", given->step, given->accept);
    }
}

/* Which came first decides nothing. */
static void add_incidents(struct text *out, const Pb__DeploymentState *state, bool of_checks)
{
    for (size_t i = 0; i < state->n_incidents; i++) {
        const Pb__Incident *const incident = state->incidents[i];

        if (incident->open && (strncmp(incident->cause, "check ", 6) == 0) == of_checks)
            text_add(out, "I%s%d", incident->cause, (int)incident->severity);
    }
}

static void add_rest(struct text *out, const Pb__DeploymentState *state)
{
    for (size_t i = 0; i < state->n_holds; i++)
        text_add(out,
                 "H%d%d",
                 (int)state->holds[i]->kind,
                 state->holds[i]->kind == PB__HOLD_KIND__HOLD_WINDOW &&
                     state->now_ms >= state->holds[i]->since_ms + WINDOW_GRACE_MS);
    for (size_t i = 0; i < state->n_applied; i++)
        text_add(out, "P%u.%u", state->applied[i]->change, state->applied[i]->batch);
    for (size_t i = 0; i < state->n_skipped; i++)
        text_add(out, "K%u", state->skipped[i]);
    for (size_t i = 0; i < state->n_lanes; i++)
        text_add(out, "L%d%d", state->lanes[i]->asked, state->lanes[i]->grant != 0);
    add_incidents(out, state, true);
    add_incidents(out, state, false);
    for (size_t i = 0; i < state->n_timers; i++)
        text_add(out, "C%s", state->timers[i]->id);
    text_add(out, "%d", state->phase_due_ms != 0); /* Also while it stands still. */
}

static uint64_t hashed(const char *text, size_t length, uint64_t seed)
{
    uint64_t hash = seed;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211ULL;
    return hash;
}

void key_state(struct text *out, const Pb__DeploymentState *state)
{
    const Pb__Cursor *const cursor = state->cursor;

    text_add(out,
             "%d,%u,%u.%u.%u.%d",
             (int)state->phase,
             state->step,
             cursor->change,
             cursor->batch,
             cursor->stage,
             (int)cursor->sub);
    text_add(out,
             "F%u%d%d%d",
             state->flags->percent,
             state->flags->disabled,
             state->flags->killed,
             state->flags->ever_on);
    text_add(out,
             "X%d%d%d%d%d%u%d",
             state->plan_hash[0] != '\0',
             state->stop != NULL ? (int)state->stop->kind : 0,
             state->superseded_by[0] != '\0',
             state->remeasure,
             state->clock_ended,
             state->extended,
             state->monitoring_active);
    add_tasks(out, state);
    add_steps(out, state);
    add_people(out, state);
    add_rest(out, state);
}

bool key_wanted(const char *name, bool deep)
{
    const char *const wanted = getenv("EXPLORE");
    const size_t length = strlen(name);

    if (wanted == NULL)
        return !deep;
    if (strcmp(wanted, "all") == 0)
        return true;
    for (const char *at = strstr(wanted, name); at != NULL; at = strstr(at + 1, name)) {
        if ((at == wanted || at[-1] == ',') && (at[length] == '\0' || at[length] == ','))
            return true;
    }
    return false;
}

void key_hash(const struct text *text, uint64_t ret[2])
{
    assert_true(text_ok(text));
    ret[0] = hashed(text->bytes, text->length, 14695981039346656037ULL);
    ret[1] = hashed(text->bytes, text->length, 88172645463325252ULL);
}

static void add_all(struct text *out,
                    const Pb__DeploymentState *state,
                    const struct world *world)
{
    key_state(out, state);
    text_add(out,
             "W%u,%u,%u,%u,%u,%d%d%d%d%u,%u,%u",
             world->changed,
             world->skipped,
             world->percent,
             world->granted,
             world->passed,
             world->latched,
             world->unseen,
             world->frozen,
             world->closed,
             world->late,
             world->late_percent,
             world->troubles);
}

enum { KEY_BYTES = 4096 };

void key_of(const Pb__DeploymentState *state, const struct world *world, uint64_t ret[2])
{
    char bytes[KEY_BYTES];
    struct text out = text_over(bytes, sizeof bytes);

    add_all(&out, state, world);
    key_hash(&out, ret);
}

const char *key_text(struct arena *arena,
                     const Pb__DeploymentState *state,
                     const struct world *world)
{
    char bytes[KEY_BYTES];
    struct text out = text_over(bytes, sizeof bytes);

    add_all(&out, state, world);
    assert_true(text_ok(&out));
    return arena_printf(arena, "%.*s", (int)out.length, out.bytes);
}
