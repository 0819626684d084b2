/* A log that is passed over, replaced or not to be heard while its owner lives. */
#include "tests/unit/coordinator_shell/story.h"

#include <stdlib.h>

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
    (void)unsetenv("SLIPWAY_ADOPT");
    story_close(*state);
    return 0;
}

static void settle(void)
{
    assert_true(cluster_settle(&story.cluster));
}

struct deafness {
    unsigned countdown; /* The nth receive from now on fails; 0: none. */
};

static enum memory_fault turn_deaf(void *self, const char *operation, const char *object)
{
    struct deafness *const deafness = self;

    (void)object;
    if (strcmp(operation, "receive") != 0 || deafness->countdown == 0 ||
        --deafness->countdown > 0)
        return FAULT_NONE;
    return FAULT_BEFORE;
}

static void a_turn_that_cannot_listen_to_control_says_so(void **state)
{
    struct deafness deafness = { 0 };
    bool said = false;

    (void)state;
    story.cluster.faults = (struct memory_faults){ &deafness, turn_deaf };
    story_start(&story);
    for (unsigned nth = 1; nth <= 4; nth++) {
        deafness.countdown = nth;
        story.coordinator->error = (struct error){ 0 };
        assert_true(cluster_turn(story.coordinator));
        said = said || strstr(story.coordinator->error.text, "control.v1") != NULL;
    }
    assert_true(said);
}

static void records_that_were_passed_over_are_asked_for_again(void **state)
{
    const int32_t p = story_partition(&story, "pay");
    struct coordinator *shell;
    struct error error = { 0 };

    (void)state;
    story.silent_from = 1;
    story_start(&story);
    story_accept(&story, "pay", "one");
    settle();
    story_pass(&story, 5000);
    shell = story.coordinator->state;
    story_request(&story, "pay.1", true);
    assert_int_equal(
        shell->events.seek(shell->events.self,
                           "events.v1",
                           p,
                           memory_broker_high(story.cluster.broker, "events.v1", p),
                           &error),
        ERR_OK);
    story_request(&story, "pay.1", false);
    settle();
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__ROLLED_BACK);
}

/* The log ends in another record than the one that was applied, and is read from there on. */
static void replace_the_end(void)
{
    const int32_t p = story_partition(&story, "pay");
    struct coordinator *const shell = story.coordinator->state;
    const int64_t last = memory_broker_high(story.cluster.broker, "events.v1", p) - 1;
    struct error error = { 0 };

    assert_int_equal(shell->events.seek(shell->events.self, "events.v1", p, last, &error),
                     ERR_OK);
    memory_broker_cut(story.cluster.broker, "events.v1", p, 0, last);
    story_request(&story, "pay.1", false);
    settle();
}

static void an_owner_that_hears_another_record_in_the_place_of_the_last_stops(void **state)
{
    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    settle();
    assert_string_equal(story_not_ready(&story, story.coordinator), "");
    replace_the_end();
    /* At once, and still when it has looked again. */
    assert_non_null(strstr(story_not_ready(&story, story.coordinator), "is not the one"));
    story_pass(&story, 5000);
    assert_non_null(strstr(story_not_ready(&story, story.coordinator), "is not the one"));
}

static void a_log_is_adopted_once_and_not_whatever_becomes_of_it_then(void **state)
{
    const int32_t p = story_partition(&story, "pay");

    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    settle();
    cluster_stop(story.coordinator);
    memory_broker_cut(story.cluster.broker,
                      "events.v1",
                      p,
                      0,
                      memory_broker_high(story.cluster.broker, "events.v1", p) - 1);
    assert_int_equal(setenv("SLIPWAY_ADOPT", "1", 1), 0);
    story_start(&story);
    assert_string_equal(story_not_ready(&story, story.coordinator), "");
    story_request(&story, "pay.1", false);
    settle();
    replace_the_end();
    /* At once, and still when it has looked again. */
    assert_non_null(strstr(story_not_ready(&story, story.coordinator), "is not the one"));
    story_pass(&story, 5000);
    assert_non_null(strstr(story_not_ready(&story, story.coordinator), "is not the one"));
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_turn_that_cannot_listen_to_control_says_so),
        STORY(records_that_were_passed_over_are_asked_for_again),
        STORY(an_owner_that_hears_another_record_in_the_place_of_the_last_stops),
        STORY(a_log_is_adopted_once_and_not_whatever_becomes_of_it_then),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
