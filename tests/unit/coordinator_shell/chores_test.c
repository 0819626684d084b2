/* What the shell does by the clock, what it hears on control.v1, and how it knows its log. */
#include "common/state/keys.h"
#include "tests/unit/coordinator_shell/story.h"

#include <stdlib.h>

void toy_poison(void)
{
    fail_msg("no poison in these tests");
}

static struct story story;

static int setup(void **state)
{
    *state = &story;
    story_open(&story);
    story_start(&story);
    return 0;
}

static int teardown(void **state)
{
    (void)unsetenv("SLIPWAY_ADOPT");
    (void)unsetenv("SLIPWAY_REBUILD");
    story_close(*state);
    return 0;
}

static void begin(unsigned silent_from)
{
    story.silent_from = silent_from;
    story_accept(&story, "pay", "one");
    assert_true(cluster_settle(&story.cluster));
}

/* --- tasks --- */

static void a_command_that_nobody_takes_is_sent_again_each_time_later(void **state)
{
    (void)state;
    story.cluster.beside = NULL;
    begin(0);
    story_pass(&story, 29 * 1000);
    assert_string_equal(story_topic(&story, "commands.prechecks.v1"),
                        "slipway.v1.Command pay.1.2.0\n");
    story_pass(&story, 3 * 1000);
    assert_string_equal(story_topic(&story, "commands.prechecks.v1"),
                        "slipway.v1.Command pay.1.2.0\n"
                        "slipway.v1.Command pay.1.2.0\n");
    story_pass(&story, 45 * 1000);
    assert_string_equal(story_topic(&story, "commands.prechecks.v1"),
                        "slipway.v1.Command pay.1.2.0\n"
                        "slipway.v1.Command pay.1.2.0\n");
}

static void a_task_whose_lease_ends_is_lost_once_and_driven_again(void **state)
{
    (void)state;
    begin(1);
    story_pass(&story, 9 * 1000);
    assert_int_equal(story_count(&story, PB__EVENT__BODY_TASK_LOST), 0);
    story.silent_from = 0;
    story_pass(&story, 5 * 1000);
    assert_int_equal(story_count(&story, PB__EVENT__BODY_TASK_LOST), 1);
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__COMPLETED);
}

static void a_task_cancelled_before_anybody_began_is_quiet_at_once(void **state)
{
    (void)state;
    story.cluster.beside = NULL;
    begin(0);
    story_request(&story, "pay.1", true);
    assert_true(cluster_settle(&story.cluster));
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__ROLLED_BACK);
}

static void a_task_cancelled_while_it_runs_is_awaited(void **state)
{
    (void)state;
    begin(1);
    story.cluster.beside = NULL; /* The hands have it, and do not hear. */
    story_request(&story, "pay.1", true);
    story_pass(&story, 3000);
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__STOPPING);
    story_pass(&story, 10 * 1000);
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__ROLLED_BACK);
}

/* --- timers --- */

static void a_timer_fires_once_at_its_time(void **state)
{
    (void)state;
    story.cluster.beside = NULL;
    begin(0);
    story_pass(&story, 59 * 1000);
    assert_int_equal(story_count(&story, PB__EVENT__BODY_TIMER_FIRED), 0);
    story_pass(&story, 2 * 1000);
    assert_int_equal(story_count(&story, PB__EVENT__BODY_TIMER_FIRED), 1);
    story_pass(&story, 50 * 1000);
    assert_int_equal(story_count(&story, PB__EVENT__BODY_TIMER_FIRED), 1);
    story_pass(&story, 10 * 1000);
    assert_int_equal(story_count(&story, PB__EVENT__BODY_TIMER_FIRED), 2);
}

static void a_timer_that_came_due_while_nobody_was_there_fires_at_take_over(void **state)
{
    (void)state;
    story.cluster.beside = NULL;
    begin(0);
    cluster_kill(story.coordinator);
    memory_clock_advance(&story.cluster.clock, 3600 * 1000);
    story_start(&story);
    story_pass(&story, 1000);
    assert_int_equal(story_count(&story, PB__EVENT__BODY_TIMER_FIRED), 1);
}

/* Takes the partition over while the owner looks at its timers, and arms a timer of a
 * deployment that the owner does not know. */
struct successor {
    unsigned looks;
    bool kept;
};

