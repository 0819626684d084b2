#include "common/config/feature.h"
#include "common/planning/catalogue.h"
#include "tests/support/test.h"
#include "tests/unit/planning/example.h"

static void the_example_compiles(void **state)
{
    struct example *const example = *state;
    const Pb__PlanCompiled *const compiled = example_compile(example);
    const Pb__Plan *const plan = compiled->plan;

    for (size_t i = 0; i < compiled->n_missing; i++)
        print_message("%s: %s\n", compiled->missing[i]->input, compiled->missing[i]->remedy);
    assert_non_null(plan);
    assert_int_equal(plan->n_changes, 3);
    assert_int_equal(plan->changes[0]->kind, PB__ARTIFACT_KIND__MIGRATION);
    assert_int_equal(plan->changes[2]->n_batches, 2);
    assert_int_equal(plan->changes[2]->batches[0]->n_instances, 1);
    assert_int_equal(plan->changes[2]->batches[1]->n_instances, 3);
    assert_int_equal(plan->n_steps, 7);
    assert_int_equal(plan->n_stages, 4);
    assert_int_equal(strlen(compiled->plan_hash), 64);
}

static void the_same_inputs_give_the_same_hash(void **state)
{
    struct example *const example = *state;
    const Pb__PlanCompiled *const once = example_compile(example);
    const Pb__PlanCompiled *const again = example_compile(example);

    assert_string_equal(once->plan_hash, again->plan_hash);
    example->acceptance->title = "another";
    assert_string_not_equal(example_compile(example)->plan_hash, once->plan_hash);
}

/* Read feature.yaml with one thing changed into the example. */
static void change_feature(struct example *example, const char *was, const char *now)
{
    const char *const text = example_feature(&example->arena, was, now);

    example->acceptance = feature_read(
        &example->arena, "feature.yaml", text, strlen(text), NULL, &example->problems);
    if (example->acceptance == NULL)
        fail_msg("%s", example->problems.item[0].message);
}

static const Pb__Plan *plan_of(struct example *example)
{
    const Pb__PlanCompiled *const compiled = example_compile(example);

    if (compiled->plan == NULL)
        fail_msg("%s", compiled->missing[0]->remedy);
    return compiled->plan;
}

static const Pb__CheckSpec *find_check(Pb__CheckSpec *const *checks,
                                       size_t count,
                                       const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(checks[i]->id, id) == 0)
            return checks[i];
    fail_msg("no check %s", id);
    return NULL;
}

static const Pb__CheckSpec *step_check(const Pb__Plan *plan, unsigned step, const char *id)
{
    return find_check(plan->steps[step - 1]->checks, plan->steps[step - 1]->n_checks, id);
}

static void every_check_of_a_step_is_planned(void **state)
{
    const Pb__Plan *const plan = plan_of(*state);
    const struct check_row *rows;
    size_t count;

    rows = catalogue(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].step != 0 && rows[i].step != 2 && rows[i].step != 4 &&
            rows[i].answer != CHECK_METRIC)
            (void)step_check(plan, rows[i].step, rows[i].id);
    (void)step_check(plan, 4, "rollout.reviewed");
    (void)step_check(plan, 2, "apply.2.1");
    assert_int_equal(plan->n_input_checks, 2);
}

static void bind_probe(struct example *example, const char *check, const char *probe)
{
    Pb__CheckBinding *const binding = pb_new(&example->arena, &pb__check_binding__descriptor);

    binding->check = check;
    binding->probe = probe;
    PB_APPEND(&example->arena, example->acceptance, checks, binding);
}

