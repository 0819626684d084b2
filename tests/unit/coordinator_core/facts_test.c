/* Single facts that a state or an effect must hold, found by breaking the core: each of these
 * once went wrong in a mutant that no other test noticed. */
#include "services/coordinator/core/procedure.h"
#include "tests/unit/coordinator_core/places.h"

static const Pb__CheckResult *result(const struct play *play, uint32_t step, const char *check)
{
    const Pb__StepState *const of = play->state->steps[step];

    for (size_t i = 0; i < of->n_results; i++) {
        if (strcmp(of->results[i]->check, check) == 0)
            return of->results[i];
    }
    return NULL;
}

static Pb__Link *link_new(struct play *play, const char *url)
{
    Pb__Link *const link = pb_new(&play->arena, &pb__link__descriptor);

    link->title = "latency";
    link->url = url;
    return link;
}

/* --- links and flags --- */

static void the_links_of_a_watch_that_is_active_are_kept(void **state)
{
    struct play *const play = *state;
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);
    Pb__TaskProgress *const progress = pb_new(&play->arena, &pb__task_progress__descriptor);

    at_6(play);
    progress->task = play_task(play)->task;
    progress->drive = play_task(play)->drive;
    progress->active = true;
    PB_APPEND(&play->arena, progress, links, link_new(play, "https://graphs.example/pay"));
    event->body_case = PB__EVENT__BODY_TASK_PROGRESS;
    event->task_progress = progress;
    assert_int_equal(play_event(play, "progress", event), PROCEDURE_APPLIED);
    assert_true(play->state->monitoring_active);
    assert_int_equal(play->state->n_links, 1);
    assert_string_equal(play->state->links[0]->url, "https://graphs.example/pay");
    assert_string_equal(play->state->links[0]->title, "latency");
    progress->task = play_task(play)->task;
    assert_int_equal(play_event(play, "progress", event), PROCEDURE_APPLIED);
    assert_int_equal(play->state->n_links, 1);
}

static const Pb__FlagValue *flag_said(const struct play *play)
{
    for (size_t i = 0; i < play->last.effects.count; i++) {
        const struct effect *const effect = &play->last.effects.item[i];

        if (effect->kind == EFFECT_CONTROL &&
            effect->control->body_case == PB__CONTROL__BODY_FLAG)
            return effect->control->flag;
    }
    return NULL;
}

static void a_flags_value_names_the_provider_of_the_plan(void **state)
{
    struct play *const play = *state;

    play->plan->flags[0]->provider = "toggles";
    while (play->state == NULL || play->state->phase != PB__PHASE__ROLLING_OUT ||
           flag_said(play) == NULL)
        assert_true(play_well(play));
    assert_string_equal(flag_said(play)->flag, "pay");
    assert_string_equal(flag_said(play)->provider, "toggles");
}

/* The least share that there is also goes back to none before anybody is asked. */
static void a_stage_of_one_percent_is_set_to_none_before_it_rests(void **state)
{
    struct play *const play = *state;

    play->plan->stages[0]->percent = 1;
    at_disable(play);
    assert_int_equal(play->state->phase, PB__PHASE__ROLLING_OUT);
    assert_int_equal(play->state->flags->percent, 0);
    assert_non_null(flag_said(play));
    assert_int_equal(flag_said(play)->percent, 0);
}

/* --- clocks --- */

/* What a hold gave back to one phase it does not give to the next. */
static void a_rest_after_a_hold_has_its_own_time_and_no_more(void **state)
{
    struct play *const play = *state;
    Pb__CheckSpec *const check = play->plan->steps[2]->checks[0];

    play->plan->steps[2]->on_no_go = PB__ON_NO_GO__BLOCK;
    play->plan->steps[2]->blocked_deadline_ms = 5 * 60 * 1000;
    play->plan->steps[2]->n_checks = 1;
    check->kind = "attest";
    check->role = "technical-lead";
    at_3(play);
    assert_int_equal(play->state->cursor->sub, PB__SUB__SUB_GATE);
    play_hold(play, PB__HOLD_KIND__HOLD_FREEZE, true);
    play->now_ms += 60 * 60 * 1000;
    play_attest(play, check->id, "technical-lead", PB__VERDICT__FAIL);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED);
    assert_int_equal(play->state->phase_due_ms - play->state->phase_ms, 5 * 60 * 1000);
}

static void what_has_ended_waits_for_no_time(void **state)
{
    struct play *const play = *state;

    at_completed(play);
    assert_int_equal(play->state->waiting_for->deadline_ms, 0);
}

