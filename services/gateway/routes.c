/* The routes, one row each, and the way from a request to its handler. */
#include "services/gateway/resources.h"

#include <string.h>

/* clang-format off */
static const struct gateway_route routes[] = {
    { "GET",    "/v1/me",                              get_me,            false, "who the token speaks for",             "", "", "200 401" },
    { "GET",    "/v1/deployments",                     get_deployments,   false, "list, filter, page",                   "state phase step service environment feature exit waiting_for q live limit cursor", "", "200 400 401" },
    { "POST",   "/v1/deployments",                     post_deployment,   false, "submit: acceptance signed off",        "dry_run", "application/yaml", "200 202 400 403 415 422" },
    { "GET",    "/v1/deployments/{id}",                get_deployment,    false, "one deployment, all of it",            "", "", "200 304 404" },
    { "GET",    "/v1/deployments/{id}/plan",           get_plan,          false, "the plan, and what differs; JSON or Markdown", "against", "", "200 404" },
    { "GET",    "/v1/deployments/{id}/findings",       get_findings,      false, "what checks found",                    "step try check verdict", "", "200 404" },
    { "GET",    "/v1/deployments/{id}/timeline",       get_timeline,      false, "the audit trail; JSON, CSV, NDJSON",   "after_version type actor", "", "200 404" },
    { "GET",    "/v1/deployments/{id}/report",         get_report,        false, "the report; JSON or Markdown",         "", "", "200 404" },
    { "POST",   "/v1/deployments/{id}/requests",       post_request,      false, "ask something of a deployment",        "dry_run", "application/json", "200 202 400 403 404 409 412 422 428" },
    { "GET",    "/v1/requests/{id}",                   get_request,       false, "what became of a request",             "", "", "200 404 409" },
    { "GET",    "/v1/inbox",                           get_inbox,         false, "what waits for my roles",              "for", "", "200" },
    { "GET",    "/v1/flags",                           get_flags,         false, "all flags",                            "", "", "200" },
    { "GET",    "/v1/flags/{environment}/{flag}",      get_flag,          false, "one flag",                             "", "", "200 404" },
    { "POST",   "/v1/flags/{environment}/{flag}/kill", post_flag_kill,    false, "latch its deployment: off, for good",  "", "application/json", "200 403 404 422" },
    { "GET",    "/v1/freezes",                         get_freezes,       false, "freezes in force or to come",          "", "", "200" },
    { "POST",   "/v1/freezes",                         post_freeze,       false, "freeze an environment or a lane",      "", "application/json", "201 400 403 422" },
    { "DELETE", "/v1/freezes/{id}",                    delete_freeze,     false, "lift a freeze",                        "", "", "200 403 404" },
    { "GET",    "/v1/windows",                         get_windows,       false, "deployment windows, and when they change", "", "", "200" },
    { "GET",    "/v1/lanes",                           get_lanes,         false, "who changes what, and who waits",      "", "", "200" },
    { "GET",    "/v1/alerts",                          get_alerts,        false, "open alerts",                          "", "", "200" },
    { "POST",   "/v1/alerts",                          post_alert,        false, "send an alert by hand",                "", "application/json", "202 400 403 422" },
    { "POST",   "/v1/alertmanager",                    post_alertmanager, false, "webhook of Prometheus Alertmanager",   "", "application/json", "202 400 403" },
    { "POST",   "/v1/events",                          post_cloudevent,   false, "CloudEvents: binary, structured, batch", "", "application/cloudevents+json", "202 400 403 415 422" },
    { "GET",    "/v1/signals",                         get_signals,       false, "signals of the last while",            "feature after", "", "200" },
    { "GET",    "/v1/dead-letters",                    get_dead_letters,  false, "records that could not be used",       "", "", "200" },
    { "GET",    "/v1/health",                          get_health,        false, "services and their parts",             "", "", "200" },
    { "GET",    "/v1/stream",                          get_stream,        false, "live updates: server-sent events",     "topics", "", "200 429" },
    { "GET",    "/v1/openapi.json",                    get_openapi,       true,  "this description",                     "", "", "200" },
    { "POST",   "/ofrep/v1/evaluate/flags/{flag}",     post_ofrep_flag,   true,  "OFREP: evaluate one flag",             "environment", "application/json", "200 400 404 503" },
    { "POST",   "/ofrep/v1/evaluate/flags",            post_ofrep_all,    true,  "OFREP: evaluate all flags",            "environment", "application/json", "200 304 400 503" },
    { "GET",    "/internal/v1/flags/{environment}/{flag}", get_internal_flag, true, "read-back: what this gateway answers with", "", "", "200 404 503" },
};
/* clang-format on */

const struct gateway_route *gateway_routes(size_t *ret_count)
{
    *ret_count = sizeof routes / sizeof routes[0];
    return routes;
}

static size_t segment_length(const char *path)
{
    return strcspn(path, "/");
}

/* True if path has the pattern's form; the {parameters} go to the call. */
static bool path_matches(const char *pattern, const char *path, struct gateway_call *call)
{
    size_t parameters = 0;

    while (*pattern == '/' && *path == '/') {
        const size_t want = segment_length(++pattern);
        const size_t have = segment_length(++path);

        if (*pattern == '{') {
            if (have == 0 || parameters == GATEWAY_PARAMETERS_MAX)
                return false;
            call->parameter[parameters++] = arena_copy(call->arena, path, have);
        } else if (want != have || strncmp(pattern, path, want) != 0) {
            return false;
        }
        pattern += want;
        path += have;
    }
    return *pattern == '\0' && *path == '\0';
}

static const struct gateway_route *find_route(struct gateway_call *call, bool *ret_known_path)
{
    *ret_known_path = false;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!path_matches(routes[i].pattern, call->path, call))
            continue;
        *ret_known_path = true;
        if (strcmp(routes[i].method, call->method) == 0)
            return &routes[i];
    }
    return NULL;
}

static bool sign_in(struct gateway_call *call, const struct gateway_route *route)
{
    call->actor =
        auth_actor(call->gateway->auth, call_header(call, "authorization"), call->now_ms);
    if (call->actor != NULL || route->open)
        return true;
    call_problem(call,
                 &(struct problem){ .code = "not-signed-in",
                                    .detail = "send Authorization: Bearer TOKEN" });
    return false;
}

/* What the client has already need not be sent again. */
static void answer_not_modified(struct gateway_call *call)
{
    const char *const known = call_header(call, "if-none-match");

    if (call->status != 200 || call->etag == NULL || known == NULL ||
        strcmp(known, call->etag) != 0)
        return;
    text_reset(&call->out);
    call->status = 304;
}

void gateway_handle(struct gateway_call *call)
{
    bool known_path = false;
    const struct gateway_route *const route = find_route(call, &known_path);

    if (route == NULL && known_path) {
        call_problem(call, &(struct problem){ .code = "wrong-method", .detail = call->method });
        return;
    }
    if (route == NULL) {
        call_no_such(call, "resource", call->path);
        return;
    }
    if (!sign_in(call, route))
        return;
    route->handle(call);
    answer_not_modified(call);
    if (!text_ok(&call->out))
        call_problem(call,
                     &(struct problem){ .code = "too-large",
                                        .detail = "the answer is too long; ask for less" });
}
