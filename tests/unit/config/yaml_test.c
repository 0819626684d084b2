#include "common/base/text.h"
#include "common/config/nearest.h"
#include "common/config/yaml.h"
#include "tests/support/test.h"

struct fixture {
    struct arena arena;
    struct yaml_problems problems;
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .arena = arena_with_limit(YAML_ARENA_SIZE) };
    fixture.problems.arena = &fixture.arena;
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *const fixture = *state;

    arena_release(&fixture->arena);
    return 0;
}

static struct yaml_node *parse(struct fixture *fixture, const char *text)
{
    return yaml_parse(&fixture->arena, "f.yaml", text, strlen(text), &fixture->problems);
}

/* All problems, printed with their source. */
static const char *printed(struct fixture *fixture, const char *source)
{
    struct text text = text_new(64 * 1024);
    const char *result;

    yaml_print_problems(&fixture->problems, source, &text);
    result = arena_text(&fixture->arena, text.bytes);
    text_release(&text);
    return result;
}

static void a_tree_knows_where_each_piece_stood(void **state)
{
    struct fixture *const fixture = *state;
    const struct yaml_node *const root =
        parse(fixture, "feature: pay\nrollout:\n  - name: one\n    percent: '5'\n");
    const struct yaml_node *const percent =
        yaml_get(yaml_get(root, "rollout")->items[0], "percent");

    assert_int_equal(fixture->problems.errors, 0);
    assert_string_equal(percent->text, "5");
    assert_true(percent->quoted);
    assert_string_equal(percent->path, "rollout[0].percent");
    assert_int_equal(percent->line, 4);
    assert_int_equal(percent->column, 14);
    assert_string_equal(percent->file, "f.yaml");
}

static void a_scalar_stays_text(void **state)
{
    struct fixture *const fixture = *state;
    const struct yaml_node *const root = parse(fixture, "a: 1.10\nb: yes\nc: ~\nd:\n");

    assert_string_equal(yaml_text(yaml_get(root, "a")), "1.10");
    assert_string_equal(yaml_text(yaml_get(root, "b")), "yes");
    assert_string_equal(yaml_text(yaml_get(root, "c")), "~");
    assert_string_equal(yaml_text(yaml_get(root, "d")), "");
    assert_string_equal(yaml_text(yaml_get(root, "e")), "");
}

struct refusal {
    const char *text;
    const char *says;
};

static void what_yaml_knows_but_no_file_of_ours_needs_is_refused_at_its_place(void **state)
{
    /* clang-format off */
    static const struct refusal refusals[] = {
        { "a: &x 1\nb: *x\n",     "f.yaml:1:4: error: anchors and aliases are not permitted" },
        { "a: 1\nb: *x\n",        "f.yaml:2:4: error: anchors and aliases are not permitted" },
        { "*x : 1\n",             "f.yaml:1:1: error: anchors and aliases are not permitted" },
        { "a: !!int 1\n",         "f.yaml:1:4: error: tags are not permitted" },
        { "a: 1\nb: 2\na: 3\n",   "f.yaml:3:1: error: a stands here twice, first in line 1" },
        { "a: 1\n---\nb: 2\n",    "f.yaml:2:1: error: a second document begins" },
        { "[a, b]: 1\n",          "f.yaml:1:1: error: a key must be plain text" },
        { "",                     "f.yaml: error: the file is empty" },
        { "# nothing\n",          "f.yaml: error: the file is empty" },
        { "a: \"x\\0y\"\n",       "f.yaml:1:4: error: text with a NUL character" },
        { "a: 1\nb: \xff\xfe\n",  "f.yaml:2:4: error: invalid leading UTF-8 octet" },
        { "a: \x01\n",            "f.yaml:1:4: error: control characters are not allowed" },
        { "a: [1, 2\nb: 3\n",     "f.yaml:2:2: error: while parsing a flow sequence" },
        { "a: 'never ends\n",     "f.yaml:2:1: error: while scanning a quoted scalar" },
        { "a:\n\t- b\n",          "f.yaml:2:1: error: while scanning for the next token" },
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct fixture *const fixture = *state;

        fixture->problems = (struct yaml_problems){ .arena = &fixture->arena };
        assert_null(parse(fixture, refusals[i].text));
        assert_int_equal(fixture->problems.errors, 1);
        if (strstr(printed(fixture, NULL), refusals[i].says) == NULL)
            fail_msg("%s\nsaid instead of\n%s", printed(fixture, NULL), refusals[i].says);
    }
}

static void a_nul_byte_is_refused(void **state)
{
    struct fixture *const fixture = *state;

    assert_null(
        yaml_parse(&fixture->arena, "f.yaml", "a: 1\0\nb: 2\n", 11, &fixture->problems));
    assert_int_equal(fixture->problems.item[0].line, 1);
}

/* piece count times; an @ in it is the number of the repetition. */
static const char *repeated(struct fixture *fixture, const char *piece, size_t count)
{
    struct text text = text_new(1024 * 1024);
    const char *result;

    for (size_t i = 0; i < count; i++)
        for (const char *c = piece; *c != '\0'; c++)
            if (*c == '@')
                text_add(&text, "%zu", i);
            else
                text_add_char(&text, *c);
    result = arena_text(&fixture->arena, text.bytes);
    text_release(&text);
    return result;
}

