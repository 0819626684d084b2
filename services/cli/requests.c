/* What people ask of a deployment: reject, signoff, pause and the rest. */
#include "services/cli/cli.h"

#include "common/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 16 * 1024, LINE_MAX_BYTES = 256, CHANGES_MAX = 1000 };

/* One kind of request. */
struct request_row {
    const char *verb;
    const char *member; /* In the API. */
    bool needs_reason;
    bool consequences; /* Shows what it will do, and asks. */
    const char *done;  /* "paused" */

    /* Members of the request; may be NULL. False, with a message: wrong usage. */
    bool (*details)(struct cli *cli, struct json *json);
};

static bool lacks(struct cli *cli, const char *what)
{
    cli_complain(cli,
                 arena_printf(&cli->arena, "%s: %s", cli->verb, what),
                 arena_printf(&cli->arena, "slipway help %s", cli->verb));
    return false;
}

static void text_option(struct cli *cli, struct json *json, const char *flag, const char *name)
{
    const char *const value = cli_option(cli, flag);

    if (value != NULL)
        json_put_text(json, name, value);
}

static bool text_argument(struct cli *cli, struct json *json, const char *name)
{
    const char *const value = cli_next(cli);

    if (value == NULL)
        return lacks(cli, arena_printf(&cli->arena, "which %s?", name));
    json_put_text(json, name, value);
    return true;
}

static bool signoff_details(struct cli *cli, struct json *json)
{
    int64_t step = 0;

    if (!cli_number(cli, "--step", (struct cli_range){ 2, 6 }, &step))
        return false;
    if (step != 2 && step != 3 && step != 6)
        return lacks(cli, "--step must be 2 (execution), 3 (validation) or 6 (monitoring)");
    json_put_int(json, "step", step);
    cli->refuses = cli_flag(cli, "--refuse");
    json_put_bool(json, "accept", !cli->refuses);
    return true;
}

static bool attest_details(struct cli *cli, struct json *json)
{
    const char *const verdict = cli_option(cli, "--verdict");

    if (verdict != NULL && strcmp(verdict, "PASS") != 0 && strcmp(verdict, "FAIL") != 0)
        return lacks(cli, "--verdict must be PASS or FAIL");
    text_option(cli, json, "--link", "link");
    json_put_text(json, "verdict", verdict != NULL ? verdict : "PASS");
    return text_argument(cli, json, "check");
}

static bool waive_details(struct cli *cli, struct json *json)
{
    return text_argument(cli, json, "check");
}

static bool skip_details(struct cli *cli, struct json *json)
{
    int64_t change = 0;

    if (!cli_number(cli, "--change", (struct cli_range){ 1, CHANGES_MAX }, &change))
        return false;
    if (change > 0)
        json_put_int(json, "change", change);
    return true;
}

/* "sha256:..." as {"algorithm", "value"}. */
static bool put_digest(struct cli *cli, struct json *json, const char *digest)
{
    const size_t length = strcspn(digest, ":");

    if (digest[length] == '\0')
        return lacks(cli, "--digest must be sha256:HEX");
    json_put_object(json, "digest");
    json_put_text(json, "algorithm", arena_copy(&cli->arena, digest, length));
    json_put_text(json, "value", digest + length + 1);
    json_end_object(json);
    return true;
}

static bool supply_details(struct cli *cli, struct json *json)
{
    const char *const digest = cli_option(cli, "--digest");

    text_option(cli, json, "--link", "link");
    if (digest != NULL && !put_digest(cli, json, digest))
        return false;
    return text_argument(cli, json, "input");
}

static bool replan_details(struct cli *cli, struct json *json)
{
    text_option(cli, json, "--approach", "approach");
    return true;
}

/* clang-format off */
static const struct request_row rows[] = {
    { "reject",        "reject",        true,  false, "rejected",        NULL },
    { "signoff",       "signoff",       false, false, "signed off",      signoff_details },
    { "pause",         "pause",         true,  false, "paused",          NULL },
    { "resume",        "resume",        false, false, "resumed",         NULL },
    { "retry",         "retry",         false, false, "retried",         NULL },
    { "waive",         "waive",         true,  false, "waived",          waive_details },
    { "attest",        "attest",        false, false, "attested",        attest_details },
    { "abort",         "abort",         true,  true,  "abort requested", NULL },
    { "rollback",      "rollback",      true,  true,  "rollback requested", NULL },
    { "promote",       "promote",       false, false, "promoted",        NULL },
    { "mark-restored", "mark_restored", true,  true,  "marked as restored", NULL },
    { "skip-change",   "skip_change",   true,  true,  "skipped",         skip_details },
    { "supply",        "supply",        false, false, "supplied",        supply_details },
    { "replan",        "replan",        false, false, "planned again",   replan_details },
};
/* clang-format on */

