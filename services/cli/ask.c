#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

bool ask_line(struct cli *cli, const char *question, char *line, size_t size)
{
    if (!cli->terminal.asks)
        return false;
    (void)fputs(question, stderr);
    (void)fflush(stderr);
    if (fgets(line, (int)size, cli->terminal.in) == NULL)
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return line[0] != '\0';
}

bool ask_yes(struct cli *cli, const char *question, const char *flag)
{
    char line[16] = "";

    if (!cli->terminal.asks) {
        cli_complain(cli,
                     "this needs an answer, and there is no terminal to ask on",
                     arena_printf(&cli->arena, "add %s", flag));
        return false;
    }
    return ask_line(cli, question, line, sizeof line) &&
           (strcmp(line, "y") == 0 || strcmp(line, "Y") == 0 || strcmp(line, "yes") == 0);
}
