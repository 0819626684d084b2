#include "tests/contract/store/store_contract.h"

#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_LIMIT = 16 * 1024 * 1024 };

#define TEXT(text_)                                                                            \
    {                                                                                          \
        (text_), sizeof(text_) - 1                                                             \
    }

static enum err write_ops(struct store *store, const struct store_op *ops, size_t count)
{
    struct store_batch batch = { .ops = ops, .op_count = count };
    struct error error = { 0 };
    enum err err = store->commit(store->self, &batch, &error);

    if (err != ERR_OK)
        print_message("commit: %s\n", error.text);
    return err;
}

static enum err write_guarded(struct store *store,
                              const struct store_guard *guards,
                              size_t guard_count,
                              const struct store_op *op)
{
    struct store_batch batch = { guards, guard_count, op, 1, NULL };
    struct error error = { 0 };

    return store->commit(store->self, &batch, &error);
}

static void assert_value(struct store *store, const char *key, const char *expected)
{
    struct arena arena = arena_with_limit(ARENA_LIMIT);
    struct store_value value = { 0 };
    struct error error = { 0 };

    assert_int_equal(store->get(store->self, &arena, key, &value, &error), ERR_OK);
    if (expected == NULL) {
        assert_null(value.bytes);
    } else {
        assert_non_null(value.bytes);
        assert_string_equal(value.bytes, expected);
        assert_int_equal(value.length, strlen(expected));
    }
    arena_release(&arena);
}

static void assert_field(struct store *store,
                         const char *key,
                         const char *field,
                         const char *expected)
{
    struct arena arena = arena_with_limit(ARENA_LIMIT);
    struct store_value value = { 0 };
    struct error error = { 0 };

    assert_int_equal(store->hash_get(store->self, &arena, key, field, &value, &error), ERR_OK);
    if (expected == NULL) {
        assert_null(value.bytes);
    } else {
        assert_non_null(value.bytes);
        assert_string_equal(value.bytes, expected);
    }
    arena_release(&arena);
}

static void a_value_set_is_read_until_it_is_deleted(void **state)
{
    struct store_world *world = *state;
    const struct store_op set = { .kind = STORE_SET, .key = "value", .value = TEXT("one") };
    const struct store_op again = { .kind = STORE_SET, .key = "value", .value = TEXT("") };
    const struct store_op delete = { .kind = STORE_DELETE, .key = "value" };

    assert_value(&world->store, "value", NULL);
    assert_int_equal(write_ops(&world->store, &set, 1), ERR_OK);
    assert_value(&world->other, "value", "one");
    assert_int_equal(write_ops(&world->other, &again, 1), ERR_OK);
    assert_value(&world->store, "value", "");
    assert_int_equal(write_ops(&world->store, &delete, 1), ERR_OK);
    assert_value(&world->other, "value", NULL);
}

static void bytes_of_any_kind_and_size_survive(void **state)
{
    struct store_world *world = *state;
    struct arena arena = arena_with_limit(ARENA_LIMIT);
    struct error error = { 0 };
    struct store_value got = { 0 };
    size_t length = 3 * 1024 * 1024 + 7;
    char *bytes = malloc(length);

    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(i * 31 % 256);
    const struct store_op op = { .kind = STORE_SET, .key = "big", .value = { bytes, length } };

    assert_int_equal(write_ops(&world->store, &op, 1), ERR_OK);
    assert_int_equal(world->store.get(world->store.self, &arena, "big", &got, &error), ERR_OK);
    assert_int_equal(got.length, length);
    assert_memory_equal(got.bytes, bytes, length);
    assert_int_equal(got.bytes[length], '\0');
    free(bytes);
    arena_release(&arena);
}

static void a_value_that_expires_is_gone_when_its_time_is_over(void **state)
{
    struct store_world *world = *state;
    const struct store_op keep = {
        .kind = STORE_SET_EXPIRES, .key = "long", .value = TEXT("x"), .score = 600000
    };
    const struct store_op expire = {
        .kind = STORE_SET_EXPIRES, .key = "short", .value = TEXT("x"), .score = 300
    };
    const struct store_op forever = { .kind = STORE_SET, .key = "short", .value = TEXT("y") };

    assert_int_equal(write_ops(&world->store, &keep, 1), ERR_OK);
    assert_int_equal(write_ops(&world->store, &expire, 1), ERR_OK);
    assert_value(&world->store, "short", "x");
    world->elapse(world->self, 301);
    assert_value(&world->store, "short", NULL);
    assert_value(&world->store, "long", "x");
    assert_int_equal(write_ops(&world->store, &expire, 1), ERR_OK);
    assert_int_equal(write_ops(&world->store, &forever, 1), ERR_OK);
    world->elapse(world->self, 301);
    assert_value(&world->store, "short", "y");
}

