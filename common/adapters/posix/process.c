#define _GNU_SOURCE /* closefrom and chdir as file actions, memfd_create, pidfd_open */
#include "common/adapters/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ASK_EVERY_MS = 100, GRACE_MS = 1000, PIECE_SIZE = 4096 };

/* A program that runs. */
struct child {
    pid_t pid;  /* Also of its session and process group. */
    int pid_fd; /* Readable once it has ended. */
    int output; /* Our end of its stdout and stderr; -1 once it is closed. */
};

/* Why its end was wished. */
enum wish { WISH_NONE, WISH_TIMED_OUT, WISH_CANCELLED };

static const char *const *environment_of(struct arena *arena, const struct process_call *call)
{
    const char *const path = getenv("PATH");
    bool has_path = false;
    const char **all;
    size_t count = 0;

    while (call->environment != NULL && call->environment[count] != NULL)
        count++;
    all = arena_alloc(arena, (count + 2) * sizeof *all);
    for (size_t i = 0; i < count; i++) {
        all[i] = call->environment[i];
        has_path = has_path || strncmp(all[i], "PATH=", 5) == 0;
    }
    if (!has_path && path != NULL)
        all[count] = arena_printf(arena, "PATH=%s", path);
    return all;
}

/* A file that holds the input and is read from its start; /dev/null without input. -1 and
 * errno on failure. */
static int open_input(const char *input)
{
    const size_t length = input != NULL ? strlen(input) : 0;
    int fd;

    if (input == NULL)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    for (size_t at = 0; at < length;) {
        const ssize_t written = write(fd, input + at, length - at);

        if (written < 0) {
            (void)close(fd);
            return -1;
        }
        at += (size_t)written;
    }
    (void)lseek(fd, 0, SEEK_SET);
    return fd;
}

/* What happens in the child between fork and exec. 0 or an errno. */
static int spawn_with(const struct process_call *call,
                      const char *const *environment,
                      const int fds[2],
                      pid_t *ret)
{
    const char *const directory = call->directory != NULL ? call->directory : "/";
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int fault;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    fault = posix_spawn_file_actions_adddup2(&actions, fds[0], STDIN_FILENO);
    fault |= posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    fault |= posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
    fault |= posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    fault |= posix_spawn_file_actions_addchdir_np(&actions, directory);
    fault |= posix_spawnattr_setsigmask(&attributes, &none);
    fault |= posix_spawnattr_setsigdefault(&attributes, &all);
    fault |= posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (fault == 0)
        fault = posix_spawn(ret,
                            call->argv[0],
                            &actions,
                            &attributes,
                            (char *const *)(uintptr_t)call->argv,
                            (char *const *)(uintptr_t)environment);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return fault;
}

/* The child with its pipes. 0 or an errno. */
static int start(const struct process_call *call,
                 const char *const *environment,
                 struct child *ret)
{
    int pipe_fds[2];
    const int input = open_input(call->input);
    int fault;

    if (input < 0)
        return errno;
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        fault = errno;
        (void)close(input);
        return fault;
    }
    (void)fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
    fault = spawn_with(call, environment, (const int[2]){ input, pipe_fds[1] }, &ret->pid);
    (void)close(input);
    (void)close(pipe_fds[1]);
    if (fault != 0) {
        (void)close(pipe_fds[0]);
        return fault;
    }
    ret->output = pipe_fds[0];
    ret->pid_fd = (int)syscall(SYS_pidfd_open, ret->pid, 0);
    return 0;
}

/* Take what is there; beyond the cap it is thrown away, so that the program never blocks. */
static void drain(struct child *child, char *buffer, size_t *length)
{
    char piece[PIECE_SIZE];

    while (child->output >= 0) {
        const ssize_t got = read(child->output, piece, sizeof piece);
        size_t keep;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            (void)close(child->output);
            child->output = -1;
            return;
        }
        keep = PROCESS_OUTPUT_MAX - *length;
        if (keep > (size_t)got)
            keep = (size_t)got;
        memcpy(buffer + *length, piece, keep);
        *length += keep;
    }
}

static bool wants_cancel(const struct process_call *call)
{
    return call->cancelled != NULL && call->cancelled(call->cancelled_self);
}

static bool has_ended(const struct child *child)
{
    siginfo_t info = { 0 };

    return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid != 0;
}

/* Until the child has ended. It is not reaped here, so that its number stays its own and a
 * signal to its group reaches nobody else. */
static enum wish watch(struct child *child,
                       const struct process_call *call,
                       char *buffer,
                       size_t *length)
{
    const struct clock_port clock = posix_clock();
    int64_t deadline_ms = clock_monotonic_ms(clock) + call->timeout_ms;
    enum wish wish = WISH_NONE;

    while (!has_ended(child)) {
        struct pollfd fds[] = { { .fd = child->pid_fd, .events = POLLIN },
                                { .fd = child->output, .events = POLLIN } };
        bool late;

        (void)poll(fds, 2, child->pid_fd >= 0 ? ASK_EVERY_MS : ASK_EVERY_MS / 10);
        drain(child, buffer, length);
        late = clock_monotonic_ms(clock) >= deadline_ms;
        if (wish != WISH_NONE && late) {
            (void)kill(-child->pid, SIGKILL);
        } else if (wish == WISH_NONE && (late || wants_cancel(call))) {
            wish = late ? WISH_TIMED_OUT : WISH_CANCELLED;
            (void)kill(-child->pid, SIGTERM);
            deadline_ms = clock_monotonic_ms(clock) + GRACE_MS;
        }
    }
    if (wish != WISH_NONE)
        (void)kill(-child->pid, SIGKILL);
    drain(child, buffer, length);
    return wish;
}

static int reap(struct child *child)
{
    int status = 0;

    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (child->pid_fd >= 0)
        (void)close(child->pid_fd);
    if (child->output >= 0)
        (void)close(child->output);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static enum err run(void *self,
                    struct arena *arena,
                    const struct process_call *call,
                    struct process_result *ret,
                    struct error *error)
{
    const struct clock_port clock = posix_clock();
    const int64_t began_ms = clock_monotonic_ms(clock);
    struct process_result result = { 0 };
    struct child child = { .pid_fd = -1, .output = -1 };
    enum wish wish;
    char *buffer;
    int fault;

    (void)self;
    fault = start(call, environment_of(arena, call), &child);
    if (fault != 0)
        return error_set(error,
                         fault == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                         "%s: cannot be started: %s",
                         call->argv[0],
                         strerror(fault));
    buffer = arena_alloc(arena, PROCESS_OUTPUT_MAX + 1);
    wish = watch(&child, call, buffer, &result.output_length);
    result.exit_status = reap(&child);
    if (wish == WISH_TIMED_OUT)
        return error_set(error,
                         ERR_TIMED_OUT,
                         "%s: not done after %d ms, ended",
                         call->argv[0],
                         call->timeout_ms);
    if (wish == WISH_CANCELLED)
        return error_set(error, ERR_CONFLICT, "%s: cancelled", call->argv[0]);
    result.output = buffer;
    result.took_ms = clock_monotonic_ms(clock) - began_ms;
    *ret = result;
    return ERR_OK;
}

struct process_runner posix_process_runner(void)
{
    return (struct process_runner){ .run = run };
}
