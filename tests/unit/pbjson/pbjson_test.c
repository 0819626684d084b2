#include "common/wire/pbjson.h"
#include "tests/support/test.h"

#include <stdlib.h>

static struct arena *fresh_arena(void)
{
    static struct arena arena;

    arena_release(&arena);
    arena = arena_with_limit(8 << 20);
    return &arena;
}

static int release_arena(void **state)
{
    (void)state;
    (void)fresh_arena();
    return 0;
}

/* What parsing that text as an acceptance answers, as text: "ok" or the error. */
static const char *answer_of(const char *text)
{
    static struct error error;
    void *message = NULL;
    const enum err err = pbjson_parse(fresh_arena(),
                                      &pb__acceptance_signed_off__descriptor,
                                      text,
                                      strlen(text),
                                      &message,
                                      &error);

    return err == ERR_OK ? "ok" : error.text;
}

static Pb__Event *event_of(struct arena *arena)
{
    Pb__Event *const event = pb_new(arena, &pb__event__descriptor);
    Pb__OperatorRequest *const request = pb_new(arena, &pb__operator_request__descriptor);

    event->deployment = "express-pay.3";
    event->body_case = PB__EVENT__BODY_REQUEST;
    event->request = request;
    request->expected_version = 214;
    request->reason = "caf\xc3\xa9 \"x\"\n";
    request->body_case = PB__OPERATOR_REQUEST__BODY_ATTEST;
    request->attest = pb_new(arena, &pb__attest__descriptor);
    request->attest->verdict = PB__VERDICT__PASS;
    return event;
}

static void a_message_is_printed_by_the_names_of_its_fields(void **state)
{
    char buffer[512];
    struct text text = text_over(buffer, sizeof buffer);

    (void)state;
    pbjson_print(event_of(fresh_arena()), PBJSON_SET, &text);
    assert_string_equal(
        buffer,
        "{\"deployment\":\"express-pay.3\",\"request\":{\"expected_version\":214,"
        "\"reason\":\"caf\xc3\xa9 \\\"x\\\"\\n\",\"attest\":{\"verdict\":\"PASS\"}}"
        "}");
}

static void in_full_style_defaults_are_written_too(void **state)
{
    struct arena *const arena = fresh_arena();
    char buffer[512];
    struct text text = text_over(buffer, sizeof buffer);

    (void)state;
    pbjson_print(pb_new(arena, &pb__actor__descriptor), PBJSON_FULL, &text);
    assert_string_equal(buffer, "{\"subject\":\"\",\"roles\":[],\"via\":\"\"}");
    text_reset(&text);
    pbjson_print(pb_new(arena, &pb__fence__descriptor), PBJSON_FULL, &text);
    assert_string_equal(buffer, "{\"grant\":0,\"version\":0}");
}

/* Prints, parses, and compares the packed bytes. */
static void assert_survives(struct arena *arena, const void *message, enum pbjson_style style)
{
    struct text text = text_new(1 << 20);
    struct error error = { 0 };
    void *back = NULL;
    struct pb_bytes before;
    struct pb_bytes after;

    pbjson_print(message, style, &text);
    assert_true(text_ok(&text));
    assert_int_equal(pbjson_parse(arena,
                                  ((const ProtobufCMessage *)message)->descriptor,
                                  text.bytes,
                                  text.length,
                                  &back,
                                  &error),
                     ERR_OK);
    before = pb_pack(arena, message);
    after = pb_pack(arena, back);
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.bytes, after.bytes, before.length);
    text_release(&text);
}

static void what_is_printed_can_be_read_back(void **state)
{
    struct arena *const arena = fresh_arena();

    (void)state;
    assert_survives(arena, event_of(arena), PBJSON_SET);
    assert_survives(arena, event_of(arena), PBJSON_FULL);
}

static void numbers_of_64_bits_survive_at_their_limits(void **state)
{
    struct arena *const arena = fresh_arena();
    Pb__Fence *const fence = pb_new(arena, &pb__fence__descriptor);
    Pb__Freeze *const freeze = pb_new(arena, &pb__freeze__descriptor);

    (void)state;
    fence->grant = UINT64_MAX;
    fence->version = INT64_MAX;
    assert_survives(arena, fence, PBJSON_SET);
    freeze->from_ms = INT64_MIN;
    freeze->to_ms = INT64_MAX;
    assert_survives(arena, freeze, PBJSON_SET);
}

static void bytes_of_every_length_survive_as_base64(void **state)
{
    struct arena *const arena = fresh_arena();
    Pb__DeadLetter *const letter = pb_new(arena, &pb__dead_letter__descriptor);
    uint8_t bytes[] = { 0xff, 0x00, 0xfe, 0x3f, 0x80, 0x01, 0x7f };

    (void)state;
    for (size_t length = 0; length <= sizeof bytes; length++) {
        letter->bytes = (ProtobufCBinaryData){ length, bytes };
        assert_survives(arena, letter, PBJSON_SET);
    }
}

static void a_list_of_every_kind_survives(void **state)
{
    struct arena *const arena = fresh_arena();
    Pb__DeploymentState *const deployment = pb_new(arena, &pb__deployment_state__descriptor);

    (void)state;
    deployment->dates = pb_new(arena, &pb__audit_dates__descriptor);
    PB_APPEND(arena, deployment->dates, activation_ms, INT64_C(1795434003000));
    PB_APPEND(arena, deployment->dates, activation_ms, INT64_C(-1));
    PB_APPEND(arena, deployment, skipped, 7u);
    PB_APPEND(arena, deployment, skipped, UINT32_MAX);
    PB_APPEND(arena, deployment, services, "shop");
    PB_APPEND(arena, deployment, services, "");
    PB_APPEND(arena, deployment, holds, pb_new(arena, &pb__hold__descriptor));
    deployment->holds[0]->kind = PB__HOLD_KIND__HOLD_FREEZE;
    assert_survives(arena, deployment, PBJSON_SET);
    assert_survives(arena, deployment, PBJSON_FULL);
}

