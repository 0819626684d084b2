/* Flags as they are shown, evaluated, read back and killed. */
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"

static const char internal[] = "/internal/v1/flags/production/express-pay";
static const char evaluate[] = "/ofrep/v1/evaluate/flags/express-pay";
static const char evaluate_all[] = "/ofrep/v1/evaluate/flags";
static const char context[] = "{\"context\":{\"targetingKey\":\"u-1\",\"group\":\"staff\"}}";

static int ask_ofrep(const char *target)
{
    return world_ask(&(struct asked){ .method = "POST", .target = target, .body = context });
}

static void while_the_flags_are_being_read_nothing_is_on_and_nothing_is_off(void **state)
{
    (void)state;
    world_grant("express-pay", "express-pay.1", 100, 1);
    assert_int_equal(world_ask(&(struct asked){ .target = internal }), 503);
    assert_int_equal(w.call.retry_after_s, 1);
    assert_int_equal(ask_ofrep(evaluate), 503);
    assert_string_equal(world_text("errorCode"), "PROVIDER_NOT_READY");
    assert_true(world_text("errorDetails")[0] != '\0');
    assert_null(world_at("value"));
    assert_int_equal(ask_ofrep(evaluate_all), 503);
    assert_null(w.call.etag);
    assert_false(world_ready());
    world_turn();
    assert_true(world_ready());
    assert_int_equal(world_ask(&(struct asked){ .target = internal }), 200);
    assert_int_equal(world_int("percent"), 100);
    assert_int_equal(ask_ofrep(evaluate), 200);
    assert_true(json_is_true(world_at("value")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            while_the_flags_are_being_read_nothing_is_on_and_nothing_is_off,
            world_open,
            world_close),
    };

    return cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}