static void changes_stand_in_the_order_of_the_procedure(void **state)
{
    static const char *const order[] = { "infrastructure", "third_party", "migration",
                                         "configuration",  "environment", "flag_definition",
                                         "backend",        "middleware",  "frontend" };
    struct example *const example = *state;
    const Pb__Plan *plan;

    example_settings(example,
                     "  - {name: shop-selfcheck,",
                     "  - {name: shop-digest, driver: command, argv: [check, \"{digest}\"]}\n"
                     "  - {name: shop-selfcheck,");
    example->acceptance = pb_clone(&example->arena, example->acceptance);
    example->acceptance->n_artifacts = 0;
    for (size_t i = 9; i > 0; i--) {
        Pb__Artifact *const artifact = pb_new(&example->arena, &pb__artifact__descriptor);

        artifact->kind = (Pb__ArtifactKind)i;
        artifact->name = order[i - 1];
        artifact->version = "1";
        artifact->source = "a";
        artifact->target = "shop-db";
        artifact->digest = example->acceptance->report->digest;
        artifact->on_rollback = PB__ON_ROLLBACK__REVERT;
        PB_APPEND(&example->arena, example->acceptance, artifacts, artifact);
    }
    /* Code on shop-db needs its own answers. */
    bind_probe(example, "health.backend", "shop-selfcheck");
    bind_probe(example, "health.middleware", "shop-selfcheck");
    bind_probe(example, "health.frontend", "shop-selfcheck");
    bind_probe(example, "verify.version", "shop-digest");
    bind_probe(example, "env.ready", "shop-selfcheck");
    plan = plan_of(example);
    assert_int_equal(plan->n_changes, 9);
    assert_string_equal(step_check(plan, 1, "artifact.infrastructure")->not_applicable, "");
    for (size_t i = 0; i < 9; i++) {
        assert_string_equal(plan->changes[i]->artifact, order[i]);
        assert_int_equal(plan->changes[i]->index, i);
    }
}

static void rolling_takes_batches_of_one_size(void **state)
{
    struct example *const example = *state;
    const Pb__Change *change;

    change_feature(example, "approach: canary", "approach: rolling");
    change = plan_of(example)->changes[2];
    assert_int_equal(change->n_batches, 2);
    assert_int_equal(change->batches[0]->n_instances, 3);
    assert_int_equal(change->batches[1]->n_instances, 1);
    assert_string_equal(change->batches[1]->instances[0], "shop-4");
    assert_int_equal(change->batches[1]->index, 1);
    /* What is no code comes in one batch. */
    assert_int_equal(plan_of(example)->changes[0]->n_batches, 1);
}

static void blue_green_brings_the_idle_side_and_moves_the_traffic(void **state)
{
    struct example *const example = *state;
    struct plan_request request = { .approach = "blue-green" };
    struct setting_target *target;
    Pb__PlanCompiled *compiled;
    const Pb__Change *change;

    target = example->settings->targets;
    for (size_t i = 0; i < target->instance_count; i++)
        target->instances[i].side = i < 2 ? "blue" : "green";
    request.settings = example->settings;
    request.acceptance = example->acceptance;
    compiled = plan_compile(&example->arena, &request);
    assert_non_null(compiled->plan);
    assert_string_equal(compiled->plan->approach, "blue-green");
    change = compiled->plan->changes[2];
    assert_int_equal(change->n_batches, 2);
    assert_int_equal(change->batches[0]->kind, PB__BATCH_KIND__APPLY);
    assert_string_equal(change->batches[0]->side, "idle");
    assert_int_equal(change->batches[0]->n_instances, 4);
    assert_int_equal(change->batches[1]->kind, PB__BATCH_KIND__SHIFT);
    assert_string_equal(change->batches[1]->side, "idle");
    (void)step_check(compiled->plan, 2, "traffic.weight");
}

static void third_party_configuration_alone_is_checked_as_infrastructure(void **state)
{
    struct example *const example = *state;
    const Pb__Plan *plan;

    example->acceptance = pb_clone(&example->arena, example->acceptance);
    PB_REMOVE(example->acceptance, artifacts, 2);
    PB_REMOVE(example->acceptance, artifacts, 1);
    example->acceptance->artifacts[0]->kind = PB__ARTIFACT_KIND__THIRD_PARTY;
    plan = plan_of(example);
    assert_string_equal(step_check(plan, 1, "artifact.infrastructure")->not_applicable, "");
    assert_string_equal(step_check(plan, 1, "artifact.configuration")->not_applicable,
                        "the plan brings no configuration");
}

