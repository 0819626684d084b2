/* What an event leaves in state and effects, where stories and tables do not look. */
#include "services/coordinator/core/turn.h"
#include "tests/unit/coordinator_core/places.h"

#include <time.h>

static Pb__CheckSpec *add_check(struct play *play, uint32_t step, const char *id, bool attest)
{
    Pb__CheckSpec *const check = pb_new(&play->arena, &pb__check_spec__descriptor);

    check->id = id;
    check->kind = attest ? "attest" : "builtin";
    check->role = attest ? "technical-lead" : "";
    check->required = true;
    check->waivable = true;
    PB_APPEND(&play->arena, play->plan->steps[step - 1], checks, check);
    return check;
}

static const Pb__CheckResult *result(const struct play *play, uint32_t step, const char *check)
{
    const Pb__StepState *const of = play->state->steps[step];

    for (size_t i = 0; i < of->n_results; i++) {
        if (strcmp(of->results[i]->check, check) == 0)
            return of->results[i];
    }
    return NULL;
}

/* --- gates: what only people answer --- */

static void a_step_that_only_people_answer_waits_for_them(void **state)
{
    struct play *const play = *state;

    play->plan->steps[2]->n_checks = 0;
    add_check(play, 3, "business.says", true);
    at_3(play);
    assert_null(play_task(play));
    assert_int_equal(play->state->cursor->sub, PB__SUB__SUB_GATE);
    assert_string_equal(play->state->waiting_for->kind, "ATTEST");
    play_attest(play, "business.says", "technical-lead", PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__ROLLING_OUT);
}

static void a_step_with_nothing_to_look_at_is_go(void **state)
{
    struct play *const play = *state;

    play->plan->steps[2]->n_checks = 0;
    play_until(play, PB__PHASE__ROLLING_OUT, 4);
    assert_string_equal(play->state->steps[3]->decision, "GO");
}

static void a_person_who_says_fail_at_a_gate_is_a_no_go(void **state)
{
    struct play *const play = *state;

    at_gate(play);
    play_attest(play, "stage.gate", "technical-lead", PB__VERDICT__FAIL);
    assert_int_equal(play->state->stop->kind, PB__CAUSE_KIND__FAILURE);
    assert_true(play->state->flags->killed);
}

static void a_person_who_only_warns_at_a_gate_opens_it_to_nobody(void **state)
{
    struct play *const play = *state;

    at_gate(play);
    play_attest(play, "stage.gate", "technical-lead", PB__VERDICT__WARN);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    assert_int_equal(play->state->flags->percent, 5);
}

static void a_gate_says_go_once_and_the_next_stage_begins(void **state)
{
    struct play *const play = *state;

    at_gate(play);
    play_attest(play, "stage.gate", "technical-lead", PB__VERDICT__PASS);
    assert_int_equal(play->state->cursor->stage, 1);
    assert_int_equal(play->state->flags->percent, 100);
}

static void a_stage_with_nothing_to_watch_goes_to_its_gate(void **state)
{
    struct play *const play = *state;

    play->plan->stages[0]->n_checks = 1;
    at_gate(play);
    assert_int_equal(play->state->cursor->stage, 0);
    assert_null(play_task(play));
    assert_string_equal(play->state->waiting_for->kind, "GATE");
}

static void a_change_without_health_checks_bakes_at_once(void **state)
{
    struct play *const play = *state;

    play->plan->changes[1]->n_health = 0;
    at_2(play);
    while (play->state->cursor->change != 1)
        assert_true(play_well(play));
    play_finish(play, PB__VERDICT__PASS);
    assert_string_equal(play_task(play)->kind, "bake");
}

static void step_7_with_nothing_to_send_waits_for_its_sign_offs(void **state)
{
    struct play *const play = *state;

    play->plan->steps[6]->n_checks = 0;
    at_7(play);
    assert_string_equal(play->state->waiting_for->kind, "SIGNOFF");
}