static const struct request_row *row_of(const char *verb)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].verb, verb) == 0)
            return &rows[i];
    }
    return NULL;
}

/* --- sending --- */

static void say_done(struct cli *cli, const char *done, const char *name, const json_t *body)
{
    const struct reaction reaction = { .deployment = name,
                                       .version = field_int(body, "version") - 1 };
    const bool stops = strcmp(cli->verb, "rollback") == 0 || strcmp(cli->verb, "abort") == 0;
    struct cli_answer now;

    if (field_text(body, "state")[0] == 'P') {
        (void)printf("recorded  %s  no coordinator has answered yet; it will be applied\n",
                     name);
        return;
    }
    (void)printf("%s  %s  version %lld\n", done, name, (long long)field_int(body, "version"));
    if (stops)
        (void)reaction_tell(cli, &reaction);
    if (cli_get(cli, cli_path(cli, "/v1/deployments/%s", name), &now) != EXIT_DONE)
        return;
    (void)printf("  now        %s\n", say_sentence(cli, now.body, "sentence"));
    if (strcmp(field_text(now.body, "exit"), "COMPLETED") == 0)
        (void)printf("a new attempt takes it back:  slipway watch %s\n",
                     field_text(now.body, "feature"));
    if (field_text(now.body, "exit")[0] == '\0')
        (void)printf("  waits for  %s\n", say_who(cli, now.body));
    if (json_is_object(field(now.body, "stop")) && field_text(now.body, "exit")[0] == '\0')
        (void)printf("undo runs on without this terminal:  slipway watch %s\n", name);
    cli_release(&now);
}

static void say_preview(struct cli *cli, const json_t *body)
{
    const json_t *const preview = field(body, "preview");
    size_t i;
    json_t *item;

    (void)printf("would become %s; nothing is recorded\n",
                 say_phase(field_text(preview, "phase_after")));
    (void)printf("  %s\n",
                 json_array_size(field(preview, "effects")) > 0
                     ? field_text(preview, "lead")
                     : say_sentence(cli, preview, "sentence"));
    json_array_foreach(field(preview, "effects"), i, item)
    {
        (void)printf("  %zu  %s\n", i + 1, field_text(item, "what"));
    }
    json_array_foreach(field(preview, "irreversible"), i, item)
    {
        (void)printf("  ! %s\n", json_string_value(item));
    }
}

enum cli_exit request_send(struct cli *cli,
                           const char *deployment,
                           const char *body,
                           const char *done)
{
    const struct cli_request request = {
        .method = "POST",
        .path = cli_path(cli,
                         cli->dry_run ? "/v1/deployments/%s/requests?dry_run=true"
                                      : "/v1/deployments/%s/requests",
                         deployment),
        .body = body,
        .content_type = "application/json",
        .repeats = true,
    };
    struct cli_answer answer;
    const enum cli_exit result = cli_ask(cli, &request, &answer);

    if (result != EXIT_DONE)
        return result;
    if (cli->json)
        say_json(&answer);
    else if (cli->dry_run)
        say_preview(cli, answer.body);
    else
        say_done(cli, done, deployment, answer.body);
    cli_release(&answer);
    return EXIT_DONE;
}

static void print_steps(struct cli *cli, const json_t *deployment)
{
    size_t i;
    json_t *step;

    (void)fprintf(stderr,
                  "%s is %s. Going on now, at most %s:\n",
                  field_text(deployment, "id"),
                  say_state(cli, deployment),
                  say_duration(cli, field_int(deployment, "undo.estimate_ms")));
    json_array_foreach(field(deployment, "undo.steps"), i, step)
    {
        const int64_t ms = field_int(step, "estimate_ms");

        (void)fprintf(stderr,
                      "  %zu  %s%s%s\n",
                      i + 1,
                      field_text(step, "what"),
                      ms > 0 ? "   at most " : "",
                      ms > 0 ? say_duration(cli, ms) : "");
    }
}

/* What will be done, in order, and the question. Before step 2 there is nothing to take back.
 */
