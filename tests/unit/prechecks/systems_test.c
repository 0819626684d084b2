/* Flags, monitoring, and what runs now. */
#include "common/drivers/deployers/disk.h"
#include "common/state/keys.h"
#include "common/wire/digest.h"
#include "tests/unit/prechecks/prechecks_world.h"

static void a_flag_that_is_on_fails(void **state)
{
    struct world *const w = *state;

    world_answer(w,
                 "http://gateway/*flags*",
                 200,
                 "{\"percent\":5,\"audience\":\"\",\"sequence\":3,\"latched\":false,"
                 "\"deployment\":\"express-pay.0\"}");
    world_expect(world_look(w, "flag.off"), PB__VERDICT__FAIL, "express-pay");
}

static void a_flag_system_that_is_down_is_an_error(void **state)
{
    struct world *const w = *state;

    world_answer(w, "http://gateway/*", 503, "");
    world_expect(world_look(w, "flag.system_available"), PB__VERDICT__ERROR, "express-pay");
}

static void a_metric_without_data_is_no_data(void **state)
{
    struct world *const w = *state;
    Pb__CheckSpec *const check = world_check(w, "monitoring.configured", "builtin");

    world_metric(w, check, "shop_requests_total");
    world_metric(w, check, "shop_unheard_of_total");
    world_expect(world_run(w)->findings[0], PB__VERDICT__NO_DATA, "unheard_of");
}

static void a_metric_above_its_limit_is_data_all_the_same(void **state)
{
    struct world *const w = *state;

    world_metric(w, world_check(w, "monitoring.configured", "builtin"), "shop_requests_total");
    world_expect(world_run(w)->findings[0], PB__VERDICT__PASS, "1 metrics");
}

static void a_metric_source_that_does_not_answer_is_an_error(void **state)
{
    struct world *const w = *state;

    world_metric(w, world_check(w, "monitoring.available", "builtin"), "shop_requests_total");
    world_answer(w, "http://shop-?/metrics", 500, "");
    world_expect(world_run(w)->findings[0], PB__VERDICT__ERROR, "shop-metrics");
}

static void a_dashboard_that_is_gone_fails(void **state)
{
    struct world *const w = *state;

    w->asked->dashboards[0]->url = "http://wiki/old";
    world_answer(w, "http://wiki/old", 410, "");
    world_expect(world_look(w, "monitoring.dashboards"), PB__VERDICT__FAIL, "410");
}

static void keep_alert(struct world *w, Pb__Severity severity, Pb__AlertStatus status)
{
    const char *const prefix = w->service.settings->redis.prefix;
    Pb__Alert alert = PB__ALERT__INIT;
    struct pb_bytes packed;
    struct store_op op;
    struct error error = { 0 };

    alert.name = "ShopDown";
    alert.summary = "nobody can pay";
    alert.service = "shop";
    alert.environment = "production";
    alert.severity = severity;
    alert.status = status;
    packed = pb_pack(&w->arena, &alert);
    op = (struct store_op){
        .kind = STORE_HASH_SET,
        .key = keys_global(&w->arena, prefix, "alerts:", "shop"),
        .field = "f00d@1",
        .value = { (const char *)packed.bytes, packed.length },
    };
    assert_int_equal(w->ports.store.commit(w->ports.store.self,
                                           &(struct store_batch){ .ops = &op, .op_count = 1 },
                                           &error),
                     ERR_OK);
}

static void a_critical_alert_that_is_open_fails(void **state)
{
    struct world *const w = *state;

    keep_alert(w, PB__SEVERITY__CRITICAL, PB__ALERT_STATUS__FIRING);
    world_expect(world_look(w, "monitoring.no_open_critical"), PB__VERDICT__FAIL, "ShopDown");
}

static void a_critical_alert_of_a_service_that_is_only_relied_on_fails(void **state)
{
    struct world *const w = *state;
    Pb__CheckSpec *const check = world_check(w, "monitoring.no_open_critical", "builtin");

    keep_alert(w, PB__SEVERITY__CRITICAL, PB__ALERT_STATUS__FIRING);
    PB_APPEND(&w->arena, check, params, pb_pair_new(&w->arena, "service", "pay"));
    world_expect(world_run(w)->findings[0], PB__VERDICT__PASS, "1 service");
    PB_APPEND(&w->arena, check, params, pb_pair_new(&w->arena, "service", "shop"));
    world_expect(world_run(w)->findings[0], PB__VERDICT__FAIL, "ShopDown");
}

