#include "services/coordinator/core/waiting.h"

static const char *expires(const struct turn *turn)
{
    if (turn->state->step <= 1)
        return "it is ABORTED. Nothing is applied.";
    if (turn->state->step == STEP_LAST)
        return "operations are paged; it stays as it is, flags are not touched.";
    return "it is taken back, flags off first, and ends ABORTED.";
}

/* Operators first: theirs are the holds that somebody can lift. */
static const Pb__Hold *hold_that_counts(const struct turn *turn)
{
    static const Pb__HoldKind order[] = { PB__HOLD_KIND__HOLD_OPERATOR,
                                          PB__HOLD_KIND__HOLD_WARNING,
                                          PB__HOLD_KIND__HOLD_FREEZE,
                                          PB__HOLD_KIND__HOLD_WINDOW };

    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
        for (size_t i = 0; i < turn->state->n_holds; i++) {
            if (turn->state->holds[i]->kind == order[k])
                return turn->state->holds[i];
        }
    }
    return turn->state->holds[0];
}

static void wait_who_leads(struct turn *turn)
{
    size_t count;
    const char **const leads = plan_leads(turn, &count);

    for (size_t i = 0; i < count; i++)
        wait_who(turn, leads[i]);
    if (count == 0)
        wait_who(turn, "release-engineer");
}

static void say_hold(struct turn *turn, const Pb__Hold *hold)
{
    const char *const until =
        hold->until_ms != 0
            ? arena_printf(turn->arena, " until %s", words_time(turn, hold->until_ms))
            : "";

    switch (hold->kind) {
    case PB__HOLD_KIND__HOLD_OPERATOR:
        wait_say(turn,
                 "OPERATOR",
                 arena_printf(turn->arena, "Paused: %s.", hold->reason),
                 "Somebody resumes it.");
        return;
    case PB__HOLD_KIND__HOLD_WARNING:
        wait_say(turn,
                 "WARNING",
                 arena_printf(turn->arena, "Held by a warning: %s.", hold->reason),
                 "Address the cause and resume, or roll back.");
        return;
    case PB__HOLD_KIND__HOLD_FREEZE:
        wait_say(turn,
                 "FREEZE",
                 arena_printf(
                     turn->arena, "Held by freeze %s%s: %s.", hold->id, until, hold->reason),
                 "The freeze ends or is lifted; it goes on by itself.");
        return;
    default:
        wait_say(turn,
                 "WINDOW",
                 arena_printf(turn->arena, "The deployment window is closed%s.", until),
                 "The window opens; it goes on by itself.");
    }
}

void wait_for_hold(struct turn *turn)
{
    const Pb__Hold *const hold = hold_that_counts(turn);
    const bool lifted_by_people =
        hold->kind == PB__HOLD_KIND__HOLD_OPERATOR || hold->kind == PB__HOLD_KIND__HOLD_WARNING;

    say_hold(turn, hold);
    wait_since(turn, hold->since_ms, hold_due_ms(turn));
    wait_otherwise(turn, expires(turn));
    if (hold->until_ms != 0)
        wait_fact(turn, "until_ms", hold->until_ms);
    if (lifted_by_people) {
        wait_who_leads(turn);
        wait_action(turn, "resume");
    }
    wait_action(turn, turn->state->step >= 2 ? "rollback" : "abort");
}

/* The checks that a person still has to answer, with who may. */
static size_t wait_who_attests(struct turn *turn, const char **ret_names)
{
    const struct expectation all = expect_here(turn);
    const Pb__StepState *const step = state_step(turn, turn->state->step);
    const char *checks = "";
    const char *roles = "";
    size_t open = 0;

    *ret_names = "";
    for (size_t i = 0; i < all.count; i++) {
        const Pb__CheckSpec *const spec = all.item[i];
        const Pb__CheckResult *const result = result_find(step, spec->id);

        if (!pb_same(spec->kind, "attest") || !spec->required ||
            spec->not_applicable[0] != '\0' || result_waived(turn, result) ||
            (result != NULL && result->by[0] != '\0'))
            continue;
        *ret_names =
            arena_printf(turn->arena, "%s%s%s", *ret_names, open > 0 ? ", " : "", spec->id);
        checks = arena_printf(turn->arena, "%s%s%s", checks, open > 0 ? " " : "", spec->id);
        roles = arena_printf(turn->arena, "%s%s%s", roles, open > 0 ? " " : "", spec->role);
        open++;
        wait_who(turn, spec->role);
    }
    if (open > 0) {
        wait_fact_text(turn, "checks", words_cut(turn, checks, 400));
        wait_fact_text(turn, "check_roles", words_cut(turn, roles, 400));
    }
    return open;
}

static void wait_for_gate(struct turn *turn)
{
    const Pb__Stage *const stage = plan_stage(turn, turn->state->cursor->stage);
    const int64_t gate_ms =
        stage->gate_deadline_ms != 0 ? turn->state->sub_ms + stage->gate_deadline_ms : 0;
    const int64_t phase_ms = turn->state->phase_due_ms;
    const char *names;

    wait_say(turn,
             "GATE",
             arena_printf(turn->arena,
                          "Stage %u (%u %%) is well; a %s opens the gate.",
                          turn->state->cursor->stage + 1,
                          stage->percent,
                          stage->gate_role),
             arena_printf(turn->arena, "A %s attests stage.gate.", stage->gate_role));
    (void)wait_who_attests(turn, &names);
    wait_since(turn,
               turn->state->sub_ms,
               gate_ms != 0 && (phase_ms == 0 || gate_ms < phase_ms) ? gate_ms : phase_ms);
    wait_otherwise(turn, "it is BLOCKED in step 4; the percentage stays.");
    wait_fact(turn, "stage", turn->state->cursor->stage + 1);
    wait_action(turn, "attest");
}

