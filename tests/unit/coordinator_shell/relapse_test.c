/* A Redis that comes back as it was before, in ways that no commit notices. */
#include "common/state/keys.h"
#include "tests/unit/coordinator_shell/story.h"

#include <stdio.h>
#include <string.h>

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

/* Redis becomes what it was before all that, just when a coordinator that has caught up looks
 * for what is to be said. */
struct relapse {
    char where[16];            /* "{3}", of the partition looked at. */
    struct memory_space *copy; /* What it becomes. */
    bool restores;             /* At the next look into the outbox. */
    bool done;
};

static enum memory_fault relapse_at(void *self, const char *operation, const char *object)
{
    struct relapse *const relapse = self;

    if (relapse->restores && !relapse->done && strcmp(operation, "sorted_range") == 0 &&
        strstr(object, ":outbox") != NULL && strstr(object, relapse->where) != NULL) {
        relapse->done = true;
        memory_space_restore(story.cluster.space, relapse->copy);
    }
    return FAULT_NONE;
}

static void what_a_redis_that_lost_its_tail_no_longer_holds_is_said_all_the_same(void **state)
{
    struct crash_plan plan = { .at = CRASH_AFTER_COMMIT, .remaining = 7 };
    struct relapse relapse = { 0 };
    unsigned records;
    unsigned ids;

    (void)state;
    story_close(&story);
    story_open(&story);
    story.cluster.faults = (struct memory_faults){ &relapse, relapse_at };
    story.coordinator = cluster_start(&story.cluster, coordinator_service(), "coordinator-1");
    story.coordinator->ports.crash = &plan;
    plan.die = cluster_die;
    plan.self = story.coordinator;
    (void)snprintf(
        relapse.where, sizeof relapse.where, "{%d}", (int)story_partition(&story, "pay"));
    relapse.copy = memory_space_copy(story.cluster.space);
    story_accept(&story, "pay", "one");
    assert_false(cluster_settle(&story.cluster));
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__COMPLETED);
    assert_string_equal(story_topic(&story, "signals.v1"), "");
    relapse.restores = true;
    cluster_kill(story.coordinator);
    story_start(&story);
    story_pass(&story, 5000);
    assert_true(relapse.done);
    story_ids(&story, "signals.v1", &records, &ids);
    assert_int_equal(ids, 1);
    memory_space_free(relapse.copy);
}

/* Nothing but that word was lost: every commit fits, and no worker would claim anything. */
static void a_lost_word_of_being_ready_is_said_again(void **state)
{
    const char *key;
    struct store_op op = { STORE_HASH_SET, NULL, "ready", { "", 0 }, 0 };
    const struct store_batch batch = { NULL, 0, &op, 1, NULL };
    struct store_value ready = { 0 };
    struct error error = { 0 };

    (void)state;
    story_start(&story);
    story_accept(&story, "pay", "one");
    assert_true(cluster_settle(&story.cluster));
    key = KEY_LOG(&story.cluster.arena, story_partition(&story, "pay"), "slipway:");
    op.key = key;
    assert_int_equal(story.cluster.store.commit(story.cluster.store.self, &batch, &error),
                     ERR_OK);
    story_pass(&story, 3000);
    assert_int_equal(
        story.cluster.store.hash_get(
            story.cluster.store.self, &story.cluster.arena, key, "ready", &ready, &error),
        ERR_OK);
    assert_true(ready.length > 0);
    assert_string_equal(story_not_ready(&story, story.coordinator), "");
}

/* The log, too, may be what it was before, and be written on before anybody looks. */
static void a_log_that_lost_its_tail_and_goes_on_is_noticed_by_one_who_lives(void **state)
{
    const int32_t p = story_partition(&story, "pay");

    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    assert_true(cluster_settle(&story.cluster));
    memory_broker_cut(story.cluster.broker,
                      "events.v1",
                      p,
                      0,
                      memory_broker_high(story.cluster.broker, "events.v1", p) - 1);
    story_request(&story, "pay.1", true);
    story_request(&story, "pay.1", true);
    story_pass(&story, 2000);
    assert_non_null(strstr(story_not_ready(&story, story.coordinator), "is not the one"));
    assert_int_equal(story_unpack(&story, "pay.1")->step, 2);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_log_that_lost_its_tail_and_goes_on_is_noticed_by_one_who_lives),
        STORY(what_a_redis_that_lost_its_tail_no_longer_holds_is_said_all_the_same),
        STORY(a_lost_word_of_being_ready_is_said_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
