/* The task as a whole, the acceptance, its documents, the artifacts and the rollout plan. */
#include "tests/unit/prechecks/prechecks_world.h"

#include <unistd.h>

static void with_all_well_every_check_passes(void **state)
{
    static const char *const ids[] = {
        "acceptance.report_complete",
        "acceptance.signoffs_all",
        "acceptance.criteria_met",
        "acceptance.digest",
        "artifact.code",
        "artifact.configuration",
        "artifact.migrations",
        "flag.configured",
        "flag.off",
        "flag.rollout_plan",
        "flag.system_available",
        "docs.steps",
        "docs.rollback",
        "docs.runbooks",
        "monitoring.dashboards",
        "monitoring.alerts",
        "monitoring.no_open_critical",
        "env.window_approved",
        "env.baseline_known",
        "env.no_drift",
    };
    struct world *const w = *state;
    const Pb__TaskFinished *result;

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        (void)world_check(w, ids[i], "builtin");
    world_metric(w, world_check(w, "monitoring.configured", "builtin"), "shop_requests_total");
    world_metric(w, world_check(w, "monitoring.available", "builtin"), "shop_requests_total");
    result = world_run(w);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_int_equal(result->n_findings, w->asked->n_checks);
    for (size_t i = 0; i < result->n_findings; i++)
        world_expect(result->findings[i], PB__VERDICT__PASS, "");
}

static void a_check_nobody_knows_is_an_error(void **state)
{
    world_expect(world_look(*state, "artifact.colour"), PB__VERDICT__ERROR, "does not know");
}

static void what_a_person_says_is_left_to_the_person(void **state)
{
    struct world *const w = *state;

    (void)world_check(w, "env.team_available", "attest");
    world_check(w, "env.ready", "probe")->not_applicable = "no instances";
    assert_int_equal(world_run(w)->n_findings, 0);
}

static void another_configuration_than_the_plan_is_an_error(void **state)
{
    struct world *const w = *state;

    w->config_hash = "0123456789abcdef";
    assert_int_equal(world_run(w)->outcome, PB__OUTCOME__OUTCOME_ERROR);
}

static void stopped_is_cancelled(void **state)
{
    struct world *const w = *state;

    (void)world_check(w, "artifact.code", "builtin");
    w->stop = true;
    assert_int_equal(world_run(w)->outcome, PB__OUTCOME__OUTCOME_CANCELLED);
}

static void a_report_without_criteria_is_not_complete(void **state)
{
    struct world *const w = *state;

    w->asked->report->n_criteria = 0;
    world_expect(
        world_look(w, "acceptance.report_complete"), PB__VERDICT__FAIL, "criteria is missing");
}

static void a_report_that_is_missing_fails(void **state)
{
    struct world *const w = *state;

    w->asked->report = NULL;
    world_expect(
        world_look(w, "acceptance.report_complete"), PB__VERDICT__FAIL, "no acceptance report");
}

static void a_sign_off_of_the_future_does_not_count(void **state)
{
    struct world *const w = *state;

    w->asked->report->signoffs[0]->at_ms = w->clock.now_ms + 1;
    world_expect(world_look(w, "acceptance.signoffs_all"), PB__VERDICT__FAIL, "paula");
}

static void a_role_that_has_not_signed_off_fails(void **state)
{
    struct world *const w = *state;
    Pb__CheckSpec *const check = world_check(w, "acceptance.signoffs_all", "builtin");

    PB_APPEND(&w->arena, check, params, pb_pair_new(&w->arena, "role", "product-owner"));
    world_expect(world_run(w)->findings[0], PB__VERDICT__PASS, "");
    PB_APPEND(&w->arena, check, params, pb_pair_new(&w->arena, "role", "legal"));
    world_expect(world_run(w)->findings[0], PB__VERDICT__FAIL, "no legal has signed off");
    w->asked->report->n_signoffs = 0;
    world_expect(world_run(w)->findings[0], PB__VERDICT__FAIL, "nobody has signed off");
}

static void criteria_that_are_not_met_fail(void **state)
{
    struct world *const w = *state;

    w->asked->report->criteria_met = false;
    world_expect(world_look(w, "acceptance.criteria_met"), PB__VERDICT__FAIL, "not met");
}

static void no_criteria_at_all_are_not_met(void **state)
{
    struct world *const w = *state;

    w->asked->report->n_criteria = 0;
    world_expect(world_look(w, "acceptance.criteria_met"), PB__VERDICT__FAIL, "0 criteria");
}

static void a_report_that_was_changed_fails(void **state)
{
    struct world *const w = *state;

    w->asked->report->digest = world_digest(w, "another report");
    world_expect(world_look(w, "acceptance.digest"), PB__VERDICT__FAIL, "not sha256");
}

