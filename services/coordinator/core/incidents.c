#include "services/coordinator/core/flow.h"

#include <string.h>

enum { HEARD_MAX = 8 }; /* Ids an incident remembers: more than may be under way at once. */

static Pb__Incident *incident_find(const struct turn *turn, const char *cause)
{
    for (size_t i = 0; i < turn->state->n_incidents; i++) {
        if (pb_same(turn->state->incidents[i]->cause, cause))
            return turn->state->incidents[i];
    }
    return NULL;
}

/* One a cause. Beyond the bound a closed one gives way; if all are open, the newest also stands
 * for this cause, with the higher severity. */
static Pb__Incident *incident_new(struct turn *turn, const char *cause)
{
    Pb__DeploymentState *const state = turn->state;
    Pb__Incident *incident;

    for (size_t i = 0; state->n_incidents == INCIDENTS_MAX && i < INCIDENTS_MAX; i++) {
        if (!state->incidents[i]->open)
            PB_REMOVE(state, incidents, i);
    }
    if (state->n_incidents == INCIDENTS_MAX)
        return state->incidents[INCIDENTS_MAX - 1];
    incident = pb_new(turn->arena, &pb__incident__descriptor);
    incident->cause = words_cut(turn, cause, 120);
    incident->first_ms = turn->now_ms;
    PB_APPEND(turn->arena, state, incidents, incident);
    return incident;
}

static void react_critical(struct turn *turn, const Pb__Incident *incident)
{
    const Pb__DeploymentState *const state = turn->state;

    if (procedure_is_terminal(state->phase)) {
        announce(turn,
                 "incident",
                 "critical incident %s: %s%s%s",
                 incident->cause,
                 incident->summary,
                 state->phase == PB__PHASE__COMPLETED
                     ? ". To take the change back: slipway rollback "
                     : "",
                 state->phase == PB__PHASE__COMPLETED ? state->id : "");
    } else if (state->phase == PB__PHASE__CHECKING) {
        Pb__TaskState *const task = task_main(turn);

        if (task != NULL)
            task_drop(turn, task);
        step_block(
            turn,
            arena_printf(
                turn->arena, "critical incident %s: %s", incident->cause, incident->summary),
            "wait until it is resolved, then retry");
        result_of_critical(turn, incident);
    } else if (state->step >= 2 && !phase_stops(state->phase)) {
        stop(turn,
             PB__CAUSE_KIND__FAILURE,
             "critical incident %s: %s",
             incident->cause,
             incident->summary);
    }
}

static void react_warning(struct turn *turn, const Pb__Incident *incident)
{
    const Pb__DeploymentState *const state = turn->state;

    if (phase_runs(state->phase) && state->step >= 2 && state->step <= 6)
        hold_add(turn,
                 PB__HOLD_KIND__HOLD_WARNING,
                 "warning",
                 arena_printf(turn->arena, "%s: %s", incident->cause, incident->summary),
                 0);
    else if (procedure_is_terminal(state->phase))
        announce(turn, "incident", "warning %s: %s", incident->cause, incident->summary);
}

static void incident_over(struct turn *turn, Pb__Incident *incident)
{
    incident->open = false;
    incident->last_ms = turn->now_ms;
    (void)entry_add(turn, "IncidentResolved", "%s", incident->cause);
}

static const char *severity_name(Pb__Severity severity)
{
    switch (severity) {
    case PB__SEVERITY__CRITICAL: return "critical";
    case PB__SEVERITY__WARNING: return "warning";
    default: return "info";
    }
}

/* Returns the one that stands for it. */
static Pb__Incident *incident_seen(struct turn *turn, const Pb__IncidentReported *report)
{
    Pb__Incident *incident = incident_find(turn, report->cause);
    const bool known = incident != NULL && incident->open;
    bool risen;

    if (incident == NULL)
        incident = incident_new(turn, report->cause);
    risen = !known || report->severity > incident->severity;
    if (!incident->open || report->severity > incident->severity)
        incident->severity = report->severity;
    incident->open = true;
    incident->count += report->count > 0 ? report->count : 1;
    incident->last_ms = turn->now_ms;
    incident->summary = words_cut(turn, report->summary, 200);
    incident->link = words_cut(turn, report->link, 200);
    if (!risen) {
        turn->immaterial = true;
        return incident;
    }
    (void)entry_add(turn,
                    "IncidentDetected",
                    "%s: %s, %s",
                    severity_name(incident->severity),
                    incident->cause,
                    incident->summary);
    if (incident->severity == PB__SEVERITY__CRITICAL)
        react_critical(turn, incident);
    else if (incident->severity == PB__SEVERITY__WARNING)
        react_warning(turn, incident);
    return incident;
}

/* FNV-1a of the event's id. */
static uint64_t report_id(const struct turn *turn)
{
    const uint64_t prime = 0x100000001b3;
    uint64_t hash = 0xcbf29ce484222325;

    for (const char *c = turn->event_id; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * prime;
    return hash;
}

static bool report_heard(const struct turn *turn)
{
    const uint64_t id = report_id(turn);

    for (size_t i = 0; i < turn->state->n_incidents; i++) {
        const Pb__Incident *const incident = turn->state->incidents[i];

        for (size_t k = 0; k < incident->n_heard; k++) {
            if (incident->heard[k] == id)
                return true;
        }
    }
    return false;
}

static void report_remember(struct turn *turn, Pb__Incident *incident)
{
    if (incident->n_heard == HEARD_MAX)
        PB_REMOVE(incident, heard, 0);
    PB_APPEND(turn->arena, incident, heard, report_id(turn));
}

/* A report that comes once more must neither open what is over nor close what has opened again;
 * one that has become graver is news under the same id. */
static bool is_repeated(const struct turn *turn,
                        const Pb__Incident *incident,
                        const Pb__IncidentReported *report)
{
    return report_heard(turn) &&
           (!report->open || incident == NULL || report->severity <= incident->severity);
}

enum procedure_answer incident_reported(struct turn *turn, const Pb__IncidentReported *report)
{
    Pb__Incident *const incident = incident_find(turn, report->cause);

    turn->by = "monitor";
    if (report->cause[0] == '\0')
        return turn_stale(turn, "an incident without a cause");
    if (is_repeated(turn, incident, report))
        return turn_stale(turn, "this word on %s was heard before", report->cause);
    if (!report->open && (incident == NULL || !incident->open))
        return turn_stale(turn, "%s is not open", report->cause);
    if (report->open) {
        report_remember(turn, incident_seen(turn, report));
    } else {
        incident_over(turn, incident);
        report_remember(turn, incident);
    }
    return PROCEDURE_APPLIED;
}

static const char *cause_of_check(const struct turn *turn, const char *check)
{
    return arena_printf(turn->arena, "check %s", check);
}

void incident_of_check(struct turn *turn, const char *check, const char *summary)
{
    Pb__IncidentReported report = PB__INCIDENT_REPORTED__INIT;

    report.cause = cause_of_check(turn, check);
    report.severity = PB__SEVERITY__WARNING;
    report.summary = summary;
    (void)incident_seen(turn, &report);
}

void incident_of_check_over(struct turn *turn, const char *check)
{
    Pb__Incident *const incident = incident_find(turn, cause_of_check(turn, check));

    if (incident != NULL && incident->open)
        incident_over(turn, incident);
}
