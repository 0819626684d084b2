#include "tests/contract/bus/bus_contract.h"

#include "tests/contract/bus/bus_helpers.h"
#include "tests/support/patience.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

static void a_record_arrives_with_all_it_carries(void **state)
{
    struct bus_world *world = *state;
    char topic[CONTRACT_NAME_SIZE];
    const uint8_t bytes[] = { 0, 1, 0, 0xff };
    struct bus_record record = { .topic = contract_topic(world, topic),
                                 .partition = 2,
                                 .key = "express-pay",
                                 .bytes = bytes,
                                 .length = sizeof bytes,
                                 .headers = { { "ce_id", "7" }, { "ce_type", "" } },
                                 .header_count = 2 };
    struct bus_consumer consumer = contract_read(world, topic, BUS_FROM_BEGINNING);

    contract_publish(world, &record);
    struct bus_record got = contract_next(world, &consumer);

    assert_string_equal(got.topic, topic);
    assert_int_equal(got.partition, 2);
    assert_int_equal(got.offset, 0);
    assert_true(got.at_ms > 0);
    assert_string_equal(got.key, "express-pay");
    assert_int_equal(got.length, sizeof bytes);
    assert_memory_equal(got.bytes, bytes, sizeof bytes);
    assert_int_equal(got.header_count, 2);
    assert_string_equal(bus_header(&got, "ce_id"), "7");
    assert_string_equal(bus_header(&got, "ce_type"), "");
    consumer.close(consumer.self);
}

static void a_tombstone_is_not_an_empty_record(void **state)
{
    struct bus_world *world = *state;
    char topic[CONTRACT_NAME_SIZE];
    struct bus_record tombstone = { .topic = contract_topic(world, topic) };
    struct bus_record empty = { .topic = topic, .bytes = (const uint8_t *)"" };
    struct bus_consumer consumer = contract_read(world, topic, BUS_FROM_BEGINNING);

    contract_publish(world, &tombstone);
    contract_publish(world, &empty);
    struct bus_record got = contract_next(world, &consumer);

    assert_null(got.bytes);
    assert_string_equal(got.key, "");
    got = contract_next(world, &consumer);
    assert_non_null(got.bytes);
    assert_int_equal(got.length, 0);
    consumer.close(consumer.self);
}

static void records_of_one_partition_arrive_in_order(void **state)
{
    struct bus_world *world = *state;
    char topic[CONTRACT_NAME_SIZE];
    enum { COUNT = 500 };

    contract_topic(world, topic);
    for (int i = 0; i < COUNT; i++)
        contract_hand_over(world, topic, 1, i);
    contract_flush(world);
    struct bus_consumer consumer = contract_read(world, topic, BUS_FROM_BEGINNING);

    for (int i = 0; i < COUNT; i++)
        assert_int_equal(contract_next_number(world, &consumer), i);
    consumer.close(consumer.self);
}

static void a_key_decides_the_partition(void **state)
{
    struct bus_world *world = *state;
    static const char *const keys[] = { "foobar", "express-pay", "dark-mode", "21" };
    char topic[CONTRACT_NAME_SIZE];

    contract_topic(world, topic);
    for (size_t i = 0; i < 4; i++) {
        struct bus_record record = { .topic = topic,
                                     .partition = BUS_PARTITION_BY_KEY,
                                     .key = keys[i] };

        contract_publish(world, &record);
    }
    struct bus_consumer consumer = contract_read(world, topic, BUS_FROM_BEGINNING);

    for (size_t i = 0; i < 4; i++) {
        struct bus_record got = contract_next(world, &consumer);

        assert_int_equal(got.partition, bus_partition(got.key, CONTRACT_PARTITIONS));
    }
    consumer.close(consumer.self);
}

static void what_cannot_be_published_is_refused_at_once(void **state)
{
    struct bus_world *world = *state;
    struct bus *bus = &world->bus;
    struct error error = { 0 };
    char topic[CONTRACT_NAME_SIZE];
    size_t length = 2 * 1024 * 1024;
    uint8_t *bytes = calloc(1, length);
    struct bus_record record = { .topic = contract_topic(world, topic),
                                 .bytes = bytes,
                                 .length = length };

    assert_non_null(bytes);
    assert_int_equal(bus->publish(bus->self, &record, &error), ERR_TOO_LARGE);
    record.length = 1;
    record.partition = CONTRACT_PARTITIONS;
    assert_int_equal(bus->publish(bus->self, &record, &error), ERR_INVALID);
    record.topic = "nobody-made-this";
    record.partition = 0;
    if (!world->makes_topics)
        assert_int_equal(bus->publish(bus->self, &record, &error), ERR_INVALID);
    contract_flush(world);
    free(bytes);
}

