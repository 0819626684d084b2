/* The required inputs of the procedure: which are missing, and where each comes from. */
#include "common/config/nearest.h"
#include "common/planning/compiler.h"

#include <string.h>

/* Documents that every feature brings. */
static const struct document {
    const char *kind;
    const char *remedy;
} documents[] = {
    { "deployment_steps", "wait for Documentation & Runbook: the deployment steps" },
    { "configuration", "wait for Documentation & Runbook: the configuration" },
    { "rollback", "wait for Documentation & Runbook: the rollback procedure" },
    { "runbook", "wait for Documentation & Runbook: the runbooks" },
    { "requirements", "supply the requirements document: step 5 validates against it" },
    { "observability", "supply the observability configuration: step 6 works by it" },
};

static bool is_document(const char *input)
{
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        if (strcmp(documents[i].kind, input) == 0)
            return true;
    return false;
}

static bool has_document(const Pb__AcceptanceSignedOff *acceptance, const char *kind)
{
    for (size_t i = 0; i < acceptance->n_documents; i++)
        if (strcmp(acceptance->documents[i]->kind, kind) == 0 &&
            *acceptance->documents[i]->link != '\0')
            return true;
    return false;
}

static Pb__AcceptanceReport *own_report(struct arena *arena,
                                        Pb__AcceptanceSignedOff *acceptance)
{
    Pb__AcceptanceReport *const report =
        acceptance->report != NULL ? pb_clone(arena, acceptance->report)
                                   : pb_new(arena, &pb__acceptance_report__descriptor);

    acceptance->report = report;
    return report;
}

static void supply(struct arena *arena,
                   Pb__AcceptanceSignedOff *acceptance,
                   const Pb__SupplyInput *input)
{
    if (is_document(input->input)) {
        Pb__Document *const document = pb_new(arena, &pb__document__descriptor);

        document->kind = input->input;
        document->link = input->link;
        document->digest = input->digest;
        PB_APPEND(arena, acceptance, documents, document);
    } else if (strcmp(input->input, "acceptance_report") == 0) {
        Pb__AcceptanceReport *const report = own_report(arena, acceptance);

        report->link = input->link;
        report->digest = input->digest;
    } else if (strcmp(input->input, "feature_accepted") == 0) {
        own_report(arena, acceptance)->accepted = true;
    } else if (strcmp(input->input, "criteria_met") == 0) {
        own_report(arena, acceptance)->criteria_met = true;
    } else if (strcmp(input->input, "artifacts_ready") == 0) {
        acceptance->artifacts_ready = true;
    } else if (strcmp(input->input, "test_results") == 0) {
        Pb__TestResult *const result = pb_new(arena, &pb__test_result__descriptor);

        result->suite = "supplied";
        result->link = input->link;
        PB_APPEND(arena, acceptance, test_results, result);
    } else if (strcmp(input->input, "dashboards") == 0) {
        Pb__Link *const dashboard = pb_new(arena, &pb__link__descriptor);

        dashboard->kind = "dashboard";
        dashboard->title = "supplied";
        dashboard->url = input->link;
        PB_APPEND(arena, acceptance, dashboards, dashboard);
    } else if (strcmp(input->input, "ticket") == 0) {
        acceptance->ticket = input->link;
    }
}

Pb__AcceptanceSignedOff *merge_supplied(struct arena *arena, const struct plan_request *request)
{
    Pb__AcceptanceSignedOff *const merged = arena_alloc(arena, sizeof *request->acceptance);

    *merged = *request->acceptance;
    for (size_t i = 0; i < request->supplied_count; i++)
        supply(arena, merged, request->supplied[i]);
    return merged;
}

static void check_report(struct compiler *compiler, const Pb__AcceptanceReport *report)
{
    static const char remedy[] = "wait for Acceptance & Signoff";

    if (report == NULL || *report->link == '\0')
        plan_missing(compiler,
                     "acceptance_report",
                     "report.link",
                     "%s: there is no acceptance report",
                     remedy);
    else if (report->digest == NULL)
        plan_missing(compiler,
                     "acceptance_report",
                     "report.digest",
                     "%s: the acceptance report has no digest",
                     remedy);
    if (report == NULL || !report->accepted)
        plan_missing(compiler,
                     "feature_accepted",
                     "report.accepted",
                     "%s: the feature is not accepted",
                     remedy);
    if (report != NULL && report->n_signoffs == 0)
        plan_missing(compiler,
                     "acceptance_signoffs",
                     "report.signoffs",
                     "%s: nobody has signed the acceptance",
                     remedy);
}

static void check_flags(struct compiler *compiler)
{
    const Pb__AcceptanceSignedOff *const acceptance = compiler->acceptance;
    const bool needed = compiler->policy->require_flags || acceptance->n_rollout > 0;

    if (acceptance->n_flags == 0 && needed)
        plan_missing(compiler,
                     "flag_configuration",
                     "flags",
                     "wait for Feature Flag / Rollout: the feature brings no flag");
    if (acceptance->n_rollout == 0 && acceptance->n_flags > 0)
        plan_missing(compiler,
                     "rollout_plan",
                     "rollout",
                     "wait for Feature Flag / Rollout: there is no rollout plan");
    for (size_t i = 0; i < acceptance->n_flags; i++) {
        const char *const provider = acceptance->flags[i]->provider;

        if (*provider != '\0' && settings_provider(compiler->settings, provider) == NULL)
            plan_missing(compiler,
                         "flag_system",
                         arena_printf(compiler->arena, "flags[%zu].provider", i),
                         "flag provider %s is not configured",
                         provider);
    }
}

static bool purpose_is_used(const struct setting_policy *policy, const char *prefix)
{
    for (size_t i = 0; i < policy->channel_count; i++)
        if (strncmp(policy->channels[i]->purpose, prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

void check_inputs(struct compiler *compiler)
{
    const Pb__AcceptanceSignedOff *const acceptance = compiler->acceptance;

    check_report(compiler, acceptance->report);
    if (acceptance->n_artifacts == 0)
        plan_missing(
            compiler, "artifacts", "artifacts", "prepare deployment artifacts: there are none");
    if (!acceptance->artifacts_ready)
        plan_missing(compiler,
                     "artifacts_ready",
                     "artifacts_ready",
                     "prepare deployment artifacts: nobody has said that they are ready");
    check_flags(compiler);
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        if (!has_document(acceptance, documents[i].kind))
            plan_missing(compiler, documents[i].kind, "documents", "%s", documents[i].remedy);
    if (acceptance->n_test_results == 0)
        plan_missing(compiler,
                     "test_results",
                     "test_results",
                     "wait for QA procedures: there are no test results");
    if (*acceptance->ticket == '\0' && purpose_is_used(compiler->policy, "jira."))
        plan_missing(
            compiler, "ticket", "ticket", "name the feature's ticket: step 7 updates it");
}
