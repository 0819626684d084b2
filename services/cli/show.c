/* list, show, inbox, open. */
#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { STEPS = 8 };

/* "✓✓✓✓▶···": a glyph for each step, 0 to 7. */
static const char *step_strip(struct cli *cli, const json_t *deployment)
{
    struct text strip = text_new(64);
    const char *copy;
    size_t i;
    json_t *step;

    json_array_foreach(field(deployment, "steps"), i, step)
    {
        text_add(&strip, "%s", say_glyph(cli, field_text(step, "state")));
    }
    copy = arena_text(&cli->arena, strip.bytes);
    text_release(&strip);
    return copy;
}

static const char *state_words(struct cli *cli, const json_t *deployment)
{
    const char *const phase = field_text(deployment, "phase");
    const char *const held = json_array_size(field(deployment, "holds")) > 0 ? ", held" : "";

    if (strcmp(phase, "ROLLING_OUT") == 0)
        return arena_printf(&cli->arena,
                            "%s %lld %%%s",
                            say_phase(phase),
                            (long long)field_int(deployment, "percent"),
                            held);
    if (strcmp(phase, "BLOCKED") == 0)
        return arena_printf(
            &cli->arena, "blocked in %lld", (long long)field_int(deployment, "step"));
    return arena_printf(&cli->arena, "%s%s", say_phase(phase), held);
}

static const char *time_left(struct cli *cli, int64_t deadline_ms)
{
    return deadline_ms == 0 ? "" : say_duration(cli, deadline_ms - clock_now_ms(cli->clock));
}

/* --- list --- */

static const char *list_query(struct cli *cli)
{
    static const char *const filters[] = { "state", "phase",       "step", "service",
                                           "exit",  "environment", "q",    "feature",
                                           "limit", "cursor",      NULL };
    struct text query = text_new(2048);
    const char *copy;

    text_add(&query, "/v1/deployments?live=%s", cli_flag(cli, "--all") ? "all" : "true");
    if (cli_flag(cli, "--mine"))
        text_add(&query, "&waiting_for=me");
    for (size_t i = 0; filters[i] != NULL; i++) {
        const char *const value =
            cli_option(cli, arena_printf(&cli->arena, "--%s", filters[i]));

        if (value == NULL)
            continue;
        text_add(&query, "&%s=", filters[i]);
        text_add(&query, "%s", cli_path(cli, "%s", value));
    }
    copy = arena_text(&cli->arena, query.bytes);
    text_release(&query);
    return copy;
}

static void print_list(struct cli *cli, const json_t *body)
{
    static const char *const head[] = { "NAME", "STEPS", "STATE", "LEFT", "WAITS FOR", NULL };
    struct table *const table = table_new(cli, head);
    size_t i;
    json_t *item;

    json_array_foreach(field(body, "items"), i, item)
    {
        const char *const cells[] = { field_text(item, "id"),
                                      step_strip(cli, item),
                                      state_words(cli, item),
                                      time_left(cli,
                                                field_int(item, "waiting_for.deadline_ms")),
                                      field_text(item, "waiting_for.sentence") };

        table_row(table, cells);
    }
    table_print(table);
    if (field_text(body, "next")[0] != '\0')
        (void)printf("more: slipway list --cursor '%s'\n", field_text(body, "next"));
}

enum cli_exit verb_list(struct cli *cli)
{
    const char *const path = list_query(cli);
    struct cli_answer answer;
    enum cli_exit result;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    result = cli_get(cli, path, &answer);
    if (result != EXIT_DONE)
        return result;
    if (cli->json)
        (void)say_json(&answer);
    else
        print_list(cli, answer.body);
    cli_release(&answer);
    return EXIT_DONE;
}

/* --- show --- */

static void print_waiting(struct cli *cli, const json_t *deployment)
{
    const json_t *const waiting = field(deployment, "waiting_for");
    const int64_t since_ms = field_int(waiting, "since_ms");
    const int64_t deadline_ms = field_int(waiting, "deadline_ms");

    if (!json_is_object(waiting))
        return;
    (void)printf("%s\n", field_text(waiting, "sentence"));
    (void)printf("  waits for     %s\n", field_text(waiting, "who_text"));
    (void)printf("  since         %s (%s)\n",
                 say_time(cli, since_ms),
                 say_duration(cli, clock_now_ms(cli->clock) - since_ms));
    (void)printf("  goes on when  %s\n", field_text(waiting, "unblock"));
    if (field_text(waiting, "otherwise")[0] != '\0')
        (void)printf("  otherwise     %s%s%s%s\n",
                     field_text(waiting, "otherwise"),
                     deadline_ms > 0 ? " (" : "",
                     deadline_ms > 0 ? time_left(cli, deadline_ms) : "",
                     deadline_ms > 0 ? " left)" : "");
    (void)putchar('\n');
}

