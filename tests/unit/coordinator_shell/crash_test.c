#include "common/runtime/crash.h"
#include "tests/support/test.h"

static void count_death(void *self)
{
    ++*(int *)self;
}

static void a_place_without_a_plan_is_passed(void **state)
{
    (void)state;
    crash_point(NULL, "after-commit");
}

static void it_dies_at_its_place_the_nth_time_and_only_then(void **state)
{
    int deaths = 0;
    struct crash_plan plan;

    (void)state;
    assert_true(crash_plan_read("after-commit:2", &plan));
    plan.die = count_death;
    plan.self = &deaths;
    crash_point(&plan, "before-commit");
    crash_point(&plan, "after-commit");
    assert_int_equal(deaths, 0);
    crash_point(&plan, "after-commit");
    assert_int_equal(deaths, 1);
    crash_point(&plan, "after-commit");
    assert_int_equal(deaths, 1);
}

static void what_is_no_place_is_no_plan(void **state)
{
    static const char *const wrong[] = { "", ":1", "x:", "x:0", "x:-1", "x:1y" };
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
        cmocka_unit_test(what_is_no_place_is_no_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
