/* Two-word verbs: freeze, alert, flags, dead-letter. */
#include "services/cli/cli.h"

#include "common/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 16 * 1024, LINE_MAX_BYTES = 256 };

static enum cli_exit usage(struct cli *cli, const char *how)
{
    cli_complain(cli, arena_printf(&cli->arena, "usage: slipway %s", how), NULL);
    return EXIT_USAGE;
}

static const char *taken(struct cli *cli, struct text *text)
{
    const char *const copy = arena_text(&cli->arena, text->bytes);

    text_release(text);
    return copy;
}

/* --- freeze --- */

static void print_freeze(struct cli *cli, const json_t *freeze)
{
    size_t i;
    json_t *held;

    (void)printf("freeze %s  %s  %s to %s (%s)  by %s: %s\n",
                 field_text(freeze, "id"),
                 field_text(freeze, "scope"),
                 say_time(cli, field_int(freeze, "from_ms")),
                 say_time(cli, field_int(freeze, "to_ms")),
                 say_duration(cli, field_int(freeze, "to_ms") - field_int(freeze, "from_ms")),
                 field_text(freeze, "by"),
                 field_text(freeze, "reason"));
    json_array_foreach(field(freeze, "holds"), i, held)
    {
        (void)printf("  holds %s; rollbacks and flags off never wait\n",
                     json_string_value(held));
    }
}

static enum cli_exit freeze_add(struct cli *cli)
{
    const char *const scope = cli_next(cli);
    const char *const from = cli_option(cli, "--from");
    const char *const to = cli_option(cli, "--to");
    const int64_t from_ms =
        cli_time(cli, from != NULL ? from : "now", clock_now_ms(cli->clock));
    const int64_t to_ms = to != NULL ? cli_time(cli, to, from_ms) : -1;
    const char *const reason = cli_option(cli, "--reason");
    struct cli_request request = { .method = "POST",
                                   .path = "/v1/freezes",
                                   .content_type = "application/json" };
    struct text text = text_new(BODY_MAX);
    struct json json = json_into(&text);
    struct cli_answer answer;
    enum cli_exit result;

    json_put_object(&json, NULL);
    json_put_text(&json, "scope", scope);
    json_put_int(&json, "from_ms", from_ms);
    json_put_int(&json, "to_ms", to_ms);
    json_put_text(&json, "reason", reason);
    json_end_object(&json);
    request.body = taken(cli, &text);
    if (scope == NULL || reason == NULL || from_ms < 0 || to_ms < 0 || !cli_finished(cli))
        return usage(cli,
                     "freeze add ENVIRONMENT/SERVICE [--from TIME] --to TIME --reason TEXT; "
                     "TIME is now, +4h, 'thu 18:00', or 2026-11-27T06:00:00Z");
    result = cli_ask(cli, &request, &answer);
    if (result != EXIT_DONE)
        return result;
    if (cli->json)
        (void)say_json(&answer);
    else
        print_freeze(cli, answer.body);
    cli_release(&answer);
    return EXIT_DONE;
}

static enum cli_exit freeze_lift(struct cli *cli)
{
    const char *const id = cli_next(cli);
    struct cli_answer answer;
    enum cli_exit result;

    if (id == NULL || !cli_finished(cli))
        return usage(cli, "freeze lift ID");
    result = cli_ask(cli,
                     &(struct cli_request){ .method = "DELETE",
                                            .path = cli_path(cli, "/v1/freezes/%s", id) },
                     &answer);
    if (result != EXIT_DONE)
        return result;
    (void)printf("lifted  %s\n", id);
    cli_release(&answer);
    return EXIT_DONE;
}

static enum cli_exit freeze_list(struct cli *cli)
{
    struct cli_answer answer;
    const enum cli_exit result = cli_get(cli, "/v1/freezes", &answer);
    size_t i;
    json_t *freeze;

    if (result != EXIT_DONE)
        return result;
    if (cli->json)
        (void)say_json(&answer);
    else if (json_array_size(field(answer.body, "items")) == 0)
        (void)puts("nothing is frozen");
    else
        json_array_foreach(field(answer.body, "items"), i, freeze)
        {
            print_freeze(cli, freeze);
        }
    cli_release(&answer);
    return EXIT_DONE;
}

enum cli_exit verb_freeze(struct cli *cli)
{
    const char *const what = cli_next(cli);

    if (what == NULL || strcmp(what, "list") == 0)
        return freeze_list(cli);
    if (strcmp(what, "add") == 0)
        return freeze_add(cli);
    return strcmp(what, "lift") == 0 ? freeze_lift(cli) : usage(cli, "freeze list|add|lift");
}

/* --- alert --- */