static void an_error_names_the_path(void **state)
{
    (void)state;
    assert_string_equal(answer_of("{\"artifacts\":[{\"digest\":\"sha256:1\"}]}"),
                        "artifacts[0].digest: expected object");
    assert_string_equal(answer_of("{\"rollout\":[{},{\"percnt\":5}]}"),
                        "rollout[1].percnt: unknown field");
    assert_string_equal(answer_of("{\"rollout\":[{\"percent\":-1}]}"),
                        "rollout[0].percent: integer out of range");
    assert_string_equal(answer_of("{\"rollout\":[{\"percent\":4294967296}]}"),
                        "rollout[0].percent: integer out of range");
    assert_string_equal(answer_of("{\"rollout\":[{\"percent\":\"5x\"}]}"),
                        "rollout[0].percent: expected integer");
    assert_string_equal(answer_of("{\"rollout\":{}}"), "rollout: expected a list");
    assert_string_equal(answer_of("{\"services\":[\"a\",null]}"), "services[1]: expected text");
    assert_string_equal(answer_of("{\"artifacts_ready\":\"yes\"}"),
                        "artifacts_ready: expected true or false");
    assert_string_equal(answer_of("[]"), "the document: expected object");
    assert_string_equal(
        answer_of("{\"artifacts\":[{\"on_rollback\":\"FORGET\"}]}"),
        "artifacts[0].on_rollback: unknown value; expected REVERT, KEEP, MANUAL");
    assert_string_equal(answer_of("{\"artifacts\":[{\"on_rollback\":1}]}"),
                        "artifacts[0].on_rollback: expected the name of an enum value");
}

static void what_is_no_json_is_refused_with_line_and_column(void **state)
{
    (void)state;
    assert_string_equal(answer_of("{\"feature\":\n\"a\",}"),
                        "line 2 column 5: string or '}' expected near '}'");
    assert_non_null(strstr(answer_of("{\"feature\":\"a\",\"feature\":\"b\"}"), "duplicate"));
    assert_string_not_equal(answer_of("{\"feature\":\"a\\u0000b\"}"), "ok");
    assert_string_not_equal(answer_of("{\"feature\":\"\xc0\x80\"}"), "ok");
    assert_string_not_equal(answer_of(""), "ok");
}

static void absent_and_null_leave_the_default(void **state)
{
    static const char text[] = "{\"feature\":null,\"report\":null,\"services\":null}";
    struct error error = { 0 };
    void *message = NULL;

    (void)state;
    assert_int_equal(pbjson_parse(fresh_arena(),
                                  &pb__acceptance_signed_off__descriptor,
                                  text,
                                  sizeof text - 1,
                                  &message,
                                  &error),
                     ERR_OK);
    assert_string_equal(((Pb__AcceptanceSignedOff *)message)->feature, "");
    assert_null(((Pb__AcceptanceSignedOff *)message)->report);
}

static void only_one_of_a_oneof_may_be_given(void **state)
{
    static const char text[] = "{\"pause\":{},\"resume\":{}}";
    struct error error = { 0 };
    void *message = NULL;

    (void)state;
    assert_int_equal(pbjson_parse(fresh_arena(),
                                  &pb__operator_request__descriptor,
                                  text,
                                  sizeof text - 1,
                                  &message,
                                  &error),
                     ERR_INVALID);
    assert_string_equal(error.text,
                        "resume: another one of which only one may be given is there");
}

static void a_document_that_would_take_too_much_memory_is_refused(void **state)
{
    struct text text = text_new(PBJSON_TEXT_MAX + 64);

    (void)state;
    text_add(&text, "{\"feature\":\"");
    while (text.length <= PBJSON_TEXT_MAX)
        text_add_char(&text, 'x');
    text_add(&text, "\"}");
    assert_non_null(strstr(answer_of(text.bytes), "bytes of JSON, at most"));
    text_reset(&text);
    text_add(&text, "{\"artifacts\":[{}");
    while (text.length < PBJSON_TEXT_MAX / 2)
        text_add(&text, ",{}");
    text_add(&text, "]}");
    assert_non_null(strstr(answer_of(text.bytes), "takes more memory than it may"));
    text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_printed_by_the_names_of_its_fields),
        cmocka_unit_test(in_full_style_defaults_are_written_too),
        cmocka_unit_test(what_is_printed_can_be_read_back),
        cmocka_unit_test(numbers_of_64_bits_survive_at_their_limits),
        cmocka_unit_test(bytes_of_every_length_survive_as_base64),
        cmocka_unit_test(a_list_of_every_kind_survives),
        cmocka_unit_test(an_error_names_the_path),
        cmocka_unit_test(what_is_no_json_is_refused_with_line_and_column),
        cmocka_unit_test(absent_and_null_leave_the_default),
        cmocka_unit_test(only_one_of_a_oneof_may_be_given),
        cmocka_unit_test(a_document_that_would_take_too_much_memory_is_refused),
    };

    return cmocka_run_group_tests_name("pbjson", tests, NULL, release_arena);
}
