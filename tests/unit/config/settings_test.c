#include "common/base/text.h"
#include "common/config/settings.h"
#include "tests/support/test.h"

#include <stdio.h>

struct fixture {
    struct arena arena;
    struct yaml_problems problems;
    const struct settings *settings;
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

static void print_all(const struct fixture *fixture)
{
    struct text text = text_new(64 * 1024);

    yaml_print_problems(&fixture->problems, NULL, &text);
    print_message("%s", text.bytes);
    text_release(&text);
}

static void the_example_reads_without_a_problem(void **state)
{
    struct fixture *const fixture = *state;
    const struct settings *const settings =
        settings_load(&fixture->arena, "deploy/example/slipway.yaml", &fixture->problems);
    const struct setting_policy *policy;

    print_all(fixture);
    assert_int_equal(fixture->problems.errors + fixture->problems.warnings, 0);
    assert_non_null(settings);
    assert_string_equal(settings->kafka.brokers, "127.0.0.1:9092");
    assert_int_equal(settings->target_count, 3);
    assert_string_equal(settings_target(settings, "shop")->instances[1].name, "shop-2");
    assert_string_equal(settings_probe(settings, "shop-health")->target, "shop");
    policy = settings_policy(settings, "quick");
    assert_int_equal(policy->coverage_bp, 9500);
    assert_int_equal(policy->metrics[0]->limit_micro, 50000);
    assert_int_equal(policy->steps[4]->on_no_go, PB__ON_NO_GO__BLOCK);
    assert_int_equal(policy->steps[1]->max_age_ms, 600000);
    assert_string_equal(settings_path(settings, &fixture->arena, settings->security.keys),
                        "deploy/example/keys");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_example_reads_without_a_problem, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