static void print_alert(struct cli *cli, const json_t *answer, const char *service)
{
    const int64_t now_ms = clock_now_ms(cli->clock);
    size_t i;
    json_t *match;

    (void)printf("sent  alert %.6s\n", field_text(answer, "fingerprint"));
    if (!json_is_array(field(answer, "matches")))
        (void)printf("  recorded; whom it concerns cannot be said now: slipway list\n");
    else if (json_array_size(field(answer, "matches")) == 0)
        (void)printf("  matches no deployment: none changes %s, or has lately\n", service);
    json_array_foreach(field(answer, "matches"), i, match)
    {
        const int64_t changed_ms = field_int(match, "changed_ms");

        (void)printf("  matches %s%s%s%s:  slipway watch %s\n",
                     field_text(match, "deployment"),
                     changed_ms > 0 ? " (changed " : "",
                     changed_ms > 0 ? say_duration(cli, now_ms - changed_ms) : "",
                     changed_ms > 0 ? " ago)" : "",
                     field_text(match, "deployment"));
    }
}

enum cli_exit verb_alert(struct cli *cli)
{
    const char *const service = cli_option(cli, "--service");
    const char *environment = cli_option(cli, "--environment");
    const char *const severity = cli_option(cli, "--severity");
    const char *const summary = cli_option(cli, "--summary");
    const bool resolved = cli_flag(cli, "--resolved");
    struct cli_request request = { .method = "POST",
                                   .path = "/v1/alerts",
                                   .content_type = "application/json" };
    struct text text = text_new(BODY_MAX);
    struct json json = json_into(&text);
    struct cli_answer answer;
    enum cli_exit result;
    char *upper;

    if (service == NULL || severity == NULL || !cli_finished(cli)) {
        text_release(&text);
        return usage(
            cli,
            "alert --service NAME --severity info|warning|critical [--environment NAME] "
            "[--summary TEXT] [--resolved]");
    }
    upper = arena_copy(&cli->arena, severity, strlen(severity));
    for (char *c = upper; *c != '\0'; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    json_put_object(&json, NULL);
    json_put_text(&json, "service", service);
    json_put_text(&json, "environment", environment != NULL ? environment : "production");
    json_put_text(&json, "severity", upper);
    json_put_text(&json, "summary", summary);
    json_put_text(&json, "status", resolved ? "RESOLVED" : "FIRING");
    json_end_object(&json);
    request.body = taken(cli, &text);
    result = cli_ask(cli, &request, &answer);
    if (result != EXIT_DONE)
        return result;
    if (cli->json)
        (void)say_json(&answer);
    else
        print_alert(cli, answer.body, service);
    cli_release(&answer);
    return EXIT_DONE;
}

/* --- flags --- */

static enum cli_exit flags_list(struct cli *cli)
{
    static const char *const head[] = { "FLAG",      "STATE",      "WANTED",
                                        "READ BACK", "DEPLOYMENT", NULL };
    struct cli_answer answer;
    const enum cli_exit result = cli_get(cli, "/v1/flags", &answer);
    struct table *table;
    size_t i;
    json_t *flag;

    if (result != EXIT_DONE)
        return result;
    table = table_new(cli, head);
    json_array_foreach(field(answer.body, "items"), i, flag)
    {
        const char *const cells[] = {
            field_text(flag, "flag"),
            strcmp(field_text(flag, "state"), "LATCHED") == 0 ? "LATCHED OFF"
                                                              : field_text(flag, "state"),
            arena_printf(&cli->arena,
                         "%lld %% %s",
                         (long long)field_int(flag, "percent"),
                         field_text(flag, "audience")),
            arena_printf(&cli->arena,
                         "%lld of %lld",
                         (long long)field_int(flag, "read_back.agree"),
                         (long long)field_int(flag, "read_back.of")),
            field_text(flag, "deployment"),
        };

        table_row(table, cells);
    }
    if (cli->json)
        (void)say_json(&answer);
    else
        table_print(table);
    cli_release(&answer);
    return EXIT_DONE;
}

/* The flag's environment, looked up unless it was given. */
static const char *environment_of(struct cli *cli, const char *flag, const char *given)
{
    struct cli_answer answer;
    const char *found = "production";
    size_t i;
    json_t *item;

    if (given != NULL)
        return given;
    if (cli_get(cli, "/v1/flags", &answer) != EXIT_DONE)
        return found;
    json_array_foreach(field(answer.body, "items"), i, item)
    {
        if (strcmp(field_text(item, "flag"), flag) == 0)
            found = arena_text(&cli->arena, field_text(item, "environment"));
    }
    cli_release(&answer);
    return found;
}

static enum cli_exit flags_kill(struct cli *cli)
{
    const char *const given = cli_option(cli, "--environment");
    const char *reason = cli_option(cli, "--reason");
    const char *const flag = cli_next(cli);
    struct cli_request request = { .method = "POST", .content_type = "application/json" };
    struct text text = text_new(BODY_MAX);
    struct json json = json_into(&text);
    struct cli_answer answer;
    enum cli_exit result;

