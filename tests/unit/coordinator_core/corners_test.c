/* Corners that stories pass by: bounds of what is remembered, requests without words, texts. */
#include "services/coordinator/core/feature.h"
#include "services/coordinator/core/flow.h"
#include "services/coordinator/core/lane.h"
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

static const char *numbered(struct play *play, const char *word, int number)
{
    return arena_printf(&play->arena, "%s.%d", word, number);
}

/* --- what is remembered, and what is forgotten first --- */

static void step_2_keeps_what_it_saw_last_and_what_was_waived(void **state)
{
    struct play *const play = *state;
    struct turn turn = { .arena = &play->arena, .out = &play->last, .plan = play->plan };
    Pb__StepState *step;

    at_2(play);
    turn.state = play->state;
    turn.now_ms = play->now_ms;
    step = play->state->steps[2];
    step->n_results = 0;
    for (int i = 0; i < 34; i++) {
        Pb__CheckResult *const seen = pb_new(&play->arena, &pb__check_result__descriptor);

        seen->check = numbered(play, "check", i);
        seen->waived = i == 1;
        PB_APPEND(&play->arena, step, results, seen);
    }
    batch_command(&turn);
    assert_int_equal(step->n_results, 32);
    assert_null(result(play, 2, "check.0"));
    assert_non_null(result(play, 2, "check.1"));
    assert_null(result(play, 2, "check.2"));
    assert_non_null(result(play, 2, "check.3"));
    assert_non_null(result(play, 2, "check.33"));
    assert_int_equal(play->state->n_applied, 1);
}

static enum procedure_answer feature_hears(struct play *play,
                                           Pb__FeatureState **feature,
                                           Pb__Event *event)
{
    const struct feature_input input = { *feature, event, "e", 0 };
    struct feature_output out;
    const enum procedure_answer answer = feature_step(&play->arena, &input, &out);

    if (answer == PROCEDURE_APPLIED)
        *feature = out.after;
    return answer;
}

static enum procedure_answer feature_accepts(struct play *play,
                                             Pb__FeatureState **feature,
                                             const char *content)
{
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    event->feature = "pay";
    event->body_case = PB__EVENT__BODY_ACCEPTANCE_RECEIVED;
    event->acceptance_received = pb_new(&play->arena, &pb__acceptance_received__descriptor);
    event->acceptance_received->acceptance =
        pb_new(&play->arena, &pb__acceptance_signed_off__descriptor);
    event->acceptance_received->content_hash = content;
    return feature_hears(play, feature, event);
}

static void feature_ends(struct play *play, Pb__FeatureState **feature, const char *content)
{
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    event->feature = "pay";
    event->body_case = PB__EVENT__BODY_ATTEMPT_MOVED;
    event->attempt_moved = pb_new(&play->arena, &pb__attempt_moved__descriptor);
    event->attempt_moved->deployment = (*feature)->live;
    event->attempt_moved->content_hash = content;
    event->attempt_moved->started = true;
    event->attempt_moved->ended = true;
    event->attempt_moved->exit = "ABORTED";
    assert_int_equal(feature_hears(play, feature, event), PROCEDURE_APPLIED);
}

static void of_contents_a_feature_forgets_the_oldest(void **state)
{
    struct play *const play = *state;
    Pb__FeatureState *feature = pb_new(&play->arena, &pb__feature_state__descriptor);

    for (int i = 0; i < 17; i++) {
        assert_int_equal(feature_accepts(play, &feature, numbered(play, "content", i)),
                         PROCEDURE_APPLIED);
        feature_ends(play, &feature, numbered(play, "content", i));
    }
    assert_int_equal(feature_accepts(play, &feature, "content.1"), PROCEDURE_STALE);
    assert_int_equal(feature_accepts(play, &feature, "content.0"), PROCEDURE_APPLIED);
}

/* The nth report of one cause, told for the first time or again. */
static uint64_t reported(struct play *play, uint64_t number)
{
    play->events = 1000 + number;
    play_incident(play, "alert", PB__SEVERITY__WARNING, true);
    return play->state->incidents[0]->count;
}

static void of_reports_an_incident_forgets_the_oldest(void **state)
{
    struct play *const play = *state;
    uint64_t count = 0;

    at_6(play);
    for (uint64_t i = 0; i < 9; i++)
        count = reported(play, i);
    assert_int_equal(reported(play, 1), count);
    assert_true(reported(play, 0) > count);
}

