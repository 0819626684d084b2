/* Programs a test starts and stops: brokers, stores. */
#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A folder of its own below $TMPDIR, "" until made. */
struct test_folder {
    char path[128];
};

bool folder_make(struct test_folder *folder);

/* With the files in it; it has no folders. */
void folder_remove(struct test_folder *folder);

/* argv[0] is a path, or a name found by PATH. The child dies with the test. 0: could not be
 * started. */
pid_t child_start(const char *const argv[]);
void child_signal(pid_t child, int signal);

/* SIGTERM, then wait for its end. Returns its exit status, -1 if a signal ended it. 0 is no
 * child. */
int child_stop(pid_t child);

/* Run it to its end, which must be 0. */
bool child_succeeds(const char *const argv[]);

/* SIGKILL, then wait for its end. */
void child_kill(pid_t child);

/* Waits until the file has a first line and reads that. False: it did not within 20 s. */
bool file_line_await(const char *path, char *ret, size_t size);

#endif
