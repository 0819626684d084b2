/* Keys have the names that Redis users are told, and projections read what stands under them.
 */
#include "common/adapters/memory/clock.h"
#include "common/adapters/memory/store.h"
#include "common/ports/bus.h"
#include "common/state/keys.h"
#include "common/state/projection.h"
#include "tests/support/test.h"

enum { PARTITIONS = 3 };

struct world {
    struct arena arena;
    struct memory_clock clock;
    struct memory_space *space;
    struct projection projection;
};

static int setup(void **state)
{
    static struct world world;

    world = (struct world){ .arena = arena_with_limit(16 * 1024 * 1024) };
    world.space = memory_space_new(memory_clock_port(&world.clock));
    world.projection = (struct projection){
        .store = memory_store(world.space, (struct memory_faults){ 0 }),
        .prefix = "slipway:",
        .partitions = PARTITIONS,
    };
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *const world = *state;

    world->projection.store.close(world->projection.store.self);
    memory_space_free(world->space);
    arena_release(&world->arena);
    return 0;
}

static void write_one(struct world *world, const struct store_op *op)
{
    const struct store_batch batch = { NULL, 0, op, 1, NULL };
    struct error error = { 0 };

    assert_int_equal(
        world->projection.store.commit(world->projection.store.self, &batch, &error), ERR_OK);
}

static struct store_value packed(struct world *world, const void *message)
{
    const struct pb_bytes bytes = pb_pack(&world->arena, message);

    return (struct store_value){ (const char *)bytes.bytes, bytes.length };
}

static void all_keys_of_a_partition_share_a_slot(void **state)
{
    struct world *const world = *state;

    assert_string_equal(KEY_LOG(&world->arena, 2, "slipway:"), "slipway:{2}:log");
    assert_string_equal(KEY_DEPLOYMENT(&world->arena, 0, "x:", "pay.1"), "x:{0}:dep:pay.1");
    assert_string_equal(KEY_TASK(&world->arena, 11, "", "pay.1/2/1/0"),
                        "{11}:task:pay.1/2/1/0");
    assert_string_equal(keys_global(&world->arena, "slipway:", "readback:", "a/b"),
                        "slipway:readback:a/b");
    assert_string_equal(keys_lane_record(&world->arena, "production/shop"),
                        "lane/production/shop");
}

static void the_feature_of_a_deployment_is_what_stands_before_the_last_dot(void **state)
{
    struct world *const world = *state;

    assert_string_equal(projection_feature_of(&world->arena, "express-pay.3"), "express-pay");
    assert_string_equal(projection_feature_of(&world->arena, "a.b.12"), "a.b");
    assert_string_equal(projection_feature_of(&world->arena, "bare"), "bare");
}

static void a_deployment_is_found_in_the_partition_of_its_feature(void **state)
{
    struct world *const world = *state;
    const int32_t p = bus_partition("pay", PARTITIONS);
    Pb__DeploymentState deployment = PB__DEPLOYMENT_STATE__INIT;
    Pb__DeploymentState *found = NULL;
    struct error error = { 0 };

    deployment.id = "pay.1";
    write_one(world,
              &(struct store_op){ .kind = STORE_SET,
                                  .key = KEY_DEPLOYMENT(&world->arena, p, "slipway:", "pay.1"),
                                  .value = packed(world, &deployment) });
    assert_int_equal(
        projection_deployment(&world->projection, &world->arena, "pay.1", &found, &error),
        ERR_OK);
    assert_string_equal(found->id, "pay.1");
    assert_int_equal(
        projection_deployment(&world->projection, &world->arena, "pay.2", &found, &error),
        ERR_NOT_FOUND);
    assert_string_equal(error.text, "there is no deployment pay.2");
}

static void what_does_not_parse_is_an_error_that_names_it(void **state)
{
    struct world *const world = *state;
    const int32_t p = bus_partition("pay", PARTITIONS);
    Pb__FeatureState *found = NULL;
    struct error error = { 0 };

    write_one(world,
              &(struct store_op){ .kind = STORE_SET,
                                  .key = KEY_FEATURE(&world->arena, p, "slipway:", "pay"),
                                  .value = { "\xff", 1 } });
    assert_int_equal(
        projection_feature(&world->projection, &world->arena, "pay", &found, &error),
        ERR_INVALID);
    assert_non_null(strstr(error.text, "read feature pay"));
    assert_null(found);
}

