#include "common/runtime/log.h"

#include "common/base/json.h"
#include "common/wire/envelope.h"

#include <string.h>
#include <unistd.h>

enum {
    LINE_SIZE = 4096, /* As much as one write to a pipe keeps together (PIPE_BUF). */
    VALUE_MAX = 512,
    FIELDS_MAX = 32,
    ROOM_FOR_THE_END = 3,
    MEMORY_MAX = 64 * 1024,
};

/* Any bytes become text of a bounded length: a line must stay JSON whatever it tells of. */
static const char *plain(struct arena *arena, const char *value)
{
    size_t length = strnlen(value, VALUE_MAX + 1);
    char *copy;

    if (length <= VALUE_MAX && text_is_utf8(value))
        return value;
    if (length > VALUE_MAX)
        length = VALUE_MAX;
    copy = arena_copy(arena, value, length);
    for (char *at = copy; *at != '\0';) {
        const size_t step = text_utf8_length(at);

        if (step == 0)
            *at = '?';
        at += step > 0 ? step : 1;
    }
    return copy;
}

/* A field that no longer fits is left out. */
static void put_field(struct json *json, struct arena *arena, const struct log_field *field)
{
    struct text *const line = json->text;
    const size_t length = line->length;

    json_put_text(json, field->name, plain(arena, field->value));
    if (text_ok(line) && line->size - line->length > ROOM_FOR_THE_END)
        return;
    line->length = length;
    line->bytes[length] = '\0';
    line->overflowed = false;
}

static void line_write(void *self,
                       enum log_level level,
                       const char *message,
                       const struct log_field *fields,
                       size_t count)
{
    static const char *const levels[] = { "debug", "info", "warning", "error" };
    const struct line_log *const log = self;
    struct arena arena = arena_with_limit(MEMORY_MAX);
    char bytes[LINE_SIZE];
    struct text line = text_over(bytes, sizeof bytes);
    struct json json = json_into(&line);
    ssize_t ignored;

    if (level < log->least)
        return;
    json_put_object(&json, NULL);
    json_put_text(&json, "ts", envelope_time(&arena, clock_now_ms(log->clock)));
    json_put_text(&json, "level", levels[level]);
    json_put_text(&json, "service", log->service);
    json_put_text(&json, "instance", log->instance);
    json_put_text(&json, "message", plain(&arena, message));
    for (size_t i = 0; i < count && i < FIELDS_MAX; i++) {
        if (fields[i].value != NULL && fields[i].value[0] != '\0')
            put_field(&json, &arena, &fields[i]);
    }
    json_end_object(&json);
    text_add_char(&line, '\n');
    ignored = write(log->fd, bytes, line.length);
    (void)ignored;
    arena_release(&arena);
}

struct log_port line_log_port(struct line_log *log)
{
    return (struct log_port){ .self = log, .write = line_write };
}
