#include "common/domain/flags.h"
#include "common/domain/murmur3.h"
#include "tests/support/test.h"

#include <stdio.h>

struct fixture {
    struct arena arena;
    struct flag_table *table;
};

static int open_table(void **state)
{
    static struct fixture fixture;

    fixture.arena = arena_with_limit(64 << 20);
    fixture.table = flag_table_new();
    *state = &fixture;
    return 0;
}

static int close_table(void **state)
{
    struct fixture *const f = *state;

    flag_table_free(f->table);
    arena_release(&f->arena);
    return 0;
}

static Pb__FlagValue *value_of(struct fixture *f, const char *deployment, uint32_t percent)
{
    Pb__FlagValue *const value = pb_new(&f->arena, &pb__flag_value__descriptor);

    value->environment = "production";
    value->flag = "express-pay";
    value->deployment = deployment;
    value->percent = percent;
    return value;
}

static bool grant(struct fixture *f,
                  const char *deployment,
                  uint64_t sequence,
                  uint32_t percent)
{
    Pb__Control control = PB__CONTROL__INIT;

    control.body_case = PB__CONTROL__BODY_FLAG;
    control.flag = value_of(f, deployment, percent);
    control.flag->sequence = sequence;
    return flag_table_apply(f->table, "flag/production/express-pay", &control);
}

static bool latch(struct fixture *f, const char *deployment, const char *flag)
{
    Pb__Control control = PB__CONTROL__INIT;

    control.body_case = PB__CONTROL__BODY_KILL;
    control.kill = pb_new(&f->arena, &pb__kill__descriptor);
    control.kill->deployment = deployment;
    control.kill->environment = "production";
    if (flag != NULL)
        PB_APPEND(&f->arena, control.kill, flags, flag);
    return flag_table_apply(f->table, arena_printf(&f->arena, "kill/%s", deployment), &control);
}

static bool latched(struct fixture *f)
{
    bool is;

    assert_non_null(flag_table_find(f->table, "production", "express-pay", &is));
    return is;
}

static uint32_t percent(struct fixture *f)
{
    bool is;
    const Pb__FlagValue *const value =
        flag_table_find(f->table, "production", "express-pay", &is);

    return value != NULL ? value->percent : UINT32_MAX;
}

static void murmur3_agrees_with_published_vectors(void **state)
{
    (void)state;
    assert_int_equal(murmur3_32("", 0, 0), 0);
    assert_int_equal(murmur3_32("test", 4, 0), 0xba6bd213);
    assert_int_equal(murmur3_32("hello, world", 12, 0), 0x149bbb7f);
    assert_int_equal(murmur3_32("headerColorrachel@faas.com", 26, 0), 0x6b9fc846);
    assert_int_equal(murmur3_32("headerColorross@faas.com", 24, 0), 0x5f1c730d);
    assert_int_equal(murmur3_32("my-seedrachel@faas.com", 22, 0), 0xaeb65dea);
    assert_int_equal(murmur3_32("", 0, 1), 0x514e28b7);
}

static void the_bucket_is_murmur3_of_flag_slash_key(void **state)
{
    const char text[] = "express-pay/user-1";
    const uint64_t hash = murmur3_32(text, sizeof text - 1, 0);

    (void)state;
    assert_int_equal(flag_bucket("express-pay", "user-1"), hash * FLAG_BUCKETS >> 32);
}

static void a_user_who_is_on_stays_on_while_the_percentage_rises(void **state)
{
    struct fixture *const f = *state;
    Pb__FlagValue *const value = value_of(f, "express-pay.1", 0);
    char user[32];

    for (unsigned u = 0; u < 2000; u++) {
        bool was = false;

        (void)snprintf(user, sizeof user, "user-%u", u);
        for (value->percent = 0; value->percent <= 100; value->percent++) {
            const bool on = flag_evaluate(value, false, user, NULL, 0).on;

            assert_true(on || !was);
            was = on;
        }
        assert_true(was);
    }
}

static void the_share_of_users_is_close_to_the_percentage(void **state)
{
    struct fixture *const f = *state;
    Pb__FlagValue *const value = value_of(f, "express-pay.1", 10);
    unsigned on = 0;
    char user[32];

    for (unsigned u = 0; u < 20000; u++) {
        (void)snprintf(user, sizeof user, "%u@shop.example", u);
        on += flag_evaluate(value, false, user, NULL, 0).on;
    }
    assert_in_range(on, 1900, 2100);
}

static void the_latch_wins_over_everything(void **state)
{
    struct fixture *const f = *state;
    Pb__FlagValue *const value = value_of(f, "express-pay.1", 100);

    assert_true(flag_evaluate(value, false, "u", NULL, 0).on);
    assert_false(flag_evaluate(value, true, "u", NULL, 0).on);
    assert_string_equal(flag_reason_name(flag_evaluate(value, true, "u", NULL, 0).reason),
                        "DISABLED");
    assert_false(flag_evaluate(NULL, false, "u", NULL, 0).on);
}

