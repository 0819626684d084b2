#include "services/gateway/view.h"

#include <string.h>

void view_finding(struct json *json, const char *key, const Pb__TimelineEntry *entry)
{
    const Pb__Finding *const finding = entry->finding;

    json_put_object(json, key);
    json_put_text(json, "check", finding->check);
    json_put_text(json, "kind", finding->kind);
    json_put_bool(json, "required", finding->required);
    json_put_text(json, "verdict", pb_verdict_name(finding->verdict));
    json_put_text(json, "observed", finding->observed);
    json_put_text(json, "wanted", finding->wanted);
    json_put_text(json, "evidence", finding->evidence);
    json_put_text(json, "link", finding->link);
    json_put_text(json, "remedy", finding->remedy);
    json_put_int(json, "at_ms", finding->at_ms);
    json_put_uint(json, "step", entry->step);
    json_put_uint(json, "try", entry->try_number);
    json_end_object(json);
}

void view_entry(struct json *json, const char *key, const Pb__TimelineEntry *entry)
{
    json_put_object(json, key);
    json_put_uint(json, "version", entry->version);
    json_put_uint(json, "index", entry->index);
    json_put_int(json, "at_ms", entry->at_ms);
    json_put_text(json, "type", entry->type);
    json_put_text(json, "actor", entry->actor);
    json_put_uint(json, "step", entry->step);
    json_put_uint(json, "try", entry->try_number);
    json_put_text(json, "text", entry->text);
    json_put_text(json, "event_id", entry->event_id);
    if (entry->finding != NULL)
        view_finding(json, "finding", entry);
    json_end_object(json);
}

static void view_approval(struct json *json, const Pb__Approval *given)
{
    json_put_object(json, NULL);
    view_actor(json, "actor", given->actor);
    json_put_int(json, "at_ms", given->at_ms);
    json_put_text(json, "plan_hash", given->plan_hash);
    json_put_text(json, "note", given->note);
    json_put_bool(json, "void", given->voided);
    json_end_object(json);
}

static void view_approvals(struct json *json, const struct view_source *source)
{
    json_put_array(json, "approvals");
    for (size_t r = 0; source->plan != NULL && r < source->plan->n_approvals; r++) {
        const Pb__ApprovalSpec *const spec = source->plan->approvals[r];

        json_put_object(json, NULL);
        json_put_text(json, "role", spec->role);
        json_put_uint(json, "needed", spec->needed);
        json_put_array(json, "given");
        for (size_t i = 0; i < source->state->n_approvals; i++) {
            if (pb_same(source->state->approvals[i]->role, spec->role))
                view_approval(json, source->state->approvals[i]);
        }
        json_end_array(json);
        json_end_object(json);
    }
    json_end_array(json);
}

static uint32_t try_of(const Pb__DeploymentState *state, uint32_t step)
{
    for (size_t i = 0; i < state->n_steps; i++) {
        if (state->steps[i]->step == step)
            return state->steps[i]->try_number;
    }
    return 0;
}

/* What was signed of an earlier try does not count any more. */
static const Pb__SignOffGiven *signoff_given(const Pb__DeploymentState *state,
                                             const Pb__SignOffSpec *spec)
{
    const Pb__SignOffGiven *newest = NULL;

    for (size_t i = 0; i < state->n_signoffs; i++) {
        if (state->signoffs[i]->step == spec->step &&
            pb_same(state->signoffs[i]->role, spec->role) &&
            state->signoffs[i]->try_number == try_of(state, spec->step))
            newest = state->signoffs[i];
    }
    return newest;
}

const char *view_signoff_state(const Pb__DeploymentState *state, const Pb__SignOffSpec *spec)
{
    const Pb__SignOffGiven *const given = signoff_given(state, spec);

    if (given != NULL)
        return given->accept ? "GIVEN" : "REFUSED";
    if (spec->step == 6)
        return state->monitoring_active && !procedure_is_terminal(state->phase) ? "OPEN"
                                                                                : "NOT_OPEN";
    return state->step > spec->step && !procedure_is_terminal(state->phase) ? "OPEN"
                                                                            : "NOT_OPEN";
}

static void view_signoffs(struct json *json, const struct view_source *source)
{
    json_put_array(json, "signoffs");
    for (size_t i = 0; source->plan != NULL && i < source->plan->n_signoffs; i++) {
        const Pb__SignOffSpec *const spec = source->plan->signoffs[i];
        const Pb__SignOffGiven *const given = signoff_given(source->state, spec);

        json_put_object(json, NULL);
        json_put_text(json, "role", spec->role);
        json_put_text(json, "for", spec->what);
        json_put_uint(json, "step", spec->step);
        json_put_text(json, "state", view_signoff_state(source->state, spec));
        json_put_text(json, "actor", given != NULL ? given->subject : "");
        view_time(json, "at_ms", given != NULL ? given->at_ms : 0);
        json_put_text(json, "note", given != NULL ? given->note : "");
        json_end_object(json);
    }
    json_end_array(json);
}

