#include "services/coordinator/core/waiting.h"

#include <string.h>

/* Number of the batch at the cursor among those of its change: "batch 2 of 3 of shop 1.1". */
static const char *batch_here(struct turn *turn)
{
    const Pb__Cursor *const cursor = turn->state->cursor;
    const Pb__Change *const change = plan_change(turn, cursor->change);

    if (change == NULL)
        return "a batch";
    return arena_printf(turn->arena,
                        "batch %u of %zu of %s %s",
                        cursor->batch + 1,
                        change->n_batches,
                        change->artifact,
                        change->version);
}

static const char *stage_here(struct turn *turn)
{
    const Pb__Stage *const stage = plan_stage(turn, turn->state->cursor->stage);

    return arena_printf(turn->arena,
                        "Stage %u (%u %%)",
                        turn->state->cursor->stage + 1,
                        stage != NULL ? stage->percent : 0);
}

static void say_checks(struct turn *turn)
{
    wait_say(
        turn,
        "CHECKS",
        arena_printf(turn->arena,
                     "%s: checks are running.",
                     turn->state->step == 0 ? "The inputs" : words_step(turn->state->step)),
        "Every required check answers PASS.");
}

static void say_apply(struct turn *turn)
{
    wait_say(turn,
             "TASK",
             arena_printf(turn->arena, "Now %s is being applied.", batch_here(turn)),
             "It runs on every instance of the batch; then its health is checked.");
}

static void say_health(struct turn *turn)
{
    wait_say(turn,
             "CHECKS",
             arena_printf(turn->arena, "The health of %s is being checked.", batch_here(turn)),
             "Every required check answers PASS.");
}

static void say_bake(struct turn *turn)
{
    const Pb__Change *const change = plan_change(turn, turn->state->cursor->change);
    const int64_t until_ms = turn->state->sub_ms + (change != NULL ? change->bake_ms : 0);

    wait_say(
        turn,
        "BAKE",
        arena_printf(
            turn->arena, "Watching %s until %s.", batch_here(turn), words_time(turn, until_ms)),
        "The time passes with every metric inside its limit; then the next batch starts.");
    wait_fact(turn, "until_ms", until_ms);
    wait_action(turn, "promote");
}

static void say_activate(struct turn *turn)
{
    wait_say(turn,
             "TASK",
             arena_printf(turn->arena, "%s is being set and read back.", stage_here(turn)),
             "The flags read back as granted; then the stage is watched.");
}

static void say_watch(struct turn *turn)
{
    const Pb__Stage *const stage = plan_stage(turn, turn->state->cursor->stage);
    const int64_t until_ms = turn->state->sub_ms + stage->min_ms;
    const char *const seen =
        stage->min_samples > 0
            ? arena_printf(turn->arena,
                           "%s of %s requests seen, and at least until %s",
                           words_count(turn, turn->state->samples),
                           words_count(turn, stage->min_samples),
                           words_time(turn, until_ms))
            : arena_printf(turn->arena, "at least until %s", words_time(turn, until_ms));
    const Pb__Stage *const next = plan_stage(turn, turn->state->cursor->stage + 1);

    wait_say(turn,
             "SAMPLES",
             arena_printf(turn->arena, "%s is being watched: %s.", stage_here(turn), seen),
             next != NULL
                 ? arena_printf(turn->arena,
                                "Reached with every metric inside its limit: stage %u (%u %%) "
                                "starts.",
                                turn->state->cursor->stage + 2,
                                next->percent)
                 : "Reached with every metric inside its limit: step 5 starts.");
    wait_fact(turn, "stage", turn->state->cursor->stage + 1);
    wait_fact(turn, "percent", stage->percent);
    wait_fact(turn, "samples", (int64_t)turn->state->samples);
    wait_fact(turn, "min_samples", (int64_t)stage->min_samples);
    wait_fact(turn, "until_ms", until_ms);
    wait_action(turn, "promote");
}

static void say_disable(struct turn *turn)
{
    wait_say(turn,
             "TASK",
             "The flags are being set to 0 and read back.",
             "They read back as off; then it rests until somebody decides.");
}

