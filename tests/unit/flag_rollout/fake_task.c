#include "tests/unit/flag_rollout/fake_task.h"

#include "common/base/text.h"

enum { STEPS_MAX = 1000 };

static bool stopped(const struct worker_task *task)
{
    const struct fake_task *const fake = task->runtime;

    return fake->stop;
}

static void progress(struct worker_task *task, const Pb__TaskProgress *what)
{
    (void)task;
    (void)what;
}

void fake_task_open(struct fake_task *fake,
                    const Pb__Command *command,
                    const struct memory_clock *clock)
{
    *fake = (struct fake_task){ .arena = arena_with_limit(4 << 20) };
    fake->task.command = command;
    fake->task.arena = &fake->arena;
    fake->task.started_ms = clock->now_ms;
    fake->task.stopped = stopped;
    fake->task.progress = progress;
    fake->task.runtime = fake;
    fake->task.result = pb_new(&fake->arena, &pb__task_finished__descriptor);
}

void fake_task_close(struct fake_task *fake)
{
    arena_release(&fake->arena);
}

enum worker_step fake_task_step(struct fake_task *fake,
                                handler_step step,
                                const struct worker_ports *ports,
                                struct memory_clock *clock)
{
    struct error error = { 0 };
    const enum worker_step answer = step(ports, &fake->task, &error);

    fake->steps++;
    if (answer == WORKER_AGAIN)
        memory_clock_advance_to(clock, fake->task.wake_ms);
    else if (fake->task.result->outcome == PB__OUTCOME__OUTCOME_UNSPECIFIED) {
        fake->task.result->outcome = PB__OUTCOME__OUTCOME_ERROR;
        fake->task.result->error = arena_text(&fake->arena, error.text);
    }
    return answer;
}

const Pb__TaskFinished *fake_task_run(struct fake_task *fake,
                                      handler_step step,
                                      const struct worker_ports *ports,
                                      struct memory_clock *clock)
{
    while (fake->steps < STEPS_MAX) {
        if (fake_task_step(fake, step, ports, clock) == WORKER_DONE)
            break;
    }
    return fake->task.result;
}

const Pb__Finding *fake_task_finding(const struct fake_task *fake, const char *check)
{
    for (size_t i = 0; i < fake->task.result->n_findings; i++) {
        if (pb_same(fake->task.result->findings[i]->check, check))
            return fake->task.result->findings[i];
    }
    return NULL;
}
