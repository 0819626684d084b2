#include "common/drivers/metric_sources/exposition.h"
#include "common/drivers/metric_sources/selector.h"
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>

struct seen {
    char text[1024];
    size_t length;
};

static enum err note(void *self, const struct exposition_sample *sample, struct error *error)
{
    struct seen *const seen = self;
    size_t room = sizeof seen->text - seen->length;

    (void)error;
    seen->length += (size_t)snprintf(seen->text + seen->length,
                                     room,
                                     "%s=%g@%lld",
                                     sample->name,
                                     sample->value,
                                     (long long)sample->at_ms);
    for (size_t i = 0; i < sample->label_count; i++) {
        room = sizeof seen->text - seen->length;
        seen->length += (size_t)snprintf(seen->text + seen->length,
                                         room,
                                         " %s:%s",
                                         sample->labels[i].name,
                                         sample->labels[i].value);
    }
    seen->length +=
        (size_t)snprintf(seen->text + seen->length, sizeof seen->text - seen->length, "|");
    return ERR_OK;
}

static enum err read_text(const char *text, bool openmetrics, struct seen *seen)
{
    const struct exposition_page page = { text, strlen(text), openmetrics };
    struct error error = { 0 };

    *seen = (struct seen){ 0 };
    return exposition_read(&page, note, seen, &error);
}

static void a_page_is_read_sample_by_sample(void **state)
{
    struct seen seen;

    (void)state;
    assert_int_equal(read_text("# HELP x says anything \\ at all\n"
                               "# TYPE x counter\n"
                               "\n"
                               "x 1\n"
                               "x{a=\"b\"} 2.5 1700000000000\n"
                               "x{ a = \"q\\\"\\\\\\n}\" , c=\"\", } -1e3\n"
                               "y:z +Inf\n",
                               false,
                               &seen),
                     ERR_OK);
    assert_string_equal(seen.text,
                        "x=1@0|x=2.5@1700000000000 a:b|x=-1000@0 a:q\"\\\n} c:|y:z=inf@0|");
}

static void openmetrics_has_seconds_exemplars_and_an_end(void **state)
{
    struct seen seen;

    (void)state;
    assert_int_equal(
        read_text("x_total{a=\"b\"} 3 1700000000.25 # {trace=\"1\"} 0.5\n# EOF\n", true, &seen),
        ERR_OK);
    assert_string_equal(seen.text, "x_total=3@1700000000250 a:b|");
    assert_int_equal(read_text("x 1\n", true, &seen), ERR_INVALID);
    assert_int_equal(read_text("# EOF\nx 1\n", true, &seen), ERR_INVALID);
}

static void a_page_that_breaks_the_format_anywhere_is_refused(void **state)
{
    static const char *const pages[] = {
        "<!DOCTYPE html>\n",
        "x 1",
        "x\n",
        "x one\n",
        "x 0x10\n",
        "x 1 2 3\n",
        "x{a=b} 1\n",
        "x{a=\"b\" 1\n",
        "x{a=\"b\"c=\"d\"} 1\n",
        "x{a=\"\\t\"} 1\n",
        "x{=\"b\"} 1\n",
        "x{a=\"b\",a=\"c\"} 1\n",
        "1x 1\n",
        "x 1 soon\n",
        "# TYPE x nonsense\n",
        "# TYPE 9 counter\n",
        "x 1 # {a=\"b\"} 1\n",
        "x{a:b=\"c\"} 1\n",
    };
    struct seen seen;

    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (read_text(pages[i], false, &seen) != ERR_INVALID)
            fail_msg("accepted: %s", pages[i]);
    }
}

static void a_line_without_end_does_not_overrun(void **state)
{
    static char page[EXPOSITION_LINE_MAX + 100];
    const struct exposition_page long_line = { page, sizeof page, false };
    struct error error = { 0 };
    struct seen seen = { 0 };

    (void)state;
    memset(page, 'x', sizeof page);
    page[sizeof page - 1] = '\n';
    assert_int_equal(exposition_read(&long_line, note, &seen, &error), ERR_INVALID);
    assert_string_equal(error.text, "line 1: it is longer than 16 KiB");
}

/* --- the query language --- */

struct shop {
    struct arena arena;
    struct selector_query query;
    struct metric_memory memory;
    struct error error;
};

static int open_shop(void **state)
{
    static struct shop shop;

    shop = (struct shop){ .arena = arena_with_limit(1 << 20) };
    *state = &shop;
    return 0;
}

static int close_shop(void **state)
{
    struct shop *const shop = *state;

    arena_release(&shop->arena);
    return 0;
}

/* Two instances' pages; NULL: no second one. memory as the shop's unless alone. */
static enum err ask(
    struct shop *shop, const char *query, const char *one, const char *two, double *ret)
{
    const char *const pages[] = { one, two };
    struct selector_sum sum = { .query = &shop->query, .memory = &shop->memory };
    enum err err = selector_parse(&shop->arena, query, &shop->query, &shop->error);

    for (size_t i = 0; i < 2 && pages[i] != NULL && err == ERR_OK; i++) {
        const struct exposition_page page = { pages[i], strlen(pages[i]), false };

        selector_sum_page(&sum, i == 0 ? "shop-1" : "shop-2");
        err = exposition_read(&page, selector_visit, &sum, &shop->error);
    }
    return err == ERR_OK ? selector_result(&sum, ret, &shop->error) : err;
}

