/* approve: exactly this plan, with each consequence named. */
#include "services/cli/cli.h"

#include "common/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 16 * 1024, LINE_MAX_BYTES = 256, HASH_LEAST = 8 };

/* What will be sent, as it comes together. */
struct approval {
    const char *hash;     /* NULL: not chosen yet. */
    const char *accepted; /* "2, 5": changes that cannot be taken back; NULL: none named. */
};

/* The full hash, when what was given is how it begins; else as given, so that the refusal names
 * it. */
static const char *full_hash(const json_t *deployment, const char *given)
{
    const char *const hash = field_text(deployment, "plan.hash");

    return strlen(given) >= HASH_LEAST && strncmp(hash, given, strlen(given)) == 0 ? hash
                                                                                   : given;
}

/* "2, 5" as numbers; false, with a message, where it is something else. */
static bool put_accepted(struct cli *cli, struct json *json, const char *accepted)
{
    json_put_array(json, "accept_no_return");
    while (*accepted != '\0') {
        char *end = NULL;
        const unsigned long number = strtoul(accepted, &end, 10);

        if (end == accepted || *accepted < '0' || *accepted > '9' || number == 0) {
            cli_complain(cli,
                         "--accept-no-return takes numbers of changes: 2 or 2,5",
                         "slipway plan shows them");
            return false;
        }
        json_put_uint(json, NULL, number);
        accepted = end + strspn(end, ", ");
    }
    json_end_array(json);
    return true;
}

static const char *body_of(struct cli *cli,
                           const json_t *deployment,
                           const struct approval *approval)
{
    struct text text = text_new(BODY_MAX);
    struct json json = json_into(&text);
    const char *const reason = cli_option(cli, "--reason");

    request_begin(cli, &json, deployment, reason != NULL ? reason : "");
    json_put_object(&json, "approve");
    json_put_text(&json, "plan_hash", approval->hash);
    if (!put_accepted(cli, &json, approval->accepted != NULL ? approval->accepted : "") ||
        !cli_finished(cli)) {
        text_release(&text);
        return NULL;
    }
    json_end_object(&json);
    json_end_object(&json);
    return say_taken(cli, &text);
}

/* --- asking --- */

/* "1 of 2: devops-lead jon.bauer 13:40" */
static void print_given(struct cli *cli, const json_t *deployment)
{
    size_t needed = 0;
    size_t count = 0;
    struct text text = text_new(4096);
    size_t i;
    size_t k;
    json_t *approval;
    json_t *given;

    json_array_foreach(field(deployment, "approvals"), i, approval)
    {
        needed += (size_t)field_int(approval, "needed");
        json_array_foreach(field(approval, "given"), k, given)
        {
            if (field_true(given, "void"))
                continue;
            text_add(&text,
                     "%s%s %s %s",
                     count++ == 0 ? ": " : ", ",
                     field_text(approval, "role"),
                     field_text(given, "actor.subject"),
                     say_time(cli, field_int(given, "at_ms")));
            if (field_text(given, "note")[0] != '\0')
                text_add(&text, " \"%s\"", field_text(given, "note"));
        }
    }
    (void)fprintf(stderr, "  approvals  %zu of %zu%s\n", count, needed, say_taken(cli, &text));
}

static void print_question(struct cli *cli, const json_t *deployment, const json_t *plan)
{
    const char *const against = field_text(plan, "against");
    const size_t changes = json_array_size(field(deployment, "changes"));

    (void)fprintf(stderr,
                  "%s  %s  %s  %zu change%s, %zu stages\n  plan       %s",
                  field_text(deployment, "id"),
                  field_text(deployment, "title"),
                  field_text(deployment, "environment"),
                  changes,
                  changes == 1 ? "" : "s",
                  json_array_size(field(deployment, "stages")),
                  say_hash(cli, field_text(deployment, "plan.hash")));
    if (against[0] != '\0')
        (void)fprintf(stderr,
                      "   differs from %s in %zu places   (d shows the difference)",
                      against,
                      json_array_size(field(plan, "diff")));
    (void)fputc('\n', stderr);
    print_given(cli, deployment);
    plan_print_no_return(stderr, cli, field(deployment, "plan"));
}

