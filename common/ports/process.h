/* Running a program by argv, never by a shell: common/adapters/posix for the world, prepared
 * answers in tests. */
#ifndef COMMON_PORTS_PROCESS_H
#define COMMON_PORTS_PROCESS_H

#include "common/base/arena.h"
#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROCESS_OUTPUT_MAX = 64 * 1024 };

struct process_call {
    const char *const *argv; /* NULL-terminated; argv[0] absolute. */
    const char *const
        *environment;      /* "NAME=value", NULL-terminated; nothing is inherited but PATH. */
    const char *directory; /* NULL: / */
    const char *input;     /* To its standard input; NULL: none. */
    int timeout_ms;        /* Then the whole process group is killed. > 0. */

    /* Asked a few times a second; true kills the process group. May be NULL. */
    bool (*cancelled)(void *self);
    void *cancelled_self;
};

struct process_result {
    int exit_status;    /* 0..255; -1 when a signal ended it. */
    const char *output; /* stdout and stderr as they came, at most PROCESS_OUTPUT_MAX. */
    size_t output_length;
    int64_t took_ms;
};

struct process_runner {
    void *self;

    /* ERR_OK when it ran to its end, whatever its status. ERR_NOT_FOUND, ERR_TIMED_OUT,
     * ERR_CONFLICT (cancelled), ERR_UNAVAILABLE (could not be started). */
    enum err (*run)(void *self,
                    struct arena *arena,
                    const struct process_call *call,
                    struct process_result *ret,
                    struct error *error);
};

#endif
