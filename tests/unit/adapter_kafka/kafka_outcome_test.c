#include "common/adapters/kafka/client.h"
#include "tests/support/test.h"

static void a_partition_given_to_others_is_a_conflict(void **state)
{
    (void)state;
    assert_int_equal(kafka_outcome(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION), ERR_CONFLICT);
    assert_int_equal(kafka_outcome(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID), ERR_CONFLICT);
    assert_int_equal(kafka_outcome(RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST), ERR_CONFLICT);
}

/* ERR_DENIED would send the record in hand to the dead letters. */
static void a_missing_right_throws_no_record_away(void **state)
{
    static const rd_kafka_resp_err_t refusals[] = {
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR__AUTHENTICATION,
        RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
        RD_KAFKA_RESP_ERR__TIMED_OUT,
    };

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        assert_int_equal(err_disposal(kafka_outcome(refusals[i])), DISPOSE_RETRY);
}

static void what_is_wrong_with_the_record_is_told_apart(void **state)
{
    struct error error = { 0 };

    (void)state;
    assert_int_equal(kafka_outcome(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE), ERR_TOO_LARGE);
    assert_int_equal(kafka_error(&error, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, "events.v1"),
                     ERR_NOT_FOUND);
    assert_string_equal(error.text, "events.v1: Local: Unknown topic");
    assert_int_equal(kafka_outcome(RD_KAFKA_RESP_ERR_NO_ERROR), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_given_to_others_is_a_conflict),
        cmocka_unit_test(a_missing_right_throws_no_record_away),
        cmocka_unit_test(what_is_wrong_with_the_record_is_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
