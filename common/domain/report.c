#include "common/domain/report.h"

#include "common/domain/markdown.h"
#include "common/domain/report_parts.h"
#include "common/wire/pbjson.h"

#include <string.h>

const char *report_step_name(unsigned step)
{
    static const char *const names[] = {
        "Intake, plan and review",
        "Pre-deployment checks",
        "Execute deployment",
        "Validate deployment",
        "Activate feature flags",
        "Post-deployment validation",
        "Monitor",
        "Finalise",
    };

    return step < sizeof names / sizeof names[0] ? names[step] : "?";
}

const Pb__StepState *report_step(const Pb__DeploymentState *state, unsigned step)
{
    for (size_t i = 0; i < state->n_steps; i++) {
        if (state->steps[i]->step == step)
            return state->steps[i];
    }
    return NULL;
}

const Pb__StepPlan *report_step_plan(const Pb__Plan *plan, unsigned step)
{
    for (size_t i = 0; plan != NULL && i < plan->n_steps; i++) {
        if (plan->steps[i]->step == step)
            return plan->steps[i];
    }
    return NULL;
}

static const Pb__CheckSpec *planned_check(const Pb__StepPlan *plan, const char *check)
{
    for (size_t i = 0; plan != NULL && i < plan->n_checks; i++) {
        if (pb_same(plan->checks[i]->id, check))
            return plan->checks[i];
    }
    return NULL;
}

bool report_counts_as_pass(const Pb__StepPlan *plan, const Pb__CheckResult *result)
{
    const Pb__CheckSpec *const spec = planned_check(plan, result->check);

    if (result->waived || result->verdict == PB__VERDICT__PASS)
        return true;
    if (result->verdict == PB__VERDICT__NOT_APPLICABLE)
        return spec != NULL && spec->not_applicable[0] != '\0';
    return result->verdict == PB__VERDICT__WARN && spec != NULL && spec->warn_ok;
}

static const Pb__CheckResult *result_of(const Pb__StepState *step, const char *check)
{
    for (size_t i = 0; step != NULL && i < step->n_results; i++) {
        if (pb_same(step->results[i]->check, check))
            return step->results[i];
    }
    return NULL;
}

static void add_item(struct arena *arena,
                     Pb__DeploymentReport *report,
                     const char *text,
                     bool done,
                     const char *evidence)
{
    Pb__DoneItem *const item = pb_new(arena, &pb__done_item__descriptor);

    item->text = text;
    item->done = done;
    item->evidence = evidence;
    PB_APPEND(arena, report, definition_of_done, item);
}

/* "step 3 Go at 2026-11-23 08:24:00 UTC, try 1: all required checks PASS" */
static const char *decision_text(struct arena *arena,
                                 unsigned number,
                                 const Pb__StepState *step)
{
    if (step == NULL || step->decision[0] == '\0')
        return arena_printf(arena, "step %u: no decision", number);
    return arena_printf(arena,
                        "step %u %s at %s, try %u%s%s",
                        number,
                        pb_same(step->decision, "GO") ? "Go" : "No-Go",
                        markdown_time(arena, step->ended_ms),
                        step->try_number,
                        step->rule[0] != '\0' ? ": " : "",
                        step->rule);
}

static bool step_is_go(const Pb__StepState *step)
{
    return step != NULL && pb_same(step->decision, "GO");
}

static void add_decision(struct arena *arena,
                         Pb__DeploymentReport *report,
                         unsigned number,
                         const char *text)
{
    const Pb__StepState *const step = report_step(report->state, number);

    add_item(arena, report, text, step_is_go(step), decision_text(arena, number, step));
}

/* Done when every required check of step 7 whose name begins so counts as PASS. */
static void add_finalised(struct arena *arena,
                          Pb__DeploymentReport *report,
                          const char *prefix,
                          const char *text)
{
    const Pb__StepPlan *const plan = report_step_plan(report->plan, 7);
    const Pb__StepState *const step = report_step(report->state, 7);
    const char *missing = "";
    unsigned wanted = 0;
    unsigned passed = 0;

    for (size_t i = 0; plan != NULL && i < plan->n_checks; i++) {
        const Pb__CheckSpec *const check = plan->checks[i];
        const Pb__CheckResult *const result = result_of(step, check->id);

        if (strncmp(check->id, prefix, strlen(prefix)) != 0 || !check->required)
            continue;
        wanted++;
        if (check->not_applicable[0] != '\0' ||
            (result != NULL && report_counts_as_pass(plan, result)))
            passed++;
        else if (missing[0] == '\0')
            missing = check->id;
    }
    add_item(arena,
             report,
             text,
             wanted > 0 ? passed == wanted : step_is_go(step),
             arena_printf(arena,
                          "%u of %u checks%s%s",
                          passed,
                          wanted,
                          missing[0] != '\0' ? "; open: " : "",
                          missing));
}

static bool read_back_passed(const Pb__DeploymentState *state, const char **ret_observed)
{
    static const char *const checks[] = { "watch.rollout", "flag.read_back" };

    for (unsigned step = 6; step >= 4; step--) {
        for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
            const Pb__CheckResult *const result =
                result_of(report_step(state, step), checks[i]);

            if (result != NULL) {
                *ret_observed = result->observed;
                return result->verdict == PB__VERDICT__PASS;
            }
        }
    }
    *ret_observed = "flags were not read back";
    return false;
}