static enum procedure_answer lane_hears(struct play *play,
                                        Pb__LaneState **lane,
                                        const char *who,
                                        bool asks)
{
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);
    const struct lane_input input = { *lane, event, "e", 0 };
    struct lane_output out;
    enum procedure_answer answer;

    if (asks) {
        event->body_case = PB__EVENT__BODY_LANE_REQUESTED;
        event->lane_requested = pb_new(&play->arena, &pb__lane_requested__descriptor);
        event->lane_requested->deployment = who;
        event->lane_requested->feature = who;
        event->lane_requested->number = 1;
    } else {
        event->body_case = PB__EVENT__BODY_LANE_RELEASED;
        event->lane_released = pb_new(&play->arena, &pb__lane_released__descriptor);
        event->lane_released->deployment = who;
        event->lane_released->number = 1;
    }
    answer = lane_step(&play->arena, &input, &out);
    if (answer == PROCEDURE_APPLIED)
        *lane = out.after;
    return answer;
}

static void of_those_that_left_a_lane_forgets_the_oldest(void **state)
{
    struct play *const play = *state;
    Pb__LaneState *lane = NULL;

    for (int i = 0; i < 33; i++) {
        const char *const who = numbered(play, "who", i);

        assert_int_equal(lane_hears(play, &lane, who, true), PROCEDURE_APPLIED);
        assert_int_equal(lane_hears(play, &lane, who, false), PROCEDURE_APPLIED);
    }
    assert_int_equal(lane_hears(play, &lane, "who.1", true), PROCEDURE_STALE);
    assert_int_equal(lane_hears(play, &lane, "who.0", true), PROCEDURE_APPLIED);
}

/* --- words from outside --- */

static enum procedure_answer withdrawn(struct play *play, const char *content)
{
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    event->body_case = PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN;
    event->acceptance_withdrawn =
        pb_new(&play->arena, &pb__acceptance_withdrawn_received__descriptor);
    if (content != NULL) {
        event->acceptance_withdrawn->withdrawal =
            pb_new(&play->arena, &pb__acceptance_withdrawn__descriptor);
        event->acceptance_withdrawn->withdrawal->content_hash = content;
    }
    return play_event(play, "withdrawn", event);
}

static void only_what_is_deployed_can_be_withdrawn(void **state)
{
    struct play *const play = *state;

    at_2(play);
    assert_int_equal(withdrawn(play, "other"), PROCEDURE_STALE);
    assert_null(play->state->stop);
    assert_int_equal(withdrawn(play, play->state->content_hash), PROCEDURE_APPLIED);
    assert_int_equal(play->state->stop->kind, PB__CAUSE_KIND__DECISION);
}

static void a_withdrawal_that_names_no_content_is_of_this(void **state)
{
    struct play *const play = *state;

    at_2(play);
    assert_int_equal(withdrawn(play, NULL), PROCEDURE_APPLIED);
    assert_non_null(play->state->stop);
}

static void what_is_missing_is_named_with_its_field(void **state)
{
    struct play *const play = *state;
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);
    Pb__MissingInput *const missing = pb_new(&play->arena, &pb__missing_input__descriptor);

    play_birth(play);
    missing->input = "targets";
    missing->field = "services[0]";
    missing->remedy = "name one";
    event->body_case = PB__EVENT__BODY_PLAN_COMPILED;
    event->plan_compiled = pb_new(&play->arena, &pb__plan_compiled__descriptor);
    event->plan_compiled->for_version = play->state->compile_version;
    PB_APPEND(&play->arena, event->plan_compiled, missing, missing);
    assert_int_equal(play_event(play, "missing", event), PROCEDURE_APPLIED);
    assert_string_equal(play->state->missing[0]->input, "targets");
    assert_string_equal(play->state->missing[0]->field, "services[0]");
    assert_string_equal(play->state->missing[0]->remedy, "name one");
}

static void all_that_is_missing_is_named(void **state)
{
    struct play *const play = *state;
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    play_birth(play);
    event->body_case = PB__EVENT__BODY_PLAN_COMPILED;
    event->plan_compiled = pb_new(&play->arena, &pb__plan_compiled__descriptor);
    event->plan_compiled->for_version = play->state->compile_version;
    for (int i = 0; i < 3; i++) {
        Pb__MissingInput *const missing = pb_new(&play->arena, &pb__missing_input__descriptor);

        missing->input = numbered(play, "input", i);
        missing->remedy = numbered(play, "supply", i);
        PB_APPEND(&play->arena, event->plan_compiled, missing, missing);
    }
    assert_int_equal(play_event(play, "missing", event), PROCEDURE_APPLIED);
    assert_non_null(strstr(play->state->waiting_for->sentence, "input.0, input.1, input.2"));
    assert_non_null(strstr(play->state->waiting_for->unblock, "supply.0; supply.1; supply.2"));
}

