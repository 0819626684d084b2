/* verify, rebuild: the log and what Redis makes of it. Only a coordinator knows how to fold the
 * log, so these run one here. */
#include "services/cli/cli.h"

#include <stdio.h>

enum { DIFFERS = 4, UNSURE = 5 };

static const char COORDINATOR[] = "slipway-coordinator";
static const char SETTINGS[] = "/etc/slipway/slipway.yaml";

/* Its status; EXIT_UNREACHABLE, with a message, if it could not do its work. */
static int run_coordinator(struct cli *cli, const char *settings, const char *task)
{
    const char *const argv[] = {
        COORDINATOR, "--config", settings != NULL ? settings : SETTINGS, task, NULL
    };
    const int status = cli->terminal.run(cli->terminal.self, argv);

    if (status == -1)
        cli_complain(cli,
                     arena_printf(&cli->arena, "%s is not installed here", COORDINATOR),
                     "run it where a coordinator runs, with its configuration and keys");
    return status;
}

enum cli_exit verb_verify(struct cli *cli)
{
    const char *const settings = cli_option(cli, "--settings");
    int status;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    status = run_coordinator(cli, settings, "--verify");
    if (status == 0)
        return EXIT_DONE;
    if (status == UNSURE)
        cli_complain(cli, "not all of Redis could be compared", "slipway verify, once more");
    if (status != DIFFERS)
        return EXIT_UNREACHABLE;
    cli_complain(cli, "Redis does not hold what the log says", "slipway help rebuild");
    return EXIT_NO;
}

enum cli_exit verb_rebuild(struct cli *cli)
{
    const char *const settings = cli_option(cli, "--settings");
    int status;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    if (!cli->yes &&
        !ask_yes(cli,
                 "Are all coordinators stopped, and may what Redis holds be forgotten? [y/N] ",
                 "--yes"))
        return cli->terminal.asks ? EXIT_NO : EXIT_USAGE;
    if (!cli->quiet)
        (void)fprintf(
            stderr,
            "a coordinator runs here now and folds the log anew; it serves until Ctrl-C\n");
    status = run_coordinator(cli, settings, "--rebuild");
    return status == 0 ? EXIT_DONE : EXIT_UNREACHABLE;
}
