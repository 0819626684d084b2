#include "services/coordinator/core/requests.h"

static const Pb__CheckSpec *spec_in(struct expectation all, const char *check)
{
    for (size_t i = 0; i < all.count; i++) {
        if (pb_same(all.item[i]->id, check))
            return all.item[i];
    }
    return NULL;
}

/* A check of the step it is in. */
static const Pb__CheckSpec *spec_find(struct turn *turn, const char *check)
{
    const Pb__CheckSpec *found = spec_in(expect_here(turn), check);

    if (found == NULL && turn->state->step == 4)
        found = spec_in(expect_stage(turn), check);
    if (found == NULL && turn->state->step == 4)
        found = spec_in(expect_flags(turn), check);
    if (found == NULL && turn->state->step == 2)
        found = spec_in(expect_bake(turn), check);
    if (found == NULL && turn->state->step == 2)
        found = spec_in(expect_health(turn), check);
    return found;
}

/* Work that was not done cannot be judged. */
static bool stopped_at_work(const struct turn *turn)
{
    return turn->state->cursor->sub == PB__SUB__SUB_APPLY ||
           turn->state->cursor->sub == PB__SUB__SUB_ACTIVATE;
}

/* From BLOCKED: is it Go now? Then on from where it stopped. */
static void reevaluate(struct turn *turn)
{
    const Pb__Sub sub = turn->state->cursor->sub;
    struct judgement judgement;

    if (turn->state->step == 1 || turn->state->flags->disabled) {
        retry_step(turn);
        return;
    }
    judgement = judge_results(turn, expect_here(turn));
    if (stopped_at_work(turn) || judgement.found > FOUND_WAIT)
        return;
    step_resume(turn);
    if (sub == PB__SUB__SUB_HEALTH)
        cursor_move(turn, PB__SUB__SUB_BAKE);
    else if (sub == PB__SUB__SUB_BAKE)
        batch_next(turn);
    else
        cursor_move(
            turn, turn->state->step == STEP_LAST ? PB__SUB__SUB_SIGN_OFFS : PB__SUB__SUB_GATE);
}

enum procedure_answer request_attest(struct turn *turn, const Pb__OperatorRequest *request)
{
    const Pb__Attest *const attest = request->attest;
    const Pb__CheckSpec *const spec = spec_find(turn, attest->check);
    Pb__CheckResult *result;

    if (spec == NULL || spec->role[0] == '\0')
        return turn_refuse(turn,
                           "not-now",
                           arena_printf(turn->arena,
                                        "%s is not a check that a person answers here",
                                        attest->check),
                           turn->state->waiting_for->unblock);
    if (!actor_holds(request->actor, spec->role))
        return turn_refuse(turn,
                           "role-missing",
                           arena_printf(turn->arena, "only a %s may attest it", spec->role),
                           arena_printf(turn->arena, "ask a %s", spec->role));
    if (attest->verdict != PB__VERDICT__PASS && attest->verdict != PB__VERDICT__WARN &&
        attest->verdict != PB__VERDICT__FAIL)
        return turn_refuse(
            turn, "malformed", "a person says PASS, WARN or FAIL", "say one of them");
    result = result_put(turn, state_step(turn, turn->state->step), spec->id);
    result->verdict = attest->verdict;
    result->observed = words_cut(turn, request->reason, 120);
    result->by = turn->by;
    result->waived = false;
    result->link = words_cut(turn, attest->link, 200);
    result->remedy = attest->verdict == PB__VERDICT__PASS ? "" : spec->remedy;
    (void)entry_add(turn,
                    "Attested",
                    "%s %s%s%s",
                    spec->id,
                    pb_verdict_name(attest->verdict),
                    request->reason[0] != '\0' ? ": " : "",
                    request->reason);
    if (turn->state->phase == PB__PHASE__BLOCKED)
        reevaluate(turn);
    if (turn->state->phase == PB__PHASE__AWAITING_INPUTS && task_main(turn) == NULL)
        cursor_move(turn, PB__SUB__SUB_RUN);
    return request_applied(turn, "attested");
}

static enum procedure_answer refuse_waiver(struct turn *turn, const char *why)
{
    return turn_refuse(turn, "check-not-waivable", why, "put right what it found, then retry");
}

enum procedure_answer request_waive(struct turn *turn, const Pb__OperatorRequest *request)
{
    const Pb__CheckSpec *const spec = spec_find(turn, request->waive->check);
    const bool rests = turn->state->phase == PB__PHASE__BLOCKED;
    Pb__CheckResult *result;

    if (spec == NULL)
        return turn_refuse(turn,
                           "not-now",
                           arena_printf(turn->arena,
                                        "%s is not a check of step %u",
                                        request->waive->check,
                                        turn->state->step),
                           "");
    if (!spec->waivable)
        return refuse_waiver(turn, arena_printf(turn->arena, "%s is never waived", spec->id));
    if (rests && turn->state->step == 6 &&
        state_incident(turn->state, PB__SEVERITY__WARNING) != NULL)
        return refuse_waiver(turn, "an incident is open");
    if (rests && !turn->state->flags->disabled && stopped_at_work(turn))
        return refuse_waiver(turn, "what was not done cannot be waived");
    result = result_put(turn, state_step(turn, turn->state->step), spec->id);
    result->waived = true;
    result->by = turn->by;
    result->until_ms = request->waive->expires_ms;
    (void)entry_add(turn, "Waived", "%s: %s", spec->id, request->reason);
    if (rests)
        reevaluate(turn);
    return request_applied(turn, "waived, with your name and reason in the record");
}
