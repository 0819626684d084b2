/* The command line's own parts: arguments, times, and the manual page that lists its verbs. */
#include "services/cli/cli.h"

#include "common/adapters/memory/clock.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PAGE_MAX = 64 * 1024, MEMORY = 4 << 20 };

/* Monday, 23 November 2026, 14:07:30 UTC. */
static const int64_t NOW_MS = 1795442850000;

static struct cli cli;
static struct memory_clock time_now;

static int open_cli(void **state)
{
    (void)state;
    (void)setenv("TZ", "Europe/Berlin", 1);
    tzset();
    memset(&cli, 0, sizeof cli);
    time_now.now_ms = NOW_MS;
    cli.arena = arena_with_limit(MEMORY);
    cli.clock = memory_clock_port(&time_now);
    return 0;
}

static int close_cli(void **state)
{
    (void)state;
    arena_release(&cli.arena);
    return 0;
}

static void give(const char *const *arguments)
{
    cli.argument_count = 0;
    for (; *arguments != NULL; arguments++)
        cli.arguments[cli.argument_count++] = *arguments;
}

static void flags_may_stand_anywhere_and_a_leftover_is_an_error(void **state)
{
    static const char *const words[] = { "--reason", "why not", "express-pay", "--step=2",
                                         "--yes",    "-",       NULL };

    (void)state;
    give(words);
    assert_string_equal(cli_option(&cli, "--reason"), "why not");
    assert_string_equal(cli_option(&cli, "--step"), "2");
    assert_null(cli_option(&cli, "--ste"));
    assert_true(cli_flag(&cli, "--yes"));
    assert_false(cli_flag(&cli, "--yes"));
    assert_string_equal(cli_next(&cli), "express-pay");
    assert_false(cli_finished(&cli));
    assert_string_equal(cli_next(&cli), "-");
    assert_true(cli_finished(&cli));
    assert_null(cli_next(&cli));
}

static void times_are_said_as_people_do(void **state)
{
    const int64_t minute_ms = 60000;

    (void)state;
    cli.utc = true;
    assert_int_equal(cli_time(&cli, "now", NOW_MS), NOW_MS);
    assert_int_equal(cli_time(&cli, "+2h", NOW_MS), NOW_MS + 120 * minute_ms);
    assert_int_equal(cli_time(&cli, "thu 18:00", NOW_MS), 1795716000000);
    assert_int_equal(cli_time(&cli, "Mon 14:08", NOW_MS), 1795442880000);
    assert_int_equal(cli_time(&cli, "mon 14:07", NOW_MS), 1796047620000);
    assert_int_equal(cli_time(&cli, "2026-11-26T18:00:00Z", NOW_MS), 1795716000000);
    cli.utc = false;
    assert_int_equal(cli_time(&cli, "thu 18:00", NOW_MS), 1795716000000 - 60 * minute_ms);
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const wrong[] = { "",          "thursday", "thu",       "thu 18",
                                         "thu 24:00", "thu 1:60", "thu 18:0x", "+",
                                         "+soon",     "18:00",    "2026-13-01" };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (cli_time(&cli, wrong[i], NOW_MS) != -1)
            fail_msg("%s", wrong[i]);
    }
}

static void durations_are_short(void **state)
{
    (void)state;
    assert_string_equal(say_duration(&cli, 11), "11 ms");
    assert_string_equal(say_duration(&cli, 2400), "2.4 s");
    assert_string_equal(say_duration(&cli, 252000), "4 min 12 s");
    assert_string_equal(say_duration(&cli, 48 * 60000), "48 min");
    assert_string_equal(say_duration(&cli, 83 * 60000), "1 h 23 min");
    assert_string_equal(say_duration(&cli, -5), "0 ms");
}

static void glyphs_have_plain_twins(void **state)
{
    (void)state;
    assert_string_equal(say_glyph(&cli, "PASS"), "✓");
    cli.ascii = true;
    assert_string_equal(say_glyph(&cli, "PASS"), "+");
    assert_string_equal(say_glyph(&cli, "ROLLED_BACK"), "<");
}

static const char *read_page(void)
{
    char *const page = arena_alloc(&cli.arena, PAGE_MAX);
    FILE *const file = fopen("deploy/man/slipway.1", "rb");

    assert_non_null(file);
    page[fread(page, 1, PAGE_MAX - 1, file)] = '\0';
    (void)fclose(file);
    return page;
}

