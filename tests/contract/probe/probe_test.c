#include "common/config/capabilities.h"
#include "tests/contract/probe/probe_contract.h"
#include "tests/support/test.h"

#include <stdio.h>

/* --- http --- */

static void all_answer_ok(struct driver_world *world)
{
    driver_world_answer(world, "http://shop-*/healthz", 200, "{\"state\":\"ok\"}");
}

static void all_answer_500(struct driver_world *world)
{
    driver_world_answer(world, "*", 500, "it \xff broke\n");
}

static void all_time_out(struct driver_world *world)
{
    driver_world_refuse(world, "*", ERR_TIMED_OUT);
}

static void second_answers_503(struct driver_world *world)
{
    driver_world_answer(world, "http://shop-2/*", 503, "");
    all_answer_ok(world);
}

static void http_keeps_the_contract(void **state)
{
    const struct probe_case http = {
        .driver = "http",
        .settings = "probes:\n  - {name: looked, driver: http, target: shop, url: "
                    "\"{url}/healthz\", body: '\"ok\"', json: state, equals: ok}\n",
        .well = all_answer_ok,
        .wrong = all_answer_500,
        .silent = all_time_out,
        .half = second_answers_503,
    };

    (void)state;
    probe_contract(&http);
}

static Pb__Finding *ask_http(struct driver_world *world, const char *options)
{
    char settings[512];

    (void)snprintf(settings,
                   sizeof settings,
                   "probes:\n  - {name: looked, driver: http, url: \"http://pay/x\", %s}\n",
                   options);
    driver_world_open(world, settings);
    driver_world_answer(world, "http://pay/x", 200, "{\"a\":{\"b\":[1]}}");
    return probe_answer(&world->env, driver_world_check(world, "a", "looked"), NULL, 0);
}

static void http_fails_on_each_thing_that_is_not_as_wanted(void **state)
{
    static const struct {
        const char *options;
        Pb__Verdict verdict;
    } cases[] = {
        { "status: 200", PB__VERDICT__PASS },
        { "status: 204", PB__VERDICT__FAIL },
        { "body: 'b'", PB__VERDICT__PASS },
        { "body: 'c'", PB__VERDICT__FAIL },
        { "json: a.b.0, equals: '1'", PB__VERDICT__PASS },
        { "json: a.b.0, equals: '2'", PB__VERDICT__FAIL },
        { "json: a.c, equals: '1'", PB__VERDICT__FAIL },
        { "max_latency: 3ms", PB__VERDICT__PASS },
        { "max_latency: 2ms", PB__VERDICT__FAIL },
        { "headers: [\"Accept: text/plain\"]", PB__VERDICT__PASS },
        { "headers: [\"no colon\"]", PB__VERDICT__ERROR },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct driver_world world;
        const Pb__Finding *const finding = ask_http(&world, cases[i].options);

        if (finding->verdict != cases[i].verdict)
            fail_msg("%s: %s", cases[i].options, pb_verdict_name(finding->verdict));
        driver_world_close(&world);
    }
}

static void what_others_say_is_fit_for_a_record(void **state)
{
    struct driver_world world;
    const Pb__Finding *finding;
    struct error error = { 0 };
    void *again = NULL;

    (void)state;
    driver_world_open(
        &world, "probes:\n  - {name: looked, driver: http, target: shop, url: \"{url}\"}\n");
    all_answer_500(&world);
    finding = probe_answer(&world.env, driver_world_check(&world, "a", "looked"), NULL, 0);
    assert_int_equal(pb_unpack(&world.arena,
                               &pb__finding__descriptor,
                               pb_pack(&world.arena, finding),
                               &again,
                               &error),
                     ERR_OK);
    assert_non_null(strstr(finding->observed, "it ? broke"));
    driver_world_close(&world);
}

/* --- version, configuration --- */

static void ask_for_1_1(struct driver_world *world, Pb__CheckSpec *check)
{
    driver_world_param(world, check, "version", "1.1");
    driver_world_param(world, check, "digest", "sha256:ABCDEF");
}

static void all_run_1_1(struct driver_world *world)
{
    driver_world_answer(
        world, "http://shop-*/version", 200, "{\"version\":\"1.1\",\"digest\":\"abcdef\"}");
}