static void the_audience_is_on_at_any_percentage_above_0(void **state)
{
    struct fixture *const f = *state;
    Pb__FlagValue *const value = value_of(f, "express-pay.1", 1);
    Pb__Pair *const staff[] = { pb_pair_new(&f->arena, "group", "staff") };
    Pb__Pair *const others[] = { pb_pair_new(&f->arena, "group", "staffers") };
    struct flag_evaluation result;

    value->audience = "group=staff";
    result = flag_evaluate(value, false, "", staff, 1);
    assert_true(result.on);
    assert_int_equal(result.reason, FLAG_TARGETING_MATCH);
    assert_false(flag_evaluate(value, false, "", others, 1).on);
    value->percent = 0;
    assert_false(flag_evaluate(value, false, "", staff, 1).on);
}

static void a_user_without_a_key_waits_for_100_percent(void **state)
{
    struct fixture *const f = *state;
    Pb__FlagValue *const value = value_of(f, "express-pay.1", 99);

    assert_false(flag_evaluate(value, false, NULL, NULL, 0).on);
    value->percent = 100;
    assert_true(flag_evaluate(value, false, NULL, NULL, 0).on);
}

static void a_lower_sequence_is_ignored(void **state)
{
    struct fixture *const f = *state;

    assert_true(grant(f, "express-pay.1", 2, 10));
    assert_false(grant(f, "express-pay.1", 1, 5));
    assert_false(grant(f, "express-pay.1", 2, 10));
    assert_int_equal(percent(f), 10);
    assert_int_equal(flag_table_version(f->table), 1);
}

static void a_later_attempt_stands_over_an_earlier_one_whatever_the_sequence(void **state)
{
    struct fixture *const f = *state;

    assert_true(grant(f, "express-pay.9", 7, 50));
    assert_true(grant(f, "express-pay.10", 1, 5));
    assert_false(grant(f, "express-pay.9", 8, 100));
    assert_int_equal(percent(f), 5);
}

static void a_kill_is_never_undone(void **state)
{
    struct fixture *const f = *state;

    assert_true(grant(f, "express-pay.1", 1, 50));
    assert_true(latch(f, "express-pay.1", NULL));
    assert_true(latched(f));
    assert_false(flag_table_apply(f->table, "kill/express-pay.1", NULL));
    assert_true(grant(f, "express-pay.1", 2, 100));
    assert_true(latched(f));
    assert_non_null(flag_table_kill(f->table, "express-pay.1"));
    assert_null(flag_table_kill(f->table, "express-pay.2"));
}

static void a_kill_that_comes_before_the_value_holds_it_off(void **state)
{
    struct fixture *const f = *state;

    assert_true(latch(f, "express-pay.1", NULL));
    assert_false(latch(f, "express-pay.1", NULL));
    assert_true(grant(f, "express-pay.1", 9, 100));
    assert_true(latched(f));
}

static void a_new_attempt_is_not_held_by_the_latch_of_the_one_before(void **state)
{
    struct fixture *const f = *state;

    assert_true(grant(f, "express-pay.1", 3, 50));
    assert_true(latch(f, "express-pay.1", "express-pay"));
    assert_true(grant(f, "express-pay.2", 1, 5));
    assert_false(latched(f));
}

static void a_kill_holds_off_its_own_deployment_and_no_other(void **state)
{
    struct fixture *const f = *state;

    assert_true(grant(f, "express-pay.1", 3, 100));
    assert_true(latch(f, "express-pay.2", "express-pay"));
    assert_false(latched(f));
    assert_true(latch(f, "express-pay.1", NULL));
    assert_true(latched(f));
}

static void a_tombstone_takes_a_flag_away(void **state)
{
    struct fixture *const f = *state;

    assert_true(grant(f, "express-pay.1", 3, 100));
    assert_true(flag_table_apply(f->table, "flag/production/express-pay", NULL));
    assert_int_equal(percent(f), UINT32_MAX);
    assert_false(flag_table_apply(f->table, "flag/production/express-pay", NULL));
}

