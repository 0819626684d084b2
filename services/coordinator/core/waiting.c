#include "services/coordinator/core/waiting.h"

void wait_say(struct turn *turn, const char *kind, const char *sentence, const char *unblock)
{
    Pb__WaitingFor *const wait = turn->state->waiting_for;

    wait->kind = kind;
    wait->sentence = words_cut(turn, sentence, 400);
    wait->unblock = words_cut(turn, unblock, 400);
    wait->otherwise = "";
    wait->n_who = 0;
    wait->n_actions = 0;
    wait->n_facts = 0;
    wait->since_ms = turn->state->sub_ms;
    wait->deadline_ms = 0;
}

void wait_since(struct turn *turn, int64_t since_ms, int64_t deadline_ms)
{
    turn->state->waiting_for->since_ms = since_ms;
    turn->state->waiting_for->deadline_ms = deadline_ms;
}

void wait_who(struct turn *turn, const char *role)
{
    Pb__WaitingFor *const wait = turn->state->waiting_for;

    for (size_t i = 0; i < wait->n_who; i++) {
        if (pb_same(wait->who[i], role))
            return;
    }
    if (role[0] != '\0')
        PB_APPEND(turn->arena, wait, who, role);
}

void wait_action(struct turn *turn, const char *request)
{
    PB_APPEND(turn->arena, turn->state->waiting_for, actions, request);
}

void wait_fact_text(struct turn *turn, const char *key, const char *value)
{
    PB_APPEND(
        turn->arena, turn->state->waiting_for, facts, pb_pair_new(turn->arena, key, value));
}

void wait_fact(struct turn *turn, const char *key, int64_t value)
{
    wait_fact_text(turn, key, arena_printf(turn->arena, "%lld", (long long)value));
}

void wait_otherwise(struct turn *turn, const char *then)
{
    Pb__WaitingFor *const wait = turn->state->waiting_for;

    if (wait->deadline_ms == 0)
        return;
    wait->otherwise =
        arena_printf(turn->arena, "At %s %s", words_time(turn, wait->deadline_ms), then);
    wait_fact(turn, "deadline_ms", wait->deadline_ms);
}

static const char *const nothing_applied = "it is ABORTED. Nothing is applied.";

static void wait_for_inputs(struct turn *turn)
{
    const Pb__DeploymentState *const state = turn->state;
    const char *names = "";
    const char *remedies = "";

    for (size_t i = 0; i < state->n_missing; i++) {
        const Pb__MissingInput *const missing = state->missing[i];

        names = arena_printf(turn->arena, "%s%s%s", names, i > 0 ? ", " : "", missing->input);
        remedies =
            arena_printf(turn->arena, "%s%s%s", remedies, i > 0 ? "; " : "", missing->remedy);
    }
    wait_say(turn,
             "INPUT",
             arena_printf(turn->arena,
                          "%zu input%s missing: %s.",
                          state->n_missing,
                          state->n_missing == 1 ? " is" : "s are",
                          names),
             arena_printf(turn->arena, "%s; then it is checked again.", remedies));
    wait_since(turn, state->sub_ms, state->phase_due_ms);
    wait_who(turn, "submitter");
    wait_otherwise(turn, nothing_applied);
    wait_fact(turn, "missing", (int64_t)state->n_missing);
    wait_action(turn, "supply");
    wait_action(turn, "retry");
    wait_action(turn, "abort");
}

static void wait_for_plan(struct turn *turn)
{
    wait_say(
        turn, "TASK", "The plan is being compiled.", "The plan, or what is missing for it.");
    wait_since(turn, turn->state->phase_ms, turn->state->phase_due_ms);
    wait_otherwise(turn, nothing_applied);
}

static uint32_t approvals_given(const struct turn *turn, const char *role)
{
    uint32_t given = 0;

    for (size_t i = 0; i < turn->state->n_approvals; i++) {
        const Pb__Approval *const approval = turn->state->approvals[i];

        given += !approval->voided && pb_same(approval->role, role) &&
                 pb_same(approval->plan_hash, turn->state->plan_hash);
    }
    return given;
}

static void wait_for_approval(struct turn *turn)
{
    const char *missing = "";
    uint32_t needed = 0;
    uint32_t given = 0;

    for (size_t i = 0; i < turn->plan->n_approvals; i++) {
        const Pb__ApprovalSpec *const spec = turn->plan->approvals[i];
        const uint32_t of_role = approvals_given(turn, spec->role);

        needed += spec->needed;
        given += of_role < spec->needed ? of_role : spec->needed;
        if (of_role < spec->needed)
            missing = arena_printf(turn->arena,
                                   "%s%s%u by a %s",
                                   missing,
                                   missing[0] != '\0' ? ", " : "",
                                   spec->needed - of_role,
                                   spec->role);
    }
    wait_say(turn,
             "APPROVAL",
             arena_printf(turn->arena,
                          "Plan %.8s waits for approval: %u of %u given, still %s.",
                          turn->state->plan_hash,
                          given,
                          needed,
                          missing),
             arena_printf(turn->arena, "Approval of exactly this plan: %s.", missing));
    for (size_t i = 0; i < turn->plan->n_approvals; i++) {
        const Pb__ApprovalSpec *const spec = turn->plan->approvals[i];

        if (approvals_given(turn, spec->role) < spec->needed)
            wait_who(turn, spec->role);
    }
    wait_since(turn, turn->state->phase_ms, turn->state->phase_due_ms);
    wait_otherwise(turn, nothing_applied);
    wait_fact(turn, "given", given);
    wait_fact(turn, "needed", needed);
    wait_action(turn, "approve");
    wait_action(turn, "reject");
    wait_action(turn, "replan");
}

