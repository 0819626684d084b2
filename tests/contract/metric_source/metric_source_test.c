#include "common/config/capabilities.h"
#include "tests/contract/metric_source/metric_source_contract.h"
#include "tests/support/test.h"

static const char scrape_settings[] =
    "metric_sources:\n  - {name: asked, driver: scrape, target: shop, timeout: 2s}\n";
static const char prometheus_settings[] =
    "metric_sources:\n  - {name: asked, driver: prometheus, url: \"http://prom:9090\"}\n";

/* Half of it on each of the two instances' pages. */
static const char *scrape_page(struct driver_world *world, const char *value)
{
    const struct memory_http_answer first = {
        .url = "http://shop-1/*",
        .status = 200,
        .body = "rate{instance=\"a\"} 0\n",
    };

    memory_http_answer(world->http, &first);
    return arena_printf(&world->arena, "# TYPE rate gauge\nrate %s\n", value);
}

static void scrape_keeps_the_contract(void **state)
{
    const struct metric_source_case scrape = {
        .settings = scrape_settings,
        .query = "rate",
        .wrong = "sum(rate)",
        .refuses = "rate 1\n",
        .refuses_status = 200,
        .page = scrape_page,
        .nothing = "other 1\n",
        .nonsense = "<html>please log in</html>\n",
    };

    (void)state;
    metric_source_contract(&scrape);
}

static const char *prometheus_page(struct driver_world *world, const char *value)
{
    return arena_printf(
        &world->arena,
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":"
        "[{\"metric\":{},\"value\":[1795422240,\"%s\"]}]}}",
        value);
}

static void prometheus_keeps_the_contract(void **state)
{
    const struct metric_source_case prometheus = {
        .settings = prometheus_settings,
        .query = "sum(rate(errors[1m])) / sum(rate(hits[1m]))",
        .wrong = "sum(",
        .refuses = "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"1:5: parse\"}",
        .refuses_status = 400,
        .page = prometheus_page,
        .nothing =
            "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}",
        .nonsense = "<html>please log in</html>",
    };

    (void)state;
    metric_source_contract(&prometheus);
}

static Pb__Finding *ask_prometheus(struct driver_world *world, int status, const char *body)
{
    struct metric_sample sample;

    driver_world_open(world, prometheus_settings);
    driver_world_answer(world, "*", status, body);
    return metric_answer(&world->env, metric_check(world, "x"), &sample);
}

static void prometheus_is_believed_only_when_it_is_sure(void **state)
{
    static const struct {
        int status;
        const char *body;
        Pb__Verdict verdict;
    } cases[] = {
        { 200,
          "{\"status\":\"success\",\"warnings\":[\"partial\"],\"data\":{\"resultType\":"
          "\"scalar\",\"result\":[1795422240,\"0\"]}}",
          PB__VERDICT__INCONCLUSIVE },
        { 200,
          "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1795422240,"
          "\"0\"]}}",
          PB__VERDICT__PASS },
        { 200,
          "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1795420000,"
          "\"0\"]}}",
          PB__VERDICT__NO_DATA },
        { 200,
          "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"value\":["
          "1,"
          "\"0\"]},{\"value\":[1,\"0\"]}]}}",
          PB__VERDICT__ERROR },
        { 200,
          "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{"
          "\"histogram\":"
          "[1,{}]}]}}",
          PB__VERDICT__ERROR },
        { 200,
          "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
          PB__VERDICT__ERROR },
        { 200,
          "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1795422240,"
          "0]}}",
          PB__VERDICT__ERROR },
        { 200, "{\"status\":\"error\"}", PB__VERDICT__ERROR },
        { 503,
          "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"slow\"}",
          PB__VERDICT__ERROR },
        { 401, "no", PB__VERDICT__ERROR },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct driver_world world;
        const Pb__Finding *const finding =
            ask_prometheus(&world, cases[i].status, cases[i].body);

        if (finding->verdict != cases[i].verdict)
            fail_msg(
                "case %zu: %s: %s", i, pb_verdict_name(finding->verdict), finding->observed);
        driver_world_close(&world);
    }
}

static void prometheus_is_asked_by_a_form(void **state)
{
    struct driver_world world;
    struct metric_sample sample;

    (void)state;
    driver_world_open(&world, prometheus_settings);
    (void)metric_answer(&world.env, metric_check(&world, "a{b=\"c d\"}/2"), &sample);
    assert_int_equal(memory_http_call_count(world.http), 1);
    assert_string_equal(memory_http_call(world.http, 0)->method, "POST");
    assert_string_equal(memory_http_call(world.http, 0)->url, "http://prom:9090/api/v1/query");
    assert_string_equal(memory_http_call(world.http, 0)->body,
                        "query=a%7Bb%3D%22c%20d%22%7D%2F2&timeout=5000ms");
    driver_world_close(&world);
}