/* Step 1 keeps what was attested: there is nothing to ask, and it is still bad. */
static void a_bad_word_that_is_kept_blocks_the_next_try_as_well(void **state)
{
    struct play *const play = *state;

    play->plan->steps[0]->n_checks = 0;
    add_check(play, 1, "env.team_available", true);
    at_1(play);
    play_attest(play, "env.team_available", "technical-lead", PB__VERDICT__FAIL);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    play_granted(play);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    assert_int_equal(play->state->steps[1]->try_number, 2);
    play_attest(play, "env.team_available", "technical-lead", PB__VERDICT__PASS);
    play_granted(play);
    assert_int_equal(play->state->phase, PB__PHASE__EXECUTING);
}

/* --- holds between batches --- */

static bool begins_the_next_batch(struct play *play, Pb__HoldKind kind)
{
    at_2(play);
    play_hold(play, kind, true);
    play_finish(play, PB__VERDICT__PASS);
    play_finish(play, PB__VERDICT__PASS);
    return play_task(play) != NULL && strcmp(play_task(play)->kind, "apply") == 0;
}

static void a_freeze_begins_no_batch_whatever_the_plan_says_of_windows(void **state)
{
    struct play *const play = *state;

    play->plan->on_closed_window = PB__ON_CLOSED_WINDOW__FINISH;
    assert_false(begins_the_next_batch(play, PB__HOLD_KIND__HOLD_FREEZE));
}

static void a_closed_window_lets_step_2_finish_if_the_plan_says_so(void **state)
{
    struct play *const play = *state;

    play->plan->on_closed_window = PB__ON_CLOSED_WINDOW__FINISH;
    assert_true(begins_the_next_batch(play, PB__HOLD_KIND__HOLD_WINDOW));
}

static void a_closed_window_begins_no_batch_if_the_plan_says_hold(void **state)
{
    struct play *const play = *state;

    play->plan->on_closed_window = PB__ON_CLOSED_WINDOW__HOLD;
    assert_false(begins_the_next_batch(play, PB__HOLD_KIND__HOLD_WINDOW));
}

static void a_closed_window_begins_no_stage(void **state)
{
    struct play *const play = *state;

    at_3(play);
    play_hold(play, PB__HOLD_KIND__HOLD_WINDOW, true);
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->phase, PB__PHASE__ROLLING_OUT);
    assert_null(play_task(play));
    assert_int_equal(play->state->flags->percent, 0);
}

/* --- what stays of a try --- */

static void a_new_try_of_a_step_has_no_end_yet(void **state)
{
    struct play *const play = *state;

    rest_in_3(play);
    assert_true(play->state->steps[3]->ended_ms > 0);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    assert_int_equal(play->state->steps[3]->ended_ms, 0);
}

static void a_step_that_goes_on_after_a_rest_has_no_end_yet(void **state)
{
    struct play *const play = *state;

    add_check(play, 3, "business.says", true);
    rest_in_3(play);
    play_waive(play, "smoke.api");
    assert_int_equal(play->state->phase, PB__PHASE__VALIDATING);
    assert_int_equal(play->state->steps[3]->ended_ms, 0);
    assert_string_equal(play->state->steps[3]->decision, "");
}

/* In step 1, which keeps what was attested, and in step 3, which does not. */
static void a_new_try_keeps_what_people_took_upon_themselves(void **state)
{
    struct play *const play = *state;

    add_check(play, 1, "env.team_available", true);
    at_1(play);
    play_attest(play, "env.team_available", "technical-lead", PB__VERDICT__PASS);
    play_finish(play, PB__VERDICT__FAIL);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    at_1(play);
    assert_non_null(result(play, 1, "env.team_available"));
    assert_null(result(play, 1, "env.ready"));
}

static void a_new_try_of_step_3_asks_people_again_and_keeps_their_waivers(void **state)
{
    struct play *const play = *state;

    play->plan->steps[2]->on_no_go = PB__ON_NO_GO__BLOCK;
    add_check(play, 3, "business.says", true);
    add_check(play, 3, "smoke.flows", false);
    at_3(play);
    play_waive(play, "smoke.flows");
    play_attest(play, "business.says", "technical-lead", PB__VERDICT__PASS);
    play_finish(play, PB__VERDICT__FAIL);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    assert_true(result(play, 3, "smoke.flows")->waived);
    assert_null(result(play, 3, "business.says"));
    assert_null(result(play, 3, "smoke.api"));
}