static void all_run_another_build(struct driver_world *world)
{
    driver_world_answer(
        world, "http://shop-*/version", 200, "{\"version\":\"1.1\",\"digest\":\"012345\"}");
}

static void none_says_its_digest(struct driver_world *world)
{
    driver_world_answer(world, "http://shop-*/version", 200, "{\"version\":\"1.1\"}");
}

static void second_runs_1_0(struct driver_world *world)
{
    driver_world_answer(
        world, "http://shop-2/version", 200, "{\"version\":\"1.0\",\"digest\":\"abcdef\"}");
    all_run_1_1(world);
}

static void nobody_listens(struct driver_world *world)
{
    driver_world_refuse(world, "*", ERR_UNAVAILABLE);
}

static void version_keeps_the_contract(void **state)
{
    struct probe_case version = {
        .driver = "version",
        .settings = "probes:\n  - {name: looked, driver: version, target: shop, url: "
                    "\"{url}/version\"}\n",
        .well = all_run_1_1,
        .wrong = all_run_another_build,
        .silent = none_says_its_digest,
        .half = second_runs_1_0,
        .ask = ask_for_1_1,
    };

    (void)state;
    probe_contract(&version);
    version.silent = nobody_listens;
    probe_contract(&version);
    version.driver = "configuration";
    version.settings = "probes:\n  - {name: looked, driver: configuration, target: shop, url: "
                       "\"{url}/version\"}\n";
    probe_contract(&version);
}

static void without_a_wanted_version_there_is_nothing_to_pass(void **state)
{
    struct driver_world world;

    (void)state;
    driver_world_open(&world,
                      "probes:\n  - {name: looked, driver: version, target: shop, url: "
                      "\"{url}/version\"}\n");
    all_run_1_1(&world);
    assert_int_equal(
        probe_answer(&world.env, driver_world_check(&world, "a", "looked"), NULL, 0)->verdict,
        PB__VERDICT__INCONCLUSIVE);
    driver_world_close(&world);
}

/* --- command --- */

static void program_ends(struct driver_world *world,
                         const char *command,
                         int status,
                         enum err err)
{
    const struct memory_process_answer answer = {
        .command = command, .exit_status = status, .err = err, .output = "said so"
    };

    memory_process_answer(world->process, &answer);
}

static void programs_end_well(struct driver_world *world)
{
    program_ends(world, "/usr/bin/look shop-? http://shop-?", 0, ERR_OK);
}

static void programs_fail(struct driver_world *world)
{
    program_ends(world, "*", 1, ERR_OK);
}

static void programs_hang(struct driver_world *world)
{
    program_ends(world, "*", 0, ERR_TIMED_OUT);
}

static void second_program_fails(struct driver_world *world)
{
    program_ends(world, "* shop-2 *", 2, ERR_OK);
    programs_end_well(world);
}

static void command_keeps_the_contract(void **state)
{
    struct probe_case command = {
        .driver = "command",
        .settings = "probes:\n  - {name: looked, driver: command, target: shop, argv: "
                    "[/usr/bin/look, \"{instance}\", \"{url}\"], environment: [\"A=b/c\"]}\n",
        .well = programs_end_well,
        .wrong = programs_fail,
        .silent = programs_hang,
        .half = second_program_fails,
    };

    (void)state;
    probe_contract(&command);
}

/* --- metric, flag --- */

static void page_is_fine(struct driver_world *world)
{
    driver_world_answer(world, "http://shop-*/metrics", 200, "errors 1\nhits 100\n");
}

static void page_shows_errors(struct driver_world *world)
{
    driver_world_answer(world, "http://shop-*/metrics", 200, "errors 10\nhits 100\n");
}

static void page_lacks_the_metric(struct driver_world *world)
{
    driver_world_answer(world, "http://shop-*/metrics", 200, "hits 100\n");
}

static void metric_keeps_the_contract(void **state)
{
    const struct probe_case metric = {
        .driver = "metric",
        .settings = "metric_sources:\n  - {name: pages, driver: scrape, target: shop}\n"
                    "probes:\n  - {name: looked, driver: metric, source: pages, query: "
                    "errors / hits, at_most: 0.05}\n",
        .well = page_is_fine,
        .wrong = page_shows_errors,
        .silent = page_lacks_the_metric,
    };

    (void)state;
    probe_contract(&metric);
}