static void a_report_that_cannot_be_fetched_is_an_error_and_never_a_pass(void **state)
{
    struct world *const w = *state;

    w->asked->report->link = "http://wiki/gone-silent";
    world_expect(world_look(w, "acceptance.digest"), PB__VERDICT__ERROR, "");
}

static void a_report_behind_a_sign_in_is_inconclusive(void **state)
{
    struct world *const w = *state;

    w->asked->report->link = "http://wiki/private";
    world_answer(w, "http://wiki/private", 403, "sign in");
    world_expect(world_look(w, "acceptance.digest"), PB__VERDICT__INCONCLUSIVE, "403");
}

static void a_link_that_the_operator_does_not_allow_is_not_fetched(void **state)
{
    struct world *const w = *state;

    w->asked->report->link = "http://169.254.169.254/latest";
    world_expect(world_look(w, "acceptance.digest"), PB__VERDICT__FAIL, "links");
    assert_int_equal(memory_http_call_count(w->http), 0);
}

static void a_runbook_that_was_changed_since_review_fails(void **state)
{
    struct world *const w = *state;

    w->asked->documents[3]->digest = world_digest(w, "call tess\n");
    world_expect(world_look(w, "docs.runbooks"), PB__VERDICT__FAIL, "runbook");
}

static void a_document_without_digest_must_be_reachable(void **state)
{
    struct world *const w = *state;

    w->asked->documents[2]->digest = NULL;
    w->asked->documents[2]->link = "http://wiki/moved";
    world_answer(w, "http://wiki/moved", 404, "");
    world_expect(world_look(w, "docs.rollback"), PB__VERDICT__FAIL, "404");
}

static void a_kind_of_document_that_is_missing_fails(void **state)
{
    struct world *const w = *state;

    w->asked->n_documents = 1;
    world_expect(
        world_look(w, "docs.steps"), PB__VERDICT__FAIL, "no document of kind configuration");
}

static void code_with_another_digest_fails(void **state)
{
    struct world *const w = *state;

    world_put(w, "artifacts/shop/shop.py", "print('evil')\n");
    world_expect(world_look(w, "artifact.code"), PB__VERDICT__FAIL, "digest");
}

static void a_plan_without_code_has_no_data_about_it(void **state)
{
    struct world *const w = *state;

    w->asked->n_changes = 3;
    world_expect(world_look(w, "artifact.code"), PB__VERDICT__NO_DATA, "none");
}

static void an_artifact_that_its_deployer_cannot_bring_fails(void **state)
{
    struct world *const w = *state;

    w->asked->changes[0]->target = "shop";
    world_expect(world_look(w, "artifact.migrations"), PB__VERDICT__FAIL, "cannot bring");
}

static void configuration_that_cannot_be_parsed_fails(void **state)
{
    struct world *const w = *state;

    world_put(w, "artifacts/r2/shop.yaml", "greeting: [hello\n");
    w->asked->n_changes = 2;
    (void)world_change(w, PB__ARTIFACT_KIND__CONFIGURATION, "shop-config", "r2", "r2");
    world_expect(world_look(w, "artifact.configuration"), PB__VERDICT__FAIL, "shop.yaml:");
}

static void configuration_shows_what_it_changes(void **state)
{
    world_expect(
        world_look(*state, "artifact.configuration"), PB__VERDICT__PASS, "nothing -> r2");
}

static void third_party_configuration_is_looked_at(void **state)
{
    struct world *const w = *state;
    Pb__Change *const change =
        world_change(w, PB__ARTIFACT_KIND__THIRD_PARTY, "shop-db", "1", "0002.sql");

    world_expect(world_look(w, "artifact.infrastructure"), PB__VERDICT__PASS, "1 artifacts");
    change->digest = w->asked->report->digest;
    world_expect(world_look(w, "artifact.infrastructure"), PB__VERDICT__FAIL, "0002.sql");
}

static void migrations_out_of_order_fail(void **state)
{
    struct world *const w = *state;

    w->asked->changes[0]->version = "10";
    world_expect(world_look(w, "artifact.migrations"), PB__VERDICT__FAIL, "comes after");
}

static void a_migration_of_no_return_needs_a_way_back(void **state)
{
    struct world *const w = *state;

    w->asked->changes[1]->on_rollback = PB__ON_ROLLBACK__MANUAL;
    world_expect(world_look(w, "artifact.migrations"), PB__VERDICT__FAIL, "way_back");
}