static void take_over(const char *timers)
{
    const size_t length = strlen(timers) - strlen("timers");
    struct arena *const arena = &story.cluster.arena;
    const char *const log = arena_printf(arena, "%.*slog", (int)length, timers);
    const struct store_op ops[] = {
        { .kind = STORE_HASH_SET, .key = log, .field = "owner", .value = { "another", 7 } },
        { .kind = STORE_SORTED_ADD, .key = timers, .field = "pay.9 phase 1", .score = 1 },
    };
    const struct store_batch batch = { .ops = ops, .op_count = 2 };
    struct error error = { 0 };

    assert_int_equal(story.cluster.store.commit(story.cluster.store.self, &batch, &error),
                     ERR_OK);
}

static bool is_armed(const char *timers)
{
    const struct store_range range = { .key = timers, .min = 1, .max = 1, .limit = 1 };
    struct store_member *members = NULL;
    struct error error = { 0 };
    size_t count = 0;

    (void)story.cluster.store.sorted_range(
        story.cluster.store.self, &story.cluster.arena, &range, &members, &count, &error);
    return count == 1;
}

static enum memory_fault succeed(void *self, const char *operation, const char *object)
{
    struct successor *const successor = self;

    if (strstr(object, "{0}:timers") == NULL || strcmp(operation, "sorted_range") != 0)
        return FAULT_NONE;
    if (++successor->looks == 2)
        take_over(object);
    if (successor->looks == 3)
        successor->kept = is_armed(object);
    return FAULT_NONE;
}

static void an_owner_of_old_takes_out_no_timer_of_its_successor(void **state)
{
    struct successor successor = { 0 };

    (void)state;
    story_close(&story);
    story_open(&story);
    story.cluster.faults = (struct memory_faults){ &successor, succeed };
    story_start(&story);
    story_pass(&story, 10 * 1000);
    assert_true(successor.looks > 2);
    assert_true(successor.kept);
}

/* --- control.v1 --- */

static void say_control(const char *writer, const char *key, Pb__Control *control)
{
    cluster_publish(&story.cluster,
                    &(struct cluster_record){ .topic = "control.v1",
                                              .key = key,
                                              .writer = writer,
                                              .id = key,
                                              .message = &control->base });
}

static void say_freeze(const char *scope, int64_t for_ms)
{
    Pb__Control control = PB__CONTROL__INIT;
    Pb__Freeze freeze = PB__FREEZE__INIT;

    freeze.id = "f1";
    freeze.scope = scope;
    freeze.from_ms = story.cluster.clock.now_ms;
    freeze.to_ms = freeze.from_ms + for_ms;
    freeze.reason = "sale";
    control.body_case = PB__CONTROL__BODY_FREEZE;
    control.freeze = &freeze;
    say_control("gateway", "freeze/f1", &control);
}

static void a_freeze_holds_whom_it_covers_from_its_begin_to_its_end(void **state)
{
    Pb__DeploymentState *held;

    (void)state;
    begin(1);
    say_freeze("production/other", 5000);
    story_pass(&story, 1000);
    assert_int_equal(story_unpack(&story, "pay.1")->n_holds, 0);
    say_freeze("production/shop", 5000);
    story_pass(&story, 1000);
    held = story_unpack(&story, "pay.1");
    assert_int_equal(held->n_holds, 1);
    assert_int_equal(held->holds[0]->kind, PB__HOLD_KIND__HOLD_FREEZE);
    assert_string_equal(held->holds[0]->id, "f1");
    story_pass(&story, 5000);
    assert_int_equal(story_unpack(&story, "pay.1")->n_holds, 0);
    assert_int_equal(story_count(&story, PB__EVENT__BODY_HOLD_SET), 1);
    assert_int_equal(story_count(&story, PB__EVENT__BODY_HOLD_CLEARED), 1);
}

static void say_kill_via(const char *writer, const char *via)
{
    Pb__Control control = PB__CONTROL__INIT;
    Pb__Kill kill = PB__KILL__INIT;
    Pb__Actor actor = PB__ACTOR__INIT;

    kill.deployment = "pay.1";
    kill.environment = "production";
    kill.reason = "payments fail";
    kill.at_ms = story.cluster.clock.now_ms;
    control.body_case = PB__CONTROL__BODY_KILL;
    kill.actor = &actor;
    actor.via = via;
    control.kill = &kill;
    say_control(writer, "kill/pay.1", &control);
}

static void say_kill(const char *writer)
{
    say_kill_via(writer, "slipway");
}

static void a_latch_by_others_stops_the_deployment(void **state)
{
    (void)state;
    begin(2);
    say_kill("gateway");
    assert_true(cluster_settle(&story.cluster));
    assert_int_equal(story_count(&story, PB__EVENT__BODY_KILL_SEEN), 1);
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__ROLLED_BACK);
}