static bool agreed(struct cli *cli, const struct request_row *row, const json_t *deployment)
{
    const bool applied = field_int(deployment, "step") >= 2;

    if (!row->consequences || cli->yes || cli->dry_run)
        return true;
    if (applied)
        print_steps(cli, deployment);
    else
        (void)fprintf(stderr,
                      "%s is %s; nothing is applied.\n",
                      field_text(deployment, "id"),
                      say_state(cli, deployment));
    return ask_yes(cli,
                   arena_printf(&cli->arena,
                                "%s%s %s? [y/N] ",
                                applied ? "It cannot be paused once begun. " : "",
                                row->verb,
                                field_text(deployment, "id")),
                   "--yes");
}

const char *request_role(struct cli *cli, const json_t *deployment)
{
    const char *const given = cli_option(cli, "--role");
    struct cli_answer me;
    const char *found = NULL;
    size_t i;
    size_t k;
    json_t *mine;
    json_t *asked;

    if (given != NULL || cli_get(cli, "/v1/me", &me) != EXIT_DONE)
        return given;
    json_array_foreach(field(me.body, "roles"), i, mine)
    {
        json_array_foreach(field(deployment, "waiting_for.who"), k, asked)
        {
            if (found == NULL && json_equal(mine, asked))
                found = arena_text(&cli->arena, json_string_value(mine));
        }
    }
    if (found == NULL)
        found = arena_text(&cli->arena,
                           json_string_value(json_array_get(field(me.body, "roles"), 0)));
    cli_release(&me);
    return found;
}

void request_begin(struct cli *cli,
                   struct json *json,
                   const json_t *deployment,
                   const char *reason)
{
    json_put_object(json, NULL);
    json_put_text(json, "request", cli_new_id(cli));
    json_put_text(json, "role", request_role(cli, deployment));
    json_put_int(json, "expected_version", field_int(deployment, "version"));
    json_put_text(json, "reason", reason);
}

/* NULL, with a message, when what was given does not fit. */
static const char *body_of(struct cli *cli,
                           const struct request_row *row,
                           const json_t *deployment,
                           const char *reason)
{
    struct text text = text_new(BODY_MAX);
    struct json json = json_into(&text);
    bool ok;

    request_begin(cli, &json, deployment, reason);
    json_put_object(&json, row->member);
    ok = row->details == NULL || row->details(cli, &json);
    json_end_object(&json);
    json_end_object(&json);
    ok = ok && cli_finished(cli);
    if (!ok)
        text_release(&text);
    return ok ? say_taken(cli, &text) : NULL;
}

static enum cli_exit carry_out(struct cli *cli,
                               const struct request_row *row,
                               json_t *deployment,
                               const char *reason)
{
    const char *const id = arena_text(&cli->arena, field_text(deployment, "id"));
    int64_t expected = field_int(deployment, "version");
    const char *body;

    if (!cli_number(cli, "--expected-version", (struct cli_range){ 1, INT64_MAX }, &expected))
        return EXIT_USAGE;
    (void)json_object_set_new(deployment, "version", json_integer(expected));
    body = body_of(cli, row, deployment, reason);
    if (body == NULL)
        return EXIT_USAGE;
    if (!agreed(cli, row, deployment))
        return cli->terminal.asks ? EXIT_NO : EXIT_USAGE;
    return request_send(cli, id, body, cli->refuses ? "refused to sign off" : row->done);
}

/* The reason, asked for where it is needed; NULL, with a message, without an answer. */
static const char *reason_of(struct cli *cli, const struct request_row *row)
{
    const char *const given = cli_option(cli, "--reason");
    char line[LINE_MAX_BYTES];

    if (given != NULL)
        return given;
    if (!row->needs_reason)
        return "";
    if (ask_line(cli, "why? it goes into the record: ", line, sizeof line))
        return arena_text(&cli->arena, line);
    cli_complain(cli, "a reason is needed", "add --reason \"...\"");
    return NULL;
}

enum cli_exit verb_request(struct cli *cli)
{
    const struct request_row *const row = row_of(cli->verb);
    const char *const name = cli_deployment(cli);
    const char *const reason = name != NULL ? reason_of(cli, row) : NULL;
    struct cli_answer answer;
    enum cli_exit result;

    if (name == NULL || reason == NULL)
        return EXIT_USAGE;
    result = cli_get(cli, cli_path(cli, "/v1/deployments/%s", name), &answer);
    if (result != EXIT_DONE)
        return result;
    result = carry_out(cli, row, answer.body, reason);
    cli_release(&answer);
    return result;
}