static void what_is_bound_to_health_is_asked_after_each_batch_only(void **state)
{
    struct example *const example = *state;
    const Pb__Plan *plan;

    bind_probe(example, "health", "shop-port");
    plan = plan_of(example);
    assert_string_equal(
        find_check(plan->changes[2]->health, plan->changes[2]->n_health, "health")->probe,
        "shop-port");
    for (size_t i = 0; i < plan->steps[2]->n_checks; i++)
        assert_string_not_equal(plan->steps[2]->checks[i]->probe, "shop-port");
}

static void logs_after_a_batch_do_not_apply_only_where_somebody_says_so(void **state)
{
    struct example *const example = *state;
    const Pb__CheckSpec *check;
    const Pb__Change *change;

    change_feature(example,
                   "checks: []",
                   "checks: [{check: watch.logs, attest: technical-lead}, {check: "
                   "monitoring.logs, not_applicable: logs are elsewhere}]");
    change = plan_of(example)->changes[2];
    check = find_check(change->bake, change->n_bake, "logs.errors");
    assert_string_equal(check->not_applicable, "logs are elsewhere");
    assert_true(check->required);
}

static void errors_of_a_stage_do_not_apply_only_where_somebody_says_so(void **state)
{
    struct example *const example = *state;
    const Pb__Stage *stage;

    example_settings(example,
                     "critical: true, no_data: holds, check: stage.errors}",
                     "critical: true, no_data: holds}");
    change_feature(example,
                   "checks: []",
                   "checks: [{check: stage.errors, not_applicable: there are no errors}]");
    stage = plan_of(example)->stages[0];
    assert_string_equal(
        find_check(stage->checks, stage->n_checks, "stage.errors")->not_applicable,
        "there are no errors");
}

static void a_policy_names_who_must_have_accepted(void **state)
{
    struct example *const example = *state;
    const Pb__CheckSpec *check;

    example_settings(example,
                     "    bake: 300ms",
                     "    bake: 300ms\n    acceptance_roles: [product-owner, legal]");
    check = step_check(plan_of(example), 1, "acceptance.signoffs_all");
    assert_string_equal(check->params[check->n_params - 1]->value, "legal");
    assert_string_equal(check->params[check->n_params - 2]->key, "role");
}

static void a_policy_may_let_a_builtin_check_warn(void **state)
{
    struct example *const example = *state;

    assert_false(step_check(plan_of(example), 1, "monitoring.dashboards")->warn_ok);
    example_settings(example,
                     "      - {check: smoke.api, probe: shop-order}\n",
                     "      - {check: smoke.api, probe: shop-order}\n"
                     "      - {check: monitoring.dashboards, warn_ok: true}\n");
    assert_true(step_check(plan_of(example), 1, "monitoring.dashboards")->warn_ok);
    assert_string_equal(step_check(plan_of(example), 1, "monitoring.dashboards")->kind,
                        "builtin");
}

static void code_is_verified_by_version_and_digest(void **state)
{
    const Pb__Plan *const plan = plan_of(*state);
    const Pb__CheckSpec *const version = step_check(plan, 3, "verify.version");
    const Pb__CheckSpec *const configuration = step_check(plan, 3, "verify.configuration");

    assert_string_equal(version->probe, "shop-version");
    assert_string_equal(pb_pair(version->params, version->n_params, "version"), "1.1");
    assert_string_equal(pb_pair(version->params, version->n_params, "digest"),
                        plan->changes[2]->digest->value);
    assert_string_equal(pb_pair(configuration->params, configuration->n_params, "version"),
                        "r2");
}

static void what_a_plan_does_not_bring_is_not_asked_for(void **state)
{
    struct example *const example = *state;
    const Pb__Plan *plan;

    example->acceptance = pb_clone(&example->arena, example->acceptance);
    PB_REMOVE(example->acceptance, artifacts, 1);
    PB_REMOVE(example->acceptance, artifacts, 0);
    plan = plan_of(example);
    assert_string_equal(step_check(plan, 1, "artifact.migrations")->not_applicable,
                        "the plan brings no migration");
    assert_string_equal(step_check(plan, 1, "artifact.configuration")->not_applicable,
                        "the plan brings no configuration");
    assert_string_equal(step_check(plan, 3, "verify.configuration")->not_applicable,
                        "the plan brings no configuration");
    assert_string_equal(step_check(plan, 1, "artifact.code")->not_applicable, "");
}

