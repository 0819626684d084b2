/* Every command as people see it: transcripts, compared byte by byte. */
#include "tests/support/test.h"
#include "tests/unit/cli/transcript.h"

#define GOLDEN "tests/unit/cli/golden/"

static void what_is_submitted_is_checked_first(void **state)
{
    (void)state;
    transcript_play(GOLDEN "submit.txt");
}

static void a_plan_is_approved_with_each_consequence_named(void **state)
{
    (void)state;
    transcript_play(GOLDEN "approve.txt");
}

static void it_is_always_said_why_something_waits(void **state)
{
    (void)state;
    transcript_play(GOLDEN "show.txt");
}

static void a_watch_ends_as_the_deployment_does(void **state)
{
    (void)state;
    transcript_play(GOLDEN "watch.txt");
}

static void what_is_asked_shows_what_it_does(void **state)
{
    (void)state;
    transcript_play(GOLDEN "requests.txt");
}

static void things_beside_deployments_have_their_words(void **state)
{
    (void)state;
    transcript_play(GOLDEN "things.txt");
}

static void each_error_says_what_to_do(void **state)
{
    (void)state;
    transcript_play(GOLDEN "errors.txt");
}

static void width_colour_and_zone_follow_the_reader(void **state)
{
    (void)state;
    transcript_play(GOLDEN "ways.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_submitted_is_checked_first),
        cmocka_unit_test(a_plan_is_approved_with_each_consequence_named),
        cmocka_unit_test(it_is_always_said_why_something_waits),
        cmocka_unit_test(a_watch_ends_as_the_deployment_does),
        cmocka_unit_test(what_is_asked_shows_what_it_does),
        cmocka_unit_test(things_beside_deployments_have_their_words),
        cmocka_unit_test(each_error_says_what_to_do),
        cmocka_unit_test(width_colour_and_zone_follow_the_reader),
    };

    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
