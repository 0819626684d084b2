#include "common/planning/catalogue.h"

#include "common/config/nearest.h"

#include <string.h>

enum { ROWS_MAX = 160 };

/* clang-format off */
#define B CHECK_BUILTIN
#define P CHECK_BOUND
#define M CHECK_METRIC
#define FIXED false
#define WAIVE true

static const struct check_row table[] = {
    /* step, id, worker, answered, waivable, what it asks, remedy */
    { 0, "flag.system_available",       "prechecks",   B, FIXED, "the flag system answers", "restore the flag system, then retry" },
    { 0, "monitoring.available",        "prechecks",   B, FIXED, "the monitoring system answers", "restore the monitoring system, then retry" },

    { 1, "acceptance.report_complete",  "prechecks",   B, WAIVE, "the acceptance report can be read and is complete", "complete the acceptance report" },
    { 1, "acceptance.signoffs_all",     "prechecks",   B, WAIVE, "every sign-off of the acceptance is there", "obtain the missing sign-off" },
    { 1, "acceptance.criteria_met",     "prechecks",   B, WAIVE, "the acceptance criteria are met", "meet the acceptance criteria, or accept again" },
    { 1, "acceptance.digest",           "prechecks",   B, FIXED, "the acceptance report is the one that was signed", "find out who changed the report; accept again" },
    { 1, "artifact.code",               "prechecks",   B, FIXED, "code artifacts exist with the digests of the plan", "build and publish the artifact that the plan names" },
    { 1, "artifact.configuration",      "prechecks",   B, FIXED, "configuration artifacts exist with the digests of the plan", "publish the configuration that the plan names" },
    { 1, "artifact.infrastructure",     "prechecks",   B, FIXED, "infrastructure artifacts exist with the digests of the plan", "publish the infrastructure change that the plan names" },
    { 1, "artifact.migrations",         "prechecks",   B, FIXED, "migrations exist, are in order and say what becomes of them on rollback", "publish the migration that the plan names" },
    { 1, "flag.configured",             "prechecks",   B, WAIVE, "every flag is known to its provider", "configure the flag at its provider" },
    { 1, "flag.off",                    "prechecks",   B, FIXED, "every flag reads as off", "see who holds it: slipway flags; give a change of what is on a flag of its own, or turn that one off: slipway flags kill" },
    { 1, "flag.rollout_plan",           "prechecks",   B, WAIVE, "stages rise and have criteria", "correct the rollout plan and submit again" },
    { 1, "flag.system_available",       "prechecks",   B, FIXED, "the flag system answers", "restore the flag system, then retry" },
    { 1, "docs.steps",                  "prechecks",   B, WAIVE, "deployment steps and configuration are documented and unchanged since review", "publish the document, or replan if it was meant to change" },
    { 1, "docs.rollback",               "prechecks",   B, WAIVE, "the way back is documented and unchanged since review", "publish the document, or replan if it was meant to change" },
    { 1, "docs.runbooks",               "prechecks",   B, WAIVE, "runbooks are there and unchanged since review", "publish the runbook, or replan if it was meant to change" },
    { 1, "monitoring.configured",       "prechecks",   B, WAIVE, "every metric of the plan returns data now", "repair the metric's query or its source" },
    { 1, "monitoring.dashboards",       "prechecks",   B, WAIVE, "dashboards can be reached", "repair the link to the dashboard" },
    { 1, "monitoring.alerts",           "prechecks",   B, WAIVE, "alerts of the services are configured", "configure alerts for the service" },
    { 1, "monitoring.no_open_critical", "prechecks",   B, FIXED, "no critical alert is open", "resolve the critical alert first" },
    { 1, "env.ready",                   "prechecks",   P, WAIVE, "all instances are healthy", "repair the instance that is not" },
    { 1, "env.window_approved",         "prechecks",   B, WAIVE, "the window of the plan is open", "wait for the window, or replan with another" },
    { 1, "env.team_available",          "coordinator", P, WAIVE, "the deployment team is there", "name who is on duty" },
    { 1, "env.baseline_known",          "prechecks",   B, WAIVE, "what runs now is known on every instance", "make the instance report its version" },
    { 1, "env.no_drift",                "prechecks",   B, WAIVE, "all instances of a target run the same", "bring the odd instance to the version of the others" },

    { 2, "apply",                       "executor",    B, FIXED, "the batch was applied and reads back as planned", "see the evidence; repair the target, then retry" },
    { 2, "health",                      "validator",   P, WAIVE, "the batch is healthy", "look at the instance's log" },
    { 2, "bake",                        "monitor",     M, WAIVE, "the metric stays within its limit after the batch", "find out what the batch changed" },
    { 2, "logs.errors",                 "monitor",     P, WAIVE, "logs stay free of errors after the batch", "read the log lines in the evidence" },
    { 2, "traffic.weight",              "executor",    B, FIXED, "traffic goes to the planned side", "move the traffic by hand, then retry" },

    { 3, "health.backend",              "validator",   P, WAIVE, "backend services are healthy", "look at the service's log" },
    { 3, "health.frontend",             "validator",   P, WAIVE, "frontend services are healthy", "look at the service's log" },
    { 3, "health.middleware",           "validator",   P, WAIVE, "middleware services are healthy", "look at the service's log" },
    { 3, "health.database",             "validator",   P, WAIVE, "the database can be reached", "restore the connection to the database" },
    { 3, "health.third_party",          "validator",   P, WAIVE, "third-party services can be reached", "ask the third party" },
    { 3, "health.endpoint_status",      "validator",   P, WAIVE, "health endpoints answer that all is well", "look at what the endpoint says" },
    { 3, "smoke.user_flows",            "validator",   P, WAIVE, "critical user flows work", "repeat the flow by hand" },
    { 3, "smoke.api",                   "validator",   P, WAIVE, "critical API endpoints answer as they should", "repeat the request by hand" },
    { 3, "smoke.business",              "validator",   P, WAIVE, "critical business logic works", "repeat the case by hand" },
    { 3, "integration.points",          "validator",   P, WAIVE, "integration points work", "ask the other side" },
    { 3, "integration.data_flow",       "validator",   P, WAIVE, "data flows through", "follow one record" },
    { 3, "error.handling",              "validator",   P, WAIVE, "errors are handled", "repeat the bad request by hand" },
    { 3, "error.responses",             "validator",   P, WAIVE, "errors are answered as documented", "repeat the bad request by hand" },
    { 3, "verify.version",              "validator",   P, WAIVE, "every instance runs the planned version and digest", "restart the instance that does not, then retry" },
    { 3, "verify.configuration",        "validator",   P, WAIVE, "every instance runs the planned configuration", "reload the instance that does not, then retry" },
    { 3, "verify.flags_off",            "validator",   B, FIXED, "every flag still reads as off", "find out who turned the flag on" },
    { 3, "monitoring.active",           "validator",   B, WAIVE, "monitoring sees the deployed services", "restore monitoring of the service" },
    { 3, "monitoring.metrics",          "validator",   B, WAIVE, "every metric of the plan returns data", "repair the metric's query or its source" },
    { 3, "monitoring.logs",             "validator",   P, WAIVE, "logs are being written", "look at the service's logging" },

    { 4, "rollout.reviewed",            "coordinator", B, WAIVE, "stages, times and criteria are those that were approved", "replan and have the plan approved" },
    { 4, "flag.set",                    "flag-rollout", B, FIXED, "the provider took the value", "restore the flag provider, then retry" },
    { 4, "flag.read_back",              "flag-rollout", B, FIXED, "every instance of the provider answers with the value", "restore the instance that disagrees" },
    { 4, "stage.metrics",               "monitor",     M, WAIVE, "metrics stay within their limits", "find out what the feature changed" },
    { 4, "stage.errors",                "monitor",     M, WAIVE, "error rates stay within their limits", "read the errors in the logs" },
    { 4, "stage.behaviour",             "monitor",     P, WAIVE, "the feature behaves as it should", "use the feature by hand" },
    { 4, "stage.feedback",              "monitor",     P, WAIVE, "users do not complain", "read what users say" },
    { 4, "stage.criteria",              "monitor",     B, WAIVE, "every criterion of the stage is met", "see which criterion is not" },
    { 4, "stage.min_samples",           "monitor",     B, WAIVE, "the stage has seen enough requests", "wait, or send traffic" },
    { 4, "stage.min_time",              "monitor",     B, WAIVE, "the stage has lasted long enough", "wait" },
    { 4, "stage.gate",                  "coordinator", P, WAIVE, "a person opens the next stage", "attest stage.gate" },

    { 5, "functional.feature",          "validator",   P, WAIVE, "the feature works in production", "use the feature by hand" },
    { 5, "functional.workflows",        "validator",   P, WAIVE, "user workflows work", "repeat the workflow by hand" },
    { 5, "functional.business_logic",   "validator",   P, WAIVE, "business logic is right", "repeat the case by hand" },
    { 5, "performance.metrics",         "validator",   B, WAIVE, "performance metrics are acceptable", "find out what became slower" },
    { 5, "performance.response_time",   "validator",   P, WAIVE, "response times are acceptable", "find out what became slower" },
    { 5, "performance.resources",       "validator",   P, WAIVE, "use of resources is acceptable", "find out what uses more" },
    { 5, "integration.services",        "validator",   P, WAIVE, "integrations work", "ask the other side" },
    { 5, "integration.third_party",     "validator",   P, WAIVE, "third-party services work", "ask the third party" },
    { 5, "integration.data_flow",       "validator",   P, WAIVE, "data flows through", "follow one record" },
    { 5, "security.measures",           "validator",   P, WAIVE, "security measures are active", "ask the security team" },
    { 5, "security.authn_authz",        "validator",   P, WAIVE, "authentication and authorisation work", "ask the security team" },
    { 5, "security.no_issues",          "validator",   P, WAIVE, "no security issue was found", "ask the security team" },
    { 5, "business.requirements",       "validator",   P, WAIVE, "business requirements are met", "attest business.requirements" },
    { 5, "business.acceptance_criteria", "validator",  P, WAIVE, "acceptance criteria are met in production", "compare with the acceptance report" },
    { 5, "business.user_experience",    "validator",   P, WAIVE, "the user experience is acceptable", "attest business.user_experience" },
    { 5, "monitoring.working",          "validator",   B, WAIVE, "monitoring works", "restore the metric source" },
    { 5, "monitoring.metrics",          "validator",   B, WAIVE, "every metric of the plan returns data", "repair the metric's query or its source" },
    { 5, "monitoring.alerts_configured", "validator",  B, WAIVE, "alerts are configured", "configure alerts for the service" },

    { 6, "watch.metrics",               "monitor",     M, WAIVE, "metrics stay within their limits", "find out what the feature changed" },
    { 6, "watch.logs",                  "monitor",     P, WAIVE, "application, error and access logs look well", "read the log lines in the evidence" },
    { 6, "watch.alerts",                "monitor",     B, WAIVE, "no alert is open", "respond to the alert" },
    { 6, "watch.service",               "monitor",     P, WAIVE, "services stay healthy", "look at the service's log" },
    { 6, "watch.database",              "monitor",     P, WAIVE, "the database stays healthy", "look at the database" },
    { 6, "watch.third_party",           "monitor",     P, WAIVE, "third-party services stay healthy", "ask the third party" },
    { 6, "watch.infrastructure",        "monitor",     P, WAIVE, "infrastructure stays healthy", "look at the machines" },
    { 6, "watch.rollout",               "monitor",     B, FIXED, "flags still read as the last stage set them", "find out who changed the flag" },
    { 6, "watch.feedback",              "monitor",     P, WAIVE, "users do not complain", "read what users say" },
    { 6, "monitoring.active",           "coordinator", B, WAIVE, "monitoring has seen the feature", "restore the metric source" },

    { 7, "docs.execution",              "notifier",    B, WAIVE, "the execution is documented", "make the place for documents writable" },
    { 7, "docs.validation",             "notifier",    B, WAIVE, "the validation is documented", "make the place for documents writable" },
    { 7, "docs.flags",                  "notifier",    B, WAIVE, "the activation of flags is documented", "make the place for documents writable" },
    { 7, "docs.post_validation",        "notifier",    B, WAIVE, "the post-deployment validation is documented", "make the place for documents writable" },
    { 7, "docs.monitoring",             "notifier",    B, WAIVE, "the monitoring set-up is documented", "make the place for documents writable" },
    { 7, "jira.status",                 "notifier",    B, WAIVE, "the ticket says that the feature is deployed", "restore access to the ticket" },
    { 7, "jira.date_time",              "notifier",    B, WAIVE, "the ticket says when", "restore access to the ticket" },
    { 7, "jira.version",                "notifier",    B, WAIVE, "the ticket names the version", "restore access to the ticket" },
    { 7, "jira.flag_status",            "notifier",    B, WAIVE, "the ticket names the state of the flags", "restore access to the ticket" },
    { 7, "jira.monitoring_links",       "notifier",    B, WAIVE, "the ticket links to monitoring", "restore access to the ticket" },
    { 7, "handoff.operations",          "notifier",    B, WAIVE, "operations were handed it; the sign-off of monitoring accepts it", "restore the channel" },
    { 7, "handoff.dashboards",          "notifier",    B, WAIVE, "operations have the dashboards", "restore the channel" },
    { 7, "handoff.runbooks",            "notifier",    B, WAIVE, "operations have the runbooks", "restore the channel" },
    { 7, "handoff.escalation",          "notifier",    B, WAIVE, "operations know whom to call", "restore the channel" },
    { 7, "notify.deployment",           "notifier",    B, WAIVE, "stakeholders know of the deployment", "restore the channel" },
    { 7, "notify.rollout",              "notifier",    B, WAIVE, "stakeholders know of the rollout", "restore the channel" },
    { 7, "notify.monitoring",           "notifier",    B, WAIVE, "stakeholders know of the monitoring", "restore the channel" },
    { 7, "signoff.devops",              "coordinator", B, FIXED, "the execution is signed off", "sign off the execution" },
    { 7, "signoff.technical",           "coordinator", B, FIXED, "the validation is signed off", "sign off the validation" },
    { 7, "signoff.operations",          "coordinator", B, FIXED, "the monitoring is signed off", "sign off the monitoring" },
    { 7, "review.execution",            "coordinator", P, WAIVE, "the execution was reviewed", "attest review.execution" },
    { 7, "review.validation",           "coordinator", P, WAIVE, "the validation was reviewed", "attest review.validation" },
};
/* clang-format on */

static const size_t rows = sizeof table / sizeof table[0];

const struct check_row *catalogue(size_t *ret_count)
{
    *ret_count = rows;
    return table;
}

static const struct check_row *find_exactly(const char *id, size_t length, unsigned step)
{
    for (size_t i = 0; i < rows; i++)
        if ((step == 0 || table[i].step == step) && strlen(table[i].id) == length &&
            strncmp(table[i].id, id, length) == 0)
            return &table[i];
    return NULL;
}

const struct check_row *catalogue_find(const char *id, unsigned step)
{
    size_t length = strlen(id);

    while (length > 0) {
        const struct check_row *const row = find_exactly(id, length, step);

        if (row != NULL)
            return row;
        while (length > 0 && id[length - 1] != '.')
            length--;
        length -= length > 0 ? 1 : 0;
    }
    return NULL;
}

const char *catalogue_nearest(const char *id)
{
    const char *names[ROWS_MAX];

    _Static_assert(sizeof table / sizeof table[0] <= ROWS_MAX, "room for every row");
    for (size_t i = 0; i < rows; i++)
        names[i] = table[i].id;
    return nearest_name(id, names, rows);
}

size_t catalogue_group(const char *id)
{
    return strcspn(id, ".");
}
