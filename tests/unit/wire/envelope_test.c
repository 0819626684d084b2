#include "common/wire/envelope.h"
#include "tests/support/test.h"

#include <stdio.h>

enum { ARENA_SIZE = 4 * 1024 * 1024 };

static struct arena arena;
static struct error error;

static int setup(void **state)
{
    (void)state;
    arena = arena_with_limit(ARENA_SIZE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct envelope_keys two_keys(void)
{
    struct envelope_keys keys = { .count = 2 };

    (void)snprintf(keys.item[0].writer, sizeof keys.item[0].writer, "executor");
    memset(keys.item[0].key, 1, 32);
    keys.item[0].length = 32;
    (void)snprintf(keys.item[1].writer, sizeof keys.item[1].writer, "monitor");
    memset(keys.item[1].key, 2, 32);
    keys.item[1].length = 32;
    return keys;
}

static const struct envelope by_executor = {
    .id = "express-pay.3/2/1/0/1/finished",
    .source = "/slipway/executor/executor-1",
    .subject = "express-pay.3",
    .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    .writer = "executor",
    .time_ms = 1795442640000,
};

static struct bus_record sealed(const struct envelope_keys *keys)
{
    Pb__Event *const event = pb_new(&arena, &pb__event__descriptor);
    struct bus_record record;
    const struct envelope_out out = {
        .topic = "events.v1", .key = "express-pay", .message = &event->base, .sign = true
    };

    event->deployment = "express-pay.3";
    assert_int_equal(envelope_seal(&arena, keys, &by_executor, &out, &record, &error), ERR_OK);
    return record;
}

/* The executor's new key before its old one: what the old one signed is still believed. */
static void a_key_that_was_replaced_still_proves_what_it_signed(void **state)
{
    const struct envelope_keys old = two_keys();
    struct envelope_keys replaced = two_keys();
    const struct bus_record before = sealed(&old);
    struct bus_record after;

    (void)state;
    memset(replaced.item[0].key, 3, 32);
    assert_int_equal(envelope_verify(&replaced, &before, NULL, &error), ERR_DENIED);
    replaced.item[2] = old.item[0];
    replaced.count = 3;
    assert_int_equal(envelope_verify(&replaced, &before, NULL, &error), ERR_OK);
    after = sealed(&replaced);
    assert_int_equal(envelope_verify(&old, &after, NULL, &error), ERR_DENIED);
    assert_int_equal(envelope_verify(&replaced, &after, NULL, &error), ERR_OK);
}

static void set_header(struct bus_record *record, const char *name, const char *value)
{
    for (size_t i = 0; i < record->header_count; i++) {
        if (strcmp(record->headers[i].name, name) == 0)
            record->headers[i].value = value;
    }
}

static void drop_header(struct bus_record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++) {
        if (strcmp(record->headers[i].name, name) == 0)
            record->headers[i] = record->headers[--record->header_count];
    }
}

static void what_is_sealed_can_be_opened(void **state)
{
    const struct envelope_keys keys = two_keys();
    const struct bus_record record = sealed(&keys);
    struct envelope opened;

    (void)state;
    assert_string_equal(bus_header(&record, "content-type"), "application/protobuf");
    assert_string_equal(bus_header(&record, "ce_time"), "2026-11-23T14:04:00.000Z");
    assert_int_equal(envelope_open(&arena, &record, &opened, &error), ERR_OK);
    assert_string_equal(opened.id, by_executor.id);
    assert_string_equal(opened.type, "slipway.v1.Event");
    assert_string_equal(opened.source, by_executor.source);
    assert_string_equal(opened.subject, "express-pay.3");
    assert_string_equal(opened.traceparent, by_executor.traceparent);
    assert_string_equal(opened.writer, "executor");
    assert_int_equal(opened.time_ms, by_executor.time_ms);
}

static void a_mac_proves_its_writer(void **state)
{
    static const char *const workers[] = { "prechecks", "executor", NULL };
    const struct envelope_keys keys = two_keys();
    const struct bus_record record = sealed(&keys);

    (void)state;
    assert_int_equal(envelope_verify(&keys, &record, workers, &error), ERR_OK);
    assert_int_equal(envelope_verify(&keys, &record, NULL, &error), ERR_OK);
}

static void a_writer_may_write_only_its_own_types(void **state)
{
    static const char *const monitor[] = { "monitor", NULL };
    const struct envelope_keys keys = two_keys();
    const struct bus_record record = sealed(&keys);

    (void)state;
    assert_int_equal(envelope_verify(&keys, &record, monitor, &error), ERR_DENIED);
    assert_string_equal(error.text, "executor may not write this");
}

static void whatever_the_mac_covers_cannot_be_changed(void **state)
{
    const struct envelope_keys keys = two_keys();
    const struct bus_record good = sealed(&keys);
    const uint8_t other[] = { 10, 1, 'x' };
    struct bus_record bad[6];

    (void)state;
    for (size_t i = 0; i < 6; i++)
        bad[i] = good;
    bad[0].topic = "control.v1";
    bad[1].key = "other";
    bad[2].bytes = other;
    bad[2].length = sizeof other;
    set_header(&bad[3], "ce_id", "another");
    set_header(&bad[4], "ce_type", "slipway.v1.Command");
    set_header(&bad[5], "ce_writer", "monitor");
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(envelope_verify(&keys, &bad[i], NULL, &error), ERR_DENIED);
}

static void a_record_without_proof_is_denied(void **state)
{
    const struct envelope_keys keys = two_keys();
    struct bus_record no_mac = sealed(&keys);
    struct bus_record unknown = sealed(&keys);

    (void)state;
    drop_header(&no_mac, "ce_mac");
    set_header(&unknown, "ce_writer", "mallory");
    assert_int_equal(envelope_verify(&keys, &no_mac, NULL, &error), ERR_DENIED);
    assert_int_equal(envelope_verify(&keys, &unknown, NULL, &error), ERR_DENIED);
    assert_string_equal(error.text, "ce_writer \"mallory\" is unknown");
}

static void nobody_signs_without_a_key(void **state)
{
    Pb__Event *const event = pb_new(&arena, &pb__event__descriptor);
    const struct envelope_out out = {
        .topic = "events.v1", .key = "k", .message = &event->base, .sign = true
    };
    struct bus_record record;

    (void)state;
    assert_int_equal(envelope_seal(&arena, NULL, &by_executor, &out, &record, &error),
                     ERR_DENIED);
}

static void records_of_others_need_no_writer(void **state)
{
    const struct bus_record record = {
        .topic = "acceptance.v1",
        .key = "express-pay",
        .at_ms = 77,
        .headers = { { "ce_specversion", "1.0" },
                     { "ce_id", "1" },
                     { "ce_type", "x" },
                     { "ce_source", "/ci" } },
        .header_count = 4,
    };
    struct envelope opened;

    (void)state;
    assert_int_equal(envelope_open(&arena, &record, &opened, &error), ERR_OK);
    assert_string_equal(opened.writer, "");
    assert_int_equal(opened.time_ms, 77);
}

static void a_missing_or_wrong_header_is_named(void **state)
{
    const struct envelope_keys keys = two_keys();
    const char *const required[] = { "ce_specversion", "ce_id", "ce_type", "ce_source" };
    struct bus_record record;
    struct envelope opened;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        record = sealed(&keys);
        drop_header(&record, required[i]);
        assert_int_equal(envelope_open(&arena, &record, &opened, &error), ERR_INVALID);
        assert_non_null(strstr(error.text, required[i]));
    }
    record = sealed(&keys);
    set_header(&record, "ce_specversion", "2.0");
    assert_int_equal(envelope_open(&arena, &record, &opened, &error), ERR_INVALID);
    record = sealed(&keys);
    set_header(&record, "ce_time", "yesterday");
    assert_int_equal(envelope_open(&arena, &record, &opened, &error), ERR_INVALID);
    record = sealed(&keys);
    set_header(&record, "ce_subject", "\xc0\xaf");
    assert_int_equal(envelope_open(&arena, &record, &opened, &error), ERR_INVALID);
    assert_string_equal(error.text, "ce_subject is not UTF-8");
    record = sealed(&keys);
    record.headers[record.header_count++] = (struct bus_header){ "ce_id", "twin" };
    assert_int_equal(envelope_open(&arena, &record, &opened, &error), ERR_INVALID);
    assert_string_equal(error.text, "ce_id stands there twice");
}

