/* A feature: its attempts, one at a time. */
#include "services/coordinator/core/feature.h"
#include "tests/unit/coordinator_core/play.h"

#include <stdlib.h>

struct line {
    struct arena arena;
    Pb__FeatureState *feature;
    struct feature_output out;
    enum procedure_answer answer;
};

static int open_line(void **state)
{
    struct line *const line = calloc(1, sizeof *line);

    if (line == NULL)
        return -1;
    line->arena = arena_with_limit(16 * 1024 * 1024);
    *state = line;
    return 0;
}

static int close_line(void **state)
{
    arena_release(&((struct line *)*state)->arena);
    free(*state);
    return 0;
}

static void hear(struct line *line, Pb__Event *event)
{
    const struct feature_input input = { line->feature, event, "e", 0 };

    event->feature = "pay";
    line->answer = feature_step(&line->arena, &input, &line->out);
    if (line->answer == PROCEDURE_APPLIED)
        line->feature = line->out.after;
}

static void accept(struct line *line, const char *content)
{
    Pb__Event *const event = pb_new(&line->arena, &pb__event__descriptor);

    event->body_case = PB__EVENT__BODY_ACCEPTANCE_RECEIVED;
    event->acceptance_received = pb_new(&line->arena, &pb__acceptance_received__descriptor);
    event->acceptance_received->acceptance =
        pb_new(&line->arena, &pb__acceptance_signed_off__descriptor);
    event->acceptance_received->content_hash = content;
    hear(line, event);
}

static void moves(struct line *line, const char *who, const char *content, const char *exit)
{
    Pb__Event *const event = pb_new(&line->arena, &pb__event__descriptor);

    event->body_case = PB__EVENT__BODY_ATTEMPT_MOVED;
    event->attempt_moved = pb_new(&line->arena, &pb__attempt_moved__descriptor);
    event->attempt_moved->deployment = who;
    event->attempt_moved->content_hash = content;
    event->attempt_moved->started = true;
    event->attempt_moved->ended = exit[0] != '\0';
    event->attempt_moved->exit = exit;
    event->attempt_moved->sequence = 4;
    hear(line, event);
}

static const Pb__Event *said(const struct line *line)
{
    return line->out.effects.count > 0 ? line->out.effects.item[0].event : NULL;
}

static void the_first_acceptance_makes_the_first_attempt(void **state)
{
    struct line *const line = *state;

    accept(line, "A");
    assert_string_equal(line->feature->live, "pay.1");
    assert_string_equal(said(line)->deployment, "pay.1");
    assert_int_equal(said(line)->attempt_created->attempt, 1);
}

static void equal_content_is_a_duplicate(void **state)
{
    struct line *const line = *state;

    accept(line, "A");
    accept(line, "A");
    assert_int_equal(line->answer, PROCEDURE_STALE);
    moves(line, "pay.1", "A", "ABORTED");
    accept(line, "A");
    assert_int_equal(line->answer, PROCEDURE_STALE);
}

static void other_content_before_step_1_goes_to_the_live_attempt(void **state)
{
    struct line *const line = *state;

    accept(line, "A");
    accept(line, "B");
    assert_string_equal(said(line)->deployment, "pay.1");
    assert_int_equal(said(line)->body_case, PB__EVENT__BODY_ACCEPTANCE_RECEIVED);
    moves(line, "pay.1", "B", "");
    assert_null(line->feature->next);
    assert_string_equal(line->feature->newest->content_hash, "B");
}

static void other_content_that_crosses_the_start_of_step_1_is_not_lost(void **state)
{
    struct line *const line = *state;

    accept(line, "A");
    accept(line, "B");
    moves(line, "pay.1", "A", "");
    assert_non_null(line->feature->next);
    moves(line, "pay.1", "A", "COMPLETED");
    assert_string_equal(line->feature->live, "pay.2");
    assert_string_equal(said(line)->attempt_created->content_hash, "B");
}

static void from_step_1_on_only_the_newest_other_content_is_kept(void **state)
{
    struct line *const line = *state;

    accept(line, "A");
    moves(line, "pay.1", "A", "");
    accept(line, "B");
    assert_null(said(line));
    accept(line, "C");
    moves(line, "pay.1", "A", "ROLLED_BACK");
    assert_string_equal(said(line)->attempt_created->content_hash, "C");
    assert_string_equal(said(line)->attempt_created->attempt_of, "pay.1");
    assert_int_equal(said(line)->attempt_created->sequence, 4);
    moves(line, "pay.2", "C", "COMPLETED");
    assert_string_equal(line->feature->live, "");
}

