#include "common/domain/report_parts.h"

#include "common/domain/markdown.h"

#include <string.h>

enum { PAGE_MEMORY = 16 * 1024 * 1024 };

static void heading(struct page *page, const char *title)
{
    text_add(page->out, "# ");
    markdown_text(page->out, title);
    text_add(page->out, "\n\n");
}

void report_markdown(const Pb__DeploymentReport *report, struct text *out)
{
    struct arena arena = arena_with_limit(PAGE_MEMORY);
    struct page page = { report, &arena, out };
    const Pb__DeploymentState *const state = report->state;

    heading(&page,
            arena_printf(&arena,
                         "Deployment %s: %s",
                         state->id,
                         state->title[0] != '\0' ? state->title : state->feature));
    section_summary(&page);
    section_done(&page);
    section_dates(&page);
    section_decisions(&page);
    section_changes(&page);
    section_stages(&page);
    section_people(&page);
    section_incidents(&page);
    for (unsigned step = 0; step <= 7; step++)
        section_step(&page, step);
    section_receipts(&page);
    section_risks(&page);
    section_lessons(&page);
    section_links(&page);
    arena_release(&arena);
}

/* A document of step 7: which step it tells of, and which sections belong to it. */
struct part {
    const char *check;
    const char *title;
    unsigned step;
    void (*section[3])(struct page *page);
};

/* clang-format off */
static const struct part parts[] = {
    { "docs.execution",       "Deployment execution",        2, { section_changes, section_people } },
    { "docs.validation",      "Deployment validation",       3, { section_people } },
    { "docs.flags",           "Feature flag activation",     4, { section_stages } },
    { "docs.post_validation", "Post-deployment validation",  5, { NULL } },
    { "docs.monitoring",      "Monitoring setup",            6, { section_incidents, section_people } },
};
/* clang-format on */

static void write_part(struct page *page, const struct part *part)
{
    const Pb__DeploymentState *const state = page->report->state;

    heading(page, arena_printf(page->arena, "%s of %s", part->title, state->id));
    section_summary(page);
    section_step(page, part->step);
    for (size_t i = 0; i < sizeof part->section / sizeof part->section[0]; i++) {
        if (part->section[i] != NULL)
            part->section[i](page);
    }
    section_links(page);
}

enum err report_part_markdown(const Pb__DeploymentReport *report,
                              const char *check,
                              struct text *out)
{
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(parts[i].check, check) == 0) {
            struct arena arena = arena_with_limit(PAGE_MEMORY);
            struct page page = { report, &arena, out };

            write_part(&page, &parts[i]);
            arena_release(&arena);
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}
