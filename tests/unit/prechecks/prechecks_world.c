#include "tests/unit/prechecks/prechecks_world.h"

#include "common/adapters/posix/posix.h"
#include "common/drivers/deployers/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REPORT "All criteria are met.\n"
#define ALERT_RULES                                                                            \
    "{\"status\":\"success\",\"data\":{\"groups\":[{\"rules\":["                               \
    "{\"type\":\"alerting\",\"name\":\"ShopDown\",\"health\":\"ok\"}]}]}}"

/* clang-format off */
static const char settings_text[] =
    "kafka: {brokers: \"127.0.0.1:9\"}\n"
    "redis: {host: 127.0.0.1}\n"
    "security: {keys: keys, tokens: tokens.yaml}\n"
    "gateway: {listen: \"127.0.0.1:8080\", public_url: \"http://gateway\", peers: [\"http://gateway\"]}\n"
    "links: [\"http://wiki/\"]\n"
    "providers:\n"
    "  - {name: builtin, driver: builtin, timeout: 2s}\n"
    "environments:\n"
    "  - {name: production, policy: quick, provider: builtin}\n"
    "policies:\n"
    "  - name: quick\n"
    "    approach: rolling\n"
    "    signoffs:\n"
    "      - {role: lead, step: 2, what: execution}\n"
    "      - {role: lead, step: 3, what: validation}\n"
    "      - {role: lead, step: 6, what: monitoring}\n"
    "roles:\n"
    "  - {name: lead, members: [tess]}\n"
    "alerts:\n"
    "  - {alert: ShopErrors, direct: false}\n"
    "  - {alert: ShopDown, source: prom}\n"
    "targets:\n"
    "  - name: shop\n"
    "    service: shop\n"
    "    environment: production\n"
    "    artifact_root: artifacts\n"
    "    deployer: {driver: release-directory, restart: [/bin/true]}\n"
    "    instances:\n"
    "      - {name: shop-1, url: \"http://shop-1\", directory: one}\n"
    "      - {name: shop-2, url: \"http://shop-2\", directory: two}\n"
    "  - name: shop-config\n"
    "    service: shop\n"
    "    environment: production\n"
    "    artifact_root: artifacts\n"
    "    deployer: {driver: release-directory, restart: [/bin/true]}\n"
    "    instances:\n"
    "      - {name: shop-config, directory: config}\n"
    "  - name: shop-db\n"
    "    service: shop\n"
    "    environment: production\n"
    "    artifact_root: artifacts\n"
    "    deployer: {driver: command, observe: [/bin/echo], apply: [/bin/true], revert: [/bin/true]}\n"
    "    instances:\n"
    "      - {name: shop-db}\n"
    "probes:\n"
    "  - {name: shop-version, driver: version, target: shop, url: \"{url}/version\", timeout: 2s}\n"
    "metric_sources:\n"
    "  - {name: shop-metrics, driver: scrape, target: shop, path: /metrics, timeout: 2s}\n"
    "  - {name: prom, driver: prometheus, url: \"http://prom\", timeout: 2s}\n";
/* clang-format on */

const char *world_path(struct world *world, const char *path)
{
    return arena_printf(&world->arena, "%s/%s", world->root, path);
}

