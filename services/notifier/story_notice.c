/* What step 7 says, check by check. */
#include "services/notifier/story.h"

#include "common/domain/markdown.h"

#include <string.h>

/* A notice under construction. */
struct draft {
    struct arena *arena;
    const struct story *story;
    Pb__DeploymentReport facts; /* Only its lists of links are used. */
    const char *text;
    const char **roles;
    size_t role_count;
};

static void take_links(struct draft *draft, const char *kind)
{
    const Pb__DeploymentReport *const report = draft->story->report;

    for (size_t i = 0; i < report->n_links; i++) {
        if (kind == NULL || pb_same(report->links[i]->kind, kind))
            PB_APPEND(draft->arena, &draft->facts, links, report->links[i]);
    }
}

static void take_role(struct draft *draft, const char *role)
{
    const char **const grown =
        pb_grow(draft->arena, draft->roles, draft->role_count, sizeof *grown);

    grown[draft->role_count++] = role;
    draft->roles = grown;
}

static const char *stages_text(struct draft *draft)
{
    const Pb__Plan *const plan = draft->story->report->plan;
    const Pb__AuditDates *const dates = draft->story->report->state->dates;
    const char *text = "";

    for (size_t i = 0; i < plan->n_stages; i++) {
        const Pb__Stage *const stage = plan->stages[i];
        const bool active = dates != NULL && i < dates->n_activation_ms;

        text = arena_printf(draft->arena,
                            "%s%s%s %u %%%s%s",
                            text,
                            i > 0 ? "; " : "",
                            stage->name,
                            stage->percent,
                            active ? ", since " : "",
                            active ? markdown_time(draft->arena, dates->activation_ms[i]) : "");
    }
    return text;
}

static enum err say_deployment(struct draft *draft, struct error *error)
{
    const Pb__DeploymentState *const state = draft->story->report->state;

    (void)error;
    draft->text = arena_printf(
        draft->arena,
        "%s is deployed to %s. Executed %s, validated %s, validated again in production %s.",
        state->title[0] != '\0' ? state->title : state->feature,
        state->environment,
        state->dates != NULL ? markdown_time(draft->arena, state->dates->execution_ms) : "",
        state->dates != NULL ? markdown_time(draft->arena, state->dates->validation_ms) : "",
        state->dates != NULL ? markdown_time(draft->arena, state->dates->post_validation_ms)
                             : "");
    take_links(draft, NULL);
    return ERR_OK;
}

static enum err say_rollout(struct draft *draft, struct error *error)
{
    const Pb__DeploymentReport *const report = draft->story->report;
    const Pb__FlagsState *const flags = report->state->flags;

    (void)error;
    draft->text = report->plan->n_flags == 0
                      ? "The plan brings no flag: the feature is available to everyone."
                      : arena_printf(draft->arena,
                                     "The feature is on for %u %%. Stages: %s.",
                                     flags != NULL ? flags->percent : 0,
                                     stages_text(draft));
    take_links(draft, "flags");
    return ERR_OK;
}

static enum err say_monitoring(struct draft *draft, struct error *error)
{
    const Pb__DeploymentState *const state = draft->story->report->state;

    (void)error;
    draft->text = arena_printf(
        draft->arena,
        "Monitoring is active since %s: %zu metrics are watched.",
        state->dates != NULL ? markdown_time(draft->arena, state->dates->monitoring_ms) : "?",
        draft->story->report->plan->n_metrics);
    take_links(draft, "dashboard");
    return ERR_OK;
}

/* Whoever signs off the monitoring accepts the hand-over by it. */
static const char *taken_over_text(struct draft *draft)
{
    const Pb__SignOffGiven *const given = story_taken_over(draft->story);

    if (given != NULL)
        return arena_printf(draft->arena, "Accepted by %s (%s)", given->subject, given->role);
    return arena_printf(draft->arena,
                        "Accept it with: slipway signoff %s --step 6",
                        draft->story->report->state->id);
}

static enum err say_operations(struct draft *draft, struct error *error)
{
    const Pb__DeploymentReport *const report = draft->story->report;

    (void)error;
    draft->text = arena_printf(draft->arena,
                               "%s is handed over to operations. What is on: %s. %s. Take it "
                               "back with: slipway rollback %s --reason \"...\"",
                               report->state->id,
                               report->plan->n_stages > 0 ? stages_text(draft)
                                                          : "everything, without a flag",
                               taken_over_text(draft),
                               report->state->id);
    take_links(draft, NULL);
    for (size_t i = 0; i < report->plan->n_signoffs; i++) {
        if (report->plan->signoffs[i]->step == 6)
            take_role(draft, report->plan->signoffs[i]->role);
    }
    return ERR_OK;
}

static enum err say_links(struct draft *draft,
                          const char *kind,
                          const char *text,
                          struct error *error)
{
    take_links(draft, kind);
    draft->text = text;
    if (draft->facts.n_links == 0)
        return error_set(error, ERR_NOT_FOUND, "the plan names no %s", kind);
    return ERR_OK;
}

static enum err say_dashboards(struct draft *draft, struct error *error)
{
    return say_links(draft, "dashboard", "The dashboards to watch it by:", error);
}

static enum err say_runbooks(struct draft *draft, struct error *error)
{
    return say_links(draft, "runbook", "The runbooks for it:", error);
}

static enum err say_escalation(struct draft *draft, struct error *error)
{
    const Pb__Plan *const plan = draft->story->report->plan;
    const char *who =
        plan->team[0] != '\0' ? arena_printf(draft->arena, "team %s", plan->team) : "";

