/* The routes, one row each, and the way from a request to its handler. */
#include "services/gateway/budget.h"
#include "services/gateway/resources.h"
#include "services/gateway/session.h"

#include <string.h>
#include <strings.h>

enum { STATUS_OK = 200, STATUS_NOT_MODIFIED = 304, BODY_DEPTH_MAX = 32 };

/* clang-format off */
static const struct gateway_route routes[] = {
    /* method, pattern, handler, lane, flags, summary, query, body, answers, schema, also */
    { "GET",    "/v1/me",                              get_me,            LANE_LOOP,   0, "who the token speaks for",             "", "", "200 304", "Me", "" },
    { "POST",   "/v1/login",                           post_login,        LANE_LOOP,   ROUTE_OPEN, "sign in: a cookie for browsers",      "", "application/json", "200 400 401 403 415", "Me", "" },
    { "DELETE", "/v1/login",                           delete_login,      LANE_LOOP,   ROUTE_OPEN, "sign out: the cookie is forgotten",   "", "", "204", "", "" },
    { "GET",    "/v1/deployments",                     get_deployments,   LANE_READS,  0, "list, filter, page",                   "state phase step service environment feature exit waiting_for q live limit cursor", "", "200 304 400 503", "DeploymentList", "" },
    { "POST",   "/v1/deployments",                     post_deployment,   LANE_READS,  0, "submit: acceptance signed off",        "dry_run", "application/yaml application/json application/protobuf", "200 202 400 403 415 422 503", "Submitted", "" },
    { "GET",    "/v1/deployments/{id}",                get_deployment,    LANE_READS,  0, "one deployment, all of it",            "min_version", "", "200 304 400 404 503", "Deployment", "" },
    { "GET",    "/v1/deployments/{id}/plan",           get_plan,          LANE_READS,  0, "the plan, and what differs; JSON or Markdown", "against min_version", "", "200 304 400 404 503", "PlanAnswer", "text/markdown" },
    { "GET",    "/v1/deployments/{id}/findings",       get_findings,      LANE_READS,  0, "what checks found",                    "step try check verdict min_version", "", "200 304 400 404 503", "FindingList", "" },
    { "GET",    "/v1/deployments/{id}/metrics",        get_metrics,       LANE_READS,  0, "what was measured, at most 120 points each", "since_ms min_version", "", "200 304 400 404 503", "MetricList", "" },
    { "GET",    "/v1/deployments/{id}/timeline",       get_timeline,      LANE_READS,  0, "the audit trail; JSON, CSV, NDJSON",   "after_version type actor min_version", "", "200 304 400 404 503", "EntryList", "text/csv application/x-ndjson" },
    { "GET",    "/v1/deployments/{id}/explain",        get_explain,       LANE_READS,  0, "the rule that decided, and its evidence", "step try version min_version", "", "200 304 400 404 503", "Explanation", "" },
    { "GET",    "/v1/deployments/{id}/report",         get_report,        LANE_READS,  0, "the report; JSON or Markdown",         "min_version", "", "200 304 400 404 503", "Report", "text/markdown" },
    { "POST",   "/v1/deployments/{id}/requests",       post_request,      LANE_READS,  0, "ask something of a deployment",        "dry_run", "application/json", "200 202 400 403 404 409 412 413 415 422 428 503", "Answered", "" },
    { "GET",    "/v1/requests/{id}",                   get_request,       LANE_READS,  0, "what became of a request",             "", "", "200 304 404 503", "Request", "" },
    { "GET",    "/v1/inbox",                           get_inbox,         LANE_READS,  0, "what waits for my roles",              "for", "", "200 304 400 503", "InboxList", "" },
    { "GET",    "/v1/flags",                           get_flags,         LANE_READS,  0, "all flags",                            "", "", "200 304 503", "FlagList", "" },
    { "GET",    "/v1/flags/{environment}/{flag}",      get_flag,          LANE_READS,  0, "one flag",                             "", "", "200 304 404 503", "Flag", "" },
    { "POST",   "/v1/flags/{environment}/{flag}/kill", post_flag_kill,    LANE_STOPS,  0, "latch its deployment: off, for good",  "", "application/json", "200 400 403 404 415 422 503", "Killed", "" },
    { "GET",    "/v1/freezes",                         get_freezes,       LANE_READS,  0, "freezes in force or to come",          "", "", "200 304 503", "FreezeList", "" },
    { "POST",   "/v1/freezes",                         post_freeze,       LANE_STOPS,  0, "freeze an environment or a lane",      "", "application/json", "201 400 403 415 422 503", "Freeze", "" },
    { "DELETE", "/v1/freezes/{id}",                    delete_freeze,     LANE_STOPS,  0, "lift a freeze",                        "", "", "200 403 404 409 503", "Freeze", "" },
    { "GET",    "/v1/windows",                         get_windows,       LANE_READS,  0, "deployment windows, and when they change", "", "", "200 304", "WindowList", "" },
    { "GET",    "/v1/lanes",                           get_lanes,         LANE_READS,  0, "who changes what, and who waits",      "", "", "200 304 503", "LaneList", "" },
    { "GET",    "/v1/alerts",                          get_alerts,        LANE_READS,  0, "open alerts, and whom each concerns",  "", "", "200 304 503", "AlertList", "" },
    { "POST",   "/v1/alerts",                          post_alert,        LANE_ALERTS, 0, "send an alert by hand",                "", "application/json", "202 400 403 415 422 503", "AlertTaken", "" },
    { "POST",   "/v1/alertmanager",                    post_alertmanager, LANE_ALERTS, 0, "webhook of Prometheus Alertmanager and Grafana", "", "application/json", "202 400 403 413 415 503", "AlertTaken", "" },
    { "POST",   "/v1/events",                          post_cloudevent,   LANE_READS,  0, "CloudEvents: binary, structured, batch", "", "application/cloudevents+json application/cloudevents-batch+json application/json application/protobuf", "202 400 403 415 422 503", "EventsTaken", "" },
    { "GET",    "/v1/signals",                         get_signals,       LANE_READS,  0, "signals of the last while",            "feature after", "", "200 304 400", "SignalList", "" },
    { "GET",    "/v1/dead-letters",                    get_dead_letters,  LANE_READS,  0, "records that could not be used",       "", "", "200 304", "DeadLetterList", "" },
    { "GET",    "/v1/health",                          get_health,        LANE_READS,  0, "services and their parts",             "", "", "200 304 503", "Health", "" },
    { "GET",    "/v1/stream",                          get_stream,        LANE_LOOP,   0, "live updates: server-sent events",     "topics", "", "200 400", "", "text/event-stream" },
    { "GET",    "/v1/openapi.json",                    get_openapi,       LANE_LOOP,   ROUTE_OPEN, "this description",            "", "", "200 304", "", "" },
    { "GET",    "/docs/problems",                      get_problem_docs,  LANE_LOOP,   ROUTE_OPEN, "what each kind of problem means", "", "", "200 304", "", "text/markdown" },
    { "GET",    "/docs/problems/{code}",               get_problem_doc,   LANE_LOOP,   ROUTE_OPEN, "what one kind of problem means", "", "", "200 304 404", "", "text/markdown" },
    { "POST",   "/ofrep/v1/evaluate/flags/{flag}",     post_ofrep_flag,   LANE_LOOP,   ROUTE_OPEN, "OFREP: evaluate one flag",    "environment", "application/json", "200 400 404 503", "", "" },
    { "POST",   "/ofrep/v1/evaluate/flags",            post_ofrep_all,    LANE_LOOP,   ROUTE_OPEN, "OFREP: evaluate all flags",   "environment flagConfigEtag flagConfigLastModified", "application/json", "200 304 400 503", "", "" },
    { "GET",    "/internal/v1/flags/{environment}/{flag}", get_internal_flag, LANE_LOOP, ROUTE_OPEN, "read-back: what this gateway answers with", "", "", "200 304 404 503", "", "" },
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

/* HEAD is GET; the web server leaves the body out. */
static bool method_fits(const char *method, const char *asked)
{
    return strcmp(method, strcmp(asked, "HEAD") == 0 ? "GET" : asked) == 0;
}

/* call->allow: the methods of the path; "" when there is no such path. */
static const struct gateway_route *find_route(struct gateway_call *call)
{
    call->allow = "";
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!path_matches(routes[i].pattern, call->path, call))
            continue;
        if (method_fits(routes[i].method, call->method))
            return &routes[i];
        call->allow = arena_printf(call->arena,
                                   "%s%s%s",
                                   call->allow,
                                   call->allow[0] != '\0' ? ", " : "",
                                   routes[i].method);
    }
    return NULL;
}

