/* The rules around the steps: windows, people, channels, monitoring; and what the plan was made
 * from. */
#include "common/base/text.h"
#include "common/planning/markdown_parts.h"
#include "common/wire/envelope.h"

#include <inttypes.h>

enum { TIME_MEMORY = 4096 };

static void add_time(struct text *out, int64_t ms)
{
    struct arena arena = arena_with_limit(TIME_MEMORY);

    text_add(out, "%.16sZ", envelope_time(&arena, ms));
    arena_release(&arena);
}

static void add_window(const Pb__Window *window, struct text *out)
{
    static const char *const days[] = { "", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

    text_add(out, "- %s:", window->name);
    if (window->n_days == 0) {
        text_add(out, " once, ");
        add_time(out, window->opens_ms);
        text_add(out, " to ");
        add_time(out, window->closes_ms);
    }
    for (size_t i = 0; i < window->n_days; i++)
        text_add(out, " %s", window->days[i] <= 7 ? days[window->days[i]] : "?");
    if (window->n_days > 0)
        text_add(out,
                 " %02u:%02u to %02u:%02u %s",
                 window->from_minute / 60,
                 window->from_minute % 60,
                 window->to_minute / 60,
                 window->to_minute % 60,
                 window->zone);
    text_add_char(out, '\n');
}

static const char *closed_word(Pb__OnClosedWindow on_closed)
{
    switch (on_closed) {
    case PB__ON_CLOSED_WINDOW__FINISH: return "step 2 is finished";
    case PB__ON_CLOSED_WINDOW__ROLLBACK: return "the deployment is rolled back";
    default: return "the deployment is held";
    }
}

/* How long people have, and how often they are reminded. */
static void add_waits(const Pb__Plan *plan, struct text *out)
{
    const struct {
        const char *what;
        int64_t ms;
    } waits[] = { { "Missing inputs are waited for ", plan->input_deadline_ms },
                  { ", a review ", plan->review_deadline_ms },
                  { ", a place in the queue ", plan->queue_deadline_ms },
                  { ", a hold ", plan->hold_deadline_ms },
                  { "; who is waited for is reminded every ", plan->reminder_ms } };

    text_add_char(out, '\n');
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        text_add(out, "%s", waits[i].what);
        plan_add_duration(out, waits[i].ms);
    }
    text_add(out, ".\n");
}

static void add_channels(const Pb__Plan *plan, struct text *out)
{
    text_add(out, "\n## Who is told\n\n");
    if (plan->n_channels == 0)
        text_add(out, "Nobody.\n");
    for (size_t i = 0; i < plan->n_channels; i++)
        text_add(out,
                 "- %s by %s%s\n",
                 plan->channels[i]->purpose,
                 plan->channels[i]->channel,
                 plan->channels[i]->required ? "" : " (best effort)");
}

void plan_add_rules(const Pb__Plan *plan, struct text *out)
{
    text_add(out, "\n## Windows\n\n");
    if (plan->n_windows == 0)
        text_add(out, "Always open.\n");
    for (size_t i = 0; i < plan->n_windows; i++)
        add_window(plan->windows[i], out);
    text_add(out,
             "\nWhen a window closes, %s; in a freeze %s.",
             closed_word(plan->on_closed_window),
             closed_word(plan->on_freeze));
    if (plan->on_closed_window == PB__ON_CLOSED_WINDOW__FINISH) {
        text_add(out, " Step 2 may take ");
        plan_add_duration(out, plan->window_grace_ms);
        text_add(out, " more for it.");
    }
    text_add(out, "\n\n## Approvals and sign-offs\n\n");
    for (size_t i = 0; i < plan->n_approvals; i++)
        text_add(out,
                 "- %u %s to approve this plan\n",
                 plan->approvals[i]->needed,
                 plan->approvals[i]->role);
    for (size_t i = 0; i < plan->n_signoffs; i++) {
        text_add(
            out, "- %s signs off step %u: ", plan->signoffs[i]->role, plan->signoffs[i]->step);
        plan_add_plain(out, plan->signoffs[i]->what);
        text_add_char(out, '\n');
    }
    add_waits(plan, out);
    add_channels(plan, out);
    text_add(out, "\n## Monitoring\n\nFor ");
    plan_add_duration(out, plan->observe_ms);
    text_add(out, ", sampled every ");
    plan_add_duration(out, plan->sample_every_ms);
    text_add(out,
             ", at least %u.%02u %% of samples; alerts within ",
             plan->coverage_bp / 100,
             plan->coverage_bp % 100);
    plan_add_duration(out, plan->blame_window_ms);
    text_add(out, " of a change are held against it.\n");
}

/* Ends the line. What has no digest may change unseen after the review. */
static void add_digest(struct text *out, const Pb__Digest *digest)
{
    if (digest != NULL && *digest->value != '\0')
        text_add(out, " (sha256:%.*s)\n", HASH_SHOWN, digest->value);
    else
        text_add(out, " (no digest: a later change is not seen)\n");
}

static void add_report(const Pb__AcceptanceReport *report, struct text *out)
{
    text_add(out, "- acceptance report: ");
    plan_add_plain(out, report->link);
    add_digest(out, report->digest);
    for (size_t i = 0; i < report->n_signoffs; i++) {
        text_add(out, "- accepted by ");
        plan_add_plain(out, report->signoffs[i]->subject);
        text_add(out, " as ");
        plan_add_plain(out, report->signoffs[i]->role);
        text_add(out, ", ");
        add_time(out, report->signoffs[i]->at_ms);
        text_add_char(out, '\n');
    }
    for (size_t i = 0; i < report->n_criteria; i++) {
        text_add(out, "- criterion%s: ", report->criteria_met ? " (met)" : "");
        plan_add_plain(out, report->criteria[i]);
        text_add_char(out, '\n');
    }
}

void plan_add_inputs(const Pb__Plan *plan, struct text *out)
{
    text_add(out, "\n## Inputs\n\n");
    if (plan->report != NULL)
        add_report(plan->report, out);
    for (size_t i = 0; i < plan->n_documents; i++) {
        text_add(out, "- %s: ", plan->documents[i]->kind);
        plan_add_plain(out, plan->documents[i]->link);
        add_digest(out, plan->documents[i]->digest);
    }
    for (size_t i = 0; i < plan->n_test_results; i++) {
        const Pb__TestResult *const result = plan->test_results[i];

        text_add(out, "- tests ");
        plan_add_plain(out, result->suite);
        text_add(out, ": %u passed, %u failed ", result->passed, result->failed);
        plan_add_plain(out, result->link);
        text_add_char(out, '\n');
    }
    for (size_t i = 0; i < plan->n_dashboards; i++) {
        text_add(out, "- dashboard ");
        plan_add_plain(out, plan->dashboards[i]->title);
        text_add(out, ": ");
        plan_add_plain(out, plan->dashboards[i]->url);
        text_add_char(out, '\n');
    }
}
