#include "tests/unit/channels/fake_channels.h"

#include "common/base/base64.h"
#include "common/wire/digest.h"
#include "services/notifier/channels/mail_text.h"
#include "tests/support/test.h"

static struct fake_channels fake;

static int set_up(void **state)
{
    (void)state;
    fake_channels_open(&fake);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_channels_close(&fake);
    return 0;
}

static enum err send_to(const char *channel)
{
    struct delivery_note note;
    struct error error = { 0 };

    return channel_send(&fake.env, channel, &fake.notice, NULL, &note, &error);
}

static const char *header_of(const struct memory_http_call *call, const char *name)
{
    for (size_t i = 0; i < call->header_count; i++) {
        if (strcmp(call->headers[i].name, name) == 0)
            return call->headers[i].value;
    }
    return "";
}

static void plain_hmac_agrees_with_githubs_vector(void **state)
{
    static const char secret[] = "It's a Secret to Everybody";
    static const unsigned char begins[] = { 0x75, 0x71, 0x07, 0xea, 0x0e, 0xb2, 0x50, 0x9f };
    unsigned char mac[DIGEST_RAW_SIZE];

    (void)state;
    digest_hmac_plain(secret, sizeof secret - 1, "Hello, World!", 13, mac);
    assert_memory_equal(mac, begins, sizeof begins);
}

static void base64_agrees_with_the_vectors_of_rfc_4648(void **state)
{
    static const char *const plain[] = { "", "f", "fo", "foo", "foob", "fooba", "foobar" };
    static const char *const coded[] = { "",         "Zg==",     "Zm8=",    "Zm9v",
                                         "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
    char buffer[32];

    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        struct text text = text_over(buffer, sizeof buffer);
        size_t length = 0;
        const uint8_t *bytes;

        base64_write(&text, plain[i], strlen(plain[i]));
        assert_string_equal(buffer, coded[i]);
        bytes = base64_read(&fake.arena, coded[i], strlen(coded[i]), &length);
        assert_int_equal(length, strlen(plain[i]));
        assert_memory_equal(bytes, plain[i], length);
    }
    assert_null(base64_read(&fake.arena, "Zm9v!", 5, &(size_t){ 0 }));
}

/* The signature is made again here, from what was sent. */
static void a_webhook_is_signed_over_id_time_and_body(void **state)
{
    const struct memory_http_call *call;
    unsigned char mac[DIGEST_RAW_SIZE];
    char buffer[64];
    struct text wanted = text_over(buffer, sizeof buffer);
    size_t key_length = 0;
    const uint8_t *key;
    const char *text;

    (void)state;
    assert_int_equal(send_to("hook"), ERR_OK);
    call = memory_http_call(fake.http, 0);
    text = arena_printf(&fake.arena,
                        "%s.%s.%s",
                        header_of(call, "webhook-id"),
                        header_of(call, "webhook-timestamp"),
                        call->body);
    key = base64_read(&fake.arena, &FAKE_SECRET[6], strlen(FAKE_SECRET) - 6, &key_length);
    digest_hmac_plain(key, key_length, text, strlen(text), mac);
    text_add(&wanted, "v1,");
    base64_write(&wanted, mac, sizeof mac);
    assert_string_equal(header_of(call, "webhook-signature"), buffer);
    assert_string_equal(header_of(call, "webhook-id"), "slw_0123456789abcdef");
    assert_string_equal(header_of(call, "webhook-timestamp"), "1795434003");
    assert_non_null(strstr(call->body, "\"type\":\"slipway.notify.deployment\""));
}

static void the_path_of_a_webhook_is_in_no_error(void **state)
{
    struct delivery_note note;
    struct error error = { 0 };

    (void)state;
    fake_channel_add(
        &fake,
        "hook",
        "webhook",
        "{url: \"https://hooks.example/T0/s3cret?key=x\", secret_file: hook.secret}");
    fake_channels_answer(&fake, &(struct memory_http_answer){ .url = "*", .status = 400 });
    assert_int_equal(channel_send(&fake.env, "hook", &fake.notice, NULL, &note, &error),
                     ERR_INVALID);
    assert_null(strstr(error.text, "s3cret"));
    assert_non_null(strstr(error.text, "https://hooks.example: status 400"));
}

static void an_address_that_is_refused_keeps_no_other_from_hearing(void **state)
{
    (void)state;
    memory_http_forget(fake.http);
    memory_http_answer(fake.http,
                       &(struct memory_http_answer){
                           .method = "MAIL", .url = "*", .times = 1, .err = ERR_DENIED });
    memory_http_answer(fake.http, &(struct memory_http_answer){ .method = "MAIL", .url = "*" });
    assert_int_equal(send_to("mail"), ERR_DENIED);
    assert_int_equal(memory_http_call_count(fake.http), 2);
    assert_string_equal(memory_http_call(fake.http, 1)->mail_to, "lead@shop.example");
}

static void mail_is_one_message_a_recipient_with_an_id_of_its_own(void **state)
{
    const char *first;
    const char *second;

    (void)state;
    assert_int_equal(send_to("mail"), ERR_OK);
    assert_int_equal(memory_http_call_count(fake.http), 2);
    assert_string_equal(memory_http_call(fake.http, 1)->mail_to, "lead@shop.example");
    first = mail_message_id(&fake.arena, &fake.notice, "a@shop.example", "b@c");
    second = mail_message_id(&fake.arena, &fake.notice, "a@shop.example", "d@c");
    assert_string_not_equal(first, second);
    assert_string_equal(first,
                        mail_message_id(&fake.arena, &fake.notice, "a@shop.example", "b@c"));
    assert_non_null(strstr(first, "@shop.example"));
}