static void a_latch_of_the_coordinator_itself_is_no_news(void **state)
{
    (void)state;
    begin(2);
    say_kill_via("coordinator", "coordinator");
    assert_true(cluster_settle(&story.cluster));
    assert_int_equal(story_count(&story, PB__EVENT__BODY_KILL_SEEN), 0);
}

static void a_latch_written_while_nobody_was_there_is_found_at_take_over(void **state)
{
    (void)state;
    begin(2);
    cluster_kill(story.coordinator);
    say_kill("monitor");
    story_start(&story);
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__ROLLED_BACK);
}

static void a_latch_by_somebody_who_may_not_write_it_is_a_dead_letter(void **state)
{
    unsigned records;
    unsigned ids;

    (void)state;
    begin(2);
    say_kill("executor");
    say_kill(NULL);
    assert_true(cluster_settle(&story.cluster));
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__CHECKING);
    assert_string_equal(story_topic(&story, "dead-letter.v1"),
                        "slipway.v1.DeadLetter dead-letter.control.v1.0.0\n"
                        "slipway.v1.DeadLetter dead-letter.control.v1.0.1\n");
    cluster_stop(story.coordinator);
    story_start(&story);
    /* What was there before it started has been said. */
    story_ids(&story, "dead-letter.v1", &records, &ids);
    assert_int_equal(records, 2);
}

/* --- the identity of the log --- */

static void lose_the_last_record(void)
{
    const int32_t p = story_partition(&story, "pay");
    int64_t high = 0;

    while (memory_broker_record(story.cluster.broker, "events.v1", p, high) != NULL)
        high++;
    memory_broker_cut(story.cluster.broker, "events.v1", p, 0, high - 1);
}

static void a_log_that_lost_its_tail_stops_the_partition_and_says_what_to_do(void **state)
{
    const char *why;

    (void)state;
    begin(2);
    cluster_stop(story.coordinator);
    lose_the_last_record();
    story_start(&story);
    why = story_not_ready(&story, story.coordinator);
    assert_non_null(strstr(why, "records were lost"));
    assert_non_null(strstr(why, "--rebuild"));
    assert_non_null(strstr(why, "--adopt"));
    story_pass(&story, 10 * 1000);
    assert_int_equal(story_unpack(&story, "pay.1")->step, 2);
}

static void a_log_that_loses_its_tail_under_its_owner_stops_it_and_nothing_is_said(void **state)
{
    const int32_t p = story_partition(&story, "pay");
    const char *why;
    int64_t high;

    (void)state;
    begin(2);
    lose_the_last_record();
    high = memory_broker_high(story.cluster.broker, "events.v1", p);
    story_pass(&story, 60 * 1000);
    why = story_not_ready(&story, story.coordinator);
    assert_non_null(strstr(why, "records were lost"));
    assert_non_null(strstr(why, "--rebuild"));
    assert_int_equal(memory_broker_high(story.cluster.broker, "events.v1", p), high);
    cluster_stop(story.coordinator);
    story_start(&story);
    why = story_not_ready(&story, story.coordinator);
    assert_non_null(strstr(why, "records were lost"));
}

static void an_owner_that_hears_another_record_in_the_place_of_the_last_stops(void **state)
{
    const int32_t p = story_partition(&story, "pay");
    struct coordinator *shell;
    struct error error = { 0 };
    int64_t high;

    (void)state;
    begin(2);
    shell = story.coordinator->state;
    high = memory_broker_high(story.cluster.broker, "events.v1", p);
    assert_int_equal(shell->events.seek(shell->events.self, "events.v1", p, high - 1, &error),
                     ERR_OK);
    lose_the_last_record();
    story_request(&story, "pay.1", true);
    story_pass(&story, 10 * 1000);
    assert_non_null(strstr(story_not_ready(&story, story.coordinator), "is not the one"));
}

static void another_record_in_the_place_of_the_one_applied_last_is_noticed(void **state)
{
    (void)state;
    begin(2);
    cluster_stop(story.coordinator);
    lose_the_last_record();
    story_request(&story, "pay.1", true);
    story_start(&story);
    assert_non_null(strstr(story_not_ready(&story, story.coordinator), "is not the one"));
}

