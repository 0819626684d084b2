/* GET of deployments: the list, one, and its parts. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/domain/report.h"
#include "common/planning/compile.h"
#include "services/gateway/view.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_DEFAULT = 50, PAGE_MAX = 200, LIST_MAX = 2000 };

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
    return true;
}

static bool load_timeline(struct gateway_call *call, struct view_source *source)
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

void get_deployment(struct gateway_call *call)
{
    struct view_source source;
    struct json json;

    if (!deployment_load(call, &source) || !load_timeline(call, &source))
        return;
    call->etag =
        arena_printf(call->arena, "\"v%llu\"", (unsigned long long)source.state->version);
    json = call_json(call);
    view_deployment(&json, NULL, &source);
}

static bool wants(const struct gateway_call *call, const char *media_type)
{
    const char *const accept = call_header(call, "accept");

    return accept != NULL && strstr(accept, media_type) != NULL;
}

static void write_diff(struct json *json,
                       struct arena *arena,
                       const Pb__Plan *was,
                       const Pb__Plan *now)
{
    struct plan_difference *differences = NULL;
    const size_t count = plan_diff(arena, was, now, &differences);

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

/* The plan of ?against=, by default of the attempt before; NULL when there is none. */
static const Pb__Plan *other_plan(struct gateway_call *call,
                                  const Pb__DeploymentState *state,
                                  const char **ret_id)
{
    const struct projection *const projection = call->projection;
    const char *id = call_query(call, "against");
    Pb__DeploymentState *other = NULL;
    Pb__Plan *plan = NULL;
    struct error error = { 0 };

    if (id == NULL)
        id = state->attempt_of;
    *ret_id = id;
    if (id[0] == '\0' ||
        projection_deployment(projection, call->arena, id, &other, &error) != ERR_OK ||
        projection_plan(projection, call->arena, other, &plan, &error) != ERR_OK)
        return NULL;
    return plan;
}

void get_plan(struct gateway_call *call)
{
    static const char *const known[] = { "against", NULL };
    struct view_source source;
    const Pb__Plan *other;
    const char *other_id = "";
    struct json json;

    if (!call_known_query(call, known) || !deployment_load(call, &source))
        return;
    if (source.plan == NULL) {
        call_no_such(call, "plan of", source.state->id);
        return;
    }
    if (wants(call, "text/markdown")) {
        plan_markdown(source.plan, source.state->plan_hash, &call->out);
        call->status = 200;
        call->content_type = "text/markdown; charset=utf-8";
        return;
    }
    other = other_plan(call, source.state, &other_id);
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_text(&json, "deployment", source.state->id);
    view_plan(&json, "plan", &source);
    view_changes(&json, "changes", &source);
    view_stages(&json, "stages", &source);
    json_put_text(&json, "against", other != NULL ? other_id : "");
    if (other != NULL)
        write_diff(&json, call->arena, other, source.plan);
    json_end_object(&json);
}

/* --- findings, timeline, report --- */

static bool number_filter(const struct gateway_call *call, const char *name, unsigned value)
{
    const char *const wanted = call_query(call, name);

    return wanted == NULL || strtoul(wanted, NULL, 10) == value;
}

static bool text_filter(const struct gateway_call *call, const char *name, const char *value)
{
    bool asked = false;

    for (size_t i = 0; i < call->query_count; i++) {
        if (strcmp(call->query[i]->key, name) != 0)
            continue;
        asked = true;
        if (strcmp(call->query[i]->value, value) == 0)
            return true;
    }
    return !asked;
}

void get_findings(struct gateway_call *call)
{
    static const char *const known[] = { "step", "try", "check", "verdict", NULL };
    struct view_source source;
    struct json json;

    if (!call_known_query(call, known) || !deployment_load(call, &source) ||
        !load_timeline(call, &source))
        return;
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < source.timeline_count; i++) {
        const Pb__TimelineEntry *const entry = source.timeline[i];

        if (entry->finding != NULL && number_filter(call, "step", entry->step) &&
            number_filter(call, "try", entry->try_number) &&
            text_filter(call, "check", entry->finding->check) &&
            text_filter(call, "verdict", pb_verdict_name(entry->finding->verdict)))
            view_finding(&json, NULL, entry);
    }
    json_end_array(&json);
    json_end_object(&json);
}

