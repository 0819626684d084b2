/* Who I am, and what waits for me. */
#include "services/gateway/resources.h"

#include "common/base/json.h"

#include <string.h>

enum { LIST_MAX = 5000 };

/* What a token may do beside reading, and the roles that let it. */
static const struct permission {
    const char *can;
    const char *roles[6]; /* NULL-terminated; "*": any but those who only read. */
} permissions[] = {
    /* clang-format off */
    { "read",    { "reader", "*", NULL } },
    { "submit",  { "submitter", "release-engineer", NULL } },
    { "alert",   { "alerting", "release-engineer", "operations-lead", "devops-lead", "technical-lead", NULL } },
    { "kill",    { "release-engineer", "operations-lead", "devops-lead", "technical-lead", NULL } },
    { "freeze",  { "release-engineer", "operations-lead", "devops-lead", NULL } },
    { "request", { "*", NULL } },
    /* clang-format on */
};

static bool is_lookout(const char *role)
{
    return strcmp(role, "reader") == 0 || strcmp(role, "viewer") == 0 ||
           strcmp(role, "alerting") == 0;
}

static bool permits(const struct permission *permission, const Pb__Actor *actor)
{
    for (size_t i = 0; permission->roles[i] != NULL; i++) {
        for (size_t k = 0; k < actor->n_roles; k++) {
            if (strcmp(permission->roles[i], actor->roles[k]) == 0 ||
                (permission->roles[i][0] == '*' && !is_lookout(actor->roles[k])))
                return true;
        }
    }
    return false;
}

void get_me(struct gateway_call *call)
{
    struct json json = call_json(call);

    json_put_object(&json, NULL);
    json_put_text(&json, "subject", call->actor->subject);
    json_put_text(&json, "name", auth_display_name(call->gateway->auth, call->actor->subject));
    view_texts(&json, "roles", call->actor->roles, call->actor->n_roles);
    json_put_array(&json, "can");
    for (size_t i = 0; i < sizeof permissions / sizeof permissions[0]; i++) {
        if (i == 0 || permits(&permissions[i], call->actor))
            json_put_text(&json, NULL, permissions[i].can);
    }
    json_end_array(&json);
    json_end_object(&json);
}

/* "APPROVE" of the inbox for each kind of wait; NULL where nobody is asked. */
static const char *item_kind(const char *waiting_kind)
{
    /* clang-format off */
    static const char *const kinds[][2] = {
        { "INPUT",    "SUPPLY"  }, { "APPROVAL", "APPROVE" }, { "GATE",     "ATTEST" },
        { "ATTEST",   "ATTEST"  }, { "WARNING",  "RESUME"  }, { "OPERATOR", "RESUME" },
        { "DECISION", "DECIDE"  }, { "SIGNOFF",  "SIGNOFF" }, { "UNDO",     "DECIDE" },
        { "RECEIPT",  "DECIDE"  },
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i][0], waiting_kind) == 0)
            return kinds[i][1];
    }
    return NULL;
}

static bool has_no_return(struct gateway_call *call, const Pb__DeploymentState *state)
{
    Pb__Plan *plan = NULL;
    struct error error = { 0 };

    if (projection_plan(call->projection, call->item, state, &plan, &error) != ERR_OK)
        return false;
    for (size_t i = 0; i < plan->n_changes; i++) {
        if (plan->changes[i]->on_rollback == PB__ON_ROLLBACK__MANUAL)
            return true;
    }
    return false;
}

/* How carefully it wants to be read. */
static const char *weight_of(struct gateway_call *call, const Pb__DeploymentState *state)
{
    const char *const kind = state->waiting_for->kind;

    if (strcmp(kind, "UNDO") == 0 ||
        (strcmp(kind, "APPROVAL") == 0 && has_no_return(call, state)))
        return "irreversible";
    return strcmp(kind, "INPUT") == 0 ? "ordinary" : "weighty";
}

const char *inbox_item_id(struct arena *arena,
                          const Pb__DeploymentState *state,
                          const char *role)
{
    return arena_printf(arena, "%s/%s", state->id, role);
}

size_t inbox_roles(const Pb__DeploymentState *state)
{
    const Pb__WaitingFor *const waiting = state->waiting_for;

    return waiting != NULL && item_kind(waiting->kind) != NULL &&
                   !procedure_is_terminal(state->phase)
               ? waiting->n_who
               : 0;
}

