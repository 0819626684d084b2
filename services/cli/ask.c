#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void cli_nap(int ms)
{
    const struct timespec time = { .tv_sec = ms / 1000,
                                   .tv_nsec = (long)(ms % 1000) * 1000000 };

    (void)nanosleep(&time, NULL);
}

static bool may_ask(const struct cli *cli)
{
    return !cli->no_input && isatty(STDIN_FILENO) == 1;
}

bool ask_line(struct cli *cli, const char *question, char *line, size_t size)
{
    if (!may_ask(cli))
        return false;
    (void)fputs(question, stderr);
    if (fgets(line, (int)size, stdin) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return line[0] != '\0';
}

bool ask_yes(struct cli *cli, const char *question, const char *flag)
{
    char line[16];

    if (!may_ask(cli)) {
        cli_complain(cli,
                     "this needs an answer, and there is no terminal to ask on",
                     arena_printf(&cli->arena, "add %s", flag));
        return false;
    }
    return ask_line(cli, question, line, sizeof line) && (line[0] == 'y' || line[0] == 'Y');
}
