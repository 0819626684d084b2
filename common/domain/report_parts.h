/* Pieces of the report, for the files report*.c only. */
#ifndef COMMON_DOMAIN_REPORT_PARTS_H
#define COMMON_DOMAIN_REPORT_PARTS_H

#include "common/domain/report.h"

/* "Execute deployment"; "Intake" for 0. step <= 7. */
const char *report_step_name(unsigned step);

/* The state of that step, or NULL if it never began. */
const Pb__StepState *report_step(const Pb__DeploymentState *state, unsigned step);

/* The plan of that step, or NULL. */
const Pb__StepPlan *report_step_plan(const Pb__Plan *plan, unsigned step);

/* True when the answer counts as PASS under the plan: PASS, a planned N/A, a permitted WARN, a
 * waiver. */
bool report_counts_as_pass(const Pb__StepPlan *plan, const Pb__CheckResult *result);

/* What to learn, and what to do next. Appended to report, whose state and plan are set. */
void report_add_lessons(struct arena *arena, Pb__DeploymentReport *report);
void report_add_next_steps(struct arena *arena, Pb__DeploymentReport *report);

/* A Markdown document being written. */
struct page {
    const Pb__DeploymentReport *report;
    struct arena *arena; /* For texts on their way. */
    struct text *out;
};

/* Each writes one section, with its heading, or nothing when there is nothing to say. */
void section_summary(struct page *page);
void section_done(struct page *page);
void section_dates(struct page *page);
void section_decisions(struct page *page);
void section_changes(struct page *page);
void section_stages(struct page *page);
void section_step(struct page *page, unsigned step);
void section_people(struct page *page);
void section_incidents(struct page *page);
void section_receipts(struct page *page);
void section_links(struct page *page);
void section_lessons(struct page *page);
void section_risks(struct page *page);

#endif
