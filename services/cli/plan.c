/* plan, submit, lint. */
#include "services/cli/cli.h"

#include "common/config/feature.h"
#include "common/planning/lint.h"
#include "common/wire/pbjson.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 256 * 1024, SETTLE_MS = 5000, NAP_MS = 100 };

/* --- plan --- */

static void print_changes(struct cli *cli, const json_t *plan)
{
    static const char *const head[] = {
        "", "CHANGE", "TARGET", "BATCHES", "ON ROLLBACK", NULL
    };
    struct table *const table = table_new(cli, head);
    size_t i;
    json_t *change;

    json_array_foreach(field(plan, "changes"), i, change)
    {
        const char *const back = field_text(change, "on_rollback");
        const char *const cells[] = {
            arena_printf(&cli->arena, "%zu", i + 1),
            arena_printf(&cli->arena,
                         "%s %s %s",
                         field_text(change, "kind"),
                         field_text(change, "artifact"),
                         field_text(change, "version")),
            field_text(change, "target"),
            arena_printf(&cli->arena, "%zu", json_array_size(field(change, "batches"))),
            strcmp(back, "MANUAL") == 0 ? "! POINT OF NO RETURN" : back,
        };

        table_row(table, cells);
    }
    table_print(table);
}

static void print_diff(const json_t *plan)
{
    size_t i;
    json_t *difference;

    if (field_text(plan, "against")[0] == '\0')
        return;
    (void)printf("differs from %s in %zu places\n",
                 field_text(plan, "against"),
                 json_array_size(field(plan, "diff")));
    json_array_foreach(field(plan, "diff"), i, difference)
    {
        (void)printf("  %s  %-28s %s%s%s\n",
                     field_text(difference, "op"),
                     field_text(difference, "path"),
                     field_text(difference, "was"),
                     field_text(difference, "op")[0] == '~' ? " -> " : "",
                     field_text(difference, "now"));
    }
}

static void print_list_of(const char *title, const json_t *texts)
{
    size_t i;
    json_t *text;

    json_array_foreach(texts, i, text)
    {
        (void)printf("%-10s %s\n", i == 0 ? title : "", json_string_value(text));
    }
}

static void print_plan(struct cli *cli, const json_t *plan)
{
    size_t i;
    json_t *item;

    (void)printf("%s  plan %s  policy %s  configuration %s  %s\n",
                 field_text(plan, "deployment"),
                 say_hash(cli, field_text(plan, "plan.hash")),
                 field_text(plan, "plan.policy"),
                 say_hash(cli, field_text(plan, "plan.config_hash")),
                 field_text(plan, "plan.approach"));
    print_diff(plan);
    print_changes(cli, plan);
    json_array_foreach(field(plan, "plan.ponr"), i, item)
    {
        (void)printf("! change %lld: %s\n  way back: %s\n",
                     (long long)field_int(item, "change"),
                     field_text(item, "what"),
                     field_text(item, "way_back"));
    }
    (void)printf("STAGES    ");
    json_array_foreach(field(plan, "stages"), i, item)
    {
        (void)printf("%s %s %lld %% %s",
                     i == 0 ? "" : " ·",
                     field_text(item, "name"),
                     (long long)field_int(item, "percent"),
                     say_duration(cli, field_int(item, "min_ms")));
    }
    (void)putchar('\n');
    (void)printf("MONITOR    %s\n", say_duration(cli, field_int(plan, "plan.observe_ms")));
    print_list_of("RISKS", field(plan, "plan.risks"));
    print_list_of("UNKNOWN", field(plan, "plan.unknowns"));
    (void)printf("sha256:%s   whole document: slipway plan %s --markdown\n",
                 field_text(plan, "plan.hash"),
                 field_text(plan, "deployment"));
}

enum cli_exit verb_plan(struct cli *cli)
{
    const bool markdown = cli_flag(cli, "--markdown");
    const char *const name = cli_next(cli);
    struct cli_request request = { .method = "GET" };
    struct cli_answer answer;
    enum cli_exit result;

