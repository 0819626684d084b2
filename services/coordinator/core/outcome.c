#include "services/coordinator/core/flow.h"

#include <string.h>

enum { DRIVES_DEFAULT = 3, OBSERVED_BYTES_MAX = 400 };

static void go_inputs(struct turn *turn, const struct judgement *judgement)
{
    (void)judgement;
    review_enter(turn);
}

static void go_step(struct turn *turn, const struct judgement *judgement)
{
    step_go(turn, judgement->rule);
}

static void go_apply(struct turn *turn, const struct judgement *judgement)
{
    (void)judgement;
    cursor_move(turn, PB__SUB__SUB_HEALTH);
}

static void go_health(struct turn *turn, const struct judgement *judgement)
{
    (void)judgement;
    cursor_move(turn, PB__SUB__SUB_BAKE);
}

static void go_bake(struct turn *turn, const struct judgement *judgement)
{
    (void)judgement;
    turn->state->clock_ended = false;
    batch_next(turn);
}

static void go_activate(struct turn *turn, const struct judgement *judgement)
{
    (void)judgement;
    stage_set(turn);
}

static void go_watch(struct turn *turn, const struct judgement *judgement)
{
    (void)judgement;
    stage_verified(turn);
}

static void go_disable(struct turn *turn, const struct judgement *judgement)
{
    (void)judgement;
    flags_disabled(turn);
}

static void go_finalise(struct turn *turn, const struct judgement *judgement)
{
    (void)judgement;
    cursor_move(turn, PB__SUB__SUB_SIGN_OFFS);
}

/* clang-format off */
static const struct {
    const char *kind;
    void (*go)(struct turn *turn, const struct judgement *judgement);
} goes[] = {
    { "inputs",   go_inputs },
    { "checks",   go_step },
    { "apply",    go_apply },
    { "health",   go_health },
    { "bake",     go_bake },
    { "validate", go_step },
    { "activate", go_activate },
    { "watch",    go_watch },
    { "disable",  go_disable },
    { "confirm",  go_step },
    { "observe",  go_step },
    { "finalise", go_finalise },
};
/* clang-format on */

static void go_on(struct turn *turn, const char *kind, const struct judgement *judgement)
{
    for (size_t i = 0; i < sizeof goes / sizeof goes[0]; i++) {
        if (strcmp(goes[i].kind, kind) == 0)
            goes[i].go(turn, judgement);
    }
}

static uint32_t drives_allowed(const struct turn *turn)
{
    const Pb__Retry *const retry = plan_step(turn, turn->state->step)->retry;

    return retry != NULL && retry->drives > 0 ? retry->drives : DRIVES_DEFAULT;
}

static uint32_t remeasures_allowed(const struct turn *turn)
{
    const Pb__Retry *const retry = plan_step(turn, turn->state->step)->retry;

    if (turn->state->step == STEP_LAST)
        return 0;
    return retry != NULL ? retry->remeasures : 1;
}

/* Could not tell: measure again within the plan's budget; step 6 is extended once. */
static bool measured_again(struct turn *turn, Pb__TaskState *task)
{
    if (turn->state->step == 6) {
        if (turn->state->extended > 0)
            return false;
        turn->state->extended = 1;
        (void)entry_add(turn, "Extended", "not enough data: the period is extended once");
    } else if (task->remeasured >= remeasures_allowed(turn)) {
        return false;
    }
    task->remeasured++;
    task_again(turn, task, task_backoff_ms(turn, task));
    return true;
}

static void unwell(struct turn *turn, Pb__TaskState *task, const struct judgement *judgement)
{
    const bool apply = strcmp(task->kind, "apply") == 0;
    const bool intake = turn->state->step == 0;

    task_drop(turn, task);
    if (judgement->found == FOUND_FAIL || intake ||
        (judgement->found == FOUND_ERROR && apply)) {
        step_no_go(turn, judgement);
    } else if (judgement->found == FOUND_WARN && turn->state->step == 6) {
        incident_of_check(turn, judgement->check, judgement->rule);
        step_go(turn, judgement->rule);
    } else {
        step_block(turn, judgement->rule, judgement->remedy);
    }
}

