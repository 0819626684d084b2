#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "tests/support/test.h"

#include <stdio.h>

static void a_wrapped_error_says_what_was_attempted_first(void **state)
{
    struct error error = { 0 };

    (void)state;
    assert_int_equal(error_set(&error, ERR_UNAVAILABLE, "timed out"), ERR_UNAVAILABLE);
    assert_int_equal(error_wrap(&error, ERR_CONFLICT, "load plan %d", 7), ERR_CONFLICT);
    assert_string_equal(error.text, "load plan 7: timed out");
    assert_int_equal(err_disposal(ERR_CONFLICT), DISPOSE_RETRY);
}

static void text_remembers_that_something_did_not_fit(void **state)
{
    char bytes[8];
    struct text text = text_over(bytes, sizeof bytes);

    (void)state;
    text_add(&text, "%s", "1234567");
    assert_true(text_ok(&text));
    text_add_char(&text, '8');
    assert_false(text_ok(&text));
    assert_string_equal(text.bytes, "1234567");
}

static void a_growing_text_stops_at_its_maximum(void **state)
{
    struct text text = text_new(1000);

    (void)state;
    for (int i = 0; i < 333; i++)
        text_add(&text, "abc");
    assert_true(text_ok(&text));
    assert_int_equal(text.length, 999);
    text_add(&text, "d");
    assert_false(text_ok(&text));
    text_release(&text);
}

static void an_arena_answers_null_beyond_its_limit(void **state)
{
    struct arena arena = arena_with_limit(100000);

    (void)state;
    assert_non_null(arena_try(&arena, 50000));
    assert_null(arena_try(&arena, 60000));
    assert_string_equal(arena_printf(&arena, "%s-%d", "a", 1), "a-1");
    arena_reset(&arena);
    assert_non_null(arena_try(&arena, 60000));
    arena_release(&arena);
}

static void json_is_written_with_commas_and_escapes_in_place(void **state)
{
    struct text text = text_new(1000);
    struct json json = json_into(&text);

    (void)state;
    json_put_object(&json, NULL);
    json_put_text(&json, "say", "a\"b\n");
    json_put_array(&json, "list");
    json_put_int(&json, NULL, -1);
    json_put_micro(&json, NULL, 1500000);
    json_put_micro(&json, NULL, -30);
    json_end_array(&json);
    json_put_bool(&json, "yes", true);
    json_end_object(&json);
    assert_string_equal(text.bytes,
                        "{\"say\":\"a\\\"b\\n\",\"list\":[-1,1.5,-0.00003],\"yes\":true}");
    text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrapped_error_says_what_was_attempted_first),
        cmocka_unit_test(text_remembers_that_something_did_not_fit),
        cmocka_unit_test(a_growing_text_stops_at_its_maximum),
        cmocka_unit_test(an_arena_answers_null_beyond_its_limit),
        cmocka_unit_test(json_is_written_with_commas_and_escapes_in_place),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
