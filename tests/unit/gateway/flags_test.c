/* Flags as they are shown, evaluated, read back and killed. */
#include "common/wire/topics.h"
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

static enum memory_fault no_redis(void *self, const char *operation, const char *object)
{
    (void)self;
    (void)operation;
    (void)object;
    return FAULT_BEFORE;
}

/* Its clock goes on while it is asked. */
static enum err not_latched_for_a_while(void *self,
                                        struct arena *arena,
                                        const struct http_request *request,
                                        struct http_response *ret,
                                        struct error *error)
{
    (void)self;
    (void)request;
    (void)error;
    memory_clock_advance(&w.clock, 300);
    *ret = (struct http_response){ .status = 200,
                                   .body = arena_text(arena, "{\"latched\":false}"),
                                   .body_length = strlen("{\"latched\":false}") };
    return ERR_OK;
}

static void a_flag_says_what_is_granted_and_what_is_latched(void **state)
{
    (void)state;
    world_grant("express-pay", "express-pay.1", 25, 1);
    world_turn();
    assert_int_equal(world_get("/v1/flags/production/express-pay"), 200);
    assert_string_equal(world_text("state"), "GRANTED");
    assert_int_equal(world_int("percent"), 25);
    assert_true(json_is_null(world_at("latch")));
    assert_true(json_is_null(world_at("read_back")));
    world_put("slipway:readback:production/express-pay", "{\"agree\":1,\"of\":1}", 18);
    assert_int_equal(world_get("/v1/flags"), 200);
    assert_int_equal(world_int("items.0.read_back.agree"), 1);
    assert_int_equal(world_get("/v1/flags/production/other"), 404);
    assert_int_equal(world_get("/v1/flags/staging/express-pay"), 404);
}

static void a_flag_says_how_often_it_is_evaluated(void **state)
{
    const struct asked asked = { .method = "POST",
                                 .target = "/ofrep/v1/evaluate/flags/express-pay",
                                 .body = "{\"context\":{\"targetingKey\":\"u\"}}",
                                 .headers = { "Content-Type: application/json" } };

    (void)state;
    world_grant("express-pay", "express-pay.1", 25, 1);
    world_turn();
    assert_int_equal(world_get("/v1/flags/production/express-pay"), 200);
    assert_int_equal(world_int("evaluations_per_s"), 0);
    for (int i = 0; i < 25; i++)
        assert_int_equal(world_ask(&asked), 200);
    assert_int_equal(world_get("/v1/flags/production/express-pay"), 200);
    assert_int_equal(world_int("evaluations_per_s"), 3);
    memory_clock_advance(&w.clock, 30000);
    assert_int_equal(world_get("/v1/flags/production/express-pay"), 200);
    assert_int_equal(world_int("evaluations_per_s"), 0);
}

static const char reason[] = "{\"reason\":\"payments fail\"}";

static int kill_flag(const char *subject)
{
    return world_post(subject, "/v1/flags/production/express-pay/kill", reason);
}

static void say_latched(const char *url, bool latched)
{
    memory_http_answer(w.http,
                       &(struct memory_http_answer){ .method = "GET",
                                                     .url = url,
                                                     .status = 200,
                                                     .body = latched ? "{\"latched\":true}"
                                                                     : "{\"latched\":false}" });
}

static void a_kill_is_written_at_once_and_this_gateway_is_off(void **state)
{
    const Pb__Control *control;
    const struct bus_record *record;
    static const char *const writers[] = { "gateway", NULL };
    struct error error = { 0 };

    (void)state;
    say_latched("http://127.0.0.1:8080/*", true);
    world_grant("express-pay", "express-pay.1", 100, 1);
    world_turn();
    w.store_faults.ask = no_redis;
    assert_int_equal(kill_flag("rel"), 200);
    assert_string_equal(world_text("deployment"), "express-pay.1");
    assert_false(json_is_true(world_at("already_latched")));
    assert_int_equal(world_int("read_back.agree"), 1);
    assert_int_equal(world_int("read_back.of"), 1);
    record = world_record(TOPIC_CONTROL);
    assert_string_equal(record->key, "kill/express-pay.1");
    assert_int_equal(envelope_verify(&w.keys, record, writers, &error), ERR_OK);
    control = world_sent(TOPIC_CONTROL, &pb__control__descriptor);
    assert_string_equal(control->kill->reason, "payments fail");
    assert_string_equal(control->kill->actor->subject, "rel");
    assert_int_equal(ask_ofrep(evaluate), 200);
    assert_true(json_is_false(world_at("value")));
    assert_string_equal(world_text("reason"), "DISABLED");
    assert_int_equal(world_ask(&(struct asked){ .target = internal }), 200);
    assert_true(json_is_true(world_at("latched")));
    assert_int_equal(world_int("percent"), 0);
    assert_int_equal(kill_flag("olga"), 200);
    assert_true(json_is_true(world_at("already_latched")));
    assert_int_equal(world_sent_count(TOPIC_CONTROL), 2);
}

