/* alert, lanes, dead-letter. */
#include "services/cli/cli.h"

#include "common/base/json.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { BODY_MAX = 16 * 1024 };

/* --- alert --- */

/* How that deployment takes it. */
static void print_reaction(struct cli *cli, const char *deployment, int64_t recorded_ms)
{
    const struct reaction reaction = { .deployment = deployment, .since_ms = recorded_ms };
    struct cli_answer now;

    if (!reaction_tell(cli, &reaction) ||
        cli_get(cli, cli_path(cli, "/v1/deployments/%s", deployment), &now) != EXIT_DONE)
        return;
    (void)printf("  undo runs on without this terminal, at most %s:  slipway watch %s\n",
                 say_duration(cli, field_int(now.body, "undo.estimate_ms")),
                 deployment);
    cli_release(&now);
}

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

/* Only what is critical is reacted to at once. */
static void print_reactions(struct cli *cli, const json_t *answer)
{
    const int64_t at_ms = field_int(answer, "at_ms");
    size_t i;
    json_t *match;

    if (json_array_size(field(answer, "matches")) == 0)
        return;
    (void)printf("  %s  recorded\n", say_clock_ms(cli, at_ms));
    (void)fflush(stdout);
    json_array_foreach(field(answer, "matches"), i, match)
    {
        if (field_true(match, "at_work"))
            print_reaction(cli, field_text(match, "deployment"), at_ms);
    }
}

static const char *alert_body(struct cli *cli,
                              const char *service,
                              const char *severity,
                              bool firing)
{
    const char *const environment = cli_option(cli, "--environment");
    const char *const summary = cli_option(cli, "--summary");
    struct text text = text_new(BODY_MAX);
    struct json json = json_into(&text);

    json_put_object(&json, NULL);
    json_put_text(&json, "service", service);
    json_put_text(&json, "environment", environment != NULL ? environment : "production");
    json_put_text(&json, "severity", severity);
    if (summary != NULL)
        json_put_text(&json, "summary", summary);
    json_put_text(&json, "status", firing ? "FIRING" : "RESOLVED");
    json_end_object(&json);
    return say_taken(cli, &text);
}

/* As the API writes it; NULL if it is none. */
static const char *severity_of(const char *word)
{
    static const char *const names[] = { "INFO", "WARNING", "CRITICAL" };

    for (size_t i = 0; word != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(names[i], word) == 0)
            return names[i];
    }
    return NULL;
}

enum cli_exit verb_alert(struct cli *cli)
{
    const char *const service = cli_option(cli, "--service");
    const char *const severity = severity_of(cli_option(cli, "--severity"));
    const bool firing = !cli_flag(cli, "--resolved");
    struct cli_request request = { .method = "POST",
                                   .path = "/v1/alerts",
                                   .content_type = "application/json" };
    struct cli_answer answer;
    enum cli_exit result;

    if (service == NULL || severity == NULL)
        return cli_usage(cli,
                         "alert --service NAME --severity info|warning|critical "
                         "[--environment NAME] [--summary TEXT] [--resolved]");
    request.body = alert_body(cli, service, severity, firing);
    if (!cli_finished(cli))
        return EXIT_USAGE;
    result = cli_ask(cli, &request, &answer);
    if (result != EXIT_DONE)
        return result;
    if (cli->json)
        say_json(&answer);
    else
        print_alert(cli, answer.body, service);
    if (!cli->json && firing && strcmp(severity, "CRITICAL") == 0)
        print_reactions(cli, answer.body);
    cli_release(&answer);
    return EXIT_DONE;
}

/* --- lanes --- */

static void print_lane(struct cli *cli, const json_t *lane)
{
    const char *const holder = field_text(lane, "holder.deployment");
    const char *const top = field_text(lane, "top");
    size_t i;
    json_t *waiting;

    (void)printf("%-28s ", field_text(lane, "lane"));
    if (holder[0] != '\0')
        (void)printf(
            "held by %s since %s", holder, say_time(cli, field_int(lane, "holder.since_ms")));
    else
        (void)printf("free");
    (void)printf("%s%s\n", top[0] != '\0' ? "; last changed by " : "", top);
    json_array_foreach(field(lane, "queue"), i, waiting)
    {
        (void)printf("  %zu  %s waits since %s%s\n",
                     i + 1,
                     field_text(waiting, "deployment"),
                     say_time(cli, field_int(waiting, "since_ms")),
                     field_true(waiting, "undo") ? ", to take its changes back" : "");
    }
}

static void print_lanes(struct cli *cli, const json_t *body)
{
    size_t i;
    json_t *lane;

    if (json_array_size(field(body, "items")) == 0)
        (void)puts("no lane has been asked for yet");
    json_array_foreach(field(body, "items"), i, lane)
    {
        print_lane(cli, lane);
    }
}

enum cli_exit verb_lanes(struct cli *cli)
{
    if (!cli_finished(cli))
        return EXIT_USAGE;
    return cli_tell(
        cli, &(struct cli_request){ .method = "GET", .path = "/v1/lanes" }, print_lanes);
}

/* --- dead-letter --- */

static void print_dead_letters(struct cli *cli, const json_t *body)
{
    size_t i;
    json_t *letter;

    if (json_array_size(field(body, "items")) == 0)
        (void)puts("no record was unusable");
    json_array_foreach(field(body, "items"), i, letter)
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
}

enum cli_exit verb_dead_letter(struct cli *cli)
{
    const char *const what = cli_next(cli);

    if ((what != NULL && strcmp(what, "list") != 0) || !cli_finished(cli))
        return cli_usage(cli, "dead-letter list");
    return cli_tell(cli,
                    &(struct cli_request){ .method = "GET", .path = "/v1/dead-letters" },
                    print_dead_letters);
}
