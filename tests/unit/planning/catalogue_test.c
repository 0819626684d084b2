#include "common/planning/catalogue.h"

#include "tests/support/test.h"

static void no_id_stands_twice_in_a_step(void **state)
{
    const struct check_row *rows;
    size_t count;

    (void)state;
    rows = catalogue(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert_false(rows[i].step == rows[k].step && strcmp(rows[i].id, rows[k].id) == 0);
}

static void an_id_of_several_steps_is_found_in_each(void **state)
{
    (void)state;
    assert_int_equal(catalogue_find("integration.data_flow", 3)->step, 3);
    assert_int_equal(catalogue_find("integration.data_flow", 5)->step, 5);
    assert_int_equal(catalogue_find("monitoring.metrics", 5)->step, 5);
    assert_string_equal(catalogue_find("monitoring.active", 6)->worker, "coordinator");
    assert_int_equal(catalogue_find("monitoring.metrics", 0)->step, 3);
    assert_null(catalogue_find("smoke.api", 5));
    assert_null(catalogue_find("smoke", 3));
    assert_null(catalogue_find("", 0));
}

static void a_planned_name_leads_to_its_row(void **state)
{
    (void)state;
    assert_string_equal(catalogue_find("smoke.api.shop-order", 3)->id, "smoke.api");
    assert_string_equal(catalogue_find("bake.error_rate", 2)->id, "bake");
    assert_string_equal(catalogue_find("apply.0.1", 2)->id, "apply");
    assert_null(catalogue_find("applyx", 2));
}

static void what_must_never_be_waived_is_not(void **state)
{
    static const char *const never[] = {
        "acceptance.digest",       "artifact.code",
        "artifact.configuration",  "artifact.migrations",
        "artifact.infrastructure", "apply",
        "flag.read_back",          "flag.off",
        "verify.flags_off",        "monitoring.no_open_critical",
        "signoff.devops",          "signoff.technical",
        "signoff.operations",
    };

    (void)state;
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        assert_false(catalogue_find(never[i], 0)->waivable);
    assert_true(catalogue_find("jira.status", 7)->waivable);
    assert_true(catalogue_find("notify.rollout", 7)->waivable);
}

static void every_row_says_what_to_do(void **state)
{
    const struct check_row *rows;
    size_t count;

    (void)state;
    rows = catalogue(&count);
    assert_in_range(count, 100, 120);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].step <= 7);
        assert_true(strlen(rows[i].asks) > 0 && strlen(rows[i].remedy) > 0);
    }
    assert_string_equal(catalogue_nearest("smoke.apii"), "smoke.api");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_id_stands_twice_in_a_step),
        cmocka_unit_test(an_id_of_several_steps_is_found_in_each),
        cmocka_unit_test(a_planned_name_leads_to_its_row),
        cmocka_unit_test(what_must_never_be_waived_is_not),
        cmocka_unit_test(every_row_says_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
