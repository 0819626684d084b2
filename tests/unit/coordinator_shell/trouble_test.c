/* The worst moments: processes that die at every boundary, a Redis that forgets, owners that do
 * not know that they are none. */
#include "common/state/keys.h"
#include "tests/unit/coordinator_shell/story.h"

#include <stdio.h>

enum { LONG_ENOUGH_MS = 45 * 1000 };

static struct story story;

void toy_poison(void)
{
    fail_msg("no poison in these tests");
}

static int setup(void **state)
{
    *state = &story;
    story_open(&story);
    return 0;
}

static int teardown(void **state)
{
    story_close(*state);
    return 0;
}

/* The newest report on archive.v1; length 0: there is none. */
static struct store_value newest_report(void)
{
    struct store_value found = { 0 };
    const struct bus_record *record;

    for (int32_t p = 0; p < 2; p++) {
        for (int64_t o = 0;
             (record = memory_broker_record(story.cluster.broker, "archive.v1", p, o)) != NULL;
             o++)
            found = (struct store_value){ (const char *)record->bytes, record->length };
    }
    return found;
}

/* What a run without trouble ends in: the bytes of the state, and of the report. */
static struct store_value undisturbed(struct arena *arena,
                                      bool abort_it,
                                      struct store_value *ret_report)
{
    struct store_value value;

    story_open(&story);
    story_start(&story);
    story.silent_from = abort_it ? 2 : 0;
    story_accept(&story, "pay", "one");
    assert_true(cluster_settle(&story.cluster));
    if (abort_it)
        story_request(&story, "pay.1", true);
    assert_true(cluster_settle(&story.cluster));
    value = story_state(&story, "pay.1");
    value.bytes = arena_copy(arena, value.bytes, value.length);
    *ret_report = newest_report();
    ret_report->bytes = arena_copy(arena, ret_report->bytes, ret_report->length);
    story_close(&story);
    return value;
}

static void restart(struct crash_plan *plan)
{
    if (story.coordinator == NULL || story.coordinator->state == NULL)
        story.coordinator =
            cluster_start(&story.cluster, coordinator_service(), "coordinator-1");
    story.coordinator->ports.crash = plan;
    plan->die = cluster_die;
    plan->self = story.coordinator;
}

/* Settles however often it dies. Returns the deaths. */
static unsigned settle_with(struct crash_plan *plan)
{
    unsigned deaths = 0;

    restart(plan);
    while (!cluster_settle(&story.cluster)) {
        deaths++;
        restart(plan);
    }
    return deaths;
}

/* One run that dies the nth time it comes to that place. Returns the deaths: 0 when it never
 * came there so often. */
static unsigned run_dying_at(const char *place, unsigned nth, bool abort_it)
{
    struct crash_plan plan = { .at = crash_place_named(place), .remaining = nth };
    unsigned deaths;

    story.silent_from = abort_it ? 2 : 0;
    deaths = settle_with(&plan);
    story_accept(&story, "pay", "one");
    deaths += settle_with(&plan);
    if (abort_it)
        story_request(&story, "pay.1", true);
    return deaths + settle_with(&plan);
}

static void assert_effects_out_once(void)
{
    static const char *const topics[] = { "signals.v1", "control.v1", "archive.v1" };

    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        unsigned records;
        unsigned ids;

        story_ids(&story, topics[i], &records, &ids);
        /* A crash between publish and trim says it again, under the same id. */
        assert_in_range(records, ids, 2 * (size_t)ids);
    }
    assert_non_null(strstr(story_topic(&story, "signals.v1"), "Signal pay.1.5.1"));
}

/* Only a stop says something on control.v1 here: this plan has no flags. */
static bool is_reached(const char *place, bool abort_it)
{
    return abort_it || strcmp(place, "after-control") != 0;
}

static void die_everywhere(bool abort_it)
{
    static const char *const places[] = { "after-receive",        "before-commit",
                                          "after-commit",         "after-publish",
                                          "after-trim",           "after-group-commit",
                                          "after-control",        "intake-after-publish",
                                          "intake-after-offset",  "takeover-after-owner",
                                          "takeover-after-ready", "takeover-after-publish" };
    struct arena arena = arena_with_limit(1024 * 1024);
    struct store_value report;
    const struct store_value wanted = undisturbed(&arena, abort_it, &report);

    assert_true(report.length > 0);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        unsigned deaths = 1;

        for (unsigned nth = 1; deaths > 0; nth++) {
            struct store_value found;

            story_open(&story);
            deaths = run_dying_at(places[i], nth, abort_it);
            found = story_state(&story, "pay.1");
            if (found.length != wanted.length ||
                memcmp(found.bytes, wanted.bytes, wanted.length) != 0)
                fail_msg("died at %s for the %u. time:\n%s",
                         places[i],
                         nth,
                         story_topic(&story, "events.v1"));
            assert_int_equal(newest_report().length, report.length);
            assert_memory_equal(newest_report().bytes, report.bytes, report.length);
            if (!abort_it)
                assert_effects_out_once();
            if (nth == 1 && deaths != 1 && is_reached(places[i], abort_it))
                fail_msg("nobody dies at %s", places[i]);
            story_close(&story);
        }
    }
    arena_release(&arena);
}

