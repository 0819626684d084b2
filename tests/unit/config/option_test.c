#include "common/base/text.h"
#include "common/config/option.h"
#include "tests/support/test.h"

struct sample {
    const char *name;
    uint32_t count;
    bool on;
    int64_t wait_ms;
    uint32_t percent;
    int64_t limit_micro;
    struct option_texts words;
    const char *secret_file;
};

/* clang-format off */
static const struct option table[] = {
    TEXT_OPTION(struct sample, name, "name", NULL, "what it is called"),
    COUNT_OPTION(struct sample, count, "count", "3", "how many"),
    BOOL_OPTION(struct sample, on, "on", "true", "is it on"),
    DURATION_OPTION(struct sample, wait_ms, "wait", "5s", "how long"),
    PERCENT_OPTION(struct sample, percent, "percent", "10", "how much"),
    MICRO_OPTION(struct sample, limit_micro, "limit", "0.01", "how far"),
    LIST_OPTION(struct sample, words, "words", "", "which"),
    SECRET_OPTION(struct sample, secret_file, "secret_file", "", "what opens it"),
    OPTIONS_END,
};
/* clang-format on */

struct fixture {
    struct arena arena;
    struct yaml_problems problems;
    struct sample sample;
};

static enum err read(struct fixture *fixture, const char *text)
{
    const struct yaml_node *root;

    fixture->problems = (struct yaml_problems){ .arena = &fixture->arena };
    fixture->sample = (struct sample){ 0 };
    root = yaml_parse(&fixture->arena, "f", text, strlen(text), &fixture->problems);
    return options_read(table, root, &fixture->sample, &fixture->problems);
}

static int setup(void **state)
{
    static struct fixture fixture;

    fixture.arena = arena_with_limit(YAML_ARENA_SIZE);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *const fixture = *state;

    arena_release(&fixture->arena);
    return 0;
}

static void what_is_not_written_is_its_default(void **state)
{
    struct fixture *const fixture = *state;

    assert_int_equal(read(fixture, "name: x\n"), ERR_OK);
    assert_string_equal(fixture->sample.name, "x");
    assert_int_equal(fixture->sample.count, 3);
    assert_true(fixture->sample.on);
    assert_int_equal(fixture->sample.wait_ms, 5000);
    assert_int_equal(fixture->sample.limit_micro, 10000);
    assert_int_equal(fixture->sample.words.count, 0);
    assert_string_equal(fixture->sample.secret_file, "");
}

static void every_type_is_read(void **state)
{
    struct fixture *const fixture = *state;

    assert_int_equal(read(fixture,
                          "name: x\ncount: 7\non: false\nwait: 250ms\npercent: 50%\n"
                          "limit: 1.5 %\nwords: [a, b]\nsecret_file: s\n"),
                     ERR_OK);
    assert_int_equal(fixture->sample.count, 7);
    assert_false(fixture->sample.on);
    assert_int_equal(fixture->sample.wait_ms, 250);
    assert_int_equal(fixture->sample.percent, 50);
    assert_int_equal(fixture->sample.limit_micro, 15000);
    assert_int_equal(fixture->sample.words.count, 2);
    assert_string_equal(fixture->sample.words.items[1], "b");
    assert_int_equal(read(fixture, "name: x\nwords: one\n"), ERR_OK);
    assert_string_equal(fixture->sample.words.items[0], "one");
}

static void every_problem_is_told_at_once(void **state)
{
    struct fixture *const fixture = *state;

    assert_int_equal(read(fixture, "count: many\nwait: 5 weeks\npercent: 101\nwords: {a: b}\n"),
                     ERR_INVALID);
    assert_int_equal(fixture->problems.errors, 5);
    assert_string_equal(fixture->problems.item[0].message, "name is missing");
    assert_string_equal(fixture->problems.item[1].message, "count is many");
    assert_int_equal(fixture->problems.item[1].line, 1);
    assert_int_equal(fixture->problems.item[1].column, 8);
    assert_string_equal(fixture->problems.item[2].message, "wait is 5 weeks");
    assert_string_equal(fixture->problems.item[3].message, "percent is 101");
    assert_string_equal(fixture->problems.item[4].message, "words is a mapping");
    assert_int_equal(read(fixture, "name:\n"), ERR_INVALID);
    assert_string_equal(fixture->problems.item[0].message, "name is empty");
    assert_int_equal(read(fixture, "- a\n"), ERR_INVALID);
    assert_string_equal(fixture->problems.item[0].message, "the file must be a mapping");
}

static void durations_have_one_unit(void **state)
{
    /* clang-format off */
    static const struct { const char *text; int64_t ms; } good[] = {
        { "0", 0 }, { "250ms", 250 }, { "3s", 3000 }, { "10m", 600000 }, { "24h", 86400000 },
        { "7d", 604800000 }, { "5 s", 5000 },
    };
    /* clang-format on */
    static const char *const bad[] = { "",        "s",   "5",    "-5s", "5.5s",
                                       "5ss",     "5 S", "1h5m", " 5s", "99999999999999999999s",
                                       "9999999d" };
    int64_t ms = -1;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(option_duration_ms(good[i].text, &ms), ERR_OK);
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(option_duration_ms(bad[i], &ms), ERR_INVALID);
}

static void decimals_are_exact(void **state)
{
    /* clang-format off */
    static const struct { const char *text; int64_t micro; } good[] = {
        { "0.01", 10000 }, { "1", 1000000 }, { "-2.5", -2500000 }, { "0.000001", 1 },
        { "1 %", 10000 }, { "95%", 950000 }, { "0.1%", 1000 }, { "1.0000000", 1000000 },
        { "450", 450000000 },
    };
    /* clang-format on */
    static const char *const bad[] = { "",    ".5",  "1.",        "1e3",
                                       "0x1", "nan", "0.0000001", "0.00001%",
                                       "1,5", "+1",  "1 ms",      "9999999999999" };
    int64_t micro = -1;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(option_micro(good[i].text, &micro), ERR_OK);
        assert_int_equal(micro, good[i].micro);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (option_micro(bad[i], &micro) != ERR_INVALID)
            fail_msg("%s was read as a decimal", bad[i]);
}

static void the_reference_lists_every_option(void **state)
{
    struct text text = text_new(4096);

    (void)state;
    options_reference(table, &text);
    assert_non_null(
        strstr(text.bytes, ".TP\n\\fBname\\fR: text (required)\nwhat it is called\n"));
    assert_non_null(strstr(text.bytes, "\\fBwait\\fR: duration (\\fB5s\\fR)\nhow long\n"));
    text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_not_written_is_its_default, setup, teardown),
        cmocka_unit_test_setup_teardown(every_type_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(every_problem_is_told_at_once, setup, teardown),
        cmocka_unit_test(durations_have_one_unit),
        cmocka_unit_test(decimals_are_exact),
        cmocka_unit_test(the_reference_lists_every_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
