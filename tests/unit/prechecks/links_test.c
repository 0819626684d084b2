#include "services/prechecks/links.h"
#include "tests/support/test.h"

static void an_address_below_an_allowed_one_is_allowed(void **state)
{
    const char *texts[] = { "https://wiki.example/docs/", "http://grafana:3000" };
    const struct option_texts allowed = { texts, 2 };

    (void)state;
    assert_true(link_is_allowed(&allowed, "https://wiki.example/docs/deploy?v=2"));
    assert_true(link_is_allowed(&allowed, "http://grafana:3000"));
    assert_true(link_is_allowed(&allowed, "http://grafana:3000/d/shop"));
}

static void what_only_looks_like_an_allowed_address_is_not(void **state)
{
    static const char *const others[] = {
        "https://wiki.example.evil.com/docs/",
        "https://wiki.example/admin",
        "http://wiki.example/docs/deploy",
        "http://grafana:3000@evil.com/",
        "http://grafana:30001/",
        "https://wiki.example/docs/../admin",
        "https://wiki.example/docs/%2E%2e/admin",
        "https://wiki.example/docs/\\..\\admin",
        "https://wiki.example/docs/a b",
        "file:///etc/passwd",
        "ftp://wiki.example/docs/",
        "docs/deploy",
        "",
    };
    const char *texts[] = { "https://wiki.example/docs/", "http://grafana:3000", "file:///" };
    const struct option_texts allowed = { texts, 3 };

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (link_is_allowed(&allowed, others[i]))
            fail_msg("%s", others[i]);
}

static void nothing_is_allowed_by_default(void **state)
{
    const struct option_texts none = { NULL, 0 };

    (void)state;
    assert_false(link_is_allowed(&none, "https://wiki.example/docs/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_below_an_allowed_one_is_allowed),
        cmocka_unit_test(what_only_looks_like_an_allowed_address_is_not),
        cmocka_unit_test(nothing_is_allowed_by_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
