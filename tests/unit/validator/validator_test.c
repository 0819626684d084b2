#include "services/validator/validator.h"
#include "tests/support/test.h"
#include "tests/support/worker_world.h"

static const char settings[] =
    "probes:\n"
    "  - {name: health, driver: http, target: shop, url: \"{url}/healthz\"}\n"
    "  - {name: slow-start, driver: http, target: shop, url: \"{url}/ready\", settle: 5s}\n"
    "metric_sources:\n"
    "  - {name: pages, driver: scrape, target: shop}\n"
    "alerts:\n"
    "  - {alert: ShopErrors}\n";

static const char flag_url[] = "http://127.0.0.1:8080/internal/v1/flags/production/express-pay";

static int open_world(void **state)
{
    static struct worker_world world;

    worker_world_open(&world, settings);
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    worker_world_close(*state);
    return 0;
}

static Pb__RunChecks *checks_of(struct worker_world *world)
{
    Pb__Command *const command = worker_world_command(world);

    command->body_case = PB__COMMAND__BODY_RUN_CHECKS;
    command->run_checks = pb_new(&world->drivers.arena, &pb__run_checks__descriptor);
    worker_world_begin(world, command);
    return command->run_checks;
}

static Pb__CheckSpec *ask(struct worker_world *world,
                          Pb__RunChecks *checks,
                          const char *id,
                          const char *kind,
                          const char *probe)
{
    Pb__CheckSpec *const check = driver_world_check(&world->drivers, id, probe);

    check->kind = kind;
    PB_APPEND(&world->drivers.arena, checks, checks, check);
    return check;
}

static Pb__MetricCriterion *errors_at_most(struct worker_world *world, int64_t limit_micro)
{
    Pb__MetricCriterion *const criterion =
        pb_new(&world->drivers.arena, &pb__metric_criterion__descriptor);

    criterion->name = "errors";
    criterion->source = "pages";
    criterion->query = "errors";
    criterion->comparison = PB__COMPARISON__AT_MOST;
    criterion->limit_micro = limit_micro;
    return criterion;
}

static void run(struct worker_world *world)
{
    assert_int_equal(worker_world_run(world, &validator_spec, WORKER_WORLD_STEPS_MAX),
                     WORKER_DONE);
    assert_int_equal(world->task.result->outcome, PB__OUTCOME__OUTCOME_OK);
}

static void each_check_gets_one_finding(void **state)
{
    struct worker_world *const world = *state;
    Pb__RunChecks *const checks = checks_of(world);

    driver_world_answer(&world->drivers, "*/healthz", 200, "ok");
    (void)ask(world, checks, "health.backend", "probe", "health");
    (void)ask(world, checks, "smoke.api", "probe", "health");
    run(world);
    assert_int_equal(world->task.result->n_findings, 2);
    assert_int_equal(worker_world_finding(world, "smoke.api")->verdict, PB__VERDICT__PASS);
}

static void of_two_answers_to_one_check_the_worse_counts(void **state)
{
    struct worker_world *const world = *state;
    Pb__RunChecks *const checks = checks_of(world);

    driver_world_answer(&world->drivers, "*/healthz", 200, "ok");
    driver_world_answer(&world->drivers, "*", 500, "");
    (void)ask(world, checks, "smoke.api", "probe", "health");
    (void)ask(world, checks, "smoke.api", "probe", "slow-start");
    (void)ask(world, checks, "smoke.api", "probe", "health");
    run(world);
    assert_int_equal(world->task.result->n_findings, 1);
    assert_int_equal(worker_world_finding(world, "smoke.api")->verdict, PB__VERDICT__FAIL);
}

static void what_people_must_say_is_left_to_them(void **state)
{
    struct worker_world *const world = *state;
    Pb__RunChecks *const checks = checks_of(world);

    (void)ask(world, checks, "business.requirements", "attest", "");
    run(world);
    assert_int_equal(world->task.result->n_findings, 0);
}

static void a_check_nobody_knows_is_an_error(void **state)
{
    struct worker_world *const world = *state;
    Pb__RunChecks *const checks = checks_of(world);

    (void)ask(world, checks, "verify.moon", "builtin", "");
    (void)ask(world, checks, "health.backend", "oracle", "");
    run(world);
    assert_int_equal(worker_world_finding(world, "verify.moon")->verdict, PB__VERDICT__ERROR);
    assert_int_equal(worker_world_finding(world, "health.backend")->verdict,
                     PB__VERDICT__ERROR);
}

