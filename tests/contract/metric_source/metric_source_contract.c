#include "tests/contract/metric_source/metric_source_contract.h"

#include "tests/support/test.h"

Pb__CheckSpec *metric_check(struct driver_world *world, const char *query)
{
    Pb__CheckSpec *const check = driver_world_check(world, "stage.errors", "");
    Pb__MetricCriterion *const criterion =
        pb_new(&world->arena, &pb__metric_criterion__descriptor);

    criterion->name = "error_rate";
    criterion->source = "asked";
    criterion->query = query;
    criterion->comparison = PB__COMPARISON__AT_MOST;
    criterion->limit_micro = 50000;
    criterion->unit = "ratio";
    criterion->no_data = PB__NO_DATA_RULE__NO_DATA_HOLDS;
    check->kind = "metric";
    check->metric = criterion;
    return check;
}

static void answers(const struct metric_source_case *one,
                    const char *query,
                    int status,
                    const char *body,
                    Pb__Verdict verdict)
{
    struct driver_world world;
    struct metric_sample sample;
    const Pb__Finding *finding;

    driver_world_open(&world, one->settings);
    driver_world_answer(&world, "*", status, body);
    finding = metric_answer(&world.env, metric_check(&world, query), &sample);
    if (finding->verdict != verdict)
        fail_msg("%s instead of %s: %s",
                 pb_verdict_name(finding->verdict),
                 pb_verdict_name(verdict),
                 finding->observed);
    assert_null(sample.evidence);
    assert_string_not_equal(finding->evidence, "");
    driver_world_close(&world);
}

static void a_value_is_compared_with_its_limit(const struct metric_source_case *one,
                                               const char *value,
                                               Pb__Verdict verdict,
                                               const char *observed)
{
    struct driver_world world;
    struct metric_sample sample;
    const Pb__Finding *finding;

    driver_world_open(&world, one->settings);
    driver_world_answer(&world, "*", 200, one->page(&world, value));
    finding = metric_answer(&world.env, metric_check(&world, one->query), &sample);
    assert_string_equal(finding->observed, observed);
    assert_int_equal(finding->verdict, verdict);
    assert_string_equal(finding->wanted, "error_rate at most 0.05 ratio");
    assert_non_null(sample.evidence);
    assert_int_equal(sample.at_ms, world.clock.now_ms);
    driver_world_close(&world);
}

static void silence_is_an_error(const struct metric_source_case *one, enum err err)
{
    struct driver_world world;
    struct metric_sample sample;

    driver_world_open(&world, one->settings);
    driver_world_refuse(&world, "*", err);
    assert_int_equal(
        metric_answer(&world.env, metric_check(&world, one->query), &sample)->verdict,
        PB__VERDICT__ERROR);
    assert_null(sample.evidence);
    driver_world_close(&world);
}

static void no_data_fails_where_the_plan_says_so(const struct metric_source_case *one)
{
    struct driver_world world;
    struct metric_sample sample;
    Pb__CheckSpec *check;

    driver_world_open(&world, one->settings);
    driver_world_answer(&world, "*", 200, one->nothing);
    check = metric_check(&world, one->query);
    check->metric->no_data = PB__NO_DATA_RULE__NO_DATA_FAILS;
    assert_int_equal(metric_answer(&world.env, check, &sample)->verdict, PB__VERDICT__FAIL);
    driver_world_close(&world);
}

void metric_source_contract(const struct metric_source_case *one)
{
    struct driver_world world;

    a_value_is_compared_with_its_limit(
        one, "0.05", PB__VERDICT__PASS, "error_rate is 0.05 ratio");
    a_value_is_compared_with_its_limit(
        one, "0.050001", PB__VERDICT__FAIL, "error_rate is 0.050001 ratio");
    a_value_is_compared_with_its_limit(one, "-3", PB__VERDICT__PASS, "error_rate is -3 ratio");
    answers(one, one->query, 200, one->nothing, PB__VERDICT__NO_DATA);
    driver_world_open(&world, one->settings);
    answers(one, one->query, 200, one->page(&world, "NaN"), PB__VERDICT__NO_DATA);
    answers(one, one->query, 200, one->page(&world, "+Inf"), PB__VERDICT__NO_DATA);
    answers(one, one->query, 200, one->page(&world, "1e300"), PB__VERDICT__NO_DATA);
    answers(one, one->query, 502, one->page(&world, "0"), PB__VERDICT__ERROR);
    driver_world_close(&world);
    answers(one, one->query, 200, one->nonsense, PB__VERDICT__ERROR);
    answers(one, one->wrong, one->refuses_status, one->refuses, PB__VERDICT__ERROR);
    silence_is_an_error(one, ERR_UNAVAILABLE);
    silence_is_an_error(one, ERR_TIMED_OUT);
    no_data_fails_where_the_plan_says_so(one);
}
