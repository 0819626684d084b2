/* timeline, report, signals: what is on record. */
#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { LAST_DEFAULT = 50, LOOK_MS = 500 };

/* --- timeline --- */

void timeline_entry(struct cli *cli, const json_t *entry)
{
    (void)printf("%s  v%-5lld %-18s %-12s %s\n",
                 say_clock(cli, field_int(entry, "at_ms")),
                 (long long)field_int(entry, "version"),
                 field_text(entry, "type"),
                 field_text(entry, "actor"),
                 field_text(entry, "text"));
}

static void print_entries(struct cli *cli, const json_t *items, size_t last, const char *name)
{
    const size_t count = json_array_size(items);
    size_t i;
    json_t *entry;

    (void)printf("times in %s\n", say_zone(cli));
    json_array_foreach(items, i, entry)
    {
        if (last == 0 || i + last >= count)
            timeline_entry(cli, entry);
    }
    if (last > 0 && count > last)
        (void)printf("%zu of %zu; all: --all; follow: --follow; table: --csv; decisions: "
                     "slipway explain %s\n",
                     last,
                     count,
                     name);
}

static void follow_entry(struct cli *cli, const json_t *entry)
{
    if (cli->json)
        say_json_line(entry);
    else
        timeline_entry(cli, entry);
}

/* What came after version; version becomes that of the newest. */
static enum cli_exit follow_look(struct cli *cli, const char *name, int64_t *version)
{
    struct cli_answer answer;
    const char *const path = cli_path(cli, "/v1/deployments/%s/timeline", name);
    const enum cli_exit result =
        cli_get(cli,
                arena_printf(&cli->arena, "%s?after_version=%lld", path, (long long)*version),
                &answer);
    size_t i;
    json_t *entry;

    if (result != EXIT_DONE)
        return result;
    json_array_foreach(field(answer.body, "items"), i, entry)
    {
        follow_entry(cli, entry);
        *version = field_int(entry, "version");
    }
    (void)fflush(stdout);
    cli_release(&answer);
    return EXIT_DONE;
}

/* Whether nothing more can come, and how it stands. */
static enum cli_exit follow_ended(struct cli *cli, const char *name, bool *ret_ended)
{
    struct cli_answer answer;
    const enum cli_exit result =
        cli_get(cli, cli_path(cli, "/v1/deployments/%s", name), &answer);

    if (result != EXIT_DONE)
        return result;
    *ret_ended = field_text(answer.body, "exit")[0] != '\0';
    cli_release(&answer);
    return EXIT_DONE;
}

/* Looks before it asks whether it has ended, so that the last entries are not missed. */
static enum cli_exit follow_once(struct cli *cli,
                                 const char *name,
                                 int64_t *version,
                                 bool *ret_ended)
{
    const struct arena kept = cli->arena;
    enum cli_exit result;

    cli->arena = arena_with_limit(CLI_MEMORY);
    result = follow_ended(cli, name, ret_ended);
    if (result == EXIT_DONE)
        result = follow_look(cli, name, version);
    arena_release(&cli->arena);
    cli->arena = kept;
    return result;
}

static enum cli_exit follow(struct cli *cli, const char *name)
{
    const int64_t began_ms = clock_monotonic_ms(cli->clock);
    int64_t version = 0;

    for (;;) {
        bool ended = false;
        const enum cli_exit result = follow_once(cli, name, &version, &ended);

        if (result != EXIT_DONE || ended)
            return result;
        if (cli->timeout_ms > 0 && clock_monotonic_ms(cli->clock) - began_ms >= cli->timeout_ms)
            return EXIT_TIMED_OUT;
        if (!cli->terminal.wait(cli->terminal.self, LOOK_MS))
            return EXIT_INTERRUPTED;
    }
}

enum cli_exit verb_timeline(struct cli *cli)
{
    const bool csv = cli_flag(cli, "--csv");
    const bool all = cli_flag(cli, "--all");
    const bool follows = cli_flag(cli, "--follow");
    struct cli_request request = { .method = "GET", .accept = csv ? "text/csv" : NULL };
    int64_t last = LAST_DEFAULT;
    struct cli_answer answer;
    enum cli_exit result;
    const char *name;

    if (!cli_number(cli, "--last", (struct cli_range){ 1, INT32_MAX }, &last))
        return EXIT_USAGE;
    name = cli_deployment(cli);
    if (name == NULL || !cli_finished(cli))
        return EXIT_USAGE;
    if (follows)
        return follow(cli, name);
    request.path = cli_path(cli, "/v1/deployments/%s/timeline", name);
    result = cli_ask(cli, &request, &answer);
    if (result != EXIT_DONE)
        return result;
    if (csv || cli->json)
        say_json(&answer);
    else
        print_entries(cli, field(answer.body, "items"), all ? 0 : (size_t)last, name);
    cli_release(&answer);
    return EXIT_DONE;
}

/* --- report --- */

static void print_done_items(struct cli *cli, const json_t *report)
{
    size_t i;
    json_t *item;

    json_array_foreach(field(report, "definition_of_done"), i, item)
    {
        (void)printf("  %s %s\n",
                     say_glyph(cli, field_true(item, "done") ? "PASS" : "FAIL"),
                     field_text(item, "text"));
    }
}

/* The dates that an audit asks for; "-" for what never came. */
static void print_dates(struct cli *cli, const json_t *report)
{
    static const struct {
        const char *name;
        const char *path;
    } dates[] = {
        { "execution", "state.dates.execution_ms" },
        { "validation", "state.dates.validation_ms" },
        { "post-validation", "state.dates.post_validation_ms" },
        { "monitoring", "state.dates.monitoring_ms" },
        { "end", "state.dates.completion_ms" },
    };

    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++)
        (void)printf("%s%s%s%s %s",
                     i > 0 ? " " : "",
                     i > 0 ? say_dot(cli) : "",
                     i > 0 ? " " : "",
                     dates[i].name,
                     say_time(cli, field_int(report, dates[i].path)));
    (void)putchar('\n');
}

