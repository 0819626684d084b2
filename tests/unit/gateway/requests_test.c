/* What people ask of a deployment, and the answers they get. */
#include "common/state/keys.h"
#include "common/wire/topics.h"
#include "services/gateway/resources.h"
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"

static const char target[] = "/v1/deployments/express-pay.3/requests";
static const char pause_it[] =
    "{\"request\":\"r-1\",\"expected_version\":10,\"reason\":\"look\",\"pause\":{}}";

static struct world_deployment checking(void)
{
    struct world_deployment deployment = world_deployment("express-pay.3", PB__PHASE__CHECKING);

    deployment.state->cursor->sub = PB__SUB__SUB_RUN;
    world_store(&deployment);
    return deployment;
}

static struct world_deployment in_review(void)
{
    struct world_deployment deployment =
        world_deployment("express-pay.3", PB__PHASE__IN_REVIEW);

    deployment.state->cursor->sub = PB__SUB__SUB_RUN;
    world_store(&deployment);
    return deployment;
}

/* As the coordinator leaves it. */
static void answer(const char *request, const char *json)
{
    world_put(
        KEY_REQUEST(
            &w.arena, bus_partition("express-pay", WORLD_PARTITIONS), "slipway:", request),
        json,
        strlen(json));
}

static void a_request_becomes_one_signed_event(void **state)
{
    const Pb__Event *event;
    const struct bus_record *record;
    struct error error = { 0 };
    static const char *const writers[] = { "gateway", NULL };

    (void)state;
    (void)checking();
    assert_int_equal(world_post("rel", target, pause_it), 202);
    assert_string_equal(world_text("state"), "PENDING");
    assert_string_equal(w.call.location, "/v1/requests/r-1");
    assert_true(w.call.wait_until_ms > w.clock.now_ms);
    record = world_record(TOPIC_EVENTS);
    assert_int_equal(envelope_verify(&w.keys, record, writers, &error), ERR_OK);
    assert_string_equal(record->key, "express-pay");
    event = world_sent(TOPIC_EVENTS, &pb__event__descriptor);
    assert_string_equal(event->deployment, "express-pay.3");
    assert_int_equal(event->request->body_case, PB__OPERATOR_REQUEST__BODY_PAUSE);
    assert_string_equal(event->request->actor->subject, "rel");
    assert_string_equal(event->request->actor->via, "gateway");
    assert_int_equal(event->request->expected_version, 10);
    assert_string_equal(event->request->reason, "look");
}

static void each_kind_of_request_is_understood(void **state)
{
    /* clang-format off */
    static const struct { const char *body; Pb__OperatorRequest__BodyCase kind; } kinds[] = {
        { "\"approve\":{\"plan_hash\":\"ab\",\"accept_no_return\":[1,2]}", PB__OPERATOR_REQUEST__BODY_APPROVE },
        { "\"reject\":{}",                                      PB__OPERATOR_REQUEST__BODY_REJECT },
        { "\"signoff\":{\"step\":2,\"accept\":true}",           PB__OPERATOR_REQUEST__BODY_SIGNOFF },
        { "\"attest\":{\"check\":\"c\",\"verdict\":\"PASS\"}",  PB__OPERATOR_REQUEST__BODY_ATTEST },
        { "\"pause\":{}",                                       PB__OPERATOR_REQUEST__BODY_PAUSE },
        { "\"resume\":{}",                                      PB__OPERATOR_REQUEST__BODY_RESUME },
        { "\"retry\":{}",                                       PB__OPERATOR_REQUEST__BODY_RETRY },
        { "\"waive\":{\"check\":\"c\"}",                        PB__OPERATOR_REQUEST__BODY_WAIVE },
        { "\"abort\":{}",                                       PB__OPERATOR_REQUEST__BODY_ABORT },
        { "\"rollback\":{}",                                    PB__OPERATOR_REQUEST__BODY_ROLLBACK },
        { "\"mark_restored\":{}",                               PB__OPERATOR_REQUEST__BODY_MARK_RESTORED },
        { "\"skip_change\":{\"change\":1}",                     PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE },
        { "\"promote\":{}",                                     PB__OPERATOR_REQUEST__BODY_PROMOTE },
        { "\"supply\":{\"input\":\"runbook\",\"link\":\"x\"}",  PB__OPERATOR_REQUEST__BODY_SUPPLY },
        { "\"replan\":{\"approach\":\"rolling\"}",              PB__OPERATOR_REQUEST__BODY_REPLAN },
    };
    /* clang-format on */

    (void)state;
    (void)checking();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const char *const body = arena_printf(
            &w.arena,
            "{\"request\":\"k-%zu\",\"expected_version\":10,\"reason\":\"why\",%s}",
            i,
            kinds[i].body);
        const Pb__Event *event;

        w.clock.now_ms++;
        assert_int_equal(world_post("rel", target, body), 202);
        event = world_sent(TOPIC_EVENTS, &pb__event__descriptor);
        assert_int_equal(event->request->body_case, kinds[i].kind);
    }
}

