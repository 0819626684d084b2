#include "services/gateway/schemas.h"

#include <string.h>

/* Members as "name:type", separated by spaces. Types: s text, i integer, n number, b true or
 * false, o any object, x anything, Name a schema of this table, [T] a list of T. T? may be
 * null; a name that ends with ~ may be absent. */
struct schema {
    const char *name;
    const char *members;
};

/* clang-format off */
static const struct schema schemas[] = {
    { "Me",                "subject:s name:s roles:[s] can:[s]" },
    { "Actor",             "subject:s roles:[s]" },
    { "Link",              "kind:s title:s url:s" },
    { "Step",              "step:i name:s state:s decision:s? try:i began_ms:i? ended_ms:i? counts:o rule:s" },
    { "Hold",              "kind:s id:s reason:s since_ms:i? until_ms:i?" },
    { "WaitingFor",        "kind:s tone:s sentence:s who:[s] who_text:s since_ms:i? deadline_ms:i? unblock:s otherwise:s facts:o actions:[s]" },
    { "DeploymentSummary", "id:s feature:s title:s attempt:i kind:s environment:s services:[s] approach:s ticket:s content_hash:s version:i "
                           "phase:s step:i exit:s? holds:[Hold] percent:i latched:b created_ms:i? updated_ms:i? submitted_by:Actor? steps:[Step] waiting_for:WaitingFor?" },
    { "DeploymentList",    "items:[DeploymentSummary] next:s?" },
    { "NoReturn",          "change:i what:s way_back:s after:s" },
    { "PlanWindow",        "name:s days:[i] from_minute:i to_minute:i zone:s opens_ms:i? closes_ms:i?" },
    { "Plan",              "hash:s compiled_ms:i? expires_ms:i? config_hash:s policy:s approach:s revision:i ponr:[NoReturn] risks:[s] unknowns:[s] dependencies:[s] "
                           "validation_points:[s] procedures:[s] windows:[PlanWindow] checks:o observe_ms:i" },
    { "Difference",        "op:s path:s was:s now:s" },
    { "Instance",          "name:s state:s running:s?" },
    { "Fence",             "grant:i version:i" },
    { "Batch",             "index:i kind:s side:s state:s fence:Fence? began_ms:i? ended_ms:i? instances:[Instance]" },
    { "Change",            "index:i kind:s target:s service:s artifact:s version:s digest:s on_rollback:s note:s state:s began_ms:i? ended_ms:i? batches:[Batch]" },
    { "Stage",             "index:i name:s percent:i audience:s state:s sub:s began_ms:i? ended_ms:i? min_ms:i samples:i min_samples:i gate:s" },
    { "PlanAnswer",        "deployment:s plan:Plan changes:[Change] stages:[Stage] against:s diff:[Difference]" },
    { "Given",             "actor:Actor? at_ms:i plan_hash:s note:s void:b" },
    { "Approval",          "role:s needed:i given:[Given]" },
    { "SignOff",           "role:s for:s step:i state:s actor:s at_ms:i? note:s" },
    { "Finding",           "check:s kind:s required:b verdict:s observed:s wanted:s evidence:s link:s remedy:s at_ms:i step:i try:i" },
    { "FindingList",       "items:[Finding]" },
    { "Metric",            "name:s unit:s op:s limit:n verdict:s values:[n] at_ms:[i] t0_ms:i? every_ms:i samples:i source:s query:s note:s" },
    { "MetricList",        "items:[Metric]" },
    { "Effect",            "what:s how:s estimate_ms:i" },
    { "UndoStep",          "what:s how:s state:s estimate_ms:i? took_ms:i? at_ms:i?" },
    { "Undo",              "estimate_ms:i basis:s steps:[UndoStep]" },
    { "Incident",          "id:s cause:s severity:s open:b count:i first_ms:i last_ms:i source:s confidence:s summary:s link:s reaction:[Reaction]" },
    { "Reaction",          "after_ms:i what:s" },
    { "Stop",              "kind:s cause:s by:s at_ms:i step:i" },
    { "Receipt",           "check:s channel:s id:s link:s may_repeat:b at_ms:i" },
    { "Missing",           "input:s field:s remedy:s" },
    { "Attempt",           "id:s attempt:i kind:s phase:s exit:s? version:i created_ms:i? updated_ms:i?" },
    { "Refused",           "request:s code:s why:s" },
    { "Deployment",        "id:s feature:s title:s attempt:i kind:s environment:s services:[s] approach:s ticket:s content_hash:s version:i "
                           "phase:s step:i exit:s? holds:[Hold] percent:i latched:b created_ms:i? updated_ms:i? submitted_by:Actor? steps:[Step] waiting_for:WaitingFor? "
                           "plan:Plan? missing:[Missing] approvals:[Approval] signoffs:[SignOff] changes:[Change] stages:[Stage] metrics:[Metric] findings:[Finding] undo:Undo "
                           "incidents:[Incident] stop:Stop? receipts:[Receipt] dates:o links:[Link] attempt_of:s attempts:[Attempt] record_hash:s allowed~:[s] refused~:[Refused]" },
    { "Entry",             "version:i index:i at_ms:i type:s actor:s step:i try:i text:s event_id:s finding~:Finding" },
    { "EntryList",         "items:[Entry]" },
    { "Expected",          "check:s kind:s required:b warn_ok:b waivable:b role:s not_applicable:s" },
    { "Cause",             "id:s partition:i version:i at_ms:i actor:s text:s" },
    { "Explanation",       "deployment:s step:i try:i name:s decision:s? at_ms:i? version:i rule:s on_no_go:s expected:[Expected] findings:[Finding] people:[Entry] events:[Cause]" },
    { "Confirm",           "field:s value:i what:s way_back:s" },
    { "Preview",           "lead:s effects:[Effect] irreversible:[s] confirm:[Confirm] phase_after:s version:i waiting_for:WaitingFor? undo:Undo" },
    { "Answered",          "request~:s state~:s version~:i deployment~:s detail~:s preview~:Preview" },
    { "Request",           "request:s state:s deployment:s version~:i detail~:s problem~:Problem?" },
    { "InboxItem",         "id:s kind:s deployment:s version:i role:s ask:s detail:s since_ms:i deadline_ms:i? otherwise:s weight:s actions:[s] closed:s?" },
    { "InboxList",         "items:[InboxItem] next:s?" },
    { "Latch",             "at_ms:i by:s reason:s off_after_ms:i?" },
    { "Flag",              "flag:s environment:s deployment:s state:s percent:i audience:s sequence:i at_ms:i latch:Latch? read_back:o? evaluations_per_s:i" },
    { "FlagList",          "items:[Flag] next:s?" },
    { "Killed",            "flag:s environment:s deployment:s already_latched:b off_after_ms:i read_back:o" },
    { "Freeze",            "id:s scope:s from_ms:i to_ms:i reason:s by:s configured:b active:b holds:[s]" },
    { "FreezeList",        "items:[Freeze] next:s?" },
    { "Window",            "name:s open:b changes_ms:i? days~:[i] from_minute~:i to_minute~:i zone~:s opens_ms~:i closes_ms~:i" },
    { "WindowList",        "items:[Window] next:s?" },
    { "Holder",            "deployment:s since_ms:i? note:s" },
    { "Queued",            "deployment:s number:i undo:b undo_of:s since_ms:i? note:s" },
    { "Lane",              "lane:s grant:i holder:Holder? top:s queue:[Queued]" },
    { "LaneList",          "items:[Lane] next:s?" },
    { "Match",             "deployment:s changed_ms:i? at_work:b latched:b" },
    { "Alert",             "fingerprint:s status:s severity:s service:s environment:s labels:[o] summary:s starts_at_ms:i ends_at_ms:i link:s name:s matches:x" },
    { "AlertList",         "items:[Alert] next:s?" },
    { "AlertTaken",        "alerts:i truncated:i fingerprint~:s at_ms~:i matches~:x" },
    { "EventsTaken",       "events:i ids:[s]" },
    { "Submitted",         "id~:s feature:s content_hash~:s deployment~:s complete~:b plan_hash~:s missing~:[o] errors~:[o]" },
    { "Signal",            "feature~:s environment~:s deployment~:s sequence~:i redelivered~:b at_ms~:i feature_deployed~:o feature_available~:o monitoring_active~:o "
                           "feature_withdrawn~:o feature_rolled_back~:o deployment_blocked~:o deployment_finished~:o acceptance_refused~:o" },
    { "SignalList",        "items:[Signal] next:s?" },
    { "DoneItem",          "text:s done:b evidence:s" },
    { "Lesson",            "text:s assignee:s" },
    { "Report",            "state:o plan~:o? timeline:[o] definition_of_done:[DoneItem] lessons:[Lesson] next_steps:[s] links:[Link] made_ms:i exit:s" },
    { "DeadLetter",        "sender:s preview:s topic:s partition:i offset:i key:s id:s source:s service:s reason:s field:s fix:s attempts:i bytes:s at_ms:i" },
    { "DeadLetterList",    "items:[DeadLetter] next:s?" },
    { "Health",            "version:s config_hash:s now_ms:i instances:[o]" },
    { "Problem",           "type:s title:s status:i code:s docs:s detail~:s remedy~:s field~:s deployment~:s instance~:s trace_id~:s "
                           "near~:[s] allowed~:[s] current_version~:i entries~:[Entry] confirm~:[Confirm] plan_hash~:s errors~:[Fault]" },
    { "Fault",             "line:i column:i field:s found:s expected:s warning:b" },
};
/* clang-format on */

