/* The command line's own parts: arguments, times, and its manual. */
#include "services/cli/manual.h"

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

/* troff as a reader sees it. */
static const char *plain(const char *troff)
{
    struct text text = text_new(PAGE_MAX);
    const char *copy;

    for (; *troff != '\0'; troff++) {
        if (strncmp(troff, "\\fB", 3) == 0 || strncmp(troff, "\\fR", 3) == 0) {
            troff += 2;
        } else if (strncmp(troff, "\\(aq", 4) == 0 || strncmp(troff, "\\(ti", 4) == 0) {
            text_add_char(&text, troff[2] == 'a' ? '\'' : '~');
            troff += 3;
        } else if (troff[0] != '\\') {
            text_add_char(&text, *troff);
        }
    }
    copy = arena_text(&cli.arena, text.bytes);
    text_release(&text);
    return copy;
}

static const char *page_of_verb(const struct verb *verb)
{
    struct text text = text_new(PAGE_MAX);
    const char *page;

    if (verb == NULL)
        manual_write(&text);
    else
        manual_write_verb(&text, verb);
    assert_true(text_ok(&text));
    page = plain(text.bytes);
    text_release(&text);
    return page;
}

static void every_verb_has_a_page_with_its_flags_examples_and_exits(void **state)
{
    static const char *const sections[] = { ".SH NAME\n",
                                            ".SH SYNOPSIS\n",
                                            ".SH DESCRIPTION\n",
                                            ".SH EXAMPLES\n",
                                            ".SH EXIT STATUS\n" };
    size_t count = 0;
    size_t flag_count = 0;
    const struct verb *const verbs = verbs_all(&count);
    const struct verb_flag *const flags = verbs_flags(&flag_count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *const page = page_of_verb(&verbs[i]);
        int fitting = 0;

        for (size_t k = 0; k < sizeof sections / sizeof sections[0]; k++)
            assert_non_null(strstr(page, sections[k]));
        assert_non_null(strstr(page, verbs[i].usage));
        assert_non_null(strstr(page, "\n0\ndone"));
        for (size_t k = 0; k < flag_count; k++) {
            if (!verbs_flag_fits(&flags[k], &verbs[i]))
                continue;
            assert_non_null(strstr(page, arena_printf(&cli.arena, ".TP\n%s\n", flags[k].flag)));
            fitting++;
        }
        for (const char *flag = page; (flag = strstr(flag, ".TP\n--")) != NULL; flag++)
            fitting--;
        assert_int_equal(fitting, 0);
    }
}

static void the_first_page_names_every_verb_and_what_all_have(void **state)
{
    const char *const page = page_of_verb(NULL);
    size_t count = 0;
    const struct verb *const verbs = verbs_all(&count);
    size_t flag_count = 0;
    const struct verb_flag *const flags = verbs_flags(&flag_count);

    (void)state;
    assert_true(count > 30);
    for (size_t i = 0; i < count; i++)
        assert_non_null(strstr(page, arena_printf(&cli.arena, ".TP\n%s\n", verbs[i].usage)));
    for (size_t k = 0; k < flag_count; k++) {
        if (verbs_flag_fits(&flags[k], NULL))
            assert_non_null(strstr(page, arena_printf(&cli.arena, ".TP\n%s\n", flags[k].flag)));
    }
}

/* The words of an example up to where the shell takes over. */
static void give_example(const char *example)
{
    char *const copy = arena_copy(&cli.arena, example, strcspn(example, ">|"));
    char *word = copy;

    cli.argument_count = 0;
    while (*word != '\0') {
        const size_t length = strcspn(word, " ");
        const bool quoted = word[strcspn(word, "\"' ")] != ' ' &&
                            strpbrk(word, "\"'") != NULL && strcspn(word, "\"'") < length;
        const char *const end =
            quoted ? strpbrk(strpbrk(word, "\"'") + 1, "\"'") + 1 : word + length;

        cli.arguments[cli.argument_count++] =
            arena_copy(&cli.arena, word, (size_t)(end - word));
        word += end - word;
        word += strspn(word, " ");
    }
}

static void every_example_is_a_command_that_there_is(void **state)
{
    size_t count = 0;
    const struct verb *const verbs = verbs_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct page *const page = page_of(verbs[i].name);

        assert_non_null(page);
        assert_non_null(page->examples[0]);
        /* A word of its own can be completed, and no example has got into its place. */
        assert_null(strstr(verbs[i].words, "slipway"));
        for (size_t k = 0; page->examples[k] != NULL; k++) {
            const char *const own = strstr(page->examples[k], "| slipway ");

            give_example(own != NULL ? own + 2 : page->examples[k]);
            assert_string_equal(cli.arguments[0], "slipway");
            assert_string_equal(cli.arguments[1], verbs[i].name);
            cli.verb = verbs[i].name;
            cli.silent = true;
            if (!cli_flags_known(&cli))
                fail_msg("%s", page->examples[k]);
        }
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
        TEST(every_verb_has_a_page_with_its_flags_examples_and_exits),
        TEST(the_first_page_names_every_verb_and_what_all_have),
        TEST(every_example_is_a_command_that_there_is),
        TEST(a_flag_of_a_verb_is_one_of_its_row),
    };

    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
