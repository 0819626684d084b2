/* A log that keeps its lines: "WARNING task lost task=d-1/2/1/0 drive=2". Any thread. */
#ifndef COMMON_ADAPTERS_MEMORY_LOG_H
#define COMMON_ADAPTERS_MEMORY_LOG_H

#include "common/ports/log.h"

#include <stdbool.h>

struct memory_log;

struct memory_log *memory_log_new(void);
void memory_log_free(struct memory_log *log); /* Accepts NULL. */

/* The port borrows the log. */
struct log_port memory_log_port(struct memory_log *log);

/* All lines so far, each with its line feed; borrowed until the next write. */
const char *memory_log_text(const struct memory_log *log);

/* Whether some line contains that text. */
bool memory_log_has(const struct memory_log *log, const char *text);

void memory_log_clear(struct memory_log *log);

#endif
