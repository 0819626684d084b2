/* Bus and store in memory beyond the contract: deaths, evictions, losses and faults. */
#include "common/adapters/memory/bus.h"
#include "common/adapters/memory/clock.h"
#include "common/adapters/memory/store.h"
#include "tests/support/test.h"

/* A broker with one client and the topic "log" of two partitions, and a fault to come. */
struct world {
    struct memory_clock clock;
    struct memory_broker *broker;
    struct memory_space *space;
    struct bus bus;
    struct store store;
    const char *fails; /* This operation, once, */
    enum memory_fault how;
};

static enum memory_fault ask(void *self, const char *operation, const char *object)
{
    struct world *world = self;

    (void)object;
    if (world->fails == NULL || strcmp(world->fails, operation) != 0)
        return FAULT_NONE;
    world->fails = NULL;
    return world->how;
}

static void fail_next(struct world *world, const char *operation, enum memory_fault how)
{
    world->fails = operation;
    world->how = how;
}

static int setup(void **state)
{
    static struct world world;
    const struct bus_topic topic = { "log", 2, -1, false, true };
    struct error error = { 0 };

    world = (struct world){ .clock = { .now_ms = 5000 } };
    world.broker = memory_broker_new(memory_clock_port(&world.clock));
    world.space = memory_space_new(memory_clock_port(&world.clock));
    world.bus = memory_bus(world.broker, (struct memory_faults){ &world, ask });
    world.store = memory_store(world.space, (struct memory_faults){ &world, ask });
    *state = &world;
    return (int)world.bus.ensure_topics(world.bus.self, &topic, 1, &error);
}

static int teardown(void **state)
{
    struct world *world = *state;

    world->bus.close(world->bus.self);
    world->store.close(world->store.self);
    memory_broker_free(world->broker);
    memory_space_free(world->space);
    return 0;
}

static enum err publish(struct world *world, int32_t partition)
{
    struct bus_record record = { .topic = "log", .partition = partition };
    struct error error = { 0 };

    return world->bus.publish(world->bus.self, &record, &error);
}

static enum err flush(struct world *world)
{
    struct error error = { 0 };

    return world->bus.flush(world->bus.self, 1000, &error);
}

static struct bus_consumer member(struct world *world, struct bus_listener listener)
{
    static const char *const topics[] = { "log", NULL };
    struct bus_subscription subscription = { .group = "group",
                                             .topics = topics,
                                             .listener = listener };
    struct bus_consumer consumer;
    struct error error = { 0 };

    assert_int_equal(world->bus.subscribe(world->bus.self, &subscription, &consumer, &error),
                     ERR_OK);
    return consumer;
}

static enum err receive(struct bus_consumer *consumer, struct bus_record *record)
{
    struct error error = { 0 };

    return consumer->receive(consumer->self, 100, record, &error);
}

static enum err commit(struct bus_consumer *consumer, int64_t next)
{
    struct error error = { 0 };

    return consumer->commit(consumer->self, "log", 0, next, &error);
}

static void count_lost(void *self, const char *topic, int32_t partition, bool lost)
{
    (void)topic;
    (void)partition;
    *(int *)self += lost;
}

static void records_carry_the_time_of_the_clock(void **state)
{
    struct world *world = *state;

    memory_clock_advance(&world->clock, 250);
    assert_int_equal(publish(world, 1), ERR_OK);
    assert_int_equal(memory_broker_record(world->broker, "log", 1, 0)->at_ms, 5250);
    assert_null(memory_broker_record(world->broker, "log", 1, 1));
}

static void an_evicted_member_cannot_commit_and_learns_of_it(void **state)
{
    struct world *world = *state;
    struct bus_record record;
    int lost = 0;
    struct bus_consumer zombie =
        member(world, (struct bus_listener){ .self = &lost, .revoked = count_lost });

    assert_int_equal(publish(world, 0), ERR_OK);
    assert_int_equal(receive(&zombie, &record), ERR_OK);
    memory_consumer_evict(&zombie);
    struct bus_consumer heir = member(world, (struct bus_listener){ 0 });

    assert_int_equal(receive(&heir, &record), ERR_OK);
    assert_int_equal(commit(&zombie, 1), ERR_CONFLICT);
    assert_int_equal(commit(&heir, 1), ERR_OK);
    assert_int_equal(lost, 0);
    assert_int_equal(receive(&zombie, &record), ERR_STALE);
    assert_int_equal(lost, 2);
    zombie.close(zombie.self);
    heir.close(heir.self);
}

static void a_dead_member_is_inherited_without_a_word_to_it(void **state)
{
    struct world *world = *state;
    struct bus_record record;
    int lost = 0;
    struct bus_consumer first =
        member(world, (struct bus_listener){ .self = &lost, .revoked = count_lost });

    assert_int_equal(receive(&first, &record), ERR_STALE);
    struct bus_consumer second = member(world, (struct bus_listener){ 0 });

    assert_int_equal(receive(&second, &record), ERR_STALE);
    memory_consumer_crash(&first);
    assert_null(first.self);
    assert_int_equal(publish(world, 0), ERR_OK);
    assert_int_equal(receive(&second, &record), ERR_OK);
    assert_int_equal(lost, 0);
    second.close(second.self);
}

