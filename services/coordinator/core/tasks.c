#include "services/coordinator/core/work.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    DRIVES_DEFAULT_FIRST_MS = 1000,
    DRIVES_DEFAULT_MAX_MS = 30 * 1000,
    QUIET_MS = 10 * 1000,
};

/* clang-format off */
static const struct task_kind kinds[] = {
    /* name        worker          flags         asked           expected */
    { "inputs",    "prechecks",    0,            fill_inputs,    expect_inputs },
    { "checks",    "prechecks",    0,            fill_checks,    expect_step },
    { "apply",     "executor",     TASK_FORWARD, fill_apply,     expect_apply },
    { "health",    "validator",    0,            fill_health,    expect_health },
    { "bake",      "monitor",      TASK_WATCH,   fill_watch,     expect_bake },
    { "validate",  "validator",    0,            fill_checks,    expect_step },
    { "activate",  "flag-rollout", TASK_FORWARD, fill_flags,     expect_flags },
    { "watch",     "monitor",      TASK_WATCH,   fill_watch,     expect_stage },
    { "disable",   "flag-rollout", 0,            fill_flags,     NULL },
    { "confirm",   "validator",    0,            fill_checks,    expect_step },
    { "observe",   "monitor",      TASK_WATCH,   fill_watch,     expect_step },
    { "finalise",  "notifier",     0,            fill_finalise,  expect_step },
    { "revert",    "executor",     TASK_UNDO,    fill_revert,    NULL },
    { "read-back", "executor",     TASK_UNDO,    fill_read_back, NULL },
    { "flags-off", "flag-rollout", TASK_UNDO,    fill_kill,      NULL },
    { "kill",      "flag-rollout", TASK_BESIDE,  fill_kill,      NULL },
    { "announce",  "notifier",     TASK_BESIDE,  fill_announce,  NULL },
};
/* clang-format on */

const struct task_kind *task_kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}

bool task_is(const Pb__TaskState *task, enum task_flag flag)
{
    const struct task_kind *const kind = task_kind_find(task->kind);

    return kind != NULL && (kind->flags & flag) != 0;
}

Pb__TaskState *task_main(const struct turn *turn)
{
    for (size_t i = 0; i < turn->state->n_tasks; i++) {
        if (!task_is(turn->state->tasks[i], TASK_BESIDE))
            return turn->state->tasks[i];
    }
    return NULL;
}

Pb__TaskState *task_find(const struct turn *turn, const char *id)
{
    for (size_t i = 0; i < turn->state->n_tasks; i++) {
        if (strcmp(turn->state->tasks[i]->task, id) == 0)
            return turn->state->tasks[i];
    }
    return NULL;
}

/* The grant of the lane that the change at the cursor belongs to; 0 while none is held. */
static uint64_t grant_here(const struct turn *turn)
{
    const Pb__Change *const change = plan_change(turn, turn->state->cursor->change);
    uint64_t grant = 0;

    for (size_t i = 0; i < turn->state->n_lanes; i++) {
        const Pb__LaneHold *const lane = turn->state->lanes[i];
        const char *const service = strrchr(lane->lane, '/');

        if (change != NULL && service != NULL && strcmp(service + 1, change->service) == 0)
            return lane->grant;
        if (lane->grant > grant)
            grant = lane->grant;
    }
    return grant;
}

static void already_delivered(struct turn *turn, Pb__Command *command)
{
    for (size_t i = 0; i < turn->state->n_receipts; i++)
        PB_APPEND(turn->arena, command, already_delivered, turn->state->receipts[i]->check);
}

/* The fence is the lane's grant and the version of this turn, so that each drive, and each undo
 * after it, outranks all before. */
static void task_send(struct turn *turn, Pb__TaskState *task)
{
    const struct task_kind *const kind = task_kind_find(task->kind);
    Pb__Command *const command = pb_new(turn->arena, &pb__command__descriptor);

    task->drive++;
    task->retry_at_ms = 0;
    task->deadline_ms = turn->now_ms + task_limit_ms(turn, task);
    task->fence = pb_new(turn->arena, &pb__fence__descriptor);
    task->fence->grant = grant_here(turn);
    task->fence->version = turn->state->version;
    command->deployment = turn->state->id;
    command->feature = turn->state->feature;
    command->environment = turn->state->environment;
    command->task = task->task;
    command->drive = task->drive;
    command->fence = task->fence;
    command->deadline_ms = task->deadline_ms;
    command->config_hash = turn->plan != NULL ? turn->plan->config_hash : "";
    command->plan_hash = turn->state->plan_hash;
    if (strcmp(task->worker, "notifier") == 0)
        already_delivered(turn, command);
    kind->fill(turn, task, command);
    effect_command(turn, task->worker, command);
}