/* As the gateways answer flag-rollout. */
static const char flag_url[] = "http://127.0.0.1:8080/internal/v1/flags/production/express-pay";

static void flag_is_5(struct driver_world *world)
{
    driver_world_answer(world,
                        flag_url,
                        200,
                        "{\"percent\":5,\"audience\":\"\",\"sequence\":1,\"latched\":false,"
                        "\"deployment\":\"express-pay.1\"}");
}

static void flag_is_10(struct driver_world *world)
{
    driver_world_answer(world,
                        flag_url,
                        200,
                        "{\"percent\":10,\"audience\":\"\",\"sequence\":1,\"latched\":false,"
                        "\"deployment\":\"express-pay.1\"}");
}

static void flag_keeps_the_contract(void **state)
{
    const struct probe_case flag = {
        .driver = "flag",
        .settings =
            "probes:\n  - {name: looked, driver: flag, flag: express-pay, percent: 5}\n",
        .well = flag_is_5,
        .wrong = flag_is_10,
        .silent = all_time_out,
    };

    (void)state;
    probe_contract(&flag);
}

/* --- all of them --- */

static void a_probe_that_is_not_configured_is_an_error(void **state)
{
    struct driver_world world;
    const Pb__Finding *finding;

    (void)state;
    driver_world_open(&world, "");
    finding = probe_answer(&world.env, driver_world_check(&world, "a", "who"), NULL, 0);
    assert_int_equal(finding->verdict, PB__VERDICT__ERROR);
    assert_string_equal(finding->observed, "probe 'who' is not configured here");
    driver_world_close(&world);
}

static void wrong_options_are_told_before_anything_runs(void **state)
{
    static const char settings[] =
        "probes:\n"
        "  - {name: a, driver: http, url: \"{url}/x\"}\n"
        "  - {name: b, driver: tcp}\n"
        "  - {name: c, driver: http, url: \"http://x\", statsu: 200}\n"
        "  - {name: d, driver: log, file: x, since: soon}\n"
        "  - {name: e, driver: command, argv: [\"true\"]}\n";
    struct driver_world world;

    (void)state;
    driver_world_open(&world, settings);
    probes_check(&world.arena, world.env.settings, &world.problems);
    assert_int_equal(world.problems.errors, 4);
    driver_world_close(&world);
}

static void the_readers_of_files_know_the_same_probes(void **state)
{
    size_t count;

    (void)state;
    for (const struct probe_driver *const *row = probe_all(); *row != NULL; row++) {
        const struct capability *const known = capability_find(DRIVER_PROBE, (*row)->name);

        assert_non_null(known);
        for (const struct option *o = (*row)->options; o->type != OPTION_END; o++) {
            if (strcmp(o->name, "target") == 0)
                assert_int_equal(known->per_instance, o->fallback == NULL);
        }
        assert_ptr_equal(probe_find((*row)->name), *row);
    }
    for (const struct capability *c = capabilities(&count); count > 0; c++, count--)
        assert_true(c->kind != DRIVER_PROBE || probe_find(c->name) != NULL);
}

static void a_probe_says_how_long_it_may_settle(void **state)
{
    struct driver_world world;

    (void)state;
    driver_world_open(&world,
                      "probes:\n  - {name: looked, driver: tcp, target: shop, settle: 5s}\n");
    assert_int_equal(probe_settle_ms(world.env.settings, "looked"), 5000);
    assert_int_equal(probe_settle_ms(world.env.settings, "who"), 0);
    driver_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_keeps_the_contract),
        cmocka_unit_test(http_fails_on_each_thing_that_is_not_as_wanted),
        cmocka_unit_test(what_others_say_is_fit_for_a_record),
        cmocka_unit_test(version_keeps_the_contract),
        cmocka_unit_test(without_a_wanted_version_there_is_nothing_to_pass),
        cmocka_unit_test(command_keeps_the_contract),
        cmocka_unit_test(metric_keeps_the_contract),
        cmocka_unit_test(flag_keeps_the_contract),
        cmocka_unit_test(a_probe_that_is_not_configured_is_an_error),
        cmocka_unit_test(wrong_options_are_told_before_anything_runs),
        cmocka_unit_test(the_readers_of_files_know_the_same_probes),
        cmocka_unit_test(a_probe_says_how_long_it_may_settle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
