#include "common/base/text.h"
#include "common/config/settings_read.h"
#include "tests/support/edited.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct arena arena;
    struct yaml_problems problems;
    const struct settings *settings;
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .arena = arena_with_limit(YAML_ARENA_SIZE) };
    fixture.problems.arena = &fixture.arena;
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *const fixture = *state;

    arena_release(&fixture->arena);
    return 0;
}

static void print_all(const struct fixture *fixture)
{
    struct text text = text_new(64 * 1024);

    yaml_print_problems(&fixture->problems, NULL, &text);
    print_message("%s", text.bytes);
    text_release(&text);
}

static void the_example_reads_without_a_problem(void **state)
{
    struct fixture *const fixture = *state;
    const struct settings *const settings =
        settings_load(&fixture->arena, "deploy/example/slipway.yaml", &fixture->problems);
    const struct setting_policy *policy;

    print_all(fixture);
    assert_int_equal(fixture->problems.errors + fixture->problems.warnings, 0);
    assert_non_null(settings);
    assert_string_equal(settings->kafka.brokers, "127.0.0.1:9092");
    assert_int_equal(settings->target_count, 3);
    assert_string_equal(settings_target(settings, "shop")->instances[1].name, "shop-2");
    assert_string_equal(settings_probe(settings, "shop-health")->target, "shop");
    policy = settings_policy(settings, "quick");
    assert_int_equal(policy->coverage_bp, 6000);
    assert_int_equal(policy->metrics[0]->limit_micro, 50000);
    assert_int_equal(policy->steps[4]->on_no_go, PB__ON_NO_GO__BLOCK);
    assert_int_equal(policy->steps[1]->max_age_ms, 600000);
    assert_string_equal(settings_path(settings, &fixture->arena, settings->security.keys),
                        "deploy/example/keys");
}

static const char path[] = "deploy/example/slipway.yaml";

struct mistake {
    const char *was; /* In the example. */
    const char *now;
    const char *at; /* Where it must be told: the first place with this text. */
    const char *says;
    const char *expected;
};

