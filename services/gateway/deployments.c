/* GET of one deployment, and of its plan. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/planning/compile.h"

#include <stdlib.h>
#include <string.h>

enum { ATTEMPTS_MAX = 10 };

/* --- one deployment --- */

/* "express-pay" means its newest attempt. */
static enum err resolve_id(struct gateway_call *call, const char **ret, struct error *error)
{
    const char *const asked = call->parameter[0];
    Pb__FeatureState *feature = NULL;
    enum err err;

    *ret = asked;
    if (strchr(asked, '.') != NULL)
        return ERR_OK;
    err = projection_feature(call->projection, call->arena, asked, &feature, error);
    if (err == ERR_OK)
        *ret = feature->last;
    return err;
}

/* A feature names its newest attempt a moment before that attempt is born: until then the one
 * before it is the newest there is. */
static enum err load_state(struct gateway_call *call,
                           const char *id,
                           Pb__DeploymentState **ret,
                           struct error *error)
{
    const char *const asked = call->parameter[0];
    const enum err err = projection_deployment(call->projection, call->arena, id, ret, error);
    const char *const dot = strrchr(id, '.');
    const long attempt = dot != NULL ? strtol(dot + 1, NULL, 10) : 0;

    if (err != ERR_NOT_FOUND || strchr(asked, '.') != NULL || attempt < 2)
        return err;
    return projection_deployment(call->projection,
                                 call->arena,
                                 arena_printf(call->arena, "%s.%ld", asked, attempt - 1),
                                 ret,
                                 error);
}

/* False (and answered) while the view has not reached the version that the client has seen
 * elsewhere: an answer of what was before would be taken for what is. */
static bool is_new_enough(struct gateway_call *call, const Pb__DeploymentState *state)
{
    uint64_t least = 0;

    if (!call_number(call, &(struct query_number){ "min_version", 1, INT64_MAX, 0 }, &least))
        return false;
    if (state->version >= least)
        return true;
    call->retry_after_s = 1;
    call_problem(
        call,
        &(struct problem){ .code = "behind",
                           .deployment = state->id,
                           .detail = arena_printf(call->arena,
                                                  "%s is at version %llu here, not yet at %llu",
                                                  state->id,
                                                  (unsigned long long)state->version,
                                                  (unsigned long long)least),
                           .remedy = "Ask again in a second.",
                           .more = arena_printf(call->arena,
                                                "\"current_version\":%llu",
                                                (unsigned long long)state->version) });
    return false;
}

bool deployment_load(struct gateway_call *call, struct view_source *ret)
{
    const struct projection *const projection = call->projection;
    Pb__DeploymentState *state = NULL;
    Pb__Plan *plan = NULL;
    const char *id = NULL;
    struct error error = { 0 };
    enum err err = resolve_id(call, &id, &error);

    if (err == ERR_OK)
        err = load_state(call, id, &state, &error);
    if (err == ERR_OK && state->plan_hash[0] != '\0')
        err = projection_plan(projection, call->arena, state, &plan, &error);
    if (err == ERR_NOT_FOUND && state == NULL) {
        deployment_not_found(call, call->parameter[0]);
        return false;
    }
    if (err != ERR_OK && err != ERR_NOT_FOUND) {
        call_unavailable(call, &error);
        return false;
    }
    *ret = (struct view_source){
        .arena = call->arena, .state = state, .plan = plan, .viewer = call->actor
    };
    call->as_of_ms = state->now_ms;
    return is_new_enough(call, state);
}

bool deployment_load_timeline(struct gateway_call *call, struct view_source *source)
{
    struct error error = { 0 };
    const enum err err = projection_timeline(call->projection,
                                             call->arena,
                                             source->state->id,
                                             &source->timeline,
                                             &source->timeline_count,
                                             &error);

    if (err != ERR_OK)
        call_unavailable(call, &error);
    return err == ERR_OK;
}

/* The version, and what is shown beside it but does not move it: samples. */
static const char *deployment_etag(struct gateway_call *call, const struct view_source *source)
{
    uint64_t samples = 0;

    for (size_t i = 0; source->series != NULL && i < source->series->n_metrics; i++)
        samples += source->series->metrics[i]->samples;
    return samples == 0 ? arena_printf(call->arena,
                                       "\"v%llu\"",
                                       (unsigned long long)source->state->version)
                        : arena_printf(call->arena,
                                       "\"v%llu.%llu\"",
                                       (unsigned long long)source->state->version,
                                       (unsigned long long)samples);
}