static void put_type(struct json *json, const char *key, const char *type, size_t length);

void schema_reference(struct json *json, const char *key, const char *name)
{
    char bytes[96];
    struct text text = text_over(bytes, sizeof bytes);

    text_add(&text, "#/components/schemas/%s", name);
    json_put_object(json, key);
    json_put_text(json, "$ref", bytes);
    json_end_object(json);
}

static const char *plain_type(char letter)
{
    switch (letter) {
    case 's': return "string";
    case 'i': return "integer";
    case 'n': return "number";
    case 'b': return "boolean";
    case 'o': return "object";
    default: return NULL;
    }
}

static void put_plain(struct json *json, const char *key, char letter, bool nullable)
{
    const char *const type = plain_type(letter);

    json_put_object(json, key);
    if (type != NULL && nullable) {
        json_put_array(json, "type");
        json_put_text(json, NULL, type);
        json_put_text(json, NULL, "null");
        json_end_array(json);
    } else if (type != NULL) {
        json_put_text(json, "type", type);
    }
    json_end_object(json);
}

static void put_named(struct json *json, const char *key, const char *name, bool nullable)
{
    if (!nullable) {
        schema_reference(json, key, name);
        return;
    }
    json_put_object(json, key);
    json_put_array(json, "anyOf");
    schema_reference(json, NULL, name);
    json_put_raw(json, NULL, "{\"type\":\"null\"}");
    json_end_array(json);
    json_end_object(json);
}