static void limits_are_kept(void **state)
{
    struct fixture *const fixture = *state;

    assert_null(parse(fixture, repeated(fixture, "[", 33)));
    assert_non_null(
        strstr(printed(fixture, NULL), "f.yaml:1:33: error: nested deeper than 32"));
    assert_null(parse(fixture, repeated(fixture, "- x\n", 20001)));
    assert_non_null(strstr(printed(fixture, NULL), "more than 20000 values in one file"));
    assert_null(parse(fixture, repeated(fixture, "k@: x\n", 1001)));
    assert_non_null(
        strstr(printed(fixture, NULL), "f.yaml:1001:1: error: more than 1000 keys"));
    assert_null(parse(fixture, repeated(fixture, "# 456789\n", 30000)));
    assert_non_null(strstr(printed(fixture, NULL), "f.yaml: error: larger than 256 KiB"));
}

static void the_largest_tree_fits_the_promised_arena(void **state)
{
    struct fixture *const fixture = *state;

    assert_non_null(parse(fixture, repeated(fixture, "- {a: ''}\n", 6600)));
    assert_int_equal(fixture->problems.errors, 0);
}

static void an_unread_key_is_reported_with_the_nearest_known_name(void **state)
{
    struct fixture *const fixture = *state;
    const char *const source = "target: x\nspots:\n  - persent: 5\n    zebra: 1\n";
    const struct yaml_node *const root = parse(fixture, source);

    (void)yaml_get(root, "target");
    (void)yaml_get(yaml_get(root, "spots")->items[0], "percent");
    yaml_complain_unused(&fixture->problems, root);
    assert_string_equal(printed(fixture, source),
                        "f.yaml:3:5: error: spots[0].persent is not known here\n"
                        "    3 |   - persent: 5\n"
                        "      |     ^ did you mean percent?\n"
                        "f.yaml:4:5: error: spots[0].zebra is not known here\n"
                        "    4 |     zebra: 1\n"
                        "      |     ^\n");
}

static void what_another_reads_later_is_not_reported(void **state)
{
    struct fixture *const fixture = *state;
    const struct yaml_node *const root = parse(fixture, "probe: {url: x, colour: y}\n");
    struct yaml_node *const probe = yaml_defer(yaml_get(root, "probe"));

    yaml_complain_unused(&fixture->problems, root);
    assert_int_equal(fixture->problems.errors, 0);
    (void)yaml_get(probe, "url");
    yaml_complain_unused(&fixture->problems, probe);
    assert_int_equal(fixture->problems.errors, 1);
}

static void problems_print_as_a_compiler_prints_them(void **state)
{
    struct fixture *const fixture = *state;
    const char *const source = "a:\n  - b: 5\n\tc\n";
    struct yaml_node node = {
        .file = "feature.yaml", .line = 2, .column = 8, .path = "a[0].b"
    };

    (void)yaml_complain(&fixture->problems,
                        &node,
                        "more than 10, at most 100",
                        "rollout[2].percent is 5, below stage 2 (%d)",
                        10);
    (void)yaml_complain(
        &fixture->problems, &node, "one of: revert, keep", "on_rollback is missing");
    yaml_warn(&fixture->problems, &node, "", "criteria[1] has no no_data");
    assert_string_equal(printed(fixture, source),
                        "feature.yaml:2:8: error: rollout[2].percent is 5, below stage 2 (10)\n"
                        "    2 |   - b: 5\n"
                        "      |        ^ expected: more than 10, at most 100\n"
                        "feature.yaml:2:8: error: on_rollback is missing\n"
                        "    2 |   - b: 5\n"
                        "      |        ^ expected one of: revert, keep\n"
                        "feature.yaml:2:8: warning: criteria[1] has no no_data\n");
}

static void a_terminal_is_never_handed_control_characters_of_a_file(void **state)
{
    struct fixture *const fixture = *state;
    const struct yaml_node node = { .file = "f", .line = 1, .column = 2, .path = "" };

    (void)yaml_complain(&fixture->problems, &node, "", "bad");
    assert_string_equal(printed(fixture, "\x1b[31mred\r\n"),
                        "f:1:2: error: bad\n    1 |  [31mred\n      |  ^\n");
}

static void further_problems_are_counted(void **state)
{
    struct fixture *const fixture = *state;

    for (int i = 0; i < YAML_PROBLEMS_MAX + 7; i++)
        (void)yaml_complain_file(&fixture->problems, "f", "bad");
    assert_int_equal(fixture->problems.count, YAML_PROBLEMS_MAX);
    assert_int_equal(fixture->problems.errors, YAML_PROBLEMS_MAX + 7);
    assert_non_null(strstr(printed(fixture, NULL), "... and 7 more\n"));
}

static void the_nearest_name_is_a_slip_of_the_pen_away(void **state)
{
    static const char *const names[] = { "percent", "audience", "min_time" };

    (void)state;
    assert_string_equal(nearest_name("pecrent", names, 3), "percent");
    assert_string_equal(nearest_name("audiense", names, 3), "audience");
    assert_string_equal(nearest_name("mintime", names, 3), "min_time");
    assert_null(nearest_name("zebra", names, 3));
    assert_null(nearest_name("", names, 3));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_tree_knows_where_each_piece_stood),
        T(a_scalar_stays_text),
        T(what_yaml_knows_but_no_file_of_ours_needs_is_refused_at_its_place),
        T(a_nul_byte_is_refused),
        T(limits_are_kept),
        T(the_largest_tree_fits_the_promised_arena),
        T(an_unread_key_is_reported_with_the_nearest_known_name),
        T(what_another_reads_later_is_not_reported),
        T(problems_print_as_a_compiler_prints_them),
        T(a_terminal_is_never_handed_control_characters_of_a_file),
        T(further_problems_are_counted),
        T(the_nearest_name_is_a_slip_of_the_pen_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