static void killed_at_any_boundary_it_ends_in_the_same_bytes(void **state)
{
    (void)state;
    die_everywhere(false);
}

static void killed_at_any_boundary_of_a_stop_it_ends_in_the_same_bytes(void **state)
{
    (void)state;
    die_everywhere(true);
}

static void with_redis_emptied_the_log_gives_the_same_bytes(void **state)
{
    struct store_value before;
    struct store_value after;

    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    story_accept(&story, "ship", "two");
    assert_true(cluster_settle(&story.cluster));
    before = story_state(&story, "pay.1");
    memory_space_clear(story.cluster.space);
    assert_null(story_state(&story, "pay.1").bytes);
    story_pass(&story, 2000);
    after = story_state(&story, "pay.1");
    assert_int_equal(after.length, before.length);
    assert_memory_equal(after.bytes, before.bytes, before.length);
    assert_non_null(story_state(&story, "ship.1").bytes);
}

static void with_redis_emptied_a_running_task_is_driven_again_after_the_longest_lease(
    void **state)
{
    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    assert_true(cluster_settle(&story.cluster));
    memory_space_clear(story.cluster.space);
    story_pass(&story, 5000);
    /* Somebody may be at work on it: not yet. */
    assert_int_equal(story_unpack(&story, "pay.1")->tasks[0]->drive, 1);
    story.silent_from = 0;
    story_pass(&story, LONG_ENOUGH_MS);
    assert_int_equal(story_count(&story, PB__EVENT__BODY_TASK_LOST), 1);
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__COMPLETED);
}

static void with_redis_emptied_no_signal_is_sent_again(void **state)
{
    unsigned records;
    unsigned ids;

    (void)state;
    story_start(&story);
    story_accept(&story, "pay", "one");
    assert_true(cluster_settle(&story.cluster));
    memory_space_clear(story.cluster.space);
    story_pass(&story, 5000);
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__COMPLETED);
    story_ids(&story, "signals.v1", &records, &ids);
    assert_int_equal(records, 1);
    story_ids(&story, "commands.prechecks.v1", &records, &ids);
    assert_int_equal(records, 3);
}

static void with_a_lost_tail_of_redis_it_goes_on_from_the_log(void **state)
{
    struct memory_space *old;

    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    assert_true(cluster_settle(&story.cluster));
    old = memory_space_copy(story.cluster.space);
    story_request(&story, "pay.1", true);
    assert_true(cluster_settle(&story.cluster));
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__ROLLED_BACK);
    memory_space_restore(story.cluster.space, old);
    memory_space_free(old);
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__CHECKING);
    story_pass(&story, 3000);
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__ROLLED_BACK);
    assert_string_equal(story_not_ready(&story, story.coordinator), "");
}

static void an_effect_that_came_back_with_an_old_redis_is_not_said_again(void **state)
{
    /* The last commit of this path has the signal. */
    struct crash_plan plan = { .at = CRASH_AFTER_COMMIT, .remaining = 7 };
    struct memory_space *old;
    unsigned records;
    unsigned ids;

    (void)state;
    restart(&plan);
    story_accept(&story, "pay", "one");
    assert_false(cluster_settle(&story.cluster));
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__COMPLETED);
    old = memory_space_copy(story.cluster.space);
    assert_string_equal(story_topic(&story, "signals.v1"), "");
    story_start(&story);
    cluster_kill(story.coordinator);
    memory_space_restore(story.cluster.space, old);
    memory_space_free(old);
    story_start(&story);
    story_ids(&story, "signals.v1", &records, &ids);
    assert_int_equal(records, 1);
}

static void a_latch_that_control_lost_is_asserted_again_at_take_over(void **state)
{
    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    assert_true(cluster_settle(&story.cluster));
    story_request(&story, "pay.1", true);
    assert_true(cluster_settle(&story.cluster));
    cluster_stop(story.coordinator);
    memory_broker_cut(story.cluster.broker, "control.v1", 0, 1, 1);
    story_start(&story);
    assert_non_null(memory_broker_record(story.cluster.broker, "control.v1", 0, 1));
}

static void a_commit_by_another_than_the_owner_is_refused(void **state)
{
    const char *key;
    struct store_op op = { STORE_HASH_SET, NULL, "owner", { "somebody-else", 13 }, 0 };
    const struct store_batch batch = { NULL, 0, &op, 1, NULL };
    struct error error = { 0 };

    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    assert_true(cluster_settle(&story.cluster));
    key = KEY_LOG(&story.cluster.arena, story_partition(&story, "pay"), "slipway:");
    op.key = key;
    assert_int_equal(story.cluster.store.commit(story.cluster.store.self, &batch, &error),
                     ERR_OK);
    story_request(&story, "pay.1", true);
    assert_true(cluster_turn(story.coordinator));
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__CHECKING);
    assert_string_equal(story_topic(&story, "control.v1"), "");
    story_pass(&story, 2000);
    /* It took the partition over again, as one that may. */
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__ROLLED_BACK);
}