static void a_gateway_that_does_not_agree_is_named(void **state)
{
    (void)state;
    memory_http_answer(w.http,
                       &(struct memory_http_answer){ .url = "http://127.0.0.1:8080/*",
                                                     .respond = not_latched_for_a_while });
    world_grant("express-pay", "express-pay.1", 100, 1);
    world_turn();
    assert_int_equal(kill_flag("rel"), 200);
    assert_int_equal(world_int("read_back.agree"), 0);
    assert_string_equal(world_text("read_back.disagree.0"), "http://127.0.0.1:8080");
}

static void not_everybody_may_kill_and_nobody_without_a_reason(void **state)
{
    (void)state;
    world_grant("express-pay", "express-pay.1", 100, 1);
    world_turn();
    assert_int_equal(kill_flag("ci"), 403);
    assert_int_equal(kill_flag("rita"), 403);
    assert_int_equal(world_post("rel", "/v1/flags/production/express-pay/kill", "{}"), 422);
    assert_int_equal(world_post("rel", "/v1/flags/production/express-pay/kill", "rubbish"),
                     422);
    assert_int_equal(world_post("rel", "/v1/flags/production/nothing/kill", reason), 404);
    assert_int_equal(world_sent_count(TOPIC_CONTROL), 1);
}

static enum memory_fault no_kafka(void *self, const char *operation, const char *object)
{
    (void)self;
    (void)object;
    return strcmp(operation, "publish") == 0 ? FAULT_BEFORE : FAULT_NONE;
}

static void a_kill_that_is_not_on_the_log_is_no_kill(void **state)
{
    (void)state;
    world_grant("express-pay", "express-pay.1", 100, 1);
    world_turn();
    w.bus_faults.ask = no_kafka;
    assert_int_equal(kill_flag("rel"), 503);
    assert_int_equal(ask_ofrep(evaluate), 200);
    assert_true(json_is_true(world_at("value")));
}

static void a_record_that_no_writer_of_ours_signed_changes_no_flag(void **state)
{
    Pb__Control *const control = pb_new(&w.arena, &pb__control__descriptor);

    (void)state;
    control->body_case = PB__CONTROL__BODY_FLAG;
    control->flag = pb_new(&w.arena, &pb__flag_value__descriptor);
    control->flag->environment = "production";
    control->flag->flag = "express-pay";
    control->flag->deployment = "express-pay.1";
    control->flag->percent = 100;
    world_control("executor", "flag/production/express-pay", control);
    world_turn();
    assert_true(world_ready());
    assert_int_equal(world_get("/v1/flags/production/express-pay"), 404);
    assert_true(memory_log_has(w.log, "control record refused"));
}

/* --- OFREP --- */

static void reasons_are_those_of_ofrep(void **state)
{
    static const struct {
        unsigned percent;
        const char *body;
        const char *reason;
        bool on;
    } cases[] = {
        { 100, "{\"context\":{\"targetingKey\":\"u\"}}", "STATIC", true },
        { 0, "{\"context\":{\"targetingKey\":\"u\"}}", "DISABLED", false },
        { 1,
          "{\"context\":{\"targetingKey\":\"u\",\"group\":\"staff\"}}",
          "TARGETING_MATCH",
          true },
        { 1, "{\"context\":{\"targetingKey\":\"u\",\"group\":[\"staff\"]}}", "SPLIT", false },
        { 1,
          "{\"context\":{\"targetingKey\":\"u\",\"n\":1,\"b\":true,\"z\":null}}",
          "SPLIT",
          false },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world_grant("express-pay", "express-pay.1", cases[i].percent, i + 1);
        world_turn();
        assert_int_equal(world_ask(&(struct asked){
                             .method = "POST", .target = evaluate, .body = cases[i].body }),
                         200);
        assert_string_equal(world_text("key"), "express-pay");
        assert_string_equal(world_text("reason"), cases[i].reason);
        assert_true(json_is_true(world_at("value")) == cases[i].on);
        assert_string_equal(world_text("variant"), cases[i].on ? "on" : "off");
        assert_true(json_is_object(world_at("metadata")));
    }
}

