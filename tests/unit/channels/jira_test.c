#include "tests/unit/channels/fake_channels.h"

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

static enum err write_purpose(const char *purpose, struct error *error)
{
    struct delivery_note note;

    fake.notice.purpose = purpose;
    return channel_send(&fake.env, "jira", &fake.notice, NULL, &note, error);
}

static enum err write(const char *purpose)
{
    struct error error = { 0 };

    return write_purpose(purpose, &error);
}

static size_t comments(void)
{
    return json_array_size(fake.jira.comments);
}

static const char *status(void)
{
    return json_string_value(
        json_object_get(json_object_get(fake.jira.fields, "status"), "name"));
}

static void all_facts_of_step_7_share_one_comment(void **state)
{
    (void)state;
    assert_int_equal(write("jira.status"), ERR_OK);
    assert_int_equal(write("jira.date_time"), ERR_OK);
    assert_int_equal(write("jira.version"), ERR_OK);
    assert_int_equal(write("jira.flag_status"), ERR_OK);
    assert_int_equal(comments(), 1);
    assert_non_null(strstr(
        json_string_value(json_object_get(json_array_get(fake.jira.comments, 0), "body")),
        "Version: shop 1.1\n"));
}

static void a_comment_whose_answer_was_lost_is_not_written_again(void **state)
{
    (void)state;
    fake.jira.lose_answers = 2; /* Of the property, then of the comment. */
    assert_int_equal(write("jira.version"), ERR_TIMED_OUT);
    assert_int_equal(write("jira.version"), ERR_TIMED_OUT);
    assert_int_equal(comments(), 1);
    assert_int_equal(write("jira.version"), ERR_OK);
    assert_int_equal(comments(), 1);
}

static void others_may_write_a_hundred_comments_meanwhile(void **state)
{
    (void)state;
    fake.jira.lose_answers = 2; /* Of the property, then of the comment. */
    assert_int_equal(write("jira.version"), ERR_TIMED_OUT);
    assert_int_equal(write("jira.version"), ERR_TIMED_OUT);
    for (unsigned i = 0; i < 100; i++)
        (void)json_array_append_new(fake.jira.comments,
                                    json_pack("{s:s, s:s}", "id", "900", "body", "thanks"));
    assert_int_equal(write("jira.version"), ERR_OK);
    assert_int_equal(comments(), 101);
}

static void a_comment_that_is_known_is_read_by_its_id(void **state)
{
    (void)state;
    assert_int_equal(write("jira.version"), ERR_OK);
    assert_int_equal(write("jira.status"), ERR_OK);
    assert_int_equal(fake.jira.comment_searches, 0);
}

static void a_comment_that_somebody_removed_is_written_again(void **state)
{
    (void)state;
    assert_int_equal(write("jira.version"), ERR_OK);
    assert_int_equal(json_array_clear(fake.jira.comments), 0);
    assert_int_equal(write("jira.version"), ERR_OK);
    assert_int_equal(comments(), 1);
}

static void a_comment_that_somebody_changed_is_not_what_was_wanted(void **state)
{
    json_t *comment;

    (void)state;
    assert_int_equal(write("jira.status"), ERR_OK);
    comment = json_array_get(fake.jira.comments, 0);
    (void)json_object_set_new(
        comment,
        "body",
        json_string(arena_printf(&fake.arena, "(slipway.%s)", fake.notice.group)));
    assert_int_equal(write("jira.status"), ERR_CONFLICT);
    assert_int_equal(write("jira.version"), ERR_CONFLICT);
}

static void notices_of_another_group_are_comments_of_their_own(void **state)
{
    (void)state;
    assert_int_equal(write("notify.deployment"), ERR_OK);
    fake.notice.group = "express-pay.1.blocked.2";
    assert_int_equal(write("notify.deployment"), ERR_OK);
    assert_int_equal(comments(), 2);
}

static void the_transition_is_looked_up_by_name_and_made_once(void **state)
{
    (void)state;
    assert_int_equal(write("jira.status"), ERR_OK);
    assert_string_equal(status(), "Closed");
    assert_int_equal(write("jira.status"), ERR_OK);
    assert_int_equal(fake.jira.transitions_made, 1);
}

static void a_transition_that_is_no_longer_offered_was_made_before(void **state)
{
    (void)state;
    fake.jira.workflow_hides = true;
    assert_int_equal(write("jira.status"), ERR_OK);
    assert_int_equal(write("jira.status"), ERR_OK);
    assert_int_equal(fake.jira.transitions_made, 1);
}

static void a_transition_that_the_workflow_lacks_is_named(void **state)
{
    struct error error = { 0 };

    (void)state;
    fake_channel_add(&fake,
                     "jira",
                     "jira",
                     "{url: http://jira.example, token_file: jira.token, transition: Ship}");
    assert_int_equal(write_purpose("jira.status", &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "in status 'To Do' offers no transition 'Ship'"));
}

static void a_blocked_deployment_moves_no_ticket(void **state)
{
    (void)state;
    fake.notice.what = "blocked";
    assert_int_equal(write("jira.status"), ERR_OK);
    assert_int_equal(fake.jira.transitions_made, 0);
    assert_int_equal(comments(), 1);
}