    if (name == NULL || !cli_finished(cli)) {
        cli_complain(cli, "which deployment?", "slipway list");
        return EXIT_USAGE;
    }
    request.path = cli_path(cli, "/v1/deployments/%s/plan", name);
    request.accept = markdown ? "text/markdown" : NULL;
    result = cli_ask(cli, &request, &answer);
    if (result != EXIT_DONE)
        return result;
    if (markdown || cli->json)
        (void)say_json(&answer);
    else
        print_plan(cli, answer.body);
    cli_release(&answer);
    return EXIT_DONE;
}

/* --- files --- */

static const char *read_file(struct cli *cli, const char *path)
{
    FILE *const file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char *bytes;
    size_t length;

    if (file == NULL)
        return NULL;
    bytes = arena_alloc(&cli->arena, FILE_MAX_BYTES + 2);
    length = fread(bytes, 1, FILE_MAX_BYTES + 1, file);
    if (file != stdin)
        (void)fclose(file);
    return length <= FILE_MAX_BYTES ? bytes : NULL;
}

static const char *folder_of(struct cli *cli, const char *path)
{
    const char *const slash = strrchr(path, '/');

    return slash != NULL ? arena_copy(&cli->arena, path, (size_t)(slash - path)) : ".";
}

/* --- lint --- */

static void print_github(const struct yaml_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct yaml_problem *const problem = &problems->item[i];

        (void)printf("::%s file=%s,line=%d,col=%d::%s\n",
                     problem->warning ? "warning" : "error",
                     problem->file,
                     problem->line,
                     problem->column,
                     problem->message);
    }
}

static enum cli_exit print_lint(const struct yaml_problems *problems,
                                const char *source,
                                const char *format,
                                const char *reference)
{
    struct text text = text_new(1 << 20);

    if (format != NULL && strcmp(format, "github") == 0) {
        print_github(problems);
    } else {
        yaml_print_problems(problems, source, &text);
        (void)fputs(text.bytes, stdout);
    }
    text_reset(&text);
    lint_summary(problems, reference, &text);
    (void)fputs(text.bytes, stdout);
    text_release(&text);
    return problems->errors > 0 ? EXIT_NO : EXIT_DONE;
}

static enum cli_exit check_settings(struct cli *cli, const char *path, const char *format)
{
    struct yaml_problems *const problems = arena_alloc(&cli->arena, sizeof *problems);
    const char *const source = read_file(cli, path);
    const struct settings *settings;

    problems->arena = &cli->arena;
    settings = settings_load(&cli->arena, path, problems);
    if (settings != NULL)
        lint_settings(settings, problems);
    return print_lint(problems, source != NULL ? source : "", format, "slipway.yaml");
}

static enum cli_exit check_feature(struct cli *cli,
                                   const char *path,
                                   const struct settings *settings,
                                   const char *format)
{
    struct yaml_problems *const problems = arena_alloc(&cli->arena, sizeof *problems);
    const char *const source = read_file(cli, path);
    struct lint_request request = {
        .name = path,
        .bytes = source,
        .length = source != NULL ? strlen(source) : 0,
        .base_folder = folder_of(cli, path),
        .settings = settings,
    };

    if (source == NULL) {
        cli_complain(cli, arena_printf(&cli->arena, "cannot read %s", path), NULL);
        return EXIT_USAGE;
    }
    problems->arena = &cli->arena;
    (void)lint_feature(&cli->arena, &request, problems);
    return print_lint(problems, source, format, "feature.yaml");
}