static void errors_are_those_of_ofrep(void **state)
{
    static const struct {
        const char *body;
        const char *code;
    } cases[] = {
        { "", "PARSE_ERROR" },
        { "{", "PARSE_ERROR" },
        { "{\"context\":{\"targetingKey\":\"a\\u0000b\"}}", "PARSE_ERROR" },
        { "[]", "INVALID_CONTEXT" },
        { "{}", "INVALID_CONTEXT" },
        { "{\"context\":[]}", "INVALID_CONTEXT" },
        { "{\"context\":{}}", "TARGETING_KEY_MISSING" },
        { "{\"context\":{\"targetingKey\":\"\"}}", "TARGETING_KEY_MISSING" },
        { "{\"context\":{\"targetingKey\":1}}", "TARGETING_KEY_MISSING" },
    };

    (void)state;
    world_turn();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(world_ask(&(struct asked){
                             .method = "POST", .target = evaluate, .body = cases[i].body }),
                         400);
        assert_string_equal(world_text("errorCode"), cases[i].code);
        assert_string_equal(world_text("key"), "express-pay");
        assert_true(world_text("errorDetails")[0] != '\0');
        assert_int_equal(world_ask(&(struct asked){
                             .method = "POST", .target = evaluate_all, .body = cases[i].body }),
                         400);
        assert_null(world_at("key"));
    }
    assert_int_equal(ask_ofrep(evaluate), 404);
    assert_string_equal(world_text("errorCode"), "FLAG_NOT_FOUND");
}

static void all_flags_of_an_environment_at_once_and_only_when_changed(void **state)
{
    struct asked asked = { .method = "POST", .target = evaluate_all, .body = context };
    const char *etag;

    (void)state;
    world_grant("express-pay", "express-pay.1", 100, 1);
    world_grant("gift-cards", "gift-cards.1", 0, 1);
    world_turn();
    assert_int_equal(world_ask(&asked), 200);
    assert_int_equal(world_count("flags"), 2);
    assert_string_equal(world_text("flags.1.key"), "gift-cards");
    etag = arena_text(&w.arena, w.call.etag);
    asked.headers[0] = arena_printf(&w.arena, "If-None-Match: %s", etag);
    assert_int_equal(world_ask(&asked), 304);
    assert_int_equal(w.call.out.length, 0);
    asked.body = "{\"context\":{\"targetingKey\":\"another\"}}";
    assert_int_equal(world_ask(&asked), 200);
    asked.body = context;
    world_grant("gift-cards", "gift-cards.1", 100, 2);
    world_turn();
    assert_int_equal(world_ask(&asked), 200);
    asked.target = "/ofrep/v1/evaluate/flags?environment=staging";
    assert_int_equal(world_ask(&asked), 200);
    assert_int_equal(world_count("flags"), 0);
}

static void while_the_flags_are_being_read_a_kill_asks_to_be_sent_again(void **state)
{
    (void)state;
    say_latched("http://127.0.0.1:8080/*", true);
    world_grant("express-pay", "express-pay.1", 100, 1);
    assert_int_equal(kill_flag("rel"), 503);
    assert_string_equal(world_text("code"), "not-ready");
    assert_int_equal(w.call.retry_after_s, 1);
    assert_int_equal(world_get("/v1/flags/production/express-pay"), 503);
    assert_int_equal(world_get("/v1/flags"), 503);
    assert_int_equal(world_get("/v1/freezes"), 503);
    world_turn();
    assert_int_equal(kill_flag("rel"), 200);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(while_the_flags_are_being_read_nothing_is_on_and_nothing_is_off),
        TEST(while_the_flags_are_being_read_a_kill_asks_to_be_sent_again),
        TEST(a_flag_says_what_is_granted_and_what_is_latched),
        TEST(a_flag_says_how_often_it_is_evaluated),
        TEST(a_kill_is_written_at_once_and_this_gateway_is_off),
        TEST(a_gateway_that_does_not_agree_is_named),
        TEST(not_everybody_may_kill_and_nobody_without_a_reason),
        TEST(a_kill_that_is_not_on_the_log_is_no_kill),
        TEST(a_record_that_no_writer_of_ours_signed_changes_no_flag),
        TEST(reasons_are_those_of_ofrep),
        TEST(errors_are_those_of_ofrep),
        TEST(all_flags_of_an_environment_at_once_and_only_when_changed),
    };

    return cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}