static bool refuse(struct gateway_call *call, const struct problem *problem)
{
    call_problem(call, problem);
    return false;
}

static bool refuse_route(struct gateway_call *call)
{
    if (call->allow[0] == '\0') {
        call_no_such(call, "resource", call->path);
        return false;
    }
    return refuse(call,
                  &(struct problem){
                      .code = "wrong-method",
                      .detail = arena_printf(call->arena, "this has only %s", call->allow) });
}

static bool sign_in(struct gateway_call *call)
{
    call->actor =
        auth_actor(call->gateway->auth, call_header(call, "authorization"), call->now_ms);
    if (call_header(call, "authorization") == NULL) {
        call->actor = session_actor(call);
        call->by_cookie = call->actor != NULL;
    }
    if (call->actor != NULL || (call->route->flags & ROUTE_OPEN) != 0)
        return true;
    return refuse(call,
                  &(struct problem){ .code = "not-signed-in",
                                     .detail = "send Authorization: Bearer TOKEN" });
}

/* What needs no token cannot be done in anybody's name. */
static bool check_origin(struct gateway_call *call)
{
    return !call->by_cookie || (call->route->flags & ROUTE_OPEN) != 0 ||
           session_may_change(call);
}

/* Whether a space-separated list holds that word. */
static bool names(const char *list, const char *word)
{
    const size_t length = strlen(word);

    for (; *list != '\0'; list += strcspn(list, " ")) {
        list += strspn(list, " ");
        if (strcspn(list, " ") == length && strncmp(list, word, length) == 0)
            return true;
    }
    return false;
}

