/* The log of a service: one JSON object a line. A line has at most 4 KiB; a value at most 512
 * bytes; what does not fit is cut or left out, and the line stays JSON.
 *
 *     {"ts":"2026-11-23T08:24:00.123Z","level":"info","service":"executor","instance":"executor-1",
 *      "message":"task claimed","deployment":"express-pay.3","task":"express-pay.3/2/1/4"} */
#ifndef COMMON_RUNTIME_LOG_H
#define COMMON_RUNTIME_LOG_H

#include "common/ports/clock.h"
#include "common/ports/log.h"

struct line_log {
    struct clock_port clock;
    const char *service;
    const char *instance;
    enum log_level least; /* Lines below it are dropped. */
    int fd;               /* Borrowed: 2 for standard error. */
};

/* A port over log, which must outlive it. Each line is one write, so lines of several threads
 * never mix. Thread-safe. */
struct log_port line_log_port(struct line_log *log);

#endif