void deployment_load_attempts(struct gateway_call *call, struct view_source *source)
{
    const struct projection *const projection = call->projection;
    const char *const feature = source->state->feature;
    Pb__FeatureState *found = NULL;
    struct error error = { 0 };
    uint32_t last = source->state->attempt;

    if (projection_feature(projection, call->arena, feature, &found, &error) == ERR_OK &&
        found->attempts > last)
        last = found->attempts;
    source->attempts = arena_alloc(call->arena, ATTEMPTS_MAX * sizeof *source->attempts);
    for (uint32_t i = last > ATTEMPTS_MAX ? last - ATTEMPTS_MAX + 1 : 1; i <= last; i++) {
        const char *const id = arena_printf(call->arena, "%s.%u", feature, i);
        Pb__DeploymentState *state = NULL;

        if (projection_deployment(projection, call->arena, id, &state, &error) == ERR_OK)
            source->attempts[source->attempt_count++] = state;
    }
}

void get_deployment(struct gateway_call *call)
{
    struct view_source source;
    struct json json;

    if (!deployment_load(call, &source) || !deployment_load_timeline(call, &source) ||
        !deployment_load_series(call, &source))
        return;
    deployment_load_attempts(call, &source);
    json = call_json(call);
    view_deployment(&json, NULL, &source);
    call->etag = deployment_etag(call, &source);
}

static void write_diff(struct json *json,
                       struct arena *arena,
                       const Pb__Plan *was,
                       const Pb__Plan *now)
{
    struct plan_difference *differences = NULL;
    const size_t count = was != NULL ? plan_diff(arena, was, now, &differences) : 0;

    json_put_array(json, "diff");
    for (size_t i = 0; i < count; i++) {
        const char op[2] = { differences[i].op, '\0' };

        json_put_object(json, NULL);
        json_put_text(json, "op", op);
        json_put_text(json, "path", differences[i].path);
        json_put_text(json, "was", differences[i].was);
        json_put_text(json, "now", differences[i].now);
        json_end_object(json);
    }
    json_end_array(json);
}

/* The attempt before: the one this is a retry of, or else the last of the feature. */
static const char *attempt_before(struct gateway_call *call, const Pb__DeploymentState *state)
{
    if (state->attempt_of[0] != '\0')
        return state->attempt_of;
    return state->attempt > 1
               ? arena_printf(call->arena, "%s.%u", state->feature, state->attempt - 1)
               : "";
}

/* The plan of ?against=, by default of the attempt before, which may have none. False (and
 * answered) when one was named that is not there. */
static bool load_other_plan(struct gateway_call *call,
                            const Pb__DeploymentState *state,
                            const char **ret_id,
                            Pb__Plan **ret)
{
    const struct projection *const projection = call->projection;
    const char *const named = call_query(call, "against");
    const char *const id = named != NULL ? named : attempt_before(call, state);
    Pb__DeploymentState *other = NULL;
    struct error error = { 0 };
    enum err err = ERR_NOT_FOUND;

    *ret_id = id;
    if (id[0] != '\0')
        err = projection_deployment(projection, call->arena, id, &other, &error);
    if (err == ERR_OK)
        err = projection_plan(projection, call->arena, other, ret, &error);
    if (err == ERR_NOT_FOUND && named != NULL)
        call_no_such(call, other != NULL ? "plan of" : "deployment", named);
    else if (err != ERR_OK && err != ERR_NOT_FOUND)
        call_unavailable(call, &error);
    return err == ERR_OK || (err == ERR_NOT_FOUND && named == NULL);
}

void get_plan(struct gateway_call *call)
{
    static const char *const forms[] = { "application/json", "text/markdown", NULL };
    struct view_source source;
    Pb__Plan *other = NULL;
    const char *other_id = "";
    struct json json;

    if (!deployment_load(call, &source) || !deployment_load_timeline(call, &source))
        return;
    if (source.plan == NULL) {
        call_no_such(call, "plan of", source.state->id);
        return;
    }
    if (call_accepts(call, forms) == 1) {
        plan_markdown(source.plan, source.state->plan_hash, &call->out);
        call->status = 200;
        call->content_type = "text/markdown; charset=utf-8";
        return;
    }
    if (!load_other_plan(call, source.state, &other_id, &other))
        return;
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_text(&json, "deployment", source.state->id);
    view_plan(&json, "plan", &source);
    view_changes(&json, "changes", &source);
    view_stages(&json, "stages", &source);
    json_put_text(&json, "against", other != NULL ? other_id : "");
    write_diff(&json, call->arena, other, source.plan);
    json_end_object(&json);
}
