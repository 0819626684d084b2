/* explain: the rule that decided a step, and what it was computed from. */
#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { LAST_STEP = 7, TRIES_MAX = 1000000 };

static bool is_good(const json_t *finding)
{
    const char *const verdict = field_text(finding, "verdict");

    return strcmp(verdict, "PASS") == 0 || strcmp(verdict, "NOT_APPLICABLE") == 0;
}

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

/* What stood in the way comes whole; of what passed, that it did. --all: everything whole. */
static void print_findings(struct cli *cli, const json_t *explanation, bool all)
{
    size_t good = 0;
    size_t i;
    json_t *finding;

    json_array_foreach(field(explanation, "findings"), i, finding)
    {
        if (all || !is_good(finding))
            print_finding(cli, finding);
        else
            good++;
    }
    if (good > 0)
        (void)printf("%s %zu more as they should be: --all\n", say_glyph(cli, "PASS"), good);
}

static bool was_found(const json_t *explanation, const char *check)
{
    size_t i;
    json_t *finding;

    json_array_foreach(field(explanation, "findings"), i, finding)
    {
        if (strcmp(field_text(finding, "check"), check) == 0)
            return true;
    }
    return false;
}

/* A required check that nobody answered is no data, and never a pass. */
static void print_unanswered(struct cli *cli, const json_t *explanation)
{
    size_t i;
    json_t *expected;

    json_array_foreach(field(explanation, "expected"), i, expected)
    {
        const char *const check = field_text(expected, "check");

        if (!field_true(expected, "required") || was_found(explanation, check) ||
            field_text(expected, "not_applicable")[0] != '\0')
            continue;
        (void)printf("%s %s\n    expected by the plan, not answered%s%s\n",
                     say_glyph(cli, "NO_DATA"),
                     check,
                     field_text(expected, "role")[0] != '\0' ? "; asked of " : "",
                     field_text(expected, "role"));
    }
}

static void print_events(struct cli *cli, const json_t *explanation)
{
    const json_t *const events = field(explanation, "events");
    const size_t count = json_array_size(events);
    size_t i;
    json_t *event;

    json_array_foreach(events, i, event)
    {
        if (i + 4 < count)
            continue;
        (void)printf("%s  events.v1[%lld] %s v%lld %s: %s\n",
                     i == 0 || i + 4 == count ? "events" : "      ",
                     (long long)field_int(event, "partition"),
                     say_clock(cli, field_int(event, "at_ms")),
                     (long long)field_int(event, "version"),
                     field_text(event, "actor"),
                     field_text(event, "text"));
    }
}

static const char *decision_words(const json_t *explanation)
{
    const char *const decision = field_text(explanation, "decision");

    if (strcmp(decision, "GO") == 0)
        return "Go";
    if (strcmp(decision, "NO_GO") == 0)
        return "No-Go";
    if (decision[0] == '\0')
        return "not decided yet";
    return strcmp(decision, "Stop") == 0 ? "stopped" : "ended";
}

static void print_people(struct cli *cli, const json_t *explanation)
{
    size_t i;
    json_t *entry;

    json_array_foreach(field(explanation, "people"), i, entry)
    {
        (void)printf("people  %s %s %s: %s\n",
                     say_clock(cli, field_int(entry, "at_ms")),
                     field_text(entry, "type"),
                     field_text(entry, "actor"),
                     field_text(entry, "text"));
    }
}

static void print_explanation(struct cli *cli, const json_t *explanation, bool all)
{
    const int64_t at_ms = field_int(explanation, "at_ms");

    (void)printf("%s step %lld (%s), try %lld: %s%s%s\n",
                 field_text(explanation, "deployment"),
                 (long long)field_int(explanation, "step"),
                 field_text(explanation, "name"),
                 (long long)field_int(explanation, "try"),
                 decision_words(explanation),
                 at_ms > 0 ? " at " : "",
                 at_ms > 0 ? say_clock(cli, at_ms) : "");
    if (field_text(explanation, "rule")[0] != '\0')
        (void)printf("rule  %s\n", field_text(explanation, "rule"));
    print_findings(cli, explanation, all);
    if (at_ms > 0)
        print_unanswered(cli, explanation);
    print_people(cli, explanation);
    if (strcmp(field_text(explanation, "decision"), "NO_GO") == 0)
        (void)printf("on No-Go the plan says: %s\n",
                     strcmp(field_text(explanation, "on_no_go"), "BLOCK") == 0
                         ? "block, and ask"
                         : "stop, and take back");
    print_events(cli, explanation);
}

/* "?step=3&try=1"; NULL, with a message, when one of them is no such number. */
static const char *explain_query(struct cli *cli)
{
    static const char *const names[] = { "step", "try", "version" };
    static const struct cli_range ranges[] = { { 0, LAST_STEP },
                                               { 1, TRIES_MAX },
                                               { 1, INT64_MAX } };
    const char *query = "";

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int64_t number = -1;

        if (!cli_number(cli, arena_printf(&cli->arena, "--%s", names[i]), ranges[i], &number))
            return NULL;
        if (number >= 0)
            query = arena_printf(&cli->arena,
                                 "%s%s%s=%lld",
                                 query,
                                 query[0] == '\0' ? "?" : "&",
                                 names[i],
                                 (long long)number);
    }
    return query;
}

enum cli_exit verb_explain(struct cli *cli)
{
    const bool all = cli_flag(cli, "--all");
    const char *const query = explain_query(cli);
    const char *const name = query != NULL ? cli_deployment(cli) : NULL;
    struct cli_answer answer;
    enum cli_exit result;
    const char *path;

    if (name == NULL || !cli_finished(cli))
        return EXIT_USAGE;
    path = cli_path(cli, "/v1/deployments/%s/explain", name);
    path = arena_printf(&cli->arena, "%s%s", path, query);
    result = cli_get(cli, path, &answer);
    if (result != EXIT_DONE)
        return result;
    if (cli->json)
        say_json(&answer);
    else
        print_explanation(cli, answer.body, all);
    cli_release(&answer);
    return EXIT_DONE;
}
