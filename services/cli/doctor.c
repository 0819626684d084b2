/* doctor, login, completion, help. */
#include "services/cli/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { TOKEN_MAX = 512, COMPLETION_MS = 200 };

/* --- doctor --- */

static void print_check(const struct cli *cli, bool ok, const char *what, const char *text)
{
    (void)printf("%s %-14s %s\n", say_glyph(cli, ok ? "PASS" : "FAIL"), what, text);
}

static size_t print_instances(struct cli *cli, const json_t *health)
{
    static const char *const wanted[] = { "coordinator",  "prechecks", "executor", "validator",
                                          "flag-rollout", "monitor",   "notifier", "gateway" };
    const char *const hash = field_text(health, "config_hash");
    size_t faults = 0;

    for (size_t s = 0; s < sizeof wanted / sizeof wanted[0]; s++) {
        size_t count = 0;
        size_t other = 0;
        size_t i;
        json_t *instance;

        json_array_foreach(field(health, "instances"), i, instance)
        {
            if (strcmp(field_text(instance, "service"), wanted[s]) != 0)
                continue;
            count++;
            other += strcmp(field_text(instance, "config_hash"), hash) != 0;
        }
        faults += count == 0 || other > 0;
        print_check(cli,
                    count > 0 && other == 0,
                    wanted[s],
                    other > 0 ? arena_printf(&cli->arena,
                                             "%zu running, %zu with another configuration",
                                             count,
                                             other)
                              : arena_printf(&cli->arena, "%zu running", count));
    }
    return faults;
}

enum cli_exit verb_doctor(struct cli *cli)
{
    struct cli_answer health;
    struct cli_answer me;
    size_t faults = 0;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    print_check(cli,
                true,
                "server",
                arena_printf(&cli->arena, "%s, from %s", cli->server.value, cli->server.from));
    print_check(cli,
                cli->token != NULL,
                "token",
                cli->token == NULL ? "none; slipway login"
                                   : arena_printf(&cli->arena,
                                                  "from %s (%s)",
                                                  cli->token_file.value,
                                                  cli->token_file.from));
    faults += cli->token == NULL;
    if (cli_get(cli, "/v1/me", &me) == EXIT_DONE) {
        print_check(cli, true, "signed in", field_text(me.body, "subject"));
        cli_release(&me);
    } else {
        faults++;
    }
    if (cli_get(cli, "/v1/health", &health) == EXIT_DONE) {
        faults += print_instances(cli, health.body);
        cli_release(&health);
    } else {
        faults++;
    }
    (void)printf("%zu fault%s\n", faults, faults == 1 ? "" : "s");
    return faults == 0 ? EXIT_DONE : EXIT_NO;
}

/* --- login --- */

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

    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return fgets(line, (int)size, stdin) != NULL;
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
        cli_complain(cli, "no token given", NULL);
        return EXIT_USAGE;
    }
    line[strcspn(line, "\r\n")] = '\0';
    cli->token = line;
    result = cli_get(cli, "/v1/me", &me);
    if (result != EXIT_DONE)
        return result;
    if (!store_token(cli, line)) {
        cli_complain(cli, "the token could not be stored", profile_token_path(cli));
        result = EXIT_NO;
    } else {
        (void)printf(
            "signed in as %s on %s\n", field_text(me.body, "subject"), cli->server.value);
    }
    cli_release(&me);
    return result;
}

/* --- completion, help --- */

static void print_verbs(const char *before, const char *after)
{
    size_t count = 0;
    const struct verb *const verbs = verbs_all(&count);

    for (size_t i = 0; i < count; i++)
        (void)printf("%s%s%s", before, verbs[i].name, after);
}

/* Names of deployments for the scripts below: at once, or none at all and no word about it. */
static enum cli_exit print_names(struct cli *cli)
{
    struct cli_answer answer;
    size_t i;
    json_t *item;

    cli->timeout_ms = COMPLETION_MS;
    cli->silent = true;
    if (cli_get(cli, "/v1/deployments?limit=200", &answer) != EXIT_DONE)
        return EXIT_DONE;
    json_array_foreach(field(answer.body, "items"), i, item)
    {
        (void)printf("%s\n", field_text(item, "id"));
    }
    cli_release(&answer);
    return EXIT_DONE;
}

static void print_bash(void)
{
    (void)printf("_slipway() {\n"
                 "  local word=\"${COMP_WORDS[COMP_CWORD]}\"\n"
                 "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                 "    COMPREPLY=($(compgen -W \"");
    print_verbs("", " ");
    (void)printf("\" -- \"$word\"))\n"
                 "  else\n"
                 "    COMPREPLY=($(compgen -W \"$(slipway completion names)\" -- \"$word\"))\n"
                 "  fi\n"
                 "}\n"
                 "complete -o default -F _slipway slipway\n");
}

static void print_zsh(void)
{
    (void)printf("#compdef slipway\n_arguments '1:verb:(");
    print_verbs("", " ");
    (void)printf(")' '*:deployment:($(slipway completion names))'\n");
}

static void print_fish(void)
{
    print_verbs("complete -c slipway -n __fish_use_subcommand -a ", "\n");
    (void)printf("complete -c slipway -n 'not __fish_use_subcommand' "
                 "-a '(slipway completion names)'\n");
}

enum cli_exit verb_completion(struct cli *cli)
{
    const char *const shell = cli_next(cli);

    if (shell != NULL && strcmp(shell, "names") == 0)
        return print_names(cli);
    if (shell != NULL && strcmp(shell, "bash") == 0) {
        print_bash();
    } else if (shell != NULL && strcmp(shell, "zsh") == 0) {
        print_zsh();
    } else if (shell != NULL && strcmp(shell, "fish") == 0) {
        print_fish();
    } else {
        cli_complain(cli, "usage: slipway completion bash|zsh|fish", NULL);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

enum cli_exit verb_help(struct cli *cli)
{
    const char *const name = cli_next(cli);
    size_t count = 0;
    const struct verb *const verbs = verbs_all(&count);

    for (size_t i = 0; i < count; i++) {
        if (name != NULL && strcmp(verbs[i].name, name) == 0) {
            (void)printf("%s\n\n  %s\n\nusage: slipway %s\n",
                         verbs[i].example,
                         verbs[i].summary,
                         verbs[i].usage);
            return EXIT_DONE;
        }
        if (name == NULL)
            (void)printf("  %-14s %s\n", verbs[i].name, verbs[i].summary);
    }
    if (name == NULL) {
        (void)printf(
            "\nglobal flags: --server URL --profile NAME --json --quiet --ascii --utc "
            "--no-input\n"
            "              --timeout 30s --verbose --dry-run --yes --help --version\n");
        return EXIT_DONE;
    }
    cli_complain(cli, arena_printf(&cli->arena, "no verb %s", name), "slipway help");
    return EXIT_USAGE;
}
