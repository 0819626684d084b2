/* "Acceptance signed off" over HTTP: feature.yaml, JSON, and CloudEvents in their three modes;
 * and what comes back: signals and dead letters. */
#include "common/base/base64.h"
#include "common/config/feature.h"
#include "common/wire/pbjson.h"
#include "common/wire/topics.h"
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"

static const char digest[] =
    "sha256:0000000000000000000000000000000000000000000000000000000000000000";

static const char *yaml(void)
{
    const char *rest = world_example("deploy/example/feature.yaml");
    struct text text = text_new(64 * 1024);
    const char *found;
    const char *copy;

    while ((found = strstr(rest, "digest: auto")) != NULL) {
        text_add_bytes(&text, rest, (size_t)(found - rest));
        text_add(&text, "digest: %s", digest);
        rest = found + strlen("digest: auto");
    }
    text_add(&text, "%s", rest);
    copy = arena_text(&w.arena, text.bytes);
    text_release(&text);
    return copy;
}

static Pb__AcceptanceSignedOff *acceptance(void)
{
    const char *const text = yaml();
    Pb__AcceptanceSignedOff *const read =
        feature_read(&w.arena, "feature.yaml", text, strlen(text), NULL, world_problems());

    assert_non_null(read);
    return read;
}

static const char *as_json(const void *message)
{
    struct text text = text_new(256 * 1024);
    const char *copy;

    pbjson_print(message, PBJSON_SET, &text);
    copy = arena_text(&w.arena, text.bytes);
    text_release(&text);
    return copy;
}

static int send(const char *target, const char *type, struct pb_bytes body)
{
    return world_ask(
        &(struct asked){ .method = "POST",
                         .target = target,
                         .token = "ci",
                         .body = (const char *)body.bytes,
                         .body_length = body.length,
                         .headers = { arena_printf(&w.arena, "Content-Type: %s", type) } });
}

static int send_text(const char *target, const char *type, const char *body)
{
    return send(target, type, (struct pb_bytes){ (const uint8_t *)body, strlen(body) });
}

/* --- submit --- */

static void each_form_of_an_acceptance_becomes_the_same_record(void **state)
{
    const Pb__Acceptance *record;
    const char *first;

    (void)state;
    assert_int_equal(send_text("/v1/deployments", "application/yaml", yaml()), 202);
    first = arena_text(&w.arena, world_text("content_hash"));
    assert_string_equal(w.call.location, "/v1/deployments/express-pay");
    record = world_sent(TOPIC_ACCEPTANCE, &pb__acceptance__descriptor);
    assert_string_equal(record->signed_off->submitted_by->subject, "ci");
    assert_string_equal(world_record(TOPIC_ACCEPTANCE)->key, "express-pay");
    assert_int_equal(
        send_text("/v1/deployments", "application/json; charset=utf-8", as_json(acceptance())),
        202);
    assert_string_equal(world_text("content_hash"), first);
    assert_int_equal(
        send("/v1/deployments", "application/protobuf", pb_pack(&w.arena, acceptance())), 202);
    assert_string_equal(world_text("content_hash"), first);
    assert_int_equal(world_sent_count(TOPIC_ACCEPTANCE), 3);
}

static void a_dry_run_says_what_is_missing_and_sends_nothing(void **state)
{
    (void)state;
    assert_int_equal(send_text("/v1/deployments?dry_run=true", "application/yaml", yaml()),
                     200);
    assert_true(json_is_true(world_at("complete")));
    assert_int_equal(strlen(world_text("plan_hash")), 64);
    assert_int_equal(world_sent_count(TOPIC_ACCEPTANCE), 0);
}

static void mistakes_in_a_file_are_told_with_line_and_column(void **state)
{
    (void)state;
    assert_int_equal(send_text("/v1/deployments", "application/yaml", "feature: x\ntitel: y\n"),
                     400);
    assert_true(world_count("errors") > 0);
    assert_int_equal(world_int("errors.0.line") > 0, 1);
    assert_int_equal(world_sent_count(TOPIC_ACCEPTANCE), 0);
}

