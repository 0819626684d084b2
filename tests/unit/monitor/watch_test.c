#include "tests/support/test.h"
#include "tests/unit/monitor/watch_scene.h"

/* --- bake --- */

static void a_calm_bake_lasts_its_time_and_passes(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "bake");

    f->at = shop_calm;
    (void)watch_add_metric(f, watch, "bake.error_rate");
    watch_run_to_end(f);
    assert_int_equal(watch_took_ms(f), 10000);
    assert_int_equal(watch_verdict_of(f, "bake.error_rate"), PB__VERDICT__PASS);
    assert_string_equal(worker_world_finding(&f->world, "bake.error_rate")->observed,
                        "error_rate is 0 ratio");
}

static void a_breach_that_is_seen_twice_ends_a_bake_early(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "bake");

    f->at = shop_breaks_at_3s;
    (void)watch_add_metric(f, watch, "bake.error_rate");
    watch_run_to_end(f);
    assert_in_range(watch_took_ms(f), 3001, 3999);
    assert_int_equal(watch_verdict_of(f, "bake.error_rate"), PB__VERDICT__FAIL);
}

static void a_breach_that_is_not_seen_again_is_none(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "bake");
    Pb__MetricCriterion *const criterion = watch_add_metric(f, watch, "bake.errors");

    f->at = shop_hiccups_at_3s;
    criterion->query = "errors_total";
    criterion->limit_micro = INT64_C(2000) * 1000000;
    watch_run_to_end(f);
    assert_int_equal(watch_took_ms(f), 10000);
    assert_int_equal(watch_verdict_of(f, "bake.errors"), PB__VERDICT__PASS);
    assert_non_null(
        strstr(worker_world_finding(&f->world, "bake.errors")->observed, "looks were well"));
}

static void a_metric_that_is_not_required_does_not_end_a_bake(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "bake");

    f->at = shop_breaks_at_3s;
    (void)watch_add_metric(f, watch, "bake.error_rate");
    watch->checks[0]->required = false;
    watch_run_to_end(f);
    assert_int_equal(watch_took_ms(f), 10000);
    assert_int_equal(watch_verdict_of(f, "bake.error_rate"), PB__VERDICT__FAIL);
}

static void without_data_a_bake_waits_to_its_limit_and_passes_nothing(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *watch = watch_of(f, "bake");

    f->at = shop_without_users;
    (void)watch_add_metric(f, watch, "bake.error_rate");
    watch_run_to_end(f);
    assert_int_equal(watch_took_ms(f), 60000);
    assert_int_equal(watch_verdict_of(f, "bake.error_rate"), PB__VERDICT__NO_DATA);

    watch = watch_of(f, "bake");
    watch_add_metric(f, watch, "bake.error_rate")->no_data = PB__NO_DATA_RULE__NO_DATA_FAILS;
    watch_run_to_end(f);
    assert_int_equal(watch_verdict_of(f, "bake.error_rate"), PB__VERDICT__FAIL);
}

static void a_probe_that_fails_twice_ends_a_bake_early(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "bake");

    driver_world_answer(&f->world.drivers, "*/healthz", 500, "ERROR");
    (void)watch_add(f, watch, "logs.errors", "probe");
    watch_run_to_end(f);
    assert_in_range(watch_took_ms(f), 1, 999);
    assert_int_equal(watch_verdict_of(f, "logs.errors"), PB__VERDICT__FAIL);
}

static void probes_are_asked_less_often_than_metrics(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "bake");

    f->at = shop_calm;
    driver_world_answer(&f->world.drivers, "*/healthz", 200, "ok");
    (void)watch_add_metric(f, watch, "bake.error_rate");
    (void)watch_add(f, watch, "logs.errors", "probe");
    watch_run_to_end(f);
    /* Eleven rounds over two pages; the probe at 0 s, 5 s and 10 s. */
    assert_int_equal(memory_http_call_count(f->world.drivers.http), 11 * 2 + 3 * 2);
}

static void a_page_is_fetched_once_a_round_for_all_its_metrics(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "bake");

    f->at = shop_calm;
    (void)watch_add_metric(f, watch, "bake.one");
    (void)watch_add_metric(f, watch, "bake.two");
    (void)watch_add_metric(f, watch, "bake.three");
    watch_run_to_end(f);
    assert_int_equal(memory_http_call_count(f->world.drivers.http), 11 * 2);
}

/* --- stage --- */