static void a_warning_on_the_way_through_step_6_is_an_incident(void **state)
{
    struct play *const play = *state;
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);
    Pb__Finding *const finding = pb_new(&play->arena, &pb__finding__descriptor);

    at_6(play);
    finding->check = "watch.metrics";
    finding->verdict = PB__VERDICT__WARN;
    finding->observed = "errors 0.9 %";
    event->body_case = PB__EVENT__BODY_TASK_PROGRESS;
    event->task_progress = pb_new(&play->arena, &pb__task_progress__descriptor);
    event->task_progress->task = play_task(play)->task;
    event->task_progress->drive = play_task(play)->drive;
    PB_APPEND(&play->arena, event->task_progress, findings, finding);
    assert_int_equal(play_event(play, "progress", event), PROCEDURE_APPLIED);
    assert_int_equal(play->state->n_incidents, 1);
    assert_true(play->state->incidents[0]->open);
}

/* --- drives --- */

static void check_three_drives(struct play *play)
{
    at_3(play);
    for (uint32_t drive = 1; drive <= 3; drive++) {
        assert_int_equal(play->state->phase, PB__PHASE__VALIDATING);
        play_error(play);
        if (drive < 3)
            play_timer(play, "retry");
    }
    assert_int_not_equal(play->state->phase, PB__PHASE__VALIDATING);
}

static void a_plan_that_says_no_drives_means_three(void **state)
{
    struct play *const play = *state;

    play->plan->steps[2]->retry->drives = 0;
    check_three_drives(play);
}

static void a_plan_that_says_nothing_of_retries_means_three_drives(void **state)
{
    struct play *const play = *state;

    play->plan->steps[2]->retry = NULL;
    check_three_drives(play);
}

/* --- requests --- */

static Pb__OperatorRequest *without_reason(struct play *play,
                                           Pb__OperatorRequest__BodyCase body,
                                           const char *role)
{
    Pb__OperatorRequest *const request = play_request_new(play, body, role);

    request->reason = "";
    return request;
}

static void what_ends_something_needs_a_reason_and_the_rest_does_not(void **state)
{
    struct play *const play = *state;
    Pb__OperatorRequest *request;

    at_review(play);
    request = without_reason(play, PB__OPERATOR_REQUEST__BODY_ABORT, "release-engineer");
    request->abort = pb_new(&play->arena, &pb__abort__descriptor);
    assert_int_equal(play_request(play, request), PROCEDURE_REFUSED);
    assert_string_equal(play_code(play), "reason-missing");
    request = without_reason(play, PB__OPERATOR_REQUEST__BODY_REPLAN, "release-engineer");
    request->replan = pb_new(&play->arena, &pb__replan__descriptor);
    assert_int_equal(play_request(play, request), PROCEDURE_APPLIED);
}

static void add_attested(struct play *play, uint32_t step)
{
    Pb__CheckSpec *const check = pb_new(&play->arena, &pb__check_spec__descriptor);

    check->id = "env.team_available";
    check->kind = "attest";
    check->role = "technical-lead";
    check->required = true;
    check->waivable = true;
    PB_APPEND(&play->arena, play->plan->steps[step - 1], checks, check);
}

static void what_a_person_answers_after_all_is_waived_no_more(void **state)
{
    struct play *const play = *state;

    add_attested(play, 3);
    at_3(play);
    play_waive(play, "env.team_available");
    assert_true(result(play, 3, "env.team_available")->waived);
    play_attest(play, "env.team_available", "technical-lead", PB__VERDICT__PASS);
    assert_false(result(play, 3, "env.team_available")->waived);
}

static void a_new_try_of_step_1_forgets_what_no_person_said(void **state)
{
    struct play *const play = *state;

    add_attested(play, 1);
    at_1(play);
    play_attest(play, "env.team_available", "technical-lead", PB__VERDICT__PASS);
    play_finish(play, PB__VERDICT__FAIL);
    assert_non_null(result(play, 1, "env.ready"));
    play_plain(play, PB__OPERATOR_REQUEST__BODY_RETRY);
    while (play->state->phase != PB__PHASE__CHECKING)
        assert_true(play_well(play));
    assert_null(result(play, 1, "env.ready"));
    assert_non_null(result(play, 1, "env.team_available"));
}

/* --- taking back --- */