static void of_a_batch_only_its_instances_are_looked_at(void **state)
{
    static const char *instances[] = { "shop-1" };
    struct worker_world *const world = *state;
    Pb__RunChecks *const checks = checks_of(world);
    Pb__Change *const change = pb_new(&world->drivers.arena, &pb__change__descriptor);
    Pb__Batch *const batch = pb_new(&world->drivers.arena, &pb__batch__descriptor);

    driver_world_answer(&world->drivers, "http://shop-1/*", 200, "ok");
    driver_world_answer(&world->drivers, "http://shop-2/*", 500, "not yet");
    batch->kind = PB__BATCH_KIND__APPLY;
    batch->instances = instances;
    batch->n_instances = 1;
    PB_APPEND(&world->drivers.arena, change, batches, batch);
    PB_APPEND(&world->drivers.arena, checks, changes, change);
    (void)ask(world, checks, "health.1.1", "probe", "health");
    run(world);
    assert_int_equal(worker_world_finding(world, "health.1.1")->verdict, PB__VERDICT__PASS);
}

/* Which side is idle is known only when it runs, so the batch names both. */
static void of_two_sides_the_one_that_was_brought_is_looked_at(void **state)
{
    static const char *instances[] = { "shop-1", "shop-2" };
    struct worker_world *const world = *state;
    struct arena *const arena = &world->drivers.arena;
    struct setting_target *const target = world->drivers.env.settings->targets;
    Pb__RunChecks *const checks = checks_of(world);
    Pb__Change *const change = pb_new(arena, &pb__change__descriptor);
    Pb__Batch *const batch = pb_new(arena, &pb__batch__descriptor);
    Pb__Observed *const router = pb_new(arena, &pb__observed__descriptor);

    target->instances[0].side = "blue";
    target->instances[1].side = "green";
    driver_world_answer(&world->drivers, "http://shop-1/*", 200, "ok");
    driver_world_answer(&world->drivers, "http://shop-2/*", 500, "as it was before");
    router->target = change->target = target->name;
    router->state = "side=green";
    batch->side = "idle";
    batch->instances = instances;
    batch->n_instances = 2;
    PB_APPEND(arena, change, batches, batch);
    PB_APPEND(arena, checks, changes, change);
    PB_APPEND(arena, checks, baseline, router);
    (void)ask(world, checks, "health.backend", "probe", "health");
    run(world);
    assert_int_equal(worker_world_finding(world, "health.backend")->verdict, PB__VERDICT__PASS);
}

static void a_program_that_starts_slowly_may_settle(void **state)
{
    static const struct memory_http_answer not_yet = { .url = "*/ready",
                                                       .times = 6,
                                                       .err = ERR_UNAVAILABLE };
    struct worker_world *const world = *state;
    Pb__RunChecks *const checks = checks_of(world);
    const int64_t began_ms = world->drivers.clock.now_ms;

    memory_http_answer(world->drivers.http, &not_yet);
    driver_world_answer(&world->drivers, "*/ready", 200, "ok");
    (void)ask(world, checks, "health.backend", "probe", "slow-start");
    run(world);
    assert_int_equal(worker_world_finding(world, "health.backend")->verdict, PB__VERDICT__PASS);
    assert_in_range(world->drivers.clock.now_ms - began_ms, 1, 4999);
}

static void what_does_not_settle_in_time_fails(void **state)
{
    struct worker_world *const world = *state;
    Pb__RunChecks *const checks = checks_of(world);
    const int64_t began_ms = world->drivers.clock.now_ms;

    driver_world_answer(&world->drivers, "*/ready", 503, "starting");
    (void)ask(world, checks, "health.backend", "probe", "slow-start");
    run(world);
    assert_int_equal(worker_world_finding(world, "health.backend")->verdict, PB__VERDICT__FAIL);
    assert_int_equal(world->drivers.clock.now_ms - began_ms, 5000);
}

static void a_cancelled_task_looks_at_nothing_more(void **state)
{
    struct worker_world *const world = *state;
    Pb__RunChecks *const checks = checks_of(world);

    driver_world_answer(&world->drivers, "*/healthz", 200, "ok");
    (void)ask(world, checks, "health.backend", "probe", "health");
    (void)ask(world, checks, "smoke.api", "probe", "health");
    assert_int_equal(worker_world_run(world, &validator_spec, 1), WORKER_AGAIN);
    world->drivers.stop = true;
    assert_int_equal(worker_world_run(world, &validator_spec, 1), WORKER_DONE);
    assert_int_equal(world->task.result->outcome, PB__OUTCOME__OUTCOME_CANCELLED);
    assert_int_equal(memory_http_call_count(world->drivers.http), 2);
}

