#include "services/coordinator/core/requests.h"

/* Which needed role the approval is for: named, or the one the actor holds. */
static const Pb__ApprovalSpec *approval_wanted(const struct turn *turn,
                                               const Pb__OperatorRequest *request)
{
    const char *const role =
        request->approve->role[0] != '\0' ? request->approve->role : request->role;

    for (size_t i = 0; i < turn->plan->n_approvals; i++) {
        const Pb__ApprovalSpec *const spec = turn->plan->approvals[i];

        if (role[0] != '\0' ? pb_same(spec->role, role)
                            : actor_holds(request->actor, spec->role))
            return spec;
    }
    return NULL;
}

/* The first point of no return that is not accepted by its number, or 0. */
static uint32_t unaccepted(const struct turn *turn, const Pb__Approve *approve)
{
    for (uint32_t change = 0; change < turn->plan->n_changes; change++) {
        bool accepted = turn->plan->changes[change]->on_rollback != PB__ON_ROLLBACK__MANUAL;

        for (size_t i = 0; i < approve->n_accept_no_return; i++)
            accepted = accepted || approve->accept_no_return[i] == change + 1;
        if (!accepted)
            return change + 1;
    }
    return 0;
}

static bool approved_already(const struct turn *turn, const char *role, const char *subject)
{
    for (size_t i = 0; i < turn->state->n_approvals; i++) {
        const Pb__Approval *const given = turn->state->approvals[i];

        if (!given->voided && pb_same(given->role, role) &&
            pb_same(given->actor->subject, subject) &&
            pb_same(given->plan_hash, turn->state->plan_hash))
            return true;
    }
    return false;
}

static enum procedure_answer approve_as(struct turn *turn,
                                        const Pb__OperatorRequest *request,
                                        const char *role)
{
    Pb__Approval *const approval = pb_new(turn->arena, &pb__approval__descriptor);
    const uint32_t no_return = unaccepted(turn, request->approve);

    if (approved_already(turn, role, turn->by))
        return turn_refuse(
            turn, "not-now", "you approved this plan already", "another person's is needed");
    if (no_return != 0)
        return turn_refuse(turn,
                           "confirmation-needed",
                           arena_printf(turn->arena,
                                        "change %u is a point of no return: %s",
                                        no_return,
                                        turn->plan->changes[no_return - 1]->note),
                           arena_printf(turn->arena, "accept it by its number: %u", no_return));
    approval->role = role;
    approval->actor = pb_new(turn->arena, &pb__actor__descriptor);
    approval->actor->subject = turn->by;
    approval->at_ms = turn->now_ms;
    approval->plan_hash = turn->state->plan_hash;
    approval->note = words_cut(turn, request->reason, 200);
    approval->accept_no_return = request->approve->accept_no_return;
    approval->n_accept_no_return = request->approve->n_accept_no_return;
    PB_APPEND(turn->arena, turn->state, approvals, approval);
    (void)entry_add(turn,
                    "Approved",
                    "%s approves plan %.8s%s%s",
                    role,
                    turn->state->plan_hash,
                    request->reason[0] != '\0' ? ": " : "",
                    request->reason);
    return request_applied(turn, "approved");
}

enum procedure_answer request_approve(struct turn *turn, const Pb__OperatorRequest *request)
{
    const Pb__Actor *const submitter = turn->state->submitted_by;
    const Pb__ApprovalSpec *wanted;

    if (turn->state->phase != PB__PHASE__IN_REVIEW)
        return turn_refuse(
            turn, "not-now", "there is no plan in review", turn->state->waiting_for->unblock);
    if (!pb_same(request->approve->plan_hash, turn->state->plan_hash))
        return turn_refuse(turn,
                           "plan-changed",
                           arena_printf(turn->arena,
                                        "the plan in review is %.8s, not %.8s",
                                        turn->state->plan_hash,
                                        request->approve->plan_hash),
                           "read the present plan, then approve exactly that one");
    wanted = approval_wanted(turn, request);
    if (wanted == NULL || !actor_holds(request->actor, wanted->role))
        return turn_refuse(turn,
                           "role-missing",
                           "the plan asks for approvals of roles that you do not hold",
                           turn->state->waiting_for->unblock);
    if (submitter != NULL && submitter->subject[0] != '\0' &&
        pb_same(submitter->subject, turn->by))
        return turn_refuse(turn,
                           "own-submission",
                           "you submitted it, and nobody approves their own",
                           arena_printf(turn->arena, "ask another %s", wanted->role));
    return approve_as(turn, request, wanted->role);
}