static void judged(struct turn *turn, Pb__TaskState *task, const struct judgement *judgement)
{
    const char *const kind = task->kind;

    const bool noted = turn->state->step == 0 && judgement->found == FOUND_WARN;

    if (judgement->found == FOUND_GO || noted) {
        task_drop(turn, task);
        go_on(turn, kind, judgement);
    } else if (judgement->found == FOUND_WAIT && turn->state->step != 0) {
        task_drop(turn, task);
        cursor_move(
            turn, turn->state->step == STEP_LAST ? PB__SUB__SUB_SIGN_OFFS : PB__SUB__SUB_GATE);
    } else if (judgement->found == FOUND_ERROR && ++task->errors < drives_allowed(turn)) {
        task_again(turn, task, task_backoff_ms(turn, task));
    } else if (strcmp(kind, "disable") == 0) {
        task_drop(turn, task);
        stop(turn,
             PB__CAUSE_KIND__FAILURE,
             "flags could not be read back as 0: %s",
             judgement->rule);
    } else if (judgement->found != FOUND_UNSURE || !measured_again(turn, task)) {
        unwell(turn, task, judgement);
    }
}

/* A cancelled task is quiet when it reports, is lost, or meets its deadline; it is never driven
 * again. */
static void quiet(struct turn *turn, Pb__TaskState *task, const char *how)
{
    (void)entry_add(turn, "TaskQuiet", "%s is quiet: %s", task->kind, how);
    task_drop(turn, task);
}

static void beside_ended(struct turn *turn, Pb__TaskState *task, bool well)
{
    turn->immaterial = true;
    if (!well && ++task->errors < DRIVES_DEFAULT) {
        task_again(turn, task, task_backoff_ms(turn, task));
        return;
    }
    if (well && strcmp(task->kind, "kill") == 0 && turn->state->flags->off_ms == 0)
        turn->state->flags->off_ms = turn->now_ms;
    (void)entry_add(turn,
                    strcmp(task->kind, "kill") == 0 ? "KillReadBack" : "Announced",
                    "%s%s%s",
                    strcmp(task->kind, "kill") == 0 ? "flags asserted off at the provider"
                                                    : task->what,
                    well ? "" : ": not delivered",
                    well ? "" : ", the final read-back decides");
    task_drop(turn, task);
}

static Pb__Receipt *receipt_cut(struct turn *turn, const Pb__Receipt *receipt)
{
    Pb__Receipt *const kept = pb_new(turn->arena, &pb__receipt__descriptor);

    *kept = *receipt;
    kept->check = words_cut(turn, receipt->check, 80);
    kept->channel = words_cut(turn, receipt->channel, 60);
    kept->id = words_cut(turn, receipt->id, 100);
    kept->link = words_cut(turn, receipt->link, 200);
    return kept;
}

/* Names and digests are compared later: one that is too long is kept out, not cut. */
static bool observed_fits(const Pb__Observed *observed)
{
    return strlen(observed->target) + strlen(observed->instance) + strlen(observed->version) +
               strlen(observed->digest) + strlen(observed->fence) + strlen(observed->state) <=
           OBSERVED_BYTES_MAX;
}

static void keep_receipts(struct turn *turn, const Pb__TaskFinished *finished)
{
    Pb__DeploymentState *const state = turn->state;

    for (size_t i = 0; i < finished->n_receipts; i++) {
        const Pb__Receipt *const receipt = finished->receipts[i];
        bool known = false;

        for (size_t k = 0; k < state->n_receipts; k++)
            known = known || (pb_same(state->receipts[k]->check, receipt->check) &&
                              pb_same(state->receipts[k]->channel, receipt->channel));
        if (!known && state->n_receipts < RECEIPTS_MAX)
            PB_APPEND(turn->arena, state, receipts, receipt_cut(turn, receipt));
    }
}