static void flags_are_off_when_every_gateway_says_so(void **state)
{
    static const struct memory_http_answer on = {
        .url = flag_url,
        .times = 1,
        .status = 200,
        .body = "{\"percent\":5,\"audience\":\"\",\"sequence\":1,\"latched\":false}",
    };
    struct worker_world *const world = *state;
    Pb__RunChecks *checks = checks_of(world);
    Pb__FlagSpec *const flag = pb_new(&world->drivers.arena, &pb__flag_spec__descriptor);

    flag->key = "express-pay";
    PB_APPEND(&world->drivers.arena, checks, flags, flag);
    (void)ask(world, checks, "verify.flags_off", "builtin", "");
    memory_http_answer(world->drivers.http, &on);
    driver_world_answer(&world->drivers, flag_url, 404, "");
    run(world);
    assert_int_equal(worker_world_finding(world, "verify.flags_off")->verdict,
                     PB__VERDICT__FAIL);
    checks = checks_of(world);
    PB_APPEND(&world->drivers.arena, checks, flags, flag);
    (void)ask(world, checks, "verify.flags_off", "builtin", "");
    run(world);
    assert_int_equal(worker_world_finding(world, "verify.flags_off")->verdict,
                     PB__VERDICT__PASS);
}

static void monitoring_is_asked_for_data_and_performance_for_limits(void **state)
{
    static const char *const ids[] = { "monitoring.active",
                                       "monitoring.working",
                                       "monitoring.metrics",
                                       "monitoring.alerts_configured",
                                       "performance.metrics" };
    struct worker_world *const world = *state;
    Pb__RunChecks *const checks = checks_of(world);

    driver_world_answer(&world->drivers, "*/metrics", 200, "errors 3\n");
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        Pb__CheckSpec *const check = ask(world, checks, ids[i], "builtin", "");

        PB_APPEND(
            &world->drivers.arena, check, metrics, errors_at_most(world, 5 * 1000 * 1000));
    }
    run(world);
    for (size_t i = 0; i + 1 < sizeof ids / sizeof ids[0]; i++)
        assert_int_equal(worker_world_finding(world, ids[i])->verdict, PB__VERDICT__PASS);
    assert_int_equal(worker_world_finding(world, "performance.metrics")->verdict,
                     PB__VERDICT__FAIL);
    assert_string_equal(worker_world_finding(world, "performance.metrics")->observed,
                        "errors is 6");
}

static void without_anything_to_ask_there_is_no_pass(void **state)
{
    static const char *const ids[] = {
        "verify.flags_off", "monitoring.active", "monitoring.metrics", "performance.metrics"
    };
    struct worker_world *const world = *state;
    Pb__RunChecks *const checks = checks_of(world);

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        (void)ask(world, checks, ids[i], "builtin", "");
    run(world);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        assert_int_equal(worker_world_finding(world, ids[i])->verdict, PB__VERDICT__NO_DATA);
}

static void wrong_options_stop_the_start(void **state)
{
    struct worker_world world;
    struct yaml_problems problems = { 0 };

    (void)state;
    worker_world_open(&world,
                      "probes:\n  - {name: a, driver: http, url: \"http://x\", stauts: 1}\n");
    problems.arena = &world.drivers.arena;
    validator_spec.check(&world.drivers.arena, world.service.settings, &problems);
    assert_int_equal(problems.errors, 1);
    assert_non_null(strstr(problems.item[0].message, "stauts"));
    worker_world_close(&world);
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
    const struct CMUnitTest tests[] = {
        IN_WORLD(each_check_gets_one_finding),
        IN_WORLD(of_two_answers_to_one_check_the_worse_counts),
        IN_WORLD(what_people_must_say_is_left_to_them),
        IN_WORLD(a_check_nobody_knows_is_an_error),
        IN_WORLD(of_a_batch_only_its_instances_are_looked_at),
        IN_WORLD(of_two_sides_the_one_that_was_brought_is_looked_at),
        IN_WORLD(a_program_that_starts_slowly_may_settle),
        IN_WORLD(what_does_not_settle_in_time_fails),
        IN_WORLD(a_cancelled_task_looks_at_nothing_more),
        IN_WORLD(flags_are_off_when_every_gateway_says_so),
        IN_WORLD(monitoring_is_asked_for_data_and_performance_for_limits),
        IN_WORLD(without_anything_to_ask_there_is_no_pass),
        cmocka_unit_test(wrong_options_stop_the_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