static void a_value_that_is_added_never_replaces_another(void **state)
{
    struct store_world *world = *state;
    const struct store_op ops[] = {
        { .kind = STORE_ADD_EXPIRES, .key = "once", .value = TEXT("a"), .score = 300 },
        { .kind = STORE_ADD_EXPIRES, .key = "once", .value = TEXT("b"), .score = 600000 },
        { .kind = STORE_SET, .key = "beside", .value = TEXT("x") },
    };

    assert_int_equal(write_ops(&world->store, ops, 3), ERR_OK);
    assert_value(&world->store, "once", "a");
    assert_value(&world->store, "beside", "x");
    assert_int_equal(write_ops(&world->store, ops + 1, 1), ERR_OK);
    assert_value(&world->store, "once", "a");
    world->elapse(world->self, 301);
    assert_value(&world->store, "once", NULL);
    assert_int_equal(write_ops(&world->store, ops + 1, 1), ERR_OK);
    assert_value(&world->store, "once", "b");
}

static void a_hash_is_read_by_field_and_as_a_whole(void **state)
{
    struct store_world *world = *state;
    struct arena arena = arena_with_limit(ARENA_LIMIT);
    struct error error = { 0 };
    struct store_field *fields;
    size_t count;
    const struct store_op ops[] = {
        { .kind = STORE_HASH_SET, .key = "hash", .field = "a", .value = TEXT("1") },
        { .kind = STORE_HASH_SET, .key = "hash", .field = "b", .value = TEXT("2") },
        { .kind = STORE_HASH_SET, .key = "hash", .field = "a", .value = TEXT("3") },
        { .kind = STORE_HASH_SET, .key = "hash", .field = "c", .value = TEXT("4") },
        { .kind = STORE_HASH_DELETE, .key = "hash", .field = "b" },
    };

    assert_int_equal(write_ops(&world->store, ops, 5), ERR_OK);
    assert_field(&world->store, "hash", "a", "3");
    assert_field(&world->store, "hash", "b", NULL);
    assert_field(&world->store, "no-hash", "b", NULL);
    assert_int_equal(
        world->store.hash_all(world->store.self, &arena, "hash", &fields, &count, &error),
        ERR_OK);
    assert_int_equal(count, 2);
    bool a_first = strcmp(fields[0].name, "a") == 0;

    assert_string_equal(fields[a_first ? 0 : 1].value.bytes, "3");
    assert_string_equal(fields[a_first ? 1 : 0].name, "c");
    assert_int_equal(
        world->store.hash_all(world->store.self, &arena, "no-hash", &fields, &count, &error),
        ERR_OK);
    assert_int_equal(count, 0);
    arena_release(&arena);
}

static void assert_range(struct store *store,
                         const struct store_range *range,
                         const char *expected)
{
    struct arena arena = arena_with_limit(ARENA_LIMIT);
    struct error error = { 0 };
    struct store_member *members;
    size_t count;
    char text[128] = "";

    assert_int_equal(store->sorted_range(store->self, &arena, range, &members, &count, &error),
                     ERR_OK);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(text);

        snprintf(text + length,
                 sizeof text - length,
                 "%s=%lld ",
                 members[i].name,
                 (long long)members[i].score);
    }
    assert_string_equal(text, expected);
    arena_release(&arena);
}

static void a_sorted_set_is_read_by_score_from_either_end(void **state)
{
    struct store_world *world = *state;
    struct store *store = &world->store;
    const struct store_op ops[] = {
        { .kind = STORE_SORTED_ADD, .key = "sorted", .field = "late", .score = 1759000000123 },
        { .kind = STORE_SORTED_ADD, .key = "sorted", .field = "early", .score = 5 },
        { .kind = STORE_SORTED_ADD, .key = "sorted", .field = "moved", .score = 1 },
        { .kind = STORE_SORTED_ADD, .key = "sorted", .field = "moved", .score = 7 },
        { .kind = STORE_SORTED_ADD, .key = "sorted", .field = "gone", .score = 6 },
        { .kind = STORE_SORTED_ADD, .key = "sorted", .field = "minus", .score = -2 },
        { .kind = STORE_SORTED_REMOVE, .key = "sorted", .field = "gone" },
    };

    assert_int_equal(write_ops(store, ops, 7), ERR_OK);
    assert_range(store,
                 &(struct store_range){ "sorted", INT64_MIN, INT64_MAX, 10 },
                 "minus=-2 early=5 moved=7 late=1759000000123 ");
    assert_range(store, &(struct store_range){ "sorted", 5, 7, 10 }, "early=5 moved=7 ");
    assert_range(store, &(struct store_range){ "sorted", 0, INT64_MAX, 1 }, "early=5 ");
    assert_range(store,
                 &(struct store_range){ "sorted", 0, INT64_MAX, -2 },
                 "late=1759000000123 moved=7 ");
    assert_range(store, &(struct store_range){ "no-set", 0, 9, 5 }, "");
}

