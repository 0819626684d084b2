#include "common/adapters/memory/log.h"

#include "common/adapters/memory/heap.h"
#include "common/base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_TEXT_MAX = 64 * 1024 * 1024 };

struct memory_log {
    pthread_mutex_t lock;
    struct text text;
};

struct memory_log *memory_log_new(void)
{
    struct memory_log *log = heap_take(sizeof *log);

    pthread_mutex_init(&log->lock, NULL);
    log->text = text_new(LOG_TEXT_MAX);
    return log;
}

void memory_log_free(struct memory_log *log)
{
    if (log == NULL)
        return;
    text_release(&log->text);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG: return "DEBUG";
    case LOG_INFO: return "INFO";
    case LOG_WARNING: return "WARNING";
    case LOG_ERROR: return "ERROR";
    }
    return "?";
}

static void log_write(void *self,
                      enum log_level level,
                      const char *message,
                      const struct log_field *fields,
                      size_t count)
{
    struct memory_log *log = self;

    pthread_mutex_lock(&log->lock);
    text_add(&log->text, "%s %s", level_name(level), message);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].value != NULL)
            text_add(&log->text, " %s=%s", fields[i].name, fields[i].value);
    }
    text_add_char(&log->text, '\n');
    pthread_mutex_unlock(&log->lock);
}

struct log_port memory_log_port(struct memory_log *log)
{
    return (struct log_port){ log, log_write };
}

const char *memory_log_text(const struct memory_log *log)
{
    return log->text.bytes != NULL ? log->text.bytes : "";
}

bool memory_log_has(const struct memory_log *log, const char *text)
{
    return strstr(memory_log_text(log), text) != NULL;
}

void memory_log_clear(struct memory_log *log)
{
    text_reset(&log->text);
}