static void a_dashboard_need_not_say_that_it_is_one(void **state)
{
    struct example *const example = *state;

    example->acceptance->dashboards[0]->kind = "";
    assert_string_equal(example_compile(example)->plan->dashboards[0]->kind, "dashboard");
    assert_string_equal(example->acceptance->dashboards[0]->kind, "");
}

static void a_policy_may_let_a_feature_do_without_flags(void **state)
{
    struct example *const example = *state;
    const Pb__Plan *plan;

    example_settings(example, "    bake: 300ms", "    bake: 300ms\n    require_flags: false");
    example->acceptance = pb_clone(&example->arena, example->acceptance);
    example->acceptance->n_flags = 0;
    example->acceptance->n_rollout = 0;
    plan = plan_of(example);
    assert_int_equal(plan->n_stages, 0);
    assert_string_equal(step_check(plan, 1, "flag.off")->not_applicable,
                        "the feature brings no flag");
    assert_string_equal(step_check(plan, 6, "watch.rollout")->not_applicable,
                        "the feature brings no flag");
    assert_string_equal(plan->input_checks[0]->not_applicable, "the feature brings no flag");
}

static void a_feature_answers_a_check_before_its_policy_does(void **state)
{
    struct example *const example = *state;
    const Pb__Plan *plan;

    change_feature(
        example,
        "checks: []",
        "checks: [{check: smoke.api, probe: shop-feature}, {check: smoke.api, attest: "
        "technical-lead, warn_ok: true}, {check: stage.feedback, not_applicable: none}]");
    plan = plan_of(example);
    assert_string_equal(step_check(plan, 3, "smoke.api.shop-feature")->kind, "probe");
    assert_string_equal(step_check(plan, 3, "smoke.api.technical-lead")->kind, "attest");
    assert_true(step_check(plan, 3, "smoke.api.technical-lead")->warn_ok);
    assert_string_equal(plan->risks[plan->n_risks - 1],
                        "the feature says that stage.feedback does not apply: none");
}

/* A policy serves all services of an environment. */
static void probes_of_other_services_are_left_out(void **state)
{
    struct example *const example = *state;

    example_settings(example,
                     "      - {check: smoke.api, probe: shop-order}\n",
                     "      - {check: smoke.api, probe: shop-order}\n"
                     "      - {check: smoke.api, not_applicable: nothing, service: cart}\n"
                     "      - {check: smoke.api, attest: technical-lead, service: cart}\n");
    assert_string_equal(step_check(plan_of(example), 3, "smoke.api")->probe, "shop-order");
}

static void metrics_are_watched_from_bake_to_step_six(void **state)
{
    struct example *const example = *state;
    const Pb__Plan *plan;
    const Pb__Stage *stage;

    change_feature(
        example,
        "metrics: []",
        "metrics: [{name: p95, source: shop-metrics, query: q, at_most: 450, unit: ms}, {name: "
        "cpu, source: shop-metrics, query: c, at_most: 1, check: performance.resources}, "
        "{name: rss, source: shop-metrics, query: r, at_most: 1, check: stage.errors}]");
    plan = plan_of(example);
    stage = plan->stages[0];
    (void)find_check(plan->changes[2]->bake, plan->changes[2]->n_bake, "bake.p95");
    (void)find_check(stage->checks, stage->n_checks, "stage.metrics");
    (void)find_check(stage->checks, stage->n_checks, "stage.errors.error_rate");
    (void)find_check(stage->checks, stage->n_checks, "stage.errors.rss");
    (void)step_check(plan, 6, "watch.metrics.p95");
    (void)step_check(plan, 5, "performance.resources.cpu");
    assert_true(step_check(plan, 6, "watch.metrics.error_rate")->metric->critical);
    assert_int_equal(step_check(plan, 6, "watch.metrics.p95")->metric->no_data,
                     PB__NO_DATA_RULE__NO_DATA_HOLDS);
    assert_int_equal(step_check(plan, 1, "monitoring.configured")->n_metrics, 5);
    for (size_t i = 0; i < plan->steps[5]->n_checks; i++) {
        assert_string_not_equal(plan->steps[5]->checks[i]->id, "watch.metrics.cpu");
        assert_string_not_equal(plan->steps[5]->checks[i]->id, "watch.metrics.requests");
    }
}

