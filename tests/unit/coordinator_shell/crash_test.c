#include "common/ports/crash.h"
#include "tests/support/test.h"

static void count_death(void *self)
{
    ++*(int *)self;
}

static void a_place_without_a_plan_is_passed(void **state)
{
    (void)state;
    crash_point(NULL, CRASH_AFTER_COMMIT, 0);
}

static void it_dies_at_its_place_the_nth_time_and_only_then(void **state)
{
    int deaths = 0;
    struct crash_plan plan;

    (void)state;
    assert_true(crash_plan_read("after-commit:2", &plan));
    plan.die = count_death;
    plan.self = &deaths;
    crash_point(&plan, CRASH_BEFORE_COMMIT, 0);
    crash_point(&plan, CRASH_AFTER_COMMIT, 0);
    assert_int_equal(deaths, 0);
    crash_point(&plan, CRASH_AFTER_COMMIT, CRASH_UNDO);
    assert_int_equal(deaths, 1);
    crash_point(&plan, CRASH_AFTER_COMMIT, 0);
    assert_int_equal(deaths, 1);
}

static void with_a_step_it_dies_only_with_such_a_deployment_in_hand(void **state)
{
    int deaths = 0;
    struct crash_plan plan;

    (void)state;
    assert_true(crash_plan_read("after-commit@5:2", &plan));
    plan.die = count_death;
    plan.self = &deaths;
    crash_point(&plan, CRASH_AFTER_COMMIT, 0);
    crash_point(&plan, CRASH_AFTER_COMMIT, CRASH_STEP(4) | CRASH_UNDO);
    crash_point(&plan, CRASH_AFTER_COMMIT, CRASH_STEP(5));
    assert_int_equal(deaths, 0);
    crash_point(&plan, CRASH_AFTER_COMMIT, CRASH_STEP(2) | CRASH_STEP(5));
    assert_int_equal(deaths, 1);
    assert_true(crash_plan_read("worker-after-step@undo", &plan));
    assert_int_equal(plan.in, CRASH_UNDO);
    assert_true(crash_plan_read("after-trim@lane", &plan));
    assert_int_equal(plan.in, CRASH_LANE);
}

static void every_place_has_a_name_of_its_own(void **state)
{
    (void)state;
#define CRASH(symbol, name, ...) assert_int_equal(crash_place_named(name), CRASH_##symbol);
#include "common/ports/crash_places.def"
#undef CRASH
}

static void what_is_no_place_is_no_plan(void **state)
{
    static const char *const wrong[] = { "",
                                         ":1",
                                         "after-commit:x",
                                         "after-commit:0",
                                         "after-commit:-1",
                                         "after-commit:1y",
                                         "after-commit:",
                                         "nowhere",
                                         "after-commit@",
                                         "after-commit@8",
                                         "after-commit@1@2",
                                         "after-commit:1@2" };
    struct crash_plan plan;

    (void)state;
    assert_false(crash_plan_read(NULL, &plan));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(crash_plan_read(wrong[i], &plan));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_without_a_plan_is_passed),
        cmocka_unit_test(it_dies_at_its_place_the_nth_time_and_only_then),
        cmocka_unit_test(with_a_step_it_dies_only_with_such_a_deployment_in_hand),
        cmocka_unit_test(every_place_has_a_name_of_its_own),
        cmocka_unit_test(what_is_no_place_is_no_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
