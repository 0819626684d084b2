#include "common/config/zone.h"
#include "tests/support/test.h"

#include <stdio.h>

enum { HOUR = 3600, DAY = 24 * HOUR };

/* A moment by its date and time in UTC. */
static int64_t utc(int64_t year, int64_t month, int64_t day, int64_t hour)
{
    return zone_days(year, month, day) * DAY + hour * HOUR;
}

static const struct zone *load(struct arena *arena, const char *name)
{
    const struct zone *zone = NULL;
    struct error error = { 0 };

    assert_int_equal(zone_load(arena, name, &zone, &error), ERR_OK);
    return zone;
}

static void berlin_puts_its_clocks_forward_and_back(void **state)
{
    struct arena arena = arena_with_limit(1024 * 1024);
    const struct zone *const berlin = load(&arena, "Europe/Berlin");

    (void)state;
    assert_int_equal(zone_offset_s(berlin, utc(2026, 1, 15, 12)), HOUR);
    assert_int_equal(zone_offset_s(berlin, utc(2026, 7, 15, 12)), 2 * HOUR);
    assert_int_equal(zone_offset_s(berlin, utc(2026, 3, 29, 1) - 1), HOUR);
    assert_int_equal(zone_offset_s(berlin, utc(2026, 3, 29, 1)), 2 * HOUR);
    assert_int_equal(zone_offset_s(berlin, utc(2026, 10, 25, 1) - 1), 2 * HOUR);
    assert_int_equal(zone_offset_s(berlin, utc(2026, 10, 25, 1)), HOUR);
    arena_release(&arena);
}

static void the_rule_holds_beyond_the_listed_transitions(void **state)
{
    struct arena arena = arena_with_limit(1024 * 1024);
    const struct zone *const berlin = load(&arena, "Europe/Berlin");

    (void)state;
    assert_int_equal(zone_offset_s(berlin, utc(2080, 1, 15, 12)), HOUR);
    assert_int_equal(zone_offset_s(berlin, utc(2080, 7, 15, 12)), 2 * HOUR);
    arena_release(&arena);
}

static void a_wall_clock_time_is_one_moment(void **state)
{
    struct arena arena = arena_with_limit(1024 * 1024);
    const struct zone *const berlin = load(&arena, "Europe/Berlin");

    (void)state;
    /* 08:00 on the wall, in winter and in summer. */
    assert_int_equal(zone_moment_s(berlin, utc(2026, 1, 15, 8)), utc(2026, 1, 15, 7));
    assert_int_equal(zone_moment_s(berlin, utc(2026, 7, 15, 8)), utc(2026, 7, 15, 6));
    /* 02:30 is left out on 29 March: the moment clocks are put forward. */
    assert_int_equal(zone_moment_s(berlin, utc(2026, 3, 29, 2) + 1800), utc(2026, 3, 29, 1));
    /* 02:30 comes twice on 25 October: the first. */
    assert_int_equal(zone_moment_s(berlin, utc(2026, 10, 25, 2) + 1800),
                     utc(2026, 10, 25, 0) + 1800);
    arena_release(&arena);
}

static void rules_of_both_hemispheres_are_read(void **state)
{
    struct zone_rule rule;

    (void)state;
    assert_true(zone_rule_parse("EST5EDT,M3.2.0,M11.1.0", &rule));
    assert_int_equal(zone_rule_offset_s(&rule, utc(2026, 7, 1, 0)), -4 * HOUR);
    assert_int_equal(zone_rule_offset_s(&rule, utc(2026, 12, 1, 0)), -5 * HOUR);
    assert_int_equal(zone_rule_offset_s(&rule, utc(2026, 3, 8, 7) - 1), -5 * HOUR);
    assert_int_equal(zone_rule_offset_s(&rule, utc(2026, 3, 8, 7)), -4 * HOUR);
    /* Sydney: summer over the turn of the year. */
    assert_true(zone_rule_parse("AEST-10AEDT,M10.1.0,M4.1.0/3", &rule));
    assert_int_equal(zone_rule_offset_s(&rule, utc(2026, 1, 1, 0)), 11 * HOUR);
    assert_int_equal(zone_rule_offset_s(&rule, utc(2026, 7, 1, 0)), 10 * HOUR);
    /* Dublin: winter is the daylight time, an hour less. */
    assert_true(zone_rule_parse("IST-1GMT0,M10.5.0,M3.5.0/1", &rule));
    assert_int_equal(zone_rule_offset_s(&rule, utc(2026, 1, 1, 0)), 0);
    assert_int_equal(zone_rule_offset_s(&rule, utc(2026, 7, 1, 0)), HOUR);
    assert_true(zone_rule_parse("<+0330>-3:30", &rule));
    assert_int_equal(zone_rule_offset_s(&rule, 0), 3 * HOUR + 1800);
    assert_true(zone_rule_parse("XXX0YYY,J60,300/0", &rule));
}

static void what_is_no_rule_is_refused(void **state)
{
    static const char *const bad[] = { "",
                                       "C1",
                                       "CET",
                                       "CET-1CEST",
                                       "CET-1CEST,M13.1.0,M1.1.0",
                                       "CET-1CEST,M3.0.0,M1.1.0",
                                       "CET-1CEST,M3.5.0",
                                       "CET-1CEST,M3.5.0,M10.5.0x",
                                       "CET-999",
                                       "<x-1" };
    struct zone_rule rule;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(zone_rule_parse(bad[i], &rule));
}

static void a_name_stays_inside_the_database(void **state)
{
    static const char *const bad[] = {
        "", "../etc/passwd", "/etc/passwd", "Europe//Berlin", "Europe/../UTC", "Mars/Olympus"
    };
    struct arena arena = arena_with_limit(1024 * 1024);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error error = { 0 };
        const struct zone *zone;

        assert_int_not_equal(zone_load(&arena, bad[i], &zone, &error), ERR_OK);
    }
    arena_release(&arena);
}

static void half_a_file_is_no_zone(void **state)
{
    struct arena arena = arena_with_limit(64 * 1024 * 1024);
    unsigned char bytes[ZONE_FILE_MAX];
    FILE *const file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    struct error error = { 0 };
    const struct zone *zone;
    size_t length;

    (void)state;
    assert_non_null(file);
    length = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    assert_int_equal(zone_parse(&arena, bytes, length, &zone, &error), ERR_OK);
    for (size_t cut = 0; cut + 1 < length; cut += 7)
        assert_int_equal(zone_parse(&arena, bytes, cut, &zone, &error), ERR_INVALID);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(berlin_puts_its_clocks_forward_and_back),
        cmocka_unit_test(the_rule_holds_beyond_the_listed_transitions),
        cmocka_unit_test(a_wall_clock_time_is_one_moment),
        cmocka_unit_test(rules_of_both_hemispheres_are_read),
        cmocka_unit_test(what_is_no_rule_is_refused),
        cmocka_unit_test(a_name_stays_inside_the_database),
        cmocka_unit_test(half_a_file_is_no_zone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
