/* A lane: who may change a service, one after the other. */
#include "services/coordinator/core/lane.h"
#include "tests/support/test.h"

#include "common/base/text.h"

#include <stdlib.h>

struct road {
    struct arena arena;
    Pb__LaneState *lane;
    struct lane_output out;
    char bytes[16384];
    struct text story;
};

static int open_road(void **state)
{
    struct road *const road = calloc(1, sizeof *road);

    if (road == NULL)
        return -1;
    road->arena = arena_with_limit(16 * 1024 * 1024);
    road->story = text_over(road->bytes, sizeof road->bytes);
    *state = road;
    return 0;
}

static int close_road(void **state)
{
    arena_release(&((struct road *)*state)->arena);
    free(*state);
    return 0;
}

static void write_effects(struct road *road)
{
    for (size_t i = 0; i < road->out.effects.count; i++) {
        const Pb__Event *const event = road->out.effects.item[i].event;

        if (event->body_case == PB__EVENT__BODY_LANE_GRANTED)
            text_add(&road->story,
                     "%s gets grant %llu for %llu, top \"%s\"; ",
                     event->lane_granted->deployment,
                     (unsigned long long)event->lane_granted->grant,
                     (unsigned long long)event->lane_granted->number,
                     event->lane_granted->top);
        else
            text_add(&road->story,
                     "%s is below %s; ",
                     event->superseded_by->deployment,
                     event->superseded_by->top);
    }
}

static void hear(struct road *road, const Pb__Event *event)
{
    const struct lane_input input = { road->lane, event, "e", 0 };
    const enum procedure_answer answer = lane_step(&road->arena, &input, &road->out);

    if (answer == PROCEDURE_APPLIED)
        road->lane = road->out.after;
    else
        text_add(&road->story, "stale; ");
    write_effects(road);
    text_add(&road->story, "\n");
}

static void ask(struct road *road, const char *who, uint64_t number, bool undo)
{
    Pb__Event *const event = pb_new(&road->arena, &pb__event__descriptor);

    event->body_case = PB__EVENT__BODY_LANE_REQUESTED;
    event->lane_requested = pb_new(&road->arena, &pb__lane_requested__descriptor);
    event->lane_requested->lane = "production/shop";
    event->lane_requested->deployment = who;
    event->lane_requested->feature = who;
    event->lane_requested->number = number;
    event->lane_requested->undo = undo;
    text_add(&road->story,
             "%s asks %llu%s: ",
             who,
             (unsigned long long)number,
             undo ? " to undo" : "");
    hear(road, event);
}

static Pb__LaneReleased *released_new(struct road *road, const char *who, uint64_t number)
{
    Pb__LaneReleased *const released = pb_new(&road->arena, &pb__lane_released__descriptor);

    released->lane = "production/shop";
    released->deployment = who;
    released->number = number;
    return released;
}

static void hear_released(struct road *road, Pb__LaneReleased *released)
{
    Pb__Event *const event = pb_new(&road->arena, &pb__event__descriptor);

    event->body_case = PB__EVENT__BODY_LANE_RELEASED;
    event->lane_released = released;
    text_add(&road->story,
             "%s %s %llu: ",
             released->deployment,
             released->withdrawn ? "withdraws" : "leaves",
             (unsigned long long)released->number);
    hear(road, event);
}

static void release(
    struct road *road, const char *who, uint64_t number, const char *top, bool withdrawn)
{
    Pb__LaneReleased *const released = released_new(road, who, number);

    released->top = top;
    released->withdrawn = withdrawn;
    hear_released(road, released);
}

/* It ends, and what it did there was restored by hand. */
static void restore(struct road *road, const char *who, uint64_t number, const char *below)
{
    Pb__LaneReleased *const released = released_new(road, who, number);

    released->top = below;
    released->withdrawn = true;
    released->restored = who;
    hear_released(road, released);
}

/* One after the other, each over the one before. */
static void change(struct road *road, const char *who)
{
    ask(road, who, 1, false);
    release(road, who, 1, who, false);
}

static void forward_requests_are_granted_in_the_order_they_came(void **state)
{
    struct road *const road = *state;

    ask(road, "a.1", 5, false);
    ask(road, "b.1", 3, false);
    ask(road, "c.1", 9, false);
    release(road, "a.1", 5, "a.1", false);
    release(road, "b.1", 3, "a.1", false);
    assert_string_equal(road->bytes,
                        "a.1 asks 5: a.1 gets grant 1 for 5, top \"\"; \n"
                        "b.1 asks 3: \n"
                        "c.1 asks 9: \n"
                        "a.1 leaves 5: b.1 gets grant 2 for 3, top \"a.1\"; \n"
                        "b.1 leaves 3: c.1 gets grant 3 for 9, top \"a.1\"; \n");
}