/* --- names, however short --- */

static void a_gate_that_somebody_of_one_letter_answers_is_answered(void **state)
{
    struct play *const play = *state;
    Pb__OperatorRequest *request;

    at_gate(play);
    request = play_request_new(play, PB__OPERATOR_REQUEST__BODY_ATTEST, "technical-lead");
    request->actor->subject = "x";
    request->attest = pb_new(&play->arena, &pb__attest__descriptor);
    request->attest->check = "stage.gate";
    request->attest->verdict = PB__VERDICT__PASS;
    assert_int_equal(play_request(play, request), PROCEDURE_APPLIED);
    assert_int_equal(play->state->cursor->stage, 1);
}

static void an_input_check_of_one_letter_is_named_when_it_fails(void **state)
{
    struct play *const play = *state;

    play->plan->input_checks[0]->id = "c";
    play_birth(play);
    play_compiled(play);
    play_finish(play, PB__VERDICT__FAIL);
    assert_int_equal(play->state->cursor->sub, PB__SUB__SUB_MISSING);
    assert_string_equal(play->state->missing[0]->input, "c");
}

static void what_was_missing_is_missing_no_more_once_there_is_a_plan(void **state)
{
    struct play *const play = *state;

    at_inputs(play);
    assert_int_equal(play->state->n_missing, 1);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_SUPPLY);
    play_compiled(play);
    assert_string_equal(play->state->plan_hash, "6adc9e62");
    assert_int_equal(play->state->n_missing, 0);
}

/* The line of the audit trail of that type; NULL if there is none. */
static const Pb__TimelineEntry *entry_of(const struct play *play, const char *type)
{
    for (size_t i = 0; i < play->last.effects.count; i++) {
        const struct effect *const effect = &play->last.effects.item[i];

        if (effect->kind == EFFECT_ENTRY && strcmp(effect->entry->type, type) == 0)
            return effect->entry;
    }
    return NULL;
}

static void who_latched_the_flags_off_is_named(void **state)
{
    struct play *const play = *state;
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);
    Pb__Kill *const kill = pb_new(&play->arena, &pb__kill__descriptor);

    at_4(play);
    kill->deployment = "pay.1";
    kill->actor = pb_new(&play->arena, &pb__actor__descriptor);
    kill->actor->subject = "carla";
    kill->actor->via = "gateway";
    event->body_case = PB__EVENT__BODY_KILL_SEEN;
    event->kill_seen = pb_new(&play->arena, &pb__kill_seen__descriptor);
    event->kill_seen->kill = kill;
    assert_int_equal(play_event(play, "kill seen", event), PROCEDURE_APPLIED);
    assert_non_null(entry_of(play, "KillSeen"));
    assert_string_equal(entry_of(play, "KillSeen")->actor, "carla");
}

static void the_first_role_that_may_sign_off_is_told_as_well(void **state)
{
    struct play *const play = *state;

    play->plan->signoffs[0]->step = 6;
    play->plan->n_signoffs = 1;
    at_6(play);
    while (!play->state->monitoring_active)
        assert_true(play_well(play));
    assert_non_null(entry_of(play, "SignOffOpened"));
    assert_non_null(strstr(entry_of(play, "SignOffOpened")->text, "devops-lead"));
}

/* --- who may --- */

/* Without any role, as the one whose change it is. */
static Pb__OperatorRequest *abort_by_submitter(struct play *play)
{
    Pb__OperatorRequest *const request =
        play_request_new(play, PB__OPERATOR_REQUEST__BODY_ABORT, "");

    request->actor->subject = "ci/github";
    request->actor->n_roles = 0;
    return request;
}

static void who_handed_it_in_may_still_abort_it_in_step_1(void **state)
{
    struct play *const play = *state;

    at_1(play);
    assert_int_equal(play_request(play, abort_by_submitter(play)), PROCEDURE_APPLIED);
    assert_non_null(play->state->stop);
}

static void who_handed_it_in_may_not_abort_it_once_production_is_touched(void **state)
{
    struct play *const play = *state;

    at_2(play);
    assert_int_equal(play_request(play, abort_by_submitter(play)), PROCEDURE_REFUSED);
    assert_string_equal(play_code(play), "role-missing");
}