/* clang-format off */
static const struct mistake mistakes[] = {
    { "  brokers: 127.0.0.1:9092\n", "", "partit", "kafka.brokers is missing", "addresses of brokers, separated by commas" },
    { "partitions: 4", "partitions: none", "none\n ", "kafka.partitions is none", "a whole number" },
    { "partitions: 4", "partitions: 0", "0\n  re", "kafka.partitions is 0", "1 to 1000" },
    { "replication: 1\n", "replication: 1\n  min_insync: 2\n", "2\n  man", "kafka.min_insync is 2", "1 to 1" },
    { "session: 6s", "session: 6", "6\n  pr", "kafka.session is 6", "a duration such as 250ms, 30s, 5m, 24h, 7d" },
    { "properties: {}", "properties: []", "[]    ", "kafka.properties is no mapping of at most 100 entries", "names and values of librdkafka" },
    { "host: 127.0.0.1", "host: rediss://redis", "rediss", "redis.host is a URL", "Slipway speaks no TLS to Redis: let stunnel listen on loopback and name it in redis.host and redis.port, or use redis.socket" },
    { "port: 6379", "port: 66000", "66000\n", "redis.port is 66000", "1 to 65535" },
    { "public_url:", "public_uri:", "public", "gateway.public_uri is not known here", "did you mean public_url?" },
    { "members: [tess]", "members: []", "{name:", "roles[0] has no members", "at least one member" },
    { "name: devops-lead, members", "name: technical-lead, members", "technical-lead, members: [d", "roles[1].name is technical-lead, which an earlier one has", "each name once" },
    { "policy: quick,", "policy: quik,", "quik, ", "environments[0].policy is quik, but there is no such policy", "did you mean quick?" },
    { "provider: builtin}", "provider: other}", "other}", "environments[0].provider is other, but there is no such provider", "" },
    { "  - name: shop\n", "  - name: Shop\n", "Shop\n ", "targets[0].name is Shop", "lower-case letters, digits, - and ., at most 63" },
    { "environment: production\n    artifact_root", "environment: prod\n    artifact_root", "prod\n    a", "targets[0].environment is prod, but there is no such environment", "did you mean production?" },
    { "driver: release-directory\n      restart: [", "driver: release-dir\n      restart: [", "release-d", "targets[0].deployer.driver is release-dir, but there is no such driver", "did you mean release-directory?" },
    { "artifact_root: artifacts\n    deployer:\n      driver: command", "artifact_root: artifacts\n    deployr:\n      driver: command", "name: shop-d", "targets[2].deployer is missing", "driver: ..." },
    { "{name: shop-1, url:", "{name: shop-1, side: red, url:", "red, u", "targets[0].instances[0].side is red", "one of: blue, green" },
    { "{name: shop-1, url:", "{name: shop-1, side: blue, url:", "- {name: s", "targets[0].instances: 1 blue, 0 green of 4", "blue and green ones, or no side at all" },
    { "{name: shop-2, url:", "{name: shop-1, url:", "shop-1, url: \"http://127.0.0.1:8102", "targets[0].instances[1].name is shop-1, which an earlier one has", "each name once" },
    { "driver: tcp, target: shop,", "driver: tcp, target: shob,", "shob, ", "probes[1].target is shob, but there is no such target", "did you mean shop?" },
    { "driver: version, target: shop,", "driver: version,", "{name: shop-v", "probes[2].target is missing; version asks its instances", "the name of a target" },
    { "driver: http, target: shop, url: \"{url}/healthz\"", "driver: htpp, target: shop, url: \"{url}/healthz\"", "htpp, ", "probes[0].driver is htpp, but there is no such driver", "did you mean http?" },
    { "days: [mon,", "days: [monday,", "[monda", "windows[0].days names monday", "one of: mon, tue, wed, thu, fri, sat, sun" },
    { "from: \"00:00\", to", "from: \"25:00\", to", "\"25:00", "windows[0].from is 25:00", "hour and minute, such as 08:30, in quotes" },
    { "zone: UTC", "zone: Europe/Atlantis", "Europe", "windows[0].zone: Europe/Atlantis is no known time zone", "a name such as Europe/Berlin" },
    { "freezes: []", "freezes: [{id: x, scope: all, reason: r, from: \"2026-01-01T00:00:00Z\", to: \"2026-01-02T00:00:00Z\"}]", "all, r", "freezes[0].scope is all", "production/* or production/checkout" },
    { "freezes: []", "freezes: [{id: x, scope: production/*, reason: r, from: tomorrow, to: \"2026-01-02T00:00:00Z\"}]", "tomorr", "freezes[0].from is tomorrow", "a time such as \"2026-11-26T18:00:00Z\"" },
    { "freezes: []", "freezes: [{id: x, scope: production/*, reason: r, from: \"2026-01-03T00:00:00Z\", to: \"2026-01-02T00:00:00Z\"}]", "\"2026-01-02", "freezes[0] ends before it begins", "a later time" },
    { "direct: false", "direct: maybe", "maybe}", "alerts[0].direct is maybe", "true or false" },
    { "approach: canary\n", "approach: canary-ish\n", "canary", "policies[0].approach is canary-ish", "one of: blue-green, canary, rolling" },
    { "batch_size: 3", "batch_size: 0", "0\n    ", "policies[0].batch_size is 0", "more than 0" },
    { "- {role: technical-lead, needed: 1}", "- {role: tech-lead, needed: 1}", "tech-l", "policies[0].approvals[0].role is tech-lead, but there is no such role", "" },
    { "- {role: technical-lead, needed: 1}", "- {role: technical-lead, needed: 2}", "2}\n      - {r", "policies[0].approvals[0] needs 2 of technical-lead, which has 1", "no more than the role has members" },
    { "step: 6, what", "step: 5, what", "5, wha", "policies[0].signoffs[2].step is 5", "one of: 2, 3, 6" },
    { "      - {role: operations-lead, step: 6, what: monitoring}\n", "", "- {role: devops-lead, s", "policies[0].signoffs has none for step 6", "{role: ..., step: 2}, 3 and 6" },
    { "windows: [always]", "windows: [allways]", "allway", "policies[0].windows[0] is allways, but there is no such window", "did you mean always?" },
    { "on_freeze: hold", "on_freeze: finish", "finish\n    w", "policies[0].on_freeze is finish", "one of: hold, rollback" },
    { "observe: 3s", "observe: 0s", "0s\n    s", "policies[0].observe is 0", "more than 0" },
    { "sample_every: 200ms", "sample_every: 200s", "200s\n ", "policies[0].sample_every is longer than step 6", "less than observe" },
    { "coverage: 60%", "coverage: 60", "60  ", "policies[0].coverage is 60", "more than 0 %, at most 100 %" },
    { "{input: 24h,", "{input: 0s,", "0s, re", "policies[0].deadlines.input is 0", "more than 0" },
    { "4: {deadline: 2h, task: 60s, on_no_go: block,", "4: {deadline: 2h, task: 60s, on_no_go: wait,", "wait, ", "policies[0].steps.4.on_no_go is wait", "one of: stop, block" },
    { "6: {deadline: 48h, task: 60s,", "6: {deadline: 48h, task: 60s, on_no_go: block,", "on_no_go: block, blocked: 4h}\n      7", "policies[0].steps.6.on_no_go is not known here", "" },
    { "3: {deadline: 10m, task: 60s,", "3: {deadline: 10m, task: 60m,", "{deadline: 1", "policies[0].steps.3: one task may take longer than the whole step", "task no longer than deadline" },
    { "6: {deadline: 48h,", "6: {max_age: 3s, deadline: 48h,", "max_age: 3", "policies[0].steps.6.max_age is not known here", "" },
    { "retry: {drives: 3,", "retry: {drives: 0,", "0, fir", "policies[0].retry.drives is 0", "more than 0" },
    { "source: shop-metrics, query: \"increase", "source: shop-metric, query: \"increase", "shop-metric,", "policies[0].metrics[0].source is shop-metric, but there is no such metric source", "did you mean shop-metrics?" },
    { "at_most: 0.05", "at_most: 0.0000001", "0.0000", "policies[0].metrics[0].at_most is 0.0000001", "a decimal number with at most six places, such as 0.01" },
    { "at_most: 0.05", "at_most: 0.05, at_least: 0", "{name: e", "policies[0].metrics[0] has more than one limit", "at_most or at_least" },
    { "no_data: holds", "no_data: ignores", "ignore", "policies[0].metrics[0].no_data is ignores", "one of: holds, fails" },
    { "{channel: mail, purpose", "{channel: maill, purpose", "maill,", "policies[0].channels[12].channel is maill, but there is no such channel", "did you mean mail?" },
    { "check: smoke.api, probe: shop-order", "check: smoke.api, probe: shop-oder", "shop-od", "policies[0].checks[9].probe is shop-oder, but there is no such probe", "did you mean shop-order?" },
    { "check: smoke.api, probe: shop-order", "check: smoke.api, attest: boss", "boss}\n", "policies[0].checks[9].attest is boss, but there is no such role", "" },
    { "check: smoke.api, probe: shop-order", "check: smoke.api", "{check: smoke.a", "policies[0].checks[9] has no answer", "one of: probe, attest, not_applicable" },
    { "check: smoke.api, probe: shop-order", "check: smoke.api, probe: shop-order, attest: technical-lead", "{check: smoke.a", "policies[0].checks[9] has more than one answer", "one of: probe, attest, not_applicable" },
};
/* clang-format on */