/* What ran before anything was changed. Step 1 alone may say so. False when it does not fit:
 * the way back of what is left out would not be known. */
static bool keep_baseline(struct turn *turn, const Pb__TaskFinished *finished)
{
    if (turn->state->step != 1 || finished->n_observed == 0)
        return true;
    turn->state->n_baseline = 0;
    turn->state->baseline = NULL;
    for (size_t i = 0; i < finished->n_observed; i++) {
        if (turn->state->n_baseline == BASELINE_MAX || !observed_fits(finished->observed[i]))
            return false;
        PB_APPEND(turn->arena, turn->state, baseline, finished->observed[i]);
    }
    return true;
}

static struct judgement baseline_too_large(struct turn *turn, const Pb__TaskFinished *finished)
{
    return (struct judgement){
        FOUND_FAIL,
        arena_printf(turn->arena,
                     "%zu instances report what they run: more, or longer, than a deployment "
                     "can remember (%d)",
                     finished->n_observed,
                     BASELINE_MAX),
        "split the deployment by target",
        "env.baseline_known",
    };
}

static void keep_coverage(struct turn *turn, const Pb__TaskFinished *finished)
{
    Pb__CheckResult *const result = result_put(turn, state_step(turn, 6), "coverage");
    const uint32_t wanted_bp = turn->plan->coverage_bp;

    result->verdict =
        finished->coverage_bp >= wanted_bp ? PB__VERDICT__PASS : PB__VERDICT__NO_DATA;
    result->observed = arena_printf(turn->arena,
                                    "%u.%02u %% of the period, wanted %u.%02u %%",
                                    finished->coverage_bp / 100,
                                    finished->coverage_bp % 100,
                                    wanted_bp / 100,
                                    wanted_bp % 100);
}

/* A short period may end before any progress was told. */
static void observe_findings(struct turn *turn, const Pb__TaskFinished *finished)
{
    bool seen = false;

    for (size_t i = 0; i < finished->n_findings; i++) {
        if (finished->findings[i]->verdict != PB__VERDICT__PASS)
            continue;
        seen = true;
        incident_of_check_over(turn, finished->findings[i]->check);
    }
    if (seen)
        observe_active(turn, finished->links, finished->n_links);
}

static void work_finished(struct turn *turn,
                          Pb__TaskState *task,
                          const Pb__TaskFinished *finished)
{
    const bool observe = strcmp(task->kind, "observe") == 0;
    const bool fits = keep_baseline(turn, finished);
    struct judgement judgement;

    turn->state->samples = finished->samples > 0 ? finished->samples : turn->state->samples;
    entry_findings(turn, finished->findings, finished->n_findings);
    if (observe && finished->outcome == PB__OUTCOME__OUTCOME_OK) {
        keep_coverage(turn, finished);
        observe_findings(turn, finished);
    }
    judgement = judge_finished(turn, task, finished);
    if (!fits)
        judgement = baseline_too_large(turn, finished);
    if (!task_is(task, TASK_UNDO) && task_kind_find(task->kind)->expected != NULL)
        entry_own_findings(turn, task_kind_find(task->kind)->expected(turn));
    (void)entry_add(turn, "TaskFinished", "%s: %s", task->kind, judgement.rule);
    if (task_is(task, TASK_UNDO))
        undo_judged(turn, task, &judgement);
    else
        judged(turn, task, &judgement);
}

/* The task that the word is about, or NULL when it is late. */
static Pb__TaskState *task_spoken_of(struct turn *turn, const char *id, uint32_t drive)
{
    Pb__TaskState *const task = task_find(turn, id);

    if (task == NULL || task->drive != drive || task->retry_at_ms != 0)
        return NULL;
    turn->by = task->worker;
    return task;
}

enum procedure_answer task_finished(struct turn *turn, const Pb__TaskFinished *finished)
{
    Pb__TaskState *const task = task_spoken_of(turn, finished->task, finished->drive);