static void a_bad_body_is_refused_by_name_and_nothing_is_sent(void **state)
{
    /* clang-format off */
    static const struct { const char *body; int status; const char *code; } bad[] = {
        { "",                                                              400, "malformed" },
        { "[]",                                                            400, "malformed" },
        { "{\"expected_version\":10}",                                     400, "malformed" },
        { "{\"expected_version\":\"ten\",\"resume\":{}}",                  400, "malformed" },
        { "{\"expected_version\":-1,\"resume\":{}}",                       400, "malformed" },
        { "{\"expected_version\":10,\"resume\":{\"x\":1}}",                400, "malformed" },
        { "{\"expected_version\":10,\"resumee\":{}}",                      400, "malformed" },
        { "{\"expected_version\":10,\"resume\":{},\"retry\":{}}",          400, "malformed" },
        { "{\"expected_version\":10,\"resume\":{},\"resume\":{}}",         400, "malformed" },
        { "{\"expected_version\":10,\"reason\":\"a\\u0000b\",\"pause\":{}}", 400, "malformed" },
        { "{\"expected_version\":10,\"request\":\"a b\",\"resume\":{}}",   400, "malformed" },
        { "{\"expected_version\":10,\"actor\":{\"subject\":\"x\"},\"resume\":{}}", 400, "unknown-field" },
        { "{\"resume\":{}}",                                               428, "version-missing" },
        { "{\"expected_version\":10,\"pause\":{}}",                        422, "reason-missing" },
        { "{\"expected_version\":10,\"rollback\":{},\"reason\":\"\"}",     422, "reason-missing" },
        { "{\"expected_version\":10,\"role\":\"technical-lead\",\"resume\":{}}", 403, "role-missing" },
    };
    /* clang-format on */

    (void)state;
    (void)checking();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const int status = world_post("rel", target, bad[i].body);

        if (status != bad[i].status || strcmp(world_text("code"), bad[i].code) != 0)
            fail_msg("%s: %d %s", bad[i].body, status, world_body());
        assert_true(world_text("detail")[0] != '\0');
    }
    assert_int_equal(world_sent_count(TOPIC_EVENTS), 0);
}

static void a_reason_of_any_length_is_not_taken(void **state)
{
    struct text body = text_new(8192);

    (void)state;
    (void)checking();
    text_add(&body, "{\"expected_version\":10,\"pause\":{},\"reason\":\"");
    for (int i = 0; i < 2001; i++)
        text_add_char(&body, 'x');
    text_add(&body, "\"}");
    assert_int_equal(world_post("rel", target, body.bytes), 413);
    text_release(&body);
}

static void what_the_coordinator_applied_is_answered_200(void **state)
{
    (void)state;
    (void)checking();
    assert_int_equal(world_post("rel", target, pause_it), 202);
    answer("r-1",
           "{\"state\":\"APPLIED\",\"version\":11,\"code\":\"\",\"detail\":\"paused\","
           "\"remedy\":\"\",\"deployment\":\"express-pay.3\"}");
    assert_true(request_answer(&w.call));
    w.json = (json_decref(w.json), json_loads(w.call.out.bytes, 0, NULL));
    assert_int_equal(w.call.status, 200);
    assert_int_equal(world_int("version"), 11);
    assert_string_equal(world_text("state"), "APPLIED");
    assert_string_equal(world_text("request"), "r-1");
}