    for (size_t i = 0; i < plan->n_signoffs; i++) {
        who = arena_printf(draft->arena,
                           "%s%s%s (%s)",
                           who,
                           who[0] != '\0' ? ", then " : "",
                           plan->signoffs[i]->role,
                           plan->signoffs[i]->what);
        take_role(draft, plan->signoffs[i]->role);
    }
    if (who[0] == '\0')
        return error_set(error, ERR_NOT_FOUND, "the plan names nobody to escalate to");
    draft->text = arena_printf(draft->arena,
                               "When it misbehaves call %s. Flags off at once: slipway flags "
                               "kill; everything back: slipway rollback %s --reason \"...\"",
                               who,
                               draft->story->report->state->id);
    return ERR_OK;
}

static enum err say_ticket(struct draft *draft, struct error *error)
{
    (void)error;
    draft->text = "Deployed and validated; watched in production.";
    take_links(draft, "dashboard");
    return ERR_OK;
}

/* clang-format off */
static const struct {
    const char *check;
    enum err (*say)(struct draft *draft, struct error *error);
    const char *title;
} sayings[] = {
    { "notify.deployment",     say_deployment, "deployed" },
    { "notify.rollout",        say_rollout,    "rollout" },
    { "notify.monitoring",     say_monitoring, "monitoring" },
    { "handoff.operations",    say_operations, "handed over to operations" },
    { "handoff.dashboards",    say_dashboards, "dashboards" },
    { "handoff.runbooks",      say_runbooks,   "runbooks" },
    { "handoff.escalation",    say_escalation, "escalation" },
    { "jira.status",           say_ticket,     "deployed" },
    { "jira.date_time",        say_ticket,     "deployed" },
    { "jira.version",          say_ticket,     "deployed" },
    { "jira.flag_status",      say_ticket,     "deployed" },
    { "jira.monitoring_links", say_ticket,     "deployed" },
};
/* clang-format on */

static void set_fact(struct arena *arena,
                     Pb__Finalise *facts,
                     const char *key,
                     const char *value)
{
    for (size_t i = 0; i < facts->n_facts; i++) {
        if (pb_same(facts->facts[i]->key, key)) {
            facts->facts[i] = pb_pair_new(arena, key, value);
            return;
        }
    }
    PB_APPEND(arena, facts, facts, pb_pair_new(arena, key, value));
}

/* The command's facts, with those that would change from one drive to the next replaced by what
 * the record says: the same comment must not be written twice with two dates. */
static Pb__Finalise *facts_of(struct arena *arena, const struct story *story)
{
    Pb__Finalise *const facts = pb_clone(arena, story->command->finalise);
    const Pb__AuditDates *const dates = story->report->state->dates;

    set_fact(arena, facts, "status", "deployed");
    if (dates != NULL && dates->execution_ms != 0)
        set_fact(arena, facts, "date", markdown_time(arena, dates->execution_ms));
    for (size_t i = 0; i < facts->n_facts; i++) {
        if (pb_same(facts->facts[i]->key, "step")) {
            PB_REMOVE(facts, facts, i);
            break;
        }
    }
    return facts;
}

static const char *joined_facts(struct arena *arena, const Pb__Finalise *facts)
{
    const char *all = "";

    for (size_t i = 0; i < facts->n_facts; i++)
        all =
            arena_printf(arena, "%s%s=%s\n", all, facts->facts[i]->key, facts->facts[i]->value);
    return all;
}

static void fill(struct draft *draft,
                 const char *check,
                 const char *channel,
                 const char *title,
                 struct notice *ret)
{
    struct arena *const arena = draft->arena;
    const Pb__Command *const command = draft->story->command;
    const Pb__Finalise *const facts = facts_of(arena, draft->story);
    const char *const parts[] = { command->deployment, "finalise", check, channel, NULL };
    /* What the ticket shall say makes one comment; should it change, it makes another. */
    const bool ticket = strncmp(check, "jira.", 5) == 0;
    const char *const group[] = { command->deployment,
                                  "finalise",
                                  ticket ? "jira" : check,
                                  ticket ? joined_facts(arena, facts) : "",
                                  NULL };

    *ret = (struct notice){
        .id = notice_id(arena, parts),
        .group = notice_id(arena, group),
        .what = "completed",
        .purpose = check,
        .deployment = command->deployment,
        .feature = command->feature,
        .environment = command->environment,
        .title = arena_printf(arena, "%s: %s", command->deployment, title),
        .text = draft->text,
        .ticket = command->finalise->ticket,
        .facts = facts->facts,
        .fact_count = facts->n_facts,
        .links = draft->facts.links,
        .link_count = draft->facts.n_links,
        .roles = draft->roles,
        .role_count = draft->role_count,
        .at_ms = draft->story->report->made_ms,
    };
}

enum err story_notice(struct arena *arena,
                      const struct story *story,
                      const char *check,
                      const char *channel,
                      struct notice *ret,
                      struct error *error)
{
    struct draft draft = { .arena = arena, .story = story, .text = "" };

    pb__deployment_report__init(&draft.facts);
    for (size_t i = 0; i < sizeof sayings / sizeof sayings[0]; i++) {
        enum err err;

        if (strcmp(sayings[i].check, check) != 0)
            continue;
        err = sayings[i].say(&draft, error);
        if (err == ERR_OK)
            fill(&draft, check, channel, sayings[i].title, ret);
        return err;
    }
    return error_set(error, ERR_INVALID, "the notifier knows no check '%.100s'", check);
}