enum procedure_answer request_reject(struct turn *turn, const Pb__OperatorRequest *request)
{
    if (turn->state->phase != PB__PHASE__IN_REVIEW)
        return turn_refuse(
            turn, "not-now", "it is not in review: use abort", "abort it instead");
    deployment_exit(
        turn, PB__PHASE__ABORTED, "rejected in review by %s: %s", turn->by, request->reason);
    return request_applied(turn, "rejected");
}

/* Step 6 is signed off once its watch is active, the others after they ended. */
static bool sign_off_open(const struct turn *turn, uint32_t step)
{
    const Pb__DeploymentState *const state = turn->state;

    if (step == 6)
        return state->step == STEP_LAST || (state->step == 6 && state->monitoring_active);
    return step < state->step && pb_same(state_step(turn, step)->decision, "GO");
}

static const Pb__SignOffSpec *sign_off_wanted(const struct turn *turn,
                                              const Pb__OperatorRequest *request)
{
    const char *const role =
        request->signoff->role[0] != '\0' ? request->signoff->role : request->role;

    for (size_t i = 0; i < turn->plan->n_signoffs; i++) {
        const Pb__SignOffSpec *const spec = turn->plan->signoffs[i];

        if (spec->step == request->signoff->step &&
            (role[0] == '\0' || pb_same(spec->role, role)))
            return spec;
    }
    return NULL;
}

static void sign_off_keep(struct turn *turn,
                          const Pb__SignOffSpec *spec,
                          bool accept,
                          const char *note)
{
    Pb__DeploymentState *const state = turn->state;
    Pb__SignOffGiven *const given = pb_new(turn->arena, &pb__sign_off_given__descriptor);

    for (size_t i = state->n_signoffs; i-- > 0;) {
        if (state->signoffs[i]->step == spec->step &&
            pb_same(state->signoffs[i]->role, spec->role))
            PB_REMOVE(state, signoffs, i);
    }
    given->step = spec->step;
    given->role = spec->role;
    given->try_number = state_step(turn, spec->step)->try_number;
    given->accept = accept;
    given->subject = turn->by;
    given->at_ms = turn->now_ms;
    given->note = words_cut(turn, note, 200);
    PB_APPEND(turn->arena, state, signoffs, given);
    (void)entry_add(turn,
                    "SignOff",
                    "%s %s %s%s%s",
                    spec->role,
                    accept ? "signs off" : "refuses to sign off",
                    spec->what[0] != '\0' ? spec->what : words_step(spec->step),
                    note[0] != '\0' ? ": " : "",
                    given->note);
}

/* The last sign-off may be all that was missing. */
static void sign_off_counts(struct turn *turn)
{
    const struct judgement results = judge_results(turn, expect_here(turn));
    const struct judgement signoffs = judge_signoffs(turn);

    if (turn->state->phase != PB__PHASE__BLOCKED || turn->state->step != STEP_LAST ||
        results.found > FOUND_WAIT || signoffs.found == FOUND_FAIL)
        return;
    step_resume(turn);
    cursor_move(turn, PB__SUB__SUB_SIGN_OFFS);
}

enum procedure_answer request_signoff(struct turn *turn, const Pb__OperatorRequest *request)
{
    const Pb__SignOffSpec *const spec = sign_off_wanted(turn, request);
    const Pb__SignOffGiven *given;
    struct judgement refused;

    if (spec == NULL)
        return turn_refuse(turn, "not-now", "the plan asks for no such sign-off", "");
    if (!actor_holds(request->actor, spec->role))
        return turn_refuse(turn,
                           "role-missing",
                           arena_printf(turn->arena, "only a %s signs this off", spec->role),
                           arena_printf(turn->arena, "ask a %s", spec->role));
    if (!sign_off_open(turn, spec->step))
        return turn_refuse(turn,
                           "not-now",
                           arena_printf(turn->arena, "step %u is not there yet", spec->step),
                           "wait until it is Go");
    given = signoff_find(turn, spec->step, spec->role);
    if (given != NULL && given->accept == request->signoff->accept)
        return turn_refuse(turn,
                           "not-now",
                           arena_printf(turn->arena, "%s said so already", given->subject),
                           "");
    sign_off_keep(turn, spec, request->signoff->accept, request->reason);
    if (request->signoff->accept) {
        sign_off_counts(turn);
    } else if (turn->state->phase == PB__PHASE__FINALISING && task_main(turn) == NULL) {
        refused = judge_signoffs(turn);
        step_block(turn, refused.rule, refused.remedy);
    }
    return request_applied(turn, request->signoff->accept ? "signed off" : "sign-off refused");
}