static void a_lane_is_found_where_its_records_go(void **state)
{
    struct world *const world = *state;
    const int32_t p = bus_partition("lane/production/shop", PARTITIONS);
    Pb__LaneState lane = PB__LANE_STATE__INIT;
    Pb__LaneState *found = NULL;
    const char **names = NULL;
    size_t count = 0;
    struct error error = { 0 };

    lane.holder = "pay.1";
    write_one(
        world,
        &(struct store_op){ .kind = STORE_SET,
                            .key = KEY_LANE(&world->arena, p, "slipway:", "production/shop"),
                            .value = packed(world, &lane) });
    write_one(world,
              &(struct store_op){ .kind = STORE_MEMBER_ADD,
                                  .key = KEY_LANES(&world->arena, p, "slipway:"),
                                  .field = "production/shop" });
    assert_int_equal(
        projection_lane(&world->projection, &world->arena, "production/shop", &found, &error),
        ERR_OK);
    assert_string_equal(found->holder, "pay.1");
    assert_int_equal(
        projection_lanes(&world->projection, &world->arena, &names, &count, &error), ERR_OK);
    assert_int_equal(count, 1);
    assert_string_equal(names[0], "production/shop");
}

static void add_entry(struct world *world, const char *field, const char *type)
{
    const int32_t p = bus_partition("pay", PARTITIONS);
    Pb__TimelineEntry entry = PB__TIMELINE_ENTRY__INIT;

    entry.type = type;
    write_one(world,
              &(struct store_op){ .kind = STORE_HASH_SET,
                                  .key = KEY_TIMELINE(&world->arena, p, "slipway:", "pay.1"),
                                  .field = field,
                                  .value = packed(world, &entry) });
}

static void a_timeline_comes_oldest_first(void **state)
{
    struct world *const world = *state;
    Pb__TimelineEntry **entries = NULL;
    size_t count = 0;
    struct error error = { 0 };

    add_entry(world, "0000000010.0000", "third");
    add_entry(world, "0000000009.0001", "second");
    add_entry(world, "0000000009.0000", "first");
    assert_int_equal(projection_timeline(
                         &world->projection, &world->arena, "pay.1", &entries, &count, &error),
                     ERR_OK);
    assert_int_equal(count, 3);
    assert_string_equal(entries[0]->type, "first");
    assert_string_equal(entries[1]->type, "second");
    assert_string_equal(entries[2]->type, "third");
}

static void a_list_is_the_newest_of_all_partitions(void **state)
{
    struct world *const world = *state;
    static const char *const ids[] = { "a.1", "b.1", "c.1", "d.1", "e.1" };
    struct store_member *found = NULL;
    size_t count = 0;
    struct error error = { 0 };

    for (int i = 0; i < 5; i++)
        write_one(world,
                  &(struct store_op){ .kind = STORE_SORTED_ADD,
                                      .key = KEY_LIVE(&world->arena, i % 3, "slipway:"),
                                      .field = ids[i],
                                      .score = 100 + i });
    assert_int_equal(
        projection_list(&world->projection, &world->arena, true, 3, &found, &count, &error),
        ERR_OK);
    assert_int_equal(count, 3);
    assert_string_equal(found[0].name, "e.1");
    assert_string_equal(found[1].name, "d.1");
    assert_string_equal(found[2].name, "c.1");
    assert_int_equal(
        projection_list(&world->projection, &world->arena, false, 3, &found, &count, &error),
        ERR_OK);
    assert_int_equal(count, 0);
}

static void a_place_in_a_list_moves_with_every_update(void **state)
{
    const int64_t now_ms = 1795442850123;

    (void)state;
    assert_true(keys_listed_at(now_ms, 8) != keys_listed_at(now_ms, 7));
    assert_true(keys_listed_at(now_ms + 1, 1024) > keys_listed_at(now_ms, 1023));
    assert_int_equal(keys_listed_ms(keys_listed_at(now_ms, 2047)), now_ms);
    assert_true(keys_listed_at(now_ms, 1023) < (int64_t)1 << 53);
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(all_keys_of_a_partition_share_a_slot),
        WORLD(the_feature_of_a_deployment_is_what_stands_before_the_last_dot),
        WORLD(a_deployment_is_found_in_the_partition_of_its_feature),
        WORLD(what_does_not_parse_is_an_error_that_names_it),
        WORLD(a_lane_is_found_where_its_records_go),
        WORLD(a_timeline_comes_oldest_first),
        WORLD(a_list_is_the_newest_of_all_partitions),
        WORLD(a_place_in_a_list_moves_with_every_update),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