/* The place of a line of the page, after `from`; NULL without one. */
static const char *line_after(const char *from, const char *line)
{
    const char *place = from;
    const size_t length = strlen(line);

    while (place != NULL && (place = strstr(place, line)) != NULL) {
        if ((place == from || place[-1] == '\n') && place[length] == '\n')
            return place;
        place++;
    }
    return NULL;
}

/* troff: "\\-" is "-" and "\\(aq" is "'". */
static const char *bold(const char *text)
{
    struct text troff = text_new(1024);
    const char *copy;

    text_add(&troff, "\\fB");
    for (; *text != '\0'; text++) {
        if (*text == '-')
            text_add(&troff, "\\-");
        else
            text_add_char(&troff, *text);
    }
    text_add(&troff, "\\fR");
    copy = arena_text(&cli.arena, troff.bytes);
    text_release(&troff);
    return copy;
}

static void every_verb_and_flag_of_help_is_in_the_manual(void **state)
{
    const char *const page = read_page();
    size_t count = 0;
    size_t flag_count = 0;
    const struct verb *const verbs = verbs_all(&count);
    const struct verb_flag *const flags = verbs_flags(&flag_count);

    (void)state;
    assert_true(count > 30);
    for (size_t i = 0; i < count; i++) {
        const char *const verb = line_after(page, bold(verbs[i].usage));

        if (verb == NULL)
            fail_msg("slipway(1) does not know %s", verbs[i].usage);
        for (size_t k = 0; k < flag_count; k++) {
            const bool own = flags[k].verb != NULL && flags[k].verb[0] != '\0';

            if (own && verbs_flag_fits(&flags[k], &verbs[i]) &&
                line_after(verb, bold(flags[k].flag)) == NULL)
                fail_msg("slipway(1) does not know %s of %s", flags[k].flag, verbs[i].name);
        }
    }
    for (size_t k = 0; k < flag_count; k++) {
        if (line_after(page, bold(flags[k].flag)) == NULL)
            fail_msg("slipway(1) does not know %s", flags[k].flag);
    }
}

/* Whether a flag or verb of the page is one of the program. */
static bool is_known(const char *entry)
{
    size_t count = 0;
    size_t flag_count = 0;
    const struct verb *const verbs = verbs_all(&count);
    const struct verb_flag *const flags = verbs_flags(&flag_count);

    for (size_t i = 0; i < count; i++) {
        if (strncmp(entry, bold(verbs[i].usage), strlen(bold(verbs[i].usage))) == 0)
            return true;
    }
    for (size_t i = 0; i < flag_count; i++) {
        if (strncmp(entry, bold(flags[i].flag), strlen(bold(flags[i].flag))) == 0)
            return true;
    }
    return false;
}

static void the_manual_has_no_verb_or_flag_that_help_has_not(void **state)
{
    const char *const page = read_page();
    const char *const end = strstr(page, ".SH EXIT STATUS");

    (void)state;
    for (const char *entry = strstr(page, ".TP\n"); entry != NULL && entry < end;
         entry = strstr(entry + 1, ".TP\n")) {
        if (!is_known(entry + strlen(".TP\n")))
            fail_msg("help does not know %.60s", entry + strlen(".TP\n"));
    }
}

static void a_flag_of_a_verb_is_one_of_its_row(void **state)
{
    static const char *const good[] = { "x", "--reason", "--yes", "--role=a", NULL };
    static const char *const wrong[] = { "x", "--reasons", "why", NULL };
    static const char *const bare[] = { "x", "--reason", NULL };

    (void)state;
    cli.verb = "pause";
    cli.silent = true;
    give(good);
    assert_true(cli_flags_known(&cli)); /* "--yes" is the reason here. */
    assert_string_equal(cli_next(&cli), "x");
    assert_null(cli_next(&cli));
    give(wrong);
    assert_false(cli_flags_known(&cli));
    give(bare);
    assert_false(cli_flags_known(&cli));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_cli, close_cli)
    const struct CMUnitTest tests[] = {
        TEST(flags_may_stand_anywhere_and_a_leftover_is_an_error),
        TEST(times_are_said_as_people_do),
        TEST(what_is_no_time_is_refused),
        TEST(durations_are_short),
        TEST(glyphs_have_plain_twins),
        TEST(every_verb_and_flag_of_help_is_in_the_manual),
        TEST(the_manual_has_no_verb_or_flag_that_help_has_not),
        TEST(a_flag_of_a_verb_is_one_of_its_row),
    };

    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