static Pb__TaskState *task_new(struct turn *turn, const struct task_kind *kind)
{
    Pb__DeploymentState *const state = turn->state;
    Pb__TaskState *const task = pb_new(turn->arena, &pb__task_state__descriptor);
    const Pb__StepState *const step = state_step(turn, state->step);

    task->task = arena_printf(turn->arena,
                              "%s/%u/%u/%u",
                              state->id,
                              state->step,
                              step != NULL ? step->try_number : 0,
                              state->next_task++);
    task->worker = kind->worker;
    task->kind = kind->name;
    task->announce = (kind->flags & TASK_BESIDE) != 0;
    PB_APPEND(turn->arena, state, tasks, task);
    return task;
}

Pb__TaskState *task_start(struct turn *turn, const char *name)
{
    const struct task_kind *const kind = task_kind_find(name);
    Pb__TaskState *const task = task_new(turn, kind);

    if (kind->expected != NULL)
        results_forget(turn, kind->expected(turn));
    task_send(turn, task);
    return task;
}

void task_again(struct turn *turn, Pb__TaskState *task, int64_t delay_ms)
{
    if (delay_ms == 0) {
        task_send(turn, task);
        return;
    }
    task->retry_at_ms = turn->now_ms + delay_ms;
    task->deadline_ms = 0;
}

int64_t task_backoff_ms(const struct turn *turn, const Pb__TaskState *task)
{
    const Pb__Retry *const retry = plan_step(turn, turn->state->step)->retry;
    int64_t delay_ms = or_default(retry != NULL ? retry->first_ms : 0, DRIVES_DEFAULT_FIRST_MS);
    const int64_t max_ms = or_default(retry != NULL ? retry->max_ms : 0, DRIVES_DEFAULT_MAX_MS);

    for (uint32_t i = 1; i < task->errors && delay_ms < max_ms; i++)
        delay_ms *= 2;
    return delay_ms < max_ms ? delay_ms : max_ms;
}

void task_drop(struct turn *turn, Pb__TaskState *task)
{
    for (size_t i = 0; i < turn->state->n_tasks; i++) {
        if (turn->state->tasks[i] != task)
            continue;
        PB_REMOVE(turn->state, tasks, i);
        effect_forget(turn, task->task);
        return;
    }
}

void task_cancel(struct turn *turn, Pb__TaskState *task)
{
    if (task->retry_at_ms != 0) {
        task_drop(turn, task);
        return;
    }
    task->cancelling = true;
    if (task->deadline_ms <= turn->now_ms)
        task->deadline_ms = turn->now_ms + task_limit_ms(turn, task);
    /* Who only looks leaves nothing behind: undo does not wait long for a dead observer. */
    if (!task_is(task, TASK_FORWARD) && task->deadline_ms > turn->now_ms + QUIET_MS)
        task->deadline_ms = turn->now_ms + QUIET_MS;
    effect_cancel(turn, task);
}

/* The oldest announcement gives way: its record stays, so that it is still delivered, but
 * nothing drives it again. */
static void make_room_beside(struct turn *turn)
{
    size_t beside = 0;

    for (size_t i = turn->state->n_tasks; i-- > 0;) {
        if (!task_is(turn->state->tasks[i], TASK_BESIDE))
            continue;
        if (++beside < BESIDE_MAX)
            continue;
        PB_REMOVE(turn->state, tasks, i);
        return;
    }
}

void announce(struct turn *turn, const char *what, const char *format, ...)
{
    Pb__ChannelUse **channels;
    Pb__TaskState *task;
    char text[1024];
    va_list arguments;

    if (announce_channels(turn, what, &channels) == 0)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    make_room_beside(turn);
    task = task_new(turn, task_kind_find("announce"));
    task->what = what;
    task->text = words_cut(turn, arena_text(turn->arena, text), 600);
    task_send(turn, task);
}