static void told_to_rebuild_the_state_is_what_the_log_says(void **state)
{
    (void)state;
    begin(2);
    cluster_stop(story.coordinator);
    lose_the_last_record();
    assert_int_equal(setenv("SLIPWAY_REBUILD", "1", 1), 0);
    story_start(&story);
    assert_string_equal(story_not_ready(&story, story.coordinator), "");
    /* The word of the first task's end was lost. */
    assert_int_equal(story_unpack(&story, "pay.1")->step, 1);
}

/* Else the next owner would take for said what is decided on the records in those places. */
static void an_adopted_log_is_not_committed_beyond_its_end(void **state)
{
    const int32_t p = story_partition(&story, "pay");
    struct coordinator *shell;
    struct error error = { 0 };
    int64_t committed = -1;

    (void)state;
    begin(2);
    cluster_stop(story.coordinator);
    lose_the_last_record();
    assert_int_equal(setenv("SLIPWAY_ADOPT", "1", 1), 0);
    story_start(&story);
    shell = story.coordinator->state;
    assert_int_equal(
        shell->events.committed(shell->events.self, "events.v1", p, &committed, &error),
        ERR_OK);
    assert_int_equal(committed, memory_broker_high(story.cluster.broker, "events.v1", p));
}

static void told_to_adopt_the_state_stays_and_the_log_goes_on(void **state)
{
    (void)state;
    begin(2);
    cluster_stop(story.coordinator);
    lose_the_last_record();
    assert_int_equal(setenv("SLIPWAY_ADOPT", "1", 1), 0);
    story_start(&story);
    assert_string_equal(story_not_ready(&story, story.coordinator), "");
    assert_int_equal(story_unpack(&story, "pay.1")->step, 2);
    cluster_stop(story.coordinator);
    (void)unsetenv("SLIPWAY_ADOPT");
    /* From now on it is an ordinary log. */
    story_start(&story);
    assert_string_equal(story_not_ready(&story, story.coordinator), "");
    story_request(&story, "pay.1", true);
    assert_true(cluster_settle(&story.cluster));
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__ROLLED_BACK);
}

static void a_log_without_its_beginning_is_refused(void **state)
{
    (void)state;
    begin(2);
    cluster_stop(story.coordinator);
    memory_broker_cut(
        story.cluster.broker, "events.v1", story_partition(&story, "pay"), 2, 1000);
    story_start(&story);
    assert_non_null(
        strstr(story_not_ready(&story, story.coordinator), "retention must be unlimited"));
}

static void a_log_that_others_began_is_known_by_its_first_record(void **state)
{
    const int32_t p = story_partition(&story, "pay");

    (void)state;
    cluster_stop(story.coordinator);
    memory_space_clear(story.cluster.space);
    memory_broker_cut(story.cluster.broker, "events.v1", p, 0, 0);
    story_request(&story, "pay.1", true);
    story_start(&story);
    begin(0);
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__COMPLETED);
    cluster_stop(story.coordinator);
    story_start(&story);
    assert_string_equal(story_not_ready(&story, story.coordinator), "");
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_command_that_nobody_takes_is_sent_again_each_time_later),
        STORY(a_task_whose_lease_ends_is_lost_once_and_driven_again),
        STORY(a_task_cancelled_before_anybody_began_is_quiet_at_once),
        STORY(a_task_cancelled_while_it_runs_is_awaited),
        STORY(a_timer_fires_once_at_its_time),
        STORY(a_timer_that_came_due_while_nobody_was_there_fires_at_take_over),
        STORY(an_owner_of_old_takes_out_no_timer_of_its_successor),
        STORY(a_freeze_holds_whom_it_covers_from_its_begin_to_its_end),
        STORY(a_latch_by_others_stops_the_deployment),
        STORY(a_latch_of_the_coordinator_itself_is_no_news),
        STORY(a_latch_written_while_nobody_was_there_is_found_at_take_over),
        STORY(a_latch_by_somebody_who_may_not_write_it_is_a_dead_letter),
        STORY(a_log_that_lost_its_tail_stops_the_partition_and_says_what_to_do),
        STORY(a_log_that_loses_its_tail_under_its_owner_stops_it_and_nothing_is_said),
        STORY(an_owner_that_hears_another_record_in_the_place_of_the_last_stops),
        STORY(another_record_in_the_place_of_the_one_applied_last_is_noticed),
        STORY(told_to_rebuild_the_state_is_what_the_log_says),
        STORY(an_adopted_log_is_not_committed_beyond_its_end),
        STORY(told_to_adopt_the_state_stays_and_the_log_goes_on),
        STORY(a_log_without_its_beginning_is_refused),
        STORY(a_log_that_others_began_is_known_by_its_first_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