/* "line:column" of that place in a text. */
static const char *place_of(struct arena *arena, const char *text, const char *place)
{
    int line = 1, column = 1;

    for (const char *c = text; c < place; c++) {
        line += *c == '\n';
        column = *c == '\n' ? 1 : column + 1;
    }
    return arena_printf(arena, "%d:%d", line, column);
}

/* "line:column: message (expected)" of a problem. */
static const char *told(struct arena *arena, const struct yaml_problem *problem)
{
    return arena_printf(arena,
                        "%d:%d: %s (%s)",
                        problem->line,
                        problem->column,
                        problem->message,
                        problem->expected);
}

/* Prints what was told instead, so that one run shows all that differs. */
static bool is_told(const struct mistake *mistake)
{
    struct arena arena = arena_with_limit(YAML_ARENA_SIZE);
    struct yaml_problems problems = { .arena = &arena };
    const char *const text = edited_file(&arena, path, mistake->was, mistake->now);
    const char *const wanted = arena_printf(&arena,
                                            "%s: %s (%s)",
                                            place_of(&arena, text, strstr(text, mistake->at)),
                                            mistake->says,
                                            mistake->expected);
    bool found = false;

    assert_null(settings_read(&arena, path, text, strlen(text), &problems));
    for (size_t i = 0; i < problems.count; i++)
        found = found || strcmp(told(&arena, &problems.item[i]), wanted) == 0;
    if (!found)
        print_error("wanted  %s\nfirst   %s\n", wanted, told(&arena, &problems.item[0]));
    arena_release(&arena);
    return found;
}