static bool entry_wanted(const struct gateway_call *call, const Pb__TimelineEntry *entry)
{
    const char *const after = call_query(call, "after_version");

    if (after != NULL && entry->version <= strtoull(after, NULL, 10))
        return false;
    return text_filter(call, "type", entry->type) && text_filter(call, "actor", entry->actor);
}

/* Quoted as RFC 4180 has it. */
static void csv_field(struct text *out, const char *value, char end)
{
    text_add_char(out, '"');
    for (; *value != '\0'; value++) {
        if (*value == '"')
            text_add_char(out, '"');
        text_add_char(out, *value);
    }
    text_add_char(out, '"');
    text_add_char(out, end);
}

static void timeline_csv(struct gateway_call *call, const struct view_source *source)
{
    text_add(&call->out, "version,at_ms,type,actor,step,try,text\r\n");
    for (size_t i = 0; i < source->timeline_count; i++) {
        const Pb__TimelineEntry *const entry = source->timeline[i];

        if (!entry_wanted(call, entry))
            continue;
        text_add(&call->out,
                 "%llu,%lld,",
                 (unsigned long long)entry->version,
                 (long long)entry->at_ms);
        csv_field(&call->out, entry->type, ',');
        csv_field(&call->out, entry->actor, ',');
        text_add(&call->out, "%u,%u,", entry->step, entry->try_number);
        csv_field(&call->out, entry->text, '\r');
        text_add_char(&call->out, '\n');
    }
    call->status = 200;
    call->content_type = "text/csv; charset=utf-8";
}

static void timeline_lines(struct gateway_call *call, const struct view_source *source)
{
    for (size_t i = 0; i < source->timeline_count; i++) {
        struct json json = json_into(&call->out);

        if (!entry_wanted(call, source->timeline[i]))
            continue;
        view_entry(&json, NULL, source->timeline[i]);
        text_add_char(&call->out, '\n');
    }
    call->status = 200;
    call->content_type = "application/x-ndjson";
}

void get_timeline(struct gateway_call *call)
{
    static const char *const known[] = { "after_version", "type", "actor", NULL };
    struct view_source source;
    struct json json;

    if (!call_known_query(call, known) || !deployment_load(call, &source) ||
        !load_timeline(call, &source))
        return;
    if (wants(call, "text/csv")) {
        timeline_csv(call, &source);
        return;
    }
    if (wants(call, "application/x-ndjson")) {
        timeline_lines(call, &source);
        return;
    }
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < source.timeline_count; i++) {
        if (entry_wanted(call, source.timeline[i]))
            view_entry(&json, NULL, source.timeline[i]);
    }
    json_end_array(&json);
    json_end_object(&json);
}

void get_report(struct gateway_call *call)
{
    struct view_source source;
    Pb__DeploymentReport *report;

    if (!deployment_load(call, &source) || !load_timeline(call, &source))
        return;
    if (source.plan == NULL) {
        call_no_such(call, "report yet of", source.state->id);
        return;
    }
    report = report_make(
        call->arena, source.state, source.plan, source.timeline, source.timeline_count);
    call->status = 200;
    if (wants(call, "text/markdown")) {
        report_markdown(report, &call->out);
        call->content_type = "text/markdown; charset=utf-8";
    } else {
        report_json(report, &call->out);
        call->content_type = "application/json";
    }
}

/* --- the list --- */

/* What the list can be filtered by; repeated values of one name are alternatives. */
static const char *const list_filters[] = {
    "state",       "phase", "step", "service", "environment", "feature", "exit",
    "waiting_for", "q",     "live", "limit",   "cursor",      NULL,
};

static bool service_filter(const struct gateway_call *call, const Pb__DeploymentState *state)
{
    if (call_query(call, "service") == NULL)
        return true;
    for (size_t i = 0; i < state->n_services; i++) {
        if (text_filter(call, "service", state->services[i]))
            return true;
    }
    return false;
}

