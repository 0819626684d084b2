#include "common/domain/report_parts.h"

#include "common/domain/markdown.h"

#include <inttypes.h>
#include <string.h>

static const char *number(struct page *page, uint64_t value)
{
    return arena_printf(page->arena, "%" PRIu64, value);
}

static const char *when(struct page *page, int64_t ms)
{
    return markdown_time(page->arena, ms);
}

/* A level-two heading and the head of a table. */
static void table(struct page *page, const char *title, const char *const *head, size_t count)
{
    text_add(page->out, "## ");
    markdown_text(page->out, title);
    text_add(page->out, "\n\n");
    markdown_row(page->out, head, count);
    markdown_rule(page->out, count);
}
#define TABLE(page, title, ...)                                                                \
    table((page),                                                                              \
          (title),                                                                             \
          (const char *const[]){ __VA_ARGS__ },                                                \
          sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static void end(struct page *page)
{
    text_add_char(page->out, '\n');
}

static const char *joined(struct page *page, const char *const *items, size_t count)
{
    const char *all = "";

    for (size_t i = 0; i < count; i++)
        all = arena_printf(page->arena, "%s%s%s", all, i > 0 ? ", " : "", items[i]);
    return all;
}

static void fact(struct page *page, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        MARKDOWN_ROW(page->out, name, value);
}

void section_summary(struct page *page)
{
    const Pb__DeploymentReport *const report = page->report;
    const Pb__DeploymentState *const state = report->state;
    const Pb__Plan *const plan = report->plan;
    const char *const now =
        report->exit[0] != '\0' ? report->exit : pb_phase_name(state->phase);

    text_add(page->out, "**");
    markdown_text(page->out, now);
    text_add(page->out, "**");
    if (state->stop != NULL && state->stop->cause[0] != '\0') {
        text_add(page->out, " because: ");
        markdown_text(page->out, state->stop->cause);
    }
    text_add(page->out, "\n\n| | |\n");
    markdown_rule(page->out, 2);
    fact(page, "Feature", state->feature);
    fact(page, "Attempt", number(page, state->attempt));
    fact(page, "Attempt of", state->attempt_of);
    fact(page, "Environment", state->environment);
    fact(page, "Services", joined(page, state->services, state->n_services));
    fact(page, "Approach", plan != NULL ? plan->approach : state->approach);
    fact(page, "Ticket", state->ticket);
    fact(page, "Team", plan != NULL ? plan->team : "");
    fact(page, "Submitted by", state->submitted_by != NULL ? state->submitted_by->subject : "");
    fact(page, "Policy", plan != NULL ? plan->policy : "");
    fact(page, "Plan", state->plan_hash);
    fact(page, "Began", when(page, state->created_ms));
    fact(page, "As of", when(page, report->made_ms));
    fact(page, "Length", markdown_duration(page->arena, report->made_ms - state->created_ms));
    fact(page, "Record", state->record_hash);
    end(page);
}

void section_done(struct page *page)
{
    const Pb__DeploymentReport *const report = page->report;

    text_add(page->out, "## Definition of done\n\n");
    for (size_t i = 0; i < report->n_definition_of_done; i++) {
        const Pb__DoneItem *const item = report->definition_of_done[i];

        text_add(page->out, "- [%c] ", item->done ? 'x' : ' ');
        markdown_text(page->out, item->text);
        text_add(page->out, " — ");
        markdown_text(page->out, item->evidence);
        text_add_char(page->out, '\n');
    }
    end(page);
}

void section_dates(struct page *page)
{
    const Pb__AuditDates *const dates = page->report->state->dates;
    const char *activated = "";

    if (dates == NULL)
        return;
    for (size_t i = 0; i < dates->n_activation_ms; i++)
        activated = arena_printf(page->arena,
                                 "%s%sstage %zu: %s",
                                 activated,
                                 i > 0 ? "; " : "",
                                 i + 1,
                                 when(page, dates->activation_ms[i]));
    TABLE(page, "Audit trail", "what", "when");
    MARKDOWN_ROW(page->out, "Deployment execution", when(page, dates->execution_ms));
    MARKDOWN_ROW(page->out, "Deployment validation", when(page, dates->validation_ms));
    MARKDOWN_ROW(page->out, "Feature flag activation", activated);
    MARKDOWN_ROW(
        page->out, "Post-deployment validation", when(page, dates->post_validation_ms));
    MARKDOWN_ROW(page->out, "Monitoring setup", when(page, dates->monitoring_ms));
    MARKDOWN_ROW(page->out, "Deployment completion", when(page, dates->completion_ms));
    end(page);
}

void section_decisions(struct page *page)
{
    const Pb__DeploymentState *const state = page->report->state;

    TABLE(page, "Decisions", "step", "", "decision", "try", "began", "took", "rule");
    for (size_t i = 0; i < state->n_steps; i++) {
        const Pb__StepState *const step = state->steps[i];
        const bool ended = step->ended_ms > step->began_ms;

        if (step->began_ms == 0)
            continue;
        MARKDOWN_ROW(page->out,
                     number(page, step->step),
                     report_step_name(step->step),
                     pb_same(step->decision, "GO") ? "Go"
                     : step->decision[0] != '\0'   ? "No-Go"
                                                   : "",
                     number(page, step->try_number),
                     when(page, step->began_ms),
                     ended ? markdown_duration(page->arena, step->ended_ms - step->began_ms)
                           : "",
                     step->rule);
    }
    end(page);
}

static const char *batches_text(struct page *page, const Pb__Change *change)
{
    const char *all = "";

    for (size_t i = 0; i < change->n_batches; i++)
        all = arena_printf(
            page->arena,
            "%s%s%s",
            all,
            i > 0 ? " / " : "",
            joined(page, change->batches[i]->instances, change->batches[i]->n_instances));
    return all;
}

void section_changes(struct page *page)
{
    const Pb__Plan *const plan = page->report->plan;

    if (plan == NULL || plan->n_changes == 0)
        return;
    TABLE(page,
          "Changes",
          "",
          "kind",
          "artifact",
          "version",
          "target",
          "batches",
          "way back",
          "digest");
    for (size_t i = 0; i < plan->n_changes; i++) {
        const Pb__Change *const change = plan->changes[i];

        MARKDOWN_ROW(page->out,
                     number(page, change->index + 1),
                     pb_enum_name(&pb__artifact_kind__descriptor, (int)change->kind),
                     change->artifact,
                     change->version,
                     change->target,
                     batches_text(page, change),
                     pb_enum_name(&pb__on_rollback__descriptor, (int)change->on_rollback),
                     change->digest != NULL ? change->digest->value : "");
    }
    end(page);
}

void section_stages(struct page *page)
{
    const Pb__Plan *const plan = page->report->plan;
    const Pb__DeploymentState *const state = page->report->state;
    const Pb__AuditDates *const dates = state->dates;
    const char *flags = "";

    if (plan == NULL || plan->n_flags == 0)
        return;
    for (size_t i = 0; i < plan->n_flags; i++)
        flags =
            arena_printf(page->arena, "%s%s%s", flags, i > 0 ? ", " : "", plan->flags[i]->key);
    TABLE(page, "Feature flags", "stage", "", "percent", "audience", "activated", "gate");
    for (size_t i = 0; i < plan->n_stages; i++) {
        const Pb__Stage *const stage = plan->stages[i];
        const bool active = dates != NULL && i < dates->n_activation_ms;

        MARKDOWN_ROW(page->out,
                     number(page, i + 1),
                     stage->name,
                     arena_printf(page->arena, "%u %%", stage->percent),
                     stage->audience[0] != '\0' ? stage->audience : "everyone",
                     active ? when(page, dates->activation_ms[i]) : "",
                     stage->gate_role);
    }
    text_add(page->out, "\nFlags: ");
    markdown_text(page->out, flags);
    if (state->flags != NULL)
        text_add(page->out,
                 ". Now at %u %%%s%s.",
                 state->flags->killed ? 0 : state->flags->percent,
                 state->flags->disabled ? ", disabled" : "",
                 state->flags->killed ? ", latched off for good" : "");
    text_add(page->out, "\n\n");
}

static void finding_row(struct page *page, const Pb__TimelineEntry *entry)
{
    const Pb__Finding *const finding = entry->finding;

    MARKDOWN_ROW(page->out,
                 number(page, entry->try_number),
                 finding->check,
                 pb_verdict_name(finding->verdict),
                 finding->observed,
                 finding->wanted,
                 finding->link[0] != '\0' ? finding->link : finding->evidence,
                 finding->remedy);
}

/* Every answer of every try, as the timeline has it. */
static size_t findings_of(struct page *page, unsigned step)
{
    const Pb__DeploymentReport *const report = page->report;
    static const char *const head[] = { "try",    "check",    "verdict", "observed",
                                        "wanted", "evidence", "remedy" };
    size_t rows = 0;

    for (size_t i = 0; i < report->n_timeline; i++) {
        const Pb__TimelineEntry *const entry = report->timeline[i];

        if (entry->step != step || entry->finding == NULL)
            continue;
        if (rows++ == 0) {
            markdown_row(page->out, head, sizeof head / sizeof head[0]);
            markdown_rule(page->out, sizeof head / sizeof head[0]);
        }
        finding_row(page, entry);
    }
    return rows;
}

/* The newest answer to each check: where the timeline holds none, and for what people said. */
static void results_of(struct page *page, const Pb__StepState *step)
{
    static const char *const head[] = { "check", "verdict", "observed", "by", "remedy" };

    markdown_row(page->out, head, sizeof head / sizeof head[0]);
    markdown_rule(page->out, sizeof head / sizeof head[0]);
    for (size_t i = 0; i < step->n_results; i++) {
        const Pb__CheckResult *const result = step->results[i];

        MARKDOWN_ROW(
            page->out,
            result->check,
            result->waived
                ? arena_printf(page->arena, "%s, waived", pb_verdict_name(result->verdict))
                : pb_verdict_name(result->verdict),
            result->observed,
            result->by,
            result->remedy);
    }
    end(page);
}

static void events_of(struct page *page, unsigned step)
{
    const Pb__DeploymentReport *const report = page->report;

    for (size_t i = 0; i < report->n_timeline; i++) {
        const Pb__TimelineEntry *const entry = report->timeline[i];

        if (entry->step != step || entry->finding != NULL)
            continue;
        text_add(page->out, "- %s **", when(page, entry->at_ms));
        markdown_text(page->out, entry->type);
        text_add(page->out, "** ");
        markdown_text(page->out, entry->actor);
        text_add(page->out, ": ");
        markdown_text(page->out, entry->text);
        if (entry->link != NULL) {
            text_add_char(page->out, ' ');
            markdown_link(page->out, entry->link->title, entry->link->url);
        }
        text_add_char(page->out, '\n');
    }
    end(page);
}

void section_step(struct page *page, unsigned step)
{
    const Pb__StepState *const state = report_step(page->report->state, step);

    if (state == NULL || state->began_ms == 0)
        return;
    text_add(page->out, "## Step %u: %s\n\n", step, report_step_name(step));
    if (state->decision[0] != '\0') {
        text_add(page->out,
                 "**%s** at %s, try %u. ",
                 pb_same(state->decision, "GO") ? "Go" : "No-Go",
                 when(page, state->ended_ms),
                 state->try_number);
        markdown_text(page->out, state->rule);
        text_add(page->out, "\n\n");
    }
    if (state->n_results > 0)
        results_of(page, state);
    if (findings_of(page, step) > 0)
        end(page);
    events_of(page, step);
}
