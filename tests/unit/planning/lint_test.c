#include "common/planning/lint.h"

#include "common/base/text.h"
#include "tests/support/edited.h"
#include "tests/support/test.h"
#include "tests/unit/planning/example.h"

/* What `slipway lint` prints for feature.yaml with one thing changed. */
static const char *printed(struct example *example, const char *was, const char *now)
{
    const char *const source = example_feature(&example->arena, was, now);
    const struct lint_request request = { .name = "feature.yaml",
                                          .bytes = source,
                                          .length = strlen(source),
                                          .settings = example->settings };
    struct text text = text_new(64 * 1024);
    const char *result;

    example->problems = (struct yaml_problems){ .arena = &example->arena };
    (void)lint_feature(&example->arena, &request, &example->problems);
    yaml_print_problems(&example->problems, source, &text);
    lint_summary(&example->problems, "feature.yaml", &text);
    result = arena_text(&example->arena, text.bytes);
    text_release(&text);
    return result;
}

static void the_example_has_nothing_to_say(void **state)
{
    assert_string_equal(printed(*state, "", ""), "");
}

static void a_problem_of_the_file_reads_as_documented(void **state)
{
    assert_string_equal(
        printed(*state, "percent: 50,", "percent: 5,"),
        "feature.yaml:30:30: error: rollout[2].percent is 5, below stage 2 (10)\n"
        "   30 |   - {name: gradual, percent: 5, min_time: 300ms}\n"
        "      |                              ^ expected: more than 10, at most 100\n"
        "1 error, 0 warnings; reference: man 5 feature.yaml\n");
}

static void a_problem_with_the_policy_has_its_place_in_the_file(void **state)
{
    assert_string_equal(
        printed(*state, "checks: [] ", "checks: [{check: smoke.api, probe: shop-oder}] "),
        "feature.yaml:50:10: error: check smoke.api: probe shop-oder is not configured; did "
        "you "
        "mean shop-order?\n"
        "   50 | checks: [{check: smoke.api, probe: shop-oder}]                   # bindings "
        "beside "
        "the policy's: {check: smoke.api, probe: shop-order}\n"
        "      |          ^\n"
        "1 error, 0 warnings; reference: man 5 feature.yaml\n");
}

static void an_input_that_may_follow_is_a_warning(void **state)
{
    struct example *const example = *state;
    const char *const told =
        printed(example, "artifacts_ready: true", "artifacts_ready: false");

    assert_string_equal(told,
                        "feature.yaml:17:18: warning: artifacts_ready is missing: prepare "
                        "deployment artifacts: nobody has said that they are ready\n"
                        "0 errors, 1 warning; reference: man 5 feature.yaml\n");
    assert_int_equal(example->problems.errors, 0);
}

static void what_is_not_built_yet_is_a_warning(void **state)
{
    struct example *const example = *state;
    const char *const source =
        edited_file(&example->arena, "deploy/example/feature.yaml", "", "");
    struct lint_request request = { .name = "feature.yaml",
                                    .bytes = source,
                                    .length = strlen(source),
                                    .base_folder = "deploy/example",
                                    .settings = example->settings };
    struct lint_result result = lint_feature(&example->arena, &request, &example->problems);

    assert_int_equal(example->problems.errors, 0);
    assert_int_equal(example->problems.warnings, 3);
    assert_non_null(
        strstr(example->problems.item[0].message,
               "artifacts[0].digest is auto: deploy/example/artifacts/migrations/0002.sql"));
    assert_non_null(result.compiled->plan);
    request.base_folder = NULL;
    request.settings = NULL;
    result = lint_feature(&example->arena, &request, &example->problems);
    assert_null(result.acceptance);
}

static void without_settings_only_the_file_is_judged(void **state)
{
    struct example *const example = *state;

    example->settings = NULL;
    assert_string_equal(printed(example, "environment: production", "environment: moon"), "");
}

static void a_metric_without_a_rule_for_no_data_is_worth_a_word(void **state)
{
    assert_non_null(
        strstr(printed(*state,
                       "metrics: []",
                       "metrics: [{name: p95, source: shop-metrics, query: q, at_most: 1}]"),
               "warning: metrics[0] has no no_data: without data the deployment holds"));
}

static void the_policies_of_the_example_bind_checks_that_there_are(void **state)
{
    struct example *const example = *state;

    lint_settings(example->settings, &example->problems);
    assert_int_equal(example->problems.errors + example->problems.warnings, 0);
}

static void a_policy_that_binds_another_check_is_told_where(void **state)
{
    struct example *const example = *state;

    example_settings(example, "check: smoke.api,", "check: smoke.apii,");
    lint_settings(example->settings, &example->problems);
    assert_int_equal(example->problems.errors, 1);
    assert_string_equal(
        example->problems.item[0].message,
        "policies[0].checks[9].check is smoke.apii, but there is no such check");
    assert_string_equal(example->problems.item[0].expected, "did you mean smoke.api?");
    example->problems.count = example->problems.errors = 0;
    example_settings(example, "purpose: notify.rollout,", "purpose: notify.rollot,");
    lint_settings(example->settings, &example->problems);
    assert_int_equal(example->problems.warnings, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, example_setup, example_teardown)
    const struct CMUnitTest tests[] = {
        T(the_example_has_nothing_to_say),
        T(a_problem_of_the_file_reads_as_documented),
        T(a_problem_with_the_policy_has_its_place_in_the_file),
        T(an_input_that_may_follow_is_a_warning),
        T(what_is_not_built_yet_is_a_warning),
        T(without_settings_only_the_file_is_judged),
        T(a_metric_without_a_rule_for_no_data_is_worth_a_word),
        T(the_policies_of_the_example_bind_checks_that_there_are),
        T(a_policy_that_binds_another_check_is_told_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