static void a_scrape_needs_every_instance(void **state)
{
    struct driver_world world;
    struct metric_sample sample;
    const Pb__Finding *finding;

    (void)state;
    driver_world_open(&world, scrape_settings);
    driver_world_answer(&world, "http://shop-1/metrics", 200, "x 0\n");
    finding = metric_answer(&world.env, metric_check(&world, "x"), &sample);
    assert_int_equal(finding->verdict, PB__VERDICT__ERROR);
    assert_non_null(strstr(finding->observed, "http://shop-2/metrics"));
    driver_world_close(&world);
}

static void a_sample_from_long_ago_is_no_data(void **state)
{
    struct driver_world world;
    struct metric_sample sample;

    (void)state;
    driver_world_open(&world, scrape_settings);
    driver_world_answer(&world, "*", 200, "x 0 1795421000000\n");
    assert_int_equal(metric_answer(&world.env, metric_check(&world, "x"), &sample)->verdict,
                     PB__VERDICT__NO_DATA);
    driver_world_close(&world);
}

static void a_page_says_what_format_it_has(void **state)
{
    static const struct memory_http_answer openmetrics = {
        .url = "http://shop-1/*",
        .status = 200,
        .body = "x 0\n# EOF\n",
        .headers = { { "content-type", "application/openmetrics-text; version=1.0.0" } },
        .header_count = 1,
    };
    static const struct memory_http_answer html = {
        .url = "http://shop-2/*",
        .status = 200,
        .body = "x 0\n",
        .headers = { { "content-type", "text/html" } },
        .header_count = 1,
    };
    struct driver_world world;
    struct metric_sample sample;
    const Pb__Finding *finding;

    (void)state;
    driver_world_open(&world, scrape_settings);
    memory_http_answer(world.http, &openmetrics);
    memory_http_answer(world.http, &html);
    finding = metric_answer(&world.env, metric_check(&world, "x"), &sample);
    assert_int_equal(finding->verdict, PB__VERDICT__ERROR);
    assert_non_null(
        strstr(finding->observed, "http://shop-2/metrics: a page of type text/html"));
    driver_world_close(&world);
}

static void a_watch_remembers_where_the_counters_stood(void **state)
{
    static const struct memory_http_answer before = {
        .url = "*", .times = 2, .status = 200, .body = "errors 50\nhits 100\n"
    };
    struct driver_world world;
    struct metric_memory memory = { 0 };
    struct metric_sample sample;
    Pb__CheckSpec *check;

    (void)state;
    driver_world_open(&world, scrape_settings);
    memory_http_answer(world.http, &before);
    driver_world_answer(&world, "*", 200, "errors 51\nhits 200\n");
    check = metric_check(&world, "increase(errors) / increase(hits)");
    assert_int_equal(metric_answer_since(&world.env, check, &memory, &sample)->verdict,
                     PB__VERDICT__NO_DATA);
    assert_int_equal(metric_answer_since(&world.env, check, &memory, &sample)->verdict,
                     PB__VERDICT__PASS);
    assert_int_equal(sample.value_micro, 10000);
    assert_int_equal(metric_answer(&world.env, check, &sample)->verdict, PB__VERDICT__FAIL);
    driver_world_close(&world);
}

static void a_criterion_without_limit_or_source_is_an_error(void **state)
{
    struct driver_world world;
    struct metric_sample sample;
    Pb__CheckSpec *check;

    (void)state;
    driver_world_open(&world, scrape_settings);
    driver_world_answer(&world, "*", 200, "x 0\n");
    check = metric_check(&world, "x");
    check->metric->source = "elsewhere";
    assert_int_equal(metric_answer(&world.env, check, &sample)->verdict, PB__VERDICT__ERROR);
    check = metric_check(&world, "x");
    check->metric->comparison = PB__COMPARISON__COMPARISON_UNSPECIFIED;
    assert_int_equal(metric_answer(&world.env, check, &sample)->verdict, PB__VERDICT__ERROR);
    check->metric = NULL;
    assert_int_equal(metric_answer(&world.env, check, &sample)->verdict, PB__VERDICT__ERROR);
    driver_world_close(&world);
}

static void the_readers_of_files_know_the_same_sources(void **state)
{
    size_t count;

    (void)state;
    for (const struct metric_source_driver *const *row = metric_source_all(); *row; row++)
        assert_non_null(capability_find(DRIVER_METRIC_SOURCE, (*row)->name));
    for (const struct capability *c = capabilities(&count); count > 0; c++, count--)
        assert_true(c->kind != DRIVER_METRIC_SOURCE || metric_source_find(c->name) != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scrape_keeps_the_contract),
        cmocka_unit_test(prometheus_keeps_the_contract),
        cmocka_unit_test(prometheus_is_believed_only_when_it_is_sure),
        cmocka_unit_test(prometheus_is_asked_by_a_form),
        cmocka_unit_test(a_scrape_needs_every_instance),
        cmocka_unit_test(a_sample_from_long_ago_is_no_data),
        cmocka_unit_test(a_page_says_what_format_it_has),
        cmocka_unit_test(a_watch_remembers_where_the_counters_stood),
        cmocka_unit_test(a_criterion_without_limit_or_source_is_an_error),
        cmocka_unit_test(the_readers_of_files_know_the_same_sources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
