#include "services/gateway/view.h"

#include <string.h>

enum { STEPS = 8 };

const char *view_step_name(unsigned step)
{
    static const char *const names[STEPS] = {
        "Plan and review", "Pre-deployment checks",      "Execute", "Validate",
        "Roll out flags",  "Post-deployment validation", "Monitor", "Finalise",
    };

    return step < STEPS ? names[step] : "?";
}

void view_time(struct json *json, const char *key, int64_t ms)
{
    if (ms == 0)
        json_put_null(json, key);
    else
        json_put_int(json, key, ms);
}

void view_texts(struct json *json, const char *key, const char *const *texts, size_t count)
{
    json_put_array(json, key);
    for (size_t i = 0; i < count; i++)
        json_put_text(json, NULL, texts[i]);
    json_end_array(json);
}

void view_actor(struct json *json, const char *key, const Pb__Actor *actor)
{
    if (actor == NULL) {
        json_put_null(json, key);
        return;
    }
    json_put_object(json, key);
    json_put_text(json, "subject", actor->subject);
    view_texts(json, "roles", actor->roles, actor->n_roles);
    json_end_object(json);
}

void view_links(struct json *json, const char *key, Pb__Link *const *links, size_t count)
{
    json_put_array(json, key);
    for (size_t i = 0; i < count; i++) {
        json_put_object(json, NULL);
        json_put_text(json, "kind", links[i]->kind);
        json_put_text(json, "title", links[i]->title);
        json_put_text(json, "url", links[i]->url);
        json_end_object(json);
    }
    json_end_array(json);
}

static bool is_stopping(Pb__Phase phase)
{
    return phase == PB__PHASE__STOPPING || phase == PB__PHASE__ROLLING_BACK ||
           phase == PB__PHASE__BLOCKED_ROLLBACK;
}

/* PENDING RUNNING WAITING HELD BLOCKED DONE STOPPED UNDOING of the API. */
static const char *step_state(const Pb__DeploymentState *state, const Pb__StepState *step)
{
    const bool current = step->step == state->step && !procedure_is_terminal(state->phase);

    if (is_stopping(state->phase) && step->step <= state->step && step->step >= 2)
        return "UNDOING";
    if (current && state->phase == PB__PHASE__BLOCKED)
        return "BLOCKED";
    if (current && state->n_holds > 0)
        return "HELD";
    if (current && (step->step == 0 || state->n_tasks == 0))
        return "WAITING";
    if (current)
        return "RUNNING";
    /* What takes a completed one back begins with the steps that one did. */
    if (strcmp(step->decision, "GO") == 0 ||
        (state->kind == PB__DEPLOYMENT_KIND__ROLLBACK_OF_COMPLETED &&
         step->decision[0] == '\0'))
        return "DONE";
    return step->began_ms == 0 ? "PENDING" : "STOPPED";
}

static void view_counts(struct json *json, const Pb__StepState *step)
{
    json_put_object(json, "counts");
    for (int verdict = PB__VERDICT__PASS; verdict <= PB__VERDICT__NOT_APPLICABLE; verdict++) {
        unsigned count = 0;

        for (size_t i = 0; i < step->n_results; i++)
            count += (int)step->results[i]->verdict == verdict;
        if (count > 0)
            json_put_uint(json, pb_verdict_name((Pb__Verdict)verdict), count);
    }
    json_end_object(json);
}

static void view_step(struct json *json,
                      const Pb__DeploymentState *state,
                      const Pb__StepState *step)
{
    json_put_object(json, NULL);
    json_put_uint(json, "step", step->step);
    json_put_text(json, "name", view_step_name(step->step));
    json_put_text(json, "state", step_state(state, step));
    if (step->decision[0] == '\0')
        json_put_null(json, "decision");
    else
        json_put_text(json, "decision", step->decision);
    json_put_uint(json, "try", step->try_number);
    view_time(json, "began_ms", step->began_ms);
    view_time(json, "ended_ms", step->ended_ms);
    view_counts(json, step);
    json_put_text(json, "rule", step->rule);
    json_end_object(json);
}

static void view_holds(struct json *json, const Pb__DeploymentState *state)
{
    json_put_array(json, "holds");
    for (size_t i = 0; i < state->n_holds; i++) {
        const Pb__Hold *const hold = state->holds[i];

        json_put_object(json, NULL);
        /* HOLD_FREEZE is FREEZE to people. */
        json_put_text(json,
                      "kind",
                      pb_enum_name(&pb__hold_kind__descriptor, (int)hold->kind) +
                          strlen("HOLD_"));
        json_put_text(json, "id", hold->id);
        json_put_text(json, "reason", hold->reason);
        view_time(json, "since_ms", hold->since_ms);
        view_time(json, "until_ms", hold->until_ms);
        json_end_object(json);
    }
    json_end_array(json);
}

