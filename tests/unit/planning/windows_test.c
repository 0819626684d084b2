#include "common/config/zone.h"
#include "common/planning/compile.h"
#include "tests/support/test.h"

enum { HOUR_MS = 3600 * 1000 };

struct fixture {
    struct arena arena;
    Pb__Plan *plan;
    int64_t next_ms;
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .arena = arena_with_limit(1024 * 1024) };
    fixture.plan = pb_new(&fixture.arena, &pb__plan__descriptor);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *const fixture = *state;

    arena_release(&fixture->arena);
    return 0;
}

static int64_t utc_ms(int64_t month, int64_t day, int64_t hour)
{
    return (zone_days(2026, month, day) * 24 + hour) * HOUR_MS;
}

static Pb__Window *add_window(struct fixture *fixture,
                              const char *zone,
                              uint32_t from_hour,
                              uint32_t to_hour)
{
    Pb__Window *const window = pb_new(&fixture->arena, &pb__window__descriptor);

    window->zone = zone;
    window->from_minute = from_hour * 60;
    window->to_minute = to_hour * 60;
    PB_APPEND(&fixture->arena, fixture->plan, windows, window);
    return window;
}

static void add_days(struct fixture *fixture, Pb__Window *window, const char *days)
{
    for (; *days != '\0'; days++)
        PB_APPEND(&fixture->arena, window, days, (uint32_t)(*days - '0'));
}

static bool open_at(struct fixture *fixture, int64_t at_ms)
{
    return plan_window_open(fixture->plan, at_ms, &fixture->next_ms);
}

static void a_plan_without_windows_is_always_open(void **state)
{
    struct fixture *const fixture = *state;

    assert_true(open_at(fixture, 0));
    assert_int_equal(fixture->next_ms, 0);
}

/* 2026-11-23 is a Monday. */
static void a_weekly_window_opens_and_closes_by_the_clock_of_its_zone(void **state)
{
    struct fixture *const fixture = *state;

    add_days(fixture, add_window(fixture, "Europe/Berlin", 12, 17), "1234");
    assert_false(open_at(fixture, utc_ms(11, 23, 10)));
    assert_int_equal(fixture->next_ms, utc_ms(11, 23, 11));
    assert_true(open_at(fixture, utc_ms(11, 23, 11)));
    assert_int_equal(fixture->next_ms, utc_ms(11, 23, 16));
    assert_true(open_at(fixture, utc_ms(11, 23, 16) - 1));
    assert_false(open_at(fixture, utc_ms(11, 23, 16)));
    assert_int_equal(fixture->next_ms, utc_ms(11, 24, 11));
    /* Thursday evening: closed until Monday. */
    assert_false(open_at(fixture, utc_ms(11, 26, 20)));
    assert_int_equal(fixture->next_ms, utc_ms(11, 30, 11));
}

static void it_follows_daylight_saving(void **state)
{
    struct fixture *const fixture = *state;

    add_days(fixture, add_window(fixture, "Europe/Berlin", 8, 9), "1234567");
    /* 08:00 is 07:00 UTC on the eve and 06:00 UTC from 29 March on. */
    assert_false(open_at(fixture, utc_ms(3, 28, 9)));
    assert_int_equal(fixture->next_ms, utc_ms(3, 29, 6));
    assert_false(open_at(fixture, utc_ms(10, 24, 9)));
    assert_int_equal(fixture->next_ms, utc_ms(10, 25, 7));
}

static void a_window_may_reach_over_midnight(void **state)
{
    struct fixture *const fixture = *state;

    add_days(fixture, add_window(fixture, "UTC", 22, 4), "1");
    assert_true(open_at(fixture, utc_ms(11, 23, 23)));
    assert_int_equal(fixture->next_ms, utc_ms(11, 24, 4));
    assert_true(open_at(fixture, utc_ms(11, 24, 3)));
    assert_false(open_at(fixture, utc_ms(11, 24, 4)));
    assert_false(open_at(fixture, utc_ms(11, 24, 23)));
}

static void windows_that_touch_are_one(void **state)
{
    struct fixture *const fixture = *state;

    add_days(fixture, add_window(fixture, "UTC", 8, 12), "1");
    add_days(fixture, add_window(fixture, "UTC", 12, 14), "1");
    assert_true(open_at(fixture, utc_ms(11, 23, 9)));
    assert_int_equal(fixture->next_ms, utc_ms(11, 23, 14));
}

static void a_window_of_all_hours_never_changes(void **state)
{
    struct fixture *const fixture = *state;
    int64_t first_ms;

    add_days(fixture, add_window(fixture, "UTC", 0, 24), "1234567");
    assert_true(open_at(fixture, utc_ms(11, 23, 9)));
    first_ms = fixture->next_ms;
    assert_true(first_ms == 0 || first_ms > utc_ms(11, 30, 0));
}

static void a_single_period_is_open_once(void **state)
{
    struct fixture *const fixture = *state;
    Pb__Window *const window = add_window(fixture, "UTC", 0, 0);

    window->opens_ms = utc_ms(11, 23, 10);
    window->closes_ms = utc_ms(11, 23, 12);
    assert_false(open_at(fixture, utc_ms(11, 23, 9)));
    assert_int_equal(fixture->next_ms, utc_ms(11, 23, 10));
    assert_true(open_at(fixture, utc_ms(11, 23, 11)));
    assert_int_equal(fixture->next_ms, utc_ms(11, 23, 12));
    assert_false(open_at(fixture, utc_ms(11, 23, 12)));
    assert_int_equal(fixture->next_ms, 0);
}

static void a_zone_that_is_not_known_opens_nothing(void **state)
{
    struct fixture *const fixture = *state;

    add_days(fixture, add_window(fixture, "Europe/Atlantis", 0, 24), "1234567");
    assert_false(open_at(fixture, utc_ms(11, 23, 9)));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_plan_without_windows_is_always_open),
        T(a_weekly_window_opens_and_closes_by_the_clock_of_its_zone),
        T(it_follows_daylight_saving),
        T(a_window_may_reach_over_midnight),
        T(windows_that_touch_are_one),
        T(a_window_of_all_hours_never_changes),
        T(a_single_period_is_open_once),
        T(a_zone_that_is_not_known_opens_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
