#include "common/runtime/log.h"

#include "common/base/json.h"
#include "common/wire/envelope.h"

#include <unistd.h>

enum { LINE_SIZE = 8192, TIME_MEMORY = 4096 };

static void put_time(struct json *json, int64_t now_ms)
{
    struct arena arena = arena_with_limit(TIME_MEMORY);

    json_put_text(json, "ts", envelope_time(&arena, now_ms));
    arena_release(&arena);
}

static void line_write(void *self,
                       enum log_level level,
                       const char *message,
                       const struct log_field *fields,
                       size_t count)
{
    static const char *const levels[] = { "debug", "info", "warning", "error" };
    const struct line_log *const log = self;
    char bytes[LINE_SIZE];
    struct text line = text_over(bytes, sizeof bytes - 1);
    struct json json = json_into(&line);
    ssize_t ignored;

    if (level < log->least)
        return;
    json_put_object(&json, NULL);
    put_time(&json, clock_now_ms(log->clock));
    json_put_text(&json, "level", levels[level]);
    json_put_text(&json, "service", log->service);
    json_put_text(&json, "instance", log->instance);
    json_put_text(&json, "message", message);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].value != NULL && fields[i].value[0] != '\0')
            json_put_text(&json, fields[i].name, fields[i].value);
    }
    json_end_object(&json);
    text_add_char(&line, '\n');
    /* A line that does not fit is cut, but stays a line. */
    if (!text_ok(&line))
        bytes[line.length++] = '\n';
    ignored = write(STDERR_FILENO, bytes, line.length);
    (void)ignored;
}

struct log_port line_log_port(struct line_log *log)
{
    return (struct log_port){ .self = log, .write = line_write };
}