/* How the page colours the sentence. */
static const char *waiting_tone(const Pb__DeploymentState *state)
{
    if (state->phase == PB__PHASE__BLOCKED || state->phase == PB__PHASE__BLOCKED_ROLLBACK)
        return "bad";
    if (is_stopping(state->phase))
        return "undo";
    if (state->n_holds > 0)
        return "held";
    return state->waiting_for != NULL && state->waiting_for->n_who > 0 ? "wait" : "run";
}

static const char *who_text(const Pb__WaitingFor *waiting, struct text *text)
{
    if (waiting->n_who == 0)
        return "nobody; it goes on by itself";
    for (size_t i = 0; i < waiting->n_who; i++)
        text_add(text, "%s%s", i == 0 ? "" : ", ", waiting->who[i]);
    return text->bytes;
}

/* Facts are text inside; what reads as a number is shown as one. */
static void view_fact(struct json *json, const Pb__Pair *fact)
{
    const size_t digits = strspn(fact->value, "0123456789");

    if (digits > 0 && digits < 19 && fact->value[digits] == '\0' &&
        (fact->value[0] != '0' || digits == 1))
        json_put_raw(json, fact->key, fact->value);
    else
        json_put_text(json, fact->key, fact->value);
}

void view_waiting(struct json *json, const char *key, const Pb__DeploymentState *state)
{
    const Pb__WaitingFor *const waiting = state->waiting_for;
    char bytes[256];
    struct text who = text_over(bytes, sizeof bytes);

    if (waiting == NULL) {
        json_put_null(json, key);
        return;
    }
    json_put_object(json, key);
    json_put_text(json, "kind", waiting->kind);
    json_put_text(json, "tone", waiting_tone(state));
    json_put_text(json, "sentence", waiting->sentence);
    view_texts(json, "who", waiting->who, waiting->n_who);
    json_put_text(json, "who_text", who_text(waiting, &who));
    view_time(json, "since_ms", waiting->since_ms);
    view_time(json, "deadline_ms", waiting->deadline_ms);
    json_put_text(json, "unblock", waiting->unblock);
    json_put_text(json, "otherwise", waiting->otherwise);
    json_put_object(json, "facts");
    for (size_t i = 0; i < waiting->n_facts; i++)
        view_fact(json, waiting->facts[i]);
    json_end_object(json);
    view_texts(json, "actions", waiting->actions, waiting->n_actions);
    json_end_object(json);
}

void view_kind(struct json *json, const Pb__DeploymentState *state)
{
    json_put_text(json,
                  "kind",
                  state->kind == PB__DEPLOYMENT_KIND__ROLLBACK_OF_COMPLETED ? "ROLLBACK"
                                                                            : "FORWARD");
}

void view_exit(struct json *json, const Pb__DeploymentState *state)
{
    if (procedure_is_terminal(state->phase))
        json_put_text(json, "exit", pb_phase_name(state->phase));
    else
        json_put_null(json, "exit");
}

static void view_names(struct json *json, const Pb__DeploymentState *state)
{
    json_put_text(json, "id", state->id);
    json_put_text(json, "feature", state->feature);
    json_put_text(json, "title", state->title);
    json_put_uint(json, "attempt", state->attempt);
    view_kind(json, state);
    json_put_text(json, "environment", state->environment);
    view_texts(json, "services", state->services, state->n_services);
    json_put_text(json, "approach", state->approach);
    json_put_text(json, "ticket", state->ticket);
    json_put_text(json, "content_hash", state->content_hash);
    json_put_uint(json, "version", state->version);
}

static void view_where(struct json *json, const Pb__DeploymentState *state)
{
    json_put_text(json, "phase", pb_phase_name(state->phase));
    json_put_uint(json, "step", state->step);
    view_exit(json, state);
    view_holds(json, state);
    json_put_uint(json, "percent", state->flags != NULL ? state->flags->percent : 0);
    json_put_bool(json, "latched", state->flags != NULL && state->flags->killed);
    view_time(json, "created_ms", state->created_ms);
    view_time(json, "updated_ms", state->now_ms);
}

void view_summary_members(struct json *json, const Pb__DeploymentState *state)
{
    view_names(json, state);
    view_where(json, state);
    view_actor(json, "submitted_by", state->submitted_by);
    json_put_array(json, "steps");
    for (size_t i = 0; i < state->n_steps; i++)
        view_step(json, state, state->steps[i]);
    json_end_array(json);
    view_waiting(json, "waiting_for", state);
}

void view_summary(struct json *json, const char *key, const Pb__DeploymentState *state)
{
    json_put_object(json, key);
    view_summary_members(json, state);
    json_end_object(json);
}