static void what_cannot_be_taken_is_refused(void **state)
{
    static const struct {
        const char *type;
        const char *body;
        int status;
    } cases[] = {
        { "text/plain", "x", 415 },
        { "application/x-www-form-urlencoded", "x", 415 },
        { "application/json", "", 400 },
        { "application/json", "{}", 422 },
        { "application/json", "{\"feature\":\"a b\"}", 422 },
        { "application/protobuf", "\xff\xff", 400 },
        { "application/yaml", "&a [*a]", 400 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(send_text("/v1/deployments", cases[i].type, cases[i].body),
                         cases[i].status);
    assert_int_equal(send("/v1/deployments",
                          "application/yaml",
                          (struct pb_bytes){ (const uint8_t *)"a\0b", 3 }),
                     400);
    assert_int_equal(world_post("rita", "/v1/deployments", "{}"), 403);
    assert_int_equal(world_sent_count(TOPIC_ACCEPTANCE), 0);
}

/* --- CloudEvents --- */

static int binary(const char *id, const char *source, const char *type, struct pb_bytes body)
{
    return world_ask(
        &(struct asked){ .method = "POST",
                         .target = "/v1/events",
                         .token = "ci",
                         .body = (const char *)body.bytes,
                         .body_length = body.length,
                         .headers = { arena_printf(&w.arena, "ce-id: %s", id),
                                      arena_printf(&w.arena, "ce-source: %s", source),
                                      "ce-type: slipway.v1.AcceptanceSignedOff",
                                      "ce-specversion: 1.0",
                                      arena_printf(&w.arena, "Content-Type: %s", type) } });
}

static const char *structured(const char *id, const char *member, const char *data)
{
    return arena_printf(&w.arena,
                        "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/ci\",\"type\":"
                        "\"slipway.v1.AcceptanceSignedOff\",\"subject\":null,\"%s\":%s}",
                        id,
                        member,
                        data);
}

static void a_binary_event_is_known_by_its_source_and_id(void **state)
{
    const struct bus_record *record;

    (void)state;
    assert_int_equal(
        binary("42", "/ci/build", "application/protobuf", pb_pack(&w.arena, acceptance())),
        202);
    assert_string_equal(world_text("ids.0"), "/ci/build#42");
    record = world_record(TOPIC_ACCEPTANCE);
    assert_string_equal(bus_header(record, "ce_id"), "/ci/build#42");
}

static void headers_are_decoded_once(void **state)
{
    const struct pb_bytes body = pb_pack(&w.arena, acceptance());

    (void)state;
    assert_int_equal(binary("a%20b%2525", "/ci", "application/protobuf", body), 202);
    assert_string_equal(world_text("ids.0"), "/ci#a b%25");
    assert_int_equal(binary("\"q\\\"%C3%A9\"", "/ci", "application/protobuf", body), 202);
    assert_string_equal(world_text("ids.0"), "/ci#q\"\xc3\xa9");
    assert_int_equal(binary("%C0%A0", "/ci", "application/protobuf", body), 422);
    assert_string_equal(world_text("field"), "id");
    assert_int_equal(binary("%00", "/ci", "application/protobuf", body), 422);
    assert_int_equal(binary("%4", "/ci", "application/protobuf", body), 422);
    assert_int_equal(binary("%zz", "/ci", "application/protobuf", body), 422);
}

static void structured_data_is_json_or_base64(void **state)
{
    const struct pb_bytes packed = pb_pack(&w.arena, acceptance());
    struct text base64 = text_new(256 * 1024);
    const char *const json = as_json(acceptance());
    const char *event;

    (void)state;
    assert_int_equal(send_text("/v1/events",
                               "application/cloudevents+json; charset=UTF-8",
                               structured("1", "data", json)),
                     202);
    text_add(&base64, "\"");
    base64_write(&base64, packed.bytes, packed.length);
    text_add(&base64, "\",\"datacontenttype\":\"application/protobuf\"");
    event = structured("2", "data_base64", base64.bytes);
    assert_int_equal(send_text("/v1/events", "application/cloudevents+json", event), 202);
    assert_int_equal(world_sent_count(TOPIC_ACCEPTANCE), 2);
    assert_string_equal(
        ((Pb__Acceptance *)world_sent(TOPIC_ACCEPTANCE, &pb__acceptance__descriptor))
            ->signed_off->feature,
        "express-pay");
    assert_int_equal(send_text("/v1/events",
                               "application/cloudevents+json",
                               structured("3", "data_base64", "\"***\"")),
                     422);
    assert_int_equal(send_text("/v1/events",
                               "application/cloudevents+json",
                               structured("3", "data_base64", "\"aa\",\"data\":{}")),
                     422);
    text_release(&base64);
}

static void a_batch_is_sent_whole_or_not_at_all(void **state)
{
    const char *const good = structured("1", "data", as_json(acceptance()));
    const char *const bad = structured("2", "data", "{\"feature\":\"a b\"}");
    static const char type[] = "application/cloudevents-batch+json";

    (void)state;
    assert_int_equal(
        send_text("/v1/events", type, arena_printf(&w.arena, "[%s,%s]", good, bad)), 422);
    assert_int_equal(world_sent_count(TOPIC_ACCEPTANCE), 0);
    assert_int_equal(
        send_text("/v1/events", type, arena_printf(&w.arena, "[%s,%s]", good, good)), 202);
    assert_int_equal(world_int("events"), 2);
    assert_int_equal(send_text("/v1/events", type, "[]"), 202);
    assert_int_equal(send_text("/v1/events", type, "{}"), 422);
    assert_int_equal(send_text("/v1/events", type, "[1]"), 422);
    assert_int_equal(send_text("/v1/events", type, "["), 400);
}

static void large_events_are_taken(void **state)
{
    Pb__AcceptanceSignedOff *const large = acceptance();
    struct pb_bytes packed;

    (void)state;
    for (int i = 0; i < 60; i++)
        PB_APPEND(&w.arena, large, risks, arena_printf(&w.arena, "%01200d", i));
    packed = pb_pack(&w.arena, large);
    assert_true(packed.length > 64 * 1024);
    assert_int_equal(binary("big", "/ci", "application/protobuf", packed), 202);
}

static void a_withdrawal_names_its_feature(void **state)
{
    static const char event[] =
        "{\"specversion\":\"1.0\",\"id\":\"w\",\"source\":\"/ci\",\"type\":"
        "\"slipway.v1.AcceptanceWithdrawn\",\"data\":{\"feature\":\"%s\",\"reason\":\"no\"}}";
    const Pb__Acceptance *record;

    (void)state;
    assert_int_equal(send_text("/v1/events",
                               "application/cloudevents+json",
                               arena_printf(&w.arena, event, "express-pay")),
                     202);
    record = world_sent(TOPIC_ACCEPTANCE, &pb__acceptance__descriptor);
    assert_string_equal(record->withdrawn->actor->subject, "ci");
    assert_int_equal(send_text("/v1/events",
                               "application/cloudevents+json",
                               arena_printf(&w.arena, event, "")),
                     422);
}

static void an_event_that_is_none_is_refused_by_its_attribute(void **state)
{
    static const struct {
        const char *body;
        const char *field;
    } cases[] = {
        { "{}", "specversion" },
        { "{\"specversion\":\"0.3\"}", "specversion" },
        { "{\"specversion\":\"1.0\"}", "id" },
        { "{\"specversion\":\"1.0\",\"id\":\"\"}", "id" },
        { "{\"specversion\":\"1.0\",\"id\":7}", "id" },
        { "{\"specversion\":\"1.0\",\"id\":\"a\"}", "source" },
        { "{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\"}", "type" },
        { "{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\",\"type\":\"x\"}", "type" },
        { "{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\",\"type\":"
          "\"slipway.v1.AcceptanceSignedOff\"}",
          "data" },
        { "{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\",\"type\":"
          "\"slipway.v1.AcceptanceSignedOff\",\"data\":\"text\"}",
          "data" },
        { "{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\",\"type\":"
          "\"slipway.v1.Acceptance\",\"data\":{}}",
          "data" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(send_text("/v1/events", "application/cloudevents+json", cases[i].body),
                         422);
        if (strcmp(world_text("field"), cases[i].field) != 0)
            fail_msg("%s: %s", cases[i].body, world_body());
    }
    assert_int_equal(send_text("/v1/events", "text/plain", "x"), 415);
    assert_int_equal(world_post("rita", "/v1/events", "{}"), 403);
}

/* --- what comes back --- */

static void publish(const char *topic, const void *message)
{
    const struct pb_bytes packed = pb_pack(&w.arena, message);
    const struct bus_record record = { .topic = topic,
                                       .partition = BUS_PARTITION_BY_KEY,
                                       .key = "express-pay",
                                       .bytes = packed.bytes,
                                       .length = packed.length };
    struct error error = { 0 };

    assert_int_equal(w.ports.bus.publish(w.ports.bus.self, &record, &error), ERR_OK);
}

static void signals_are_kept_and_filtered(void **state)
{
    Pb__Signal *const signal = pb_new(&w.arena, &pb__signal__descriptor);

    (void)state;
    for (uint64_t i = 1; i <= 600; i++) {
        signal->feature = i % 2 == 0 ? "express-pay" : "gift-cards";
        signal->sequence = i;
        publish(TOPIC_SIGNALS, signal);
    }
    world_turn();
    world_turn();
    assert_int_equal(world_get("/v1/signals"), 200);
    assert_int_equal(world_count("items"), 500);
    assert_int_equal(world_int("items.499.sequence"), 600);
    assert_int_equal(world_get("/v1/signals?feature=express-pay&after=598"), 200);
    assert_int_equal(world_count("items"), 1);
    assert_int_equal(world_get("/v1/signals?after=x"), 400);
}

static void a_dead_letter_is_shown_without_its_secrets(void **state)
{
    static char bytes[] = "{\"password\": \"hunter2\", \"token=abc\", \"note\":\"plain\"}\x01";
    Pb__DeadLetter *const letter = pb_new(&w.arena, &pb__dead_letter__descriptor);

    (void)state;
    letter->topic = "acceptance.v1";
    letter->source = "/ci/jenkins-7";
    letter->reason = "digest is missing";
    letter->fix = "send it";
    letter->bytes.data = (uint8_t *)bytes;
    letter->bytes.len = sizeof bytes - 1;
    publish(TOPIC_DEAD_LETTER, letter);
    world_turn();
    assert_int_equal(world_get("/v1/dead-letters"), 200);
    assert_string_equal(world_text("items.0.sender"), "/ci/jenkins-7");
    assert_string_equal(world_text("items.0.fix"), "send it");
    assert_string_equal(world_text("items.0.preview"),
                        "{\"password\": \"*******\", \"token=***\", \"note\":\"plain\"}.");
}

static void a_dead_letter_of_any_size_is_kept_small(void **state)
{
    Pb__DeadLetter *const letter = pb_new(&w.arena, &pb__dead_letter__descriptor);

    (void)state;
    letter->bytes.len = 64 * 1024;
    letter->bytes.data = arena_alloc(&w.arena, letter->bytes.len);
    for (int i = 0; i < 510; i++)
        publish(TOPIC_DEAD_LETTER, letter);
    world_turn();
    world_turn();
    assert_int_equal(world_get("/v1/dead-letters"), 200);
    assert_int_equal(world_count("items"), 500);
    assert_int_equal(strlen(world_text("items.0.preview")), 256);
    assert_true(w.bench.arena.used < 2u << 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(each_form_of_an_acceptance_becomes_the_same_record),
        TEST(a_dry_run_says_what_is_missing_and_sends_nothing),
        TEST(mistakes_in_a_file_are_told_with_line_and_column),
        TEST(what_cannot_be_taken_is_refused),
        TEST(a_binary_event_is_known_by_its_source_and_id),
        TEST(headers_are_decoded_once),
        TEST(structured_data_is_json_or_base64),
        TEST(a_batch_is_sent_whole_or_not_at_all),
        TEST(large_events_are_taken),
        TEST(a_withdrawal_names_its_feature),
        TEST(an_event_that_is_none_is_refused_by_its_attribute),
        TEST(signals_are_kept_and_filtered),
        TEST(a_dead_letter_is_shown_without_its_secrets),
        TEST(a_dead_letter_of_any_size_is_kept_small),
    };

    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
