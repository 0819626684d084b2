#include "tests/unit/coordinator_core/places.h"

static void fail_step(struct play *play)
{
    (void)play_finish(play, PB__VERDICT__FAIL);
}

void at_inputs(struct play *play)
{
    (void)play_birth(play);
    (void)play_missing(play, "runbooks");
}

void at_review(struct play *play)
{
    play_until(play, PB__PHASE__IN_REVIEW, 0);
}

void at_queue(struct play *play)
{
    play_until(play, PB__PHASE__QUEUED, 0);
}

void at_1(struct play *play)
{
    play_until(play, PB__PHASE__CHECKING, 1);
}

void at_2(struct play *play)
{
    play_until(play, PB__PHASE__EXECUTING, 2);
}

void at_bake(struct play *play)
{
    play_until_sub(play, PB__PHASE__EXECUTING, PB__SUB__SUB_BAKE);
}

void at_3(struct play *play)
{
    play_until(play, PB__PHASE__VALIDATING, 3);
}

void at_4(struct play *play)
{
    play_until_sub(play, PB__PHASE__ROLLING_OUT, PB__SUB__SUB_WATCH);
}

void at_gate(struct play *play)
{
    play->plan->stages[0]->gate_role = "technical-lead";
    play_until_sub(play, PB__PHASE__ROLLING_OUT, PB__SUB__SUB_GATE);
}

void at_5(struct play *play)
{
    play_until(play, PB__PHASE__CONFIRMING, 5);
}

void at_6(struct play *play)
{
    play_until(play, PB__PHASE__OBSERVING, 6);
}

void at_7(struct play *play)
{
    play_until_sub(play, PB__PHASE__FINALISING, PB__SUB__SUB_SIGN_OFFS);
}

void at_send(struct play *play)
{
    play_until_sub(play, PB__PHASE__FINALISING, PB__SUB__SUB_SEND);
}

void rest_in_1(struct play *play)
{
    at_1(play);
    fail_step(play);
}

void rest_in_2(struct play *play)
{
    play->plan->steps[1]->on_no_go = PB__ON_NO_GO__BLOCK;
    at_bake(play);
    fail_step(play);
}

void rest_in_3(struct play *play)
{
    play->plan->steps[2]->on_no_go = PB__ON_NO_GO__BLOCK;
    at_3(play);
    fail_step(play);
}

void at_disable(struct play *play)
{
    play->plan->steps[3]->on_no_go = PB__ON_NO_GO__BLOCK;
    at_4(play);
    fail_step(play);
}

void rest_in_4(struct play *play)
{
    at_disable(play);
    (void)play_finish(play, PB__VERDICT__PASS);
}

void at_disable_5(struct play *play)
{
    play->plan->steps[4]->on_no_go = PB__ON_NO_GO__BLOCK;
    at_5(play);
    fail_step(play);
}

void rest_in_5(struct play *play)
{
    at_disable_5(play);
    (void)play_finish(play, PB__VERDICT__PASS);
}

void rest_in_6(struct play *play)
{
    at_6(play);
    fail_step(play);
}

void rest_in_7(struct play *play)
{
    at_send(play);
    fail_step(play);
}

void at_stop(struct play *play)
{
    at_2(play);
    (void)play_incident(play, "first", PB__SEVERITY__CRITICAL, true);
}

void at_undo(struct play *play)
{
    at_stop(play);
    (void)play_finish(play, PB__VERDICT__PASS);
}

void rest_in_undo(struct play *play)
{
    at_undo(play);
    (void)play_finish(play, PB__VERDICT__INCONCLUSIVE);
}

void at_completed(struct play *play)
{
    play_until(play, PB__PHASE__COMPLETED, 7);
}

void at_aborted(struct play *play)
{
    at_review(play);
    (void)play_plain(play, PB__OPERATOR_REQUEST__BODY_ABORT);
}

void at_rolled_back(struct play *play)
{
    at_undo(play);
    play_out(play);
}

const char *place_code(const Pb__DeploymentState *state, char code[PLACE_CODE_SIZE])
{
    static const char *const codes[] = { "",  "0a", "0b", "0c", "0d", "1",  "2",
                                         "3", "4",  "5",  "6",  "7",  "ST", "UN",
                                         "B", "BR", "CO", "AB", "RD" };

    if (state->phase == PB__PHASE__BLOCKED) {
        code[0] = 'B';
        code[1] = (char)('0' + state->step);
        code[2] = '\0';
        return code;
    }
    if (state->phase == PB__PHASE__ROLLING_OUT && state->cursor->sub == PB__SUB__SUB_DISABLE)
        return "4d";
    if (state->phase == PB__PHASE__ROLLING_OUT && state->cursor->sub == PB__SUB__SUB_GATE)
        return "4g";
    if (state->phase == PB__PHASE__EXECUTING && state->cursor->sub == PB__SUB__SUB_BAKE)
        return "2b";
    if (state->phase == PB__PHASE__CONFIRMING && state->cursor->sub == PB__SUB__SUB_DISABLE)
        return "5d";
    if (state->phase == PB__PHASE__FINALISING && state->cursor->sub == PB__SUB__SUB_SEND)
        return "7s";
    return codes[state->phase];
}