static void a_set_holds_each_member_once(void **state)
{
    struct store_world *world = *state;
    struct arena arena = arena_with_limit(ARENA_LIMIT);
    struct error error = { 0 };
    const char **members;
    size_t count;
    const struct store_op ops[] = {
        { .kind = STORE_MEMBER_ADD, .key = "set", .field = "a" },
        { .kind = STORE_MEMBER_ADD, .key = "set", .field = "b" },
        { .kind = STORE_MEMBER_ADD, .key = "set", .field = "a" },
        { .kind = STORE_MEMBER_REMOVE, .key = "set", .field = "b" },
    };

    assert_int_equal(write_ops(&world->store, ops, 4), ERR_OK);
    assert_int_equal(
        world->store.members(world->store.self, &arena, "set", &members, &count, &error),
        ERR_OK);
    assert_int_equal(count, 1);
    assert_string_equal(members[0], "a");
    assert_int_equal(
        world->store.members(world->store.self, &arena, "no-set", &members, &count, &error),
        ERR_OK);
    assert_int_equal(count, 0);
    arena_release(&arena);
}

static void a_guard_that_does_not_hold_stops_the_whole_batch(void **state)
{
    struct store_world *world = *state;
    struct store *store = &world->store;
    const struct store_op owner = {
        .kind = STORE_HASH_SET, .key = "guard", .field = "owner", .value = TEXT("me")
    };
    const struct store_op write = { .kind = STORE_SET, .key = "guarded", .value = TEXT("x") };
    const struct store_guard held[] = { { "guard", "owner", "me" },
                                        { "guard", "nobody", NULL } };
    const struct store_guard other[] = { { "guard", "owner", "me" },
                                         { "guard", "owner", "you" } };
    const struct store_guard absent[] = { { "guard", "owner", NULL } };

    assert_int_equal(write_ops(store, &owner, 1), ERR_OK);
    assert_int_equal(write_guarded(store, other, 2, &write), ERR_CONFLICT);
    assert_int_equal(write_guarded(store, absent, 1, &write), ERR_CONFLICT);
    assert_value(store, "guarded", NULL);
    assert_int_equal(write_guarded(store, held, 2, &write), ERR_OK);
    assert_value(store, "guarded", "x");
}

/* As the coordinator commits: each batch moves the very field it was guarded by. */
static void a_fence_that_moves_with_each_commit_keeps_the_second_writer_out(void **state)
{
    struct store_world *world = *state;
    char from[16] = "", to[16] = "0";
    enum { COMMITS = 20 };

    for (int i = 0; i <= COMMITS; i++) {
        const struct store_guard guard = { "fence", "offset", i > 0 ? from : NULL };
        const struct store_op move = { .kind = STORE_HASH_SET,
                                       .key = "fence",
                                       .field = "offset",
                                       .value = { to, strlen(to) } };

        assert_int_equal(write_guarded(&world->store, &guard, 1, &move), ERR_OK);
        assert_int_equal(write_guarded(&world->other, &guard, 1, &move), ERR_CONFLICT);
        snprintf(from, sizeof from, "%d", i);
        snprintf(to, sizeof to, "%d", i + 1);
    }
    assert_field(&world->other, "fence", "offset", "20");
}