    json_put_object(&json, NULL);
    json_put_text(&json, "reason", reason);
    json_end_object(&json);
    request.body = taken(cli, &text);
    if (flag == NULL || reason == NULL || !cli_finished(cli))
        return usage(cli, "flags kill FLAG --reason TEXT [--environment NAME] [--yes]");
    if (!cli->yes &&
        !ask_yes(cli, arena_printf(&cli->arena, "%s off for good? [y/N] ", flag), "--yes"))
        return EXIT_NO;
    request.path = arena_printf(&cli->arena,
                                "/v1/flags/%s%s",
                                cli_path(cli, "%s/", environment_of(cli, flag, given)),
                                cli_path(cli, "%s/kill", flag));
    result = cli_ask(cli, &request, &answer);
    if (result != EXIT_DONE)
        return result;
    if (cli->json)
        (void)say_json(&answer);
    else
        (void)printf("off  %s for good, after %lld ms, read back on %lld of %lld gateways\n"
                     "  what becomes of it:  slipway watch %s\n",
                     flag,
                     (long long)field_int(answer.body, "off_after_ms"),
                     (long long)field_int(answer.body, "read_back.agree"),
                     (long long)field_int(answer.body, "read_back.of"),
                     field_text(answer.body, "deployment"));
    cli_release(&answer);
    return EXIT_DONE;
}

static enum cli_exit flags_eval(struct cli *cli)
{
    const char *const key = cli_option(cli, "--key");
    const char *const attribute = cli_option(cli, "--attribute");
    const char *const flag = cli_next(cli);
    const char *const equals = attribute != NULL ? strchr(attribute, '=') : NULL;
    struct cli_request request = { .method = "POST", .content_type = "application/json" };
    struct text text = text_new(BODY_MAX);
    struct json json = json_into(&text);
    struct cli_answer answer;
    enum cli_exit result;

    json_put_object(&json, NULL);
    json_put_object(&json, "context");
    json_put_text(&json, "targetingKey", key);
    if (equals != NULL)
        json_put_text(&json,
                      arena_copy(&cli->arena, attribute, (size_t)(equals - attribute)),
                      equals + 1);
    json_end_object(&json);
    json_end_object(&json);
    request.body = taken(cli, &text);
    if (flag == NULL || key == NULL || !cli_finished(cli))
        return usage(cli, "flags eval FLAG --key USER [--attribute NAME=VALUE]");
    request.path = cli_path(cli, "/ofrep/v1/evaluate/flags/%s", flag);
    result = cli_ask(cli, &request, &answer);
    if (result != EXIT_DONE)
        return result;
    (void)printf("%s   %lld %% granted, bucket %lld of 10000%s (OFREP: %s)\n",
                 field_true(answer.body, "value") ? "true" : "false",
                 (long long)field_int(answer.body, "metadata.percent"),
                 (long long)field_int(answer.body, "metadata.bucket"),
                 field_true(answer.body, "metadata.latched") ? ", latched" : "",
                 field_text(answer.body, "reason"));
    cli_release(&answer);
    return EXIT_DONE;
}

enum cli_exit verb_flags(struct cli *cli)
{
    const char *const what = cli_next(cli);

    if (what == NULL || strcmp(what, "list") == 0)
        return flags_list(cli);
    if (strcmp(what, "kill") == 0)
        return flags_kill(cli);
    return strcmp(what, "eval") == 0 ? flags_eval(cli) : usage(cli, "flags list|kill|eval");
}

/* --- dead-letter --- */

enum cli_exit verb_dead_letter(struct cli *cli)
{
    const char *const what = cli_next(cli);
    struct cli_answer answer;
    enum cli_exit result;
    size_t i;
    json_t *letter;

    if ((what != NULL && strcmp(what, "list") != 0) || !cli_finished(cli))
        return usage(cli, "dead-letter list");
    result = cli_get(cli, "/v1/dead-letters", &answer);
    if (result != EXIT_DONE)
        return result;
    if (cli->json) {
        (void)say_json(&answer);
        cli_release(&answer);
        return EXIT_DONE;
    }
    json_array_foreach(field(answer.body, "items"), i, letter)
    {
        (void)printf("%s  %s[%lld]@%lld   %s  %s\n",
                     say_clock(cli, field_int(letter, "at_ms")),
                     field_text(letter, "topic"),
                     (long long)field_int(letter, "partition"),
                     (long long)field_int(letter, "offset"),
                     field_text(letter, "sender"),
                     field_text(letter, "reason"));
        if (field_text(letter, "fix")[0] != '\0')
            (void)printf("          fix: %s\n", field_text(letter, "fix"));
    }
    cli_release(&answer);
    return EXIT_DONE;
}