static void add_availability(struct arena *arena, Pb__DeploymentReport *report)
{
    const Pb__FlagsState *const flags = report->state->flags;
    const Pb__Plan *const plan = report->plan;
    const uint32_t planned =
        plan != NULL && plan->n_stages > 0 ? plan->stages[plan->n_stages - 1]->percent : 0;
    const char *text = "Feature deployed and available (according to rollout plan)";
    const char *observed;
    bool on;

    if (plan != NULL && plan->n_flags == 0) {
        add_item(arena,
                 report,
                 text,
                 step_is_go(report_step(report->state, 5)),
                 "the plan brings no flag: available once deployed");
        return;
    }
    on = flags != NULL && !flags->killed && !flags->disabled && planned > 0 &&
         flags->percent == planned;
    on = read_back_passed(report->state, &observed) && on;
    add_item(arena,
             report,
             text,
             on,
             arena_printf(arena,
                          "%u %% of %u %% planned%s; read-back: %s",
                          flags != NULL && !flags->killed ? flags->percent : 0,
                          planned,
                          flags != NULL && flags->killed ? ", latched off" : "",
                          observed));
}

static void add_definition_of_done(struct arena *arena, Pb__DeploymentReport *report)
{
    add_decision(arena, report, 1, "Pre-deployment checks passed");
    add_decision(arena, report, 2, "Deployment executed successfully");
    add_decision(arena, report, 3, "Deployment validated (health checks, smoke tests)");
    add_decision(arena, report, 4, "Feature flags activated according to rollout plan");
    add_decision(arena, report, 5, "Post-deployment validation passed");
    add_decision(arena, report, 6, "Post-deployment monitoring established");
    add_finalised(arena, report, "docs.", "Deployment documentation finalized");
    add_finalised(arena, report, "jira.", "Jira ticket updated");
    add_finalised(arena, report, "notify.", "Stakeholders notified");
    add_availability(arena, report);
}

static void add_link(struct arena *arena, Pb__DeploymentReport *report, const Pb__Link *link)
{
    Pb__Link *copy;

    if (link->url[0] == '\0' && link->title[0] == '\0')
        return;
    for (size_t i = 0; i < report->n_links; i++) {
        if (pb_same(report->links[i]->url, link->url) &&
            pb_same(report->links[i]->title, link->title))
            return;
    }
    copy = pb_clone(arena, link);
    PB_APPEND(arena, report, links, copy);
}

static void add_links(struct arena *arena, Pb__DeploymentReport *report)
{
    const Pb__DeploymentState *const state = report->state;
    const Pb__Plan *const plan = report->plan;
    Pb__Link ticket = PB__LINK__INIT;
    bool ticket_linked = false;

    for (size_t i = 0; i < state->n_links; i++) {
        ticket_linked |= pb_same(state->links[i]->kind, "ticket");
        add_link(arena, report, state->links[i]);
    }
    ticket.kind = "ticket";
    ticket.title = state->ticket;
    if (!ticket_linked)
        add_link(arena, report, &ticket);
    for (size_t i = 0; plan != NULL && i < plan->n_dashboards; i++) {
        Pb__Link dashboard = *plan->dashboards[i];

        dashboard.kind = "dashboard";
        add_link(arena, report, &dashboard);
    }
    for (size_t i = 0; plan != NULL && i < plan->n_documents; i++) {
        Pb__Link document = PB__LINK__INIT;

        document.kind =
            pb_same(plan->documents[i]->kind, "runbook") ? "runbook" : "documentation";
        document.title = plan->documents[i]->kind;
        document.url = plan->documents[i]->link;
        add_link(arena, report, &document);
    }
}

static const char *exit_of(const Pb__DeploymentState *state)
{
    switch (state->phase) {
    case PB__PHASE__COMPLETED:
    case PB__PHASE__ABORTED:
    case PB__PHASE__ROLLED_BACK: return pb_phase_name(state->phase);
    case PB__PHASE__BLOCKED:
    case PB__PHASE__BLOCKED_ROLLBACK: return "BLOCKED";
    default: return "";
    }
}

Pb__DeploymentReport *report_make(struct arena *arena,
                                  const Pb__DeploymentState *state,
                                  const Pb__Plan *plan,
                                  Pb__TimelineEntry **timeline,
                                  size_t timeline_count)
{
    Pb__DeploymentReport *const report = pb_new(arena, &pb__deployment_report__descriptor);

    report->state = pb_clone(arena, state);
    report->plan = plan != NULL ? pb_clone(arena, plan) : NULL;
    report->timeline = timeline;
    report->n_timeline = timeline_count;
    report->made_ms = state->now_ms;
    report->exit = exit_of(state);
    add_definition_of_done(arena, report);
    add_links(arena, report);
    report_add_lessons(arena, report);
    report_add_next_steps(arena, report);
    return report;
}

void report_json(const Pb__DeploymentReport *report, struct text *out)
{
    pbjson_print(report, PBJSON_FULL, out);
}
