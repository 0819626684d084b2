#include "common/wire/control_record.h"
#include "tests/support/test.h"

#include <stdio.h>

enum { ARENA_SIZE = 1024 * 1024 };

static const char *const writers[] = { "coordinator", "gateway", "monitor", "executor" };

struct fixture {
    struct arena arena;
    struct envelope_keys keys;
    struct error error;
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .arena = arena_with_limit(ARENA_SIZE) };
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        (void)snprintf(
            fixture.keys.item[i].writer, sizeof fixture.keys.item[i].writer, "%s", writers[i]);
        memset(fixture.keys.item[i].key, (int)i + 1, 32);
        fixture.keys.item[i].length = 32;
        fixture.keys.count++;
    }
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    arena_release(&((struct fixture *)*state)->arena);
    return 0;
}

/* A control with that body by that writer; NULL: a tombstone. */
static struct bus_record said(struct fixture *fixture,
                              const char *writer,
                              const Pb__Control *control)
{
    const struct envelope envelope = { .id = "x",
                                       .type = "slipway.v1.Control",
                                       .source = "/slipway/x",
                                       .subject = "x",
                                       .writer = writer };
    const struct envelope_out out = { .topic = "control.v1",
                                      .key = "flag/production/x",
                                      .message = control != NULL ? &control->base : NULL,
                                      .sign = true };
    struct bus_record record;

    assert_int_equal(
        envelope_seal(
            &fixture->arena, &fixture->keys, &envelope, &out, &record, &fixture->error),
        ERR_OK);
    return record;
}

/* Which of writers may say it, a bit each. */
static unsigned believed(struct fixture *fixture, const Pb__Control *control)
{
    unsigned bits = 0;

    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        const struct bus_record record = said(fixture, writers[i], control);
        Pb__Control *read = NULL;
        const enum err err = control_record_read(
            &fixture->arena, &fixture->keys, &record, &read, &fixture->error);

        assert_true(err == ERR_OK || err == ERR_DENIED);
        if (err == ERR_OK) {
            assert_int_equal(read == NULL, control == NULL);
            bits |= 1U << i;
        }
    }
    return bits;
}

static void each_body_is_believed_of_its_writers_only(void **state)
{
    enum { COORDINATOR = 1, GATEWAY = 2, MONITOR = 4 };
    Pb__FlagValue flag = PB__FLAG_VALUE__INIT;
    Pb__Kill kill = PB__KILL__INIT;
    Pb__Freeze freeze = PB__FREEZE__INIT;
    Pb__Skip skip = PB__SKIP__INIT;
    Pb__Control control = PB__CONTROL__INIT;

    assert_int_equal(believed(*state, NULL), COORDINATOR | GATEWAY);
    assert_int_equal(believed(*state, &control), COORDINATOR);
    control.body_case = PB__CONTROL__BODY_FLAG;
    control.flag = &flag;
    assert_int_equal(believed(*state, &control), COORDINATOR);
    control.body_case = PB__CONTROL__BODY_KILL;
    control.kill = &kill;
    assert_int_equal(believed(*state, &control), COORDINATOR | GATEWAY | MONITOR);
    control.body_case = PB__CONTROL__BODY_FREEZE;
    control.freeze = &freeze;
    assert_int_equal(believed(*state, &control), COORDINATOR | GATEWAY);
    control.body_case = PB__CONTROL__BODY_SKIP;
    control.skip = &skip;
    assert_int_equal(believed(*state, &control), COORDINATOR | GATEWAY);
}

static void a_tombstone_that_nobody_signed_takes_nothing_away(void **state)
{
    struct fixture *const fixture = *state;
    const struct bus_record record = { .topic = "control.v1", .key = "freeze/f" };
    Pb__Control *read = NULL;

    assert_int_equal(
        control_record_read(&fixture->arena, &fixture->keys, &record, &read, &fixture->error),
        ERR_DENIED);
}

static void what_is_no_control_is_refused(void **state)
{
    struct fixture *const fixture = *state;
    const struct bus_record record = { .topic = "control.v1",
                                       .key = "flag/x",
                                       .bytes = (const unsigned char *)"\xff\xff",
                                       .length = 2 };
    Pb__Control *read = NULL;

    assert_int_equal(
        control_record_read(&fixture->arena, &fixture->keys, &record, &read, &fixture->error),
        ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            each_body_is_believed_of_its_writers_only, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_tombstone_that_nobody_signed_takes_nothing_away, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_control_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
