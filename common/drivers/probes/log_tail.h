/* The last lines of a log, whatever is being done to the file meanwhile. */
#ifndef COMMON_DRIVERS_PROBES_LOG_TAIL_H
#define COMMON_DRIVERS_PROBES_LOG_TAIL_H

#include "common/base/arena.h"
#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOG_TAIL_MAX = 1024 * 1024, /* Read of one file; older lines are left unread. */
    LOG_LINE_MAX = 8 * 1024,    /* Of one line; the rest of a longer one is not looked at. */
};

struct log_tail {
    const char *path;
    const char *bytes; /* Whole lines, NUL-terminated; in the arena. */
    size_t length;
    int64_t written_ms; /* When the file was last written to. */
    bool cut;           /* There is more before. */
};

/* Opened once, so that a rotation in between renames the file under the reader and no line is
 * read twice or lost. ERR_NOT_FOUND: no such file. ERR_UNAVAILABLE: it cannot be read. */
enum err log_tail_read(struct arena *arena,
                       const char *path,
                       struct log_tail *ret,
                       struct error *error) MUST_CHECK;

/* The first time in RFC 3339 within the first 200 bytes of the line; -1 if there is none. */
int64_t log_line_time(const char *line, size_t length);

#endif