    if (task == NULL)
        return turn_stale(turn, "drive %u of %s is over", finished->drive, finished->task);
    keep_receipts(turn, finished);
    links_add(turn, finished->links, finished->n_links);
    if (task->cancelling)
        quiet(turn, task, "it reported");
    else if (task_is(task, TASK_BESIDE))
        beside_ended(turn, task, finished->outcome == PB__OUTCOME__OUTCOME_OK);
    else
        work_finished(turn, task, finished);
    return PROCEDURE_APPLIED;
}

enum procedure_answer task_lost(struct turn *turn, const Pb__TaskLost *lost)
{
    Pb__TaskState *const task = task_spoken_of(turn, lost->task, lost->drive);
    struct judgement judgement = { FOUND_ERROR, "", "", "" };

    if (task == NULL)
        return turn_stale(turn, "drive %u of %s is over", lost->drive, lost->task);
    judgement.rule = arena_printf(turn->arena, "%s was lost: %s", task->kind, lost->why);
    turn->by = "coordinator";
    (void)entry_add(turn, "TaskLost", "%s", judgement.rule);
    if (task->cancelling)
        quiet(turn, task, "it was lost");
    else if (task_is(task, TASK_BESIDE))
        beside_ended(turn, task, false);
    else if (task_is(task, TASK_UNDO))
        undo_judged(turn, task, &judgement);
    else
        judged(turn, task, &judgement);
    return PROCEDURE_APPLIED;
}

enum procedure_answer task_started(struct turn *turn, const Pb__TaskStarted *started)
{
    Pb__TaskState *const task = task_spoken_of(turn, started->task, started->drive);

    if (task == NULL)
        return turn_stale(turn, "drive %u of %s is over", started->drive, started->task);
    if (task->started_drive == started->drive)
        return turn_stale(turn, "drive %u of %s has begun", started->drive, started->task);
    turn->immaterial = true;
    task->started_drive = started->drive;
    (void)entry_add(turn, "TaskStarted", "%s by %s", task->kind, started->instance);
    return PROCEDURE_APPLIED;
}

/* The first breach of a critical metric while observing is enough. */
static void progress_of_observe(struct turn *turn, const Pb__TaskProgress *progress)
{
    for (size_t i = 0; i < progress->n_findings && turn->state->stop == NULL; i++) {
        const Pb__Finding *const finding = progress->findings[i];
        const struct judgement fail = {
            FOUND_FAIL,
            arena_printf(turn->arena, "%s FAIL: %s", finding->check, finding->observed),
            finding->remedy,
            finding->check
        };

        if (finding->verdict == PB__VERDICT__PASS)
            incident_of_check_over(turn, finding->check);
        if (finding->verdict == PB__VERDICT__WARN)
            incident_of_check(turn, finding->check, finding->observed);
        if (finding->verdict == PB__VERDICT__FAIL && step_metric_critical(turn, finding->check))
            step_no_go(turn, &fail);
    }
}

enum procedure_answer task_progress(struct turn *turn, const Pb__TaskProgress *progress)
{
    Pb__TaskState *const task = task_spoken_of(turn, progress->task, progress->drive);

    if (task == NULL || task->cancelling || task_is(task, TASK_UNDO) ||
        task_is(task, TASK_BESIDE))
        return turn_stale(turn, "drive %u of %s is over", progress->drive, progress->task);
    turn->immaterial = true;
    turn->state->samples = progress->samples;
    results_merge(turn, progress->findings, progress->n_findings);
    /* Nor is what stands there now a measurement to its end, if an earlier drive made one. */
    if (progress->n_findings > 0)
        state_step(turn, turn->state->step)->measured_ms = 0;
    if (strcmp(task->kind, "observe") == 0) {
        if (progress->active)
            observe_active(turn, progress->links, progress->n_links);
        progress_of_observe(turn, progress);
        turn->immaterial = turn->state->stop == NULL;
    }
    return PROCEDURE_APPLIED;
}