static void a_sign_off_in_a_role_that_is_not_asked_for_counts_for_no_other(void **state)
{
    struct play *const play = *state;
    Pb__OperatorRequest *request;

    at_4(play);
    play->state->n_signoffs = 0;
    request = play_request_new(play, PB__OPERATOR_REQUEST__BODY_SIGNOFF, "technical-lead");
    PB_APPEND(&play->arena, request->actor, roles, "q");
    request->signoff = pb_new(&play->arena, &pb__sign_off__descriptor);
    request->signoff->step = 3;
    request->signoff->role = "q";
    request->signoff->accept = true;
    assert_int_equal(play_request(play, request), PROCEDURE_REFUSED);
    assert_string_equal(play_code(play), "not-now");
    request->signoff->role = "";
    assert_int_equal(play_request(play, request), PROCEDURE_APPLIED);
    assert_string_equal(play->state->signoffs[0]->role, "technical-lead");
}

/* --- a state that grew too large --- */

static void add_result(struct play *play, const char *check, Pb__Verdict verdict)
{
    Pb__CheckResult *const seen = pb_new(&play->arena, &pb__check_result__descriptor);

    seen->check = check;
    seen->verdict = verdict;
    seen->observed = arena_printf(&play->arena, "%0400d", 7);
    seen->remedy = arena_printf(&play->arena, "%0400d", 7);
    PB_APPEND(&play->arena, play->state->steps[1], results, seen);
}

/* As large as a PASS and a FAIL with that many words make it. */
static void at_2_and_large(struct play *play)
{
    Pb__Receipt *const receipt = pb_new(&play->arena, &pb__receipt__descriptor);

    at_2(play);
    for (int i = 0; i < 50; i++)
        add_result(play, arena_printf(&play->arena, "check.%d", i), PB__VERDICT__PASS);
    add_result(play, "check.failed", PB__VERDICT__FAIL);
    receipt->check = "notify.deployment";
    receipt->link = "https://chat.example/1";
    PB_APPEND(&play->arena, play->state, receipts, receipt);
    PB_APPEND(&play->arena, play->state, links, link_new(play, "https://graphs.example/pay"));
    assert_true(protobuf_c_message_get_packed_size(&play->state->base) > PB_STATE_MAX);
}

static void a_state_too_large_gives_up_what_its_timeline_holds_as_well(void **state)
{
    struct play *const play = *state;

    at_2_and_large(play);
    assert_int_equal(play_hold(play, PB__HOLD_KIND__HOLD_FREEZE, true), PROCEDURE_APPLIED);
    assert_int_equal(play->state->n_holds, 1);
    assert_string_equal(result(play, 1, "check.7")->observed, "");
    assert_string_equal(result(play, 1, "check.7")->remedy, "");
    assert_int_equal(strlen(result(play, 1, "check.failed")->observed), 400);
    assert_string_equal(result(play, 1, "check.failed")->remedy, "");
    assert_int_equal(play->state->n_receipts, 1);
    assert_string_equal(play->state->receipts[0]->link, "");
    assert_int_equal(play->state->n_links, 0);
    assert_true(protobuf_c_message_get_packed_size(&play->state->base) <= PB_STATE_MAX);
}

static void a_state_that_is_too_large_even_then_is_none(void **state)
{
    struct play *const play = *state;

    at_2_and_large(play);
    for (int i = 0; i < 90; i++)
        add_result(play, arena_printf(&play->arena, "failed.%d", i), PB__VERDICT__FAIL);
    assert_int_equal(play_hold(play, PB__HOLD_KIND__HOLD_FREEZE, true), PROCEDURE_IMPOSSIBLE);
    assert_non_null(strstr(play->last.why, "larger than 32 KiB"));
    assert_int_equal(play->state->n_holds, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(the_links_of_a_watch_that_is_active_are_kept),
        PLAY(a_flags_value_names_the_provider_of_the_plan),
        PLAY(a_stage_of_one_percent_is_set_to_none_before_it_rests),
        PLAY(a_rest_after_a_hold_has_its_own_time_and_no_more),
        PLAY(what_has_ended_waits_for_no_time),
        PLAY(a_gate_that_somebody_of_one_letter_answers_is_answered),
        PLAY(an_input_check_of_one_letter_is_named_when_it_fails),
        PLAY(what_was_missing_is_missing_no_more_once_there_is_a_plan),
        PLAY(who_latched_the_flags_off_is_named),
        PLAY(the_first_role_that_may_sign_off_is_told_as_well),
        PLAY(who_handed_it_in_may_still_abort_it_in_step_1),
        PLAY(who_handed_it_in_may_not_abort_it_once_production_is_touched),
        PLAY(a_sign_off_in_a_role_that_is_not_asked_for_counts_for_no_other),
        PLAY(a_state_too_large_gives_up_what_its_timeline_holds_as_well),
        PLAY(a_state_that_is_too_large_even_then_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
