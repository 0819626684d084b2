/* Who I am, and what waits for me. */
#include "services/gateway/resources.h"

#include "common/base/json.h"

#include <string.h>

enum { LIST_MAX = 1000 };

void get_me(struct gateway_call *call)
{
    struct json json = call_json(call);

    json_put_object(&json, NULL);
    json_put_text(&json, "subject", call->actor->subject);
    json_put_text(&json, "name", auth_display_name(call->gateway->auth, call->actor->subject));
    view_texts(&json, "roles", call->actor->roles, call->actor->n_roles);
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

static void write_item(struct gateway_call *call,
                       struct json *json,
                       const Pb__DeploymentState *state,
                       const char *role)
{
    const Pb__WaitingFor *const waiting = state->waiting_for;

    json_put_object(json, NULL);
    json_put_text(
        json,
        "id",
        arena_printf(
            call->arena, "%s/%llu/%s", state->id, (unsigned long long)state->version, role));
    json_put_text(json, "kind", item_kind(waiting->kind));
    json_put_text(json, "deployment", state->id);
    json_put_uint(json, "version", state->version);
    json_put_text(json, "role", role);
    json_put_text(json, "ask", waiting->unblock);
    json_put_text(json, "detail", waiting->sentence);
    json_put_int(json, "since_ms", waiting->since_ms);
    view_time(json, "deadline_ms", waiting->deadline_ms);
    json_put_text(json, "otherwise", waiting->otherwise);
    view_texts(json, "actions", waiting->actions, waiting->n_actions);
    json_end_object(json);
}

static void write_items(struct gateway_call *call,
                        struct json *json,
                        const Pb__DeploymentState *state,
                        bool all)
{
    const Pb__WaitingFor *const waiting = state->waiting_for;

    if (waiting == NULL || item_kind(waiting->kind) == NULL)
        return;
    for (size_t i = 0; i < waiting->n_who; i++) {
        if (all || auth_has_role(call->actor, waiting->who[i]))
            write_item(call, json, state, waiting->who[i]);
    }
}

void get_inbox(struct gateway_call *call)
{
    static const char *const known[] = { "for", NULL };
    const struct projection *const projection = call->projection;
    const char *const whose = call_query(call, "for");
    const bool all = whose != NULL && strcmp(whose, "all") == 0;
    struct store_member *members = NULL;
    struct error error = { 0 };
    size_t count = 0;
    struct json json;

    if (!call_known_query(call, known))
        return;
    if (projection_list(projection, call->arena, true, LIST_MAX, &members, &count, &error) !=
        ERR_OK) {
        call_unavailable(call, &error);
        return;
    }
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < count; i++) {
        Pb__DeploymentState *state = NULL;

        if (projection_deployment(projection, call->arena, members[i].name, &state, &error) ==
            ERR_OK)
            write_items(call, &json, state, all);
    }
    json_end_array(&json);
    json_end_object(&json);
}
