#include "common/domain/blame.h"
#include "services/monitor/core/incident_book.h"
#include "services/monitor/core/tally.h"
#include "tests/support/test.h"

#include <stdio.h>

/* --- tally --- */

static void a_tally_keeps_and_forgets_many_names(void **state)
{
    struct tally *const tally = tally_new(5000);
    char name[32];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(name, sizeof name, "alert-%d", i);
        assert_true(tally_set(tally, name, i + 1));
    }
    assert_false(tally_set(tally, "one too many", 1));
    for (int i = 0; i < 5000; i += 2) {
        (void)snprintf(name, sizeof name, "alert-%d", i);
        assert_true(tally_set(tally, name, 0));
    }
    assert_int_equal(tally_count(tally), 2500);
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(name, sizeof name, "alert-%d", i);
        assert_int_equal(tally_get(tally, name), i % 2 == 0 ? 0 : i + 1);
    }
    tally_clear(tally);
    assert_int_equal(tally_get(tally, "alert-1"), 0);
    tally_free(tally);
}

/* --- blame --- */

struct scene {
    struct arena arena;
    Pb__DeploymentState *deployment;
    Pb__Plan *plan;
    Pb__Alert alert;
};

static const char *services[] = { "cart", "shop" };

static int open_scene(void **state)
{
    static struct scene scene;

    scene = (struct scene){ .arena = arena_with_limit(1 << 20) };
    scene.deployment = pb_new(&scene.arena, &pb__deployment_state__descriptor);
    scene.deployment->id = "express-pay.1";
    scene.deployment->feature = "express-pay";
    scene.deployment->environment = "production";
    scene.deployment->services = services;
    scene.deployment->n_services = 2;
    scene.deployment->phase = PB__PHASE__EXECUTING;
    scene.deployment->dates = pb_new(&scene.arena, &pb__audit_dates__descriptor);
    scene.plan = pb_new(&scene.arena, &pb__plan__descriptor);
    scene.plan->blame_window_ms = 1000;
    scene.alert = (Pb__Alert)PB__ALERT__INIT;
    scene.alert.service = "shop";
    scene.alert.environment = "production";
    *state = &scene;
    return 0;
}

static int close_scene(void **state)
{
    struct scene *const scene = *state;

    arena_release(&scene->arena);
    return 0;
}

static bool blamed(struct scene *scene, int64_t now_ms)
{
    const struct suspect suspect = suspect_of(&scene->arena, scene->deployment, scene->plan);
    const struct suspect copy = suspect_copy(&scene->arena, &suspect);

    assert_int_equal(suspect_matches(&suspect, &scene->alert, now_ms),
                     suspect_matches(&copy, &scene->alert, now_ms));
    return suspect_matches(&copy, &scene->alert, now_ms);
}

static void a_deployment_is_blamed_for_alerts_of_its_services_alone(void **state)
{
    struct scene *const scene = *state;

    assert_true(blamed(scene, 5000));
    scene->alert.service = "search";
    assert_false(blamed(scene, 5000));
    scene->alert.service = "shop";
    scene->alert.environment = "staging";
    assert_false(blamed(scene, 5000));
}

static void a_finished_deployment_is_blamed_within_its_window(void **state)
{
    struct scene *const scene = *state;
    int64_t activated_ms[] = { 2000, 3000 };

    scene->deployment->phase = PB__PHASE__COMPLETED;
    scene->deployment->dates->execution_ms = 1000;
    assert_true(blamed(scene, 2000));
    assert_false(blamed(scene, 2001));
    scene->deployment->dates->activation_ms = activated_ms;
    scene->deployment->dates->n_activation_ms = 2;
    assert_true(blamed(scene, 4000));
    assert_false(blamed(scene, 4001));
}

static void while_it_works_a_deployment_is_blamed_whatever_the_time(void **state)
{
    struct scene *const scene = *state;

    scene->deployment->dates->execution_ms = 1000;
    scene->deployment->phase = PB__PHASE__OBSERVING;
    assert_true(blamed(scene, 1000 * 1000));
    scene->deployment->phase = PB__PHASE__FINALISING;
    assert_false(blamed(scene, 1000 * 1000));
}

static void what_changed_nothing_or_took_it_back_is_innocent(void **state)
{
    struct scene *const scene = *state;

    scene->deployment->phase = PB__PHASE__QUEUED;
    assert_false(blamed(scene, 5000));
    scene->deployment->phase = PB__PHASE__BLOCKED;
    assert_false(blamed(scene, 5000));
    scene->deployment->dates->execution_ms = 4500;
    assert_true(blamed(scene, 5000));
    scene->deployment->phase = PB__PHASE__ROLLED_BACK;
    assert_false(blamed(scene, 5000));
    scene->deployment->phase = PB__PHASE__CHECKING;
    assert_true(blamed(scene, 5000));
}

static void who_was_told_of_an_incident_is_told_of_its_end(void **state)
{
    struct scene *const scene = *state;
    Pb__Incident incident = PB__INCIDENT__INIT;
    Pb__Incident *incidents[] = { &incident };

    scene->deployment->incidents = incidents;
    scene->deployment->n_incidents = 1;
    scene->deployment->phase = PB__PHASE__BLOCKED;
    assert_false(blamed(scene, 1000 * 1000));
    incident.open = true;
    assert_true(blamed(scene, 1000 * 1000));
    scene->deployment->phase = PB__PHASE__QUEUED;
    assert_true(blamed(scene, 1000 * 1000));
    scene->deployment->phase = PB__PHASE__COMPLETED;
    assert_false(blamed(scene, 1000 * 1000));
}