static void every_mistake_is_told_with_its_place(void **state)
{
    size_t told_count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        told_count += is_told(&mistakes[i]);
    assert_int_equal(told_count, sizeof mistakes / sizeof mistakes[0]);
}

static void a_mistake_is_told_once(void **state)
{
    static const struct {
        const char *was;
        const char *now;
    } edits[] = {
        { "{name: release-engineer, members: [rel]}", "release-engineer" },
        { "zone: UTC", "zone: [UTC]" },
        { "source: shop-metrics, query: \"increase(shop_errors",
          "query: \"increase(shop_errors" },
        { "canary_instances: 1", "canary_instances: one" },
        { "driver: tcp, ", "" },
    };

    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        struct fixture *const fixture = *state;
        const char *const text = edited_file(&fixture->arena, path, edits[i].was, edits[i].now);

        fixture->problems = (struct yaml_problems){ .arena = &fixture->arena };
        assert_null(
            settings_read(&fixture->arena, path, text, strlen(text), &fixture->problems));
        if (fixture->problems.errors != 1)
            print_all(fixture);
        assert_int_equal(fixture->problems.errors, 1);
    }
}

static void nearly_nothing_is_enough(void **state)
{
    static const char text[] = "kafka: {brokers: b}\n";
    struct fixture *const fixture = *state;
    const struct settings *const settings =
        settings_read(&fixture->arena, "s", text, strlen(text), &fixture->problems);

    print_all(fixture);
    assert_non_null(settings);
    assert_string_equal(settings->redis.host, "127.0.0.1");
    assert_string_equal(settings->redis.prefix, "slipway:");
    assert_int_equal(settings->kafka.replication, 3);
    assert_int_equal(settings->kafka.min_insync, 2);
    assert_int_equal(settings->gateway.peers.count, 1);
    assert_string_equal(settings_path(settings, &fixture->arena, "keys"), "keys");
}

static void a_policy_has_defaults_that_stop(void **state)
{
    static const char text[] =
        "kafka: {brokers: b}\nroles: [{name: r, members: [a]}]\npolicies:\n"
        "  - name: p\n    signoffs: [{role: r, step: 2}, {role: r, step: 3},"
        " {role: r, step: 6}]\n";
    struct fixture *const fixture = *state;
    const struct settings *const settings =
        settings_read(&fixture->arena, "s", text, strlen(text), &fixture->problems);
    const struct setting_policy *policy;

    print_all(fixture);
    assert_non_null(settings);
    policy = settings_policy(settings, "p");
    assert_int_equal(policy->steps[2]->on_no_go, PB__ON_NO_GO__STOP);
    assert_int_equal(policy->steps[3]->on_no_go, PB__ON_NO_GO__STOP);
    assert_int_equal(policy->steps[4]->on_no_go, PB__ON_NO_GO__STOP);
    assert_int_equal(policy->steps[5]->on_no_go, PB__ON_NO_GO__BLOCK);
    assert_int_equal(policy->observe_ms, 24 * 3600 * 1000);
    assert_int_equal(policy->steps[1]->retry->drives, 3);
    assert_true(policy->require_flags);
    assert_int_equal(policy->on_closed_window, PB__ON_CLOSED_WINDOW__FINISH);
    assert_int_equal(policy->on_freeze, PB__ON_CLOSED_WINDOW__HOLD);
}