/* Whether its withdrawal finds it in the queue, or crosses its grant. */
static void what_a_person_restored_by_hand_is_not_the_top_though_it_never_got_the_lane(
    void **state)
{
    struct road *const road = *state;

    change(road, "a.1");
    change(road, "b.1");
    ask(road, "c.1", 1, false);
    ask(road, "b.1", 5, true);
    ask(road, "a.1", 7, true);
    restore(road, "b.1", 5, "a.1");
    release(road, "c.1", 1, "b.1", true);
    assert_string_equal(road->lane->holder, "a.1");
    restore(road, "a.1", 7, "");
    assert_string_equal(road->lane->top, "");
    assert_int_equal(road->lane->n_restored, 0);
}

static void what_was_restored_by_hand_before_its_undo_asked_lets_go_what_lies_below(
    void **state)
{
    struct road *const road = *state;

    change(road, "a.1");
    change(road, "b.1");
    ask(road, "a.1", 7, true);
    assert_string_equal(road->lane->holder, "");
    restore(road, "b.1", 9, "a.1");
    assert_string_equal(road->lane->holder, "a.1");
    assert_int_equal(road->lane->n_restored, 0);
}

static void what_was_restored_by_hand_under_newer_ones_is_passed_over_when_they_are_undone(
    void **state)
{
    struct road *const road = *state;

    change(road, "a.1");
    change(road, "b.1");
    change(road, "c.1");
    change(road, "d.1");
    ask(road, "c.1", 4, true);
    restore(road, "c.1", 4, "b.1");
    restore(road, "b.1", 6, "a.1");
    assert_string_equal(road->lane->top, "d.1");
    ask(road, "a.1", 7, true);
    ask(road, "d.1", 8, true);
    release(road, "d.1", 8, "c.1", false);
    assert_string_equal(road->lane->holder, "a.1");
    assert_string_equal(road->lane->top, "a.1");
    assert_int_equal(road->lane->n_restored, 0);
}

/* Its holder found it there, and will name it again when its own change is undone. */
static void what_was_restored_by_hand_while_another_held_the_lane_is_passed_over_later(
    void **state)
{
    struct road *const road = *state;

    change(road, "a.1");
    change(road, "b.1");
    ask(road, "c.1", 1, false);
    restore(road, "b.1", 6, "a.1");
    assert_string_equal(road->lane->top, "b.1");
    release(road, "c.1", 1, "c.1", false);
    ask(road, "c.1", 5, true);
    release(road, "c.1", 5, "b.1", false);
    assert_string_equal(road->lane->top, "a.1");
}

static void what_was_restored_by_hand_counts_once(void **state)
{
    struct road *const road = *state;

    change(road, "a.1");
    change(road, "b.1");
    change(road, "c.1");
    restore(road, "b.1", 6, "a.1");
    restore(road, "b.1", 6, "a.1");
    assert_int_equal(road->lane->n_restored, 1);
    restore(road, "c.1", 6, "b.1");
    restore(road, "c.1", 6, "b.1");
    assert_string_equal(road->lane->top, "a.1");
    assert_int_equal(road->lane->n_restored, 0);
    ask(road, "b.1", 6, true);
    assert_string_equal(road->lane->holder, "");
}

static void of_what_was_restored_by_hand_the_oldest_is_forgotten(void **state)
{
    struct road *const road = *state;

    change(road, "top");
    for (int i = 0; i < 33; i++)
        restore(road, arena_printf(&road->arena, "r.%d", i), 6, "a.1");
    assert_int_equal(road->lane->n_restored, 32);
    assert_string_equal(road->lane->restored[0]->deployment, "r.1");
}

/* Nobody would ask for it again: its deployment would wait for ever. */
static void an_undo_finds_room_in_a_lane_where_no_more_forward_work_does(void **state)
{
    struct road *const road = *state;

    change(road, "a.1");
    for (int i = 0; i <= 64; i++)
        ask(road, arena_printf(&road->arena, "f.%d", i), 1, false);
    assert_int_equal(road->lane->n_queue, 64);
    ask(road, "more", 1, false);
    assert_int_equal(road->lane->n_queue, 64);
    ask(road, "a.1", 7, true);
    release(road, "f.0", 1, "a.1", false);
    assert_string_equal(road->lane->holder, "a.1");
}

static void undo_goes_before_forward_work_and_only_to_the_top(void **state)
{
    struct road *const road = *state;

    ask(road, "a.1", 1, false);
    release(road, "a.1", 1, "a.1", false);
    ask(road, "b.1", 1, false);
    ask(road, "c.1", 1, false);
    ask(road, "a.1", 7, true);
    release(road, "b.1", 1, "a.1", false);
    assert_string_equal(road->bytes,
                        "a.1 asks 1: a.1 gets grant 1 for 1, top \"\"; \n"
                        "a.1 leaves 1: \n"
                        "b.1 asks 1: b.1 gets grant 2 for 1, top \"a.1\"; \n"
                        "c.1 asks 1: \n"
                        "a.1 asks 7 to undo: \n"
                        "b.1 leaves 1: a.1 gets grant 3 for 7, top \"a.1\"; \n");
}