static bool check_query(struct gateway_call *call)
{
    for (size_t i = 0; i < call->query_count; i++) {
        const char *const name = call->query[i]->key;
        const char *const known = call->route->query;

        if (names(known, name))
            continue;
        return refuse(
            call,
            &(struct problem){
                .code = "unknown-filter",
                .field = name,
                .detail = arena_printf(call->arena, "there is no parameter %.80s", name),
                .remedy = known[0] != '\0' ? arena_printf(call->arena, "There are: %s.", known)
                                           : "There are none." });
    }
    return true;
}

/* Where JSON is all that is understood, nothing else is taken for it. */
static bool check_type(struct gateway_call *call)
{
    const char *const type = call_header(call, "content-type");
    const size_t length = type != NULL ? strcspn(type, "; ") : 0;

    if (strcmp(call->route->body, "application/json") != 0 || type == NULL ||
        (length == strlen("application/json") &&
         strncasecmp(type, "application/json", length) == 0))
        return true;
    return refuse(call,
                  &(struct problem){ .code = "wrong-type",
                                     .detail = arena_printf(call->arena,
                                                            "this takes application/json, "
                                                            "not %.80s",
                                                            type) });
}

static size_t depth_of(struct pb_bytes json)
{
    size_t deepest = 0;
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < json.length; i++) {
        const char c = (char)json.bytes[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!quoted && (c == '}' || c == ']'))
            depth -= depth > 0;
    }
    return deepest;
}

/* Nobody means JSON as deep as that; readers of it recurse. That of OFREP does not, and has a
 * form of its own to say what is wrong. */
