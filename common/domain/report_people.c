/* The sections about people: who agreed, what went wrong, who was told, what comes next. */
#include "common/domain/report_parts.h"

#include "common/domain/markdown.h"

#include <string.h>

#define HEAD(page, ...)                                                                        \
    do {                                                                                       \
        MARKDOWN_ROW((page)->out, __VA_ARGS__);                                                \
        markdown_rule((page)->out,                                                             \
                      sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *));    \
    } while (0)

static void approvals(struct page *page)
{
    const Pb__DeploymentState *const state = page->report->state;

    if (state->n_approvals == 0)
        return;
    text_add(page->out, "## Approvals\n\n");
    HEAD(page, "role", "who", "when", "plan", "note");
    for (size_t i = 0; i < state->n_approvals; i++) {
        const Pb__Approval *const approval = state->approvals[i];
        const char *note = approval->note;

        for (size_t k = 0; k < approval->n_accept_no_return; k++)
            note = arena_printf(page->arena,
                                "%s%saccepts no return from change %u",
                                note,
                                note[0] != '\0' ? "; " : "",
                                approval->accept_no_return[k]);
        MARKDOWN_ROW(page->out,
                     approval->role,
                     approval->actor != NULL ? approval->actor->subject : "",
                     markdown_time(page->arena, approval->at_ms),
                     arena_printf(page->arena,
                                  "%.8s%s",
                                  approval->plan_hash,
                                  approval->voided ? ", void: the plan changed" : ""),
                     note);
    }
    text_add_char(page->out, '\n');
}

void section_people(struct page *page)
{
    const Pb__DeploymentState *const state = page->report->state;

    approvals(page);
    if (state->n_signoffs == 0)
        return;
    text_add(page->out, "## Sign-offs\n\n");
    HEAD(page, "step", "role", "who", "verdict", "when", "note");
    for (size_t i = 0; i < state->n_signoffs; i++) {
        const Pb__SignOffGiven *const given = state->signoffs[i];

        MARKDOWN_ROW(page->out,
                     report_step_name(given->step),
                     given->role,
                     given->subject,
                     given->accept ? "accepted" : "rejected",
                     markdown_time(page->arena, given->at_ms),
                     given->note);
    }
    text_add_char(page->out, '\n');
}

/* "flags latched after 11 ms, stopped after 3 ms" */
static const char *reaction_to(struct page *page, const Pb__Incident *incident)
{
    const Pb__DeploymentState *const state = page->report->state;
    const int64_t first = incident->first_ms;
    const char *text = "";

    if (state->flags != NULL && state->flags->killed && state->flags->killed_ms >= first)
        text = arena_printf(page->arena,
                            "flags latched after %s",
                            markdown_duration(page->arena, state->flags->killed_ms - first));
    if (state->stop != NULL && state->stop->at_ms >= first)
        text = arena_printf(page->arena,
                            "%s%sstopped after %s",
                            text,
                            text[0] != '\0' ? ", " : "",
                            markdown_duration(page->arena, state->stop->at_ms - first));
    return text;
}

void section_incidents(struct page *page)
{
    const Pb__DeploymentState *const state = page->report->state;

    if (state->n_incidents == 0)
        return;
    text_add(page->out, "## Incidents\n\n");
    HEAD(page, "cause", "severity", "alerts", "first", "last", "state", "reaction", "summary");
    for (size_t i = 0; i < state->n_incidents; i++) {
        const Pb__Incident *const incident = state->incidents[i];

        MARKDOWN_ROW(page->out,
                     incident->cause,
                     pb_enum_name(&pb__severity__descriptor, (int)incident->severity),
                     arena_printf(page->arena, "%u", incident->count),
                     markdown_time(page->arena, incident->first_ms),
                     markdown_time(page->arena, incident->last_ms),
                     incident->open ? "open" : "resolved",
                     reaction_to(page, incident),
                     incident->summary);
    }
    text_add_char(page->out, '\n');
}

void section_receipts(struct page *page)
{
    const Pb__DeploymentState *const state = page->report->state;

    if (state->n_receipts == 0)
        return;
    text_add(page->out, "## Receipts\n\n");
    HEAD(page, "for", "channel", "when", "id", "address", "");
    for (size_t i = 0; i < state->n_receipts; i++) {
        const Pb__Receipt *const receipt = state->receipts[i];

        MARKDOWN_ROW(page->out,
                     receipt->check,
                     receipt->channel,
                     markdown_time(page->arena, receipt->at_ms),
                     receipt->id,
                     receipt->link,
                     receipt->may_repeat ? "may have been sent twice" : "");
    }
    text_add_char(page->out, '\n');
}

static void list(struct page *page, const char *title, const char *const *items, size_t count)
{
    if (count == 0)
        return;
    text_add(page->out, "## %s\n\n", title);
    for (size_t i = 0; i < count; i++) {
        text_add(page->out, "- ");
        markdown_text(page->out, items[i]);
        text_add_char(page->out, '\n');
    }
    text_add_char(page->out, '\n');
}

void section_risks(struct page *page)
{
    const Pb__Plan *const plan = page->report->plan;

    if (plan == NULL)
        return;
    list(page, "Risks known before", plan->risks, plan->n_risks);
    list(page, "Unknowns", plan->unknowns, plan->n_unknowns);
}

void section_lessons(struct page *page)
{
    const Pb__DeploymentReport *const report = page->report;

    if (report->n_lessons > 0)
        text_add(page->out, "## Lessons\n\n");
    for (size_t i = 0; i < report->n_lessons; i++) {
        text_add(page->out, "- ");
        markdown_text(page->out, report->lessons[i]->text);
        if (report->lessons[i]->assignee[0] != '\0') {
            text_add(page->out, " (for ");
            markdown_text(page->out, report->lessons[i]->assignee);
            text_add(page->out, ")");
        }
        text_add_char(page->out, '\n');
    }
    if (report->n_lessons > 0)
        text_add_char(page->out, '\n');
    list(page, "Next steps", report->next_steps, report->n_next_steps);
}

void section_links(struct page *page)
{
    const Pb__DeploymentReport *const report = page->report;

    if (report->n_links == 0)
        return;
    text_add(page->out, "## Links\n\n");
    for (size_t i = 0; i < report->n_links; i++) {
        const Pb__Link *const link = report->links[i];

        text_add(page->out, "- ");
        markdown_text(page->out, link->kind);
        text_add(page->out, ": ");
        markdown_link(page->out, link->title, link->url);
        text_add_char(page->out, '\n');
    }
}
