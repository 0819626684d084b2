/* freeze: times in which nothing new is begun. */
#include "services/cli/cli.h"

#include "common/base/json.h"

#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 16 * 1024 };

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
    if (json_array_size(field(freeze, "holds")) > 0)
        (void)printf("  holds ");
    json_array_foreach(field(freeze, "holds"), i, held)
    {
        (void)printf("%s%s", i > 0 ? ", " : "", json_string_value(held));
    }
    if (json_array_size(field(freeze, "holds")) > 0)
        (void)printf("; rollbacks and flags off never wait\n");
    if (!field_true(freeze, "configured"))
        (void)printf("  lift it: slipway freeze lift %s\n", field_text(freeze, "id"));
}

/* What is to be frozen, from when to when, and why. */
struct freeze {
    const char *scope;
    const char *reason;
    int64_t from_ms;
    int64_t to_ms;
};

static const char *freeze_body(struct cli *cli, const struct freeze *freeze)
{
    struct text text = text_new(BODY_MAX);
    struct json json = json_into(&text);

    json_put_object(&json, NULL);
    json_put_text(&json, "scope", freeze->scope);
    json_put_int(&json, "from_ms", freeze->from_ms);
    json_put_int(&json, "to_ms", freeze->to_ms);
    json_put_text(&json, "reason", freeze->reason);
    json_end_object(&json);
    return say_taken(cli, &text);
}

/* False: something is not there, or is no time. */
static bool read_freeze(struct cli *cli, struct freeze *ret)
{
    const char *const from = cli_option(cli, "--from");
    const char *const to = cli_option(cli, "--to");

    ret->reason = cli_option(cli, "--reason");
    ret->from_ms = cli_time(cli, from != NULL ? from : "now", clock_now_ms(cli->clock));
    ret->to_ms = to != NULL && ret->from_ms >= 0 ? cli_time(cli, to, ret->from_ms) : -1;
    ret->scope = cli_next(cli);
    return ret->scope != NULL && ret->reason != NULL && ret->from_ms >= 0 && ret->to_ms >= 0;
}

static enum cli_exit freeze_add(struct cli *cli)
{
    struct freeze freeze;

    if (!read_freeze(cli, &freeze))
        return cli_usage(cli,
                         "freeze add ENVIRONMENT/SERVICE [--from TIME] --to TIME --reason "
                         "TEXT; TIME is now, +4h, 'thu 18:00', or 2026-11-27T06:00:00Z");
    if (!cli_finished(cli))
        return EXIT_USAGE;
    return cli_tell(cli,
                    &(struct cli_request){ .method = "POST",
                                           .path = "/v1/freezes",
                                           .body = freeze_body(cli, &freeze),
                                           .content_type = "application/json" },
                    print_freeze);
}

static enum cli_exit freeze_lift(struct cli *cli)
{
    const char *const id = cli_next(cli);
    struct cli_answer answer;
    enum cli_exit result;

    if (id == NULL || !cli_finished(cli))
        return cli_usage(cli, "freeze lift ID");
    result = cli_ask(cli,
                     &(struct cli_request){ .method = "DELETE",
                                            .path = cli_path(cli, "/v1/freezes/%s", id) },
                     &answer);
    if (result != EXIT_DONE)
        return result;
    if (cli->json)
        say_json(&answer);
    else
        (void)printf("lifted  %s\n", id);
    cli_release(&answer);
    return EXIT_DONE;
}

static void print_freezes(struct cli *cli, const json_t *body)
{
    size_t i;
    json_t *freeze;

    if (json_array_size(field(body, "items")) == 0)
        (void)puts("nothing is frozen");
    json_array_foreach(field(body, "items"), i, freeze)
    {
        print_freeze(cli, freeze);
    }
}

static enum cli_exit freeze_list(struct cli *cli)
{
    return cli_tell(
        cli, &(struct cli_request){ .method = "GET", .path = "/v1/freezes" }, print_freezes);
}

enum cli_exit verb_freeze(struct cli *cli)
{
    const char *const what = cli_next(cli);

    if (what == NULL || strcmp(what, "list") == 0)
        return cli_finished(cli) ? freeze_list(cli) : EXIT_USAGE;
    if (strcmp(what, "add") == 0)
        return freeze_add(cli);
    return strcmp(what, "lift") == 0 ? freeze_lift(cli)
                                     : cli_usage(cli, "freeze list|add|lift");
}