void write_inbox_item(struct gateway_call *call,
                      struct json *json,
                      const Pb__DeploymentState *state,
                      const char *role)
{
    const Pb__WaitingFor *const waiting = state->waiting_for;

    json_put_object(json, NULL);
    json_put_text(json, "id", inbox_item_id(call->arena, state, role));
    json_put_text(json, "kind", item_kind(waiting->kind));
    json_put_text(json, "deployment", state->id);
    json_put_uint(json, "version", state->version);
    json_put_text(json, "role", role);
    json_put_text(json, "ask", waiting->unblock);
    json_put_text(json, "detail", waiting->sentence);
    json_put_int(json, "since_ms", waiting->since_ms);
    view_time(json, "deadline_ms", waiting->deadline_ms);
    json_put_text(json, "otherwise", waiting->otherwise);
    json_put_text(json, "weight", weight_of(call, state));
    view_texts(json, "actions", waiting->actions, waiting->n_actions);
    json_put_null(json, "closed");
    json_end_object(json);
}

/* A sign-off that was asked for and is void now that it is being taken back: told, so that
 * nobody looks for it in vain. */
static void write_void(struct gateway_call *call,
                       struct json *json,
                       const Pb__DeploymentState *state,
                       const Pb__SignOffSpec *spec)
{
    json_put_object(json, NULL);
    json_put_text(
        json, "id", arena_printf(call->arena, "%s/%s/%u", state->id, spec->role, spec->step));
    json_put_text(json, "kind", "SIGNOFF");
    json_put_text(json, "deployment", state->id);
    json_put_uint(json, "version", state->version);
    json_put_text(json, "role", spec->role);
    json_put_text(json, "ask", "Nothing: no longer needed.");
    json_put_text(json,
                  "detail",
                  arena_printf(call->arena, "Sign-off of %s.", view_step_name(spec->step)));
    json_put_int(json, "since_ms", state->steps[spec->step]->ended_ms);
    json_put_null(json, "deadline_ms");
    json_put_text(json, "otherwise", "");
    json_put_text(json, "weight", "ordinary");
    view_texts(json, "actions", NULL, 0);
    json_put_text(
        json,
        "closed",
        arena_printf(call->arena, "void, it is being taken back: %s", state->stop->cause));
    json_end_object(json);
}

static void write_voids(struct gateway_call *call,
                        struct json *json,
                        const Pb__DeploymentState *state,
                        bool all)
{
    Pb__Plan *plan = NULL;
    struct error ignored = { 0 };

    if (state->stop == NULL ||
        projection_plan(call->projection, call->item, state, &plan, &ignored) != ERR_OK)
        return;
    for (size_t i = 0; i < plan->n_signoffs; i++) {
        const Pb__SignOffSpec *const spec = plan->signoffs[i];

        if ((all || auth_has_role(call->actor, spec->role)) && spec->step < state->n_steps &&
            strcmp(view_signoff_state(state, spec), "OPEN") == 0)
            write_void(call, json, state, spec);
    }
}

static void write_items(struct gateway_call *call,
                        struct json *json,
                        const Pb__DeploymentState *state,
                        bool all)
{
    const size_t roles = inbox_roles(state);

    for (size_t i = 0; i < roles; i++) {
        const char *const role = state->waiting_for->who[i];

        if (all || auth_has_role(call->actor, role))
            write_inbox_item(call, json, state, role);
    }
}

/* False (and answered) when Redis cannot be asked: an inbox that leaves things out would say
 * that nobody waits. */
static bool add_deployment(struct gateway_call *call,
                           struct json *json,
                           const char *id,
                           bool all)
{
    Pb__DeploymentState *state = NULL;
    struct error error = { 0 };
    const enum err err =
        projection_deployment(call->projection, call_item(call), id, &state, &error);

    if (err == ERR_OK) {
        write_items(call, json, state, all);
        write_voids(call, json, state, all);
    }
    if (err == ERR_OK && state->now_ms > call->as_of_ms)
        call->as_of_ms = state->now_ms;
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        return true;
    call_unavailable(call, &error);
    return false;
}

void get_inbox(struct gateway_call *call)
{
    static const char *const whose[] = { "me", "all", NULL };
    const char *const asked = call_query(call, "for");
    const bool all = asked != NULL && strcmp(asked, "all") == 0;
    struct store_member *members = NULL;
    struct error error = { 0 };
    size_t count = 0;
    struct json json;

    if (!call_one_of(call, "for", whose))
        return;
    if (projection_list(
            call->projection, call->arena, true, LIST_MAX, &members, &count, &error) !=
        ERR_OK) {
        call_unavailable(call, &error);
        return;
    }
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < count; i++) {
        if (!add_deployment(call, &json, members[i].name, all))
            return;
    }
    json_end_array(&json);
    json_put_null(&json, "next");
    json_end_object(&json);
}
