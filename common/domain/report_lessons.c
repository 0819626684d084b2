/* What a retrospective should ask, and what the people of this deployment do now. */
#include "common/domain/report_parts.h"

#include "common/domain/markdown.h"

#include <string.h>

static const char *assignee_of(const Pb__DeploymentReport *report)
{
    if (report->plan != NULL && report->plan->team[0] != '\0')
        return report->plan->team;
    return report->state->submitted_by != NULL ? report->state->submitted_by->subject : "";
}

static void add_lesson(struct arena *arena, Pb__DeploymentReport *report, const char *text)
{
    Pb__Lesson *const lesson = pb_new(arena, &pb__lesson__descriptor);

    lesson->text = text;
    lesson->assignee = assignee_of(report);
    PB_APPEND(arena, report, lessons, lesson);
}

static void learn_from_stop(struct arena *arena, Pb__DeploymentReport *report)
{
    const Pb__StopCause *const stop = report->state->stop;

    if (stop == NULL || stop->cause[0] == '\0')
        return;
    add_lesson(
        arena,
        report,
        arena_printf(arena,
                     "Document why it was %s in step %u (%s): \"%s\", by %s. What led to "
                     "it, and what would have found it earlier?",
                     pb_same(report->exit, "ABORTED") ? "aborted" : "taken back",
                     stop->step,
                     report_step_name(stop->step),
                     stop->cause,
                     stop->by[0] != '\0' ? stop->by : "the coordinator"));
}

static void learn_from_blocked(struct arena *arena, Pb__DeploymentReport *report)
{
    const Pb__WaitingFor *const waiting = report->state->waiting_for;

    if (!pb_same(report->exit, "BLOCKED"))
        return;
    add_lesson(arena,
               report,
               arena_printf(arena,
                            "Document why it is blocked in step %u (%s): %s",
                            report->state->step,
                            report_step_name(report->state->step),
                            waiting != NULL ? waiting->sentence : "no reason is recorded"));
}

static void learn_from_incidents(struct arena *arena, Pb__DeploymentReport *report)
{
    for (size_t i = 0; i < report->state->n_incidents; i++) {
        const Pb__Incident *const incident = report->state->incidents[i];

        add_lesson(
            arena,
            report,
            arena_printf(arena,
                         "Incident %s (%s, %u alerts) at %s: which check before it should "
                         "have seen it?",
                         incident->cause,
                         pb_enum_name(&pb__severity__descriptor, (int)incident->severity),
                         incident->count,
                         markdown_time(arena, incident->first_ms)));
    }
}

static void learn_from_step(struct arena *arena,
                            Pb__DeploymentReport *report,
                            const Pb__StepState *step)
{
    const Pb__StepPlan *const plan = report_step_plan(report->plan, step->step);

    if (step->try_number > 1)
        add_lesson(arena,
                   report,
                   arena_printf(arena,
                                "Step %u (%s) needed %u tries: what made it fail at first?",
                                step->step,
                                report_step_name(step->step),
                                step->try_number));
    for (size_t i = 0; i < step->n_results; i++) {
        const Pb__CheckResult *const result = step->results[i];

        if (result->waived)
            add_lesson(arena,
                       report,
                       arena_printf(arena,
                                    "%s was waived by %s (%s): mend the check or what it "
                                    "watches.",
                                    result->check,
                                    result->by,
                                    pb_verdict_name(result->verdict)));
        else if (!report_counts_as_pass(plan, result) && report->exit[0] != '\0')
            add_lesson(arena,
                       report,
                       arena_printf(arena,
                                    "%s was %s: %s%s%s",
                                    result->check,
                                    pb_verdict_name(result->verdict),
                                    result->observed[0] != '\0' ? result->observed
                                                                : "nothing observed",
                                    result->remedy[0] != '\0' ? ". Remedy: " : "",
                                    result->remedy));
    }
}

void report_add_lessons(struct arena *arena, Pb__DeploymentReport *report)
{
    const Pb__DeploymentState *const state = report->state;

    learn_from_stop(arena, report);
    learn_from_blocked(arena, report);
    learn_from_incidents(arena, report);
    for (size_t i = 0; i < state->n_steps; i++)
        learn_from_step(arena, report, state->steps[i]);
    for (size_t i = 0; i < state->n_skipped; i++)
        add_lesson(arena,
                   report,
                   arena_printf(arena,
                                "Change %u was left in place by hand: how could its undo be "
                                "made to work?",
                                state->skipped[i] + 1));
}

static void add_next(struct arena *arena, Pb__DeploymentReport *report, const char *text)
{
    PB_APPEND(arena, report, next_steps, text);
}

/* Best-effort notices that did not go out. */
static void add_outstanding(struct arena *arena, Pb__DeploymentReport *report)
{
    const Pb__StepState *const step = report_step(report->state, 7);

    for (size_t i = 0; step != NULL && i < step->n_results; i++) {
        const Pb__CheckResult *const result = step->results[i];

        if (result->verdict == PB__VERDICT__WARN)
            add_next(
                arena,
                report,
                arena_printf(arena, "Outstanding: %s, %s", result->check, result->observed));
    }
}

static void after_completion(struct arena *arena, Pb__DeploymentReport *report)
{
    add_next(arena,
             report,
             "Post-Release Monitoring takes over: dashboards and runbooks are linked below.");
    add_next(arena, report, "Release Retrospective: read this report and its lessons.");
    add_outstanding(arena, report);
    add_next(
        arena,
        report,
        arena_printf(arena,
                     "Should it have to be taken back: slipway rollback %s --reason \"...\"",
                     report->state->id));
}

static void after_undo(struct arena *arena, Pb__DeploymentReport *report)
{
    const Pb__StopCause *const stop = report->state->stop;

    add_next(arena,
             report,
             arena_printf(arena,
                          "Investigate: %s",
                          stop != NULL && stop->cause[0] != '\0' ? stop->cause
                                                                 : "the timeline below"));
    for (size_t i = 0; i < report->state->n_skipped; i++)
        add_next(arena,
                 report,
                 arena_printf(arena,
                              "Change %u was left in place: bring it back by hand or keep it.",
                              report->state->skipped[i] + 1));
    add_next(arena, report, "Fix the problems; have the fixed feature accepted again.");
    add_next(
        arena,
        report,
        arena_printf(arena,
                     "Re-attempt with the same content: slipway retry %s; with new content: "
                     "slipway submit feature.yaml",
                     report->state->id));
}

void report_add_next_steps(struct arena *arena, Pb__DeploymentReport *report)
{
    const Pb__WaitingFor *const waiting = report->state->waiting_for;

    if (pb_same(report->exit, "COMPLETED")) {
        after_completion(arena, report);
    } else if (pb_same(report->exit, "ABORTED") || pb_same(report->exit, "ROLLED_BACK")) {
        after_undo(arena, report);
    } else if (waiting != NULL) {
        if (waiting->sentence[0] != '\0')
            add_next(arena, report, waiting->sentence);
        if (waiting->unblock[0] != '\0')
            add_next(arena, report, waiting->unblock);
        if (waiting->otherwise[0] != '\0')
            add_next(arena, report, waiting->otherwise);
    }
}
