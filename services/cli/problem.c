/* Problems of the API as people read them: what, where, why, and last what to do. */
#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
static enum cli_exit exit_of_status(int status)
{
    switch (status) {
    case 400:                     return EXIT_USAGE;
    case 401: case 403:           return EXIT_NOT_ALLOWED;
    case 404: case 410:           return EXIT_NO_SUCH;
    case 412: case 428:           return EXIT_CHANGED;
    case 429: case 503: case 502:
    case 500: case 504:           return EXIT_UNREACHABLE;
    default:                      return EXIT_NO;
    }
}

/* What to do where the answer does not say. */
static const struct {
    const char *code;
    const char *remedy;
} remedies[] = {
    { "not-signed-in",       "slipway login" },
    { "role-missing",        "ask somebody who has it; what your token may: slipway doctor" },
    { "own-submission",      "ask another of that role:  slipway inbox --all" },
    { "no-such",             "slipway list --all" },
    { "forgotten",           "its report is in the archive" },
    { "version-changed",     "look again, then ask again:  slipway show" },
    { "plan-changed",        "read it, then approve it:  slipway plan" },
    { "not-now",             "see what it waits for:  slipway show" },
    { "confirmation-needed", "name each of them" },
    { "check-not-waivable",  "put it right, then:  slipway retry" },
    { "reason-missing",      "add --reason \"...\"" },
    { "too-many",            "wait a minute, then ask again" },
    { "no-coordinator",      "slipway doctor" },
    { "behind",              "ask again in a few seconds; slipway doctor" },
    { "invalid",             "put it right and ask again;  man 5 feature.yaml" },
    { "malformed",           "put it right and ask again" },
    { "unknown-filter",      "slipway help list" },
};
/* clang-format on */

static const char *remedy_of(const struct cli_answer *answer)
{
    const char *const told = field_text(answer->body, "remedy");
    const char *const code = field_text(answer->body, "code");

    if (told[0] != '\0')
        return told;
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++) {
        if (strcmp(remedies[i].code, code) == 0)
            return remedies[i].remedy;
    }
    return answer->status == 409 ? "see what it waits for:  slipway show" : "slipway doctor";
}

static const char *what_of(struct cli *cli, const struct cli_answer *answer)
{
    if (answer->status == 401 && cli->token == NULL)
        return arena_printf(&cli->arena, "you are not signed in at %s", cli->server.value);
    if (answer->status == 401)
        return arena_printf(&cli->arena,
                            "%s does not know the token of %s",
                            cli->server.value,
                            cli->token_file.value);
    if (answer->body == NULL)
        return "the server answered with an error that is none of Slipway's";
    if (field_text(answer->body, "detail")[0] != '\0')
        return field_text(answer->body, "detail");
    return field_text(answer->body, "title");
}

/* "; did you mean express-pay.3?" */
static void print_near(const json_t *body)
{
    const char *const first = json_string_value(json_array_get(field(body, "near"), 0));

    if (first != NULL)
        (void)fprintf(stderr, "; did you mean %s?", first);
}

static void print_errors(const struct cli *cli, const json_t *body)
{
    size_t i;
    json_t *item;

    json_array_foreach(field(body, "errors"), i, item)
    {
        (void)fprintf(stderr,
                      "%s:%lld:%lld: %s: %s\n",
                      cli->file != NULL ? cli->file : "feature.yaml",
                      (long long)field_int(item, "line"),
                      (long long)field_int(item, "column"),
                      field_true(item, "warning") ? "warning" : "error",
                      field_text(item, "found"));
        if (field_text(item, "expected")[0] != '\0')
            (void)fprintf(stderr, "    expected %s\n", field_text(item, "expected"));
    }
}

static void print_confirm(const json_t *body)
{
    size_t i;
    json_t *item;

    json_array_foreach(field(body, "confirm"), i, item)
    {
        (void)fprintf(stderr,
                      "  needed:  --accept-no-return %lld: %s\n           way back: %s\n",
                      (long long)field_int(item, "value"),
                      field_text(item, "what"),
                      field_text(item, "way_back"));
    }
}

/* What happened since the version that was shown. */
static void print_changed(struct cli *cli, const json_t *body)
{
    size_t i;
    json_t *entry;

    json_array_foreach(field(body, "entries"), i, entry)
    {
        if (!json_is_object(field(entry, "finding")))
            (void)fprintf(stderr,
                          "  since:   %s v%lld %s %s: %s\n",
                          say_clock(cli, field_int(entry, "at_ms")),
                          (long long)field_int(entry, "version"),
                          field_text(entry, "type"),
                          field_text(entry, "actor"),
                          field_text(entry, "text"));
    }
}

static void print_allowed(const json_t *body)
{
    const json_t *const allowed = field(body, "allowed");
    size_t i;
    json_t *request;

    if (json_array_size(allowed) == 0)
        return;
    (void)fprintf(stderr, "  you may: ");
    json_array_foreach(allowed, i, request)
    {
        (void)fputs(i > 0 ? ", " : "", stderr);
        for (const char *c = json_string_value(request); *c != '\0'; c++)
            (void)fputc(*c == '_' ? '-' : *c, stderr); /* As the verbs are written. */
    }
    (void)fputc('\n', stderr);
}

enum cli_exit cli_problem(struct cli *cli, const struct cli_answer *answer)
{
    if (cli->silent)
        return exit_of_status(answer->status);
    (void)fprintf(stderr,
                  "slipway: %s%s",
                  answer->status == 409 ? "refused: " : "",
                  what_of(cli, answer));
    print_near(answer->body);
    (void)fputc('\n', stderr);
    print_errors(cli, answer->body);
    print_confirm(answer->body);
    print_changed(cli, answer->body);
    print_allowed(answer->body);
    if (cli->verbose && field_text(answer->body, "trace_id")[0] != '\0')
        (void)fprintf(stderr, "  trace:   %s\n", field_text(answer->body, "trace_id"));
    if (json_array_size(field(answer->body, "near")) == 0)
        (void)fprintf(stderr, "  do:      %s\n", remedy_of(answer));
    return exit_of_status(answer->status);
}
