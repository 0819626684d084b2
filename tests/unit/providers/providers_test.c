#include "tests/unit/providers/fake_gateways.h"

#include "tests/support/test.h"

static struct fake_gateways fake;

static int set_up(void **state)
{
    (void)state;
    fake_gateways_open(&fake);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_gateways_close(&fake);
    return 0;
}

static Pb__Finding *read_back(const struct flag_value *wanted)
{
    Pb__FlagSpec flag = PB__FLAG_SPEC__INIT;
    Pb__CheckSpec check = PB__CHECK_SPEC__INIT;

    flag.key = "express-pay";
    check.id = "flag.read_back";
    check.required = true;
    return provider_read_back(&fake.env, &check, &flag, "production", wanted);
}

static Pb__Verdict verdict(uint32_t percent, uint64_t sequence)
{
    return read_back(&(struct flag_value){ .percent = percent, .sequence = sequence })->verdict;
}

static void pass_needs_every_gateway(void **state)
{
    (void)state;
    fake_grant(&fake, fake_value(&fake, 3, 25));
    assert_int_equal(verdict(25, 3), PB__VERDICT__PASS);
    assert_int_equal(verdict(50, 3), PB__VERDICT__FAIL);
    fake_grant_on(&fake, 1, fake_value(&fake, 4, 50));
    assert_int_equal(verdict(25, 3), PB__VERDICT__FAIL);
}

static void a_silent_gateway_makes_it_inconclusive_and_is_named(void **state)
{
    Pb__Finding *finding;

    (void)state;
    fake_grant(&fake, fake_value(&fake, 3, 25));
    fake.silent[1] = true;
    finding = read_back(&(struct flag_value){ .percent = 25, .sequence = 3 });
    assert_int_equal(finding->verdict, PB__VERDICT__INCONCLUSIVE);
    assert_non_null(strstr(finding->observed, "on 2 of 3; gateway-2:8080 silent"));
    assert_int_equal(verdict(50, 3), PB__VERDICT__FAIL);
}

static void when_no_gateway_answers_it_is_an_error(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FAKE_GATEWAYS; i++)
        fake.silent[i] = true;
    assert_int_equal(verdict(0, 0), PB__VERDICT__ERROR);
}

static void an_older_sequence_is_not_yet_the_wanted_value(void **state)
{
    (void)state;
    fake_grant(&fake, fake_value(&fake, 3, 25));
    assert_int_equal(verdict(25, 4), PB__VERDICT__FAIL);
    assert_int_equal(verdict(25, 0), PB__VERDICT__PASS);
}

static void the_audience_is_compared_too(void **state)
{
    Pb__FlagValue *const value = fake_value(&fake, 3, 5);

    (void)state;
    value->audience = "group=staff";
    fake_grant(&fake, value);
    assert_int_equal(verdict(5, 3), PB__VERDICT__FAIL);
    assert_int_equal(
        read_back(&(struct flag_value){ .percent = 5, .audience = "group=staff" })->verdict,
        PB__VERDICT__PASS);
}

static void a_latched_flag_reads_as_off(void **state)
{
    (void)state;
    fake_grant(&fake, fake_value(&fake, 3, 100));
    fake_latch(&fake, "express-pay.1");
    assert_int_equal(verdict(100, 3), PB__VERDICT__FAIL);
    assert_int_equal(verdict(0, 0), PB__VERDICT__PASS);
    assert_int_equal(verdict(0, 9), PB__VERDICT__PASS);
}

static void an_unknown_flag_is_off_but_of_no_sequence(void **state)
{
    (void)state;
    assert_int_equal(verdict(0, 0), PB__VERDICT__PASS);
    assert_int_equal(verdict(0, 1), PB__VERDICT__FAIL);
}

/* A gateway that has not heard of the latch may yet hear the grant before it. */
static void off_by_ignorance_is_not_a_latch(void **state)
{
    const struct flag_value wanted = { .latched = true, .sequence = 3 };

    (void)state;
    assert_int_equal(read_back(&wanted)->verdict, PB__VERDICT__FAIL);
    fake_grant(&fake, fake_value(&fake, 3, 25));
    fake_latch(&fake, "express-pay.1");
    assert_int_equal(read_back(&wanted)->verdict, PB__VERDICT__PASS);
}

static void a_provider_that_is_not_configured_is_an_error(void **state)
{
    Pb__FlagSpec flag = PB__FLAG_SPEC__INIT;
    Pb__CheckSpec check = PB__CHECK_SPEC__INIT;
    Pb__Finding *finding;

    (void)state;
    flag.key = "express-pay";
    flag.provider = "launchdarkly";
    finding = provider_read_back(
        &fake.env, &check, &flag, "production", &(struct flag_value){ .percent = 0 });
    assert_int_equal(finding->verdict, PB__VERDICT__ERROR);
    assert_non_null(strstr(finding->observed, "'launchdarkly' is not configured here"));
}

static void an_answer_that_is_no_flag_value_is_silence(void **state)
{
    static const char *const bodies[] = {
        "",
        "{}",
        "not json",
        "{\"percent\":101,\"sequence\":1,\"latched\":false}",
        "{\"percent\":\"5\",\"sequence\":1,\"latched\":false}",
        "{\"percent\":0,\"sequence\":1}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        memory_http_forget(fake.http);
        memory_http_answer(
            fake.http,
            &(struct memory_http_answer){ .url = "*", .status = 200, .body = bodies[i] });
        assert_int_equal(verdict(0, 0), PB__VERDICT__ERROR);
    }
    memory_http_forget(fake.http);
    memory_http_answer(fake.http, &(struct memory_http_answer){ .url = "*", .status = 503 });
    assert_int_equal(verdict(0, 0), PB__VERDICT__ERROR);
}

#define PROVIDER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROVIDER_TEST(pass_needs_every_gateway),
        PROVIDER_TEST(a_silent_gateway_makes_it_inconclusive_and_is_named),
        PROVIDER_TEST(when_no_gateway_answers_it_is_an_error),
        PROVIDER_TEST(an_older_sequence_is_not_yet_the_wanted_value),
        PROVIDER_TEST(the_audience_is_compared_too),
        PROVIDER_TEST(a_latched_flag_reads_as_off),
        PROVIDER_TEST(an_unknown_flag_is_off_but_of_no_sequence),
        PROVIDER_TEST(off_by_ignorance_is_not_a_latch),
        PROVIDER_TEST(a_provider_that_is_not_configured_is_an_error),
        PROVIDER_TEST(an_answer_that_is_no_flag_value_is_silence),
    };

    return cmocka_run_group_tests_name("providers", tests, NULL, NULL);
}