static const char *hash_of(struct fixture *fixture, const char *text)
{
    const struct yaml_node *const root =
        yaml_parse(&fixture->arena, "s", text, strlen(text), &fixture->problems);
    char *const hash = arena_alloc(&fixture->arena, DIGEST_HEX_SIZE);

    assert_non_null(root);
    settings_hash(root, hash);
    return hash;
}

static void the_hash_tells_values_apart_and_no_more(void **state)
{
    const char *const hash = hash_of(*state, "kafka: {brokers: b}\nlinks: [a, bc]\n");

    assert_string_equal(hash,
                        hash_of(*state, "# Ours\nkafka:\n  brokers: b\nlinks: [a, bc]\n"));
    assert_string_not_equal(hash, hash_of(*state, "kafka: {brokers: c}\nlinks: [a, bc]\n"));
    assert_string_not_equal(hash, hash_of(*state, "kafka: {brokers: b}\nlinks: [ab, c]\n"));
    assert_string_not_equal(hash, hash_of(*state, "kafka: {brokers: b}\nlinks: [abc]\n"));
    assert_string_not_equal(hash, hash_of(*state, "kafka: {brokers: b}\nlinks: {a: bc}\n"));
    assert_string_not_equal(hash, hash_of(*state, "kafka: {brokers: b, links: [a, bc]}\n"));
}

static void as_whom_a_service_speaks_to_others_is_not_in_the_hash(void **state)
{
    assert_string_equal(
        hash_of(*state, "kafka: {brokers: b}\nredis: {host: h}\n"),
        hash_of(*state,
                "kafka: {brokers: b, properties: {sasl.username: executor}}\n"
                "redis: {host: h, user: executor, password_file: executor.password}\n"));
}

static void a_file_that_is_not_there_is_a_problem(void **state)
{
    struct fixture *const fixture = *state;

    assert_null(settings_load(&fixture->arena, "no/such.yaml", &fixture->problems));
    assert_string_equal(fixture->problems.item[0].file, "no/such.yaml");
    assert_string_equal(fixture->problems.item[0].message, "No such file or directory");
}

static void write_secret(const char *name, const char *secret, mode_t mode)
{
    FILE *const file = fopen(name, "wb");

    assert_non_null(file);
    (void)fputs(secret, file);
    (void)fclose(file);
    assert_int_equal(chmod(name, mode), 0);
}

static void a_secret_others_may_read_is_refused_and_never_told(void **state)
{
    struct fixture *const fixture = *state;
    char name[] = "/tmp/slipway-secret-XXXXXX";
    const int descriptor = mkstemp(name);
    struct error error = { 0 };
    const char *secret = "untouched";

    assert_true(descriptor >= 0);
    (void)close(descriptor);
    write_secret(name, "hunter2\n", 0640);
    assert_int_equal(settings_secret(&fixture->arena, name, &secret, &error), ERR_DENIED);
    assert_string_equal(secret, "untouched");
    assert_null(strstr(error.text, "hunter2"));
    write_secret(name, "hunter2\n", 0600);
    assert_int_equal(settings_secret(&fixture->arena, name, &secret, &error), ERR_OK);
    assert_string_equal(secret, "hunter2");
    write_secret(name, "\n", 0600);
    assert_int_equal(settings_secret(&fixture->arena, name, &secret, &error), ERR_INVALID);
    (void)unlink(name);
    assert_int_equal(settings_secret(&fixture->arena, name, &secret, &error), ERR_NOT_FOUND);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_example_reads_without_a_problem),
        T(every_mistake_is_told_with_its_place),
        T(a_mistake_is_told_once),
        T(nearly_nothing_is_enough),
        T(a_policy_has_defaults_that_stop),
        T(the_hash_tells_values_apart_and_no_more),
        T(as_whom_a_service_speaks_to_others_is_not_in_the_hash),
        T(a_file_that_is_not_there_is_a_problem),
        T(a_secret_others_may_read_is_refused_and_never_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
