/* Records that kill whoever applies them, and records that only look so. */
#include "tests/unit/coordinator_shell/story.h"

static struct story story;

/* Applying poison is the end of whoever does it. */
void toy_poison(void)
{
    cluster_die(story.coordinator);
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

static void poison(const char *id)
{
    Pb__Event *const event = story_event(&story, "pay", "pay.1");
    Pb__IncidentReported incident = PB__INCIDENT_REPORTED__INIT;

    incident.cause = TOY_POISON;
    event->body_case = PB__EVENT__BODY_INCIDENT;
    event->incident = &incident;
    story_tell(&story, "monitor", id, event);
}

static void a_record_that_kills_is_passed_over_after_three_deaths_in_sight(void **state)
{
    unsigned deaths = 0;

    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    assert_true(cluster_settle(&story.cluster));
    poison("poison-1");
    story_accept(&story, "pay", "two");
    while (!cluster_settle(&story.cluster)) {
        assert_true(++deaths < 10);
        story.coordinator =
            cluster_start(&story.cluster, coordinator_service(), "coordinator-1");
    }
    /* The first death was not in sight: it was one of a batch. */
    assert_int_equal(deaths, QUARANTINE_DEATHS + 1);
    assert_non_null(strstr(story_topic(&story, "control.v1"), "skip."));
    assert_non_null(strstr(story_topic(&story, "dead-letter.v1"), "dead-letter.events.v1"));
    /* Life goes on, and goes on after Redis was emptied as well. */
    assert_non_null(story_state(&story, "pay.2").bytes);
    memory_space_clear(story.cluster.space);
    story_pass(&story, 3000);
    assert_non_null(story_state(&story, "pay.2").bytes);
}

/* While it lasts no batch is committed that a try of a record was noted for. */
struct storm {
    bool over;
    unsigned commits; /* Since the look at what was tried. */
    unsigned failed;
};

static enum memory_fault blow(void *self, const char *operation, const char *object)
{
    struct storm *const storm = self;

    if (strcmp(operation, "hash_all") == 0 && strstr(object, "tried") != NULL)
        storm->commits = 0;
    if (strcmp(operation, "commit") != 0 || storm->over || ++storm->commits != 2)
        return FAULT_NONE;
    storm->failed++;
    return FAULT_BEFORE;
}

static void a_record_on_which_tries_fail_without_a_death_is_no_poison(void **state)
{
    struct storm storm = { .over = true };

    (void)state;
    story.cluster.faults = (struct memory_faults){ &storm, blow };
    story_start(&story);
    story_accept(&story, "pay", "one");
    assert_true(cluster_settle(&story.cluster));
    cluster_kill(story.coordinator);
    story_accept(&story, "pay", "two");
    story_request(&story, "pay.1", false);
    storm.over = false;
    for (unsigned process = 0; process <= QUARANTINE_DEATHS; process++) {
        story.coordinator =
            cluster_start(&story.cluster, coordinator_service(), "coordinator-1");
        story_pass(&story, 5000);
        cluster_kill(story.coordinator);
    }
    assert_true(storm.failed > 2 * QUARANTINE_DEATHS);
    storm.over = true;
    story_start(&story);
    assert_string_equal(story_topic(&story, "dead-letter.v1"), "");
    assert_null(strstr(story_topic(&story, "control.v1"), "skip."));
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_record_that_kills_is_passed_over_after_three_deaths_in_sight),
        STORY(a_record_on_which_tries_fail_without_a_death_is_no_poison),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
