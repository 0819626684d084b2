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

static const char *document_of(struct example *example, struct text *text)
{
    const Pb__PlanCompiled *const compiled = example_compile(example);

    if (compiled->plan == NULL)
        fail_msg("%s", compiled->missing[0]->remedy);
    plan_markdown(compiled->plan, compiled->plan_hash, text);
    return text->bytes;
}

static void a_window_that_opens_once_says_when(void **state)
{
    struct example *const example = *state;
    struct text text = text_new(256 * 1024);

    example_settings(
        example,
        "{name: always, days: [mon, tue, wed, thu, fri, sat, sun], from: \"00:00\", to: "
        "\"24:00\", zone: UTC}",
        "{name: always, opens: \"2026-11-23T20:00:00Z\", closes: \"2026-11-23T22:30:00Z\"}");
    assert_non_null(strstr(document_of(example, &text),
                           "- always: once, 2026-11-23T20:00Z to 2026-11-23T22:30Z\n"));
    text_release(&text);
}

static void what_may_change_unseen_is_named(void **state)
{
    struct example *const example = *state;
    struct text text = text_new(256 * 1024);
    const char *const document = document_of(example, &text);

    assert_non_null(strstr(document, "express-pay/deploy (sha256:00000000)\n"));
    assert_non_null(
        strstr(document, "express-pay/rollback (no digest: a later change is not seen)\n"));
    text_release(&text);
}

static void who_is_told_and_how_long_people_have_stands_there(void **state)
{
    struct example *const example = *state;
    struct text text = text_new(256 * 1024);
    const char *const document = document_of(example, &text);

    assert_non_null(strstr(document, "- page by hook (best effort)\n"));
    assert_non_null(strstr(document, "Missing inputs are waited for 1 d, a review 4 h"));
    assert_non_null(strstr(document, "| monitoring.available |"));
    text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_example_reads_as_the_golden_document, example_setup, example_teardown),
        cmocka_unit_test_setup_teardown(
            text_of_others_is_no_markup, example_setup, example_teardown),
        cmocka_unit_test_setup_teardown(
            a_window_that_opens_once_says_when, example_setup, example_teardown),
        cmocka_unit_test_setup_teardown(
            what_may_change_unseen_is_named, example_setup, example_teardown),
        cmocka_unit_test_setup_teardown(
            who_is_told_and_how_long_people_have_stands_there, example_setup, example_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