static void say_observe(struct turn *turn)
{
    const int64_t until_ms = turn->state->sub_ms + turn->plan->observe_ms;

    wait_say(turn,
             "SAMPLES",
             arena_printf(
                 turn->arena, "It is being monitored until %s.", words_time(turn, until_ms)),
             "The period ends with enough samples, every metric inside its limit and no open "
             "incident.");
    wait_fact(turn, "until_ms", until_ms);
    wait_fact(turn, "samples", (int64_t)turn->state->samples);
    wait_action(turn, "promote");
}

static void say_finalise(struct turn *turn)
{
    wait_say(turn,
             "RECEIPT",
             "Documents, ticket and hand-over are being completed.",
             "A receipt for each; then the sign-offs decide.");
}

static void say_revert(struct turn *turn)
{
    wait_say(turn,
             "UNDO",
             arena_printf(turn->arena,
                          "Rolling back: flags are off, %s is being reverted.",
                          batch_here(turn)),
             "Each batch applied is reverted, then versions and flags are read back.");
}

static void say_read_back(struct turn *turn)
{
    wait_say(turn,
             "UNDO",
             "Rolling back: versions are being read back.",
             "They are as before; then the flags are read back.");
}

static void say_flags_off(struct turn *turn)
{
    wait_say(turn,
             "UNDO",
             "Rolling back: flags are being read back as off.",
             "They read as off after the longest provider timeout; then it ends.");
}

/* What the deadline of running work does; the rows of state-machine.md. */
static const char *at_deadline(const struct turn *turn)
{
    if (phase_stops(turn->state->phase))
        return "the rollback is BLOCKED and operations are paged. Flags stay off.";
    if (turn->state->cursor->sub == PB__SUB__SUB_DISABLE)
        return "it is taken back and ends ROLLED_BACK.";
    switch (turn->state->step) {
    case 0: return "it waits for the inputs to be restored.";
    case 1: return "it is BLOCKED in step 1 and somebody is asked. Nothing is applied.";
    case 2:
    case 3:
    case 4: return "it is taken back and ends ROLLED_BACK.";
    case 7: return "it is BLOCKED in step 7 and paged. Flags are never touched there.";
    default: return "it is BLOCKED and somebody is asked.";
    }
}

/* clang-format off */
static const struct {
    const char *kind;
    void (*say)(struct turn *turn);
} says[] = {
    { "inputs",    say_checks },
    { "checks",    say_checks },
    { "apply",     say_apply },
    { "health",    say_health },
    { "bake",      say_bake },
    { "validate",  say_checks },
    { "activate",  say_activate },
    { "watch",     say_watch },
    { "disable",   say_disable },
    { "confirm",   say_checks },
    { "observe",   say_observe },
    { "finalise",  say_finalise },
    { "revert",    say_revert },
    { "read-back", say_read_back },
    { "flags-off", say_flags_off },
};
/* clang-format on */

/* The work's own deadline, or its step's if that comes first. */
static int64_t deadline_of(const struct turn *turn, const Pb__TaskState *task)
{
    const int64_t phase_ms = turn->state->phase_due_ms;

    if (task->retry_at_ms != 0)
        return phase_ms;
    return phase_ms != 0 && phase_ms < task->deadline_ms ? phase_ms : task->deadline_ms;
}

static void say_again(struct turn *turn, const Pb__TaskState *task)
{
    Pb__WaitingFor *const wait = turn->state->waiting_for;

    wait->sentence = words_cut(
        turn,
        arena_printf(turn->arena,
                     "%s Tried again at %s (%s).",
                     wait->sentence,
                     words_time(turn, task->retry_at_ms),
                     task->errors > 0 ? "it could not be done" : "not enough was seen"),
        400);
    wait_fact(turn, "retry_at_ms", task->retry_at_ms);
}

void wait_for_task(struct turn *turn, const Pb__TaskState *task)
{
    for (size_t i = 0; i < sizeof says / sizeof says[0]; i++) {
        if (strcmp(says[i].kind, task->kind) == 0)
            says[i].say(turn);
    }
    wait_since(turn, turn->state->sub_ms, deadline_of(turn, task));
    wait_otherwise(turn, at_deadline(turn));
    if (task->retry_at_ms != 0)
        say_again(turn, task);
    if (turn->state->n_holds > 0)
        wait_fact(turn, "holds", (int64_t)turn->state->n_holds);
}