static void a_header_has_at_most_4_kib(void **state)
{
    const struct envelope_keys keys = two_keys();
    struct bus_record record = sealed(&keys);
    char *const longest = arena_alloc(&arena, 4098);
    struct envelope opened;

    (void)state;
    memset(longest, 'a', 4096);
    set_header(&record, "ce_subject", longest);
    assert_int_equal(envelope_open(&arena, &record, &opened, &error), ERR_OK);
    longest[4096] = 'a';
    assert_int_equal(envelope_open(&arena, &record, &opened, &error), ERR_INVALID);
}

static void a_record_has_at_most_256_kib(void **state)
{
    const struct envelope_keys keys = two_keys();
    Pb__Event *const event = pb_new(&arena, &pb__event__descriptor);
    char *const text = arena_alloc(&arena, PB_RECORD_MAX + 1);
    const struct envelope_out out = {
        .topic = "events.v1", .key = "k", .message = &event->base, .sign = true
    };
    struct bus_record record;

    (void)state;
    memset(text, 'a', PB_RECORD_MAX);
    event->deployment = text;
    assert_int_equal(envelope_seal(&arena, &keys, &by_executor, &out, &record, &error),
                     ERR_TOO_LARGE);
}

static void each_body_has_its_writers(void **state)
{
    const char *const *const task = envelope_writers_of(PB__EVENT__BODY_TASK_FINISHED);
    size_t count = 0;

    (void)state;
    while (task[count] != NULL)
        count++;
    assert_int_equal(count, 6);
    assert_string_equal(envelope_writers_of(PB__EVENT__BODY_INCIDENT)[0], "monitor");
    assert_string_equal(envelope_writers_of(PB__EVENT__BODY_REQUEST)[0], "gateway");
    assert_null(envelope_writers_of(PB__EVENT__BODY__NOT_SET)[0]);
    for (int body = PB__EVENT__BODY_GENESIS; body <= PB__EVENT__BODY_REQUEST; body++)
        assert_non_null(envelope_writers_of((Pb__Event__BodyCase)body)[0]);
}