static void what_is_signed_by_the_named_key_passes(void **state)
{
    struct world *const w = *state;

    world_sign(w);
    world_expect(world_look(w, "artifact.code"), PB__VERDICT__PASS, "signed");
    world_expect(world_look(w, "artifact.migrations"), PB__VERDICT__PASS, "signed");
    world_expect(world_look(w, "acceptance.digest"), PB__VERDICT__PASS, "signed");
}

static void an_artifact_without_its_signature_fails(void **state)
{
    struct world *const w = *state;

    world_sign(w);
    assert_int_equal(unlink(world_path(w, "artifacts/shop.sig")), 0);
    world_expect(world_look(w, "artifact.code"), PB__VERDICT__FAIL, "no signature");
    world_put(w, "artifacts/r2.sig", "c2hvcA==\n");
    world_expect(
        world_look(w, "artifact.configuration"), PB__VERDICT__FAIL, "the signature is not of");
}

static void a_report_without_its_signature_fails(void **state)
{
    struct world *const w = *state;

    world_answer(w, "http://wiki/report.sig", 404, "");
    world_sign(w);
    world_expect(world_look(w, "acceptance.digest"), PB__VERDICT__FAIL, "answers 404");
}

static void a_report_signed_by_somebody_else_fails(void **state)
{
    struct world *const w = *state;

    world_answer(w, "http://wiki/report.sig", 200, "c2hvcA==");
    world_sign(w);
    world_expect(world_look(w, "acceptance.digest"), PB__VERDICT__FAIL, "is not of sha256:");
}

static void without_the_key_a_signature_is_an_error(void **state)
{
    struct world *const w = *state;

    world_sign(w);
    assert_int_equal(unlink(world_path(w, "key.pem")), 0);
    world_expect(world_look(w, "artifact.code"), PB__VERDICT__ERROR, "key.pem");
    world_expect(world_look(w, "acceptance.digest"), PB__VERDICT__ERROR, "key.pem");
}

static void stages_that_do_not_rise_fail(void **state)
{
    struct world *const w = *state;

    w->asked->stages[1]->percent = 5;
    world_expect(world_look(w, "flag.rollout_plan"), PB__VERDICT__FAIL, "after 5 %");
}

static void a_stage_without_criterion_fails(void **state)
{
    struct world *const w = *state;

    w->asked->stages[2]->n_checks = 0;
    world_expect(world_look(w, "flag.rollout_plan"), PB__VERDICT__FAIL, "no criterion");
}

static void checks_that_no_number_can_fail_are_no_criterion(void **state)
{
    struct world *const w = *state;

    w->asked->stages[1]->checks[0]->metric->samples = true;
    world_expect(world_look(w, "flag.rollout_plan"), PB__VERDICT__FAIL, "no criterion");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROVES(with_all_well_every_check_passes),
        PROVES(a_check_nobody_knows_is_an_error),
        PROVES(what_a_person_says_is_left_to_the_person),
        PROVES(another_configuration_than_the_plan_is_an_error),
        PROVES(stopped_is_cancelled),
        PROVES(a_report_without_criteria_is_not_complete),
        PROVES(a_report_that_is_missing_fails),
        PROVES(a_sign_off_of_the_future_does_not_count),
        PROVES(a_role_that_has_not_signed_off_fails),
        PROVES(criteria_that_are_not_met_fail),
        PROVES(no_criteria_at_all_are_not_met),
        PROVES(a_report_that_was_changed_fails),
        PROVES(a_report_that_cannot_be_fetched_is_an_error_and_never_a_pass),
        PROVES(a_report_behind_a_sign_in_is_inconclusive),
        PROVES(a_link_that_the_operator_does_not_allow_is_not_fetched),
        PROVES(a_runbook_that_was_changed_since_review_fails),
        PROVES(a_document_without_digest_must_be_reachable),
        PROVES(a_kind_of_document_that_is_missing_fails),
        PROVES(code_with_another_digest_fails),
        PROVES(a_plan_without_code_has_no_data_about_it),
        PROVES(an_artifact_that_its_deployer_cannot_bring_fails),
        PROVES(configuration_that_cannot_be_parsed_fails),
        PROVES(configuration_shows_what_it_changes),
        PROVES(third_party_configuration_is_looked_at),
        PROVES(migrations_out_of_order_fail),
        PROVES(a_migration_of_no_return_needs_a_way_back),
        PROVES(what_is_signed_by_the_named_key_passes),
        PROVES(an_artifact_without_its_signature_fails),
        PROVES(a_report_without_its_signature_fails),
        PROVES(a_report_signed_by_somebody_else_fails),
        PROVES(without_the_key_a_signature_is_an_error),
        PROVES(stages_that_do_not_rise_fail),
        PROVES(a_stage_without_criterion_fails),
        PROVES(checks_that_no_number_can_fail_are_no_criterion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
