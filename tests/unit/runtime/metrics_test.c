#include "common/runtime/metrics.h"
#include "tests/support/test.h"

#include <pthread.h>
#include <stdio.h>

static struct metrics *metrics;
static struct metrics_port port;
static struct text page;

static int setup(void **state)
{
    (void)state;
    metrics = metrics_new();
    port = metrics_port(metrics);
    page = text_new(1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    metrics_free(metrics);
    text_release(&page);
    return 0;
}

static bool page_has(const char *lines)
{
    text_reset(&page);
    metrics_write(metrics, &page);
    return strstr(page.bytes, lines) != NULL;
}

static void a_counter_sums_and_a_gauge_stands(void **state)
{
    (void)state;
    port.add(port.self, "slipway_done_total", "outcome", "ok", 2);
    port.add(port.self, "slipway_done_total", "outcome", "ok", 3);
    port.add(port.self, "slipway_done_total", "outcome", "error", 1);
    port.set(port.self, "slipway_running", "", "", 7);
    port.set(port.self, "slipway_running", "", "", 4);
    assert_true(page_has("# TYPE slipway_done_total counter\n"
                         "slipway_done_total{outcome=\"ok\"} 5\n"
                         "slipway_done_total{outcome=\"error\"} 1\n"
                         "# TYPE slipway_running gauge\n"
                         "slipway_running 4\n"));
}

static void a_name_has_one_type_line_however_its_series_came(void **state)
{
    (void)state;
    port.add(port.self, "a_total", "k", "1", 1);
    port.add(port.self, "b_total", "", "", 1);
    port.add(port.self, "a_total", "k", "2", 1);
    assert_true(page_has("# TYPE a_total counter\na_total{k=\"1\"} 1\na_total{k=\"2\"} 1\n"
                         "# TYPE b_total counter\n"));
}

static void a_histogram_is_cumulative_and_in_seconds(void **state)
{
    (void)state;
    port.observe_ms(port.self, "slipway_step_seconds", "", "", 2);
    port.observe_ms(port.self, "slipway_step_seconds", "", "", 80);
    port.observe_ms(port.self, "slipway_step_seconds", "", "", 999999);
    assert_true(page_has("slipway_step_seconds_bucket{le=\"0.001\"} 0\n"
                         "slipway_step_seconds_bucket{le=\"0.002\"} 1\n"));
    assert_true(page_has("slipway_step_seconds_bucket{le=\"0.100\"} 2\n"));
    assert_true(page_has("slipway_step_seconds_bucket{le=\"300.000\"} 2\n"
                         "slipway_step_seconds_bucket{le=\"+Inf\"} 3\n"
                         "slipway_step_seconds_sum 1000.081\n"
                         "slipway_step_seconds_count 3\n"));
}

static void series_without_end_are_counted_not_kept(void **state)
{
    (void)state;
    for (int i = 0; i < 600; i++) {
        char value[16];

        (void)snprintf(value, sizeof value, "%d", i);
        port.add(port.self, "slipway_wild_total", "id", value, 1);
    }
    assert_true(page_has("slipway_series_dropped_total 100\n"));
}

static void *count_much(void *self)
{
    for (int i = 0; i < 1000; i++)
        port.add(port.self, "slipway_much_total", "", "", 1);
    return self;
}

static void threads_lose_no_count(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_much, NULL), 0);
    for (int i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    assert_true(page_has("slipway_much_total 4000\n"));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_counter_sums_and_a_gauge_stands),
        EACH(a_name_has_one_type_line_however_its_series_came),
        EACH(a_histogram_is_cumulative_and_in_seconds),
        EACH(series_without_end_are_counted_not_kept),
        EACH(threads_lose_no_count),
    };

    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
