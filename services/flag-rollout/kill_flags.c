#include "services/flag-rollout/read_back.h"

#include <inttypes.h>

/* What a kill remembers between its steps. */
struct kill_memory {
    int64_t off_ms; /* When the flags first read as off everywhere; 0: not yet. */
};

/* Granted to another than the deployment that is stopped and the one it takes back: what stood
 * before it and stands still, as an earlier attempt that was completed left it. */
static bool is_of_another(const Pb__Command *command, const struct flag_value *granted)
{
    return granted->percent > 0 && !granted->latched &&
           !pb_same(granted->deployment, command->deployment) &&
           !pb_same(granted->deployment, command->kill_flags->undo_of);
}

/* Off for good: an instance that does not know the latch counts only if it holds a value at
 * least as new as the newest that was granted, and that is 0. A flag that was never granted
 * needs only to read as off; one that another deployment holds is not ours to turn off. */
static bool wanted_of(struct flag_rollout *state,
                      struct arena *arena,
                      const Pb__Command *command,
                      const Pb__FlagSpec *flag,
                      struct flag_value *ret)
{
    struct flag_value granted;
    const bool known =
        control_value(state->control, arena, command->environment, flag->key, &granted);

    *ret = (struct flag_value){ .audience = "", .deployment = command->deployment };
    if (!known)
        return true;
    if (is_of_another(command, &granted)) {
        *ret = granted;
        return false;
    }
    ret->latched = true;
    ret->sequence = granted.sequence;
    return true;
}

static Pb__Finding *held_by_another(struct arena *arena,
                                    const Pb__FlagSpec *flag,
                                    const struct flag_value *value)
{
    Pb__Finding *const finding = pb_new(arena, &pb__finding__descriptor);

    finding->verdict = PB__VERDICT__PASS;
    finding->observed = arena_printf(arena,
                                     "%s is not this deployment's: %s holds it at %u %%",
                                     flag->key,
                                     value->deployment,
                                     value->percent);
    finding->evidence = "control.v1";
    return finding;
}

static struct merged assert_all(const struct worker_ports *ports,
                                struct worker_task *task,
                                struct arena *scratch)
{
    const Pb__Command *const command = task->command;
    const struct driver_env env = worker_driver_env(ports, task, scratch);
    struct merged merged = { 0 };

    for (size_t i = 0; i < command->kill_flags->n_flags; i++) {
        const Pb__FlagSpec *const flag = command->kill_flags->flags[i];
        struct flag_value wanted;
        const bool ours = wanted_of(ports->state, scratch, command, flag, &wanted);

        merge(scratch,
              &merged,
              ours ? read_back_assert(ports, &env, flag, command->environment, &wanted)
                   : held_by_another(scratch, flag, &wanted));
    }
    return merged;
}

static const char *latch_text(struct arena *arena,
                              const Pb__Kill *kill,
                              const struct kill_memory *memory)
{
    const int64_t took_ms = memory->off_ms - kill->at_ms;

    if (memory->off_ms == 0 || took_ms < 0)
        return arena_printf(arena, "latched: %s", kill->reason);
    return arena_printf(arena,
                        "latched: %s; off everywhere %" PRId64 " ms after the latch",
                        kill->reason,
                        took_ms);
}

static enum worker_step finish(struct worker_task *task,
                               const Pb__Kill *kill,
                               const struct merged *merged)
{
    const struct merged latch = {
        .verdict = kill != NULL ? PB__VERDICT__PASS : PB__VERDICT__ERROR,
        .observed = kill != NULL ? latch_text(task->arena, kill, task->memory)
                                 : "control.v1 holds no latch of this deployment yet",
        .wanted = "a latch on control.v1",
        .evidence = "control.v1",
    };

    find_merged(task, check_named(task->arena, NULL, 0, "flag.kill"), &latch);
    if (merged->verdict != PB__VERDICT__VERDICT_UNSPECIFIED)
        find_merged(task, check_named(task->arena, NULL, 0, "flag.read_back"), merged);
    task->result->outcome =
        read_back_outcome(kill != NULL ? merged->verdict : PB__VERDICT__ERROR);
    if (task->result->outcome == PB__OUTCOME__OUTCOME_ERROR)
        task->result->error =
            arena_text(task->arena, kill != NULL ? merged->observed : latch.observed);
    return WORKER_DONE;
}

static enum worker_step step(const struct worker_ports *ports,
                             struct worker_task *task,
                             struct arena *scratch)
{
    struct flag_rollout *const state = ports->state;
    struct kill_memory *const memory = task->memory;
    const Pb__Kill *const kill =
        control_kill(state->control, scratch, task->command->deployment);
    const int64_t settled_ms = task->started_ms + task->command->kill_flags->settle_ms;
    struct merged merged = { .verdict = PB__VERDICT__PASS,
                             .observed = "the plan brings no flag" };
    int64_t now_ms;

    if (task->command->kill_flags->n_flags > 0)
        merged = assert_all(ports, task, scratch);
    now_ms = clock_now_ms(ports->service->clock);
    if (merged.verdict != PB__VERDICT__PASS)
        memory->off_ms = 0;
    else if (memory->off_ms == 0)
        memory->off_ms = now_ms;
    /* A write that was on its way when the latch came has landed by settled_ms. The task began
     * after the latch, so counting from there errs on the safe side whatever clocks say. */
    if (kill != NULL && merged.verdict == PB__VERDICT__PASS && now_ms >= settled_ms)
        return finish(task, kill, &merged);
    if (read_back_is_late(task, settled_ms, now_ms))
        return finish(task, kill, &merged);
    (void)read_back_again(task, now_ms);
    if (kill != NULL && merged.verdict == PB__VERDICT__PASS && settled_ms > now_ms)
        task->wake_ms = settled_ms;
    return WORKER_AGAIN;
}

enum worker_step kill_flags_step(const struct worker_ports *ports,
                                 struct worker_task *task,
                                 struct error *error)
{
    struct arena scratch;
    enum worker_step answer;

    (void)error;
    if (task->stopped(task))
        return read_back_cancelled(task);
    if (task->memory == NULL)
        task->memory = arena_alloc(task->arena, sizeof(struct kill_memory));
    scratch = arena_with_limit(SCRATCH_MAX);
    answer = step(ports, task, &scratch);
    arena_release(&scratch);
    return answer;
}
