#include "services/coordinator/core/work.h"

#include <string.h>

enum { MINUTE_MS = 60 * 1000, TASK_DEFAULT_MS = 10 * MINUTE_MS };

/* The plan outlives the turn and commands are packed before it ends, so bodies borrow from it.
 */
static Pb__RunChecks *run_checks(struct turn *turn,
                                 struct expectation all,
                                 Pb__Command *command)
{
    Pb__RunChecks *const body = pb_new(turn->arena, &pb__run_checks__descriptor);
    const struct expectation asked = expect_of_worker(turn, all);

    body->checks = asked.item;
    body->n_checks = asked.count;
    body->flags = turn->plan->flags;
    body->n_flags = turn->plan->n_flags;
    body->baseline = turn->state->baseline;
    body->n_baseline = turn->state->n_baseline;
    command->body_case = PB__COMMAND__BODY_RUN_CHECKS;
    command->run_checks = body;
    return body;
}

void fill_inputs(struct turn *turn, const Pb__TaskState *task, Pb__Command *command)
{
    (void)task;
    (void)run_checks(turn, expect_inputs(turn), command);
}

void fill_checks(struct turn *turn, const Pb__TaskState *task, Pb__Command *command)
{
    Pb__RunChecks *const body = run_checks(turn, expect_step(turn), command);
    const Pb__Plan *const plan = turn->plan;

    (void)task;
    body->changes = plan->changes;
    body->n_changes = plan->n_changes;
    body->report = plan->report;
    body->documents = plan->documents;
    body->n_documents = plan->n_documents;
    body->stages = plan->stages;
    body->n_stages = plan->n_stages;
    if (turn->state->step == 1) {
        body->dashboards = plan->dashboards;
        body->n_dashboards = plan->n_dashboards;
        body->windows = plan->windows;
        body->n_windows = plan->n_windows;
    }
    body->percent = turn->state->flags->percent;
    body->audience = turn->state->flags->audience;
    body->report_baseline = turn->state->step == 1;
}

/* The change with no other batch than the one that was just brought. */
static Pb__Change *change_narrowed(struct turn *turn, const Pb__Change *change, uint32_t batch)
{
    Pb__Change *const narrowed = pb_new(turn->arena, &pb__change__descriptor);

    *narrowed = *change;
    if (batch < change->n_batches) {
        narrowed->batches = change->batches + batch;
        narrowed->n_batches = 1;
    }
    return narrowed;
}

void fill_health(struct turn *turn, const Pb__TaskState *task, Pb__Command *command)
{
    Pb__RunChecks *const body = run_checks(turn, expect_health(turn), command);
    const Pb__Cursor *const cursor = turn->state->cursor;

    (void)task;
    PB_APPEND(turn->arena,
              body,
              changes,
              change_narrowed(turn, plan_change(turn, cursor->change), cursor->batch));
}

void fill_apply(struct turn *turn, const Pb__TaskState *task, Pb__Command *command)
{
    Pb__ApplyChange *const body = pb_new(turn->arena, &pb__apply_change__descriptor);
    const Pb__Cursor *const cursor = turn->state->cursor;

    (void)task;
    body->change = turn->plan->changes[cursor->change];
    body->batch = cursor->batch;
    body->baseline = turn->state->baseline;
    body->n_baseline = turn->state->n_baseline;
    command->body_case = PB__COMMAND__BODY_APPLY;
    command->apply = body;
}

void fill_revert(struct turn *turn, const Pb__TaskState *task, Pb__Command *command)
{
    Pb__RevertChange *const body = pb_new(turn->arena, &pb__revert_change__descriptor);
    const Pb__Cursor *const cursor = turn->state->cursor;

    (void)task;
    body->change = turn->plan->changes[cursor->change];
    body->batch = cursor->batch;
    body->baseline = turn->state->baseline;
    body->n_baseline = turn->state->n_baseline;
    command->body_case = PB__COMMAND__BODY_REVERT;
    command->revert = body;
}

void fill_read_back(struct turn *turn, const Pb__TaskState *task, Pb__Command *command)
{
    Pb__ReadBack *const body = pb_new(turn->arena, &pb__read_back__descriptor);
    const Pb__Plan *const plan = turn->plan;

    (void)task;
    body->changes = plan->changes;
    body->n_changes = plan->n_changes;
    body->baseline = turn->state->baseline;
    body->n_baseline = turn->state->n_baseline;
    body->skipped = turn->state->skipped;
    body->n_skipped = turn->state->n_skipped;
    for (size_t i = 0; i < plan->n_changes; i++) {
        if (plan->changes[i]->on_rollback == PB__ON_ROLLBACK__KEEP)
            PB_APPEND(turn->arena, body, kept, plan->changes[i]);
    }
    command->body_case = PB__COMMAND__BODY_READ_BACK;
    command->read_back = body;
}

/* Before the first stage the worker reads the plan again and holds it against the approvals. */
static void ask_for_review(struct turn *turn, Pb__SetFlags *body)
{
    const Pb__StepPlan *const step = plan_step(turn, 4);

    for (size_t i = 0; i < step->n_checks; i++)
        if (strcmp(step->checks[i]->id, "rollout.reviewed") == 0 &&
            step->checks[i]->not_applicable[0] == '\0')
            PB_APPEND(turn->arena, body, checks, step->checks[i]);
}