static const char *lane_asked(const struct turn *turn)
{
    for (size_t i = 0; i < turn->state->n_lanes; i++) {
        if (turn->state->lanes[i]->asked)
            return turn->state->lanes[i]->lane;
    }
    return "?";
}

static void wait_for_lane(struct turn *turn)
{
    const bool undo = phase_stops(turn->state->phase);

    wait_say(turn,
             "LANE",
             arena_printf(turn->arena,
                          "Waiting for lane %s%s.",
                          lane_asked(turn),
                          undo ? ", to take the changes back" : ""),
             undo ? "Who holds it ends its step or is taken back; undo goes first."
                  : "Who holds it gives it back; first come, first served.");
    wait_since(turn, turn->state->sub_ms, turn->state->phase_due_ms);
    wait_otherwise(turn,
                   undo ? "the rollback is BLOCKED and operations are paged. Flags stay off."
                        : nothing_applied);
}

/* STOPPING until quiet: what was cancelled is still under way. */
static void wait_for_quiet(struct turn *turn, const Pb__TaskState *task)
{
    wait_say(turn,
             "UNDO",
             arena_printf(turn->arena,
                          "Stopping: flags are latched off, %s is being cancelled.",
                          task != NULL ? task->kind : "what runs"),
             "It reports, is lost, or its deadline passes; then undo begins.");
    wait_since(turn, turn->state->phase_ms, task != NULL ? task->deadline_ms : 0);
    wait_otherwise(turn, "it counts as quiet and undo begins.");
}

static void wait_running(struct turn *turn)
{
    const Pb__TaskState *const task = task_main(turn);
    const Pb__Sub sub = turn->state->cursor->sub;

    if (task != NULL)
        wait_for_task(turn, task);
    else if (sub == PB__SUB__SUB_GATE || sub == PB__SUB__SUB_SIGN_OFFS ||
             turn->state->n_holds == 0)
        wait_for_people(turn);
    else
        wait_for_hold(turn);
}

static void wait_in_phase(struct turn *turn)
{
    const Pb__DeploymentState *const state = turn->state;
    const Pb__TaskState *const task = task_main(turn);

    switch (state->phase) {
    case PB__PHASE__PLANNING: wait_for_plan(turn); return;
    case PB__PHASE__AWAITING_INPUTS:
        if (task != NULL)
            wait_for_task(turn, task);
        else
            wait_for_inputs(turn);
        return;
    case PB__PHASE__IN_REVIEW: wait_for_approval(turn); return;
    case PB__PHASE__QUEUED:
        if (state->n_holds > 0)
            wait_for_hold(turn);
        else
            wait_for_lane(turn);
        return;
    case PB__PHASE__STOPPING:
        if (state->cursor->sub == PB__SUB__SUB_LANES)
            wait_for_lane(turn);
        else
            wait_for_quiet(turn, task);
        return;
    case PB__PHASE__BLOCKED: wait_in_blocked(turn); return;
    case PB__PHASE__BLOCKED_ROLLBACK: wait_in_blocked_rollback(turn); return;
    default: break;
    }
    if (procedure_is_terminal(state->phase))
        wait_no_more(turn);
    else
        wait_running(turn);
}

/* People are reminded as long as they are waited for; a new wait starts the period anew. */
static void remind(struct turn *turn, const char *kind_was, int64_t since_was_ms)
{
    Pb__DeploymentState *const state = turn->state;
    const Pb__WaitingFor *const wait = state->waiting_for;
    const int64_t period_ms = turn->plan != NULL ? turn->plan->reminder_ms : state->reminder_ms;

    if (wait->n_who == 0 || period_ms == 0) {
        state->reminder_due_ms = 0;
        state->reminders = 0;
    } else if (!pb_same(wait->kind, kind_was) || wait->since_ms != since_was_ms) {
        state->reminder_due_ms = turn->now_ms + period_ms;
        state->reminders = 0;
    } else if (state->reminder_due_ms == 0) {
        state->reminder_due_ms = turn->now_ms + period_ms;
    }
}

/* Whoever reads why it waits also reads what ends that, and what happens if nothing does. */
static void leave_nothing_unsaid(Pb__WaitingFor *wait)
{
    if (wait->unblock[0] == '\0')
        wait->unblock = "What holds it up is put right; then retry.";
    if (wait->otherwise[0] == '\0')
        wait->otherwise = "There is no deadline; it stays as it is.";
}

void waiting_fill(struct turn *turn)
{
    Pb__DeploymentState *const state = turn->state;
    const Pb__WaitingFor *const was = state->waiting_for;
    const char *const kind_was = was != NULL ? was->kind : "";
    const int64_t since_was_ms = was != NULL ? was->since_ms : 0;

    state->waiting_for = pb_new(turn->arena, &pb__waiting_for__descriptor);
    wait_in_phase(turn);
    if (!procedure_is_terminal(state->phase))
        leave_nothing_unsaid(state->waiting_for);
    remind(turn, kind_was, since_was_ms);
}
