/* submit: hands in feature.yaml, and says what became of it. */
#include "services/cli/files.h"

#include "common/config/feature.h"
#include "common/wire/pbjson.h"

#include <stdio.h>
#include <string.h>

enum { SETTLE_MS = 5000, NAP_MS = 100 };

/* The newest attempt is this submission's, and what could be found out at once is. */
static bool has_settled(const json_t *newest)
{
    const char *const kind = field_text(newest, "waiting_for.kind");

    return strcmp(field_text(newest, "phase"), "PLANNING") != 0 &&
           strcmp(kind, "CHECKS") != 0 && strcmp(kind, "TASK") != 0;
}

/* The attempt that a submission became, once the coordinator has taken it up. */
static enum cli_exit wait_for_attempt(struct cli *cli,
                                      const char *feature,
                                      const char *content_hash,
                                      struct cli_answer *ret)
{
    const int64_t until_ms =
        clock_monotonic_ms(cli->clock) + (cli->timeout_ms > 0 ? cli->timeout_ms : SETTLE_MS);
    const char *const path = cli_path(cli, "/v1/deployments?feature=%s", feature);

    for (;;) {
        const json_t *newest;
        bool ours;
        const enum cli_exit result = cli_get(cli, path, ret);

        if (result != EXIT_DONE)
            return result;
        newest = json_array_get(field(ret->body, "items"), 0);
        ours = strcmp(field_text(newest, "content_hash"), content_hash) == 0;
        if (ours && (has_settled(newest) || clock_monotonic_ms(cli->clock) > until_ms))
            return EXIT_DONE;
        cli_release(ret);
        if (clock_monotonic_ms(cli->clock) > until_ms)
            return EXIT_TIMED_OUT;
        if (!cli->terminal.wait(cli->terminal.self, NAP_MS))
            return EXIT_INTERRUPTED;
    }
}