void fill_flags(struct turn *turn, const Pb__TaskState *task, Pb__Command *command)
{
    Pb__SetFlags *const body = pb_new(turn->arena, &pb__set_flags__descriptor);
    const struct expectation asked = expect_of_worker(turn, expect_flags(turn));

    (void)task;
    body->flags = turn->plan->flags;
    body->n_flags = turn->plan->n_flags;
    body->sequence = turn->state->flags->sequence;
    body->percent = turn->state->flags->percent;
    body->audience = turn->state->flags->audience;
    body->stage = turn->state->cursor->stage;
    body->checks = asked.item;
    body->n_checks = asked.count;
    if (turn->state->cursor->stage == 0 && turn->state->flags->percent > 0)
        ask_for_review(turn, body);
    command->body_case = PB__COMMAND__BODY_SET_FLAGS;
    command->set_flags = body;
}

/* A write that a provider has still under way may land until its timeout has passed: the final
 * read-back counts only after that. Where nothing was ever granted there is none. */
void fill_kill(struct turn *turn, const Pb__TaskState *task, Pb__Command *command)
{
    Pb__KillFlags *const body = pb_new(turn->arena, &pb__kill_flags__descriptor);

    body->flags = turn->plan->flags;
    body->n_flags = turn->plan->n_flags;
    body->reason = turn->state->stop != NULL ? turn->state->stop->cause : "";
    body->undo_of = turn->state->undo_of;
    if (task_is(task, TASK_UNDO) && turn->state->flags->ever_on)
        body->settle_ms = turn->plan->flag_timeout_ms;
    command->body_case = PB__COMMAND__BODY_KILL_FLAGS;
    command->kill_flags = body;
}

static void watch_limits(struct turn *turn, const char *kind, Pb__Watch *body)
{
    const Pb__Cursor *const cursor = turn->state->cursor;
    const Pb__Change *const change = plan_change(turn, cursor->change);
    const Pb__Stage *const stage = plan_stage(turn, cursor->stage);
    const int64_t margin_ms =
        or_default(plan_step(turn, turn->state->step)->task_deadline_ms, TASK_DEFAULT_MS);

    if (strcmp(kind, "bake") == 0 && change != NULL) {
        body->kind = "bake";
        body->min_ms = change->bake_ms;
        body->change = cursor->change;
        body->batch = cursor->batch;
    } else if (strcmp(kind, "watch") == 0 && stage != NULL) {
        body->kind = "stage";
        body->min_ms = stage->min_ms;
        body->max_ms = stage->max_ms;
        body->min_samples = stage->min_samples;
        body->stage = cursor->stage;
    } else {
        body->kind = "observe";
        body->min_ms = turn->plan->observe_ms;
        body->coverage_bp = turn->plan->coverage_bp;
    }
    if (turn->state->remeasure)
        body->min_ms = turn->plan->sample_every_ms;
    else if (turn->state->extended > 0)
        body->min_ms = turn->plan->observe_ms / 4;
    if (body->max_ms < body->min_ms)
        body->max_ms = body->min_ms + margin_ms;
}

void fill_watch(struct turn *turn, const Pb__TaskState *task, Pb__Command *command)
{
    Pb__Watch *const body = pb_new(turn->arena, &pb__watch__descriptor);
    const struct expectation asked =
        expect_of_worker(turn, task_kind_find(task->kind)->expected(turn));

    watch_limits(turn, task->kind, body);
    body->checks = asked.item;
    body->n_checks = asked.count;
    body->sample_every_ms = turn->plan->sample_every_ms;
    body->percent = turn->state->flags->percent;
    body->audience = turn->state->flags->audience;
    body->flags = turn->plan->flags;
    body->n_flags = turn->plan->n_flags;
    body->services = turn->plan->services;
    body->n_services = turn->plan->n_services;
    body->clock_ended = turn->state->clock_ended;
    command->body_case = PB__COMMAND__BODY_WATCH;
    command->watch = body;
}

int64_t task_limit_ms(struct turn *turn, const Pb__TaskState *task)
{
    const int64_t limit_ms =
        or_default(plan_step(turn, turn->state->step)->task_deadline_ms, TASK_DEFAULT_MS);
    const Pb__Change *const change = plan_change(turn, turn->state->cursor->change);
    Pb__Watch watch = PB__WATCH__INIT;

    if (task_is(task, TASK_WATCH)) {
        watch_limits(turn, task->kind, &watch);
        return watch.max_ms + limit_ms;
    }
    if (strcmp(task->kind, "apply") == 0 || strcmp(task->kind, "revert") == 0)
        return or_default(change != NULL ? change->timeout_ms : 0, limit_ms);
    if (strcmp(task->kind, "flags-off") == 0)
        return limit_ms + turn->plan->flag_timeout_ms;
    return task_is(task, TASK_BESIDE) ? TASK_DEFAULT_MS : limit_ms;
}

/* An open item of step 7 is done alone; what has its receipt is not done again. */
void fill_finalise(struct turn *turn, const Pb__TaskState *task, Pb__Command *command)
{
    Pb__Finalise *const body = pb_new(turn->arena, &pb__finalise__descriptor);
    const struct expectation asked = expect_of_worker(turn, expect_step(turn));
    const Pb__StepState *const step = state_step(turn, 7);

    (void)task;
    for (size_t i = 0; i < asked.count; i++) {
        const Pb__CheckResult *const result = result_find(step, asked.item[i]->id);

        if (result == NULL || (result->verdict != PB__VERDICT__PASS && !result->waived))
            PB_APPEND(turn->arena, body, checks, asked.item[i]);
    }
    body->channels = turn->plan->channels;
    body->n_channels = turn->plan->n_channels;
    body->ticket = turn->state->ticket;
    body->exit = "COMPLETED";
    body->links = turn->state->links;
    body->n_links = turn->state->n_links;
    announce_facts(turn, &body->facts, &body->n_facts);
    command->body_case = PB__COMMAND__BODY_FINALISE;
    command->finalise = body;
}