static void who_is_below_is_told_once_and_granted_when_the_newer_is_undone(void **state)
{
    struct road *const road = *state;

    ask(road, "a.1", 1, false);
    release(road, "a.1", 1, "a.1", false);
    ask(road, "b.1", 1, false);
    release(road, "b.1", 1, "b.1", false);
    ask(road, "a.1", 7, true);
    ask(road, "c.1", 1, false);
    release(road, "c.1", 1, "b.1", false);
    ask(road, "b.1", 9, true);
    release(road, "b.1", 9, "a.1", false);
    assert_string_equal(road->bytes,
                        "a.1 asks 1: a.1 gets grant 1 for 1, top \"\"; \n"
                        "a.1 leaves 1: \n"
                        "b.1 asks 1: b.1 gets grant 2 for 1, top \"a.1\"; \n"
                        "b.1 leaves 1: \n"
                        "a.1 asks 7 to undo: a.1 is below b.1; \n"
                        "c.1 asks 1: c.1 gets grant 3 for 1, top \"b.1\"; \n"
                        "c.1 leaves 1: \n"
                        "b.1 asks 9 to undo: b.1 gets grant 4 for 9, top \"b.1\"; \n"
                        "b.1 leaves 9: a.1 gets grant 5 for 7, top \"a.1\"; \n");
}

static void a_withdrawal_that_crosses_its_grant_frees_the_lane_and_leaves_the_top(void **state)
{
    struct road *const road = *state;

    ask(road, "a.1", 1, false);
    release(road, "a.1", 1, "a.1", false);
    ask(road, "b.1", 1, false);
    ask(road, "c.1", 1, false);
    release(road, "b.1", 1, "", true);
    assert_string_equal(road->lane->top, "a.1");
    assert_string_equal(road->lane->holder, "c.1");
}

static void a_word_under_an_old_number_is_stale(void **state)
{
    struct road *const road = *state;

    ask(road, "a.1", 5, false);
    ask(road, "a.1", 5, false);
    release(road, "a.1", 4, "", false);
    assert_string_equal(road->lane->holder, "a.1");
    assert_int_equal(road->lane->version, 1);
}

static void a_rollback_asks_and_restores_in_the_name_of_what_it_takes_back(void **state)
{
    struct road *const road = *state;
    Pb__Event *const event = pb_new(&road->arena, &pb__event__descriptor);
    Pb__LaneReleased *const released = released_new(road, "a.2", 1);

    change(road, "a.1");
    event->body_case = PB__EVENT__BODY_LANE_REQUESTED;
    event->lane_requested = pb_new(&road->arena, &pb__lane_requested__descriptor);
    event->lane_requested->lane = "production/shop";
    event->lane_requested->deployment = "a.2";
    event->lane_requested->feature = "a";
    event->lane_requested->number = 1;
    event->lane_requested->undo = true;
    event->lane_requested->undo_of = "a.1";
    hear(road, event);
    assert_string_equal(road->lane->holder, "a.2");
    released->withdrawn = true;
    released->restored = "a.1";
    hear_released(road, released);
    assert_string_equal(road->lane->holder, "");
    assert_string_equal(road->lane->top, "");
}

#define ROAD(name) cmocka_unit_test_setup_teardown(name, open_road, close_road)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROAD(forward_requests_are_granted_in_the_order_they_came),
        ROAD(what_a_person_restored_by_hand_is_not_the_top_though_it_never_got_the_lane),
        ROAD(what_was_restored_by_hand_before_its_undo_asked_lets_go_what_lies_below),
        ROAD(what_was_restored_by_hand_under_newer_ones_is_passed_over_when_they_are_undone),
        ROAD(what_was_restored_by_hand_while_another_held_the_lane_is_passed_over_later),
        ROAD(what_was_restored_by_hand_counts_once),
        ROAD(of_what_was_restored_by_hand_the_oldest_is_forgotten),
        ROAD(an_undo_finds_room_in_a_lane_where_no_more_forward_work_does),
        ROAD(undo_goes_before_forward_work_and_only_to_the_top),
        ROAD(who_is_below_is_told_once_and_granted_when_the_newer_is_undone),
        ROAD(a_withdrawal_that_crosses_its_grant_frees_the_lane_and_leaves_the_top),
        ROAD(a_word_under_an_old_number_is_stale),
        ROAD(a_rollback_asks_and_restores_in_the_name_of_what_it_takes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