static size_t instances_of(const json_t *deployment)
{
    size_t count = 0;
    size_t i;
    size_t k;
    json_t *change;
    json_t *batch;

    json_array_foreach(field(deployment, "changes"), i, change)
    {
        json_array_foreach(field(change, "batches"), k, batch)
        {
            count += json_array_size(field(batch, "instances"));
        }
    }
    return count;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void print_missing(struct cli *cli, const json_t *missing)
{
    size_t i;
    json_t *input;

    (void)printf("  %s %zu required input%s missing\n",
                 say_glyph(cli, "FAIL"),
                 json_array_size(missing),
                 json_array_size(missing) == 1 ? " is" : "s are");
    json_array_foreach(missing, i, input)
    {
        (void)printf("    %s: %s\n", field_text(input, "input"), field_text(input, "remedy"));
    }
}

/* Where it differs from the attempt before, and what cannot be taken back. */
static void print_differs(struct cli *cli, const char *id)
{
    struct cli_answer plan;
    size_t no_return;

    if (cli_get(cli, cli_path(cli, "/v1/deployments/%s/plan", id), &plan) != EXIT_DONE)
        return;
    no_return = json_array_size(field(plan.body, "plan.ponr"));
    (void)printf("  ");
    if (field_text(plan.body, "against")[0] != '\0')
        (void)printf("differs from %s in %zu place%s, ",
                     field_text(plan.body, "against"),
                     json_array_size(field(plan.body, "diff")),
                     plural(json_array_size(field(plan.body, "diff"))));
    if (no_return > 0)
        (void)printf("! %zu point%s of no return\n", no_return, plural(no_return));
    else
        (void)printf("no point of no return\n");
    cli_release(&plan);
}

static void print_plan_line(struct cli *cli, const json_t *deployment)
{
    const size_t changes = json_array_size(field(deployment, "changes"));
    const size_t stages = json_array_size(field(deployment, "stages"));
    const size_t instances = instances_of(deployment);

    (void)printf("  %s all required inputs     %s plan %s compiled, %zu change%s, %zu stage%s, "
                 "%zu instance%s\n",
                 say_glyph(cli, "PASS"),
                 say_glyph(cli, "PASS"),
                 say_hash(cli, field_text(deployment, "plan.hash")),
                 changes,
                 plural(changes),
                 stages,
                 plural(stages),
                 instances,
                 plural(instances));
}

static const char *joined(struct cli *cli, const json_t *names)
{
    struct text text = text_new(4096);
    size_t i;
    json_t *name;

    json_array_foreach(names, i, name)
    {
        text_add(&text, "%s%s", i > 0 ? ", " : "", json_string_value(name));
    }
    return say_taken(cli, &text);
}

static void print_attempt(struct cli *cli, const json_t *deployment)
{
    const char *const id = field_text(deployment, "id");
    const int64_t deadline_ms = field_int(deployment, "waiting_for.deadline_ms");
    const char *const policy = field_text(deployment, "plan.policy");

    (void)printf("accepted  %s   %s   %s   %s%s%s\n",
                 id,
                 field_text(deployment, "ticket"),
                 field_text(deployment, "environment"),
                 joined(cli, field(deployment, "services")),
                 policy[0] != '\0' ? "   policy " : "",
                 policy);
    if (json_array_size(field(deployment, "missing")) > 0)
        print_missing(cli, field(deployment, "missing"));
    if (field_text(deployment, "plan.hash")[0] != '\0') {
        print_plan_line(cli, deployment);
        print_differs(cli, id);
    }
    (void)printf("  now        %s\n", say_sentence(cli, deployment, "sentence"));
    (void)printf("  waits for  %s%s%s\n",
                 say_who(cli, deployment),
                 deadline_ms > 0 ? ", until " : "",
                 deadline_ms > 0 ? say_time(cli, deadline_ms) : "");
    (void)printf("  next       slipway plan %s      slipway watch %s\n", id, id);
    say_address(cli, id);
}

static enum cli_exit say_submitted(struct cli *cli, const json_t *body)
{
    struct cli_answer answer;
    const char *id;
    enum cli_exit result = wait_for_attempt(
        cli, field_text(body, "feature"), field_text(body, "content_hash"), &answer);

    if (result == EXIT_TIMED_OUT) {
        (void)printf("recorded  %s  no coordinator has taken it up yet; it will be\n"
                     "  next       slipway watch %s      slipway doctor\n",
                     field_text(body, "feature"),
                     field_text(body, "feature"));
        return cli->timeout_ms > 0 ? EXIT_TIMED_OUT : EXIT_DONE;
    }
    if (result != EXIT_DONE)
        return result;
    id = arena_text(&cli->arena,
                    field_text(json_array_get(field(answer.body, "items"), 0), "id"));
    cli_release(&answer);
    result = cli_get(cli, cli_path(cli, "/v1/deployments/%s", id), &answer);
    if (result == EXIT_DONE)
        print_attempt(cli, answer.body);
    cli_release(&answer);
    return result;
}

/* What the operator's policy makes of it: nothing is recorded. */
static void say_checked(struct cli *cli, const json_t *body)
{
    if (field_true(body, "complete"))
        (void)printf("would be accepted  %s  plan %s; nothing is recorded\n",
                     field_text(body, "feature"),
                     say_hash(cli, field_text(body, "plan_hash")));
    else
        (void)printf("would wait for inputs  %s; nothing is recorded\n",
                     field_text(body, "feature"));
    if (json_array_size(field(body, "missing")) > 0)
        print_missing(cli, field(body, "missing"));
}

/* Digests written as `auto` are computed here, from the files beside feature.yaml, so the
 * message goes as JSON with everything filled in. */
static const char *acceptance_json(struct cli *cli, const char *path, const char *artifacts)
{
    struct yaml_problems *const problems = arena_alloc(&cli->arena, sizeof *problems);
    const char *const source = file_read(cli, path);
    struct text text = text_new(PBJSON_TEXT_MAX);
    const Pb__AcceptanceSignedOff *acceptance;
    const char *copy = NULL;

    if (source == NULL) {
        file_unreadable(cli, path);
        return NULL;
    }
    problems->arena = &cli->arena;
    acceptance = feature_read(&cli->arena,
                              path,
                              source,
                              strlen(source),
                              artifacts != NULL ? artifacts : file_folder(cli, path),
                              problems);
    if (acceptance == NULL) {
        (void)file_problems(problems, source, cli->json ? "json" : NULL, "feature.yaml");
    } else {
        pbjson_print(acceptance, PBJSON_SET, &text);
        copy = arena_text(&cli->arena, text.bytes);
    }
    text_release(&text);
    return copy;
}

enum cli_exit verb_submit(struct cli *cli)
{
    const char *const artifacts = cli_option(cli, "--artifacts");
    const char *const path = cli_next(cli);
    struct cli_request request = { .method = "POST", .content_type = "application/json" };
    struct cli_answer answer;
    enum cli_exit result;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    cli->file = path != NULL ? path : "feature.yaml";
    request.path = cli->dry_run ? "/v1/deployments?dry_run=true" : "/v1/deployments";
    request.body = acceptance_json(cli, cli->file, artifacts);
    if (request.body == NULL)
        return EXIT_NO;
    result = cli_ask(cli, &request, &answer);
    if (result != EXIT_DONE)
        return result;
    if (cli->json)
        say_json(&answer);
    else if (cli->dry_run)
        say_checked(cli, answer.body);
    else
        result = say_submitted(cli, answer.body);
    cli_release(&answer);
    return result;
}
