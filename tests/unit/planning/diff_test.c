#include "common/base/text.h"
#include "tests/support/test.h"
#include "tests/unit/planning/example.h"

/* The differences as the command line prints them, one a line. */
static const char *differences(struct example *example,
                               const Pb__Plan *was,
                               const Pb__Plan *now)
{
    struct text text = text_new(64 * 1024);
    struct plan_difference *list;
    const size_t count = plan_diff(&example->arena, was, now, &list);
    const char *result;

    for (size_t i = 0; i < count; i++)
        text_add(
            &text, "%c %s: %s -> %s\n", list[i].op, list[i].path, list[i].was, list[i].now);
    result = arena_text(&example->arena, text.bytes);
    text_release(&text);
    return result;
}

static void equal_plans_do_not_differ(void **state)
{
    struct example *const example = *state;

    assert_string_equal(
        differences(example, example_compile(example)->plan, example_compile(example)->plan),
        "");
}

static void a_changed_field_is_named_by_its_path(void **state)
{
    struct example *const example = *state;
    const Pb__Plan *const was = example_compile(example)->plan;

    example->acceptance = pb_clone(&example->arena, example->acceptance);
    example->acceptance->artifacts[2]->version = "1.2";
    example->acceptance->rollout[0]->min_samples = 200;
    assert_string_equal(differences(example, was, example_compile(example)->plan),
                        "~ changes[2].version: 1.1 -> 1.2\n"
                        "~ stages[0].min_samples: 0 -> 200\n");
}

static void one_more_in_front_does_not_make_all_others_differ(void **state)
{
    struct example *const example = *state;
    const Pb__Plan *const was = example_compile(example)->plan;
    Pb__Artifact *artifact;
    const char *told;

    example->acceptance = pb_clone(&example->arena, example->acceptance);
    artifact = pb_clone(&example->arena, example->acceptance->artifacts[0]);
    artifact->kind = PB__ARTIFACT_KIND__INFRASTRUCTURE;
    artifact->name = "queue";
    PB_APPEND(&example->arena, example->acceptance, artifacts, artifact);
    told = differences(example, was, example_compile(example)->plan);
    assert_non_null(strstr(told, "+ changes[0]:  -> kind INFRASTRUCTURE, target shop-db"));
    assert_null(strstr(told, "changes[1]"));
    assert_null(strstr(told, "changes[3]"));
}

static void what_is_gone_counts_as_the_old_plan_did(void **state)
{
    struct example *const example = *state;
    const Pb__Plan *const was = example_compile(example)->plan;
    const char *told;

    example->acceptance = pb_clone(&example->arena, example->acceptance);
    PB_REMOVE(example->acceptance, rollout, 1);
    PB_REMOVE(example->acceptance, risks, 0);
    told = differences(example, was, example_compile(example)->plan);
    assert_string_equal(
        told,
        "- stages[1]: index 1, name beta, percent 10, min_ms 300, max_ms 600000 -> \n"
        "- risks[0]: payment provider limits -> \n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, example_setup, example_teardown)
    const struct CMUnitTest tests[] = {
        T(equal_plans_do_not_differ),
        T(a_changed_field_is_named_by_its_path),
        T(one_more_in_front_does_not_make_all_others_differ),
        T(what_is_gone_counts_as_the_old_plan_did),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
