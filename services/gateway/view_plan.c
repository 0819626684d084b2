#include "services/gateway/view.h"

#include <string.h>

static void view_no_return(struct json *json, const Pb__Plan *plan)
{
    json_put_array(json, "ponr");
    for (size_t i = 0; i < plan->n_changes; i++) {
        const Pb__Change *const change = plan->changes[i];

        if (change->on_rollback != PB__ON_ROLLBACK__MANUAL)
            continue;
        json_put_object(json, NULL);
        json_put_uint(json, "change", i + 1);
        json_put_text(json, "what", change->note[0] != '\0' ? change->note : change->artifact);
        json_put_text(json, "way_back", change->way_back);
        json_put_text(json,
                      "after",
                      "rolling back cannot undo it by itself; it stops there until a person "
                      "says that it is restored");
        json_end_object(json);
    }
    json_end_array(json);
}

static bool is_named(const Pb__Approve *approve, size_t change)
{
    for (size_t i = 0; i < approve->n_accept_no_return; i++) {
        if (approve->accept_no_return[i] == change)
            return true;
    }
    return false;
}

void view_confirm(struct json *json,
                  const struct view_source *source,
                  const Pb__Approve *approve)
{
    const size_t count = approve != NULL && source->plan != NULL ? source->plan->n_changes : 0;

    json_put_array(json, "confirm");
    for (size_t i = 0; i < count; i++) {
        const Pb__Change *const change = source->plan->changes[i];

        if (change->on_rollback != PB__ON_ROLLBACK__MANUAL || is_named(approve, i + 1))
            continue;
        json_put_object(json, NULL);
        json_put_text(json, "field", "accept_no_return");
        json_put_uint(json, "value", i + 1);
        json_put_text(json, "what", change->note[0] != '\0' ? change->note : change->artifact);
        json_put_text(json, "way_back", change->way_back);
        json_end_object(json);
    }
    json_end_array(json);
}

static void view_windows(struct json *json, const Pb__Plan *plan)
{
    json_put_array(json, "windows");
    for (size_t i = 0; i < plan->n_windows; i++) {
        const Pb__Window *const window = plan->windows[i];

        json_put_object(json, NULL);
        json_put_text(json, "name", window->name);
        json_put_array(json, "days");
        for (size_t d = 0; d < window->n_days; d++)
            json_put_uint(json, NULL, window->days[d]);
        json_end_array(json);
        json_put_uint(json, "from_minute", window->from_minute);
        json_put_uint(json, "to_minute", window->to_minute);
        json_put_text(json, "zone", window->zone);
        view_time(json, "opens_ms", window->opens_ms);
        view_time(json, "closes_ms", window->closes_ms);
        json_end_object(json);
    }
    json_end_array(json);
}

static void view_check_counts(struct json *json, const Pb__Plan *plan)
{
    json_put_object(json, "checks");
    for (size_t i = 0; i < plan->n_steps; i++) {
        char name[8];
        struct text text = text_over(name, sizeof name);

        text_add(&text, "%u", plan->steps[i]->step);
        json_put_uint(json, name, plan->steps[i]->n_checks);
    }
    json_end_object(json);
}

/* The newest compilation is the one that stands. */
static int64_t compiled_ms(const struct view_source *source)
{
    for (size_t i = source->timeline_count; i-- > 0;) {
        if (pb_same(source->timeline[i]->type, "PlanCompiled"))
            return source->timeline[i]->at_ms;
    }
    return 0;
}

/* Until when it may be approved. */
static int64_t expires_ms(const Pb__DeploymentState *state)
{
    return state->phase == PB__PHASE__IN_REVIEW ? state->phase_due_ms : 0;
}

void view_plan(struct json *json, const char *key, const struct view_source *source)
{
    const Pb__Plan *const plan = source->plan;

    json_put_object(json, key);
    json_put_text(json, "hash", source->state->plan_hash);
    view_time(json, "compiled_ms", compiled_ms(source));
    view_time(json, "expires_ms", expires_ms(source->state));
    json_put_text(json, "config_hash", plan->config_hash);
    json_put_text(json, "policy", plan->policy);
    json_put_text(json, "approach", plan->approach);
    json_put_uint(json, "revision", plan->revision);
    view_no_return(json, plan);
    view_texts(json, "risks", plan->risks, plan->n_risks);
    view_texts(json, "unknowns", plan->unknowns, plan->n_unknowns);
    view_texts(json, "dependencies", plan->dependencies, plan->n_dependencies);
    view_texts(json, "validation_points", plan->validation_points, plan->n_validation_points);
    view_texts(json, "procedures", plan->invoked_procedures, plan->n_invoked_procedures);
    view_windows(json, plan);
    view_check_counts(json, plan);
    json_put_int(json, "observe_ms", plan->observe_ms);
    json_end_object(json);
}

static const char *sub_name(Pb__Sub sub)
{
    switch (sub) {
    case PB__SUB__SUB_ACTIVATE: return "activate";
    case PB__SUB__SUB_READ_BACK: return "read-back";
    case PB__SUB__SUB_WATCH: return "watch";
    case PB__SUB__SUB_GATE: return "gate";
    case PB__SUB__SUB_DISABLE: return "disable";
    default: return "";
    }
}

static const char *stage_state(const Pb__DeploymentState *state, uint32_t stage)
{
    const bool rolling = state->phase == PB__PHASE__ROLLING_OUT ||
                         (state->phase == PB__PHASE__BLOCKED && state->step == 4);
    const uint32_t at = state->cursor != NULL ? state->cursor->stage : 0;

    if (state->flags != NULL && (state->flags->killed || state->flags->disabled))
        return "OFF";
    if (rolling && stage == at)
        return "RUNNING";
    if (state->step > 4 || (rolling && stage < at))
        return "DONE";
    return "PENDING";
}

/* The next one's beginning; of the last, the end of step 4. */
static int64_t stage_ended_ms(const Pb__DeploymentState *state, size_t stage)
{
    const Pb__AuditDates *const dates = state->dates;

    if (dates == NULL || stage >= dates->n_activation_ms)
        return 0;
    if (stage + 1 < dates->n_activation_ms)
        return dates->activation_ms[stage + 1];
    return state->n_steps > 4 ? state->steps[4]->ended_ms : 0;
}

void view_stages(struct json *json, const char *key, const struct view_source *source)
{
    const Pb__DeploymentState *const state = source->state;

    json_put_array(json, key);
    for (size_t i = 0; source->plan != NULL && i < source->plan->n_stages; i++) {
        const Pb__Stage *const stage = source->plan->stages[i];
        const char *const shown = stage_state(state, stage->index);
        const bool running = shown[0] == 'R';
        const bool began = state->dates != NULL && i < state->dates->n_activation_ms;

        json_put_object(json, NULL);
        json_put_uint(json, "index", stage->index);
        json_put_text(json, "name", stage->name);
        json_put_uint(json, "percent", stage->percent);
        json_put_text(json, "audience", stage->audience);
        json_put_text(json, "state", shown);
        json_put_text(
            json, "sub", running && state->cursor != NULL ? sub_name(state->cursor->sub) : "");
        view_time(json, "began_ms", began ? state->dates->activation_ms[i] : 0);
        view_time(json, "ended_ms", stage_ended_ms(state, i));
        json_put_int(json, "min_ms", stage->min_ms);
        json_put_uint(json, "samples", running ? state->samples : 0);
        json_put_uint(json, "min_samples", stage->min_samples);
        json_put_text(json, "gate", stage->gate_role);
        json_end_object(json);
    }
    json_end_array(json);
}