static void a_wish_to_try_again_makes_an_attempt_of_the_same_content(void **state)
{
    struct line *const line = *state;
    Pb__Event *const event = pb_new(&line->arena, &pb__event__descriptor);

    accept(line, "A");
    event->body_case = PB__EVENT__BODY_ATTEMPT_CREATED;
    event->attempt_created = pb_new(&line->arena, &pb__attempt_created__descriptor);
    event->attempt_created->attempt_of = "pay.1";
    moves(line, "pay.1", "A", "ABORTED");
    hear(line, event);
    assert_string_equal(line->feature->live, "pay.2");
    assert_string_equal(said(line)->attempt_created->content_hash, "A");
}

/* A wish as a terminal deployment passes it on. */
static Pb__Event *wish(struct line *line, const char *of, bool rollback)
{
    Pb__Event *const event = pb_new(&line->arena, &pb__event__descriptor);
    Pb__AttemptCreated *const created = pb_new(&line->arena, &pb__attempt_created__descriptor);

    created->attempt_of = of;
    created->rollback = rollback;
    created->request = "r1";
    created->version = 31;
    event->body_case = PB__EVENT__BODY_ATTEMPT_CREATED;
    event->attempt_created = created;
    return event;
}

/* Of the newest event, to the person. */
static const struct effect_answer *answered(const struct line *line)
{
    for (size_t i = 0; i < line->out.effects.count; i++) {
        if (line->out.effects.item[i].kind == EFFECT_ANSWER)
            return &line->out.effects.item[i].answer;
    }
    fail_msg("nobody was answered");
    return NULL;
}

static void a_wish_is_answered_by_the_feature(void **state)
{
    struct line *const line = *state;

    accept(line, "A");
    moves(line, "pay.1", "A", "ABORTED");
    hear(line, wish(line, "pay.1", false));
    assert_int_equal(line->answer, PROCEDURE_APPLIED);
    assert_true(answered(line)->applied);
    assert_string_equal(answered(line)->request, "r1");
    assert_string_equal(answered(line)->deployment, "pay.1");
    assert_int_equal(answered(line)->version, 31);
    assert_string_equal(answered(line)->detail, "pay.2 begins");
}

static void a_wish_while_another_attempt_is_live_is_refused_in_words(void **state)
{
    struct line *const line = *state;

    accept(line, "A");
    moves(line, "pay.1", "A", "COMPLETED");
    accept(line, "B");
    hear(line, wish(line, "pay.1", true));
    assert_int_equal(line->answer, PROCEDURE_REFUSED);
    assert_false(answered(line)->applied);
    assert_string_equal(answered(line)->code, "not-now");
    assert_string_equal(answered(line)->detail, "another attempt is live: pay.2");
    assert_string_equal(line->feature->live, "pay.2");
}

/* The flags of that attempt, which has ended, were latched off. */
static void an_old_attempt_is_not_tried_again_once_a_later_one_stands_for_it(void **state)
{
    struct line *const line = *state;

    accept(line, "A");
    moves(line, "pay.1", "A", "ROLLED_BACK");
    accept(line, "B");
    moves(line, "pay.2", "B", "COMPLETED");
    hear(line, wish(line, "pay.1", false));
    assert_int_equal(line->answer, PROCEDURE_REFUSED);
    assert_string_equal(answered(line)->detail,
                        "a later attempt stands for it: pay.2, COMPLETED");
    assert_string_equal(answered(line)->remedy, "submit the next change");
}

static void the_newest_of_several_failed_attempts_is_the_one_to_try_again(void **state)
{
    struct line *const line = *state;

    accept(line, "A");
    moves(line, "pay.1", "A", "ROLLED_BACK");
    accept(line, "B");
    moves(line, "pay.2", "B", "ABORTED");
    hear(line, wish(line, "pay.1", false));
    assert_int_equal(line->answer, PROCEDURE_REFUSED);
    assert_string_equal(answered(line)->remedy, "retry pay.2 instead");
    hear(line, wish(line, "pay.2", false));
    assert_int_equal(line->answer, PROCEDURE_APPLIED);
}