static void a_topic_says_how_many_partitions_it_has(void **state)
{
    struct bus_world *world = *state;
    struct bus *bus = &world->bus;
    struct error error = { 0 };
    char topic[CONTRACT_NAME_SIZE];
    int32_t count = 0;

    contract_topic(world, topic);
    assert_int_equal(bus->partitions(bus->self, topic, &count, &error), ERR_OK);
    assert_int_equal(count, CONTRACT_PARTITIONS);
    if (!world->makes_topics)
        assert_int_equal(bus->partitions(bus->self, "nobody-made-this", &count, &error),
                         ERR_NOT_FOUND);
}

static void assert_refused(struct bus_world *world, struct bus_topic topic, const char *setting)
{
    struct bus *bus = &world->bus;
    struct error error = { 0 };

    assert_int_equal(bus->ensure_topics(bus->self, &topic, 1, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, topic.name));
    assert_non_null(strstr(error.text, setting));
}

static void a_topic_of_another_shape_is_an_error_that_names_it(void **state)
{
    struct bus_world *world = *state;
    struct bus *bus = &world->bus;
    struct error error = { 0 };
    char name[CONTRACT_NAME_SIZE];
    const struct bus_topic topic = contract_settings(contract_topic(world, name));
    struct bus_topic other = topic;

    assert_int_equal(bus->ensure_topics(bus->self, &topic, 1, &error), ERR_OK);
    other.partitions = CONTRACT_PARTITIONS + 1;
    assert_refused(world, other, "partitions");
    if (!world->has_settings)
        return;
    other = topic;
    other.retention_ms = -1;
    assert_refused(world, other, "retention.ms");
    other = topic;
    other.compacted = true;
    assert_refused(world, other, "cleanup.policy");
    other = topic;
    other.log_append_time = false;
    assert_refused(world, other, "message.timestamp.type");
}

static void a_compacted_topic_kept_for_ever_is_made_as_asked(void **state)
{
    struct bus_world *world = *state;
    struct bus *bus = &world->bus;
    struct error error = { 0 };
    char name[CONTRACT_NAME_SIZE];

    snprintf(name, sizeof name, "contract-%s-%u", world->run, world->made++);
    const struct bus_topic topic = { name, CONTRACT_PARTITIONS, -1, true, false };

    assert_int_equal(bus->ensure_topics(bus->self, &topic, 1, &error), ERR_OK);
    assert_int_equal(bus->ensure_topics(bus->self, &topic, 1, &error), ERR_OK);
}

static void from_the_end_only_later_records_are_seen(void **state)
{
    struct bus_world *world = *state;
    char topic[CONTRACT_NAME_SIZE];

    contract_topic(world, topic);
    contract_hand_over(world, topic, 0, 1);
    contract_flush(world);
    struct bus_consumer consumer = contract_read(world, topic, BUS_FROM_END);

    contract_hand_over(world, topic, 0, 2);
    contract_flush(world);
    assert_int_equal(contract_next_number(world, &consumer), 2);
    consumer.close(consumer.self);
}

static void watermarks_frame_what_is_kept(void **state)
{
    struct bus_world *world = *state;
    char topic[CONTRACT_NAME_SIZE];

    contract_topic(world, topic);
    struct bus_consumer consumer = contract_read(world, topic, BUS_FROM_BEGINNING);

    contract_watermarks(world, &consumer, topic, 0, 0);
    contract_hand_over(world, topic, 3, 1);
    contract_flush(world);
    contract_watermarks(world, &consumer, topic, 0, 1);
    consumer.close(consumer.self);
}

static void a_seek_goes_back(void **state)
{
    struct bus_world *world = *state;
    struct error error = { 0 };
    char topic[CONTRACT_NAME_SIZE];

    contract_topic(world, topic);
    for (int i = 0; i < 5; i++)
        contract_hand_over(world, topic, 0, i);
    contract_flush(world);
    struct bus_consumer consumer = contract_read(world, topic, BUS_FROM_BEGINNING);

    for (int i = 0; i < 3; i++)
        assert_int_equal(contract_next_number(world, &consumer), i);
    assert_int_equal(consumer.seek(consumer.self, topic, 0, 1, &error), ERR_OK);
    for (int i = 1; i < 5; i++)
        assert_int_equal(contract_next_number(world, &consumer), i);
    consumer.close(consumer.self);
}

