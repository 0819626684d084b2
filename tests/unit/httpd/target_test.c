#include "common/adapters/httpd/target.h"
#include "tests/support/test.h"

static struct arena arena;
static struct error error;
static struct web_request request;

static int setup(void **state)
{
    (void)state;
    arena = arena_with_limit(1024 * 1024);
    request = (struct web_request){ 0 };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void a_path_is_decoded_once(void **state)
{
    (void)state;
    assert_int_equal(target_decode(&arena, "/v1/%66lags/%C3%A4%2541+b/", &request, &error),
                     ERR_OK);
    assert_string_equal(request.path, "/v1/flags/\xc3\xa4%41+b/");
    assert_int_equal(request.query_count, 0);
}

static void the_root_is_a_path(void **state)
{
    (void)state;
    assert_int_equal(target_decode(&arena, "/", &request, &error), ERR_OK);
    assert_string_equal(request.path, "/");
}

static void a_query_is_split_before_it_is_decoded(void **state)
{
    (void)state;
    assert_int_equal(
        target_decode(&arena, "/?q=a%26b%3dc+d&live&empty=&&q=2&x=1=2", &request, &error),
        ERR_OK);
    assert_int_equal(request.query_count, 5);
    assert_string_equal(web_query(&request, "q"), "a&b=c d");
    assert_string_equal(web_query(&request, "live"), "");
    assert_string_equal(web_query(&request, "empty"), "");
    assert_string_equal(web_query(&request, "x"), "1=2");
    assert_null(web_query(&request, "none"));
    assert_string_equal(request.query[3].value, "2");
}

static void what_is_no_plain_path_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",        "*",       "http://x/", "x",       "//",         "//a",    "/a//b",  "/.",
        "/..",     "/a/../b", "/%2e%2e/b", "/a/%2E",  "/a%2fb",     "/a%00b", "/a%0ab", "/%7f",
        "/%",      "/%4",     "/%zz",      "/%c0%af", "/%ed%a0%80", "/a b",   "/a\x01", "/#x",
        "/?a=%00", "/?a=%",   "/?%c3=1",   "/?a#b",   "/?a=\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(target_decode(&arena, wrong[i], &request, &error), ERR_INVALID);
}

static void dots_inside_a_name_are_fine(void **state)
{
    (void)state;
    assert_int_equal(target_decode(&arena, "/express-pay.3/..a/...", &request, &error), ERR_OK);
    assert_string_equal(request.path, "/express-pay.3/..a/...");
}

static void a_query_has_at_most_32_parameters(void **state)
{
    char target[200] = "/?";

    (void)state;
    for (int i = 0; i < WEB_QUERY_MAX; i++)
        memcpy(target + 2 + 2 * i, "a&", 2);
    assert_int_equal(target_decode(&arena, target, &request, &error), ERR_OK);
    memcpy(target + 2 + 2 * WEB_QUERY_MAX, "a", 1);
    request.query_count = 0;
    assert_int_equal(target_decode(&arena, target, &request, &error), ERR_INVALID);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_path_is_decoded_once),
        EACH(the_root_is_a_path),
        EACH(a_query_is_split_before_it_is_decoded),
        EACH(what_is_no_plain_path_is_refused),
        EACH(dots_inside_a_name_are_fine),
        EACH(a_query_has_at_most_32_parameters),
    };

    return cmocka_run_group_tests_name("httpd target", tests, NULL, NULL);
}
