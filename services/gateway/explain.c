/* Why a step was decided as it was: the rule, what it was computed from, and the events that
 * brought it, all from the record. */
#include "services/gateway/resources.h"

#include "common/base/json.h"

#include <string.h>

enum { STEP_LAST = 7, NONE = INT32_MAX };

/* Which decision is asked for. */
struct asked_decision {
    uint32_t step;
    uint32_t try_number;
};

/* The entry that says so, newest first: of that step and try, or, with version, the last not
 * later than that. NULL if it was not decided (yet). */
static bool decides(const Pb__TimelineEntry *entry)
{
    static const char *const types[] = { "StepGo", "StepNoGo", "Stop", "Exit" };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (pb_same(entry->type, types[i]))
            return true;
    }
    return false;
}

static const Pb__TimelineEntry *find_decision(const struct view_source *source,
                                              const struct asked_decision *asked,
                                              uint64_t version)
{
    for (size_t i = source->timeline_count; i-- > 0;) {
        const Pb__TimelineEntry *const entry = source->timeline[i];

        if (!decides(entry) || (version != 0 && entry->version > version))
            continue;
        if (version != 0 ||
            (entry->step == asked->step && entry->try_number == asked->try_number))
            return entry;
    }
    return NULL;
}

static const Pb__StepPlan *plan_of_step(const Pb__Plan *plan, uint32_t step)
{
    for (size_t i = 0; plan != NULL && i < plan->n_steps; i++) {
        if (plan->steps[i]->step == step)
            return plan->steps[i];
    }
    return NULL;
}

/* What the plan expects: without it nobody can check the arithmetic. */
static void write_expected(struct json *json, const Pb__StepPlan *plan)
{
    json_put_array(json, "expected");
    for (size_t i = 0; plan != NULL && i < plan->n_checks; i++) {
        const Pb__CheckSpec *const spec = plan->checks[i];

        json_put_object(json, NULL);
        json_put_text(json, "check", spec->id);
        json_put_text(json, "kind", spec->kind);
        json_put_bool(json, "required", spec->required);
        json_put_bool(json, "warn_ok", spec->warn_ok);
        json_put_bool(json, "waivable", spec->waivable);
        json_put_text(json, "role", spec->role);
        json_put_text(json, "not_applicable", spec->not_applicable);
        json_end_object(json);
    }
    json_end_array(json);
}

static bool belongs(const Pb__TimelineEntry *entry, const struct asked_decision *asked)
{
    return entry->step == asked->step && entry->try_number == asked->try_number;
}

static void write_inputs(struct json *json,
                         const struct view_source *source,
                         const struct asked_decision *asked)
{
    json_put_array(json, "findings");
    for (size_t i = 0; i < source->timeline_count; i++) {
        const Pb__TimelineEntry *const entry = source->timeline[i];

        if (entry->finding != NULL && belongs(entry, asked))
            view_finding(json, NULL, entry);
    }
    json_end_array(json);
    json_put_array(json, "people");
    for (size_t i = 0; i < source->timeline_count; i++) {
        const Pb__TimelineEntry *const entry = source->timeline[i];

        if (belongs(entry, asked) &&
            (pb_same(entry->type, "Attested") || pb_same(entry->type, "Waived") ||
             pb_same(entry->type, "SignOff") || pb_same(entry->type, "Approved")))
            view_entry(json, NULL, entry);
    }
    json_end_array(json);
}

/* One line for each event that left something in the step's record. */
static void write_events(struct gateway_call *call,
                         struct json *json,
                         const struct view_source *source,
                         const struct asked_decision *asked)
{
    const char *last = "";

    json_put_array(json, "events");
    for (size_t i = 0; i < source->timeline_count; i++) {
        const Pb__TimelineEntry *const entry = source->timeline[i];

        if (!belongs(entry, asked) || pb_same(entry->event_id, last))
            continue;
        last = entry->event_id;
        json_put_object(json, NULL);
        json_put_text(json, "id", entry->event_id);
        json_put_int(json,
                     "partition",
                     bus_partition(source->state->feature, call->projection->partitions));
        json_put_uint(json, "version", entry->version);
        json_put_int(json, "at_ms", entry->at_ms);
        json_put_text(json, "actor", entry->actor);
        json_put_text(json, "text", entry->text);
        json_end_object(json);
    }
    json_end_array(json);
}

static const char *decision_of(const Pb__TimelineEntry *entry)
{
    if (entry == NULL)
        return NULL;
    if (pb_same(entry->type, "StepGo"))
        return "GO";
    return pb_same(entry->type, "StepNoGo") ? "NO_GO" : entry->type;
}

static void write_decision(struct json *json,
                           const struct view_source *source,
                           const struct asked_decision *asked,
                           const Pb__TimelineEntry *decision)
{
    const Pb__StepPlan *const plan = plan_of_step(source->plan, asked->step);
    const char *const word = decision_of(decision);

    json_put_text(json, "deployment", source->state->id);
    json_put_uint(json, "step", asked->step);
    json_put_uint(json, "try", asked->try_number);
    json_put_text(json, "name", view_step_name(asked->step));
    if (word != NULL)
        json_put_text(json, "decision", word);
    else
        json_put_null(json, "decision");
    view_time(json, "at_ms", decision != NULL ? decision->at_ms : 0);
    json_put_uint(json, "version", decision != NULL ? decision->version : 0);
    json_put_text(json, "rule", decision != NULL ? decision->text : "");
    json_put_text(json,
                  "on_no_go",
                  plan != NULL ? pb_enum_name(&pb__on_no_go__descriptor, (int)plan->on_no_go)
                               : "");
    write_expected(json, plan);
}

/* By default the step it is in, in its newest try. */
static bool read_asked(struct gateway_call *call,
                       const struct view_source *source,
                       struct asked_decision *ret,
                       uint64_t *ret_version)
{
    const Pb__DeploymentState *const state = source->state;
    uint64_t step = 0;
    uint64_t number = 0;

    if (!call_number(
            call, &(struct query_number){ "step", 0, STEP_LAST, state->step }, &step) ||
        !call_number(call, &(struct query_number){ "try", 1, NONE - 1, NONE }, &number) ||
        !call_number(call, &(struct query_number){ "version", 1, INT64_MAX, 0 }, ret_version))
        return false;
    ret->step = (uint32_t)step;
    ret->try_number = (uint32_t)number;
    if (number == NONE)
        ret->try_number = step < state->n_steps ? state->steps[step]->try_number : 1;
    return true;
}

void get_explain(struct gateway_call *call)
{
    const Pb__TimelineEntry *decision;
    struct asked_decision asked;
    struct view_source source;
    uint64_t version = 0;
    struct json json;

    if (!deployment_load(call, &source) || !read_asked(call, &source, &asked, &version) ||
        !deployment_load_timeline(call, &source))
        return;
    decision = find_decision(&source, &asked, version);
    if (version != 0 && decision != NULL)
        asked = (struct asked_decision){ decision->step, decision->try_number };
    json = call_json(call);
    json_put_object(&json, NULL);
    write_decision(&json, &source, &asked, decision);
    write_inputs(&json, &source, &asked);
    write_events(call, &json, &source, &asked);
    json_end_object(&json);
}
