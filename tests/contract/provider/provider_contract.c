#include "tests/contract/provider/provider_contract.h"

#include "tests/support/test.h"

static const struct provider_world *const worlds[] = { &builtin_world };

static const struct provider_world *world;

static Pb__FlagSpec flag_of(void)
{
    Pb__FlagSpec flag = PB__FLAG_SPEC__INIT;

    flag.key = "express-pay";
    return flag;
}

static int open_world(void **state)
{
    world = *state;
    world->open();
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world->close();
    return 0;
}

static void set(uint64_t sequence, uint32_t percent, const char *audience)
{
    const Pb__FlagSpec flag = flag_of();
    struct error error = { 0 };
    const struct flag_value wanted = {
        .percent = percent,
        .audience = audience,
        .sequence = sequence,
        .deployment = "express-pay.1",
    };

    world->publish(sequence, percent, audience);
    assert_int_equal(provider_set(world->env(), &flag, "production", &wanted, &error), ERR_OK);
}

static struct flag_reading read_flag(void)
{
    const Pb__FlagSpec flag = flag_of();
    struct flag_reading reading = { 0 };
    struct error error = { 0 };

    assert_int_equal(provider_read(world->env(), &flag, "production", &reading, &error),
                     ERR_OK);
    return reading;
}

static void what_was_set_is_read(void **state)
{
    struct flag_reading reading;

    (void)state;
    set(1, 25, "group=staff");
    reading = read_flag();
    assert_int_equal(reading.value.percent, 25);
    assert_string_equal(reading.value.audience, "group=staff");
    assert_false(reading.value.latched);
    assert_int_equal(reading.agree, reading.of);
    assert_true(reading.of > 0);
    assert_string_equal(reading.disagree, "");
}

static void setting_twice_is_harmless(void **state)
{
    (void)state;
    set(1, 25, "");
    set(1, 25, "");
    assert_int_equal(read_flag().value.percent, 25);
}

static void a_flag_never_set_reads_as_off(void **state)
{
    (void)state;
    assert_int_equal(read_flag().value.percent, 0);
}

static void set_to_0_reads_as_off(void **state)
{
    (void)state;
    set(1, 50, "");
    set(2, 0, "");
    assert_int_equal(read_flag().value.percent, 0);
}

static void a_latched_flag_is_off_whatever_is_set_afterwards(void **state)
{
    struct flag_reading reading;

    (void)state;
    set(1, 50, "");
    world->latch();
    set(2, 100, "");
    reading = read_flag();
    assert_true(reading.value.latched || reading.value.percent == 0);
}

static void a_silent_instance_does_not_agree(void **state)
{
    struct flag_reading reading;

    (void)state;
    set(1, 50, "");
    world->silence(false);
    reading = read_flag();
    assert_int_equal(reading.silent, 1);
    assert_true(reading.agree < reading.of);
    assert_string_not_equal(reading.disagree, "");
}

static void a_silent_provider_is_an_error_and_not_available(void **state)
{
    const Pb__FlagSpec flag = flag_of();
    struct flag_reading reading = { 0 };
    struct error error = { 0 };

    (void)state;
    assert_int_equal(provider_available(world->env(), &flag, "production", &error), ERR_OK);
    world->silence(true);
    assert_int_equal(provider_read(world->env(), &flag, "production", &reading, &error),
                     ERR_UNAVAILABLE);
    assert_int_equal(provider_available(world->env(), &flag, "production", &error),
                     ERR_UNAVAILABLE);
    assert_string_not_equal(error.text, "");
}

static void every_driver_has_a_world_here(void **state)
{
    (void)state;
    for (const struct provider_driver *const *row = provider_all(); *row != NULL; row++) {
        bool found = false;

        for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++)
            found |= strcmp(worlds[i]->driver, (*row)->name) == 0;
        assert_true(found);
        assert_ptr_equal(provider_find((*row)->name), *row);
    }
    assert_null(provider_find("no such driver"));
}

static int run_for(const struct provider_world *of)
{
    /* cmocka's state is not const, and nothing writes through it. */
    union {
        const struct provider_world *borrowed;
        void *state;
    } pointer = { .borrowed = of };
#define CONTRACT(test)                                                                         \
    {                                                                                          \
#test, test, open_world, close_world, pointer.state                                    \
    }
    const struct CMUnitTest tests[] = {
        CONTRACT(what_was_set_is_read),
        CONTRACT(setting_twice_is_harmless),
        CONTRACT(a_flag_never_set_reads_as_off),
        CONTRACT(set_to_0_reads_as_off),
        CONTRACT(a_latched_flag_is_off_whatever_is_set_afterwards),
        CONTRACT(a_silent_instance_does_not_agree),
        CONTRACT(a_silent_provider_is_an_error_and_not_available),
        CONTRACT(every_driver_has_a_world_here),
    };

    return cmocka_run_group_tests_name(of->driver, tests, NULL, NULL);
}

int main(void)
{
    int failed = 0;

    for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++)
        failed += run_for(worlds[i]);
    return failed;
}
