/* login: tries a token, and stores it for this user alone. */
#include "services/cli/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { TOKEN_MAX = 512 };

/* Every folder of the path, private to the user. */
static bool make_folders(struct cli *cli, const char *path)
{
    for (const char *slash = strchr(path + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        if (mkdir(arena_copy(&cli->arena, path, (size_t)(slash - path)), 0700) != 0 &&
            errno != EEXIST)
            return false;
    }
    return true;
}

static bool store_token(struct cli *cli, const char *token)
{
    const char *const path = profile_token_path(cli);
    int file;
    bool ok;

    if (!make_folders(cli, path))
        return false;
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0)
        return false;
    ok = fchmod(file, 0600) == 0 && write(file, token, strlen(token)) == (ssize_t)strlen(token);
    return close(file) == 0 && ok;
}

static bool ask_secret(struct cli *cli, char *line, size_t size)
{
    struct termios before;
    struct termios silent;
    bool ok;

    if (!cli->terminal.asks || tcgetattr(STDIN_FILENO, &before) != 0)
        return fgets(line, (int)size, cli->terminal.in) != NULL && line[0] != '\n';
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    ok = ask_line(cli, "token: ", line, size);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    (void)fputc('\n', stderr);
    return ok;
}

enum cli_exit verb_login(struct cli *cli)
{
    char line[TOKEN_MAX] = "";
    struct cli_answer me;
    enum cli_exit result;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    if (!ask_secret(cli, line, sizeof line)) {
        cli_complain(cli, "no token given", "slipway login, or: slipway login < FILE");
        return EXIT_USAGE;
    }
    line[strcspn(line, "\r\n")] = '\0';
    cli->token = line;
    result = cli_get(cli, "/v1/me", &me);
    if (result != EXIT_DONE)
        return result;
    if (!store_token(cli, line)) {
        cli_complain(cli,
                     arena_printf(&cli->arena,
                                  "the token could not be stored in %s",
                                  profile_token_path(cli)),
                     "make that folder writable, then: slipway login");
        result = EXIT_NO;
    } else if (cli->json) {
        say_json(&me);
    } else {
        (void)printf(
            "signed in as %s on %s\n", field_text(me.body, "subject"), cli->server.value);
    }
    cli_release(&me);
    return result;
}