enum cli_exit verb_lint(struct cli *cli)
{
    const char *const format = cli_option(cli, "--format");
    const char *const settings_path = cli_option(cli, "--settings");
    const char *const path = cli_next(cli);
    const struct settings *settings = NULL;
    struct yaml_problems *problems;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    if (path == NULL && settings_path != NULL)
        return check_settings(cli, settings_path, format);
    if (settings_path != NULL) {
        problems = arena_alloc(&cli->arena, sizeof *problems);
        problems->arena = &cli->arena;
        settings = settings_load(&cli->arena, settings_path, problems);
        if (settings == NULL)
            return check_settings(cli, settings_path, format);
    }
    return check_feature(cli, path != NULL ? path : "feature.yaml", settings, format);
}

/* --- submit --- */

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
        json_t *newest;
        const enum cli_exit result = cli_get(cli, path, ret);

        if (result != EXIT_DONE)
            return result;
        newest = json_array_get(field(ret->body, "items"), 0);
        if (newest != NULL && strcmp(field_text(newest, "phase"), "PLANNING") != 0 &&
            strcmp(field_text(newest, "content_hash"), content_hash) == 0)
            return EXIT_DONE;
        cli_release(ret);
        if (clock_monotonic_ms(cli->clock) > until_ms)
            return EXIT_TIMED_OUT;
        cli_nap(NAP_MS);
    }
}

static void print_attempt(struct cli *cli, const json_t *item)
{
    const char *const id = field_text(item, "id");

    (void)printf("accepted  %s  %s  %s\n",
                 id,
                 field_text(item, "ticket"),
                 field_text(item, "environment"));
    (void)printf("  now        %s\n", field_text(item, "waiting_for.sentence"));
    (void)printf("  waits for  %s, until %s\n",
                 field_text(item, "waiting_for.who_text"),
                 say_time(cli, field_int(item, "waiting_for.deadline_ms")));
    (void)printf("  next       slipway plan %s      slipway watch %s\n", id, id);
}

static enum cli_exit say_submitted(struct cli *cli, const json_t *body)
{
    struct cli_answer attempts;
    const enum cli_exit result = wait_for_attempt(
        cli, field_text(body, "feature"), field_text(body, "content_hash"), &attempts);

    if (result == EXIT_TIMED_OUT) {
        (void)printf("recorded  %s  no coordinator has taken it up yet\n",
                     field_text(body, "feature"));
        return EXIT_DONE;
    }
    if (result != EXIT_DONE)
        return result;
    print_attempt(cli, json_array_get(field(attempts.body, "items"), 0));
    cli_release(&attempts);
    return EXIT_DONE;
}

/* Digests written as `auto` are computed here, from the files beside feature.yaml, so the
 * message goes as JSON with everything filled in. */
static const char *acceptance_json(struct cli *cli, const char *path, const char *artifacts)
{
    struct yaml_problems *const problems = arena_alloc(&cli->arena, sizeof *problems);
    const char *const source = read_file(cli, path);
    struct text text = text_new(PBJSON_TEXT_MAX);
    const Pb__AcceptanceSignedOff *acceptance;
    const char *copy = NULL;

    if (source == NULL) {
        cli_complain(cli, arena_printf(&cli->arena, "cannot read %s", path), NULL);
        return NULL;
    }
    problems->arena = &cli->arena;
    acceptance = feature_read(&cli->arena,
                              path,
                              source,
                              strlen(source),
                              artifacts != NULL ? artifacts : folder_of(cli, path),
                              problems);
    if (acceptance == NULL) {
        (void)print_lint(problems, source, NULL, "feature.yaml");
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
    request.path = cli->dry_run ? "/v1/deployments?dry_run=true" : "/v1/deployments";
    request.body = acceptance_json(cli, path != NULL ? path : "feature.yaml", artifacts);
    if (request.body == NULL)
        return EXIT_NO;
    result = cli_ask(cli, &request, &answer);
    if (result != EXIT_DONE)
        return result;
    if (cli->json || cli->dry_run)
        (void)say_json(&answer);
    else
        result = say_submitted(cli, answer.body);
    cli_release(&answer);
    return result;
}
