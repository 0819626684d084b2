/* The command line on a real terminal, clock and network. */
#include "services/cli/cli.h"

#include "common/runtime/wiring.h"

#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { NARROWEST = 40, NOT_THERE = 127, SIGNALLED = 128, WORDS_MAX = 8 };

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

static char *last_slash(char *path, size_t length)
{
    while (length > 0 && path[length - 1] != '/')
        length--;
    return length > 0 ? &path[length - 1] : NULL;
}

/* Beside this program where it is installed there, else along PATH. */
static void run_here(const char *const *argv)
{
    char path[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    char *const slash = length > 0 ? last_slash(path, (size_t)length) : NULL;
    char *copies[WORDS_MAX + 1] = { 0 };

    if (argv[0] == NULL)
        _exit(NOT_THERE);
    for (size_t i = 0; i < WORDS_MAX && argv[i] != NULL; i++)
        copies[i] = strdup(argv[i]);
    if (slash != NULL && (size_t)(slash - path) + strlen(argv[0]) + 2 < sizeof path) {
        memcpy(slash + 1, argv[0], strlen(argv[0]) + 1);
        (void)execv(path, copies);
    }
    (void)execvp(argv[0], copies);
    _exit(NOT_THERE);
}

static int run_program(void *self, const char *const *argv)
{
    const pid_t child = fork();
    int status = 0;

    (void)self;
    if (child == 0)
        run_here(argv);
    /* Ctrl-C is the child's; what it says last is waited for. */
    (void)signal(SIGINT, SIG_IGN);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    (void)signal(SIGINT, SIG_DFL);
    if (WIFSIGNALED(status))
        return SIGNALLED + WTERMSIG(status);
    return WEXITSTATUS(status) == NOT_THERE ? -1 : WEXITSTATUS(status);
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
                      .key = key_or_interrupt,
                      .run = run_program },
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