static void only_what_may_still_be_taken_back_may_be_latched(void **state)
{
    struct scene *const scene = *state;

    assert_true(suspect_of(&scene->arena, scene->deployment, scene->plan).may_latch);
    scene->deployment->phase = PB__PHASE__CHECKING;
    assert_false(suspect_of(&scene->arena, scene->deployment, scene->plan).may_latch);
    scene->deployment->phase = PB__PHASE__COMPLETED;
    scene->deployment->dates->execution_ms = 1;
    assert_false(suspect_of(&scene->arena, scene->deployment, scene->plan).may_latch);
    scene->deployment->phase = PB__PHASE__BLOCKED;
    scene->deployment->step = 4;
    assert_true(suspect_of(&scene->arena, scene->deployment, scene->plan).may_latch);
}

/* --- incident book --- */

static bool note(struct incident_book *book,
                 const char *cause,
                 Pb__Severity severity,
                 bool open,
                 int64_t now_ms)
{
    const struct incident_word word = { "d.1", cause, severity, open, 1, !open };
    struct incident_word told;

    return incident_book_note(book, &word, now_ms, &told);
}

static void a_storm_of_one_cause_is_one_word_and_a_sum_ten_seconds_later(void **state)
{
    struct incident_book *const book = incident_book_new();
    struct incident_word told;

    (void)state;
    assert_true(note(book, "Errors", PB__SEVERITY__CRITICAL, true, 1000));
    for (int i = 1; i < 10000; i++)
        assert_false(note(book, "Errors", PB__SEVERITY__CRITICAL, true, 1000 + i % 100));
    assert_false(incident_book_due(book, 10999, &told));
    assert_int_equal(incident_book_next_ms(book), 11000);
    assert_true(incident_book_due(book, 11000, &told));
    assert_int_equal(told.count, 9999);
    assert_true(told.open);
    assert_false(incident_book_due(book, 11000, &told));
    assert_int_equal(incident_book_next_ms(book), INT64_MAX);
    incident_book_free(book);
}

static void what_grows_worse_never_waits(void **state)
{
    struct incident_book *const book = incident_book_new();

    (void)state;
    assert_true(note(book, "Errors", PB__SEVERITY__WARNING, true, 1000));
    assert_true(note(book, "Errors", PB__SEVERITY__CRITICAL, true, 1001));
    assert_false(note(book, "Errors", PB__SEVERITY__WARNING, true, 1002));
    assert_true(note(book, "Latency", PB__SEVERITY__WARNING, true, 1003));
    incident_book_free(book);
}

static void good_news_waits_and_may_be_overtaken(void **state)
{
    struct incident_book *const book = incident_book_new();
    struct incident_word told;

    (void)state;
    assert_true(note(book, "Errors", PB__SEVERITY__CRITICAL, true, 1000));
    assert_false(note(book, "Errors", PB__SEVERITY__CRITICAL, false, 2000));
    assert_false(note(book, "Errors", PB__SEVERITY__CRITICAL, true, 3000));
    assert_true(incident_book_due(book, 11000, &told));
    assert_true(told.open);
    assert_false(note(book, "Errors", PB__SEVERITY__CRITICAL, false, 12000));
    assert_true(incident_book_due(book, 21000, &told));
    assert_false(told.open);
    assert_true(note(book, "Errors", PB__SEVERITY__CRITICAL, true, 21001));
    incident_book_free(book);
}

static void causes_beyond_the_limit_share_one(void **state)
{
    struct incident_book *const book = incident_book_new();
    struct incident_word told;
    char name[32];
    size_t at_once = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "cause-%d", i);
        at_once += note(book, name, PB__SEVERITY__CRITICAL, true, 1000);
    }
    assert_int_equal(at_once, INCIDENT_CAUSES_MAX);
    assert_true(incident_book_due(book, 11000, &told));
    assert_string_equal(told.cause, INCIDENT_FURTHER);
    assert_true(note(book, "cause-1", PB__SEVERITY__CRITICAL, false, 12000));
    assert_false(incident_book_due(book, 12001, &told));
    assert_true(incident_book_due(book, 21000, &told));
    assert_string_equal(told.cause, INCIDENT_FURTHER);
    assert_false(told.open);
    incident_book_free(book);
}

int main(void)
{
#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tally_keeps_and_forgets_many_names),
        IN_SCENE(a_deployment_is_blamed_for_alerts_of_its_services_alone),
        IN_SCENE(a_finished_deployment_is_blamed_within_its_window),
        IN_SCENE(while_it_works_a_deployment_is_blamed_whatever_the_time),
        IN_SCENE(what_changed_nothing_or_took_it_back_is_innocent),
        IN_SCENE(who_was_told_of_an_incident_is_told_of_its_end),
        IN_SCENE(only_what_may_still_be_taken_back_may_be_latched),
        cmocka_unit_test(a_storm_of_one_cause_is_one_word_and_a_sum_ten_seconds_later),
        cmocka_unit_test(what_grows_worse_never_waits),
        cmocka_unit_test(good_news_waits_and_may_be_overtaken),
        cmocka_unit_test(causes_beyond_the_limit_share_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
