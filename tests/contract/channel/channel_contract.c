/* What every channel must do, asked of each through the other end that it talks to. */
#include "tests/support/test.h"
#include "tests/unit/channels/fake_channels.h"

#include <stdio.h>

/* The other end of one driver. */
struct channel_world {
    const char *driver;
    const char *channel;     /* Of fake_channels. */
    const char *method;      /* Of its requests, "MAIL" for mail. */
    size_t (*arrived)(void); /* Different notices that the other end holds. */
};

static struct fake_channels fake;
static const struct channel_world *world;

static size_t comments(void)
{
    return json_array_size(fake.jira.comments);
}

/* A receiver forgets what it has seen by webhook-id; mail has no such key. */
static size_t hooks(void)
{
    size_t count = 0;

    for (size_t i = 0; i < memory_http_call_count(fake.http); i++) {
        bool seen = false;

        for (size_t k = 0; k < i; k++)
            seen |= strcmp(memory_http_call(fake.http, i)->headers[1].value,
                           memory_http_call(fake.http, k)->headers[1].value) == 0;
        count += !seen;
    }
    return count;
}

static size_t mails(void)
{
    return memory_http_call_count(fake.http) / 2; /* Two recipients each. */
}

static const struct channel_world worlds[] = {
    { "jira", "jira", NULL, comments },
    { "webhook", "hook", NULL, hooks },
    { "mail", "mail", "MAIL", mails },
};

static int open_world(void **state)
{
    world = *state;
    fake_channels_open(&fake);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    fake_channels_close(&fake);
    return 0;
}

static enum err send_notice(struct delivery_note *note, struct error *error)
{
    return channel_send(&fake.env, world->channel, &fake.notice, NULL, note, error);
}

static enum err sent(void)
{
    struct delivery_note note;
    struct error error = { 0 };

    return send_notice(&note, &error);
}

static void a_notice_arrives_with_an_id_and_words_about_it(void **state)
{
    struct delivery_note note;
    struct error error = { 0 };

    (void)state;
    assert_int_equal(send_notice(&note, &error), ERR_OK);
    assert_int_equal(world->arrived(), 1);
    assert_string_not_equal(note.id, "");
    assert_string_not_equal(note.observed, "");
    assert_string_not_equal(note.evidence, "");
}

static void where_the_other_side_has_a_key_a_repeat_is_no_new_notice(void **state)
{
    const struct channel_driver *const driver = channel_find(world->driver);

    (void)state;
    assert_int_equal(sent(), ERR_OK);
    assert_int_equal(sent(), ERR_OK);
    if ((driver->capabilities & CHANNEL_HAS_KEY) != 0)
        assert_int_equal(world->arrived(), 1);
    else
        assert_int_equal(world->arrived(), 2);
}

static void silence_and_overload_mean_later(void **state)
{
    const struct memory_http_answer silent = { .url = "*", .err = ERR_TIMED_OUT };
    const struct memory_http_answer busy = {
        .url = "*",
        .status = 429,
        .headers = { { "retry-after", "7" } },
        .header_count = 1,
    };
    struct delivery_note note;
    struct error error = { 0 };

    (void)state;
    fake_channels_answer(&fake, &silent);
    assert_int_equal(sent(), ERR_TIMED_OUT);
    fake_channels_answer(&fake,
                         &(struct memory_http_answer){
                             .url = "*",
                             .status = 503,
                             .err = world->method != NULL ? ERR_UNAVAILABLE : ERR_OK });
    assert_int_equal(sent(), ERR_UNAVAILABLE);
    if (world->method != NULL)
        return; /* Mail knows no Retry-After. */
    fake_channels_answer(&fake, &busy);
    assert_int_equal(send_notice(&note, &error), ERR_UNAVAILABLE);
    assert_int_equal(note.retry_after_ms, 7000);
}

static void a_refusal_is_denied_and_the_error_holds_no_secret(void **state)
{
    struct delivery_note note;
    struct error error = { 0 };

    (void)state;
    fake_channels_answer(
        &fake,
        &(struct memory_http_answer){ .url = "*",
                                      .status = 403,
                                      .body = "no",
                                      .err = world->method != NULL ? ERR_DENIED : ERR_OK });
    assert_int_equal(send_notice(&note, &error), ERR_DENIED);
    assert_null(strstr(error.text, FAKE_TOKEN));
    assert_null(strstr(error.text, FAKE_SECRET));
    assert_non_null(strstr(error.text, world->channel));
}

static void what_strangers_write_arrives_as_text(void **state)
{
    (void)state;
    fake.notice.title = "x\r\nBcc: eve@evil.example\r\n\r\n<script>\"quoted\" \\ {code}";
    fake.notice.text = "\xe2\x82\xac\n.\r\nQUIT\r\n";
    assert_int_equal(sent(), ERR_OK);
    assert_int_equal(world->arrived(), 1);
    for (size_t i = 0; i < memory_http_call_count(fake.http); i++) {
        const struct memory_http_call *const call = memory_http_call(fake.http, i);

        for (size_t k = 0; k < call->header_count; k++)
            assert_null(strpbrk(call->headers[k].value, "\r\n"));
    }
}

static void a_secret_that_others_may_read_is_not_used(void **state)
{
    (void)state;
    if (world->method != NULL)
        fake_channel_add(&fake,
                         "mail",
                         "mail",
                         "{server: \"smtp://mail.example\", from: a@b, to: [c@d], user: u, "
                         "password_file: /etc/passwd}");
    else if (strcmp(world->driver, "jira") == 0)
        fake_channel_add(
            &fake, "jira", "jira", "{url: http://jira.example, token_file: /etc/passwd}");
    else
        fake_channel_add(
            &fake, "hook", "webhook", "{url: http://hook.example/, secret_file: /etc/passwd}");
    assert_int_equal(sent(), ERR_DENIED);
    assert_int_equal(memory_http_call_count(fake.http), 0);
}

static void every_driver_has_a_world_here(void **state)
{
    (void)state;
    for (const struct channel_driver *const *row = channel_all(); *row != NULL; row++) {
        bool found = false;

        for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++)
            found |= strcmp(worlds[i].driver, (*row)->name) == 0;
        assert_true(found);
        assert_ptr_equal(channel_find((*row)->name), *row);
    }
    assert_null(channel_find("no such driver"));
}

static int run_for(const struct channel_world *of)
{
    /* cmocka's state is not const, and nothing writes through it. */
    union {
        const struct channel_world *borrowed;
        void *state;
    } pointer = { .borrowed = of };
#define CONTRACT(test)                                                                         \
    {                                                                                          \
#test, test, open_world, close_world, pointer.state                                    \
    }
    const struct CMUnitTest tests[] = {
        CONTRACT(a_notice_arrives_with_an_id_and_words_about_it),
        CONTRACT(where_the_other_side_has_a_key_a_repeat_is_no_new_notice),
        CONTRACT(silence_and_overload_mean_later),
        CONTRACT(a_refusal_is_denied_and_the_error_holds_no_secret),
        CONTRACT(what_strangers_write_arrives_as_text),
        CONTRACT(a_secret_that_others_may_read_is_not_used),
        CONTRACT(every_driver_has_a_world_here),
    };

    return cmocka_run_group_tests_name(of->driver, tests, NULL, NULL);
}

int main(void)
{
    int failed = 0;

    for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++)
        failed += run_for(&worlds[i]);
    return failed;
}
