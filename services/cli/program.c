/* A command line, from its words to the exit status. */
#include "services/cli/profile.h"

#include "common/config/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 256 };

static bool take_colour(struct cli *cli)
{
    const char *const colour = cli_option(cli, "--color");

    if (colour == NULL || strcmp(colour, "auto") == 0)
        return true;
    cli->colour = strcmp(colour, "always") == 0;
    return cli->colour || strcmp(colour, "never") == 0;
}

/* Flags that every verb understands, wherever they stand. */
static bool take_global_flags(struct cli *cli)
{
    const char *const timeout = cli_option(cli, "--timeout");
    const char *const server = cli_option(cli, "--server");

    cli->profile = cli_option(cli, "--profile");
    cli->json = cli_flag(cli, "--json");
    cli->quiet = cli_flag(cli, "--quiet");
    cli->ascii = cli_flag(cli, "--ascii") || cli->ascii;
    cli->utc = cli_flag(cli, "--utc");
    cli->terminal.asks = !cli_flag(cli, "--no-input") && cli->terminal.asks;
    cli->verbose = cli_flag(cli, "--verbose");
    cli->dry_run = cli_flag(cli, "--dry-run");
    cli->yes = cli_flag(cli, "--yes");
    if (server != NULL)
        cli->server = (struct cli_setting){ .value = server, .from = "--server" };
    if (!take_colour(cli)) {
        cli_complain(cli, "--color must be auto, always or never", "slipway help");
        return false;
    }
    if (timeout != NULL && option_duration_ms(timeout, &cli->timeout_ms) != ERR_OK) {
        cli_complain(cli, "--timeout must be a duration: 500ms, 30s, 5m", "slipway help");
        return false;
    }
    return true;
}

/* --- names from stdin --- */

/* The argument that stands for names to be read; argument_count if there is none. */
static size_t dash_of(const struct cli *cli)
{
    size_t i = 0;

    while (i < cli->argument_count && strcmp(cli->arguments[i], "-") != 0)
        i++;
    return i;
}

/* The first word of the line. */
static const char *name_in(struct cli *cli, const char *line)
{
    const char *const name = line + strspn(line, " \t");

    return arena_copy(&cli->arena, name, strcspn(name, " \t\r\n"));
}

/* The verb for each of them; the greatest exit status is the answer, so none is hidden. */
static enum cli_exit run_for_each(struct cli *cli, const struct verb *verb, size_t dash)
{
    enum cli_exit worst = EXIT_DONE;
    char line[NAME_BYTES];
    size_t count = 0;
    struct cli each;

    while (count < CLI_NAMES_MAX && fgets(line, sizeof line, cli->terminal.in) != NULL) {
        const char *const name = name_in(cli, line);
        enum cli_exit result;

        if (name[0] == '\0')
            continue;
        each = *cli;
        each.arguments[dash] = name;
        each.terminal.asks = false;
        count++;
        result = verb->run(&each);
        cli->arena = each.arena;
        worst = result > worst ? result : worst;
    }
    if (count == 0) {
        cli_complain(cli, "no names came on stdin", "one deployment a line");
        return EXIT_USAGE;
    }
    return worst;
}

/* --- verbs --- */

static enum cli_exit run_verb(struct cli *cli, const struct verb *verb)
{
    struct error error = { 0 };
    const size_t dash = dash_of(cli);

    if (profile_load(cli, &error) != ERR_OK && (verb->kind & VERB_OFFLINE) == 0) {
        cli_complain(
            cli, error.text, arena_printf(&cli->arena, "chmod 600 %s", cli->token_file.value));
        return EXIT_NOT_ALLOWED;
    }
    if ((verb->kind & VERB_NAMED) != 0 && dash < cli->argument_count)
        return run_for_each(cli, verb, dash);
    return verb->run(cli);
}

/* The verb that shares the longest beginning, for a suggestion. */
static const char *nearest_verb(const char *name)
{
    size_t count = 0;
    const struct verb *const verbs = verbs_all(&count);
    const char *nearest = NULL;
    size_t most = 1;

    for (size_t i = 0; i < count; i++) {
        size_t same = 0;

        while (name[same] != '\0' && name[same] == verbs[i].name[same])
            same++;
        if (same > most) {
            most = same;
            nearest = verbs[i].name;
        }
    }
    return nearest;
}

static enum cli_exit no_such_verb(struct cli *cli)
{
    const char *const nearest = nearest_verb(cli->verb);

    cli_complain(cli,
                 arena_printf(&cli->arena,
                              nearest != NULL ? "there is no verb %s; did you mean %s?"
                                              : "there is no verb %s",
                              cli->verb,
                              nearest),
                 "slipway help");
    return EXIT_USAGE;
}

enum cli_exit cli_run(struct cli *cli, const char *const *words, size_t count)
{
    const struct verb *verb;
    const char *name;
    bool help;

    if (count > CLI_ARGUMENTS_MAX) {
        cli_complain(cli, "too many arguments", "names can come from stdin: -");
        return EXIT_USAGE;
    }
    memcpy(cli->arguments, words, count * sizeof words[0]);
    cli->argument_count = count;
    if (cli_flag(cli, "--version")) {
        (void)printf("slipway %s\n", SLIPWAY_VERSION);
        return EXIT_DONE;
    }
    help = cli_flag(cli, "--help") || cli_flag(cli, "-h");
    if (!take_global_flags(cli))
        return EXIT_USAGE;
    name = cli_next(cli);
    if (name == NULL && cli->argument_count > 0)
        return cli_finished(cli) ? EXIT_DONE : EXIT_USAGE;
    cli->verb = help || name == NULL ? "help" : name;
    if (help) {
        cli->argument_count = name != NULL;
        cli->arguments[0] = name;
    }
    verb = verbs_find(cli->verb);
    if (verb == NULL)
        return no_such_verb(cli);
    return cli_flags_known(cli) ? run_verb(cli, verb) : EXIT_USAGE;
}
