/* GET of what has happened to a deployment: findings, timeline, report. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/domain/report.h"

#include <string.h>

enum { STEP_LAST = 7, ANY = INT32_MAX };

/* The value of a filter by number, or ANY. */
static bool read_number(struct gateway_call *call,
                        const char *name,
                        uint64_t max,
                        uint64_t *ret)
{
    return call_number(call, &(struct query_number){ name, 0, max, ANY }, ret);
}

bool text_filter(const struct gateway_call *call, const char *name, const char *value)
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

/* --- findings --- */

struct finding_filter {
    uint64_t step;
    uint64_t try_number;
};

static bool read_filter(struct gateway_call *call, struct finding_filter *ret)
{
    static const char *const verdicts[] = { "PASS",           "WARN",    "FAIL",
                                            "INCONCLUSIVE",   "NO_DATA", "ERROR",
                                            "NOT_APPLICABLE", NULL };

    return read_number(call, "step", STEP_LAST, &ret->step) &&
           read_number(call, "try", ANY - 1, &ret->try_number) &&
           call_one_of(call, "verdict", verdicts);
}

static bool finding_wanted(const struct gateway_call *call,
                           const struct finding_filter *filter,
                           const Pb__TimelineEntry *entry)
{
    return entry->finding != NULL && (filter->step == ANY || filter->step == entry->step) &&
           (filter->try_number == ANY || filter->try_number == entry->try_number) &&
           text_filter(call, "check", entry->finding->check) &&
           text_filter(call, "verdict", pb_verdict_name(entry->finding->verdict));
}

void get_findings(struct gateway_call *call)
{
    struct finding_filter filter = { 0 };
    struct view_source source;
    struct json json;

    if (!read_filter(call, &filter) || !deployment_load(call, &source) ||
        !deployment_load_timeline(call, &source))
        return;
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < source.timeline_count; i++) {
        if (finding_wanted(call, &filter, source.timeline[i]))
            view_finding(&json, NULL, source.timeline[i]);
    }
    json_end_array(&json);
    json_end_object(&json);
}

/* --- timeline --- */

/* Of the entries those that are asked for, in place. */
static bool keep_wanted(struct gateway_call *call, struct view_source *source)
{
    const struct query_number after = { "after_version", 0, INT64_MAX, 0 };
    uint64_t version = 0;
    size_t kept = 0;

    if (!call_number(call, &after, &version))
        return false;
    for (size_t i = 0; i < source->timeline_count; i++) {
        Pb__TimelineEntry *const entry = source->timeline[i];

        if (entry->version > version && text_filter(call, "type", entry->type) &&
            text_filter(call, "actor", entry->actor))
            source->timeline[kept++] = entry;
    }
    source->timeline_count = kept;
    return true;
}

/* Quoted as RFC 4180 has it; a leading =, +, - or @ would be a formula to a spreadsheet. */
static void csv_field(struct text *out, const char *value)
{
    text_add_char(out, '"');
    if (value[0] != '\0' && strchr("=+-@", value[0]) != NULL)
        text_add_char(out, '\'');
    for (; *value != '\0'; value++) {
        if (*value == '"')
            text_add_char(out, '"');
        text_add_char(out, *value);
    }
    text_add_char(out, '"');
}

static void timeline_csv(struct gateway_call *call, const struct view_source *source)
{
    text_add(&call->out, "version,at_ms,type,actor,step,try,text\r\n");
    for (size_t i = 0; i < source->timeline_count; i++) {
        const Pb__TimelineEntry *const entry = source->timeline[i];

        text_add(&call->out,
                 "%llu,%lld,",
                 (unsigned long long)entry->version,
                 (long long)entry->at_ms);
        csv_field(&call->out, entry->type);
        text_add_char(&call->out, ',');
        csv_field(&call->out, entry->actor);
        text_add(&call->out, ",%u,%u,", entry->step, entry->try_number);
        csv_field(&call->out, entry->text);
        text_add(&call->out, "\r\n");
    }
    call->status = 200;
    call->content_type = "text/csv; charset=utf-8";
}

static void timeline_lines(struct gateway_call *call, const struct view_source *source)
{
    for (size_t i = 0; i < source->timeline_count; i++) {
        struct json json = json_into(&call->out);

        view_entry(&json, NULL, source->timeline[i]);
        text_add_char(&call->out, '\n');
    }
    call->status = 200;
    call->content_type = "application/x-ndjson";
}

static void timeline_json(struct gateway_call *call, const struct view_source *source)
{
    struct json json = call_json(call);

    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < source->timeline_count; i++)
        view_entry(&json, NULL, source->timeline[i]);
    json_end_array(&json);
    json_end_object(&json);
}

void get_timeline(struct gateway_call *call)
{
    static const char *const forms[] = {
        "application/json", "text/csv", "application/x-ndjson", NULL
    };
    static void (*const write[])(
        struct gateway_call * call,
        const struct view_source *source) = { timeline_json, timeline_csv, timeline_lines };
    struct view_source source;

    if (!deployment_load(call, &source) || !deployment_load_timeline(call, &source) ||
        !keep_wanted(call, &source))
        return;
    write[call_accepts(call, forms)](call, &source);
}

/* --- report --- */

void get_report(struct gateway_call *call)
{
    static const char *const forms[] = { "application/json", "text/markdown", NULL };
    struct view_source source;
    Pb__DeploymentReport *report;
    char *digest;

    if (!deployment_load(call, &source) || !deployment_load_timeline(call, &source))
        return;
    /* What ended before it had a plan has a report as well. */
    if (source.plan == NULL && !procedure_is_terminal(source.state->phase)) {
        call_no_such(call, "report yet of", source.state->id);
        return;
    }
    report = report_make(
        call->arena, source.state, source.plan, source.timeline, source.timeline_count);
    call->status = 200;
    if (call_accepts(call, forms) == 1) {
        report_markdown(report, &call->out);
        call->content_type = "text/markdown; charset=utf-8";
    } else {
        report_json(report, &call->out);
        call->content_type = "application/json";
    }
    /* What is filed away must be what was sent. */
    digest = arena_alloc(call->arena, DIGEST_FIELD_SIZE);
    digest_field(call->out.bytes, call->out.length, digest);
    call->digest = digest;
}
