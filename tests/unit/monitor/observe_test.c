#include "common/state/keys.h"
#include "services/monitor/watch_run.h"
#include "tests/support/test.h"
#include "tests/unit/monitor/watch_scene.h"

static const char flag_url[] = "http://127.0.0.1:8080/internal/v1/flags/production/express-pay";

/* --- observe --- */

static void a_calm_period_is_covered_and_passes(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "observe");
    Pb__IncidentReported *incident;

    f->at = shop_calm;
    (void)watch_add_metric(f, watch, "watch.metrics.error_rate");
    watch_run_to_end(f);
    assert_int_equal(watch_took_ms(f), 10000);
    assert_int_equal(f->world.task.result->coverage_bp, 10000);
    assert_int_equal(watch_verdict_of(f, "watch.metrics.error_rate"), PB__VERDICT__PASS);
    assert_non_null(f->world.active);
    assert_int_equal(watch_incidents_told(f, &incident), 0);
}

static void time_without_data_is_not_covered(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "observe");

    watch->min_ms = 20000;
    f->at = shop_away_from_5s_to_15s;
    (void)watch_add_metric(f, watch, "watch.metrics.error_rate");
    watch_run_to_end(f);
    assert_int_equal(watch_took_ms(f), 20000);
    assert_in_range(f->world.task.result->coverage_bp, 4000, 6000);
    assert_int_equal(watch_verdict_of(f, "watch.metrics.error_rate"),
                     PB__VERDICT__INCONCLUSIVE);
}

static void the_last_look_of_a_period_is_not_believed_alone(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "observe");
    Pb__MetricCriterion *const criterion = watch_add_metric(f, watch, "watch.metrics.errors");

    f->at = shop_hiccups_at_10s;
    watch->coverage_bp = 9000;
    criterion->query = "errors_total";
    criterion->limit_micro = INT64_C(2000) * 1000000;
    watch_run_to_end(f);
    assert_in_range(watch_took_ms(f), 10001, 10999);
    assert_int_equal(watch_verdict_of(f, "watch.metrics.errors"), PB__VERDICT__PASS);
}

static void a_breach_while_observing_is_a_warning_until_it_is_over(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "observe");
    Pb__IncidentReported *incident = NULL;

    f->at = shop_recovers_after_8s;
    (void)watch_add_metric(f, watch, "watch.metrics.error_rate");
    assert_int_equal(watch_run_steps(f, 6), WORKER_AGAIN);
    assert_int_equal(watch_incidents_told(f, &incident), 1);
    assert_int_equal(incident->severity, PB__SEVERITY__WARNING);
    assert_true(incident->open);
    watch_run_to_end(f);
    assert_int_equal(watch_incidents_told(f, &incident), 2);
    assert_false(incident->open);
}

static void a_drifting_flag_fails_the_rollout_watch(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "observe");
    Pb__FlagSpec *const flag = pb_new(&f->world.drivers.arena, &pb__flag_spec__descriptor);

    flag->key = "express-pay";
    PB_APPEND(&f->world.drivers.arena, watch, flags, flag);
    watch->percent = 100;
    driver_world_answer(&f->world.drivers,
                        flag_url,
                        200,
                        "{\"percent\":50,\"audience\":\"\",\"sequence\":1,\"latched\":false}");
    (void)watch_add(f, watch, "watch.rollout", "builtin");
    watch_run_to_end(f);
    assert_int_equal(watch_verdict_of(f, "watch.rollout"), PB__VERDICT__FAIL);
}

static void remember_alert(struct watch_scene *f, const char *environment)
{
    struct arena *const arena = &f->world.drivers.arena;
    Pb__Alert alert = PB__ALERT__INIT;
    struct error error = { 0 };
    struct store_op op = { .kind = STORE_HASH_SET, .field = "f@1" };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };
    struct pb_bytes packed;

    alert.name = "ShopErrors";
    alert.summary = "too many errors";
    alert.severity = PB__SEVERITY__WARNING;
    alert.service = "shop";
    alert.environment = environment;
    packed = pb_pack(arena, &alert);
    op.key = keys_global(arena, f->world.service.settings->redis.prefix, "alerts:", "shop");
    op.value = (struct store_value){ (const char *)packed.bytes, packed.length };
    assert_int_equal(f->world.ports.store.commit(f->world.ports.store.self, &batch, &error),
                     ERR_OK);
}

static void an_open_alert_of_the_environment_fails_the_alert_watch(void **state)
{
    static const char *services[] = { "shop" };
    struct watch_scene *const f = *state;

    for (int production = 0; production < 2; production++) {
        Pb__Watch *const watch = watch_of(f, "observe");

        watch->services = services;
        watch->n_services = 1;
        remember_alert(f, production ? "production" : "staging");
        (void)watch_add(f, watch, "watch.alerts", "builtin");
        watch_run_to_end(f);
        assert_int_equal(watch_verdict_of(f, "watch.alerts"),
                         production ? PB__VERDICT__FAIL : PB__VERDICT__PASS);
    }
}

/* --- all --- */