static void a_field_is_written_and_read_back(void **state)
{
    struct error error = { 0 };

    (void)state;
    fake_channel_add(&fake,
                     "jira",
                     "jira",
                     "{url: http://jira.example, token_file: jira.token, field_version: "
                     "customfield_10010}");
    assert_int_equal(write("jira.version"), ERR_OK);
    assert_string_equal(
        json_string_value(json_object_get(fake.jira.fields, "customfield_10010")), "shop 1.1");
    assert_int_equal(comments(), 0);
    fake.jira.forgets_fields = true;
    fake.facts[0]->value = "shop 1.2";
    assert_int_equal(write_purpose("jira.version", &error), ERR_CONFLICT);
    assert_non_null(strstr(error.text, "reads 'shop 1.1', wanted 'shop 1.2'"));
}

static void links_to_monitoring_are_replaced_not_repeated(void **state)
{
    (void)state;
    assert_int_equal(write("jira.monitoring_links"), ERR_OK);
    assert_int_equal(write("jira.monitoring_links"), ERR_OK);
    assert_int_equal(json_object_size(fake.jira.links), 1);
    fake.notice.link_count = 0;
    assert_int_equal(write("jira.monitoring_links"), ERR_INVALID);
}

static void version_3_writes_and_reads_documents(void **state)
{
    const json_t *body;

    (void)state;
    fake_channel_add(
        &fake,
        "jira",
        "jira",
        "{url: http://jira.example/, api: 3, user: slipway, token_file: jira.token, "
        "transition: Done}");
    assert_int_equal(write("jira.version"), ERR_OK);
    assert_int_equal(write("jira.date_time"), ERR_OK);
    body = json_object_get(json_array_get(fake.jira.comments, 0), "body");
    assert_string_equal(json_string_value(json_object_get(body, "type")), "doc");
    assert_int_equal(comments(), 1);
    assert_non_null(strstr(memory_http_call(fake.http, 0)->url,
                           "http://jira.example/rest/api/3/issue/SHOP-4182/"));
}

static const char *authorization(void)
{
    const struct memory_http_call *const call = memory_http_call(fake.http, 0);

    assert_string_equal(call->headers[0].name, "authorization");
    return call->headers[0].value;
}

static void a_user_signs_in_with_basic(void **state)
{
    (void)state;
    assert_int_equal(write("page"), ERR_OK);
    assert_string_equal(authorization(), "Basic c2xpcHdheTpzM2NyZXQtdG9rZW4=");
}

static void a_token_alone_signs_in_as_bearer(void **state)
{
    (void)state;
    fake_channel_add(
        &fake, "jira", "jira", "{url: http://jira.example, token_file: jira.token}");
    assert_int_equal(write("page"), ERR_OK);
    assert_string_equal(authorization(), "Bearer " FAKE_TOKEN);
}

static void what_is_no_ticket_goes_into_no_address(void **state)
{
    static const char *const keys[] = { "",        "SHOP",       "SHOP-",       "shop-1",
                                        "-1",      "SHOP-1/../", "SHOP-1?x",    "SHOP 1",
                                        "SHOP-1 ", "1SHOP-1",    "SHOP-1%2f..", "../SHOP-1" };

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        fake.notice.ticket = keys[i];
        assert_int_equal(write("jira.status"), ERR_INVALID);
    }
    assert_int_equal(memory_http_call_count(fake.http), 0);
}

static void what_jira_says_is_in_the_error(void **state)
{
    struct error error = { 0 };

    (void)state;
    fake_channels_answer(&fake,
                         &(struct memory_http_answer){
                             .url = "*",
                             .status = 400,
                             .body = "{\"errorMessages\":[],\"errors\":{\"customfield_1\":"
                                     "\"is not on the screen\"}}",
                         });
    assert_int_equal(write_purpose("jira.status", &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "customfield_1: is not on the screen"));
}

#define JIRA_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JIRA_TEST(all_facts_of_step_7_share_one_comment),
        JIRA_TEST(a_comment_whose_answer_was_lost_is_not_written_again),
        JIRA_TEST(others_may_write_a_hundred_comments_meanwhile),
        JIRA_TEST(a_comment_that_is_known_is_read_by_its_id),
        JIRA_TEST(a_comment_that_somebody_removed_is_written_again),
        JIRA_TEST(a_comment_that_somebody_changed_is_not_what_was_wanted),
        JIRA_TEST(notices_of_another_group_are_comments_of_their_own),
        JIRA_TEST(the_transition_is_looked_up_by_name_and_made_once),
        JIRA_TEST(a_transition_that_is_no_longer_offered_was_made_before),
        JIRA_TEST(a_transition_that_the_workflow_lacks_is_named),
        JIRA_TEST(a_blocked_deployment_moves_no_ticket),
        JIRA_TEST(a_field_is_written_and_read_back),
        JIRA_TEST(links_to_monitoring_are_replaced_not_repeated),
        JIRA_TEST(version_3_writes_and_reads_documents),
        JIRA_TEST(a_user_signs_in_with_basic),
        JIRA_TEST(a_token_alone_signs_in_as_bearer),
        JIRA_TEST(what_is_no_ticket_goes_into_no_address),
        JIRA_TEST(what_jira_says_is_in_the_error),
    };

    return cmocka_run_group_tests_name("jira", tests, NULL, NULL);
}