static void a_repeat_has_the_same_answer_and_is_not_sent_again(void **state)
{
    (void)state;
    (void)checking();
    assert_int_equal(world_post("rel", target, pause_it), 202);
    assert_int_equal(world_post("rel", target, pause_it), 202);
    assert_int_equal(world_sent_count(TOPIC_EVENTS), 1);
    answer("r-1",
           "{\"state\":\"APPLIED\",\"version\":11,\"code\":\"\",\"detail\":\"paused\","
           "\"remedy\":\"\",\"deployment\":\"express-pay.3\"}");
    assert_int_equal(world_post("rel", target, pause_it), 200);
    assert_int_equal(world_int("version"), 11);
    assert_int_equal(world_sent_count(TOPIC_EVENTS), 1);
}

static void an_id_that_meant_something_else_is_refused(void **state)
{
    static const char abort_it[] =
        "{\"request\":\"r-1\",\"expected_version\":10,\"reason\":\"look\",\"abort\":{}}";

    (void)state;
    (void)checking();
    assert_int_equal(world_post("rel", target, pause_it), 202);
    assert_int_equal(world_post("rel", target, abort_it), 422);
    assert_string_equal(world_text("field"), "request");
    assert_int_equal(world_post("tess", target, pause_it), 422);
    assert_int_equal(world_sent_count(TOPIC_EVENTS), 1);
}

static void without_an_id_each_is_a_request_of_its_own(void **state)
{
    static const char resume[] = "{\"expected_version\":10,\"resume\":{}}";

    (void)state;
    (void)checking();
    assert_int_equal(world_post("rel", target, resume), 202);
    assert_int_equal(world_post("rel", target, resume), 202);
    assert_int_equal(world_sent_count(TOPIC_EVENTS), 2);
    assert_int_equal(strlen(world_text("request")), 36);
}

static void another_version_comes_with_what_happened_since(void **state)
{
    struct world_deployment deployment = checking();

    (void)state;
    world_entry(&deployment, 9, "Approved", "technical-lead approves", NULL);
    world_entry(&deployment, 10, "StepBegan", "step 1 began", NULL);
    answer("r-1",
           "{\"state\":\"REFUSED\",\"version\":10,\"code\":\"version-changed\",\"detail\":\"it "
           "has changed\",\"remedy\":\"look again\",\"deployment\":\"express-pay.3\"}");
    assert_int_equal(world_post("rel",
                                target,
                                "{\"request\":\"r-1\",\"expected_version\":9,\"reason\":\"x\","
                                "\"pause\":{}}"),
                     412);
    assert_int_equal(world_int("current_version"), 10);
    assert_int_equal(world_count("entries"), 1);
    assert_string_equal(world_text("entries.0.type"), "StepBegan");
    assert_string_equal(world_text("instance"), "/v1/requests/r-1");
    assert_string_equal(world_text("remedy"), "look again");
}

static void a_refusal_says_what_would_be_allowed(void **state)
{
    bool pause_listed = false;

    (void)state;
    (void)checking();
    answer("r-2",
           "{\"state\":\"REFUSED\",\"version\":10,\"code\":\"not-now\",\"detail\":\"no plan in "
           "review\",\"remedy\":\"\",\"deployment\":\"express-pay.3\"}");
    assert_int_equal(world_post("rel",
                                target,
                                "{\"request\":\"r-2\",\"expected_version\":10,"
                                "\"approve\":{\"plan_hash\":\"x\"}}"),
                     409);
    assert_string_equal(world_text("code"), "not-now");
    for (size_t i = 0; i < world_count("allowed"); i++)
        pause_listed =
            pause_listed ||
            strcmp(json_string_value(json_array_get(world_at("allowed"), i)), "pause") == 0;
    assert_true(pause_listed);
}