static void times_are_written_and_read_alike(void **state)
{
    static const int64_t times[] = { 0, 951782400000, 1795442640123, 253402300799999 };
    static const char *const texts[] = { "1970-01-01T00:00:00.000Z",
                                         "2000-02-29T00:00:00.000Z",
                                         "2026-11-23T14:04:00.123Z",
                                         "9999-12-31T23:59:59.999Z" };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(envelope_time(&arena, times[i]), texts[i]);
        assert_int_equal(envelope_parse_time(texts[i]), times[i]);
    }
}

static void times_of_others_are_understood(void **state)
{
    (void)state;
    assert_int_equal(envelope_parse_time("1970-01-01T01:00:00+01:00"), 0);
    assert_int_equal(envelope_parse_time("1969-12-31t22:30:00.5-01:30"), 500);
    assert_int_equal(envelope_parse_time("1970-01-01T00:00:00.123456789Z"), 123);
    assert_int_equal(envelope_parse_time("1972-06-30T23:59:60Z"), 78796800000);
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "now",
        "2026-11-23",
        "2026-11-23T08:24Z",
        "2026-11-23T08:24:00",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T08:60:00Z",
        "2026-11-23T08:24:00.Z",
        "2026-11-23T08:24:00+1:00",
        "2026-11-23T08:24:00Zx",
        "1969-12-31T23:59:59Z",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(envelope_parse_time(wrong[i]), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_key_that_was_replaced_still_proves_what_it_signed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_sealed_can_be_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(a_mac_proves_its_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_writer_may_write_only_its_own_types, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whatever_the_mac_covers_cannot_be_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_record_without_proof_is_denied, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_signs_without_a_key, setup, teardown),
        cmocka_unit_test_setup_teardown(records_of_others_need_no_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_or_wrong_header_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_header_has_at_most_4_kib, setup, teardown),
        cmocka_unit_test_setup_teardown(a_record_has_at_most_256_kib, setup, teardown),
        cmocka_unit_test(each_body_has_its_writers),
        cmocka_unit_test_setup_teardown(times_are_written_and_read_alike, setup, teardown),
        cmocka_unit_test(times_of_others_are_understood),
        cmocka_unit_test(what_is_no_time_is_refused),
    };

    return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
