/* The pages of section 5 name every key that the readers know: a setting without a word about
 * it fails here. */
#include "common/config/feature.h"
#include "common/config/settings.h"
#include "tests/support/edited.h"
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

/* In bold, alone or in a row of several: \fBname\fR, \fBfrom, to\fR. */
static bool page_names(struct arena *arena, const char *page, const char *key)
{
    return strstr(page, arena_printf(arena, "\\fB%s\\fR", key)) != NULL ||
           strstr(page, arena_printf(arena, "\\fB%s, ", key)) != NULL ||
           strstr(page, arena_printf(arena, ", %s\\fR", key)) != NULL ||
           strstr(page, arena_printf(arena, ", %s, ", key)) != NULL;
}

/* How many keys that were asked of the tree the page says nothing of. */
static size_t count_unnamed(struct arena *arena, const char *page, const struct yaml_node *node)
{
    size_t unnamed = 0;

    for (size_t i = 0; node->kind == YAML_MAPPING && i < node->asked->count; i++)
        if (!page_names(arena, page, node->asked->names[i])) {
            print_error("%s.%s is not in the manual\n", node->path, node->asked->names[i]);
            unnamed++;
        }
    for (size_t i = 0; i < node->count; i++)
        unnamed += count_unnamed(arena, page, node->items[i]);
    return unnamed;
}

static void every_key_of_slipway_yaml_is_in_its_page(void **state)
{
    struct fixture *const fixture = *state;
    const char *const page = edited_file(&fixture->arena, "deploy/man/slipway.yaml.5", "", "");
    const struct settings *const settings =
        settings_load(&fixture->arena, "deploy/example/slipway.yaml", &fixture->problems);

    assert_non_null(settings);
    assert_int_equal(count_unnamed(&fixture->arena, page, settings->root), 0);
}

static void every_key_of_feature_yaml_is_in_its_page(void **state)
{
    struct fixture *const fixture = *state;
    const char *const page = edited_file(&fixture->arena, "deploy/man/feature.yaml.5", "", "");
    const char *const text =
        edited_file(&fixture->arena,
                    "deploy/example/feature.yaml",
                    "metrics: []",
                    "metrics: [{name: a, source: b, query: c, at_most: 1}]");
    const struct feature_file file = { .name = "feature.yaml",
                                       .bytes = text,
                                       .length = strlen(text) };
    const struct yaml_node *root;

    (void)feature_read_tree(&fixture->arena, &file, &fixture->problems, &root);
    assert_non_null(root);
    assert_int_equal(count_unnamed(&fixture->arena, page, root), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            every_key_of_slipway_yaml_is_in_its_page, setup, teardown),
        cmocka_unit_test_setup_teardown(
            every_key_of_feature_yaml_is_in_its_page, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