static void a_log_cut_at_its_end_halts_whoever_was_beyond(void **state)
{
    struct world *world = *state;
    struct bus_record record;

    assert_int_equal(publish(world, 0), ERR_OK);
    assert_int_equal(publish(world, 0), ERR_OK);
    struct bus_consumer consumer = member(world, (struct bus_listener){ 0 });

    assert_int_equal(receive(&consumer, &record), ERR_OK);
    assert_int_equal(receive(&consumer, &record), ERR_OK);
    assert_int_equal(commit(&consumer, 2), ERR_OK);
    memory_broker_cut(world->broker, "log", 0, 0, 1);
    assert_int_equal(receive(&consumer, &record), ERR_INTERNAL);
    consumer.close(consumer.self);
    consumer = member(world, (struct bus_listener){ 0 });
    assert_int_equal(receive(&consumer, &record), ERR_OK);
    assert_int_equal(record.offset, 0);
    consumer.close(consumer.self);
}

static void retention_at_the_low_end_moves_the_start(void **state)
{
    struct world *world = *state;
    struct bus_record record;

    for (int i = 0; i < 3; i++)
        assert_int_equal(publish(world, 0), ERR_OK);
    memory_broker_cut(world->broker, "log", 0, 2, INT64_MAX);
    struct bus_consumer consumer = member(world, (struct bus_listener){ 0 });

    assert_int_equal(receive(&consumer, &record), ERR_OK);
    assert_int_equal(record.offset, 2);
    consumer.close(consumer.self);
}

static void a_publish_fails_as_it_was_told_to(void **state)
{
    struct world *world = *state;

    fail_next(world, "publish", FAULT_BEFORE);
    assert_int_equal(publish(world, 0), ERR_UNAVAILABLE);
    assert_int_equal(flush(world), ERR_OK);
    fail_next(world, "publish", FAULT_LOST);
    assert_int_equal(publish(world, 0), ERR_OK);
    assert_int_equal(flush(world), ERR_UNAVAILABLE);
    assert_null(memory_broker_record(world->broker, "log", 0, 0));
    fail_next(world, "publish", FAULT_AFTER);
    assert_int_equal(publish(world, 0), ERR_OK);
    assert_int_equal(flush(world), ERR_TIMED_OUT);
    assert_non_null(memory_broker_record(world->broker, "log", 0, 0));
    assert_int_equal(flush(world), ERR_OK);
}

static enum err store_set(struct world *world, const char *value)
{
    struct store_op op = { .kind = STORE_SET, .key = "k", .value = { value, strlen(value) } };
    struct store_batch batch = { .ops = &op, .op_count = 1 };
    struct error error = { 0 };

    return world->store.commit(world->store.self, &batch, &error);
}

static void assert_stored(struct world *world, const char *expected)
{
    struct arena arena = arena_with_limit(1024);
    struct error error = { 0 };
    struct store_value value;

    assert_int_equal(world->store.get(world->store.self, &arena, "k", &value, &error), ERR_OK);
    assert_string_equal(value.bytes != NULL ? value.bytes : "(none)", expected);
    arena_release(&arena);
}

static void a_commit_fails_as_it_was_told_to(void **state)
{
    struct world *world = *state;

    fail_next(world, "commit", FAULT_BEFORE);
    assert_int_equal(store_set(world, "1"), ERR_UNAVAILABLE);
    assert_stored(world, "(none)");
    fail_next(world, "commit", FAULT_AFTER);
    assert_int_equal(store_set(world, "2"), ERR_TIMED_OUT);
    assert_stored(world, "2");
    assert_int_equal(memory_space_commits(world->space), 1);
}

static void a_space_comes_back_as_it_was_copied(void **state)
{
    struct world *world = *state;

    assert_int_equal(store_set(world, "before"), ERR_OK);
    struct memory_space *copy = memory_space_copy(world->space);

    assert_int_equal(store_set(world, "after"), ERR_OK);
    memory_space_restore(world->space, copy);
    assert_stored(world, "before");
    memory_space_clear(world->space);
    assert_stored(world, "(none)");
    memory_space_free(copy);
}

#define WORLD_TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(records_carry_the_time_of_the_clock),
        WORLD_TEST(an_evicted_member_cannot_commit_and_learns_of_it),
        WORLD_TEST(a_dead_member_is_inherited_without_a_word_to_it),
        WORLD_TEST(a_log_cut_at_its_end_halts_whoever_was_beyond),
        WORLD_TEST(retention_at_the_low_end_moves_the_start),
        WORLD_TEST(a_publish_fails_as_it_was_told_to),
        WORLD_TEST(a_commit_fails_as_it_was_told_to),
        WORLD_TEST(a_space_comes_back_as_it_was_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
