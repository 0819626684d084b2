#include "tests/support/test.h"
#include "tests/unit/planning/example.h"

#include "common/config/feature.h"

/* One thing changed in one of the two files, and what is then missing. */
struct refusal {
    const char *was;
    const char *now;
    const char *input;
    const char *field;
    const char *remedy;
};

/* clang-format off */
static const struct refusal of_feature[] = {
    { "environment: production", "environment: productoin", "environment", "environment", "environment productoin is not configured; did you mean production?" },
    { "team: checkout", "team: checkout\npolicy: quik", "policy", "policy", "policy quik is not configured; did you mean quick?" },
    { "  report: {link: \"https://wiki.example/acceptance/express-pay\", digest: sha256:0000000000000000000000000000000000000000000000000000000000000000}\n", "", "acceptance_report", "report.link", "wait for Acceptance & Signoff: there is no acceptance report" },
    { "accepted: true", "accepted: false", "feature_accepted", "report.accepted", "wait for Acceptance & Signoff: the feature is not accepted" },
    { "    - {subject: paula, role: product-owner, at: \"2026-11-20T10:00:00Z\"}\n", "", "acceptance_signoffs", "report.signoffs", "wait for Acceptance & Signoff: nobody has signed the acceptance" },
    { "artifacts_ready: true", "artifacts_ready: false", "artifacts_ready", "artifacts_ready", "prepare deployment artifacts: nobody has said that they are ready" },
    { "  - {key: express-pay, description: \"shows the express pay button\"}\n", "", "flag_configuration", "flags", "wait for Feature Flag / Rollout: the feature brings no flag" },
    { "{key: express-pay,", "{key: express-pay, provider: unleash,", "flag_system", "flags[0].provider", "flag provider unleash is not configured" },
    { "kind: rollback", "kind: runbook", "rollback", "documents", "wait for Documentation & Runbook: the rollback procedure" },
    { "kind: requirements", "kind: runbook", "requirements", "documents", "supply the requirements document: step 5 validates against it" },
    { "kind: observability", "kind: runbook", "observability", "documents", "supply the observability configuration: step 6 works by it" },
    { "ticket: SHOP-4182", "ticket: \"\"", "ticket", "ticket", "name the feature's ticket: step 7 updates it" },
    { "  - {title: shop, url: \"https://grafana.example/d/shop\"}\n", "", "dashboards", "dashboards", "name a dashboard: people watch the deployment there" },
    { "target: shop-db,", "target: shop-bd,", "target", "artifacts[0].target", "target shop-bd is not configured; did you mean shop-db?" },
    { "target: shop-db,", "target: shop,", "target", "artifacts[0].target", "target shop has the deployer release-directory, which cannot bring migration: name another target" },
    { "services: [shop]", "services: [cart]", "services", "services", "target shop-db belongs to service shop: add it to services" },
    { "approach: canary", "approach: blue-green", "approach", "artifacts[2].target", "target shop cannot do blue-green: give its instances a side, or replan with canary or rolling" },
    { "kind: backend,", "kind: frontend,", "check", "checks", "check health.frontend has no probe on target shop, which frontend shop changes: bind one" },
    { "name: full, percent: 100, min_time: 300ms", "name: full, percent: 100, min_time: 1h", "rollout_plan", "rollout[3].min_ms", "stage full lasts 3600 s at least, but policy quick gives a stage 600 s" },
    { "name: full, percent: 100", "name: full, percent: 100, gate: boss", "rollout_plan", "rollout[3].gate", "role boss is not configured" },
    { "checks: []", "checks: [{check: smoke.apii, probe: shop-order}]", "check", "checks[0]", "the feature binds smoke.apii, but there is no such check; did you mean smoke.api?" },
    { "checks: []", "checks: [{check: smoke.api, probe: shop-oder}]", "check", "checks[0]", "check smoke.api: probe shop-oder is not configured; did you mean shop-order?" },
    { "checks: []", "checks: [{check: smoke.api, attest: boss}]", "check", "checks[0]", "check smoke.api: role boss is not configured" },
    { "checks: []", "checks: [{check: flag.off, not_applicable: trust me}]", "check", "checks[0]", "the feature binds flag.off, but prechecks answers it itself" },
    { "checks: []", "checks: [{check: env.no_drift, not_applicable: trust me}]", "check", "checks[0]", "the feature binds env.no_drift, but prechecks answers it itself; only a policy can say that it does not apply" },
    { "checks: []", "checks: [{check: verify.version, probe: shop-health}]", "check", "checks", "check verify.version: probe shop-health does not compare what runs with the plan; bind one of driver version or configuration, or a command that is told {digest}" },
    { "checks: []", "checks: [{check: verify.configuration, probe: shop-selfcheck}]", "check", "checks", "check verify.configuration: probe shop-selfcheck does not compare what runs with the plan; bind one of driver version or configuration, or a command that is told {digest}" },
    { "checks: []", "checks: [{check: health.endpoint_status, probe: shop-order}]", "check", "checks", "check health.endpoint_status: probe shop-order does not read what the endpoint says; bind one of driver http with body or json, or a command" },
    { "checks: []", "checks: [{check: stage.errors, probe: shop-health}]", "check", "checks[0]", "the feature binds stage.errors, but metrics answer it: give one `check: stage.errors`" },
    { "checks: []", "checks: [{check: watch.logs, attest: technical-lead}, {check: monitoring.logs, attest: technical-lead}]", "check", "checks", "check logs.errors has no probe: bind one, or say why it does not apply" },
    { "kind: configuration, name: shop.yaml, version: r2, source: config/r2, digest: auto, target: shop-config", "kind: backend, name: shop.yaml, version: r2, source: config/r2, digest: auto, target: shop-config", "check", "checks", "check env.ready has no probe for target shop-config: bind one, name a role that attests it, or say why it does not apply" },
    { "metrics: []", "metrics: [{name: error_rate, source: shop-metrics, query: q, at_most: 1}]", "metrics", "metrics[0]", "there is a metric error_rate already: name it differently" },
    { "metrics: []", "metrics: [{name: p95, source: prom, query: q, at_most: 1}]", "monitoring_system", "metrics[0]", "metric p95: source prom is not configured" },
    { "metrics: []", "metrics: [{name: p95, source: shop-metrics, query: q, at_most: 1, check: stage.eror}]", "check", "metrics[0]", "metric p95 answers stage.eror, but there is no such check; did you mean stage.errors?" },
    { "metrics: []", "metrics: [{name: p95, source: shop-metrics, query: q, at_most: 1, check: flag.off}]", "metrics", "", "metric p95 answers flag.off, but prechecks answers that itself" },
};
static const struct refusal of_settings[] = {
    { "      - {check: smoke.api, probe: shop-order}\n", "", "check", "checks", "check smoke.api has no probe: bind one, name a role that attests it, or say why it does not apply" },
    { "      - {check: verify.version, probe: shop-version}\n", "", "check", "checks", "check verify.version has no probe for target shop: bind one, name a role that attests it, or say why it does not apply" },
    { "check: smoke.api,", "check: smoke.apii,", "check", "", "policy quick binds smoke.apii, but there is no such check; did you mean smoke.api?" },
    { "check: smoke.api, probe: shop-order", "check: flag.read_back, not_applicable: x", "check", "", "policy quick binds flag.read_back, but flag-rollout answers it itself" },
    { "      - {channel: jira, purpose: jira.version, required: true}\n", "", "check", "", "check jira.version has no channel: add one with that purpose to policy quick, or say there why it does not apply" },
    { "critical: true, no_data: holds, check: stage.errors}", "required: false}", "rollout_plan", "rollout[0].criteria", "stage internal has no criterion: give it, the feature or the policy a required metric with a limit" },
    { "critical: true, no_data: holds, check: stage.errors}", "critical: true, no_data: holds}", "metrics", "metrics", "no metric answers stage.errors: give one, or say why it does not apply" },
    { "critical: true, no_data: holds, check: stage.errors}", "critical: true, check: performance.resources}", "metrics", "metrics", "no metric answers watch.metrics: give one, or say why it does not apply" },
    { "      check: [shop/migrate, check, shop.db, \"{file}\", \"{version}\", \"{digest}\"]\n", "", "target", "artifacts[0].target", "target shop-db cannot try a migration before it runs: give its deployer a check that changes nothing" },
    { "{check: smoke.api, probe: shop-order}", "{check: smoke.api, warn_ok: true}", "check", "", "policy quick permits smoke.api to warn, but does not say what answers it" },
    { "bake: 300ms", "bake: 20m", "policy", "policy", "policy quick gives step 2 1800 s, but baking its batches takes 2400 s" },
    { "4: {deadline: 2h,", "4: {deadline: 1s, task: 1s, blocked: 4h}\n      # {", "rollout_plan", "rollout", "the stages last 1 s at least, but policy quick gives step 4 1 s" },
};
/* clang-format on */