static void a_waiver_that_has_expired_does_not_outlast_the_try(void **state)
{
    struct play *const play = *state;
    Pb__OperatorRequest *request;

    play->plan->steps[2]->on_no_go = PB__ON_NO_GO__BLOCK;
    add_check(play, 3, "smoke.flows", false);
    at_3(play);
    request = play_request_new(play, PB__OPERATOR_REQUEST__BODY_WAIVE, "release-engineer");
    request->waive = pb_new(&play->arena, &pb__waive__descriptor);
    request->waive->check = "smoke.flows";
    request->waive->expires_ms = play->now_ms + 1000;
    play_request(play, request);
    play_finish(play, PB__VERDICT__FAIL);
    play->now_ms += 2000;
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    assert_null(result(play, 3, "smoke.flows"));
}

/* --- sign-offs --- */

static void a_sign_off_moves_no_step_that_rests_for_another_reason(void **state)
{
    struct play *const play = *state;
    Pb__Sub sub;

    at_1(play);
    play_incident(play, "early", PB__SEVERITY__WARNING, true);
    at_6(play);
    play_finish(play, PB__VERDICT__PASS);
    sub = play->state->cursor->sub;
    assert_int_equal(play_signoff(play, 2, "devops-lead", true), PROCEDURE_APPLIED);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    assert_int_equal(play->state->cursor->sub, sub);
}

/* --- what is written down --- */

static void a_hold_keeps_the_reason_it_was_set_for(void **state)
{
    struct play *const play = *state;

    at_2(play);
    play_hold(play, PB__HOLD_KIND__HOLD_FREEZE, true);
    assert_string_equal(play->state->holds[0]->reason, "not now");
}

static const char *fact(const struct play *play, const char *key)
{
    for (size_t i = 0; i < play->last.effects.count; i++) {
        const struct effect *const effect = &play->last.effects.item[i];

        if (effect->kind != EFFECT_COMMAND ||
            effect->command->body_case != PB__COMMAND__BODY_ANNOUNCE)
            continue;
        for (size_t k = 0; k < effect->command->announce->n_facts; k++) {
            if (strcmp(effect->command->announce->facts[k]->key, key) == 0)
                return effect->command->announce->facts[k]->value;
        }
    }
    return "";
}

static void an_announcement_carries_its_facts(void **state)
{
    struct play *const play = *state;

    rest_in_3(play);
    assert_string_equal(fact(play, "status"), "BLOCKED");
    assert_string_equal(fact(play, "version"), "shop 1.1");
    assert_string_equal(fact(play, "percent"), "0");
    assert_string_equal(fact(play, "flag_status"), "on for 0 %");
    assert_string_equal(fact(play, "date"), "1970-01-01T00:00:15Z");
    assert_string_equal(fact(play, "environment"), "production");
    assert_string_equal(fact(play, "step"), "Validate");
}

static void dates_are_those_of_the_calendar(void **state)
{
    struct play *const play = *state;
    struct turn turn = { .arena = &play->arena };
    const int64_t day_ms = 24LL * 60 * 60 * 1000;

    for (int64_t day = 0; day < 366LL * 131; day++) {
        const int64_t at_ms = day * day_ms + day * 1009 % 86400 * 1000;
        const time_t at = (time_t)(at_ms / 1000);
        struct tm parts;
        char expected[32];

        assert_non_null(gmtime_r(&at, &parts));
        assert_true(strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0);
        assert_string_equal(words_date(&turn, at_ms), expected);
    }
}

/* --- limits --- */