void world_put(struct world *world, const char *path, const char *content)
{
    FILE *const file = fopen(world_path(world, path), "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void world_folder(struct world *world, const char *path)
{
    struct error error = { 0 };

    assert_int_equal(disk_make_folder(world_path(world, path), &error), ERR_OK);
}

void world_answer(struct world *world, const char *url, int status, const char *body)
{
    memory_http_answer(world->http,
                       &(struct memory_http_answer){
                           .url = url,
                           .status = status,
                           .body = body,
                       });
}

static Pb__Digest *digest_new(struct world *world, const char *hex)
{
    Pb__Digest *const digest = pb_new(&world->arena, &pb__digest__descriptor);

    digest->algorithm = "sha256";
    digest->value = arena_text(&world->arena, hex);
    return digest;
}

Pb__Digest *world_digest(struct world *world, const char *text)
{
    char hex[DIGEST_HEX_SIZE];

    digest_sha256(text, strlen(text), hex);
    return digest_new(world, hex);
}

Pb__Change *world_change(struct world *world,
                         Pb__ArtifactKind kind,
                         const char *target,
                         const char *version,
                         const char *source)
{
    Pb__Change *const change = pb_new(&world->arena, &pb__change__descriptor);
    const char *const path =
        world_path(world, arena_printf(&world->arena, "artifacts/%s", source));
    char hex[DIGEST_HEX_SIZE];
    struct error error = { 0 };

    change->index = (uint32_t)world->asked->n_changes;
    change->kind = kind;
    change->target = target;
    change->service = "shop";
    change->artifact = source;
    change->version = version;
    change->source = source;
    change->on_rollback = PB__ON_ROLLBACK__REVERT;
    if (digest_tree(path, hex, &error) != ERR_OK)
        assert_int_equal(digest_file(path, hex, &error), ERR_OK);
    change->digest = digest_new(world, hex);
    PB_APPEND(&world->arena, world->asked, changes, change);
    return change;
}

static void add_document(struct world *world, const char *kind, const char *content)
{
    Pb__Document *const document = pb_new(&world->arena, &pb__document__descriptor);

    document->kind = kind;
    document->link = arena_printf(&world->arena, "http://wiki/%s", kind);
    document->digest = world_digest(world, content);
    PB_APPEND(&world->arena, world->asked, documents, document);
    world_answer(world, document->link, 200, content);
}

static void add_report(struct world *world)
{
    Pb__AcceptanceReport *const report =
        pb_new(&world->arena, &pb__acceptance_report__descriptor);
    Pb__AcceptanceSignature *const signoff =
        pb_new(&world->arena, &pb__acceptance_signature__descriptor);

    signoff->subject = "paula";
    signoff->role = "product-owner";
    signoff->at_ms = 1;
    report->link = "http://wiki/report";
    report->digest = world_digest(world, REPORT);
    report->criteria_met = true;
    report->accepted = true;
    PB_APPEND(&world->arena, report, criteria, "paying takes one click");
    PB_APPEND(&world->arena, report, signoffs, signoff);
    world->asked->report = report;
    world_answer(world, "http://wiki/report", 200, REPORT);
}

static void add_flag_and_stages(struct world *world)
{
    static const uint32_t percents[] = { 5, 50, 100 };
    Pb__FlagSpec *const flag = pb_new(&world->arena, &pb__flag_spec__descriptor);

    flag->key = "express-pay";
    PB_APPEND(&world->arena, world->asked, flags, flag);
    for (size_t i = 0; i < 3; i++) {
        Pb__Stage *const stage = pb_new(&world->arena, &pb__stage__descriptor);
        Pb__CheckSpec *const check = pb_new(&world->arena, &pb__check_spec__descriptor);

        stage->name = "stage";
        stage->percent = percents[i];
        check->required = true;
        check->metric = pb_new(&world->arena, &pb__metric_criterion__descriptor);
        PB_APPEND(&world->arena, stage, checks, check);
        PB_APPEND(&world->arena, world->asked, stages, stage);
    }
}

static void fill(struct world *world)
{
    Pb__Link *const dashboard = pb_new(&world->arena, &pb__link__descriptor);

    world_folder(world, "artifacts");
    world_folder(world, "artifacts/shop");
    world_folder(world, "artifacts/r2");
    world_put(world, "artifacts/shop/shop.py", "print('1.1')\n");
    world_put(world, "artifacts/r2/shop.yaml", "greeting: hello\n");
    world_put(world, "artifacts/0002.sql", "-- 2\n");
    world_put(world, "artifacts/0003.sql", "-- 3\n");
    add_report(world);
    add_document(world, "deployment_steps", "1. deploy\n");
    add_document(world, "configuration", "none\n");
    add_document(world, "rollback", "slipway rollback\n");
    add_document(world, "runbook", "call olga\n");
    (void)world_change(world, PB__ARTIFACT_KIND__MIGRATION, "shop-db", "2", "0002.sql");
    (void)world_change(world, PB__ARTIFACT_KIND__MIGRATION, "shop-db", "3", "0003.sql");
    (void)world_change(world, PB__ARTIFACT_KIND__CONFIGURATION, "shop-config", "r2", "r2");
    (void)world_change(world, PB__ARTIFACT_KIND__BACKEND, "shop", "1.1", "shop");
    add_flag_and_stages(world);
    dashboard->url = "http://wiki/dashboard";
    PB_APPEND(&world->arena, world->asked, dashboards, dashboard);
}

/* Rows at the end: what a test has prepared answers first. */
static void answer_the_rest(struct world *world)
{
    world_answer(world, "http://wiki/dashboard", 200, "graphs");
    world_answer(world, "http://prom/api/v1/rules?type=alert", 200, ALERT_RULES);
    world_answer(world, "http://gateway/*flags*", 404, "");
    world_answer(world, "http://gateway/*", 200, "{}");
    world_answer(world, "http://shop-?/metrics", 200, "shop_requests_total 10\n");
}

static void read_settings(struct world *world)
{
    struct yaml_problems *const problems = arena_alloc(&world->arena, sizeof *problems);

    problems->arena = &world->arena;
    world->service.settings = settings_read(&world->arena,
                                            world_path(world, "slipway.yaml"),
                                            settings_text,
                                            strlen(settings_text),
                                            problems);
    for (size_t i = 0; i < problems->count; i++)
        if (!problems->item[i].warning)
            fail_msg("%d: %s", problems->item[i].line, problems->item[i].message);
    world->config_hash = world->service.settings->hash;
}

int world_open(void **state)
{
    struct world *const world = calloc(1, sizeof *world);
    struct error error = { 0 };

    (void)snprintf(world->root, sizeof world->root, "/tmp/prechecks-XXXXXX");
    assert_non_null(mkdtemp(world->root));
    world->arena = arena_with_limit(64 * 1024 * 1024);
    world->clock.now_ms = INT64_C(1795422240000);
    world->http = memory_http_new();
    world->asked = pb_new(&world->arena, &pb__run_checks__descriptor);
    read_settings(world);
    world->service.clock = memory_clock_port(&world->clock);
    world->service.process = posix_process_runner();
    world->space = memory_space_new(world->service.clock);
    world->ports.service = &world->service;
    world->ports.http = memory_http_client(world->http);
    world->ports.store = memory_store(world->space, (struct memory_faults){ 0 });
    if (prechecks_spec.open(&world->service, &world->ports.state, &error) != ERR_OK)
        fail_msg("%s", error.text);
    fill(world);
    *state = world;
    return 0;
}

void world_sign(struct world *world)
{
    struct settings *const settings = arena_alloc(&world->arena, sizeof *settings);

    *settings = *world->service.settings;
    settings->security.artifact_key = "key.pem";
    settings->security.acceptance_key = "key.pem";
    world->service.settings = settings;
    world->signing = signing_new("ED25519", world_path(world, "key.pem"));
    for (size_t i = 0; i < world->asked->n_changes; i++) {
        const Pb__Change *const change = world->asked->changes[i];

        world_put(world,
                  arena_printf(&world->arena, "artifacts/%s.sig", change->source),
                  signing_text(world->signing, &world->arena, change->digest->value));
    }
    world_answer(
        world,
        "http://wiki/report.sig",
        200,
        signing_text(world->signing, &world->arena, world->asked->report->digest->value));
}

int world_close(void **state)
{
    struct world *const world = *state;
    struct error error = { 0 };

    if (world->signing != NULL)
        signing_free(world->signing);
    prechecks_spec.close(world->ports.state);
    world->ports.http.close(world->ports.http.self);
    world->ports.store.close(world->ports.store.self);
    memory_http_free(world->http);
    memory_space_free(world->space);
    assert_int_equal(disk_remove(NULL, world->root, &error), ERR_OK);
    arena_release(&world->arena);
    free(world);
    return 0;
}

Pb__CheckSpec *world_check(struct world *world, const char *id, const char *kind)
{
    Pb__CheckSpec *const check = pb_new(&world->arena, &pb__check_spec__descriptor);

    check->id = id;
    check->kind = kind;
    check->required = true;
    check->remedy = "do something about it";
    PB_APPEND(&world->arena, world->asked, checks, check);
    return check;
}

void world_metric(struct world *world, Pb__CheckSpec *check, const char *query)
{
    Pb__MetricCriterion *const metric =
        pb_new(&world->arena, &pb__metric_criterion__descriptor);

    metric->name = query;
    metric->source = "shop-metrics";
    metric->query = query;
    metric->comparison = PB__COMPARISON__AT_MOST;
    PB_APPEND(&world->arena, check, metrics, metric);
}

void world_deploy(struct world *world, const char *instance, const char *version)
{
    const char *const releases = arena_printf(&world->arena, "%s/releases", instance);
    const char *const release = arena_printf(&world->arena, "%s/%s-old", releases, version);
    struct error error = { 0 };

    world_folder(world, instance);
    world_folder(world, releases);
    world_folder(world, release);
    world_put(world, arena_printf(&world->arena, "%s/shop.py", release), version);
    assert_int_equal(
        disk_link(NULL,
                  world_path(world, arena_printf(&world->arena, "%s/current", instance)),
                  arena_printf(&world->arena, "releases/%s-old", version),
                  &error),
        ERR_OK);
}

static bool stopped(const struct worker_task *task)
{
    return ((const struct world *)task->runtime)->stop;
}

const Pb__TaskFinished *world_run(struct world *world)
{
    Pb__Command *const command = pb_new(&world->arena, &pb__command__descriptor);
    struct worker_task task = {
        .command = command,
        .arena = &world->arena,
        .result = pb_new(&world->arena, &pb__task_finished__descriptor),
        .stopped = stopped,
        .runtime = world,
    };
    struct error error = { 0 };
    unsigned steps = 0;

    answer_the_rest(world);
    command->environment = "production";
    command->config_hash = world->config_hash;
    command->body_case = PB__COMMAND__BODY_RUN_CHECKS;
    command->run_checks = world->asked;
    while (prechecks_spec.handlers[0].step(&world->ports, &task, &error) == WORKER_AGAIN)
        assert_true(steps++ < 100);
    return task.result;
}

const Pb__Finding *world_look(struct world *world, const char *id)
{
    const Pb__TaskFinished *result;

    (void)world_check(world, id, "builtin");
    result = world_run(world);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_int_equal(result->n_findings, world->asked->n_checks);
    return result->findings[result->n_findings - 1];
}

void world_expect(const Pb__Finding *finding, Pb__Verdict verdict, const char *said)
{
    if (finding->verdict != verdict || strstr(finding->observed, said) == NULL)
        fail_msg("%s is %s: %s",
                 finding->check,
                 pb_verdict_name(finding->verdict),
                 finding->observed);
    assert_string_equal(finding->remedy,
                        verdict == PB__VERDICT__PASS ? "" : "do something about it");
}
