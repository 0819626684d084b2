#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

static void take_out(struct cli *cli, size_t place, size_t count)
{
    for (size_t i = place; i + count < cli->argument_count; i++)
        cli->arguments[i] = cli->arguments[i + count];
    cli->argument_count -= count;
}

const char *cli_option(struct cli *cli, const char *name)
{
    const size_t length = strlen(name);

    for (size_t i = 0; i < cli->argument_count; i++) {
        const char *const argument = cli->arguments[i];
        const char *value;

        if (strncmp(argument, name, length) != 0)
            continue;
        if (argument[length] == '=') {
            take_out(cli, i, 1);
            return argument + length + 1;
        }
        if (argument[length] != '\0' || i + 1 == cli->argument_count)
            continue;
        value = cli->arguments[i + 1];
        take_out(cli, i, 2);
        return value;
    }
    return NULL;
}

bool cli_flag(struct cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->argument_count; i++) {
        if (strcmp(cli->arguments[i], name) != 0)
            continue;
        take_out(cli, i, 1);
        return true;
    }
    return false;
}

const char *cli_next(struct cli *cli)
{
    for (size_t i = 0; i < cli->argument_count; i++) {
        const char *const argument = cli->arguments[i];

        if (argument[0] == '-' && argument[1] != '\0')
            continue;
        take_out(cli, i, 1);
        return argument;
    }
    return NULL;
}

bool cli_finished(const struct cli *cli)
{
    if (cli->argument_count == 0)
        return true;
    (void)fprintf(
        stderr, "slipway: what is %s here?\n  do:      slipway help\n", cli->arguments[0]);
    return false;
}
