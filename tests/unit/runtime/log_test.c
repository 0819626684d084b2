#include "common/adapters/memory/clock.h"
#include "common/runtime/log.h"
#include "tests/support/test.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 };

static struct memory_clock clock_at = { .now_ms = 1795442640123 };
static struct line_log line_log;
static int fds[2];
static char line[2 * LINE_MAX_BYTES];

static int setup(void **state)
{
    (void)state;
    if (pipe(fds) != 0)
        return -1;
    line_log = (struct line_log){ .clock = memory_clock_port(&clock_at),
                                  .service = "executor",
                                  .instance = "executor-1",
                                  .least = LOG_INFO,
                                  .fd = fds[1] };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)close(fds[0]);
    (void)close(fds[1]);
    return 0;
}

/* The line that was written, parsed by somebody else's parser. */
static json_t *read_line(void)
{
    const ssize_t length = read(fds[0], line, sizeof line - 1);
    json_t *parsed;

    assert_true(length > 0 && length <= LINE_MAX_BYTES);
    line[length] = '\0';
    assert_int_equal(line[length - 1], '\n');
    parsed = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(parsed);
    return parsed;
}

static void a_line_is_json(void **state)
{
    const struct log_port log = line_log_port(&line_log);
    json_t *parsed;

    (void)state;
    LOG(log,
        LOG_WARNING,
        "task \"x\"",
        { "task", "a/1" },
        { "none", NULL },
        { "error", "a\nb" });
    parsed = read_line();
    json_decref(parsed);
    assert_string_equal(
        line,
        "{\"ts\":\"2026-11-23T14:04:00.123Z\",\"level\":\"warning\","
        "\"service\":\"executor\",\"instance\":\"executor-1\","
        "\"message\":\"task \\\"x\\\"\",\"task\":\"a/1\",\"error\":\"a\\nb\"}\n");
}

static void lines_below_the_least_level_are_dropped(void **state)
{
    const struct log_port log = line_log_port(&line_log);
    json_t *parsed;

    (void)state;
    LOG(log, LOG_DEBUG, "quiet", { "a", "b" });
    LOG(log, LOG_ERROR, "loud", { "a", "b" });
    parsed = read_line();
    assert_string_equal(json_string_value(json_object_get(parsed, "message")), "loud");
    json_decref(parsed);
}

static void a_long_value_is_cut_between_characters(void **state)
{
    const struct log_port log = line_log_port(&line_log);
    char value[1024];
    json_t *parsed;

    (void)state;
    memset(value, 'x', sizeof value);
    memcpy(value + 511, "\xc3\xa9", 2);
    value[1023] = '\0';
    LOG(log, LOG_INFO, "long", { "value", value }, { "after", "it" });
    parsed = read_line();
    assert_int_equal(strlen(json_string_value(json_object_get(parsed, "value"))), 512);
    assert_string_equal(json_string_value(json_object_get(parsed, "after")), "it");
    json_decref(parsed);
}

static void bytes_that_are_no_text_become_text(void **state)
{
    const struct log_port log = line_log_port(&line_log);
    json_t *parsed;

    (void)state;
    LOG(log, LOG_INFO, "odd", { "value", "caf\xe9 \x01" });
    parsed = read_line();
    assert_string_equal(json_string_value(json_object_get(parsed, "value")), "caf? \x01");
    json_decref(parsed);
}

static void what_no_longer_fits_is_left_out(void **state)
{
    const struct log_port log = line_log_port(&line_log);
    struct log_field fields[20];
    char value[501];
    json_t *parsed;

    (void)state;
    memset(value, '"', sizeof value - 1);
    value[500] = '\0';
    for (int i = 0; i < 20; i++)
        fields[i] = (struct log_field){ "same", i == 19 ? "x" : value };
    for (int i = 0; i < 20; i++)
        fields[i].name =
            (const char *[]){ "a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                              "k", "l", "m", "n", "o", "p", "q", "r", "s", "t" }[i];
    log.write(log.self, LOG_INFO, "wide", fields, 20);
    parsed = read_line();
    assert_non_null(json_object_get(parsed, "a"));
    assert_null(json_object_get(parsed, "e"));
    assert_string_equal(json_string_value(json_object_get(parsed, "t")), "x");
    json_decref(parsed);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_line_is_json),
        EACH(lines_below_the_least_level_are_dropped),
        EACH(a_long_value_is_cut_between_characters),
        EACH(bytes_that_are_no_text_become_text),
        EACH(what_no_longer_fits_is_left_out),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