static void two_instances_share_and_one_goes_on_alone(void **state)
{
    struct cluster_instance *second;

    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    story_accept(&story, "ship", "two");
    assert_true(cluster_settle(&story.cluster));
    second = cluster_start(&story.cluster, coordinator_service(), "coordinator-2");
    assert_true(cluster_settle(&story.cluster));
    story_request(&story, "pay.1", true);
    assert_true(cluster_settle(&story.cluster));
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__ROLLED_BACK);
    cluster_kill(story.coordinator);
    story_request(&story, "ship.1", true);
    assert_true(cluster_settle(&story.cluster));
    assert_int_equal(story_unpack(&story, "ship.1")->phase, PB__PHASE__ROLLED_BACK);
    assert_string_equal(story_not_ready(&story, second), "");
}

static void ownership_can_alternate_with_every_record(void **state)
{
    (void)state;
    story.silent_from = 2;
    story_start(&story);
    (void)cluster_start(&story.cluster, coordinator_service(), "coordinator-2");
    for (int i = 0; i < 6; i++) {
        story_accept(&story, "pay", i % 2 == 0 ? "even" : "odd");
        cluster_evict(&story.cluster.instances[i % 2]);
        assert_true(cluster_settle(&story.cluster));
    }
    assert_int_equal(story_unpack(&story, "pay.6")->phase, PB__PHASE__CHECKING);
    assert_null(story_state(&story, "pay.7").bytes);
}

static void a_report_that_cannot_be_made_keeps_nothing_else_from_going_out(void **state)
{
    const char *const key =
        KEY_TIMELINE(&story.cluster.arena, story_partition(&story, "pay"), "slipway:", "pay.1");
    const struct store_op op = {
        STORE_HASH_SET, key, "0000000001.9999", { "not an entry", 12 }, 0
    };
    const struct store_batch batch = { NULL, 0, &op, 1, NULL };
    struct error error = { 0 };

    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    assert_true(cluster_settle(&story.cluster));
    assert_int_equal(story.cluster.store.commit(story.cluster.store.self, &batch, &error),
                     ERR_OK);
    story_request(&story, "pay.1", true);
    assert_true(cluster_settle(&story.cluster));
    assert_non_null(strstr(story_topic(&story, "signals.v1"), "Signal"));
    assert_string_equal(story_topic(&story, "archive.v1"), "");
    assert_string_equal(story_not_ready(&story, story.coordinator), "");
    assert_true(memory_log_has(story.cluster.log, "given up"));
}

/* Which operation of a client is to fail, and how. */
struct trouble {
    unsigned countdown;
    enum memory_fault fault;
    unsigned happened;
};

static enum memory_fault ask(void *self, const char *operation, const char *object)
{
    struct trouble *const trouble = self;

    (void)operation;
    (void)object;
    if (trouble->countdown == 0 || --trouble->countdown > 0)
        return FAULT_NONE;
    trouble->happened++;
    return trouble->fault;
}

static void run_with_trouble(struct trouble *trouble)
{
    story_open(&story);
    story.cluster.faults = (struct memory_faults){ trouble, ask };
    story_start(&story);
    story_accept(&story, "pay", "one");
    story_pass(&story, 4000);
}

static void whichever_operation_fails_it_ends_completed(void **state)
{
    static const enum memory_fault faults[] = { FAULT_BEFORE, FAULT_AFTER, FAULT_LOST };

    (void)state;
    for (size_t f = 0; f < sizeof faults / sizeof faults[0]; f++) {
        struct trouble trouble = { .happened = 1 };

        for (unsigned nth = 1; trouble.happened > 0 && nth < 1000; nth += 3) {
            trouble = (struct trouble){ .countdown = nth, .fault = faults[f] };
            run_with_trouble(&trouble);
            if (story_state(&story, "pay.1").bytes == NULL ||
                story_unpack(&story, "pay.1")->phase != PB__PHASE__COMPLETED)
                fail_msg("fault %d at operation %u", (int)faults[f], nth);
            story_close(&story);
        }
    }
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_boundary_it_ends_in_the_same_bytes),
        cmocka_unit_test(killed_at_any_boundary_of_a_stop_it_ends_in_the_same_bytes),
        STORY(with_redis_emptied_the_log_gives_the_same_bytes),
        STORY(with_redis_emptied_a_running_task_is_driven_again_after_the_longest_lease),
        STORY(with_redis_emptied_no_signal_is_sent_again),
        STORY(with_a_lost_tail_of_redis_it_goes_on_from_the_log),
        STORY(an_effect_that_came_back_with_an_old_redis_is_not_said_again),
        STORY(a_latch_that_control_lost_is_asserted_again_at_take_over),
        STORY(a_commit_by_another_than_the_owner_is_refused),
        STORY(two_instances_share_and_one_goes_on_alone),
        STORY(ownership_can_alternate_with_every_record),
        STORY(a_report_that_cannot_be_made_keeps_nothing_else_from_going_out),
        cmocka_unit_test(whichever_operation_fails_it_ends_completed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