static void latched_off(struct line *line, const char *who)
{
    Pb__Event *const event = pb_new(&line->arena, &pb__event__descriptor);

    event->body_case = PB__EVENT__BODY_ATTEMPT_MOVED;
    event->attempt_moved = pb_new(&line->arena, &pb__attempt_moved__descriptor);
    event->attempt_moved->deployment = who;
    event->attempt_moved->environment = "production";
    event->attempt_moved->sequence = 4;
    event->attempt_moved->withdrawn = "a direct rule fired";
    hear(line, event);
}

static void what_is_withdrawn_after_its_end_is_numbered_by_the_feature(void **state)
{
    struct line *const line = *state;
    const Pb__Signal *signal;

    accept(line, "A");
    moves(line, "pay.1", "A", "COMPLETED");
    latched_off(line, "pay.1");
    assert_int_equal(line->out.effects.item[0].kind, EFFECT_SIGNAL);
    signal = line->out.effects.item[0].signal;
    assert_int_equal(signal->sequence, 5);
    assert_string_equal(signal->deployment, "pay.1");
    assert_string_equal(signal->feature_withdrawn->reason, "a direct rule fired");
    accept(line, "B");
    assert_int_equal(said(line)->attempt_created->sequence, 5);
}

static void what_is_withdrawn_while_another_is_live_is_said_by_that_one(void **state)
{
    struct line *const line = *state;

    accept(line, "A");
    moves(line, "pay.1", "A", "COMPLETED");
    accept(line, "B");
    latched_off(line, "pay.1");
    assert_string_equal(said(line)->deployment, "pay.2");
    assert_string_equal(said(line)->attempt_moved->withdrawn, "a direct rule fired");
    moves(line, "pay.2", "B", "COMPLETED");
    latched_off(line, "pay.1");
    assert_int_equal(line->answer, PROCEDURE_STALE);
}

static void the_live_attempt_withdraws_the_one_before_unless_its_own_flags_were_on(void **state)
{
    struct play *const play = *state;
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    event->deployment = "pay.1";
    event->body_case = PB__EVENT__BODY_ATTEMPT_MOVED;
    event->attempt_moved = pb_new(&play->arena, &pb__attempt_moved__descriptor);
    event->attempt_moved->deployment = "pay.0";
    event->attempt_moved->withdrawn = "a direct rule fired";
    play_until(play, PB__PHASE__EXECUTING, 2);
    assert_int_equal(play_event(play, "the one before was latched", event), PROCEDURE_APPLIED);
    assert_true(play_said(play, EFFECT_SIGNAL, "withdrawn"));
    play_until(play, PB__PHASE__OBSERVING, 6);
    assert_int_equal(play_event(play, "the one before was latched", event), PROCEDURE_STALE);
}

static void what_was_taken_back_is_not_taken_back_again(void **state)
{
    struct line *const line = *state;
    Pb__Event *const event = pb_new(&line->arena, &pb__event__descriptor);

    accept(line, "A");
    moves(line, "pay.1", "A", "COMPLETED");
    event->body_case = PB__EVENT__BODY_ATTEMPT_CREATED;
    event->attempt_created = pb_new(&line->arena, &pb__attempt_created__descriptor);
    event->attempt_created->attempt_of = "pay.1";
    event->attempt_created->rollback = true;
    hear(line, event);
    assert_string_equal(line->feature->live, "pay.2");
    moves(line, "pay.2", "A", "ROLLED_BACK");
    hear(line, event);
    assert_int_equal(line->answer, PROCEDURE_REFUSED);
}

static void withdraw(struct line *line, const char *content)
{
    Pb__Event *const event = pb_new(&line->arena, &pb__event__descriptor);

    event->body_case = PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN;
    event->acceptance_withdrawn =
        pb_new(&line->arena, &pb__acceptance_withdrawn_received__descriptor);
    event->acceptance_withdrawn->withdrawal =
        pb_new(&line->arena, &pb__acceptance_withdrawn__descriptor);
    event->acceptance_withdrawn->withdrawal->content_hash = content;
    hear(line, event);
}

