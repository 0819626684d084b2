/* plan: what will be done, in which order, and what differs from the last attempt. */
#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 4096 };

/* --- shared with approve and submit --- */

void plan_print_diff(FILE *out, const json_t *diff)
{
    size_t i;
    json_t *difference;

    json_array_foreach(diff, i, difference)
    {
        const char *const was = field_text(difference, "was");
        const char *const now = field_text(difference, "now");

        (void)fprintf(out,
                      "  %s  %-24s %s%s%s\n",
                      field_text(difference, "op"),
                      field_text(difference, "path"),
                      was,
                      was[0] != '\0' && now[0] != '\0' ? " -> " : "",
                      now);
    }
}

void plan_print_no_return(FILE *out, const struct cli *cli, const json_t *plan)
{
    size_t i;
    json_t *change;

    json_array_foreach(field(plan, "ponr"), i, change)
    {
        (void)fprintf(out,
                      "%s From change %lld on: %s\n  way back: %s\n",
                      say_glyph(cli, "WARN"),
                      (long long)field_int(change, "change"),
                      field_text(change, "what"),
                      field_text(change, "way_back"));
    }
}

/* --- changes --- */

/* "MIGRATION" as people write it. */
static const char *lower(struct cli *cli, const char *word)
{
    char *const copy = arena_copy(&cli->arena, word, strlen(word));

    for (char *c = copy; *c != '\0'; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    return copy;
}

/* "2+2+1": how many instances each batch takes. */
static const char *batches_of(struct cli *cli, const json_t *change)
{
    struct text text = text_new(WORDS_MAX);
    size_t i;
    json_t *batch;

    json_array_foreach(field(change, "batches"), i, batch)
    {
        text_add(&text, "%s%zu", i > 0 ? "+" : "", json_array_size(field(batch, "instances")));
    }
    return say_taken(cli, &text);
}

static const char *way_back(const char *on_rollback)
{
    if (strcmp(on_rollback, "REVERT") == 0)
        return "reverted";
    return strcmp(on_rollback, "KEEP") == 0 ? "kept" : "! POINT OF NO RETURN";
}

static void print_changes(struct cli *cli, const json_t *plan)
{
    static const char *const head[] = { "CHANGES, in order", "",  "", "BATCHES",
                                        "ON ROLLBACK",       NULL };
    struct table *const table = table_new(cli, head);
    size_t i;
    json_t *change;

    json_array_foreach(field(plan, "changes"), i, change)
    {
        const char *const kind = lower(cli, field_text(change, "kind"));
        const char *const cells[] = {
            arena_printf(&cli->arena, "  %zu  %s", i + 1, kind),
            arena_printf(&cli->arena,
                         "%s %s",
                         field_text(change, "artifact"),
                         field_text(change, "version")),
            arena_printf(&cli->arena, "on %s", field_text(change, "target")),
            batches_of(cli, change),
            way_back(field_text(change, "on_rollback")),
        };

        table_row(table, cells);
    }
    table_print(table);
}

/* --- lines --- */

/* A heading and what follows it, ten columns in. */
static void print_line(const char *title, const char *text)
{
    if (text[0] != '\0')
        (void)printf("%-10s %s\n", title, text);
}

static void print_texts(const char *title, const json_t *texts)
{
    size_t i;
    json_t *text;

    json_array_foreach(texts, i, text)
    {
        print_line(i == 0 ? title : "", json_string_value(text));
    }
}

static const char *stages_of(struct cli *cli, const json_t *plan)
{
    struct text text = text_new(WORDS_MAX);
    size_t i;
    json_t *stage;

    json_array_foreach(field(plan, "stages"), i, stage)
    {
        const char *const gate = field_text(stage, "gate");

        text_add(&text,
                 "%s%s%s %lld %% %s%s%s",
                 i == 0 ? "" : " ",
                 i == 0 ? "" : arena_printf(&cli->arena, "%s ", say_dot(cli)),
                 field_text(stage, "name"),
                 (long long)field_int(stage, "percent"),
                 say_duration(cli, field_int(stage, "min_ms")),
                 gate[0] != '\0' ? ", then by " : "",
                 gate);
    }
    return say_taken(cli, &text);
}

static const char *checks_of(struct cli *cli, const json_t *plan)
{
    static const char *const steps[] = { "1", "2", "3", "4", "5", "6", "7" };
    struct text text = text_new(WORDS_MAX);

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const int64_t count =
            json_integer_value(json_object_get(field(plan, "plan.checks"), steps[i]));

        if (count == 0)
            continue;
        if (text.length > 0)
            text_add(&text, " %s ", say_dot(cli));
        text_add(&text, "step %s: %lld", steps[i], (long long)count);
    }
    text_add(&text, " for %s", say_duration(cli, field_int(plan, "plan.observe_ms")));
    return say_taken(cli, &text);
}

