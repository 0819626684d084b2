#include "common/runtime/worker.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { OBSERVED_MAX = 4096 };

static bool task_stopped(void *self)
{
    const struct worker_task *const task = self;

    return task->stopped(task);
}

static bool takes_back(const Pb__Command *command)
{
    return command->body_case == PB__COMMAND__BODY_REVERT ||
           command->body_case == PB__COMMAND__BODY_READ_BACK ||
           command->body_case == PB__COMMAND__BODY_KILL_FLAGS;
}

/* The second part of a task's name is its step. */
unsigned worker_in_hand(const Pb__Command *command)
{
    const char *const task =
        command->body_case == PB__COMMAND__BODY_CANCEL ? command->cancel->task : command->task;
    const char *const step = strchr(task, '/');

    if (takes_back(command))
        return CRASH_UNDO;
    return step != NULL && step[1] >= '0' && step[1] <= '7' ? CRASH_STEP(step[1] - '0') : 0;
}

struct driver_env worker_driver_env(const struct worker_ports *ports,
                                    const struct worker_task *task,
                                    struct arena *scratch)
{
    /* The driver hands the task back to task_stopped, which does not change it. */
    union {
        const struct worker_task *borrowed;
        void *self;
    } pointer = { .borrowed = task };

    return (struct driver_env){
        .arena = scratch,
        .clock = ports->service->clock,
        .http = ports->http,
        .process = ports->service->process,
        .settings = ports->service->settings,
        .stopped = task != NULL ? task_stopped : NULL,
        .stopped_self = pointer.self,
        .crash = ports->service->crash,
        .in_hand = task != NULL ? worker_in_hand(task->command) : 0,
    };
}

Pb__Finding *worker_find(struct worker_task *task,
                         const Pb__CheckSpec *check,
                         Pb__Verdict verdict,
                         const char *observed,
                         ...)
{
    Pb__Finding *const finding = pb_new(task->arena, &pb__finding__descriptor);
    char text[OBSERVED_MAX];
    va_list args;

    va_start(args, observed);
    (void)vsnprintf(text, sizeof text, observed, args);
    va_end(args);
    finding->check = arena_text(task->arena, check->id);
    finding->kind = arena_text(task->arena, check->kind);
    finding->required = check->required;
    finding->remedy = arena_text(task->arena, check->remedy);
    finding->verdict = verdict;
    finding->observed = arena_text(task->arena, text);
    PB_APPEND(task->arena, task->result, findings, finding);
    return finding;
}