static Pb__Watch *stage_of(struct watch_scene *f, uint64_t samples)
{
    Pb__Watch *const watch = watch_of(f, "stage");

    (void)watch_add_metric(f, watch, "stage.errors");
    watch_add_samples(f, watch, samples);
    (void)watch_add(f, watch, "stage.min_time", "builtin");
    (void)watch_add(f, watch, "stage.criteria", "builtin");
    return watch;
}

static void a_stage_ends_when_time_and_samples_are_enough(void **state)
{
    struct watch_scene *const f = *state;

    (void)stage_of(f, 30000);
    f->at = shop_calm;
    watch_run_to_end(f);
    /* Two instances, each a hit a millisecond. */
    assert_int_equal(watch_took_ms(f), 15000);
    assert_int_equal(f->world.task.result->samples, 30000);
    assert_int_equal(watch_verdict_of(f, "stage.errors"), PB__VERDICT__PASS);
    assert_int_equal(watch_verdict_of(f, "stage.min_samples"), PB__VERDICT__PASS);
    assert_int_equal(watch_verdict_of(f, "stage.min_time"), PB__VERDICT__PASS);
    assert_int_equal(watch_verdict_of(f, "stage.criteria"), PB__VERDICT__PASS);
}

static void a_stage_without_enough_samples_is_inconclusive_at_its_limit(void **state)
{
    struct watch_scene *const f = *state;

    (void)stage_of(f, 1000 * 1000);
    f->at = shop_calm;
    watch_run_to_end(f);
    assert_int_equal(watch_took_ms(f), 60000);
    assert_int_equal(watch_verdict_of(f, "stage.min_samples"), PB__VERDICT__INCONCLUSIVE);
    assert_int_equal(watch_verdict_of(f, "stage.criteria"), PB__VERDICT__INCONCLUSIVE);
    assert_int_equal(watch_verdict_of(f, "stage.errors"), PB__VERDICT__PASS);
}

static void a_breach_ends_a_stage_early(void **state)
{
    struct watch_scene *const f = *state;

    (void)stage_of(f, 0);
    f->at = shop_breaks_at_3s;
    watch_run_to_end(f);
    assert_in_range(watch_took_ms(f), 3001, 3999);
    assert_int_equal(watch_verdict_of(f, "stage.errors"), PB__VERDICT__FAIL);
    assert_int_equal(watch_verdict_of(f, "stage.criteria"), PB__VERDICT__FAIL);
    assert_int_equal(watch_verdict_of(f, "stage.min_time"), PB__VERDICT__INCONCLUSIVE);
}

static void a_promoted_stage_ends_its_clock_and_no_check(void **state)
{
    struct watch_scene *const f = *state;

    stage_of(f, 10000)->clock_ended = true;
    f->at = shop_calm;
    watch_run_to_end(f);
    assert_int_equal(watch_took_ms(f), 5000);
    assert_int_equal(watch_verdict_of(f, "stage.min_time"), PB__VERDICT__PASS);
    assert_int_equal(watch_verdict_of(f, "stage.min_samples"), PB__VERDICT__PASS);
}

static void a_critical_metric_is_an_incident_at_once(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "stage");
    Pb__IncidentReported *incident = NULL;

    watch_add_metric(f, watch, "stage.errors")->critical = true;
    f->at = shop_breaks_at_3s;
    watch_run_to_end(f);
    assert_int_equal(watch_incidents_told(f, &incident), 1);
    assert_string_equal(incident->cause, "error_rate");
    assert_int_equal(incident->severity, PB__SEVERITY__CRITICAL);
    assert_true(incident->open);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, watch_scene_open, watch_scene_close)
    const struct CMUnitTest tests[] = {
        WITH(a_calm_bake_lasts_its_time_and_passes),
        WITH(a_breach_that_is_seen_twice_ends_a_bake_early),
        WITH(a_breach_that_is_not_seen_again_is_none),
        WITH(a_metric_that_is_not_required_does_not_end_a_bake),
        WITH(without_data_a_bake_waits_to_its_limit_and_passes_nothing),
        WITH(a_probe_that_fails_twice_ends_a_bake_early),
        WITH(probes_are_asked_less_often_than_metrics),
        WITH(a_page_is_fetched_once_a_round_for_all_its_metrics),
        WITH(a_stage_ends_when_time_and_samples_are_enough),
        WITH(a_stage_without_enough_samples_is_inconclusive_at_its_limit),
        WITH(a_breach_ends_a_stage_early),
        WITH(a_promoted_stage_ends_its_clock_and_no_check),
        WITH(a_critical_metric_is_an_incident_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