static void a_selector_sums_matching_series_of_all_instances(void **state)
{
    struct shop *const shop = *state;
    double value = 0;

    assert_int_equal(ask(shop,
                         "hits{code=\"500\",path!=\"/x\"}",
                         "hits{code=\"500\",path=\"/\"} 2\nhits{code=\"200\",path=\"/\"} 90\n"
                         "hits{code=\"500\",path=\"/x\"} 50\n",
                         "hits{path=\"/\",code=\"500\"} 3\n",
                         &value),
                     ERR_OK);
    assert_true(value == 5);
}

static void a_metric_that_is_not_there_is_no_data_and_not_zero(void **state)
{
    struct shop *const shop = *state;
    double value = 0;

    assert_int_equal(ask(shop, "errors", "hits 3\n", NULL, &value), ERR_NOT_FOUND);
    assert_int_equal(ask(shop, "errors / hits", "errors 0\nhits 0\n", NULL, &value),
                     ERR_NOT_FOUND);
    assert_int_equal(ask(shop, "hits", "hits NaN\n", NULL, &value), ERR_NOT_FOUND);
}

static void old_errors_neither_accuse_nor_hide_what_happens_during_a_watch(void **state)
{
    static const char query[] = "increase(errors) / increase(hits)";
    struct shop *const shop = *state;
    double value = 0;

    assert_int_equal(ask(shop, query, "errors 900\nhits 1000\n", NULL, &value), ERR_NOT_FOUND);
    assert_int_equal(ask(shop, query, "errors 900\nhits 1100\n", NULL, &value), ERR_OK);
    assert_true(value == 0);
    assert_int_equal(ask(shop, query, "errors 950\nhits 1200\n", NULL, &value), ERR_OK);
    assert_true(value == 0.25);
}

static void a_restarted_instance_keeps_what_it_had_counted(void **state)
{
    struct shop *const shop = *state;
    double value = 0;

    assert_int_equal(ask(shop, "increase(hits)", "hits 10\n", "hits 5\n", &value), ERR_OK);
    assert_true(value == 0);
    assert_int_equal(ask(shop, "increase(hits)", "hits 30\n", "hits 6\n", &value), ERR_OK);
    assert_true(value == 21);
    assert_int_equal(ask(shop, "increase(hits)", "hits 4\n", "hits 6\n", &value), ERR_OK);
    assert_true(value == 25);
}

static void a_series_that_appears_during_a_watch_began_at_zero(void **state)
{
    static const char query[] = "increase(errors)";
    struct shop *const shop = *state;
    double value = 0;

    assert_int_equal(ask(shop, query, "errors{code=\"1\"} 4\n", NULL, &value), ERR_OK);
    assert_int_equal(
        ask(shop, query, "errors{code=\"1\"} 4\nerrors{code=\"2\"} 3\n", NULL, &value), ERR_OK);
    assert_true(value == 3);
}

static void a_series_that_stands_there_twice_is_refused(void **state)
{
    struct shop *const shop = *state;
    double value = 0;

    assert_int_equal(
        ask(shop, "x", "x{a=\"1\",b=\"2\"} 1\nx{b=\"2\",a=\"1\"} 1\n", NULL, &value),
        ERR_INVALID);
    assert_int_equal(ask(shop, "x", "x{a=\"1\"} 1\n", "x{a=\"1\"} 1\n", &value), ERR_OK);
}

static void what_the_language_does_not_have_is_refused_by_name(void **state)
{
    static const char *const queries[] = {
        "",           "rate(x[5m])", "x / y / z",
        "sum(x)",     "x{a=~\"b\"}", "x +",
        "increase(x", "x{a=\"b\"",   "increase(increase(x))",
        "1 - x",      "x{a!\"b\"}",
    };
    struct shop *const shop = *state;

    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        if (selector_parse(&shop->arena, queries[i], &shop->query, &shop->error) != ERR_INVALID)
            fail_msg("accepted: %s", queries[i]);
    }
    assert_non_null(strstr(shop->error.text, "understood are name"));
}

static void a_number_becomes_millionths_only_when_it_is_one(void **state)
{
    int64_t micro = 0;

    (void)state;
    assert_true(metric_micro(0.1, &micro));
    assert_int_equal(micro, 100000);
    assert_true(metric_micro(-2.0000005, &micro));
    assert_int_equal(micro, -2000001);
    assert_false(metric_micro((double)INFINITY, &micro));
    assert_false(metric_micro((double)NAN, &micro));
    assert_false(metric_micro(1e13, &micro));
}

int main(void)
{
#define IN_SHOP(test) cmocka_unit_test_setup_teardown(test, open_shop, close_shop)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_read_sample_by_sample),
        cmocka_unit_test(openmetrics_has_seconds_exemplars_and_an_end),
        cmocka_unit_test(a_page_that_breaks_the_format_anywhere_is_refused),
        cmocka_unit_test(a_line_without_end_does_not_overrun),
        IN_SHOP(a_selector_sums_matching_series_of_all_instances),
        IN_SHOP(a_metric_that_is_not_there_is_no_data_and_not_zero),
        IN_SHOP(old_errors_neither_accuse_nor_hide_what_happens_during_a_watch),
        IN_SHOP(a_restarted_instance_keeps_what_it_had_counted),
        IN_SHOP(a_series_that_appears_during_a_watch_began_at_zero),
        IN_SHOP(a_series_that_stands_there_twice_is_refused),
        IN_SHOP(what_the_language_does_not_have_is_refused_by_name),
        cmocka_unit_test(a_number_becomes_millionths_only_when_it_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