static bool waits_for_viewer(const struct gateway_call *call, const Pb__DeploymentState *state)
{
    const char *const asked = call_query(call, "waiting_for");

    if (asked == NULL)
        return true;
    for (size_t i = 0; state->waiting_for != NULL && i < state->waiting_for->n_who; i++) {
        const char *const role = state->waiting_for->who[i];

        if (strcmp(asked, "me") == 0 ? auth_has_role(call->actor, role)
                                     : strcmp(asked, role) == 0)
            return true;
    }
    return false;
}

static bool is_wanted(const struct gateway_call *call, const Pb__DeploymentState *state)
{
    const char *const phase = pb_phase_name(state->phase);
    const char *const part = call_query(call, "q");

    if (part != NULL && strstr(state->id, part) == NULL && strstr(state->title, part) == NULL)
        return false;
    return text_filter(call, "state", phase) && text_filter(call, "phase", phase) &&
           text_filter(call, "exit", phase) && number_filter(call, "step", state->step) &&
           text_filter(call, "environment", state->environment) &&
           text_filter(call, "feature", state->feature) && service_filter(call, state) &&
           waits_for_viewer(call, state);
}

/* A page: where it begins, how long it may be. */
struct page {
    size_t limit;
    int64_t before_ms; /* Cursor: only what was updated before, or at it with a greater id. */
    const char *before_id;
    size_t shown;
    const char *next;
};

static void read_page(const struct gateway_call *call, struct page *ret)
{
    const char *const limit = call_query(call, "limit");
    const char *const cursor = call_query(call, "cursor");
    const char *colon = cursor != NULL ? strchr(cursor, ':') : NULL;

    *ret = (struct page){ .limit = PAGE_DEFAULT, .before_ms = INT64_MAX, .before_id = "" };
    if (limit != NULL)
        ret->limit = strtoul(limit, NULL, 10);
    if (ret->limit == 0 || ret->limit > PAGE_MAX)
        ret->limit = PAGE_MAX;
    if (colon != NULL) {
        ret->before_ms = strtoll(cursor, NULL, 10);
        ret->before_id = colon + 1;
    }
}

static bool beyond_cursor(const struct page *page, const struct store_member *member)
{
    if (member->score != page->before_ms)
        return member->score < page->before_ms;
    return strcmp(member->name, page->before_id) > 0;
}

static bool write_page(struct gateway_call *call,
                       bool live,
                       struct page *page,
                       struct json *json,
                       struct error *error)
{
    const struct projection *const projection = call->projection;
    struct store_member *members = NULL;
    size_t count = 0;

    if (projection_list(projection, call->arena, live, LIST_MAX, &members, &count, error) !=
        ERR_OK)
        return false;
    for (size_t i = 0; i < count; i++) {
        Pb__DeploymentState *state = NULL;

        if (!beyond_cursor(page, &members[i]) ||
            projection_deployment(projection, call->arena, members[i].name, &state, error) !=
                ERR_OK ||
            !is_wanted(call, state))
            continue;
        if (page->shown == page->limit) {
            page->next = arena_printf(
                call->arena, "%lld:%s", (long long)members[i - 1].score, members[i - 1].name);
            return true;
        }
        view_summary(json, NULL, state);
        page->shown++;
        if (state->now_ms > call->as_of_ms)
            call->as_of_ms = state->now_ms;
    }
    return true;
}

void get_deployments(struct gateway_call *call)
{
    const char *const live = call_query(call, "live");
    const bool ended = live != NULL && strcmp(live, "false") == 0;
    const bool all = live == NULL || strcmp(live, "all") == 0;
    struct error error = { 0 };
    struct page page;
    struct json json;
    bool ok = true;

    if (!call_known_query(call, list_filters))
        return;
    read_page(call, &page);
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    if (!ended)
        ok = write_page(call, true, &page, &json, &error);
    if (ok && page.next == NULL && (ended || all))
        ok = write_page(call, false, &page, &json, &error);
    json_end_array(&json);
    if (page.next != NULL)
        json_put_text(&json, "next", page.next);
    else
        json_put_null(&json, "next");
    json_end_object(&json);
    if (!ok)
        call_unavailable(call, &error);
    else if (page.next != NULL)
        call->link =
            arena_printf(call->arena, "</v1/deployments?cursor=%s>; rel=\"next\"", page.next);
}
