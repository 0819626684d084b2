#define _GNU_SOURCE
#include "tests/support/child.h"

#include "tests/support/patience.h"

#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_AWAIT_MS = 20000 };

bool folder_make(struct test_folder *folder)
{
    const char *base = getenv("TMPDIR");

    snprintf(folder->path,
             sizeof folder->path,
             "%s/slipway-test-XXXXXX",
             base != NULL && strlen(base) < 64 ? base : "/tmp");
    return mkdtemp(folder->path) != NULL;
}

void folder_remove(struct test_folder *folder)
{
    DIR *directory = folder->path[0] != '\0' ? opendir(folder->path) : NULL;
    struct dirent *entry;

    if (directory == NULL)
        return;
    while ((entry = readdir(directory)) != NULL)
        unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    rmdir(folder->path);
    folder->path[0] = '\0';
}

pid_t child_start(const char *const argv[])
{
    pid_t parent = getpid();
    pid_t child = fork();

    if (child < 0)
        return 0;
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return child;
}

void child_signal(pid_t child, int signal)
{
    if (child > 0)
        kill(child, signal);
}

static int child_end(pid_t child, int signal)
{
    int status = 0;

    if (child <= 0)
        return -1;
    kill(child, signal);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int child_stop(pid_t child)
{
    return child_end(child, SIGTERM);
}

void child_kill(pid_t child)
{
    child_end(child, SIGKILL);
}

bool child_succeeds(const char *const argv[])
{
    pid_t child = child_start(argv);
    int status = 0;

    return child != 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool line_read(const char *path, char *ret, size_t size)
{
    FILE *stream = fopen(path, "r");

    if (stream == NULL)
        return false;
    bool read = fgets(ret, (int)size, stream) != NULL && strchr(ret, '\n') != NULL;

    fclose(stream);
    if (read)
        *strchr(ret, '\n') = '\0';
    return read;
}

bool file_line_await(const char *path, char *ret, size_t size)
{
    struct patience patience = patience_for(FILE_AWAIT_MS);

    while (!line_read(path, ret, size)) {
        if (!patience_left(&patience))
            return false;
        nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000000 }, NULL);
    }
    return true;
}
