#include "common/config/feature.h"
#include "tests/support/test.h"
#include "tests/unit/planning/example.h"

static void the_example_compiles(void **state)
{
    struct example *const example = *state;
    const Pb__PlanCompiled *const compiled = example_compile(example);
    const Pb__Plan *const plan = compiled->plan;

    for (size_t i = 0; i < compiled->n_missing; i++)
        print_message("%s: %s\n", compiled->missing[i]->input, compiled->missing[i]->remedy);
    assert_non_null(plan);
    assert_int_equal(plan->n_changes, 3);
    assert_int_equal(plan->changes[0]->kind, PB__ARTIFACT_KIND__MIGRATION);
    assert_int_equal(plan->changes[2]->n_batches, 2);
    assert_int_equal(plan->changes[2]->batches[0]->n_instances, 1);
    assert_int_equal(plan->changes[2]->batches[1]->n_instances, 3);
    assert_int_equal(plan->n_steps, 7);
    assert_int_equal(plan->n_stages, 4);
    assert_int_equal(strlen(compiled->plan_hash), 64);
}

static void the_same_inputs_give_the_same_hash(void **state)
{
    struct example *const example = *state;
    const Pb__PlanCompiled *const once = example_compile(example);
    const Pb__PlanCompiled *const again = example_compile(example);

    assert_string_equal(once->plan_hash, again->plan_hash);
    example->acceptance->title = "another";
    assert_string_not_equal(example_compile(example)->plan_hash, once->plan_hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_example_compiles, example_setup, example_teardown),
        cmocka_unit_test_setup_teardown(
            the_same_inputs_give_the_same_hash, example_setup, example_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