static const char *windows_of(struct cli *cli, const json_t *plan)
{
    static const char *const days[] = { "?", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    struct text text = text_new(WORDS_MAX);
    size_t i;
    size_t k;
    json_t *window;
    json_t *day;

    json_array_foreach(field(plan, "plan.windows"), i, window)
    {
        const int64_t from = field_int(window, "from_minute");
        const int64_t to = field_int(window, "to_minute");

        text_add(&text, "%s%s:", i > 0 ? "; " : "", field_text(window, "name"));
        json_array_foreach(field(window, "days"), k, day)
        {
            const json_int_t number = json_integer_value(day);

            text_add(&text, " %s", days[number >= 1 && number <= 7 ? number : 0]);
        }
        text_add(&text,
                 " %02lld:%02lld to %02lld:%02lld %s",
                 (long long)from / 60,
                 (long long)from % 60,
                 (long long)to / 60,
                 (long long)to % 60,
                 field_text(window, "zone"));
    }
    return say_taken(cli, &text);
}

static void print_difference(const json_t *plan)
{
    const char *const against = field_text(plan, "against");

    if (against[0] == '\0')
        return;
    (void)printf("differs from %s%s\n",
                 against,
                 json_array_size(field(plan, "diff")) > 0 ? ":" : " in nothing");
    plan_print_diff(stdout, field(plan, "diff"));
}

static void print_plan(struct cli *cli, const json_t *plan)
{
    const char *const hash = field_text(plan, "plan.hash");

    (void)printf("%s  plan %s  compiled %s  policy %s  %s  configuration %s\n",
                 field_text(plan, "deployment"),
                 say_hash(cli, hash),
                 say_time(cli, field_int(plan, "plan.compiled_ms")),
                 field_text(plan, "plan.policy"),
                 field_text(plan, "plan.approach"),
                 say_hash(cli, field_text(plan, "plan.config_hash")));
    print_difference(plan);
    print_changes(cli, plan);
    plan_print_no_return(stdout, cli, field(plan, "plan"));
    print_line("STAGES", stages_of(cli, plan));
    print_line("CHECKS", checks_of(cli, plan));
    print_line("WINDOW", windows_of(cli, plan));
    print_texts("RISKS", field(plan, "plan.risks"));
    print_texts("UNKNOWN", field(plan, "plan.unknowns"));
    (void)printf("sha256:%s\nwhole document: slipway plan %s --markdown\n",
                 hash,
                 field_text(plan, "deployment"));
}

enum cli_exit verb_plan(struct cli *cli)
{
    const bool markdown = cli_flag(cli, "--markdown");
    const char *const name = cli_deployment(cli);
    struct cli_request request = { .method = "GET" };

    if (name == NULL || !cli_finished(cli))
        return EXIT_USAGE;
    request.path = cli_path(cli, "/v1/deployments/%s/plan", name);
    request.accept = markdown ? "text/markdown" : NULL;
    return cli_tell(cli, &request, markdown ? NULL : print_plan);
}
