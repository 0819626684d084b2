#include "common/base/text.h"
#include "tests/support/edited.h"
#include "tests/support/test.h"
#include "tests/unit/planning/example.h"

#include <stdio.h>
#include <stdlib.h>

/* Written anew with SLIPWAY_WRITE_GOLDEN=1; look at the difference before you commit it. */
static const char golden[] = "tests/unit/planning/example_plan.md";

/* The hash of the file changes with each of its bytes; what is compared here is the plan. */
static void the_example_reads_as_the_golden_document(void **state)
{
    struct example *const example = *state;
    const Pb__PlanCompiled *const compiled = example_compile(example);
    struct text text = text_new(256 * 1024);

    compiled->plan->config_hash = "00000000";
    plan_markdown(compiled->plan, plan_hash(&example->arena, compiled->plan), &text);
    assert_true(text_ok(&text));
    if (getenv("SLIPWAY_WRITE_GOLDEN") != NULL) {
        FILE *const file = fopen(golden, "wb");

        assert_non_null(file);
        (void)fwrite(text.bytes, 1, text.length, file);
        (void)fclose(file);
    }
    assert_string_equal(text.bytes, edited_file(&example->arena, golden, "", ""));
    text_release(&text);
}

static void text_of_others_is_no_markup(void **state)
{
    struct example *const example = *state;
    const Pb__PlanCompiled *compiled;
    struct text text = text_new(256 * 1024);

    example->acceptance->title = "a | b <script> [x](y)";
    compiled = example_compile(example);
    plan_markdown(compiled->plan, compiled->plan_hash, &text);
    assert_non_null(strstr(text.bytes, "a \\| b \\<script\\> \\[x\\](y)"));
    text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_example_reads_as_the_golden_document, example_setup, example_teardown),
        cmocka_unit_test_setup_teardown(
            text_of_others_is_no_markup, example_setup, example_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
