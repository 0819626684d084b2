/* What people ask of a deployment: approve, reject, signoff and the rest. */
#include "services/cli/cli.h"

#include "common/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 16 * 1024, LINE_MAX_BYTES = 256 };

/* One kind of request. */
struct request_row {
    const char *verb;
    const char *member; /* In the API. */
    bool needs_reason;
    bool consequences; /* Shows what it will do, and asks. */
    const char *done;  /* "paused" */
    void (*details)(struct cli *cli,
                    struct json *json); /* Members of the request; may be NULL. */
};

static void text_option(struct cli *cli, struct json *json, const char *flag, const char *name)
{
    const char *const value = cli_option(cli, flag);

    if (value != NULL)
        json_put_text(json, name, value);
}

static void number_option(struct cli *cli,
                          struct json *json,
                          const char *flag,
                          const char *name)
{
    const char *const value = cli_option(cli, flag);

    if (value != NULL)
        json_put_uint(json, name, strtoull(value, NULL, 10));
}

/* Where people may leave the flag's name out: the next argument. */
static void text_argument(struct cli *cli,
                          struct json *json,
                          const char *flag,
                          const char *name)
{
    const char *value = cli_option(cli, flag);

    if (value == NULL)
        value = cli_next(cli);
    if (value != NULL)
        json_put_text(json, name, value);
}

static void signoff_details(struct cli *cli, struct json *json)
{
    number_option(cli, json, "--step", "step");
    json_put_bool(json, "accept", !cli_flag(cli, "--refuse"));
}

static void attest_details(struct cli *cli, struct json *json)
{
    const char *const verdict = cli_option(cli, "--verdict");

    text_argument(cli, json, "--check", "check");
    json_put_text(json, "verdict", verdict != NULL ? verdict : "PASS");
    text_option(cli, json, "--link", "link");
}

static void waive_details(struct cli *cli, struct json *json)
{
    text_argument(cli, json, "--check", "check");
}

static void skip_details(struct cli *cli, struct json *json)
{
    number_option(cli, json, "--change", "change");
}

static void supply_details(struct cli *cli, struct json *json)
{
    text_argument(cli, json, "--input", "input");
    text_option(cli, json, "--link", "link");
}

