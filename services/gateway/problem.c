#include "services/gateway/problem.h"

#include "common/base/json.h"

#include <string.h>

enum { STATUS_INTERNAL = 500 };

/* clang-format off */
static const struct {
    const char *code;
    int status;
    const char *title;
} rows[] = {
    { "malformed",             400, "The request cannot be read" },
    { "unknown-filter",        400, "There is no such filter" },
    { "unknown-field",         400, "There is no such field" },
    { "not-signed-in",         401, "No valid token" },
    { "role-missing",          403, "This needs a role you do not have" },
    { "own-submission",        403, "You submitted this deployment" },
    { "wrong-origin",          403, "The request comes from another site" },
    { "no-such",               404, "There is no such thing" },
    { "wrong-method",          405, "This resource has no such method" },
    { "not-now",               409, "This cannot be done now" },
    { "plan-changed",          409, "The plan has changed" },
    { "check-not-waivable",    409, "This check is never waived" },
    { "cannot-pause-rollback", 409, "A rollback cannot be paused" },
    { "already-resting",       409, "It is resting already" },
    { "duplicate-acceptance",  409, "This was submitted before" },
    { "forgotten",             410, "This is past its retention" },
    { "version-changed",       412, "It has changed meanwhile" },
    { "too-large",             413, "The request is too large" },
    { "wrong-type",            415, "The content type is not understood" },
    { "invalid",               422, "The content is not valid" },
    { "confirmation-needed",   422, "The consequences must be named" },
    { "reason-missing",        422, "A reason is needed" },
    { "version-missing",       428, "expected_version is missing" },
    { "too-many",              429, "Too many requests" },
    { "no-coordinator",        503, "No coordinator has answered yet" },
    { "behind",                503, "The view is behind" },
    { "not-ready",             503, "The gateway has just started" },
    { "unavailable",           503, "A part of Slipway cannot be reached" },
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
    struct text urn = text_over(type, sizeof type);

    text_add(&urn, "urn:slipway:problem:%s", problem->code);
    json_put_object(&json, NULL);
    json_put_text(&json, "type", type);
    json_put_text(&json, "title", row < ROWS ? rows[row].title : "Something went wrong");
    json_put_int(&json, "status", status);
    json_put_text(&json, "code", problem->code);
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

const char *problem_code(size_t index)
{
    return index < ROWS ? rows[index].code : NULL;
}
