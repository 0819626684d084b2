#include "common/base/text.h"
#include "common/config/feature.h"
#include "common/wire/digest.h"
#include "tests/support/edited.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char path[] = "deploy/example/feature.yaml";
static const char digest[] =
    "digest: sha256:1111111111111111111111111111111111111111111111111111111111111111";

struct fixture {
    struct arena arena;
    struct yaml_problems problems;
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

static void write_file(struct arena *arena, const char *folder, const char *name)
{
    FILE *const file = fopen(arena_printf(arena, "%s/%s", folder, name), "wb");

    assert_non_null(file);
    (void)fputs(name, file);
    (void)fclose(file);
}

static void make_folder(struct arena *arena, const char *folder, const char *name)
{
    assert_int_equal(mkdir(arena_printf(arena, "%s/%s", folder, name), 0700), 0);
}

static void the_example_reads_and_measures_its_files(void **state)
{
    struct fixture *const fixture = *state;
    struct arena *const arena = &fixture->arena;
    char folder[] = "/tmp/slipway-feature-XXXXXX";
    const char *const text = edited_file(arena, path, "", "");
    const Pb__AcceptanceSignedOff *acceptance;
    char hex[DIGEST_HEX_SIZE];
    struct error error = { 0 };

    assert_non_null(mkdtemp(folder));
    make_folder(arena, folder, "migrations");
    make_folder(arena, folder, "config");
    make_folder(arena, folder, "config/r2");
    make_folder(arena, folder, "shop");
    write_file(arena, folder, "migrations/0002.sql");
    write_file(arena, folder, "config/r2/shop.yaml");
    write_file(arena, folder, "shop/1.1");
    acceptance =
        feature_read(arena, "feature.yaml", text, strlen(text), folder, &fixture->problems);
    if (acceptance == NULL)
        fail_msg("%s", fixture->problems.item[0].message);
    assert_int_equal(fixture->problems.warnings, 0);
    assert_string_equal(acceptance->feature, "express-pay");
    assert_int_equal(acceptance->n_artifacts, 3);
    assert_int_equal(acceptance->artifacts[0]->kind, PB__ARTIFACT_KIND__MIGRATION);
    assert_int_equal(acceptance->rollout[2]->percent, 50);
    assert_int_equal(acceptance->rollout[0]->min_ms, 300);
    assert_int_equal(acceptance->report->signoffs[0]->at_ms, 1795168800000);
    digest_sha256("shop/1.1", 8, hex);
    assert_string_equal(acceptance->artifacts[2]->digest->value, hex);
    assert_int_equal(digest_tree(arena_printf(arena, "%s/config/r2", folder), hex, &error),
                     ERR_OK);
    assert_string_equal(acceptance->artifacts[1]->digest->value, hex);
    assert_int_equal(unlink(arena_printf(arena, "%s/shop/1.1", folder)), 0);
    assert_null(
        feature_read(arena, "feature.yaml", text, strlen(text), folder, &fixture->problems));
    assert_non_null(strstr(fixture->problems.item[0].message, "artifacts[2].digest is auto: "));
    assert_int_equal(unlink(arena_printf(arena, "%s/migrations/0002.sql", folder)), 0);
    assert_int_equal(unlink(arena_printf(arena, "%s/config/r2/shop.yaml", folder)), 0);
    (void)rmdir(arena_printf(arena, "%s/shop", folder));
    (void)rmdir(arena_printf(arena, "%s/migrations", folder));
    (void)rmdir(arena_printf(arena, "%s/config/r2", folder));
    (void)rmdir(arena_printf(arena, "%s/config", folder));
    (void)rmdir(folder);
}

struct mistake {
    const char *was;
    const char *now;
    const char *at; /* Where it must be told: the first place with this text. */
    const char *says;
    const char *expected;
};

/* clang-format off */
static const struct mistake mistakes[] = {
    { "feature: express-pay", "feature: Express Pay", "Expres", "feature is Express Pay", "lower-case letters, digits, - and ., at most 63" },
    { "feature: express-pay", "feature: express.pay", "expres", "feature is express.pay", "no dot: attempts are named feature.n" },
    { "environment: production", "enviroment: production", "enviro", "enviroment is not known here", "did you mean environment?" },
    { "services: [shop]", "services: []", "[]\ntic", "services is missing", "the services it changes" },
    { "approach: canary ", "approach: big-bang ", "big-ba", "approach is big-bang", "one of: blue-green, canary, rolling" },
    { "accepted: true", "accepted: yes", "yes\n  ", "acceptance.accepted is yes", "true or false" },
    { "https://wiki.example/acceptance", "javascript:alert(1)", "\"javas", "acceptance.report.link is javascript:alert(1)/express-pay", "an address that begins with https://" },
    { "digest: sha256:0000", "digest: sha256:00zz", "sha256", "acceptance.report.digest is sha256:00zz000000000000000000000000000000000000000000000000000000000000", "sha256: and 64 hexadecimal digits" },
    { "at: \"2026-11-20T10:00:00Z\"", "at: \"20.11.2026\"", "\"20.11", "acceptance.signoffs[0].at is 20.11.2026", "a time such as \"2026-11-20T10:00:00Z\"" },
    { "kind: migration", "kind: migraton", "migrat", "artifacts[0].kind is migraton", "one of: infrastructure, third_party, migration, configuration, environment, flag_definition, backend, middleware, frontend" },
    { "kind: migration, ", "", "{name:", "artifacts[0].kind is missing", "one of: infrastructure, third_party, migration, configuration, environment, flag_definition, backend, middleware, frontend" },
    { "target: shop-db, on_rollback: revert", "target: shop-db", "{kind:", "artifacts[0].on_rollback is missing", "one of: revert, keep, manual (manual is a point of no return)" },
    { "target: shop-db, on_rollback: revert", "target: shop-db, on_rollback: undo", "undo}\n", "artifacts[0].on_rollback is undo", "one of: revert, keep, manual" },
    { "target: shop-db, on_rollback: revert", "target: shop-db, on_rollback: manual", "{kind:", "artifacts[0].way_back is missing", "what a person does to go back" },
    { "source: migrations/0002.sql", "source: ../0002.sql", "../000", "artifacts[0].source is ../0002.sql", "a path below the target's artifact root, without .." },
    { "source: migrations/0002.sql", "source: /etc/passwd", "/etc/p", "artifacts[0].source is /etc/passwd", "a path below the target's artifact root, without .." },
    { "source: migrations/0002.sql", "source: a//b", "a//b, ", "artifacts[0].source is a//b", "a path below the target's artifact root, without .." },
    { "version: r2, ", "", "{kind: c", "artifacts[1].version is missing", "its version" },
    { "percent: 10,", "percent: 4,", "4, min", "rollout[1].percent is 4, below stage 1 (5)", "more than 5, at most 100" },
    { "percent: 10,", "percent: 5,", "5, min", "rollout[1].percent is 5, as in stage 1", "more than 5, at most 100" },
    { "percent: 10,", "percent: 100,", "50, mi", "rollout[2].percent is 50, below stage 2 (100)", "no stage after the one with 100" },
    { "percent: 5,", "percent: 0,", "0, aud", "rollout[0].percent is 0", "more than 0, at most 100" },
    { "percent: 5,", "percent: 500,", "500, a", "rollout[0].percent is 500", "a whole number from 0 to 100" },
    { "audience: \"group=staff\"", "audience: staff", "staff,", "rollout[0].audience is staff", "key=value, such as group=staff" },
    { "min_time: 300ms, min_samples: 0", "min_time: 30d, min_samples: 0", "30d, m", "rollout[0].min_time is 2592000000 ms", "at most 14 days" },
    { "- {key: express-pay,", "- {key: express-pay}\n  - {key: express-pay,", "express-pay,", "flags[1].key is express-pay, as in flags[0]", "each flag once" },
    { "metrics: []", "metrics: [{name: p95, source: s, query: q}]", "{name: p", "metrics[0] has no limit", "at_most or at_least" },
    { "kind: runbook", "kind: playbook", "playbo", "documents[3].kind is playbook", "one of: deployment_steps, configuration, rollback, runbook, requirements, observability" },
    { "failed: 0, link: \"https://ci.example/1\"", "failed: none", "none}\n", "test_results[0].failed is none", "a whole number" },
    { "checks: []", "checks: [{check: smoke.api}]", "{check", "checks[0] has no answer", "one of: probe, attest, not_applicable" },
    { "unknowns: []", "unknown: []", "unknow", "unknown is not known here", "did you mean unknowns?" },
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
    const char *const text = edited_text(
        &arena, edited_file(&arena, path, mistake->was, mistake->now), "digest: auto", digest);
    const char *const wanted = arena_printf(&arena,
                                            "%s: %s (%s)",
                                            place_of(&arena, text, strstr(text, mistake->at)),
                                            mistake->says,
                                            mistake->expected);
    bool found = false;

    assert_null(feature_read(&arena, path, text, strlen(text), NULL, &problems));
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
    struct fixture *const fixture = *state;
    const char *const text =
        edited_text(&fixture->arena,
                    edited_file(&fixture->arena, path, "version: \"1.1\", ", ""),
                    "digest: auto",
                    digest);

    assert_null(
        feature_read(&fixture->arena, path, text, strlen(text), NULL, &fixture->problems));
    assert_int_equal(fixture->problems.errors, 1);
    assert_string_equal(fixture->problems.item[0].message, "artifacts[2].version is missing");
}

static void auto_is_refused_where_the_files_are_not(void **state)
{
    struct fixture *const fixture = *state;
    const char *const text = edited_file(&fixture->arena, path, "", "");

    assert_null(
        feature_read(&fixture->arena, path, text, strlen(text), NULL, &fixture->problems));
    assert_int_equal(fixture->problems.errors, 3);
    assert_string_equal(fixture->problems.item[0].message,
                        "artifacts[0].digest is auto: it only works where the files are");
}

static void auto_never_looks_outside_its_folder(void **state)
{
    struct fixture *const fixture = *state;
    const char *const text = edited_file(
        &fixture->arena, path, "source: migrations/0002.sql", "source: ../../etc/passwd");

    assert_null(
        feature_read(&fixture->arena, path, text, strlen(text), "/tmp", &fixture->problems));
    for (size_t i = 0; i < fixture->problems.count; i++)
        assert_null(strstr(fixture->problems.item[i].message, "artifacts[0].digest is auto"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_example_reads_and_measures_its_files),
        T(every_mistake_is_told_with_its_place),
        T(a_mistake_is_told_once),
        T(auto_is_refused_where_the_files_are_not),
        T(auto_never_looks_outside_its_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
