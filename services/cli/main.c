/* The command line on a real terminal, clock and network. */
#include "services/cli/cli.h"

#include "common/runtime/wiring.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { NARROWEST = 40 };

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

static bool shows_colours(void)
{
    const char *const none = getenv("NO_COLOR");
    const char *const term = getenv("TERM");

    return isatty(STDOUT_FILENO) == 1 && (none == NULL || none[0] == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0;
}

static size_t width_of_terminal(void)
{
    struct winsize size = { 0 };

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 ||
        size.ws_col >= CLI_WIDTH)
        return CLI_WIDTH;
    return size.ws_col < NARROWEST ? NARROWEST : size.ws_col;
}

/* An interrupt ends the wait and no more, so that a watch can take its leave. */
static bool wait_or_interrupt(void *self, int ms)
{
    const struct timespec time = { .tv_sec = ms / 1000,
                                   .tv_nsec = (long)(ms % 1000) * 1000000 };
    sigset_t interrupts;
    sigset_t before;
    int taken;

    (void)self;
    (void)sigemptyset(&interrupts);
    (void)sigaddset(&interrupts, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &interrupts, &before);
    taken = sigtimedwait(&interrupts, NULL, &time);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return taken != SIGINT;
}

int main(int argc, char **argv)
{
    struct cli cli = {
        .arena = arena_with_limit(CLI_MEMORY),
        .clock = wiring_clock(),
        .terminal = { .in = stdin,
                      .asks = isatty(STDIN_FILENO) == 1,
                      .redraws = isatty(STDOUT_FILENO) == 1,
                      .width = width_of_terminal(),
                      .wait = wait_or_interrupt },
        .colour = shows_colours(),
        .ascii = !speaks_utf8(),
    };
    struct error error = { 0 };
    enum cli_exit result;

    (void)setlocale(LC_ALL, "");
    tzset();
    (void)signal(SIGPIPE, SIG_IGN);
    if (wiring_http(&cli.http, &error) != ERR_OK) {
        cli_complain(&cli, error.text, NULL);
        return EXIT_UNREACHABLE;
    }
    result = cli_run(&cli, (const char *const *)argv + 1, argc > 0 ? (size_t)argc - 1 : 0);
    cli.http.close(cli.http.self);
    arena_release(&cli.arena);
    if (fflush(stdout) != 0 && result == EXIT_DONE)
        result = EXIT_NO;
    return (int)result;
}