static void a_guard_sees_what_the_other_client_wrote_since(void **state)
{
    struct store_world *world = *state;
    const struct store_guard guard = { "taken", "owner", "a" };
    const struct store_op mine = {
        .kind = STORE_HASH_SET, .key = "taken", .field = "owner", .value = TEXT("a")
    };
    const struct store_op theirs = {
        .kind = STORE_HASH_SET, .key = "taken", .field = "owner", .value = TEXT("b")
    };
    const struct store_op beside = {
        .kind = STORE_HASH_SET, .key = "taken", .field = "ready", .value = TEXT("1")
    };

    assert_int_equal(write_ops(&world->store, &mine, 1), ERR_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(write_guarded(&world->store, &guard, 1, &mine), ERR_OK);
    assert_int_equal(write_ops(&world->other, &beside, 1), ERR_OK);
    assert_int_equal(write_guarded(&world->store, &guard, 1, &mine), ERR_OK);
    assert_int_equal(write_ops(&world->other, &theirs, 1), ERR_OK);
    assert_int_equal(write_guarded(&world->store, &guard, 1, &mine), ERR_CONFLICT);
    assert_int_equal(write_ops(&world->other, &mine, 1), ERR_OK);
    assert_int_equal(write_guarded(&world->store, &guard, 1, &mine), ERR_OK);
}

static void a_batch_for_another_run_of_the_server_is_refused(void **state)
{
    struct store_world *world = *state;
    struct store *store = &world->store;
    const struct store_op op = { .kind = STORE_SET, .key = "run", .value = TEXT("x") };
    struct store_batch batch = { .ops = &op, .op_count = 1, .run = "of another" };
    struct error error = { 0 };
    const char *run = "";
    char kept[64];

    assert_int_equal(store->commit(store->self, &batch, &error), ERR_CONFLICT);
    assert_value(store, "run", NULL);
    assert_int_equal(store->run(store->self, &run, &error), ERR_OK);
    assert_true(strlen(run) > 0 && strlen(run) < sizeof kept);
    (void)snprintf(kept, sizeof kept, "%s", run);
    batch.run = kept;
    assert_int_equal(store->commit(store->self, &batch, &error), ERR_OK);
    assert_value(store, "run", "x");
    assert_int_equal(world->other.run(world->other.self, &run, &error), ERR_OK);
    assert_string_equal(run, kept);
}

static void a_batch_of_thousands_is_one_batch(void **state)
{
    struct store_world *world = *state;
    enum { COUNT = 5000, NAME = 16 };
    struct store_op *ops = calloc(COUNT, sizeof *ops);
    char(*names)[NAME] = calloc(COUNT, NAME);

    assert_non_null(ops);
    assert_non_null(names);
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], NAME, "f%d", i);
        ops[i] = (struct store_op){ .kind = STORE_HASH_SET,
                                    .key = "many",
                                    .field = names[i],
                                    .value = { names[i], strlen(names[i]) } };
    }
    assert_int_equal(write_ops(&world->store, ops, COUNT), ERR_OK);
    assert_field(&world->other, "many", "f4999", "f4999");
    free(names);
    free(ops);
}

static void a_key_of_another_kind_is_an_error_and_not_an_absence(void **state)
{
    struct store_world *world = *state;
    struct store *store = &world->store;
    struct arena arena = arena_with_limit(ARENA_LIMIT);
    struct error error = { 0 };
    struct store_value value;
    const struct store_op op = { .kind = STORE_MEMBER_ADD, .key = "kind", .field = "a" };

    assert_int_equal(write_ops(store, &op, 1), ERR_OK);
    assert_int_equal(store->get(store->self, &arena, "kind", &value, &error), ERR_INTERNAL);
    assert_int_equal(store->hash_get(store->self, &arena, "kind", "a", &value, &error),
                     ERR_INTERNAL);
    arena_release(&arena);
}

int store_contract_run(const char *name, struct store_world *world)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_set_is_read_until_it_is_deleted),
        cmocka_unit_test(bytes_of_any_kind_and_size_survive),
        cmocka_unit_test(a_value_that_expires_is_gone_when_its_time_is_over),
        cmocka_unit_test(a_value_that_is_added_never_replaces_another),
        cmocka_unit_test(a_hash_is_read_by_field_and_as_a_whole),
        cmocka_unit_test(a_sorted_set_is_read_by_score_from_either_end),
        cmocka_unit_test(a_set_holds_each_member_once),
        cmocka_unit_test(a_guard_that_does_not_hold_stops_the_whole_batch),
        cmocka_unit_test(a_fence_that_moves_with_each_commit_keeps_the_second_writer_out),
        cmocka_unit_test(a_guard_sees_what_the_other_client_wrote_since),
        cmocka_unit_test(a_batch_for_another_run_of_the_server_is_refused),
        cmocka_unit_test(a_batch_of_thousands_is_one_batch),
        cmocka_unit_test(a_key_of_another_kind_is_an_error_and_not_an_absence),
    };

    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tests[i].initial_state = world;
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