static void a_criterion_of_a_stage_is_asked_in_that_stage(void **state)
{
    struct example *const example = *state;
    const Pb__Plan *plan;

    change_feature(
        example,
        "{name: beta, percent: 10,",
        "{name: beta, percent: 10, gate: technical-lead, criteria: [{name: p95, source: "
        "shop-metrics, query: q, at_most: 450}],");
    plan = plan_of(example);
    assert_string_equal(
        find_check(plan->stages[1]->checks, plan->stages[1]->n_checks, "stage.metrics")
            ->metric->name,
        "p95");
    assert_string_equal(
        find_check(plan->stages[1]->checks, plan->stages[1]->n_checks, "stage.gate")->role,
        "technical-lead");
    assert_null(find_check(plan->stages[0]->checks, plan->stages[0]->n_checks, "stage.metrics")
                    ->metric);
}

static void a_point_of_no_return_is_a_risk(void **state)
{
    struct example *const example = *state;

    change_feature(example,
                   "target: shop-db, on_rollback: revert",
                   "target: shop-db, on_rollback: manual, way_back: \"restore the snapshot\"");
    assert_string_equal(plan_of(example)->risks[1],
                        "point of no return: change 1 (migration 0002_express_pay.sql) is not "
                        "taken back by itself; way back: restore the snapshot");
}

static bool has_risk(const Pb__Plan *plan, const char *risk)
{
    for (size_t i = 0; i < plan->n_risks; i++)
        if (strstr(plan->risks[i], risk) != NULL)
            return true;
    return false;
}

static void what_goes_faster_than_the_procedure_is_a_risk(void **state)
{
    struct example *const example = *state;

    assert_false(has_risk(plan_of(example), "begins with"));
    assert_false(has_risk(plan_of(example), "no batch"));
    example_settings(example, "    bake: 300ms", "    bake: 0s");
    change_feature(example, "{name: internal, percent: 5,", "{name: internal, percent: 9,");
    assert_true(has_risk(plan_of(example), "the rollout begins with 9 %"));
    assert_true(has_risk(plan_of(example), "the policy watches no batch"));
}

static void a_check_without_a_required_channel_is_not_required(void **state)
{
    struct example *const example = *state;

    example_settings(example,
                     "{channel: hook, purpose: notify.rollout, required: true}",
                     "{channel: hook, purpose: notify.rollout, required: false}");
    assert_false(step_check(plan_of(example), 7, "notify.rollout")->required);
    assert_true(step_check(plan_of(example), 7, "notify.deployment")->required);
    assert_string_equal(step_check(plan_of(example), 7, "jira.status")->params[0]->value,
                        "jira");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, example_setup, example_teardown)
    const struct CMUnitTest tests[] = {
        T(the_example_compiles),
        T(the_same_inputs_give_the_same_hash),
        T(every_check_of_a_step_is_planned),
        T(changes_stand_in_the_order_of_the_procedure),
        T(rolling_takes_batches_of_one_size),
        T(blue_green_brings_the_idle_side_and_moves_the_traffic),
        T(third_party_configuration_alone_is_checked_as_infrastructure),
        T(what_is_bound_to_health_is_asked_after_each_batch_only),
        T(logs_after_a_batch_do_not_apply_only_where_somebody_says_so),
        T(errors_of_a_stage_do_not_apply_only_where_somebody_says_so),
        T(a_policy_names_who_must_have_accepted),
        T(a_policy_may_let_a_builtin_check_warn),
        T(code_is_verified_by_version_and_digest),
        T(what_a_plan_does_not_bring_is_not_asked_for),
        T(a_dashboard_need_not_say_that_it_is_one),
        T(a_policy_may_let_a_feature_do_without_flags),
        T(a_feature_answers_a_check_before_its_policy_does),
        T(probes_of_other_services_are_left_out),
        T(metrics_are_watched_from_bake_to_step_six),
        T(a_criterion_of_a_stage_is_asked_in_that_stage),
        T(a_point_of_no_return_is_a_risk),
        T(what_goes_faster_than_the_procedure_is_a_risk),
        T(a_check_without_a_required_channel_is_not_required),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