static void a_check_nobody_knows_is_an_error_here_too(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "observe");

    (void)watch_add(f, watch, "watch.moon", "builtin");
    watch_run_to_end(f);
    assert_int_equal(watch_verdict_of(f, "watch.moon"), PB__VERDICT__ERROR);
}

static void a_cancelled_watch_says_so_and_finds_nothing(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "bake");

    (void)watch_add_metric(f, watch, "bake.error_rate");
    assert_int_equal(watch_run_steps(f, 2), WORKER_AGAIN);
    f->world.drivers.stop = true;
    assert_int_equal(watch_run_steps(f, 1), WORKER_DONE);
    assert_int_equal(f->world.task.result->outcome, PB__OUTCOME__OUTCOME_CANCELLED);
    assert_int_equal(f->world.task.result->n_findings, 0);
}

static void the_next_drive_goes_on_where_the_last_one_died(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "observe");
    const int64_t began_ms = f->world.drivers.clock.now_ms;

    f->at = shop_calm;
    (void)watch_add_metric(f, watch, "watch.metrics.error_rate");
    assert_int_equal(watch_run_steps(f, 6), WORKER_AGAIN);
    worker_world_begin(&f->world, f->world.task.command);
    watch_run_to_end(f);
    assert_int_equal(f->world.drivers.clock.now_ms - began_ms, 10000);
    assert_int_equal(f->world.task.result->coverage_bp, 10000);
}

static void a_finished_watch_is_not_gone_on_with(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "observe");

    f->at = shop_calm;
    (void)watch_add_metric(f, watch, "watch.metrics.error_rate");
    watch_run_to_end(f);
    worker_world_begin(&f->world, f->world.task.command);
    watch_run_to_end(f);
    assert_int_equal(watch_took_ms(f), 10000);
}

static void people_see_the_newest_samples_of_all_watches(void **state)
{
    struct watch_scene *const f = *state;
    const char *const key = keys_global(&f->world.drivers.arena,
                                        f->world.service.settings->redis.prefix,
                                        "samples:",
                                        "express-pay.1");
    struct store_value value = { 0 };
    struct error error = { 0 };
    void *message = NULL;
    const Pb__DeploymentSeries *series;

    f->at = shop_calm;
    (void)watch_add_metric(f, watch_of(f, "bake"), "bake.error_rate");
    watch_run_to_end(f);
    (void)watch_add_metric(f, watch_of(f, "observe"), "watch.metrics.error_rate");
    f->world.task.command->watch->min_ms = 200 * 1000;
    f->world.task.command->watch->max_ms = 300 * 1000;
    watch_run_to_end(f);
    assert_int_equal(
        f->world.ports.store.get(
            f->world.ports.store.self, &f->world.drivers.arena, key, &value, &error),
        ERR_OK);
    assert_int_equal(pb_unpack(&f->world.drivers.arena,
                               &pb__deployment_series__descriptor,
                               (struct pb_bytes){ (const uint8_t *)value.bytes, value.length },
                               &message,
                               &error),
                     ERR_OK);
    series = message;
    assert_int_equal(series->n_metrics, 1);
    assert_string_equal(series->metrics[0]->name, "error_rate");
    assert_int_equal(series->metrics[0]->n_values_micro, SERIES_POINTS);
    assert_int_equal(series->metrics[0]->samples, 10 + 200);
    assert_int_equal(series->metrics[0]->at_ms[119], f->world.drivers.clock.now_ms);
}

static void a_watch_of_a_day_stays_within_its_memory(void **state)
{
    struct watch_scene *const f = *state;
    Pb__Watch *const watch = watch_of(f, "observe");
    size_t used;

    f->at = shop_calm;
    (void)watch_add_metric(f, watch, "watch.metrics.error_rate");
    watch->min_ms = INT64_C(24) * 60 * 60 * 1000;
    watch->max_ms = watch->min_ms * 2;
    watch->sample_every_ms = 30 * 1000;
    assert_int_equal(watch_run_steps(f, 10), WORKER_AGAIN);
    used = f->world.task_arena.used;
    assert_int_equal(watch_run_steps(f, 1000), WORKER_AGAIN);
    assert_int_equal(f->world.task_arena.used, used);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, watch_scene_open, watch_scene_close)
    const struct CMUnitTest tests[] = {
        WITH(a_calm_period_is_covered_and_passes),
        WITH(time_without_data_is_not_covered),
        WITH(the_last_look_of_a_period_is_not_believed_alone),
        WITH(a_breach_while_observing_is_a_warning_until_it_is_over),
        WITH(a_drifting_flag_fails_the_rollout_watch),
        WITH(an_open_alert_of_the_environment_fails_the_alert_watch),
        WITH(a_check_nobody_knows_is_an_error_here_too),
        WITH(a_cancelled_watch_says_so_and_finds_nothing),
        WITH(the_next_drive_goes_on_where_the_last_one_died),
        WITH(a_finished_watch_is_not_gone_on_with),
        WITH(people_see_the_newest_samples_of_all_watches),
        WITH(a_watch_of_a_day_stays_within_its_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