static void replan_details(struct cli *cli, struct json *json)
{
    text_option(cli, json, "--approach", "approach");
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

static enum cli_exit send_request(struct cli *cli,
                                  const char *deployment,
                                  const char *body,
                                  struct cli_answer *ret)
{
    const char *const format = cli->dry_run ? "/v1/deployments/%s/requests?dry_run=true"
                                            : "/v1/deployments/%s/requests";

    return cli_ask(cli,
                   &(struct cli_request){ .method = "POST",
                                          .path = cli_path(cli, format, deployment),
                                          .body = body,
                                          .content_type = "application/json" },
                   ret);
}

static void say_done(struct cli *cli, const char *done, const char *name, const json_t *body)
{
    struct cli_answer now;

    if (field_text(body, "state")[0] == 'P') {
        (void)printf("recorded  %s  no coordinator has answered yet; it will be applied\n",
                     name);
        return;
    }
    (void)printf("%s  %s  version %lld\n", done, name, (long long)field_int(body, "version"));
    if (cli_get(cli, cli_path(cli, "/v1/deployments/%s", name), &now) != EXIT_DONE)
        return;
    if (field_text(now.body, "waiting_for.sentence")[0] != '\0')
        (void)printf("  now        %s\n", field_text(now.body, "waiting_for.sentence"));
    cli_release(&now);
}

static void say_preview(const json_t *body)
{
    size_t i;
    json_t *step;

    (void)printf("would become %s\n", say_phase(field_text(body, "preview.phase_after")));
    if (field_text(body, "preview.waiting_for.sentence")[0] != '\0')
        (void)printf("  %s\n", field_text(body, "preview.waiting_for.sentence"));
    json_array_foreach(field(body, "preview.undo.steps"), i, step)
    {
        (void)printf("  %zu  %s\n", i + 1, field_text(step, "what"));
    }
}

/* What will be done, in order, and the question. */
static bool agreed(struct cli *cli, const struct request_row *row, const json_t *deployment)
{
    const char *question;
    size_t i;
    json_t *step;

    if (!row->consequences || cli->yes || cli->dry_run)
        return true;
    (void)fprintf(stderr,
                  "%s is %s. Going on now, at most %s:\n",
                  field_text(deployment, "id"),
                  say_phase(field_text(deployment, "phase")),
                  say_duration(cli, field_int(deployment, "undo.estimate_ms")));
    json_array_foreach(field(deployment, "undo.steps"), i, step)
    {
        (void)fprintf(stderr, "  %zu  %s\n", i + 1, field_text(step, "what"));
    }
    question = arena_printf(&cli->arena,
                            "It cannot be paused once begun. %s %s? [y/N] ",
                            row->verb,
                            field_text(deployment, "id"));
    return ask_yes(cli, question, "--yes");
}

/* Without --role, the one role of mine that is asked for, if there is one. */
static const char *role_for(struct cli *cli, const json_t *deployment)
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

static const char *body_of(struct cli *cli,
                           const struct request_row *row,
                           const json_t *deployment,
                           const char *reason)
{
    struct text text = text_new(BODY_MAX);
    struct json json = json_into(&text);
    const char *const expected = cli_option(cli, "--expected-version");
    const char *copy;

    json_put_object(&json, NULL);
    json_put_text(&json, "role", role_for(cli, deployment));
    json_put_uint(&json,
                  "expected_version",
                  expected != NULL ? strtoull(expected, NULL, 10)
                                   : (uint64_t)field_int(deployment, "version"));
    json_put_text(&json, "reason", reason);
    json_put_object(&json, row->member);
    if (row->details != NULL)
        row->details(cli, &json);
    json_end_object(&json);
    json_end_object(&json);
    copy = arena_text(&cli->arena, text.bytes);
    text_release(&text);
    return copy;
}

static enum cli_exit carry_out(struct cli *cli,
                               const struct request_row *row,
                               const json_t *deployment,
                               const char *reason)
{
    const char *const id = arena_text(&cli->arena, field_text(deployment, "id"));
    const char *const body = body_of(cli, row, deployment, reason);
    struct cli_answer answer;
    enum cli_exit result;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    if (!agreed(cli, row, deployment))
        return EXIT_NO;
    result = send_request(cli, id, body, &answer);
    if (result != EXIT_DONE)
        return result;
    if (cli->json)
        (void)say_json(&answer);
    else if (cli->dry_run)
        say_preview(answer.body);
    else
        say_done(cli, row->done, id, answer.body);
    cli_release(&answer);
    return EXIT_DONE;
}

enum cli_exit verb_request(struct cli *cli)
{
    const struct request_row *const row = row_of(cli->verb);
    const char *const name = cli_next(cli);
    const char *reason = cli_option(cli, "--reason");
    char line[LINE_MAX_BYTES];
    struct cli_answer answer;
    enum cli_exit result;

    if (name == NULL) {
        cli_complain(cli, "which deployment?", "slipway list");
        return EXIT_USAGE;
    }
    if (row->needs_reason && reason == NULL) {
        if (!ask_line(cli, "why? it goes into the record: ", line, sizeof line)) {
            cli_complain(cli, "a reason is needed", "add --reason \"...\"");
            return EXIT_USAGE;
        }
        reason = line;
    }
    result = cli_get(cli, cli_path(cli, "/v1/deployments/%s", name), &answer);
    if (result != EXIT_DONE)
        return result;
    result = carry_out(cli, row, answer.body, reason != NULL ? reason : "");
    cli_release(&answer);
    return result;
}

/* --- approve --- */

static const char *approve_body(struct cli *cli,
                                const json_t *deployment,
                                const char *hash,
                                const char *accepted)
{
    struct text text = text_new(BODY_MAX);
    struct json json = json_into(&text);
    const char *const reason = cli_option(cli, "--reason");
    const char *copy;

    json_put_object(&json, NULL);
    json_put_text(&json, "role", role_for(cli, deployment));
    json_put_uint(&json, "expected_version", (uint64_t)field_int(deployment, "version"));
    json_put_text(&json, "reason", reason);
    json_put_object(&json, "approve");
    json_put_text(&json, "plan_hash", hash);
    json_put_array(&json, "accept_no_return");
    while (*accepted != '\0') {
        char *end;
        const unsigned long number = strtoul(accepted, &end, 10);

        if (end == accepted)
            break;
        json_put_uint(&json, NULL, number);
        accepted = end + strspn(end, ", ");
    }
    json_end_array(&json);
    json_end_object(&json);
    json_end_object(&json);
    copy = arena_text(&cli->arena, text.bytes);
    text_release(&text);
    return copy;
}

/* The full hash, when what was given is how it begins; else as given, so that the refusal names
 * it. */
static const char *full_hash(const json_t *deployment, const char *given)
{
    const char *const hash = field_text(deployment, "plan.hash");

    return strlen(given) >= 8 && strncmp(hash, given, strlen(given)) == 0 ? hash : given;
}

static void print_no_return(const json_t *deployment)
{
    size_t i;
    json_t *change;

    json_array_foreach(field(deployment, "plan.ponr"), i, change)
    {
        (void)fprintf(stderr,
                      "! change %lld cannot be taken back: %s\n  way back: %s\n",
                      (long long)field_int(change, "change"),
                      field_text(change, "what"),
                      field_text(change, "way_back"));
    }
}

static enum cli_exit ask_approval(struct cli *cli,
                                  const json_t *deployment,
                                  const char **hash,
                                  const char **accepted)
{
    char line[LINE_MAX_BYTES];

    (void)fprintf(stderr,
                  "%s  %s  %s\n  plan  %s\n",
                  field_text(deployment, "id"),
                  field_text(deployment, "title"),
                  field_text(deployment, "environment"),
                  say_hash(cli, field_text(deployment, "plan.hash")));
    print_no_return(deployment);
    if (json_array_size(field(deployment, "plan.ponr")) > 0 && *accepted == NULL) {
        if (!ask_line(
                cli, "type the numbers of these changes to accept them: ", line, sizeof line)) {
            cli_complain(cli,
                         "points of no return must be accepted by number",
                         "add --accept-no-return N");
            return EXIT_USAGE;
        }
        *accepted = arena_text(&cli->arena, line);
    }
    if (!ask_yes(cli,
                 arena_printf(&cli->arena,
                              "Approve exactly plan %s? [y/N] ",
                              say_hash(cli, field_text(deployment, "plan.hash"))),
                 "--plan HASH"))
        return EXIT_USAGE;
    *hash = field_text(deployment, "plan.hash");
    return EXIT_DONE;
}

enum cli_exit verb_approve(struct cli *cli)
{
    const char *const name = cli_next(cli);
    const char *hash = cli_option(cli, "--plan");
    const char *accepted = cli_option(cli, "--accept-no-return");
    struct cli_answer answer;
    struct cli_answer done;
    enum cli_exit result;
    const char *id;

    if (name == NULL) {
        cli_complain(cli, "which deployment?", "slipway inbox");
        return EXIT_USAGE;
    }
    result = cli_get(cli, cli_path(cli, "/v1/deployments/%s", name), &answer);
    if (result != EXIT_DONE)
        return result;
    id = arena_text(&cli->arena, field_text(answer.body, "id"));
    if (hash == NULL)
        result = ask_approval(cli, answer.body, &hash, &accepted);
    else
        hash = full_hash(answer.body, hash);
    if (result == EXIT_DONE) {
        const char *const body =
            approve_body(cli, answer.body, hash, accepted != NULL ? accepted : "");

        result = cli_finished(cli) ? send_request(cli, id, body, &done) : EXIT_USAGE;
        if (result == EXIT_DONE) {
            if (cli->json)
                (void)say_json(&done);
            else if (cli->dry_run)
                say_preview(done.body);
            else
                say_done(cli, "approved", id, done.body);
            cli_release(&done);
        }
    }
    cli_release(&answer);
    return result;
}