static void the_listener_may_choose_where_to_start(void **state)
{
    struct bus_world *world = *state;
    char topic[CONTRACT_NAME_SIZE];
    struct contract_share share = { .start_at = 2 };

    contract_topic(world, topic);
    for (int i = 0; i < 4; i++)
        contract_hand_over(world, topic, 0, i);
    contract_flush(world);
    struct bus_consumer consumer =
        contract_subscribe(world, NULL, topic, BUS_FROM_BEGINNING, &share);

    assert_int_equal(contract_next_number(world, &consumer), 2);
    assert_int_equal(share.owned, CONTRACT_PARTITIONS);
    consumer.close(consumer.self);
    assert_int_equal(share.owned, 0);
}

static void an_offset_that_does_not_exist_halts_instead_of_jumping(void **state)
{
    struct bus_world *world = *state;
    struct error error = { 0 };
    char topic[CONTRACT_NAME_SIZE];
    struct contract_share share = { .start_at = 100 };

    contract_topic(world, topic);
    contract_hand_over(world, topic, 0, 1);
    contract_flush(world);
    struct bus_consumer consumer =
        contract_subscribe(world, NULL, topic, BUS_FROM_BEGINNING, &share);

    assert_int_equal(contract_outcome(world, &consumer, &error), ERR_INTERNAL);
    assert_non_null(strstr(error.text, topic));
    assert_non_null(strstr(error.text, "100"));
    consumer.close(consumer.self);
}

static void a_group_goes_on_where_it_committed(void **state)
{
    struct bus_world *world = *state;
    struct error error = { 0 };
    char topic[CONTRACT_NAME_SIZE];
    struct contract_share share = { .start_at = BUS_OFFSET_DEFAULT };
    int64_t committed = 0;

    contract_topic(world, topic);
    for (int i = 0; i < 3; i++)
        contract_hand_over(world, topic, 0, i);
    contract_flush(world);
    struct bus_consumer consumer =
        contract_subscribe(world, topic, topic, BUS_FROM_COMMITTED, &share);

    for (int i = 0; i < 3; i++)
        assert_int_equal(contract_next_number(world, &consumer), i);
    assert_int_equal(consumer.committed(consumer.self, topic, 0, &committed, &error), ERR_OK);
    assert_int_equal(committed, -1);
    assert_int_equal(consumer.commit(consumer.self, topic, 0, 2, &error), ERR_OK);
    assert_int_equal(consumer.committed(consumer.self, topic, 0, &committed, &error), ERR_OK);
    assert_int_equal(committed, 2);
    consumer.close(consumer.self);
    assert_int_equal(share.owned, 0);
    assert_false(share.lost);

    consumer = contract_subscribe(world, topic, topic, BUS_FROM_COMMITTED, &share);
    assert_int_equal(contract_next_number(world, &consumer), 2);
    consumer.close(consumer.self);
}

static void a_committed_offset_that_is_not_kept_means_the_beginning(void **state)
{
    struct bus_world *world = *state;
    struct error error = { 0 };
    char topic[CONTRACT_NAME_SIZE];
    struct contract_share share = { .start_at = BUS_OFFSET_DEFAULT };

    contract_topic(world, topic);
    for (int i = 0; i < 2; i++)
        contract_hand_over(world, topic, 0, i);
    contract_flush(world);
    struct bus_consumer consumer =
        contract_subscribe(world, topic, topic, BUS_FROM_COMMITTED, &share);

    contract_until_owned(world, &consumer, NULL, &share, CONTRACT_PARTITIONS);
    assert_int_equal(consumer.commit(consumer.self, topic, 0, 50, &error), ERR_OK);
    consumer.close(consumer.self);
    consumer = contract_subscribe(world, topic, topic, BUS_FROM_COMMITTED, &share);
    assert_int_equal(contract_next_number(world, &consumer), 0);
    assert_int_equal(contract_next_number(world, &consumer), 1);
    consumer.close(consumer.self);
}