static void what_became_of_a_request_can_be_asked_later(void **state)
{
    (void)state;
    (void)checking();
    assert_int_equal(world_get("/v1/requests/r-1"), 404);
    assert_int_equal(world_post("rel", target, pause_it), 202);
    assert_int_equal(world_get("/v1/requests/r-1"), 200);
    assert_string_equal(world_text("state"), "PENDING");
    assert_string_equal(world_text("deployment"), "express-pay.3");
    answer("r-1",
           "{\"state\":\"REFUSED\",\"version\":10,\"code\":\"not-now\",\"detail\":\"already "
           "resting\",\"remedy\":\"\",\"deployment\":\"express-pay.3\"}");
    assert_int_equal(world_get("/v1/requests/r-1"), 200);
    assert_string_equal(world_text("state"), "REFUSED");
    assert_string_equal(world_text("problem.code"), "not-now");
    assert_int_equal(world_int("problem.status"), 409);
}

static void waiting_is_as_long_as_is_preferred(void **state)
{
    static const struct {
        const char *prefer;
        int64_t ms;
    } cases[] = {
        { "Prefer: wait=0", 0 },
        { "Prefer: wait=3", 3000 },
        { "Prefer: wait=60", 5000 },
        { "Prefer: wait=-1", 0 },
        { "Prefer: wait=abc", 0 },
        { "Prefer: respond-async", 2000 },
        { "Prefer: wait=99999999999999999999", 5000 },
    };

    (void)state;
    (void)checking();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct asked asked = { .method = "POST",
                                     .target = target,
                                     .token = "rel",
                                     .body = "{\"expected_version\":10,\"resume\":{}}",
                                     .headers = { cases[i].prefer } };

        assert_int_equal(world_ask(&asked), 202);
        assert_int_equal(w.call.wait_until_ms - w.clock.now_ms, cases[i].ms);
    }
}

static void a_preview_says_what_would_happen_and_writes_nothing(void **state)
{
    struct world_deployment deployment =
        world_deployment("express-pay.3", PB__PHASE__ROLLING_OUT);
    Pb__Applied *const applied = pb_new(&w.arena, &pb__applied__descriptor);

    (void)state;
    PB_APPEND(&w.arena, deployment.state, applied, applied);
    deployment.state->flags->percent = 25;
    deployment.state->flags->ever_on = true;
    world_store(&deployment);
    assert_int_equal(world_post("rel",
                                "/v1/deployments/express-pay.3/requests?dry_run=true",
                                "{\"expected_version\":10,\"reason\":\"x\",\"rollback\":{}}"),
                     200);
    assert_string_equal(world_text("preview.phase_after"), "ROLLING_BACK");
    assert_int_equal(world_int("preview.version"), 10);
    assert_non_null(strstr(world_text("preview.lead"), "ROLLED_BACK"));
    assert_string_equal(world_text("preview.effects.0.how"), "latch");
    assert_true(world_count("preview.effects") >= 3);
    assert_int_equal(world_count("preview.irreversible"), 1);
    assert_int_equal(world_count("preview.confirm"), 0);
    assert_int_equal(world_sent_count(TOPIC_EVENTS), 0);
    assert_int_equal(
        world_post("rel", "/v1/deployments/express-pay.3/requests?dry_run=maybe", pause_it),
        400);
}

static void a_point_of_no_return_must_be_named(void **state)
{
    struct world_deployment deployment = in_review();
    const char *body;

    (void)state;
    deployment.plan->changes[1]->on_rollback = PB__ON_ROLLBACK__MANUAL;
    deployment.plan->changes[1]->note = "drops column cart.token";
    deployment.plan->changes[1]->way_back = "restore the snapshot";
    world_store(&deployment);
    body = arena_printf(&w.arena,
                        "{\"expected_version\":10,\"role\":\"technical-lead\","
                        "\"approve\":{\"plan_hash\":\"%s\"}}",
                        deployment.state->plan_hash);
    assert_int_equal(
        world_post("tess", "/v1/deployments/express-pay.3/requests?dry_run=true", body), 200);
    assert_int_equal(world_count("preview.confirm"), 1);
    assert_string_equal(world_text("preview.confirm.0.field"), "accept_no_return");
    assert_int_equal(world_int("preview.confirm.0.value"), 2);
    assert_string_equal(world_text("preview.confirm.0.way_back"), "restore the snapshot");
    assert_string_equal(world_text("preview.irreversible.0"), "drops column cart.token");
    answer("r-3",
           "{\"state\":\"REFUSED\",\"version\":10,\"code\":\"confirmation-needed\","
           "\"detail\":\"change 2\",\"remedy\":\"\",\"deployment\":\"express-pay.3\"}");
    body = arena_printf(&w.arena,
                        "{\"request\":\"r-3\",\"expected_version\":10,"
                        "\"approve\":{\"plan_hash\":\"%s\"}}",
                        deployment.state->plan_hash);
    assert_int_equal(world_post("tess", target, body), 422);
    assert_int_equal(world_int("confirm.0.value"), 2);
}