static void a_warning_does_not_fail(void **state)
{
    struct world *const w = *state;

    keep_alert(w, PB__SEVERITY__WARNING, PB__ALERT_STATUS__FIRING);
    world_expect(world_look(w, "monitoring.no_open_critical"), PB__VERDICT__PASS, "");
}

static void a_resolved_alert_does_not_fail(void **state)
{
    struct world *const w = *state;

    keep_alert(w, PB__SEVERITY__CRITICAL, PB__ALERT_STATUS__RESOLVED);
    world_expect(world_look(w, "monitoring.no_open_critical"), PB__VERDICT__PASS, "");
}

#define RULES "http://prom/api/v1/rules?type=alert"
#define OF_GROUPS(rules)                                                                       \
    "{\"status\":\"success\",\"data\":{\"groups\":[{\"rules\":[" rules "]}]}}"

static void the_alert_rules_of_prometheus_are_counted(void **state)
{
    world_expect(world_look(*state, "monitoring.alerts"), PB__VERDICT__PASS, "1 alerting rule");
}

static void an_alert_rule_that_is_not_where_it_should_be_fails(void **state)
{
    world_answer(*state, RULES, 200, OF_GROUPS("{\"type\":\"alerting\",\"name\":\"Other\"}"));
    world_expect(world_look(*state, "monitoring.alerts"),
                 PB__VERDICT__FAIL,
                 "prom does not evaluate a rule ShopDown");
}

static void an_alert_rule_that_cannot_be_evaluated_fails(void **state)
{
    world_answer(*state,
                 RULES,
                 200,
                 OF_GROUPS("{\"type\":\"alerting\",\"name\":\"ShopDown\",\"health\":\"err\"}"));
    world_expect(world_look(*state, "monitoring.alerts"), PB__VERDICT__FAIL, "ShopDown");
}

static void alert_rules_that_cannot_be_asked_for_are_an_error(void **state)
{
    world_answer(*state, RULES, 503, "");
    world_expect(world_look(*state, "monitoring.alerts"), PB__VERDICT__ERROR, "503");
}

static void a_window_that_is_closed_fails(void **state)
{
    struct world *const w = *state;
    Pb__Window *const window = pb_new(&w->arena, &pb__window__descriptor);

    window->name = "last year";
    window->opens_ms = 1000;
    window->closes_ms = 2000;
    PB_APPEND(&w->arena, w->asked, windows, window);
    world_expect(world_look(w, "env.window_approved"), PB__VERDICT__FAIL, "closed");
}

static void the_baseline_is_reported(void **state)
{
    struct world *const w = *state;
    const Pb__TaskFinished *result;

    world_deploy(w, "one", "1.0");
    w->asked->report_baseline = true;
    result = world_run(w);
    assert_int_equal(result->n_observed, 4);
    assert_string_equal(result->observed[0]->instance, "shop-db");
    assert_string_equal(result->observed[0]->state, DEPLOYED_NONE);
    assert_string_equal(result->observed[2]->instance, "shop-1");
    assert_string_equal(result->observed[2]->version, "1.0");
    assert_int_equal(strlen(result->observed[2]->digest), 64);
}

static void shifting_without_a_router_has_no_baseline(void **state)
{
    struct world *const w = *state;
    Pb__Batch *const batch = pb_new(&w->arena, &pb__batch__descriptor);

    batch->kind = PB__BATCH_KIND__SHIFT;
    PB_APPEND(&w->arena, w->asked->changes[3], batches, batch);
    world_expect(world_look(w, "env.baseline_known"), PB__VERDICT__ERROR, "shop traffic");
}

static void what_cannot_be_gone_back_to_is_no_baseline(void **state)
{
    struct world *const w = *state;
    struct error error = { 0 };

    world_folder(w, "one");
    assert_int_equal(disk_link(NULL, world_path(w, "one/current"), "/opt/shop", &error),
                     ERR_OK);
    w->asked->report_baseline = true;
    world_expect(world_look(w, "env.baseline_known"), PB__VERDICT__FAIL, "foreign");
    assert_int_equal(world_run(w)->n_observed, 3);
}

static void a_target_that_is_not_configured_is_an_error(void **state)
{
    struct world *const w = *state;

    w->asked->changes[3]->target = "nowhere";
    world_expect(world_look(w, "env.baseline_known"), PB__VERDICT__ERROR, "nowhere");
}

static void instances_with_different_versions_are_drift(void **state)
{
    struct world *const w = *state;

    world_deploy(w, "one", "1.0");
    world_deploy(w, "two", "0.9");
    world_answer(w, "http://shop-1/version", 200, "{\"version\":\"1.0\"}");
    world_answer(w, "http://shop-2/version", 200, "{\"version\":\"0.9\"}");
    world_expect(
        world_look(w, "env.no_drift"), PB__VERDICT__FAIL, "shop-2 has 0.9, shop-1 has 1.0");
}