static bool is_told(const Pb__PlanCompiled *compiled, const struct refusal *refusal)
{
    for (size_t i = 0; i < compiled->n_missing; i++) {
        const Pb__MissingInput *const missing = compiled->missing[i];

        if (strcmp(missing->input, refusal->input) == 0 &&
            strcmp(missing->field, refusal->field) == 0 &&
            strcmp(missing->remedy, refusal->remedy) == 0)
            return compiled->plan == NULL;
    }
    print_error("wanted  %s at %s: %s\n", refusal->input, refusal->field, refusal->remedy);
    for (size_t i = 0; i < compiled->n_missing; i++)
        print_error("told    %s at %s: %s\n",
                    compiled->missing[i]->input,
                    compiled->missing[i]->field,
                    compiled->missing[i]->remedy);
    return false;
}

static void what_a_feature_lacks_is_said_with_its_remedy(void **state)
{
    struct example *const example = *state;
    const size_t count = sizeof of_feature / sizeof of_feature[0];
    size_t told = 0;

    for (size_t i = 0; i < count; i++) {
        const char *const text =
            example_feature(&example->arena, of_feature[i].was, of_feature[i].now);

        example->acceptance = feature_read(
            &example->arena, "feature.yaml", text, strlen(text), NULL, &example->problems);
        if (example->acceptance == NULL)
            fail_msg("%s: %s", of_feature[i].now, example->problems.item[0].message);
        told += is_told(example_compile(example), &of_feature[i]);
    }
    assert_int_equal(told, count);
}