static void members_share_the_partitions_and_inherit_them(void **state)
{
    struct bus_world *world = *state;
    struct error error = { 0 };
    char topic[CONTRACT_NAME_SIZE];
    struct contract_share shares[2] = { { .start_at = BUS_OFFSET_DEFAULT },
                                        { .start_at = BUS_OFFSET_DEFAULT } };
    struct bus_consumer first, second;

    contract_topic(world, topic);
    first = contract_subscribe(world, topic, topic, BUS_FROM_COMMITTED, &shares[0]);
    contract_until_owned(world, &first, NULL, &shares[0], CONTRACT_PARTITIONS);
    second = contract_subscribe(world, topic, topic, BUS_FROM_COMMITTED, &shares[1]);
    contract_until_owned(world, &second, &first, &shares[1], CONTRACT_PARTITIONS / 2);
    contract_until_owned(world, &first, &second, &shares[0], CONTRACT_PARTITIONS / 2);
    int32_t theirs = shares[0].lowest;

    assert_int_not_equal(shares[0].lowest, shares[1].lowest);
    assert_int_equal(second.commit(second.self, topic, theirs, 0, &error), ERR_CONFLICT);
    first.close(first.self);
    contract_until_owned(world, &second, NULL, &shares[1], CONTRACT_PARTITIONS);
    assert_int_equal(second.commit(second.self, topic, theirs, 0, &error), ERR_OK);
    second.close(second.self);
}

/* A member without a partition is one all the same. */
static void a_member_knows_its_share_even_when_it_is_none(void **state)
{
    enum { MEMBERS = CONTRACT_PARTITIONS + 1 };
    struct bus_world *world = *state;
    struct patience patience = patience_for(world->patience_ms);
    struct bus_consumer members[MEMBERS];
    struct contract_share shares[MEMBERS];
    struct error error = { 0 };
    char topic[CONTRACT_NAME_SIZE];
    size_t share = 0, together = 0, have = 0;

    contract_topic(world, topic);
    for (size_t i = 0; i < MEMBERS; i++) {
        shares[i] = (struct contract_share){ .start_at = BUS_OFFSET_DEFAULT };
        members[i] = contract_subscribe(world, topic, topic, BUS_FROM_COMMITTED, &shares[i]);
        assert_int_equal(members[i].share(members[i].self, &share, &error), ERR_UNAVAILABLE);
    }
    while ((have < MEMBERS || together != CONTRACT_PARTITIONS) && patience_left(&patience)) {
        have = together = 0;
        for (size_t i = 0; i < MEMBERS; i++) {
            struct bus_record record;

            members[i].receive(members[i].self, 1, &record, &error);
            if (members[i].share(members[i].self, &share, &error) != ERR_OK)
                continue;
            have++;
            together += share;
        }
    }
    assert_int_equal(have, MEMBERS);
    assert_int_equal(together, CONTRACT_PARTITIONS);
    for (size_t i = 0; i < MEMBERS; i++)
        members[i].close(members[i].self);
}

static void different_clusters_could_be_told_apart(void **state)
{
    struct bus_world *world = *state;

    assert_true(strlen(world->bus.cluster_id(world->bus.self)) > 0);
}

int bus_contract_run(const char *name, struct bus_world *world)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_arrives_with_all_it_carries),
        cmocka_unit_test(a_tombstone_is_not_an_empty_record),
        cmocka_unit_test(records_of_one_partition_arrive_in_order),
        cmocka_unit_test(a_key_decides_the_partition),
        cmocka_unit_test(what_cannot_be_published_is_refused_at_once),
        cmocka_unit_test(a_topic_says_how_many_partitions_it_has),
        cmocka_unit_test(a_topic_of_another_shape_is_an_error_that_names_it),
        cmocka_unit_test(a_compacted_topic_kept_for_ever_is_made_as_asked),
        cmocka_unit_test(from_the_end_only_later_records_are_seen),
        cmocka_unit_test(watermarks_frame_what_is_kept),
        cmocka_unit_test(a_seek_goes_back),
        cmocka_unit_test(the_listener_may_choose_where_to_start),
        cmocka_unit_test(an_offset_that_does_not_exist_halts_instead_of_jumping),
        cmocka_unit_test(a_group_goes_on_where_it_committed),
        cmocka_unit_test(a_committed_offset_that_is_not_kept_means_the_beginning),
        cmocka_unit_test(members_share_the_partitions_and_inherit_them),
        cmocka_unit_test(a_member_knows_its_share_even_when_it_is_none),
        cmocka_unit_test(different_clusters_could_be_told_apart),
    };

    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tests[i].initial_state = world;
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
