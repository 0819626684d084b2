/* The command line on a real terminal, clock and network. */
#include "services/cli/cli.h"

#include "common/runtime/wiring.h"

#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
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

static void measure(struct cli_terminal *terminal)
{
    struct winsize size = { 0 };

    terminal->width = CLI_WIDTH;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return;
    terminal->height = size.ws_row;
    if (size.ws_col < CLI_WIDTH)
        terminal->width = size.ws_col < NARROWEST ? NARROWEST : size.ws_col;
}

/* Whether Ctrl-C came while SIGINT was blocked; waits so long for it. */
static bool interrupted(int ms)
{
    const struct timespec time = { .tv_sec = ms / 1000,
                                   .tv_nsec = (long)(ms % 1000) * 1000000 };
    sigset_t interrupts;

    (void)sigemptyset(&interrupts);
    (void)sigaddset(&interrupts, SIGINT);
    return sigtimedwait(&interrupts, NULL, &time) == SIGINT;
}

static sigset_t block_interrupts(void)
{
    sigset_t interrupts;
    sigset_t before;

    (void)sigemptyset(&interrupts);
    (void)sigaddset(&interrupts, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &interrupts, &before);
    return before;
}

/* An interrupt ends the wait and no more, so that a watch can take its leave. */
static bool wait_or_interrupt(void *self, int ms)
{
    const sigset_t before = block_interrupts();
    const bool taken = interrupted(ms);

    (void)self;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return !taken;
}

/* The terminal is changed for this wait alone, so nothing is left behind however it ends. */
static int key_or_interrupt(void *self, int ms)
{
    const sigset_t before = block_interrupts();
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    struct termios was;
    struct termios keys;
    unsigned char key = 0;
    bool taken;

    (void)self;
    (void)tcgetattr(STDIN_FILENO, &was);
    keys = was;
    keys.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &keys);
    if (poll(&input, 1, ms) == 1 && read(STDIN_FILENO, &key, 1) != 1)
        key = 'q'; /* The terminal is gone. */
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &was);
    taken = interrupted(0);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return taken ? -1 : key;
}

int main(int argc, char **argv)
{
    struct cli cli = {
        .arena = arena_with_limit(CLI_MEMORY),
        .clock = wiring_clock(),
        .terminal = { .in = stdin,
                      .asks = isatty(STDIN_FILENO) == 1,
                      .redraws = isatty(STDOUT_FILENO) == 1,
                      .wait = wait_or_interrupt,
                      .key = key_or_interrupt },
        .colour = shows_colours(),
        .ascii = !speaks_utf8(),
    };
    struct error error = { 0 };
    enum cli_exit result;

    measure(&cli.terminal);
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