static void what_a_policy_lacks_is_said_with_its_remedy(void **state)
{
    struct example *const example = *state;
    const size_t count = sizeof of_settings / sizeof of_settings[0];
    size_t told = 0;

    for (size_t i = 0; i < count; i++) {
        example_settings(example, of_settings[i].was, of_settings[i].now);
        told += is_told(example_compile(example), &of_settings[i]);
    }
    assert_int_equal(told, count);
}

static Pb__SupplyInput *supply(struct example *example, const char *input, const char *link)
{
    Pb__SupplyInput *const supplied = pb_new(&example->arena, &pb__supply_input__descriptor);

    supplied->input = input;
    supplied->link = link;
    return supplied;
}

static void what_is_handed_in_later_is_no_longer_missing(void **state)
{
    struct example *const example = *state;
    Pb__SupplyInput *const supplied[] = {
        supply(example, "runbook", "https://wiki.example/runbook"),
        supply(example, "artifacts_ready", ""),
        supply(example, "feature_accepted", ""),
        supply(example, "test_results", "https://ci.example/9"),
        supply(example, "ticket", "SHOP-1"),
    };
    struct plan_request request = { .settings = example->settings, .approach = "" };
    const Pb__PlanCompiled *compiled;

    example->acceptance = pb_clone(&example->arena, example->acceptance);
    PB_REMOVE(example->acceptance, documents, 3);
    example->acceptance->artifacts_ready = false;
    example->acceptance->report->accepted = false;
    example->acceptance->n_test_results = 0;
    example->acceptance->ticket = "";
    request.acceptance = example->acceptance;
    compiled = plan_compile(&example->arena, &request);
    assert_int_equal(compiled->n_missing, 5);
    request.supplied = supplied;
    request.supplied_count = sizeof supplied / sizeof supplied[0];
    compiled = plan_compile(&example->arena, &request);
    assert_int_equal(compiled->n_missing, 0);
    assert_string_equal(compiled->plan->ticket, "SHOP-1");
    assert_false(example->acceptance->report->accepted);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, example_setup, example_teardown)
    const struct CMUnitTest tests[] = {
        T(what_a_feature_lacks_is_said_with_its_remedy),
        T(what_a_policy_lacks_is_said_with_its_remedy),
        T(what_is_handed_in_later_is_no_longer_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
