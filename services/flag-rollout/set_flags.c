#include "services/flag-rollout/read_back.h"

#include <inttypes.h>

/* What this worker's fold of control.v1 says about the value it is to set. */
enum grant {
    GRANT_STANDS,
    GRANT_NOT_HEARD, /* The value is not there yet. */
    GRANT_GONE,      /* Latched, or superseded: this command is over. */
};

static enum grant grant_of_flag(struct flag_rollout *state,
                                struct arena *arena,
                                const Pb__Command *command,
                                const Pb__FlagSpec *flag,
                                const char **ret_why)
{
    const Pb__SetFlags *const set = command->set_flags;
    struct flag_value value;
    const bool known =
        control_value(state->control, arena, command->environment, flag->key, &value);
    const bool ours = known && pb_same(value.deployment, command->deployment);

    if (ours && value.latched) {
        *ret_why = arena_printf(arena, "%s is latched off", flag->key);
        return GRANT_GONE;
    }
    if (!ours || value.sequence < set->sequence) {
        *ret_why = arena_printf(arena,
                                "control.v1 grants %s no sequence %" PRIu64 " of %s yet",
                                command->deployment,
                                set->sequence,
                                flag->key);
        return GRANT_NOT_HEARD;
    }
    if (value.sequence > set->sequence || value.percent != set->percent ||
        !pb_same(value.audience, set->audience)) {
        *ret_why = arena_printf(arena,
                                "%s was granted %u %% with sequence %" PRIu64 " since",
                                flag->key,
                                value.percent,
                                value.sequence);
        return GRANT_GONE;
    }
    return GRANT_STANDS;
}

/* The worst of all flags. */
static enum grant grant_now(struct flag_rollout *state,
                            struct arena *arena,
                            const Pb__Command *command,
                            const char **ret_why)
{
    const Pb__Kill *const kill = control_kill(state->control, arena, command->deployment);
    enum grant worst = GRANT_STANDS;

    if (kill != NULL) {
        *ret_why = arena_printf(arena, "%s is latched: %s", command->deployment, kill->reason);
        return GRANT_GONE;
    }
    for (size_t i = 0; i < command->set_flags->n_flags; i++) {
        const char *why = "";
        const enum grant grant =
            grant_of_flag(state, arena, command, command->set_flags->flags[i], &why);

        if (grant > worst) {
            worst = grant;
            *ret_why = why;
        }
    }
    return worst;
}

/* The command is over before its end: what was found is the answer. */
static enum worker_step give_up(struct worker_task *task, Pb__Verdict verdict, const char *why)
{
    const Pb__SetFlags *const set = task->command->set_flags;
    Pb__Finding *const finding =
        worker_find(task,
                    check_named(task->arena, set->checks, set->n_checks, "flag.set"),
                    verdict,
                    "%s",
                    why);

    finding->wanted =
        arena_printf(task->arena, "%u %% with sequence %" PRIu64, set->percent, set->sequence);
    finding->evidence = "control.v1";
    task->result->outcome = read_back_outcome(verdict);
    task->result->error = arena_text(task->arena, why);
    return WORKER_DONE;
}

static enum worker_step finish(const struct worker_ports *ports,
                               struct worker_task *task,
                               const struct merged *merged)
{
    const Pb__SetFlags *const set = task->command->set_flags;
    const struct merged done = {
        .verdict =
            merged->verdict == PB__VERDICT__ERROR ? PB__VERDICT__ERROR : PB__VERDICT__PASS,
        .observed = arena_printf(task->arena,
                                 "%u %%%s%s granted on control.v1 with sequence %" PRIu64,
                                 set->percent,
                                 set->audience[0] != '\0' ? " and all with " : "",
                                 set->audience,
                                 set->sequence),
        .wanted = arena_printf(task->arena, "%u %%", set->percent),
        .evidence = "control.v1",
    };

    find_merged(task, check_named(task->arena, set->checks, set->n_checks, "flag.set"), &done);
    find_merged(
        task, check_named(task->arena, set->checks, set->n_checks, "flag.read_back"), merged);
    task->result->outcome = read_back_outcome(merged->verdict);
    if (merged->verdict == PB__VERDICT__ERROR)
        task->result->error = arena_text(task->arena, merged->observed);
    for (size_t i = 0; i < set->n_checks; i++) {
        if (pb_same(set->checks[i]->id, "rollout.reviewed"))
            review_stage(ports, task, set->checks[i]);
    }
    return WORKER_DONE;
}

static struct merged assert_all(const struct worker_ports *ports,
                                struct worker_task *task,
                                struct arena *scratch)
{
    const Pb__SetFlags *const set = task->command->set_flags;
    const struct driver_env env = worker_driver_env(ports, task, scratch);
    const struct flag_value wanted = {
        .percent = set->percent,
        .audience = set->audience,
        .sequence = set->sequence,
        .deployment = task->command->deployment,
    };
    struct merged merged = { 0 };

    for (size_t i = 0; i < set->n_flags; i++)
        merge(
            scratch,
            &merged,
            read_back_assert(ports, &env, set->flags[i], task->command->environment, &wanted));
    return merged;
}

static enum worker_step step(const struct worker_ports *ports,
                             struct worker_task *task,
                             struct arena *scratch)
{
    struct flag_rollout *const state = ports->state;
    const char *why = "";
    enum grant grant = grant_now(state, scratch, task->command, &why);
    struct merged merged = { 0 };
    int64_t now_ms;

    if (grant == GRANT_GONE)
        return give_up(task, PB__VERDICT__FAIL, why);
    if (grant == GRANT_STANDS) {
        merged = assert_all(ports, task, scratch);
        /* A latch may have come while the provider was being written. */
        grant = grant_now(state, scratch, task->command, &why);
    }
    now_ms = clock_now_ms(ports->service->clock);
    if (grant == GRANT_GONE)
        return give_up(task, PB__VERDICT__FAIL, why);
    if (grant == GRANT_STANDS && merged.verdict == PB__VERDICT__PASS)
        return finish(ports, task, &merged);
    if (!read_back_is_late(task, task->started_ms, now_ms))
        return read_back_again(task, now_ms);
    return grant == GRANT_STANDS ? finish(ports, task, &merged)
                                 : give_up(task, PB__VERDICT__ERROR, why);
}

enum worker_step set_flags_step(const struct worker_ports *ports,
                                struct worker_task *task,
                                struct error *error)
{
    struct arena scratch;
    enum worker_step answer;

    (void)error;
    if (task->stopped(task))
        return read_back_cancelled(task);
    if (task->command->set_flags->n_flags == 0)
        return give_up(task, PB__VERDICT__FAIL, "the command names no flag");
    scratch = arena_with_limit(SCRATCH_MAX);
    answer = step(ports, task, &scratch);
    arena_release(&scratch);
    return answer;
}