static bool check_depth(struct gateway_call *call)
{
    const char *const type = call_header(call, "content-type");

    if (call->route->body[0] == '\0' || strncmp(call->route->pattern, "/ofrep/", 7) == 0 ||
        (type != NULL && strstr(type, "json") == NULL) ||
        depth_of(call->body) <= BODY_DEPTH_MAX)
        return true;
    return refuse(call,
                  &(struct problem){ .code = "malformed",
                                     .detail = "the JSON is nested deeper than 32" });
}

/* Monitoring is never refused for its rate: an alert that is dropped may be the one. */
static bool check_rate(struct gateway_call *call)
{
    const struct gateway *const gateway = call->gateway;
    bool stops;

    call->lane = request_stops(call) ? LANE_STOPS : call->route->lane;
    stops = call->lane == LANE_STOPS;
    if (call->actor == NULL || call->lane == LANE_ALERTS ||
        budget_take(gateway->budgets,
                    call->actor,
                    stops,
                    clock_monotonic_ms(gateway->ports->clock),
                    &call->retry_after_s))
        return true;
    return refuse(call,
                  &(struct problem){ .code = "too-many",
                                     .detail = stops ? "too many stops in a minute"
                                                     : "too many requests in a minute",
                                     .remedy = "Ask again after Retry-After seconds." });
}

bool gateway_admit(struct gateway_call *call)
{
    bool admitted;

    call->route = find_route(call);
    if (call->route == NULL)
        admitted = refuse_route(call);
    else
        admitted = sign_in(call) && check_origin(call) && check_query(call) &&
                   check_type(call) && check_depth(call) && check_rate(call);
    if (call->route != NULL)
        call->allow = NULL;
    if (!admitted)
        gateway_date(call);
    return admitted;
}

/* --- carrying out --- */

/* One of the tags that the client has already, by the weak comparison. */
static bool is_known(const char *tags, const char *etag)
{
    const size_t length = strlen(etag);

    for (; *tags != '\0'; tags += strcspn(tags, ",")) {
        tags += strspn(tags, ", \t");
        if (strncmp(tags, "W/", 2) == 0)
            tags += 2;
        if (tags[0] == '*' || (strncmp(tags, etag, length) == 0 &&
                               (tags[length] == '\0' || strchr(", \t", tags[length]) != NULL)))
            return true;
    }
    return false;
}

/* What has no version of its own is known by its content. */
static void tag(struct gateway_call *call)
{
    char hex[DIGEST_HEX_SIZE];

    if (call->status != STATUS_OK || call->etag != NULL || call->stream ||
        strcmp(call->route->method, "GET") != 0)
        return;
    digest_sha256(call->out.bytes, call->out.length, hex);
    call->etag = arena_printf(call->arena, "\"%.16s\"", hex);
}

bool call_has(const struct gateway_call *call, const char *etag)
{
    const char *const tags = call_header(call, "if-none-match");

    return tags != NULL && is_known(tags, etag);
}

static void answer_not_modified(struct gateway_call *call)
{
    if (call->status != STATUS_OK || call->etag == NULL ||
        strcmp(call->route->method, "GET") != 0 || !call_has(call, call->etag))
        return;
    text_reset(&call->out);
    call->content_type = NULL;
    call->status = STATUS_NOT_MODIFIED;
}

void gateway_date(struct gateway_call *call)
{
    gateway_saw(call->gateway, call->as_of_ms);
    if (call->as_of_ms == 0)
        call->as_of_ms = call->gateway->as_of_ms;
}

void gateway_carry_out(struct gateway_call *call)
{
    (void)path_matches(call->route->pattern, call->path, call);
    call->route->handle(call);
    if (!text_ok(&call->out))
        call_problem(call,
                     &(struct problem){ .code = "too-large",
                                        .detail = "the answer is too long; ask for less" });
    tag(call);
    answer_not_modified(call);
    gateway_date(call);
}

void gateway_handle(struct gateway_call *call)
{
    if (gateway_admit(call))
        gateway_carry_out(call);
}