static void a_full_list_of_effects_gives_up_lines_of_the_audit_trail_first(void **state)
{
    struct play *const play = *state;
    struct turn turn = { .arena = &play->arena, .out = &play->last };

    at_2(play);
    turn.state = play->state;
    play->last.effects.count = 0;
    for (int i = 0; i < EFFECTS_MAX; i++)
        (void)entry_add(&turn, "Noted", "%d", i);
    for (int i = 0; i < EFFECTS_MAX; i++) {
        (void)effect_event(&turn, "pay", "");
        assert_int_equal(play->last.effects.count, EFFECTS_MAX);
        assert_false(turn.overflowed);
    }
    (void)effect_event(&turn, "pay", "");
    assert_true(turn.overflowed);
}

static void a_change_that_the_plan_does_not_have_is_not_skipped(void **state)
{
    struct play *const play = *state;
    Pb__OperatorRequest *request;

    at_undo(play);
    play_finish(play, PB__VERDICT__PASS);
    play_finish(play, PB__VERDICT__INCONCLUSIVE);
    assert_int_equal(play->state->n_applied, 0);
    request =
        play_request_new(play, PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE, "release-engineer");
    request->skip_change = pb_new(&play->arena, &pb__skip_change__descriptor);
    request->skip_change->change = 3;
    assert_int_equal(play_request(play, request), PROCEDURE_REFUSED);
    request->skip_change->change = 2;
    assert_int_equal(play_request(play, request), PROCEDURE_APPLIED);
    assert_int_equal(play->state->skipped[0], 1);
}

/* --- what an apply is held against --- */

static void only_a_batch_that_shifts_traffic_answers_for_traffic(void **state)
{
    struct play *const play = *state;

    add_check(play, 2, "traffic.weight", false);
    add_check(play, 2, "logs.errors", false);
    play->plan->changes[1]->batches[1]->kind = PB__BATCH_KIND__SHIFT;
    at_2(play);
    while (play->state->cursor->change != 1 || play->state->cursor->batch != 1)
        assert_true(play_well(play));
    assert_string_equal(play_task(play)->kind, "apply");
    play_finish(play, PB__VERDICT__PASS);
    assert_int_equal(play->state->cursor->sub, PB__SUB__SUB_APPLY);
    assert_int_equal(play_task(play)->remeasured, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(a_step_that_only_people_answer_waits_for_them),
        PLAY(a_step_with_nothing_to_look_at_is_go),
        PLAY(a_person_who_says_fail_at_a_gate_is_a_no_go),
        PLAY(a_person_who_only_warns_at_a_gate_opens_it_to_nobody),
        PLAY(a_gate_says_go_once_and_the_next_stage_begins),
        PLAY(a_stage_with_nothing_to_watch_goes_to_its_gate),
        PLAY(a_change_without_health_checks_bakes_at_once),
        PLAY(step_7_with_nothing_to_send_waits_for_its_sign_offs),
        PLAY(a_bad_word_that_is_kept_blocks_the_next_try_as_well),
        PLAY(a_freeze_begins_no_batch_whatever_the_plan_says_of_windows),
        PLAY(a_closed_window_lets_step_2_finish_if_the_plan_says_so),
        PLAY(a_closed_window_begins_no_batch_if_the_plan_says_hold),
        PLAY(a_closed_window_begins_no_stage),
        PLAY(a_new_try_of_a_step_has_no_end_yet),
        PLAY(a_step_that_goes_on_after_a_rest_has_no_end_yet),
        PLAY(a_new_try_keeps_what_people_took_upon_themselves),
        PLAY(a_new_try_of_step_3_asks_people_again_and_keeps_their_waivers),
        PLAY(a_waiver_that_has_expired_does_not_outlast_the_try),
        PLAY(a_sign_off_moves_no_step_that_rests_for_another_reason),
        PLAY(a_hold_keeps_the_reason_it_was_set_for),
        PLAY(an_announcement_carries_its_facts),
        PLAY(dates_are_those_of_the_calendar),
        PLAY(a_full_list_of_effects_gives_up_lines_of_the_audit_trail_first),
        PLAY(a_change_that_the_plan_does_not_have_is_not_skipped),
        PLAY(only_a_batch_that_shifts_traffic_answers_for_traffic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