static void wait_for_attest(struct turn *turn)
{
    const char *names;
    const char *sentence;

    wait_say(turn, "ATTEST", "", "");
    (void)wait_who_attests(turn, &names);
    sentence = arena_printf(turn->arena,
                            "%s: all that can be measured is; people must attest %s.",
                            words_step(turn->state->step),
                            names);
    turn->state->waiting_for->sentence = words_cut(turn, sentence, 400);
    turn->state->waiting_for->unblock =
        words_cut(turn, arena_printf(turn->arena, "Attestation of %s.", names), 400);
    wait_since(turn, turn->state->sub_ms, turn->state->phase_due_ms);
    wait_otherwise(turn, "it is BLOCKED and the leads are asked.");
    wait_action(turn, "attest");
}

static size_t wait_who_signs(struct turn *turn, const char **ret_names)
{
    size_t open = 0;

    *ret_names = "";
    for (size_t i = 0; turn->plan != NULL && i < turn->plan->n_signoffs; i++) {
        const Pb__SignOffSpec *const spec = turn->plan->signoffs[i];
        const Pb__SignOffGiven *const given = signoff_find(turn, spec->step, spec->role);

        if (given != NULL && given->accept)
            continue;
        *ret_names = arena_printf(turn->arena,
                                  "%s%s%s of %s",
                                  *ret_names,
                                  open++ > 0 ? ", " : "",
                                  spec->role,
                                  spec->what[0] != '\0' ? spec->what : words_step(spec->step));
        wait_who(turn, spec->role);
    }
    return open;
}

static void wait_for_sign_offs(struct turn *turn)
{
    const char *signs;
    const char *attests;
    size_t open;

    wait_say(turn, "SIGNOFF", "", "");
    open = wait_who_signs(turn, &signs);
    if (wait_who_attests(turn, &attests) > 0)
        wait_action(turn, "attest");
    turn->state->waiting_for->sentence = words_cut(
        turn,
        arena_printf(turn->arena,
                     "Finished but for people: %s%s%s%s.",
                     open > 0 ? "sign-off by " : "",
                     signs,
                     attests[0] != '\0' ? (open > 0 ? "; attestation of " : "attestation of ")
                                        : "",
                     attests),
        400);
    turn->state->waiting_for->unblock = "All of them have spoken; then it is COMPLETED.";
    wait_since(turn, turn->state->sub_ms, turn->state->phase_due_ms);
    wait_otherwise(turn, "it is BLOCKED in step 7 and paged; flags are never touched there.");
    if (open > 0)
        wait_action(turn, "signoff");
}

void wait_for_people(struct turn *turn)
{
    const Pb__Stage *const stage = plan_stage(turn, turn->state->cursor->stage);
    const bool gate = turn->state->step == 4 && stage != NULL && stage->gate_role[0] != '\0';

    if (turn->plan == NULL) {
        wait_say(turn, "TASK", "The plan is being loaded.", "It is at hand.");
        return;
    }
    if (turn->state->step == STEP_LAST)
        wait_for_sign_offs(turn);
    else if (gate)
        wait_for_gate(turn);
    else
        wait_for_attest(turn);
}

void wait_in_blocked(struct turn *turn)
{
    const Pb__DeploymentState *const state = turn->state;

    wait_say(
        turn,
        "DECISION",
        arena_printf(turn->arena, "Blocked in step %u: %s.", state->step, state->resting_why),
        state->resting_remedy[0] != '\0'
            ? arena_printf(turn->arena, "%s; or roll back.", state->resting_remedy)
            : "Put it right, then retry; or roll back.");
    wait_since(turn, state->phase_ms, state->phase_due_ms);
    wait_who_leads(turn);
    wait_otherwise(turn, expires(turn));
    wait_fact(turn, "step", state->step);
    wait_fact(turn, "percent", state->flags->percent);
    wait_action(turn, "retry");
    wait_action(turn, "waive");
    if (state->step == STEP_LAST)
        wait_action(turn, "signoff");
    if (state->step == 1)
        wait_action(turn, "replan");
    if (state->step >= 2)
        wait_action(turn, "rollback");
    wait_action(turn, "abort");
}

void wait_in_blocked_rollback(struct turn *turn)
{
    const Pb__DeploymentState *const state = turn->state;

    wait_say(turn,
             "DECISION",
             arena_printf(turn->arena,
                          "The rollback is blocked: %s. Flags stay off, lanes stay held.",
                          state->resting_why),
             state->resting_remedy);
    wait_since(turn, state->phase_ms, 0);
    wait_who_leads(turn);
    turn->state->waiting_for->otherwise =
        "It stays until somebody acts; operations are paged again and again.";
    wait_fact(turn, "to_undo", (int64_t)state->n_applied);
    wait_action(turn, "retry");
    if (state->n_applied > 0)
        wait_action(turn, "mark_restored");
    wait_action(turn, "skip_change");
}

void wait_no_more(struct turn *turn)
{
    const Pb__DeploymentState *const state = turn->state;
    const char *sentence;

    if (state->phase == PB__PHASE__COMPLETED)
        sentence = arena_printf(turn->arena,
                                "Completed: available to %u %%, %zu sign-offs, %zu receipts.",
                                state->flags->percent,
                                state->n_signoffs,
                                state->n_receipts);
    else
        sentence = arena_printf(turn->arena,
                                "%s: %s.",
                                state->phase == PB__PHASE__ABORTED ? "Aborted" : "Rolled back",
                                state->stop != NULL ? state->stop->cause : "");
    wait_say(turn, "NONE", sentence, "");
    wait_since(turn, state->phase_ms, 0);
}