/* Findings of the newest tries; the whole history is a resource of its own. */
static void view_findings(struct json *json, const struct view_source *source)
{
    const Pb__DeploymentState *const state = source->state;

    json_put_array(json, "findings");
    for (size_t i = 0; i < source->timeline_count; i++) {
        const Pb__TimelineEntry *const entry = source->timeline[i];
        const bool newest = entry->step < state->n_steps &&
                            entry->try_number == state->steps[entry->step]->try_number;

        if (entry->finding != NULL && newest)
            view_finding(json, NULL, entry);
    }
    json_end_array(json);
}

static void view_stop(struct json *json, const Pb__DeploymentState *state)
{
    const Pb__StopCause *const stop = state->stop;

    if (stop == NULL) {
        json_put_null(json, "stop");
        return;
    }
    json_put_object(json, "stop");
    json_put_text(json, "kind", pb_enum_name(&pb__cause_kind__descriptor, (int)stop->kind));
    json_put_text(json, "cause", stop->cause);
    json_put_text(json, "by", stop->by);
    json_put_int(json, "at_ms", stop->at_ms);
    json_put_uint(json, "step", stop->step);
    json_end_object(json);
}

static void view_receipts(struct json *json, const Pb__DeploymentState *state)
{
    json_put_array(json, "receipts");
    for (size_t i = 0; i < state->n_receipts; i++) {
        const Pb__Receipt *const receipt = state->receipts[i];

        json_put_object(json, NULL);
        json_put_text(json, "check", receipt->check);
        json_put_text(json, "channel", receipt->channel);
        json_put_text(json, "id", receipt->id);
        json_put_text(json, "link", receipt->link);
        json_put_bool(json, "may_repeat", receipt->may_repeat);
        json_put_int(json, "at_ms", receipt->at_ms);
        json_end_object(json);
    }
    json_end_array(json);
}

static void view_dates(struct json *json, const Pb__AuditDates *dates)
{
    json_put_object(json, "dates");
    if (dates != NULL) {
        view_time(json, "execution_ms", dates->execution_ms);
        view_time(json, "validation_ms", dates->validation_ms);
        json_put_array(json, "activation_ms");
        for (size_t i = 0; i < dates->n_activation_ms; i++)
            view_time(json, NULL, dates->activation_ms[i]);
        json_end_array(json);
        view_time(json, "post_validation_ms", dates->post_validation_ms);
        view_time(json, "monitoring_ms", dates->monitoring_ms);
        view_time(json, "completion_ms", dates->completion_ms);
    }
    json_end_object(json);
}

static void view_missing(struct json *json, const Pb__DeploymentState *state)
{
    json_put_array(json, "missing");
    for (size_t i = 0; i < state->n_missing; i++) {
        json_put_object(json, NULL);
        json_put_text(json, "input", state->missing[i]->input);
        json_put_text(json, "field", state->missing[i]->field);
        json_put_text(json, "remedy", state->missing[i]->remedy);
        json_end_object(json);
    }
    json_end_array(json);
}

static void view_allowed(struct json *json, const struct view_source *source)
{
    struct allowed_request *requests = NULL;
    const size_t count = procedure_allowed(
        source->arena, source->state, source->plan, source->viewer, &requests);

    json_put_array(json, "allowed");
    for (size_t i = 0; i < count; i++) {
        if (requests[i].allowed)
            json_put_text(json, NULL, requests[i].request);
    }
    json_end_array(json);
    json_put_array(json, "refused");
    for (size_t i = 0; i < count; i++) {
        if (requests[i].allowed)
            continue;
        json_put_object(json, NULL);
        json_put_text(json, "request", requests[i].request);
        json_put_text(json, "code", requests[i].code);
        json_put_text(json, "why", requests[i].why);
        json_end_object(json);
    }
    json_end_array(json);
}

static void view_attempts(struct json *json, const struct view_source *source)
{
    json_put_array(json, "attempts");
    for (size_t i = 0; i < source->attempt_count; i++) {
        const Pb__DeploymentState *const attempt = source->attempts[i];

        json_put_object(json, NULL);
        json_put_text(json, "id", attempt->id);
        json_put_uint(json, "attempt", attempt->attempt);
        view_kind(json, attempt);
        json_put_text(json, "phase", pb_phase_name(attempt->phase));
        view_exit(json, attempt);
        json_put_uint(json, "version", attempt->version);
        view_time(json, "created_ms", attempt->created_ms);
        view_time(json, "updated_ms", attempt->now_ms);
        json_end_object(json);
    }
    json_end_array(json);
}

void view_deployment(struct json *json, const char *key, const struct view_source *source)
{
    const Pb__DeploymentState *const state = source->state;

    json_put_object(json, key);
    view_summary_members(json, state);
    if (source->plan != NULL)
        view_plan(json, "plan", source);
    else
        json_put_null(json, "plan");
    view_missing(json, state);
    view_approvals(json, source);
    view_signoffs(json, source);
    view_changes(json, "changes", source);
    view_stages(json, "stages", source);
    view_metrics(json, "metrics", source->series, 0);
    view_findings(json, source);
    view_undo(json, "undo", source);
    view_incidents(json, "incidents", source);
    view_stop(json, state);
    view_receipts(json, state);
    view_dates(json, state->dates);
    view_links(json, "links", state->links, state->n_links);
    json_put_text(json, "attempt_of", state->attempt_of);
    view_attempts(json, source);
    json_put_text(json, "record_hash", state->record_hash);
    if (source->viewer != NULL)
        view_allowed(json, source);
    json_end_object(json);
}