static const char *counts_text(struct cli *cli, const json_t *step)
{
    struct text text = text_new(256);
    const char *verdict;
    json_t *count;
    const char *copy;

    json_object_foreach(field(step, "counts"), verdict, count)
    {
        text_add(&text,
                 "%s%lld %s",
                 text.length > 0 ? ", " : "",
                 (long long)json_integer_value(count),
                 verdict);
    }
    if (text.length == 0)
        text_add(&text, "%s", field_text(step, "rule"));
    copy = arena_text(&cli->arena, text.bytes);
    text_release(&text);
    return copy;
}

static void print_steps(struct cli *cli, const json_t *deployment)
{
    size_t i;
    json_t *step;

    json_array_foreach(field(deployment, "steps"), i, step)
    {
        const int64_t began_ms = field_int(step, "began_ms");
        const int64_t ended_ms = field_int(step, "ended_ms");
        const char *const decision = field_text(step, "decision");
        const char *took = "";

        if (began_ms > 0)
            took = say_duration(
                cli, (ended_ms > 0 ? ended_ms : clock_now_ms(cli->clock)) - began_ms);
        (void)printf(" %s %lld %-28s %-8s %-10s %-6s %s\n",
                     say_glyph(cli, field_text(step, "state")),
                     (long long)field_int(step, "step"),
                     field_text(step, "name"),
                     began_ms > 0 ? say_time(cli, began_ms) : "",
                     took,
                     strcmp(decision, "GO") == 0      ? "Go"
                     : strcmp(decision, "NO_GO") == 0 ? "No-Go"
                                                      : "",
                     counts_text(cli, step));
    }
    (void)putchar('\n');
}

static bool is_open_finding(const json_t *finding)
{
    const char *const verdict = field_text(finding, "verdict");

    return strcmp(verdict, "PASS") != 0 && strcmp(verdict, "NOT_APPLICABLE") != 0;
}

static void print_open(struct cli *cli, const json_t *deployment)
{
    const int64_t step = field_int(deployment, "step");
    size_t i;
    json_t *finding;

    json_array_foreach(field(deployment, "findings"), i, finding)
    {
        if (field_int(finding, "step") != step || !is_open_finding(finding))
            continue;
        (void)printf("OPEN  %s %-26s %s\n",
                     say_glyph(cli, field_text(finding, "verdict")),
                     field_text(finding, "check"),
                     field_text(finding, "observed"));
        if (field_text(finding, "wanted")[0] != '\0')
            (void)printf("        wanted    %s\n", field_text(finding, "wanted"));
        if (field_text(finding, "remedy")[0] != '\0')
            (void)printf("        remedy    %s\n", field_text(finding, "remedy"));
    }
}

static void print_taken_back(struct cli *cli, const json_t *deployment)
{
    const json_t *const steps = field(deployment, "undo.steps");
    size_t i;
    json_t *step;

    if (field_text(deployment, "exit")[0] != '\0' || json_array_size(steps) == 0)
        return;
    (void)printf("TAKEN BACK NOW  at most %s\n",
                 say_duration(cli, field_int(deployment, "undo.estimate_ms")));
    json_array_foreach(steps, i, step)
    {
        (void)printf("  %zu  %s\n", i + 1, field_text(step, "what"));
    }
}

static void print_signoffs(struct cli *cli, const json_t *deployment)
{
    size_t i;
    json_t *signoff;

    if (json_array_size(field(deployment, "signoffs")) == 0)
        return;
    (void)printf("SIGN-OFFS ");
    json_array_foreach(field(deployment, "signoffs"), i, signoff)
    {
        (void)printf("  %s %s %s",
                     say_glyph(cli, field_text(signoff, "state")),
                     field_text(signoff, "role"),
                     field_text(signoff, "actor"));
    }
    (void)putchar('\n');
}

static void print_incidents(struct cli *cli, const json_t *deployment)
{
    size_t i;
    json_t *incident;

    json_array_foreach(field(deployment, "incidents"), i, incident)
    {
        (void)printf("INCIDENT  %s %s %s, first %s, %lld times: %s\n",
                     field_true(incident, "open") ? say_glyph(cli, "FAIL")
                                                  : say_glyph(cli, "PASS"),
                     field_text(incident, "severity"),
                     field_text(incident, "cause"),
                     say_clock(cli, field_int(incident, "first_ms")),
                     (long long)field_int(incident, "count"),
                     field_text(incident, "summary"));
    }
}

static void print_missing(const json_t *deployment)
{
    size_t i;
    json_t *input;

    json_array_foreach(field(deployment, "missing"), i, input)
    {
        (void)printf("MISSING  %s\n           %s\n",
                     field_text(input, "input"),
                     field_text(input, "remedy"));
    }
}