static void check_way_back(struct play *play, const char *way_back, const char *expected)
{
    at_2(play);
    play->plan->changes[0]->on_rollback = PB__ON_ROLLBACK__MANUAL;
    play->plan->changes[0]->way_back = way_back;
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    while (play->state->phase != PB__PHASE__BLOCKED_ROLLBACK)
        play_finish(play, PB__VERDICT__PASS);
    assert_string_equal(play->state->resting_remedy, expected);
}

static void what_is_taken_back_by_hand_says_how_however_short(void **state)
{
    check_way_back(*state, "W", "W");
}

static void what_is_taken_back_by_hand_without_words_says_what_can_be_asked(void **state)
{
    check_way_back(*state, "", "restore it by hand, then mark-restored; or skip-change");
}

static void the_preview_says_what_goes_by_hand_and_how(void **state)
{
    struct play *const play = *state;
    struct undo_step *steps;
    size_t count;

    at_4(play);
    play->plan->changes[0]->on_rollback = PB__ON_ROLLBACK__MANUAL;
    play->plan->changes[0]->way_back = "ask the bank";
    count = procedure_undo_preview(&play->arena, play->state, play->plan, &steps);
    assert_int_equal(count, 6);
    assert_string_equal(steps[2].how, "revert");
    assert_string_equal(steps[4].how, "manual");
    assert_string_equal(steps[4].what, "By hand: config 1.1, batch 1 of 1: ask the bank");
}

static void once_the_lane_is_granted_nobody_lies_above(void **state)
{
    struct play *const play = *state;
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    at_6(play);
    play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    play_finish(play, PB__VERDICT__PASS);
    event->body_case = PB__EVENT__BODY_SUPERSEDED_BY;
    event->superseded_by = pb_new(&play->arena, &pb__superseded_by__descriptor);
    event->superseded_by->lane = play->state->lanes[0]->lane;
    event->superseded_by->number = play->state->lanes[0]->number;
    event->superseded_by->top = "search.1";
    assert_int_equal(play_event(play, "superseded", event), PROCEDURE_APPLIED);
    assert_int_equal(play->state->phase, PB__PHASE__BLOCKED_ROLLBACK);
    assert_string_equal(play->state->superseded_by, "search.1");
    assert_int_equal(play_granted(play), PROCEDURE_APPLIED);
    assert_string_equal(play->state->superseded_by, "");
    assert_int_equal(play->state->phase, PB__PHASE__ROLLING_BACK);
}

/* --- words --- */

static void durations_are_said_in_the_two_largest_units(void **state)
{
    static const struct {
        int64_t ms;
        const char *words;
    } rows[] = {
        { 0, "0 ms" },        { 999, "999 ms" },           { 1000, "1 s" },
        { 59999, "59 s" },    { 60000, "1 min" },          { 3599999, "59 min" },
        { 3600000, "1 h" },   { 3659999, "1 h" },          { 3660000, "1 h 1 min" },
        { 90000000, "25 h" }, { 93599999, "25 h 59 min" },
    };
    struct play *const play = *state;
    struct turn turn = { .arena = &play->arena };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(words_duration(&turn, rows[i].ms), rows[i].words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(step_2_keeps_what_it_saw_last_and_what_was_waived),
        PLAY(of_contents_a_feature_forgets_the_oldest),
        PLAY(of_reports_an_incident_forgets_the_oldest),
        PLAY(of_those_that_left_a_lane_forgets_the_oldest),
        PLAY(only_what_is_deployed_can_be_withdrawn),
        PLAY(a_withdrawal_that_names_no_content_is_of_this),
        PLAY(what_is_missing_is_named_with_its_field),
        PLAY(all_that_is_missing_is_named),
        PLAY(a_warning_on_the_way_through_step_6_is_an_incident),
        PLAY(a_plan_that_says_no_drives_means_three),
        PLAY(a_plan_that_says_nothing_of_retries_means_three_drives),
        PLAY(what_ends_something_needs_a_reason_and_the_rest_does_not),
        PLAY(what_a_person_answers_after_all_is_waived_no_more),
        PLAY(a_new_try_of_step_1_forgets_what_no_person_said),
        PLAY(what_is_taken_back_by_hand_says_how_however_short),
        PLAY(what_is_taken_back_by_hand_without_words_says_what_can_be_asked),
        PLAY(the_preview_says_what_goes_by_hand_and_how),
        PLAY(once_the_lane_is_granted_nobody_lies_above),
        PLAY(durations_are_said_in_the_two_largest_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
