/* flags: what is on, the kill switch, one evaluation. */
#include "services/cli/direct.h"

#include "common/base/json.h"

#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 16 * 1024 };

/* "3 of 3, 4 s ago"; what disagrees stands out. */
static const char *read_back_of(struct cli *cli, const json_t *flag)
{
    const int64_t agree = field_int(flag, "read_back.agree");
    const int64_t of = field_int(flag, "read_back.of");
    const int64_t at_ms = field_int(flag, "read_back.at_ms");

    if (at_ms == 0)
        return "not yet";
    return arena_printf(&cli->arena,
                        "%s%lld of %lld, %s ago",
                        agree < of ? "! " : "",
                        (long long)agree,
                        (long long)of,
                        say_duration(cli, clock_now_ms(cli->clock) - at_ms));
}

static const char *since_of(struct cli *cli, const json_t *flag)
{
    const json_t *const latch = field(flag, "latch");

    if (!json_is_object(latch))
        return say_time(cli, field_int(flag, "at_ms"));
    return arena_printf(&cli->arena,
                        "%s %s",
                        say_time(cli, field_int(latch, "at_ms")),
                        field_text(latch, "reason"));
}

static const char *wanted_of(struct cli *cli, const json_t *flag)
{
    const char *const audience = field_text(flag, "audience");
    const int64_t percent = field_int(flag, "percent");

    if (percent == 0)
        return "0 %";
    return arena_printf(&cli->arena,
                        "%lld %% %s%s",
                        (long long)percent,
                        audience[0] != '\0' ? "and " : "everyone",
                        audience);
}

static void print_flags(struct cli *cli, const json_t *body)
{
    static const char *const head[] = { "FLAG",       "STATE", "WANTED", "READ BACK",
                                        "DEPLOYMENT", "SINCE", NULL };
    struct table *const table = table_new(cli, head);
    size_t i;
    json_t *flag;

    json_array_foreach(field(body, "items"), i, flag)
    {
        const char *const state = field_text(flag, "state");
        const char *const cells[] = {
            field_text(flag, "flag"),
            strcmp(state, "LATCHED") == 0   ? "LATCHED OFF"
            : strcmp(state, "GRANTED") == 0 ? "granted"
                                            : "off",
            wanted_of(cli, flag),
            read_back_of(cli, flag),
            field_text(flag, "deployment"),
            since_of(cli, flag),
        };

        table_row(table, cells);
    }
    if (table->rows > 1)
        table_print(table);
    else
        (void)puts("no flag has been set yet");
}

static enum cli_exit flags_list(struct cli *cli)
{
    return cli_tell(
        cli, &(struct cli_request){ .method = "GET", .path = "/v1/flags" }, print_flags);
}

/* The flag's environment, looked up unless it was given. */
static const char *environment_of(struct cli *cli, const char *flag, const char *given)
{
    const bool silent = cli->silent;
    struct cli_answer answer;
    const char *found = "production";
    enum cli_exit result;
    size_t i;
    json_t *item;

    if (given != NULL)
        return given;
    cli->silent = true; /* What is wrong is told once: by what is asked next. */
    result = cli_get(cli, "/v1/flags", &answer);
    cli->silent = silent;
    if (result != EXIT_DONE)
        return found;
    json_array_foreach(field(answer.body, "items"), i, item)
    {
        if (strcmp(field_text(item, "flag"), flag) == 0)
            found = arena_text(&cli->arena, field_text(item, "environment"));
    }
    cli_release(&answer);
    return found;
}

static void print_killed(struct cli *cli, const json_t *killed)
{
    const char *const deployment = field_text(killed, "deployment");

    (void)cli;
    (void)printf("off  %s for good%s, after %lld ms, read back on %lld of %lld gateways\n",
                 field_text(killed, "flag"),
                 field_true(killed, "already_latched") ? " (it was already)" : "",
                 (long long)field_int(killed, "off_after_ms"),
                 (long long)field_int(killed, "read_back.agree"),
                 (long long)field_int(killed, "read_back.of"));
    if (deployment[0] != '\0')
        (void)printf("  what becomes of it:  slipway watch %s\n", deployment);
}

static const char *reason_body(struct cli *cli, const char *reason)
{
    struct text text = text_new(BODY_MAX);
    struct json json = json_into(&text);

    json_put_object(&json, NULL);
    json_put_text(&json, "reason", reason);
    json_end_object(&json);
    return say_taken(cli, &text);
}