static void withdrawn_content_is_not_started_later(void **state)
{
    struct line *const line = *state;

    accept(line, "A");
    moves(line, "pay.1", "A", "");
    accept(line, "B");
    withdraw(line, "B");
    assert_null(said(line));
    moves(line, "pay.1", "A", "COMPLETED");
    assert_string_equal(line->feature->live, "");
}

/* The live attempt may have it, or may just have begun step 1 under the other: it is told, and
 * here nothing is kept. */
static void content_withdrawn_before_step_1_is_withdrawn_from_the_live_attempt_too(void **state)
{
    struct line *const line = *state;

    accept(line, "A");
    accept(line, "B");
    withdraw(line, "B");
    assert_int_equal(line->answer, PROCEDURE_APPLIED);
    assert_null(line->feature->next);
    assert_string_equal(said(line)->deployment, "pay.1");
    assert_int_equal(said(line)->body_case, PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN);
    moves(line, "pay.1", "A", "COMPLETED");
    assert_string_equal(line->feature->live, "");
}

/* The rollback of a completed deployment is a deployment of its own. */
static void a_completed_deployment_is_rolled_back_by_a_linked_one(void **state)
{
    struct play *const play = *state;
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);
    Pb__AttemptCreated *created;

    play_until(play, PB__PHASE__COMPLETED, 7);
    play_plain(play, PB__OPERATOR_REQUEST__BODY_ROLLBACK);
    assert_true(play_said(play, EFFECT_EVENT, "wish rollback"));
    created = pb_clone(&play->arena, play->wish);
    created->attempt = 2;
    created->sequence = play->state->signal_sequence;
    event->deployment = "pay.2";
    event->body_case = PB__EVENT__BODY_ATTEMPT_CREATED;
    event->attempt_created = created;
    play->state = NULL;
    play_quiet(play);
    play_event(play, "rollback created", event);
    play_timer(play, "plan");
    play_out(play);
    CHECK_STORY(play,
                "[  26] rollback created -> STOPPING cancel: LATCH kill/pay.1, LATCH "
                "kill/pay.2, signal withdrawn, tell feature started\n"
                "[  26] timer plan -> STOPPING lanes: assert off after 0 ms, ask "
                "production/shop to undo\n"
                "[  27] lane granted -> ROLLING_BACK undo: revert shop.1\n"
                "[  28] revert PASS -> ROLLING_BACK undo: revert shop.0\n"
                "[  29] revert PASS -> ROLLING_BACK undo: revert config.0\n"
                "[  30] revert PASS -> ROLLING_BACK verify: read back versions\n"
                "[  31] read-back PASS -> ROLLING_BACK verify: assert off after 2000 ms\n"
                "[  32] flags-off PASS -> ROLLED_BACK: give back production/shop, signal "
                "rolled back, signal finished, tell feature ROLLED_BACK, announce rolled_back, "
                "archive\n");
}

#define LINE(name) cmocka_unit_test_setup_teardown(name, open_line, close_line)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE(the_first_acceptance_makes_the_first_attempt),
        LINE(equal_content_is_a_duplicate),
        LINE(other_content_before_step_1_goes_to_the_live_attempt),
        LINE(other_content_that_crosses_the_start_of_step_1_is_not_lost),
        LINE(from_step_1_on_only_the_newest_other_content_is_kept),
        LINE(a_wish_to_try_again_makes_an_attempt_of_the_same_content),
        LINE(a_wish_is_answered_by_the_feature),
        LINE(an_old_attempt_is_not_tried_again_once_a_later_one_stands_for_it),
        LINE(the_newest_of_several_failed_attempts_is_the_one_to_try_again),
        LINE(a_wish_while_another_attempt_is_live_is_refused_in_words),
        LINE(what_is_withdrawn_after_its_end_is_numbered_by_the_feature),
        LINE(what_is_withdrawn_while_another_is_live_is_said_by_that_one),
        PLAY(the_live_attempt_withdraws_the_one_before_unless_its_own_flags_were_on),
        LINE(what_was_taken_back_is_not_taken_back_again),
        LINE(withdrawn_content_is_not_started_later),
        LINE(content_withdrawn_before_step_1_is_withdrawn_from_the_live_attempt_too),
        PLAY(a_completed_deployment_is_rolled_back_by_a_linked_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