static void put_list(struct json *json, const char *key, const char *type, size_t length)
{
    json_put_object(json, key);
    json_put_text(json, "type", "array");
    put_type(json, "items", type, length);
    json_end_object(json);
}

static void put_type(struct json *json, const char *key, const char *type, size_t length)
{
    const bool nullable = type[length - 1] == '?';
    char bytes[64];
    struct text name = text_over(bytes, sizeof bytes);

    if (type[0] == '[') {
        put_list(json, key, type + 1, length - 2);
        return;
    }
    text_add_bytes(&name, type, nullable ? length - 1 : length);
    if (name.length == 1)
        put_plain(json, key, bytes[0], nullable);
    else
        put_named(json, key, bytes, nullable);
}

/* One "name:type", at member. */
static void put_member(struct json *json, const char *member)
{
    const size_t length = strcspn(member, ":");
    const char *const type = member + length + 1;
    char bytes[64];
    struct text name = text_over(bytes, sizeof bytes);

    text_add_bytes(&name, member, member[length - 1] == '~' ? length - 1 : length);
    put_type(json, bytes, type, strcspn(type, " "));
}

static const char *next_member(const char *member)
{
    member += strcspn(member, " ");
    return member + strspn(member, " ");
}

static void put_required(struct json *json, const char *members)
{
    json_put_array(json, "required");
    for (const char *member = members; *member != '\0'; member = next_member(member)) {
        const size_t length = strcspn(member, ":");
        char bytes[64];
        struct text name = text_over(bytes, sizeof bytes);

        text_add_bytes(&name, member, length);
        if (member[length - 1] != '~')
            json_put_text(json, NULL, bytes);
    }
    json_end_array(json);
}

void schemas_write(struct json *json, const char *key)
{
    json_put_object(json, key);
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        json_put_object(json, schemas[i].name);
        json_put_text(json, "type", "object");
        json_put_object(json, "properties");
        for (const char *member = schemas[i].members; *member != '\0';
             member = next_member(member))
            put_member(json, member);
        json_end_object(json);
        put_required(json, schemas[i].members);
        json_end_object(json);
    }
    json_end_object(json);
}
