/* list, inbox: several deployments, and what each waits for. */
#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

/* "✓✓✓✓▶···": a glyph for each step, 0 to 7. */
static const char *step_strip(struct cli *cli, const json_t *deployment)
{
    struct text strip = text_new(512);
    size_t i;
    json_t *step;

    json_array_foreach(field(deployment, "steps"), i, step)
    {
        text_add(&strip, "%s", say_glyph(cli, field_text(step, "state")));
    }
    return say_taken(cli, &strip);
}

static const char *time_left(struct cli *cli, int64_t deadline_ms)
{
    return deadline_ms == 0 ? "" : say_duration(cli, deadline_ms - clock_now_ms(cli->clock));
}

/* --- list --- */

static const char *list_query(struct cli *cli, bool all, bool mine)
{
    static const char *const filters[] = { "state", "phase",       "step", "service",
                                           "exit",  "environment", "q",    "feature",
                                           "limit", "cursor",      NULL };
    struct text query = text_new(2048);

    text_add(&query, "/v1/deployments?live=%s", all ? "all" : "true");
    if (mine)
        text_add(&query, "&waiting_for=me");
    for (size_t i = 0; filters[i] != NULL; i++) {
        const char *const value =
            cli_option(cli, arena_printf(&cli->arena, "--%s", filters[i]));

        if (value == NULL)
            continue;
        text_add(&query, "&%s=", filters[i]);
        text_add(&query, "%s", cli_path(cli, "%s", value));
    }
    return say_taken(cli, &query);
}

static bool is_one_of(const json_t *list, const json_t *wanted)
{
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
    {
        if (json_equal(one, wanted))
            return true;
    }
    return false;
}

/* "you: " where one of my roles is waited for, else who; then what is the matter. */
static const char *waits_for(struct cli *cli, const json_t *item, const json_t *me)
{
    const json_t *const who = field(item, "waiting_for.who");
    const char *const sentence = say_sentence(cli, item, "sentence");
    size_t i;
    json_t *one;

    json_array_foreach(who, i, one)
    {
        if (is_one_of(field(me, "roles"), one))
            return arena_printf(&cli->arena, "you: %s", sentence);
    }
    if (json_array_size(who) == 0)
        return sentence;
    return arena_printf(&cli->arena, "%s: %s", say_who(cli, item), sentence);
}

static void print_list(struct cli *cli, const json_t *body, const json_t *me, bool all)
{
    static const char *const head[] = { "NAME", "STEPS", "STATE", "*WAITS FOR", "LEFT", NULL };
    struct table *const table = table_new(cli, head);
    const size_t count = json_array_size(field(body, "items"));
    const char *const next = field_text(body, "next");
    size_t i;
    json_t *item;

    json_array_foreach(field(body, "items"), i, item)
    {
        const char *const cells[] = { field_text(item, "id"),
                                      step_strip(cli, item),
                                      say_state(cli, item),
                                      waits_for(cli, item, me),
                                      time_left(cli,
                                                field_int(item, "waiting_for.deadline_ms")) };

        table_row(table, cells);
    }
    if (count > 0)
        table_print(table);
    (void)printf("%zu%s%s", count, next[0] != '\0' ? " shown" : "", all ? "" : " live");
    if (next[0] != '\0')
        (void)printf("; more: slipway list%s --cursor '%s'\n", all ? " --all" : "", next);
    else
        (void)printf("%s; only mine: --mine; columns: --json\n",
                     all ? "" : "; ended ones: --all");
}

enum cli_exit verb_list(struct cli *cli)
{
    const bool all = cli_flag(cli, "--all");
    const char *const path = list_query(cli, all, cli_flag(cli, "--mine"));
    struct cli_answer answer;
    struct cli_answer me;
    enum cli_exit result;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    result = cli_get(cli, path, &answer);
    if (result != EXIT_DONE)
        return result;
    if (cli->json) {
        say_json(&answer);
    } else {
        result = cli_get(cli, "/v1/me", &me);
        if (result == EXIT_DONE)
            print_list(cli, answer.body, me.body, all);
        cli_release(&me);
    }
    cli_release(&answer);
    return result;
}

/* --- inbox --- */

static void print_item(struct cli *cli, const json_t *item)
{
    const int64_t deadline_ms = field_int(item, "deadline_ms");
    const char *const closed = field_text(item, "closed");

    if (closed[0] != '\0') {
        (void)printf("%s  as %s, closed\n    %s %s\n",
                     field_text(item, "deployment"),
                     field_text(item, "role"),
                     field_text(item, "detail"),
                     closed);
        return;
    }
    (void)printf("%s  as %s, since %s%s%s\n    %s\n    to do: %s\n",
                 field_text(item, "deployment"),
                 field_text(item, "role"),
                 say_time(cli, field_int(item, "since_ms")),
                 deadline_ms > 0 ? ", left: " : "",
                 time_left(cli, deadline_ms),
                 field_text(item, "detail"),
                 field_text(item, "ask"));
    if (field_text(item, "otherwise")[0] != '\0')
        (void)printf("    otherwise: %s\n", field_text(item, "otherwise"));
}

static void print_items(struct cli *cli, const json_t *body, const char *none)
{
    size_t i;
    json_t *item;

    if (json_array_size(field(body, "items")) == 0)
        (void)puts(none);
    json_array_foreach(field(body, "items"), i, item)
    {
        print_item(cli, item);
    }
}

static void print_mine(struct cli *cli, const json_t *body)
{
    print_items(cli, body, "nothing waits for you; for the others: --all");
}

static void print_everybodys(struct cli *cli, const json_t *body)
{
    print_items(cli, body, "nothing waits for anybody");
}

enum cli_exit verb_inbox(struct cli *cli)
{
    const bool all = cli_flag(cli, "--all");

    if (!cli_finished(cli))
        return EXIT_USAGE;
    return cli_tell(cli,
                    &(struct cli_request){ .method = "GET",
                                           .path = all ? "/v1/inbox?for=all" : "/v1/inbox" },
                    all ? print_everybodys : print_mine);
}