static enum cli_exit flags_kill(struct cli *cli)
{
    const char *const given = cli_option(cli, "--environment");
    const char *const reason = cli_option(cli, "--reason");
    const char *const settings = cli_option(cli, "--settings");
    const bool direct = cli_flag(cli, "--direct");
    const char *const flag = cli_next(cli);
    struct cli_request request = { .method = "POST", .content_type = "application/json" };

    if (flag == NULL || reason == NULL)
        return cli_usage(
            cli, "flags kill FLAG --reason TEXT [--environment NAME] [--yes] [--direct]");
    if (!cli_finished(cli))
        return EXIT_USAGE;
    if (!cli->yes && !cli->dry_run &&
        !ask_yes(cli, arena_printf(&cli->arena, "%s off for good? [y/N] ", flag), "--yes"))
        return cli->terminal.asks ? EXIT_NO : EXIT_USAGE;
    if (direct)
        return direct_run(
            cli,
            settings,
            (struct direct_kill){ .flag = flag, .environment = given, .reason = reason });
    request.body = reason_body(cli, reason);
    request.path = arena_printf(&cli->arena,
                                "/v1/flags/%s%s",
                                cli_path(cli, "%s/", environment_of(cli, flag, given)),
                                cli_path(cli, "%s/kill", flag));
    return cli_tell(cli, &request, print_killed);
}

/* {"context": {"targetingKey": ..., every --attribute NAME=VALUE}}; NULL if one has no "=". */
static const char *context_body(struct cli *cli, const char *key)
{
    struct text text = text_new(BODY_MAX);
    struct json json = json_into(&text);
    const char *attribute;

    json_put_object(&json, NULL);
    json_put_object(&json, "context");
    json_put_text(&json, "targetingKey", key);
    while ((attribute = cli_option(cli, "--attribute")) != NULL) {
        const char *const equals = strchr(attribute, '=');

        if (equals == NULL) {
            text_release(&text);
            return NULL;
        }
        json_put_text(&json,
                      arena_copy(&cli->arena, attribute, (size_t)(equals - attribute)),
                      equals + 1);
    }
    json_end_object(&json);
    json_end_object(&json);
    return say_taken(cli, &text);
}

static void print_evaluation(struct cli *cli, const json_t *evaluation)
{
    const int64_t bucket = field_int(evaluation, "metadata.bucket");
    const int64_t percent = field_int(evaluation, "metadata.percent");

    (void)cli;
    (void)printf("%-6s %s granted %lld %%, bucket %lld.%02lld, %s   (OFREP: %s)\n",
                 field_true(evaluation, "value") ? "true" : "false",
                 field_text(evaluation, "metadata.deployment"),
                 (long long)percent,
                 (long long)bucket / 100,
                 (long long)bucket % 100,
                 field_true(evaluation, "metadata.latched") ? "latched off" : "not latched",
                 field_text(evaluation, "reason"));
}

static enum cli_exit flags_eval(struct cli *cli)
{
    const char *const key = cli_option(cli, "--key");
    const char *const environment = cli_option(cli, "--environment");
    const char *const body = key != NULL ? context_body(cli, key) : NULL;
    const char *const flag = cli_next(cli);
    struct cli_request request = { .method = "POST",
                                   .body = body,
                                   .content_type = "application/json" };

    if (flag == NULL || body == NULL)
        return cli_usage(
            cli, "flags eval FLAG --key USER [--attribute NAME=VALUE] [--environment NAME]");
    if (!cli_finished(cli))
        return EXIT_USAGE;
    request.path = cli_path(cli, "/ofrep/v1/evaluate/flags/%s", flag);
    if (environment != NULL)
        request.path = arena_printf(
            &cli->arena, "%s%s", request.path, cli_path(cli, "?environment=%s", environment));
    return cli_tell(cli, &request, print_evaluation);
}

enum cli_exit verb_flags(struct cli *cli)
{
    const char *const what = cli_next(cli);

    if (what == NULL || strcmp(what, "list") == 0)
        return cli_finished(cli) ? flags_list(cli) : EXIT_USAGE;
    if (strcmp(what, "kill") == 0)
        return flags_kill(cli);
    return strcmp(what, "eval") == 0 ? flags_eval(cli) : cli_usage(cli, "flags list|kill|eval");
}
