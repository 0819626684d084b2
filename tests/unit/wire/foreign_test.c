#include "common/base/text.h"
#include "common/wire/foreign.h"
#include "tests/support/test.h"

#include <string.h>

enum { ARENA_SIZE = 8 * 1024 * 1024 };

static struct arena arena;
static struct error error;

static int setup(void **state)
{
    (void)state;
    arena = arena_with_limit(ARENA_SIZE);
    error = (struct error){ 0 };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct bus_record record_of(const char *type, const char *text)
{
    struct bus_record record = { .topic = "acceptance.v1",
                                 .key = "express-pay",
                                 .bytes = (const uint8_t *)text,
                                 .length = strlen(text) };

    if (type != NULL)
        record.headers[record.header_count++] = (struct bus_header){ "content-type", type };
    return record;
}

static enum err unwrap(const char *text, struct bus_record *ret)
{
    const struct bus_record record =
        record_of("application/cloudevents+json; charset=UTF-8", text);

    return foreign_unwrap(&arena, &record, ret, &error);
}

static const Pb__AcceptanceWithdrawn *message_of(const struct bus_record *record)
{
    void *message = NULL;

    assert_int_equal(
        foreign_message(
            &arena, record, &pb__acceptance_withdrawn__descriptor, &message, &error),
        ERR_OK);
    return message;
}

#define HEAD                                                                                   \
    "{\"specversion\":\"1.0\",\"id\":\"b-7\",\"source\":\"/ci\",\"type\":\"t\",\"tries\":3,"   \
    "\"again\":false,\"subject\":null,"

static void a_structured_event_becomes_headers_and_its_data(void **state)
{
    struct bus_record plain = { 0 };
    struct envelope envelope = { 0 };

    (void)state;
    assert_int_equal(unwrap(HEAD "\"data\":{\"feature\":\"express-pay\"}}", &plain), ERR_OK);
    assert_string_equal(plain.topic, "acceptance.v1");
    assert_string_equal(plain.key, "express-pay");
    assert_int_equal(envelope_open(&arena, &plain, &envelope, &error), ERR_OK);
    assert_string_equal(envelope.id, "b-7");
    assert_string_equal(envelope.source, "/ci");
    assert_string_equal(bus_header(&plain, "ce_tries"), "3");
    assert_string_equal(bus_header(&plain, "ce_again"), "false");
    assert_null(bus_header(&plain, "ce_subject"));
    assert_string_equal(message_of(&plain)->feature, "express-pay");
}

static void protobuf_data_of_a_structured_event_is_base64(void **state)
{
    struct bus_record plain = { 0 };

    (void)state;
    assert_int_equal(unwrap(HEAD "\"datacontenttype\":\"application/protobuf\","
                                 "\"data_base64\":\"CgtleHByZXNzLXBheQ==\"}",
                            &plain),
                     ERR_OK);
    assert_string_equal(message_of(&plain)->feature, "express-pay");
}

static void a_record_in_binary_mode_is_left_as_it_is(void **state)
{
    const struct bus_record record = record_of("application/json", "{\"feature\":\"a\"}");
    struct bus_record plain = { 0 };

    (void)state;
    assert_int_equal(foreign_unwrap(&arena, &record, &plain, &error), ERR_OK);
    assert_ptr_equal(plain.bytes, record.bytes);
    assert_int_equal(plain.header_count, record.header_count);
    assert_string_equal(message_of(&plain)->feature, "a");
}

static void data_without_content_type_is_protobuf(void **state)
{
    const struct bus_record record = record_of(NULL, "\n\x01x");

    (void)state;
    assert_string_equal(message_of(&record)->feature, "x");
}

static void assert_refused(const char *text, const char *word)
{
    struct bus_record plain = { .topic = "untouched" };

    assert_int_equal(unwrap(text, &plain), ERR_INVALID);
    assert_non_null(strstr(error.text, word));
    assert_string_equal(plain.topic, "untouched");
}

static void a_structured_event_that_cannot_be_is_refused_with_the_reason(void **state)
{
    (void)state;
    assert_refused("{", "line 1");
    assert_refused("[]", "JSON object");
    assert_refused("{\"id\":\"a\",\"id\":\"b\"}", "duplicate");
    assert_refused("{\"id\":{}}", "id: a context attribute is a text");
    assert_refused(HEAD "\"data\":{},\"data_base64\":\"\"}", "exclude each other");
    assert_refused(HEAD "\"data_base64\":\"*\"}", "no base64");
    assert_refused(HEAD "\"data_base64\":7}", "no base64");
    assert_refused(HEAD "\"datacontenttype\":\"text/plain\",\"data\":{}}", "data_base64");
}

static void more_attributes_than_a_record_has_headers_are_refused(void **state)
{
    struct text text = text_new(4096);

    (void)state;
    text_add(&text, "{");
    for (int i = 0; i < BUS_HEADERS_MAX; i++)
        text_add(&text, "\"a%d\":\"x\",", i);
    text_add(&text, "\"z\":\"x\"}");
    assert_refused(text.bytes, "more than 24 attributes");
    text_release(&text);
}

static void other_forms_are_refused_by_name(void **state)
{
    const struct bus_record avro = record_of("application/avro", "x");
    const struct bus_record batch = record_of("application/cloudevents-batch+json", "[]");
    const struct bus_record empty = { .topic = "acceptance.v1", .key = "" };
    struct bus_record plain = { 0 };
    void *message = NULL;

    (void)state;
    assert_int_equal(foreign_unwrap(&arena, &batch, &plain, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "cloudevents-batch+json"));
    assert_int_equal(
        foreign_message(&arena, &avro, &pb__acceptance__descriptor, &message, &error),
        ERR_INVALID);
    assert_non_null(strstr(error.text, "application/avro"));
    assert_int_equal(
        foreign_message(&arena, &empty, &pb__acceptance__descriptor, &message, &error),
        ERR_INVALID);
    assert_non_null(strstr(error.text, "no data"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_structured_event_becomes_headers_and_its_data, setup, teardown),
        cmocka_unit_test_setup_teardown(
            protobuf_data_of_a_structured_event_is_base64, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_record_in_binary_mode_is_left_as_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(data_without_content_type_is_protobuf, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_structured_event_that_cannot_be_is_refused_with_the_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(
            more_attributes_than_a_record_has_headers_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(other_forms_are_refused_by_name, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
