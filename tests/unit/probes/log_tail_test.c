#include "common/drivers/probes/json_path.h"
#include "common/drivers/probes/log_tail.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    struct arena arena;
    char path[64];
    struct error error;
};

static int open_fixture(void **state)
{
    static struct fixture fixture;
    int fd;

    fixture = (struct fixture){ .arena = arena_with_limit(8 << 20),
                                .path = "/tmp/slipway-log-XXXXXX" };
    fd = mkstemp(fixture.path);
    assert_true(fd >= 0);
    (void)close(fd);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *const fixture = *state;

    (void)unlink(fixture->path);
    arena_release(&fixture->arena);
    return 0;
}

static void a_small_log_is_read_whole(void **state)
{
    struct fixture *const f = *state;
    FILE *const file = fopen(f->path, "w");
    struct log_tail tail;

    assert_non_null(file);
    (void)fputs("one\ntwo\n", file);
    (void)fclose(file);
    assert_int_equal(log_tail_read(&f->arena, f->path, &tail, &f->error), ERR_OK);
    assert_string_equal(tail.bytes, "one\ntwo\n");
    assert_false(tail.cut);
    assert_true(tail.written_ms > INT64_C(1600000000000));
}

static void of_a_large_log_only_the_last_whole_lines_are_read(void **state)
{
    struct fixture *const f = *state;
    FILE *const file = fopen(f->path, "w");
    struct log_tail tail;

    assert_non_null(file);
    for (int i = 0; i < 300000; i++)
        (void)fprintf(file, "line %07d\n", i);
    (void)fclose(file);
    assert_int_equal(log_tail_read(&f->arena, f->path, &tail, &f->error), ERR_OK);
    assert_true(tail.cut);
    assert_true(tail.length <= LOG_TAIL_MAX);
    assert_int_equal(strncmp(tail.bytes, "line ", 5), 0);
    assert_string_equal(tail.bytes + tail.length - 13, "line 0299999\n");
}

static void a_log_that_is_not_there_is_not_found(void **state)
{
    struct fixture *const f = *state;
    struct log_tail tail;

    assert_int_equal(log_tail_read(&f->arena, "/nowhere/at/all.log", &tail, &f->error),
                     ERR_NOT_FOUND);
    assert_int_equal(log_tail_read(&f->arena, "/tmp", &tail, &f->error), ERR_UNAVAILABLE);
}

static int64_t time_of(const char *line)
{
    return log_line_time(line, strlen(line));
}

static void the_time_of_a_line_is_its_first_one_with_a_zone(void **state)
{
    const int64_t at_ms = INT64_C(1795422240123);

    (void)state;
    assert_int_equal(time_of("{\"ts\":\"2026-11-23T08:24:00.123Z\",\"level\":\"error\"}"),
                     at_ms);
    assert_int_equal(time_of("2026-11-23 09:24:00,123+01:00 ERROR it broke"), at_ms);
    assert_int_equal(time_of("2026-11-23 09:24:00,123 ERROR who knows where"), -1);
    assert_int_equal(time_of("no time at all"), -1);
    assert_int_equal(time_of(""), -1);
}

static void a_json_path_names_members_and_elements(void **state)
{
    static const char text[] = "{\"a\":{\"b\":[1,{\"c\":\"yes\"}]},\"ok\":true}";
    struct fixture *const f = *state;

    assert_string_equal(json_path_text(&f->arena, text, strlen(text), "a.b.1.c"), "yes");
    assert_string_equal(json_path_text(&f->arena, text, strlen(text), "a.b.0"), "1");
    assert_string_equal(json_path_text(&f->arena, text, strlen(text), "ok"), "true");
    assert_null(json_path_text(&f->arena, text, strlen(text), "a.b.2"));
    assert_null(json_path_text(&f->arena, text, strlen(text), "a.x.c"));
    assert_null(json_path_text(&f->arena, "not json", 8, "a"));
}

int main(void)
{
#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        WITH_FILE(a_small_log_is_read_whole),
        WITH_FILE(of_a_large_log_only_the_last_whole_lines_are_read),
        WITH_FILE(a_log_that_is_not_there_is_not_found),
        cmocka_unit_test(the_time_of_a_line_is_its_first_one_with_a_zone),
        WITH_FILE(a_json_path_names_members_and_elements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
