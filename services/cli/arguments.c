#include "services/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

/* The flag as this verb has it, or all have; NULL: there is none. */
static const struct verb_flag *find_flag(const struct cli *cli, const char *argument)
{
    const struct verb *const verb = cli->verb != NULL ? verbs_find(cli->verb) : NULL;
    size_t count = 0;
    const struct verb_flag *const flags = verbs_flags(&count);
    const size_t length = strcspn(argument, "=");

    for (size_t i = 0; i < count; i++) {
        if ((verbs_flag_fits(&flags[i], verb) || verbs_flag_fits(&flags[i], NULL)) &&
            strncmp(flags[i].flag, argument, length) == 0 &&
            strcspn(flags[i].flag, " ") == length)
            return &flags[i];
    }
    return NULL;
}

static bool takes_value(const struct cli *cli, const char *argument)
{
    const struct verb_flag *const flag = find_flag(cli, argument);

    return flag != NULL && strchr(flag->flag, ' ') != NULL && strchr(argument, '=') == NULL;
}

bool cli_flags_known(struct cli *cli)
{
    for (size_t i = 0; i < cli->argument_count; i++) {
        const char *const argument = cli->arguments[i];

        if (argument[0] != '-' || argument[1] == '\0')
            continue;
        if (find_flag(cli, argument) == NULL ||
            (takes_value(cli, argument) && i + 1 == cli->argument_count)) {
            cli_complain(cli,
                         arena_printf(&cli->arena,
                                      find_flag(cli, argument) == NULL ? "%s has no flag %s"
                                                                       : "%s: %s needs a value",
                                      cli->verb,
                                      argument),
                         arena_printf(&cli->arena, "slipway help %s", cli->verb));
            return false;
        }
        i += takes_value(cli, argument) ? 1 : 0;
    }
    return true;
}

const char *cli_next(struct cli *cli)
{
    for (size_t i = 0; i < cli->argument_count; i++) {
        const char *const argument = cli->arguments[i];

        if (argument[0] == '-' && argument[1] != '\0') {
            i += takes_value(cli, argument) ? 1 : 0; /* The value is no name. */
            continue;
        }
        take_out(cli, i, 1);
        return argument;
    }
    return NULL;
}

const char *cli_deployment(struct cli *cli)
{
    const char *const name = cli_next(cli);

    if (name == NULL)
        cli_complain(
            cli, arena_printf(&cli->arena, "%s which deployment?", cli->verb), "slipway list");
    return name;
}

bool cli_number(struct cli *cli, const char *name, struct cli_range range, int64_t *ret)
{
    const char *const text = cli_option(cli, name);
    char *end = NULL;
    long long number;

    if (text == NULL)
        return true;
    errno = 0;
    number = strtoll(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 &&
        number >= range.least && number <= range.most) {
        *ret = number;
        return true;
    }
    if (range.most == INT64_MAX)
        cli_complain(cli,
                     arena_printf(&cli->arena,
                                  "%s must be a number, at least %lld, not \"%s\"",
                                  name,
                                  (long long)range.least,
                                  text),
                     arena_printf(&cli->arena, "slipway help %s", cli->verb));
    else
        cli_complain(cli,
                     arena_printf(&cli->arena,
                                  "%s must be a number, %lld to %lld, not \"%s\"",
                                  name,
                                  (long long)range.least,
                                  (long long)range.most,
                                  text),
                     arena_printf(&cli->arena, "slipway help %s", cli->verb));
    return false;
}

bool cli_finished(struct cli *cli)
{
    const char *const verb = cli->verb != NULL ? cli->verb : "";

    if (cli->argument_count == 0)
        return true;
    cli_complain(
        cli,
        arena_printf(&cli->arena, "what is %s here?", cli->arguments[0]),
        arena_printf(&cli->arena, "slipway help%s%s", verb[0] != '\0' ? " " : "", verb));
    return false;
}

enum cli_exit cli_usage(struct cli *cli, const char *how)
{
    cli_complain(cli,
                 arena_printf(&cli->arena, "usage: slipway %s", how),
                 arena_printf(&cli->arena, "slipway help %s", cli->verb));
    return EXIT_USAGE;
}