static const char *message_of(const char *title, const char *text)
{
    fake.notice.title = title;
    fake.notice.text = text;
    return mail_message(
        &fake.arena, &fake.notice, "slipway@shop.example", "ops@shop.example", 1795434003000);
}

static void nobody_can_add_a_header_to_a_mail(void **state)
{
    const char *const message = message_of("one\r\nBcc: eve@evil.example", "x\r\n.\r\nQUIT");
    const char *const end = strstr(message, "\r\n\r\n");

    (void)state;
    assert_non_null(end);
    assert_true(strstr(message, "\nBcc:") > end);
    assert_non_null(strstr(message, "Subject: [slipway] one  Bcc: eve@evil.example\r\n"));
}

static void a_subject_in_other_letters_is_encoded_in_whole_characters(void **state)
{
    const char *const message = message_of(
        "Zahlung mit Knopfdruck f\xc3\xbcr alle L\xc3\xa4nder der \xe2\x82\xac-Zone", "");
    const char *line = strstr(message, "Subject: =?utf-8?B?");
    size_t length = 0;
    uint8_t *bytes;

    (void)state;
    assert_non_null(line);
    line += strlen("Subject: =?utf-8?B?");
    bytes = base64_read(&fake.arena, line, strcspn(line, "?"), &length);
    assert_non_null(bytes);
    assert_true(((unsigned char)bytes[length - 1] & 0xc0) != 0xc0);
    assert_int_equal(bytes[0], '[');
}

static void a_mail_has_a_date_and_short_lines(void **state)
{
    const char *const message = message_of(
        "t",
        "a very long line a very long line a very long line a very long line a very long line "
        "= caf\xc3\xa9 ");

    (void)state;
    assert_non_null(strstr(message, "Date: Mon, 23 Nov 2026 "));
    assert_non_null(strstr(message, "=3D caf=C3=A9=20\r\n"));
    for (const char *line = message; line[0] != '\0';) {
        const size_t length = strcspn(line, "\r\n");

        assert_in_range(length, 0, 78);
        line += length;
        line += strspn(line, "\r\n");
    }
}

static void a_channel_that_is_not_configured_is_invalid(void **state)
{
    (void)state;
    assert_int_equal(send_to("pager"), ERR_INVALID);
    fake_channel_add(&fake, "pager", "pigeon", "{}");
    assert_int_equal(send_to("pager"), ERR_INVALID);
    fake_channel_add(&fake, "bad", "mail", "{server: x, from: \"a b\", to: [c]}");
    assert_int_equal(send_to("bad"), ERR_INVALID);
}

static void wrong_options_are_found_before_anything_is_sent(void **state)
{
    struct yaml_problems *const problems = arena_alloc(&fake.arena, sizeof *problems);

    (void)state;
    problems->arena = &fake.arena;
    channels_check(&fake.arena, &fake.settings, problems);
    assert_int_equal(problems->errors, 0);
    fake_channel_add(&fake, "bad", "webhook", "{secret_file: x}");
    fake_channel_add(&fake, "worse", "pigeon", "{}");
    channels_check(&fake.arena, &fake.settings, problems);
    assert_int_equal(problems->errors, 2);
}

static void retry_after_is_read_in_seconds_and_bounded(void **state)
{
    struct http_response response = { .header_count = 1 };

    (void)state;
    response.headers[0] = (struct http_header){ "retry-after", "7" };
    assert_int_equal(channel_retry_after_ms(&response), 7000);
    response.headers[0].value = "99999999999999999999";
    assert_int_equal(channel_retry_after_ms(&response), 3600000);
    response.headers[0].value = "Wed, 21 Oct 2026 07:28:00 GMT";
    assert_int_equal(channel_retry_after_ms(&response), 0);
    response.headers[0].value = "-5";
    assert_int_equal(channel_retry_after_ms(&response), 0);
}

#define CHANNEL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHANNEL_TEST(plain_hmac_agrees_with_githubs_vector),
        CHANNEL_TEST(base64_agrees_with_the_vectors_of_rfc_4648),
        CHANNEL_TEST(a_webhook_is_signed_over_id_time_and_body),
        CHANNEL_TEST(the_path_of_a_webhook_is_in_no_error),
        CHANNEL_TEST(an_address_that_is_refused_keeps_no_other_from_hearing),
        CHANNEL_TEST(mail_is_one_message_a_recipient_with_an_id_of_its_own),
        CHANNEL_TEST(nobody_can_add_a_header_to_a_mail),
        CHANNEL_TEST(a_subject_in_other_letters_is_encoded_in_whole_characters),
        CHANNEL_TEST(a_mail_has_a_date_and_short_lines),
        CHANNEL_TEST(a_channel_that_is_not_configured_is_invalid),
        CHANNEL_TEST(wrong_options_are_found_before_anything_is_sent),
        CHANNEL_TEST(retry_after_is_read_in_seconds_and_bounded),
    };

    return cmocka_run_group_tests_name("channels", tests, NULL, NULL);
}
