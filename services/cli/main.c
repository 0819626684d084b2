#include "common/config/option.h"
#include "common/runtime/wiring.h"
#include "services/cli/profile.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool speaks_utf8(void)
{
    static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };

    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *const value = getenv(variables[i]);

        if (value != NULL && value[0] != '\0')
            return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL;
    }
    return false;
}

/* Flags that every verb understands, wherever they stand. */
static bool take_global_flags(struct cli *cli)
{
    const char *const timeout = cli_option(cli, "--timeout");
    const char *const server = cli_option(cli, "--server");

    cli->profile = cli_option(cli, "--profile");
    cli->json = cli_flag(cli, "--json");
    cli->quiet = cli_flag(cli, "--quiet");
    cli->ascii = cli_flag(cli, "--ascii") || !speaks_utf8();
    cli->utc = cli_flag(cli, "--utc");
    cli->no_input = cli_flag(cli, "--no-input");
    cli->verbose = cli_flag(cli, "--verbose");
    cli->dry_run = cli_flag(cli, "--dry-run");
    cli->yes = cli_flag(cli, "--yes");
    (void)cli_option(cli, "--color");
    if (server != NULL)
        cli->server = (struct cli_setting){ .value = server, .from = "--server" };
    return timeout == NULL || option_duration_ms(timeout, &cli->timeout_ms) == ERR_OK;
}

static const struct verb *find_verb(const char *name)
{
    size_t count = 0;
    const struct verb *const verbs = verbs_all(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static enum cli_exit run_online(struct cli *cli, const struct verb *verb)
{
    struct error error = { 0 };
    enum cli_exit result;

    if (profile_load(cli, &error) != ERR_OK) {
        cli_complain(cli, error.text, "chmod 600 the token file");
        return EXIT_NOT_ALLOWED;
    }
    if (verb->offline)
        return verb->run(cli);
    if (wiring_http(&cli->http, &error) != ERR_OK) {
        cli_complain(cli, error.text, NULL);
        return EXIT_UNREACHABLE;
    }
    result = verb->run(cli);
    cli->http.close(cli->http.self);
    return result;
}

static enum cli_exit run(struct cli *cli)
{
    const bool version = cli_flag(cli, "--version");
    const bool help = cli_flag(cli, "--help") || cli_flag(cli, "-h");
    const char *name;
    const struct verb *verb;

    if (!take_global_flags(cli)) {
        cli_complain(cli, "--timeout must be a duration: 30s", NULL);
        return EXIT_USAGE;
    }
    if (version) {
        (void)printf("slipway %s\n", SLIPWAY_VERSION);
        return EXIT_DONE;
    }
    name = cli_next(cli);
    cli->verb = help || name == NULL ? "help" : name;
    if (help && name != NULL)
        cli->arguments[cli->argument_count++] = name;
    verb = find_verb(cli->verb);
    if (verb == NULL) {
        cli_complain(
            cli, arena_printf(&cli->arena, "there is no verb %s", cli->verb), "slipway help");
        return EXIT_USAGE;
    }
    return run_online(cli, verb);
}

int main(int argc, char **argv)
{
    struct cli cli = { .arena = arena_with_limit(CLI_MEMORY), .clock = wiring_clock() };
    enum cli_exit result;

    (void)setlocale(LC_ALL, "");
    tzset();
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc > CLI_ARGUMENTS_MAX) {
        cli_complain(&cli, "too many arguments", NULL);
        return EXIT_USAGE;
    }
    for (int i = 1; i < argc; i++)
        cli.arguments[cli.argument_count++] = argv[i];
    result = run(&cli);
    arena_release(&cli.arena);
    return (int)result;
}