/* What took it back, and how long each part of that took. */
static void print_stop(struct cli *cli, const json_t *report)
{
    const int64_t stop_ms = field_int(report, "state.stop.at_ms");
    const int64_t off_ms = field_int(report, "state.flags.off_ms");
    const int64_t end_ms = field_int(report, "state.phase_ms");

    if (stop_ms == 0)
        return;
    (void)printf("stopped  %s by %s: %s\n        ",
                 say_clock_ms(cli, stop_ms),
                 field_text(report, "state.stop.by"),
                 field_text(report, "state.stop.cause"));
    if (off_ms >= stop_ms)
        (void)printf(" flags off, read back +%s;", say_duration(cli, off_ms - stop_ms));
    if (end_ms >= stop_ms)
        (void)printf(
            " %s +%s", field_text(report, "exit"), say_duration(cli, end_ms - stop_ms));
    (void)putchar('\n');
}

static void print_report(struct cli *cli, const json_t *report)
{
    size_t i;
    json_t *item;

    (void)printf("%s  %s  %s\n",
                 field_text(report, "state.id"),
                 field_text(report, "exit"),
                 field_text(report, "state.title"));
    print_dates(cli, report);
    print_stop(cli, report);
    print_done_items(cli, report);
    json_array_foreach(field(report, "lessons"), i, item)
    {
        (void)printf(
            "lesson   for %s: %s\n", field_text(item, "assignee"), field_text(item, "text"));
    }
    json_array_foreach(field(report, "next_steps"), i, item)
    {
        (void)printf("next     %s\n", json_string_value(item));
    }
    (void)printf("as file  --markdown  --json\n");
}

/* As cli_tell does it, and whether it is as it was sent. */
static enum cli_exit tell_report(struct cli *cli,
                                 const struct cli_request *request,
                                 bool markdown)
{
    struct cli_answer answer;
    const enum cli_exit result = cli_ask(cli, request, &answer);

    if (result != EXIT_DONE)
        return result;
    if (cli->json || markdown)
        say_json(&answer);
    else
        print_report(cli, answer.body);
    if (answer.digest == NULL && !cli->quiet)
        (void)fprintf(stderr, "the server sent no digest with it: what came is not verified\n");
    else if (answer.digest != NULL && !cli->json && !markdown)
        (void)printf("verified %s\n", answer.digest);
    cli_release(&answer);
    return EXIT_DONE;
}

enum cli_exit verb_report(struct cli *cli)
{
    const bool markdown = cli_flag(cli, "--markdown");
    const char *const name = cli_deployment(cli);
    struct cli_request request = { .method = "GET" };

    if (name == NULL || !cli_finished(cli))
        return EXIT_USAGE;
    request.path = cli_path(cli, "/v1/deployments/%s/report", name);
    request.accept = markdown ? "text/markdown" : NULL;
    return tell_report(cli, &request, markdown);
}

/* --- signals --- */

/* The member that says which signal it is. */
static const char *signal_name(json_t *signal)
{
    const char *name;
    json_t *value;

    json_object_foreach(signal, name, value)
    {
        if (json_is_object(value))
            return name;
    }
    return "?";
}

/* "feature_deployed" as others know it: "FeatureDeployed". */
static const char *signal_type(struct cli *cli, const char *name)
{
    char *const type = arena_copy(&cli->arena, name, strlen(name));
    bool upper = true;
    char *to = type;

    for (const char *from = name; *from != '\0'; from++) {
        if (*from == '_') {
            upper = true;
            continue;
        }
        *to++ = (char)(upper && *from >= 'a' && *from <= 'z' ? *from - 'a' + 'A' : *from);
        upper = false;
    }
    *to = '\0';
    return type;
}

static const char *signal_words(struct cli *cli, const json_t *body)
{
    static const char *const texts[] = { "version", "audience", "exit", "cause", "reason" };
    struct text text = text_new(4096);

    if (field(body, "percent") != NULL)
        text_add(&text, "%lld %%  ", (long long)field_int(body, "percent"));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (field_text(body, texts[i])[0] != '\0')
            text_add(&text, "%s  ", field_text(body, texts[i]));
    }
    while (text.length > 0 && text.bytes[text.length - 1] == ' ')
        text.bytes[--text.length] = '\0';
    return say_taken(cli, &text);
}

static void print_signal(struct cli *cli, json_t *signal)
{
    const char *const name = signal_name(signal);

    if (cli->json) {
        say_json_line(signal);
        return;
    }
    (void)printf("%s  %lld  %-18s %s  %s\n",
                 say_clock(cli, field_int(signal, "at_ms")),
                 (long long)field_int(signal, "sequence"),
                 signal_type(cli, name),
                 field_text(signal, "deployment"),
                 signal_words(cli, json_object_get(signal, name)));
}

enum cli_exit verb_signals(struct cli *cli)
{
    const char *const feature = cli_option(cli, "--feature");
    struct cli_answer answer;
    enum cli_exit result;
    size_t i;
    json_t *signal;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    result = cli_get(cli,
                     feature != NULL ? cli_path(cli, "/v1/signals?feature=%s", feature)
                                     : "/v1/signals",
                     &answer);
    if (result != EXIT_DONE)
        return result;
    json_array_foreach(field(answer.body, "items"), i, signal)
    {
        print_signal(cli, signal);
    }
    if (!cli->json && json_array_size(field(answer.body, "items")) == 0)
        (void)puts("nothing has been told yet");
    cli_release(&answer);
    return EXIT_DONE;
}