static void beyond_its_capacity_a_new_flag_is_unknown_and_the_table_says_so(void **state)
{
    struct fixture *const f = *state;
    Pb__Control control = PB__CONTROL__INIT;
    Pb__FlagValue *const value = value_of(f, "many.1", 5);
    char name[32];
    const Pb__FlagValue *const *flags;
    bool is;

    control.body_case = PB__CONTROL__BODY_FLAG;
    control.flag = value;
    value->flag = name;
    for (unsigned i = 0; i < FLAG_TABLE_FLAGS_MAX; i++) {
        (void)snprintf(name, sizeof name, "flag-%u", i);
        assert_true(flag_table_apply(f->table, "", &control));
    }
    assert_null(flag_table_trouble(f->table));
    value->flag = "one-too-many";
    assert_false(flag_table_apply(f->table, "", &control));
    assert_null(flag_table_find(f->table, "production", "one-too-many", &is));
    assert_non_null(flag_table_trouble(f->table));
    assert_int_equal(flag_table_flags(f->table, &flags), FLAG_TABLE_FLAGS_MAX);
    assert_string_equal(flags[0]->flag, "flag-0");
}

static Pb__Freeze *freeze_of(struct fixture *f, const char *id, const char *scope)
{
    Pb__Freeze *const freeze = pb_new(&f->arena, &pb__freeze__descriptor);

    freeze->id = id;
    freeze->scope = scope;
    freeze->from_ms = 1000;
    freeze->to_ms = 2000;
    return freeze;
}

static void a_freeze_covers_its_scope_from_its_begin_to_its_end(void **state)
{
    struct fixture *const f = *state;
    const char *const services[] = { "web", "checkout" };
    Pb__Freeze *const all = freeze_of(f, "a", "production/*");
    Pb__Freeze *const lane = freeze_of(f, "b", "production/checkout");

    assert_false(freeze_covers(all, "production", services, 2, 999));
    assert_true(freeze_covers(all, "production", services, 2, 1000));
    assert_true(freeze_covers(all, "production", NULL, 0, 1999));
    assert_false(freeze_covers(all, "production", services, 2, 2000));
    assert_false(freeze_covers(all, "staging", services, 2, 1500));
    assert_true(freeze_covers(lane, "production", services, 2, 1500));
    assert_false(freeze_covers(lane, "production", services, 1, 1500));
    lane->lifted_ms = 1200;
    assert_true(freeze_covers(lane, "production", services, 2, 1199));
    assert_false(freeze_covers(lane, "production", services, 2, 1200));
}

static void a_freeze_beyond_capacity_takes_the_place_of_the_one_that_ends_first(void **state)
{
    struct fixture *const f = *state;
    Pb__Control control = PB__CONTROL__INIT;
    const Pb__Freeze *const *freezes;
    char id[32] = "";

    control.body_case = PB__CONTROL__BODY_FREEZE;
    control.freeze = freeze_of(f, id, "production/*");
    for (unsigned i = 0; i <= FLAG_TABLE_FREEZES_MAX; i++) {
        (void)snprintf(id, sizeof id, "frz-%05u", i);
        control.freeze->to_ms = 5000 + i;
        assert_true(flag_table_apply(f->table, "", &control));
    }
    assert_int_equal(flag_table_freezes(f->table, &freezes), FLAG_TABLE_FREEZES_MAX);
    assert_string_equal(freezes[0]->id, "frz-00001");
    assert_true(flag_table_apply(f->table, "freeze/frz-00001", NULL));
    assert_int_equal(flag_table_freezes(f->table, &freezes), FLAG_TABLE_FREEZES_MAX - 1);
}

#define TABLE_TEST(test) cmocka_unit_test_setup_teardown(test, open_table, close_table)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(murmur3_agrees_with_published_vectors),
        cmocka_unit_test(the_bucket_is_murmur3_of_flag_slash_key),
        TABLE_TEST(a_user_who_is_on_stays_on_while_the_percentage_rises),
        TABLE_TEST(the_share_of_users_is_close_to_the_percentage),
        TABLE_TEST(the_latch_wins_over_everything),
        TABLE_TEST(the_audience_is_on_at_any_percentage_above_0),
        TABLE_TEST(a_user_without_a_key_waits_for_100_percent),
        TABLE_TEST(a_lower_sequence_is_ignored),
        TABLE_TEST(a_later_attempt_stands_over_an_earlier_one_whatever_the_sequence),
        TABLE_TEST(a_kill_is_never_undone),
        TABLE_TEST(a_kill_that_comes_before_the_value_holds_it_off),
        TABLE_TEST(a_new_attempt_is_not_held_by_the_latch_of_the_one_before),
        TABLE_TEST(a_kill_holds_off_its_own_deployment_and_no_other),
        TABLE_TEST(a_tombstone_takes_a_flag_away),
        TABLE_TEST(beyond_its_capacity_a_new_flag_is_unknown_and_the_table_says_so),
        TABLE_TEST(a_freeze_covers_its_scope_from_its_begin_to_its_end),
        TABLE_TEST(a_freeze_beyond_capacity_takes_the_place_of_the_one_that_ends_first),
    };

    return cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}