/* The numbers of the changes that cannot be taken back, typed one by one. */
static bool ask_accepted(struct cli *cli, const json_t *deployment, struct approval *approval)
{
    char line[LINE_MAX_BYTES] = "";

    if (json_array_size(field(deployment, "plan.ponr")) == 0 || approval->accepted != NULL)
        return true;
    if (!ask_line(cli,
                  "type the numbers of these changes to say that you accept them: ",
                  line,
                  sizeof line)) {
        cli_complain(
            cli, "points of no return must be accepted by number", "add --accept-no-return N");
        return false;
    }
    approval->accepted = arena_text(&cli->arena, line);
    return true;
}

/* y, n, or d for the difference and the question again. */
static bool ask_plan(struct cli *cli, const json_t *plan, const char *hash)
{
    const char *const question =
        arena_printf(&cli->arena, "Approve exactly plan %s? [y/d/N] ", say_hash(cli, hash));
    char line[LINE_MAX_BYTES] = "";

    while (ask_line(cli, question, line, sizeof line)) {
        if (strcmp(line, "d") != 0)
            return strcmp(line, "y") == 0 || strcmp(line, "Y") == 0;
        if (field_text(plan, "against")[0] == '\0')
            (void)fprintf(stderr, "  it is the first attempt: slipway plan shows all of it\n");
        plan_print_diff(stderr, field(plan, "diff"));
    }
    return false;
}

static enum cli_exit ask_approval(struct cli *cli,
                                  const json_t *deployment,
                                  struct approval *approval)
{
    const char *const hash = field_text(deployment, "plan.hash");
    struct cli_answer plan;
    enum cli_exit result;

    if (!cli->terminal.asks) {
        cli_complain(cli,
                     "which plan? a script names what it approves",
                     arena_printf(&cli->arena,
                                  "read it, then: slipway approve %s --plan %s",
                                  field_text(deployment, "id"),
                                  say_hash(cli, hash)));
        return EXIT_USAGE;
    }
    result = cli_get(
        cli, cli_path(cli, "/v1/deployments/%s/plan", field_text(deployment, "id")), &plan);
    if (result != EXIT_DONE)
        return result;
    print_question(cli, deployment, plan.body);
    if (!ask_accepted(cli, deployment, approval))
        result = EXIT_USAGE;
    else if (!ask_plan(cli, plan.body, hash))
        result = EXIT_NO;
    approval->hash = hash;
    cli_release(&plan);
    return result;
}

static enum cli_exit approve(struct cli *cli,
                             const json_t *deployment,
                             struct approval *approval)
{
    enum cli_exit result = EXIT_DONE;
    const char *body;

    if (approval->hash == NULL)
        result = ask_approval(cli, deployment, approval);
    else
        approval->hash = full_hash(deployment, approval->hash);
    if (result != EXIT_DONE)
        return result;
    body = body_of(cli, deployment, approval);
    if (body == NULL)
        return EXIT_USAGE;
    return request_send(
        cli, arena_text(&cli->arena, field_text(deployment, "id")), body, "approved");
}

enum cli_exit verb_approve(struct cli *cli)
{
    struct approval approval = { .hash = cli_option(cli, "--plan"),
                                 .accepted = cli_option(cli, "--accept-no-return") };
    const char *const name = cli_deployment(cli);
    struct cli_answer answer;
    enum cli_exit result;

    if (name == NULL)
        return EXIT_USAGE;
    result = cli_get(cli, cli_path(cli, "/v1/deployments/%s", name), &answer);
    if (result != EXIT_DONE)
        return result;
    result = approve(cli, answer.body, &approval);
    cli_release(&answer);
    return result;
}
