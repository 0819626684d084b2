#include "services/gateway/problem.h"

#include "common/base/json.h"

#include <string.h>

enum { STATUS_INTERNAL = 500 };

/* clang-format off */
static const struct problem_text rows[] = {
    { "malformed",             400, "The request cannot be read",
      "The body is not what its content type says, a member has the wrong type, or a value in the query is none of those that are meant. errors[] says where, by line and column, if it is a document.",
      "Put it right and send it again; asking the same again brings the same." },
    { "unknown-filter",        400, "There is no such filter",
      "The query names a parameter that this resource does not have. Unknown filters are never ignored: a list that is longer than was asked for misleads.",
      "Leave it out, or use one of those that `remedy` lists." },
    { "unknown-field",         400, "There is no such field",
      "The body has a member that this request does not have. A misspelt member is never ignored.",
      "Correct the member that `field` names." },
    { "bad-http",              400, "This request cannot be read",
      "What came is no HTTP/1.1 that can be answered: its head is too large, its path is no path, or its body is not as long as it says. The status says which.",
      "Correct the client; a proxy between may be the one that speaks." },
    { "not-signed-in",         401, "No valid token",
      "There is no token and no session, or the token is unknown, has expired, or was withdrawn.",
      "Send `Authorization: Bearer TOKEN`; on the command line: `slipway login`." },
    { "role-missing",          403, "This needs a role you do not have",
      "The token is good, but none of its roles may do this.",
      "Ask somebody who has one of the roles that are named; `GET /v1/me` says which are yours." },
    { "own-submission",        403, "You submitted this deployment",
      "Who handed in a deployment does not approve it: four eyes see more than two.",
      "Ask another person with that role: `slipway inbox --all`." },
    { "wrong-origin",          403, "The request comes from another site",
      "A session of the page may change something only from the page itself, with Origin and Content-Type: application/json.",
      "Use the page, or a token." },
    { "no-such",               404, "There is no such thing",
      "No resource has this name. near[] holds names that are like it.",
      "Look for it: `slipway list --all`." },
    { "wrong-method",          405, "This resource has no such method",
      "The path is there, but not with this method; the header Allow lists those it has.",
      "Use one of them." },
    { "not-now",               409, "This cannot be done now",
      "The procedure does not allow this request where the deployment stands; allowed[] lists what it does allow.",
      "See what it waits for: `slipway show`." },
    { "plan-changed",          409, "The plan has changed",
      "The plan was compiled again since it was read: what would be approved is not what was read. plan_hash names the new one.",
      "Read the new plan, then approve that: `slipway plan`." },
    { "check-not-waivable",    409, "This check is never waived",
      "The policy lets nobody count this finding as passed.",
      "Put right what was found, then retry." },
    { "cannot-pause-rollback", 409, "A rollback cannot be paused",
      "What is being taken back is taken back to its end: half of it would be worse than either.",
      "Wait for it: `slipway watch`." },
    { "already-resting",       409, "It is resting already",
      "It is paused, or blocked, and starts nothing new as it is.",
      "Resume it, or decide what it waits for." },
    { "duplicate-acceptance",  409, "This was submitted before",
      "The same content of this feature was accepted before, and that attempt is alive or completed.",
      "Watch that attempt; or change what is to be delivered." },
    { "forgotten",             410, "This is past its retention",
      "The deployment was here, but its record is older than is kept. Its report is in the archive.",
      "Read the report in the archive." },
    { "version-changed",       412, "It has changed meanwhile",
      "The deployment has moved on since expected_version. current_version says to where, entries[] what happened since. Nothing was done.",
      "Look again, then ask again with the new version." },
    { "too-large",             413, "The request is too large",
      "The body is over 256 KiB, a text is over its limit, or the answer would be too long.",
      "Send less, or ask for less." },
    { "wrong-type",            415, "The content type is not understood",
      "This resource does not read that content type.",
      "Send one of those that are named." },
    { "invalid",               422, "The content is not valid",
      "It can be read, but does not hold against the policy of the operator or the rules of the format. errors[] says where.",
      "Put it right; `slipway lint` checks it before it is sent." },
    { "confirmation-needed",   422, "The consequences must be named",
      "Something cannot be taken back once it is done, and the request does not name it. confirm[] lists each.",
      "Read each of them, then name them in accept_no_return." },
    { "reason-missing",        422, "A reason is needed",
      "This request goes on record with its reason, and there is none.",
      "Say why, in `reason`; on the command line: `--reason`." },
    { "version-missing",       428, "expected_version is missing",
      "Each request says which version of the deployment it was decided on, so that nobody acts on what has changed.",
      "Send expected_version as it was shown." },
    { "too-many",              429, "Too many requests",
      "This token has asked more in a minute than is granted it. Stops have a budget of their own; alerts have none and are never refused.",
      "Ask again after Retry-After seconds." },
    { "no-coordinator",        503, "No coordinator has answered yet",
      "The request is recorded, and will be applied by the next coordinator there is; none is there now. A kill of a flag works without one.",
      "Ask what became of it: `GET /v1/requests/{id}`; `slipway doctor`." },
    { "behind",                503, "The view is behind",
      "The read asked for a version that this view has not reached: min_version. current_version says where it is.",
      "Ask again after Retry-After seconds." },
    { "not-ready",             503, "The gateway has just started",
      "It has not read control.v1 to its end, so it cannot say yet which flags are latched.",
      "Ask again after Retry-After seconds." },
    { "unavailable",           503, "A part of Slipway cannot be reached",
      "Redis or Kafka does not answer the gateway, or the coordinator has not caught up with the log. `detail` says which.",
      "Ask again; `slipway doctor` says what is the matter. A kill works without Redis, and, with --direct, without a gateway." },
};
/* clang-format on */

enum { ROWS = sizeof rows / sizeof rows[0] };

static size_t row_of(const char *code)
{
    size_t i = 0;

    while (i < ROWS && strcmp(rows[i].code, code) != 0)
        i++;
    return i;
}

int problem_status(const char *code)
{
    const size_t row = row_of(code);

    return row < ROWS ? rows[row].status : STATUS_INTERNAL;
}

static void write_optional(struct json *json, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0')
        json_put_text(json, key, value);
}

int problem_write(const struct problem *problem, struct text *out)
{
    const size_t row = row_of(problem->code);
    const int status = problem_status(problem->code);
    struct json json = json_into(out);
    char type[96];
    char docs[96];
    struct text urn = text_over(type, sizeof type);
    struct text path = text_over(docs, sizeof docs);

    text_add(&urn, PROBLEM_URN "%s", problem->code);
    text_add(&path, PROBLEM_DOCS "%s", problem->code);
    json_put_object(&json, NULL);
    json_put_text(&json, "type", type);
    json_put_text(&json, "title", row < ROWS ? rows[row].title : "Something went wrong");
    json_put_int(&json, "status", status);
    json_put_text(&json, "code", problem->code);
    json_put_text(&json, "docs", docs);
    write_optional(&json, "detail", problem->detail);
    write_optional(&json, "remedy", problem->remedy);
    write_optional(&json, "field", problem->field);
    write_optional(&json, "deployment", problem->deployment);
    write_optional(&json, "instance", problem->instance);
    write_optional(&json, "trace_id", problem->trace_id);
    if (problem->more != NULL && problem->more[0] != '\0') {
        text_add_char(out, ',');
        text_add_bytes(out, problem->more, strlen(problem->more));
    }
    json_end_object(&json);
    return status;
}

const struct problem_text *problem_text(size_t index)
{
    return index < ROWS ? &rows[index] : NULL;
}