static void a_process_that_runs_something_else_than_lies_there_is_drift(void **state)
{
    struct world *const w = *state;

    world_deploy(w, "one", "1.0");
    world_deploy(w, "two", "1.0");
    world_answer(w, "http://shop-?/version", 200, "{\"version\":\"0.8\"}");
    world_expect(world_look(w, "env.no_drift"), PB__VERDICT__FAIL, "shop-version");
}

/* An executor died between two releases of shop-1. */
static void leave_torn(struct world *w)
{
    world_deploy(w, "one", "1.0");
    world_deploy(w, "two", "1.0");
    world_put(w, "one/marker", "state=switching\nrelease=1.1-0\nfence=3.4\nend=yes\n");
}

static void a_torn_instance_that_runs_a_whole_release_can_be_gone_on_from(void **state)
{
    struct world *const w = *state;

    char hex[DIGEST_HEX_SIZE];
    struct error error = { 0 };

    leave_torn(w);
    assert_int_equal(digest_tree(world_path(w, "one/current"), hex, &error), ERR_OK);
    world_answer(
        w,
        "http://shop-?/version",
        200,
        arena_printf(&w->arena, "{\"version\":\"1.0\",\"digest\":\"sha256:%s\"}", hex));
    w->asked->report_baseline = true;
    world_expect(world_look(w, "env.baseline_known"), PB__VERDICT__PASS, "known");
    assert_int_equal(world_run(w)->n_observed, 4);
    world_expect(world_look(w, "env.no_drift"), PB__VERDICT__PASS, "");
}

static void a_torn_instance_that_runs_something_else_fails_with_what_to_do(void **state)
{
    struct world *const w = *state;
    const Pb__Finding *finding;

    leave_torn(w);
    world_answer(w, "http://shop-?/version", 200, "{\"version\":\"0.8\"}");
    finding = world_look(w, "env.baseline_known");
    assert_int_equal(finding->verdict, PB__VERDICT__FAIL);
    assert_non_null(strstr(finding->observed, "shop-1: switching"));
    assert_non_null(strstr(finding->remedy, "shop-1 was left between two releases"));
    assert_non_null(strstr(finding->remedy, "remove the file `marker`"));
}

static void a_torn_instance_without_a_whole_release_fails(void **state)
{
    struct world *const w = *state;
    const Pb__Finding *finding;
    struct error error = { 0 };

    leave_torn(w);
    assert_int_equal(disk_link(NULL, world_path(w, "one/current"), "/opt/shop", &error),
                     ERR_OK);
    world_answer(w, "http://shop-?/version", 200, "{\"version\":\"1.0\"}");
    finding = world_look(w, "env.baseline_known");
    assert_int_equal(finding->verdict, PB__VERDICT__FAIL);
    assert_non_null(strstr(finding->observed, "no whole release"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROVES(a_torn_instance_that_runs_a_whole_release_can_be_gone_on_from),
        PROVES(a_torn_instance_that_runs_something_else_fails_with_what_to_do),
        PROVES(a_torn_instance_without_a_whole_release_fails),
        PROVES(a_flag_that_is_on_fails),
        PROVES(a_flag_system_that_is_down_is_an_error),
        PROVES(a_metric_without_data_is_no_data),
        PROVES(a_metric_above_its_limit_is_data_all_the_same),
        PROVES(a_metric_source_that_does_not_answer_is_an_error),
        PROVES(a_dashboard_that_is_gone_fails),
        PROVES(a_critical_alert_that_is_open_fails),
        PROVES(a_critical_alert_of_a_service_that_is_only_relied_on_fails),
        PROVES(a_warning_does_not_fail),
        PROVES(a_resolved_alert_does_not_fail),
        PROVES(the_alert_rules_of_prometheus_are_counted),
        PROVES(an_alert_rule_that_is_not_where_it_should_be_fails),
        PROVES(an_alert_rule_that_cannot_be_evaluated_fails),
        PROVES(alert_rules_that_cannot_be_asked_for_are_an_error),
        PROVES(a_window_that_is_closed_fails),
        PROVES(the_baseline_is_reported),
        PROVES(shifting_without_a_router_has_no_baseline),
        PROVES(what_cannot_be_gone_back_to_is_no_baseline),
        PROVES(a_target_that_is_not_configured_is_an_error),
        PROVES(instances_with_different_versions_are_drift),
        PROVES(a_process_that_runs_something_else_than_lies_there_is_drift),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