static void print_deployment(struct cli *cli, const json_t *deployment)
{
    const char *const exit = field_text(deployment, "exit");

    (void)printf("%s  %s    %s %s   version %lld\n\n",
                 field_text(deployment, "id"),
                 field_text(deployment, "title"),
                 say_glyph(cli, exit[0] != '\0' ? exit : field_text(deployment, "phase")),
                 state_words(cli, deployment),
                 (long long)field_int(deployment, "version"));
    print_waiting(cli, deployment);
    print_steps(cli, deployment);
    print_missing(deployment);
    print_incidents(cli, deployment);
    if (field_text(deployment, "stop.cause")[0] != '\0')
        (void)printf("STOPPED  by %s: %s\n",
                     field_text(deployment, "stop.by"),
                     field_text(deployment, "stop.cause"));
    print_open(cli, deployment);
    print_taken_back(cli, deployment);
    print_signoffs(cli, deployment);
    say_address(cli, field_text(deployment, "id"));
}

/* Runs print for the deployment that the next argument names. */
static enum cli_exit with_deployment(struct cli *cli,
                                     void (*print)(struct cli *cli, const json_t *deployment))
{
    const char *const name = cli_next(cli);
    struct cli_answer answer;
    enum cli_exit result;

    if (name == NULL) {
        cli_complain(cli, "which deployment?", "slipway list");
        return EXIT_USAGE;
    }
    if (!cli_finished(cli))
        return EXIT_USAGE;
    result = cli_get(cli, cli_path(cli, "/v1/deployments/%s", name), &answer);
    if (result != EXIT_DONE)
        return result;
    if (cli->json)
        (void)say_json(&answer);
    else
        print(cli, answer.body);
    cli_release(&answer);
    return EXIT_DONE;
}

enum cli_exit verb_show(struct cli *cli)
{
    return with_deployment(cli, print_deployment);
}

/* --- explain --- */

static void print_finding(struct cli *cli, const json_t *finding)
{
    static const char *const lines[] = { "observed", "wanted", "evidence", "link", "remedy" };

    (void)printf("%s %s%s\n",
                 say_glyph(cli, field_text(finding, "verdict")),
                 field_text(finding, "check"),
                 field_true(finding, "required") ? "" : " (not required)");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (field_text(finding, lines[i])[0] != '\0')
            (void)printf("    %-9s %s\n", lines[i], field_text(finding, lines[i]));
    }
}

static void print_explanation(struct cli *cli, const json_t *deployment)
{
    const int64_t wanted = cli->step >= 0 ? cli->step : field_int(deployment, "step");
    const json_t *const step = json_array_get(field(deployment, "steps"), (size_t)wanted);
    size_t i;
    json_t *finding;

    (void)printf("%s step %lld, try %lld: %s at %s\n",
                 field_text(deployment, "id"),
                 (long long)wanted,
                 (long long)field_int(step, "try"),
                 field_text(step, "decision")[0] != '\0' ? field_text(step, "decision")
                                                         : "not decided yet",
                 say_clock(cli, field_int(step, "ended_ms")));
    if (field_text(step, "rule")[0] != '\0')
        (void)printf("rule  %s\n", field_text(step, "rule"));
    json_array_foreach(field(deployment, "findings"), i, finding)
    {
        if (field_int(finding, "step") == wanted)
            print_finding(cli, finding);
    }
}

enum cli_exit verb_explain(struct cli *cli)
{
    const char *const step = cli_option(cli, "--step");

    cli->step = -1;
    if (step != NULL) {
        if (step[0] < '0' || step[0] > '7' || step[1] != '\0') {
            cli_complain(cli, "--step must be 0 to 7", NULL);
            return EXIT_USAGE;
        }
        cli->step = step[0] - '0';
    }
    return with_deployment(cli, print_explanation);
}

enum cli_exit verb_open(struct cli *cli)
{
    const char *const name = cli_next(cli);

    if (name == NULL || !cli_finished(cli))
        return EXIT_USAGE;
    say_address(cli, name);
    return EXIT_DONE;
}

/* --- inbox --- */

enum cli_exit verb_inbox(struct cli *cli)
{
    static const char *const head[] = { "DEPLOYMENT", "ROLE", "LEFT", "ASK", NULL };
    const bool all = cli_flag(cli, "--all");
    struct cli_answer answer;
    enum cli_exit result;
    struct table *table;
    size_t i;
    json_t *item;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    result = cli_get(cli, all ? "/v1/inbox?for=all" : "/v1/inbox", &answer);
    if (result != EXIT_DONE)
        return result;
    table = table_new(cli, head);
    json_array_foreach(field(answer.body, "items"), i, item)
    {
        const char *const cells[] = { field_text(item, "deployment"),
                                      field_text(item, "role"),
                                      time_left(cli, field_int(item, "deadline_ms")),
                                      field_text(item, "ask") };

        table_row(table, cells);
    }
    if (cli->json)
        (void)say_json(&answer);
    else if (table->rows == 1)
        (void)puts("nothing waits for you");
    else
        table_print(table);
    cli_release(&answer);
    return EXIT_DONE;
}