static void nobody_approves_their_own_is_said_before(void **state)
{
    struct world_deployment deployment = in_review();
    const char *const body = arena_printf(&w.arena,
                                          "{\"expected_version\":10,\"role\":\"technical-"
                                          "lead\",\"approve\":{\"plan_hash\":\"%s\"}}",
                                          deployment.state->plan_hash);

    (void)state;
    deployment.state->submitted_by->subject = "tess";
    world_store(&deployment);
    assert_int_equal(
        world_post("tess", "/v1/deployments/express-pay.3/requests?dry_run=true", body), 403);
    assert_string_equal(world_text("code"), "own-submission");
}

static enum memory_fault no_kafka(void *self, const char *operation, const char *object)
{
    (void)self;
    (void)object;
    return strcmp(operation, "publish") == 0 ? FAULT_BEFORE : FAULT_NONE;
}

static void without_kafka_nothing_is_promised(void **state)
{
    (void)state;
    (void)checking();
    w.bus_faults.ask = no_kafka;
    assert_int_equal(world_post("rel", target, pause_it), 503);
    assert_string_equal(world_text("code"), "unavailable");
    assert_int_equal(w.call.retry_after_s, 1);
    w.bus_faults.ask = NULL;
    assert_int_equal(world_post("rel", target, pause_it), 202);
    assert_int_equal(world_sent_count(TOPIC_EVENTS), 1);
}

static enum memory_fault no_redis(void *self, const char *operation, const char *object)
{
    (void)self;
    (void)operation;
    (void)object;
    return FAULT_BEFORE;
}

static void what_is_on_the_log_is_pending_even_when_redis_is_away(void **state)
{
    (void)state;
    (void)checking();
    assert_int_equal(world_post("rel", target, pause_it), 202);
    w.store_faults.ask = no_redis;
    assert_false(request_answer(&w.call));
    assert_int_equal(w.call.status, 202);
    assert_int_equal(world_post("rel", target, pause_it), 503);
}

static void a_name_that_is_not_there_comes_with_near_ones(void **state)
{
    (void)state;
    (void)checking();
    assert_int_equal(world_post("rel", "/v1/deployments/expres-pay/requests", pause_it), 404);
    assert_string_equal(world_text("near.0"), "express-pay.3");
    assert_int_equal(world_post("rel", "/v1/deployments/express-pay/requests", pause_it), 202);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(a_request_becomes_one_signed_event),
        TEST(each_kind_of_request_is_understood),
        TEST(a_bad_body_is_refused_by_name_and_nothing_is_sent),
        TEST(a_reason_of_any_length_is_not_taken),
        TEST(what_the_coordinator_applied_is_answered_200),
        TEST(a_repeat_has_the_same_answer_and_is_not_sent_again),
        TEST(an_id_that_meant_something_else_is_refused),
        TEST(without_an_id_each_is_a_request_of_its_own),
        TEST(another_version_comes_with_what_happened_since),
        TEST(a_refusal_says_what_would_be_allowed),
        TEST(what_became_of_a_request_can_be_asked_later),
        TEST(waiting_is_as_long_as_is_preferred),
        TEST(a_preview_says_what_would_happen_and_writes_nothing),
        TEST(a_point_of_no_return_must_be_named),
        TEST(nobody_approves_their_own_is_said_before),
        TEST(without_kafka_nothing_is_promised),
        TEST(what_is_on_the_log_is_pending_even_when_redis_is_away),
        TEST(a_name_that_is_not_there_comes_with_near_ones),
    };

    return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
