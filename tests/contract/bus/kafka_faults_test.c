/* The bus on Kafka when Kafka goes away, comes back or breaks the producer. argv[1]: the path
 * of slipway-devbroker. With SLIPWAY_TEST_KAFKA_DIR, a folder in which
 * tests/support/kafka/start has started one, the real Kafka is killed and restarted instead of
 * the development broker. */
#include "common/adapters/kafka/kafka.h"
#include "tests/contract/bus/bus_helpers.h"
#include "tests/support/devbroker.h"
#include "tests/support/patience.h"
#include "tests/support/test.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHORT_FLUSH_MS = 500, CLOSE_AT_MOST_MS = 15000 };

struct fault_world {
    struct bus_world bus;
    struct devbroker broker;
    const char *real; /* Folder of a real Kafka; NULL: the development broker. */
};

static struct bus bus_at(const char *brokers)
{
    const struct kafka_options options = { .brokers = brokers,
                                           .client_id = "faults",
                                           .fetch_wait_ms = 10 };
    struct bus bus;
    struct error error = { 0 };

    if (kafka_bus_open(&options, &bus, &error) != ERR_OK) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    return bus;
}

/* The development broker does not answer who would be gone before all have come. Nobody says
 * why, so the session is said. */
static void who_is_never_let_into_its_group_has_no_share(void **state)
{
    struct fault_world *const world = *state;
    const struct kafka_options options = { .brokers = world->broker.address,
                                           .client_id = "faults",
                                           .session_ms = 2000 };
    struct bus_world brief = { .patience_ms = world->bus.patience_ms };
    struct contract_share shares[2] = { { .start_at = BUS_OFFSET_DEFAULT },
                                        { .start_at = BUS_OFFSET_DEFAULT } };
    char topic[CONTRACT_NAME_SIZE];
    struct bus_consumer refused, other;
    struct error error = { 0 };
    size_t share;

    if (world->real != NULL)
        skip(); /* What it refuses is a matter of its settings. */
    assert_int_equal(kafka_bus_open(&options, &brief.bus, &error), ERR_OK);
    contract_topic(&world->bus, topic);
    refused = contract_subscribe(&brief, "refused", topic, BUS_FROM_COMMITTED, &shares[0]);
    other = contract_subscribe(&world->bus, topic, topic, BUS_FROM_COMMITTED, &shares[1]);
    contract_until_owned(&world->bus, &other, &refused, &shares[1], CONTRACT_PARTITIONS);
    assert_int_equal(refused.share(refused.self, &share, &error), ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "session 2000 ms"));
    refused.close(refused.self);
    other.close(other.self);
    brief.bus.close(brief.bus.self);
}

static void broker_down(const struct fault_world *world)
{
    const char *const stop[] = { "tests/support/kafka/stop", world->real, "KILL", NULL };

    if (world->real == NULL)
        devbroker_down(&world->broker);
    else
        assert_true(child_succeeds(stop));
}

static void broker_up(const struct fault_world *world)
{
    const char *const start[] = { "tests/support/kafka/start", world->real, NULL };

    if (world->real == NULL)
        devbroker_up(&world->broker);
    else
        assert_true(child_succeeds(start));
}

static enum err flush_within(struct bus *bus, int ms)
{
    struct error error = { 0 };

    return bus->flush(bus->self, ms, &error);
}

/* Until the broker has seen it go. */
static void publish_until_in_doubt(struct bus_world *world, const char *topic, int *next)
{
    struct patience patience = patience_for(world->patience_ms);

    do
        contract_hand_over(world, topic, 0, (*next)++);
    while (flush_within(&world->bus, SHORT_FLUSH_MS) == ERR_OK && patience_left(&patience));
}

static void records_handed_over_while_the_broker_is_down_arrive_when_it_is_back(void **state)
{
    struct fault_world *world = *state;
    struct bus_world *bus = &world->bus;
    char topic[CONTRACT_NAME_SIZE];
    struct contract_share share = { .start_at = BUS_OFFSET_DEFAULT };
    struct error error = { 0 };
    int next = 0;

    contract_topic(bus, topic);
    struct bus_consumer consumer =
        contract_subscribe(bus, topic, topic, BUS_FROM_COMMITTED, &share);

    contract_hand_over(bus, topic, 0, next++);
    contract_flush(bus);
    assert_int_equal(contract_next_number(bus, &consumer), 0);
    assert_int_equal(consumer.commit(consumer.self, topic, 0, 1, &error), ERR_OK);
    broker_down(world);
    publish_until_in_doubt(bus, topic, &next);
    contract_hand_over(bus, topic, 0, next++);
    assert_int_equal(flush_within(&bus->bus, SHORT_FLUSH_MS), ERR_TIMED_OUT);
    broker_up(world);
    contract_flush(bus);
    int expected = 1;

    while (expected < next) {
        int number = contract_next_number(bus, &consumer);

        /* The development broker knows no idempotence: what was in doubt may come twice. */
        assert_true(number == expected || (world->real == NULL && number < expected));
        expected += number == expected;
    }
    consumer.close(consumer.self);
}

static void closing_waits_for_no_broker(void **state)
{
    struct fault_world *world = *state;
    char topic[CONTRACT_NAME_SIZE];
    const char *brokers = world->broker.address;
    struct contract_share share = { .start_at = BUS_OFFSET_DEFAULT };
    struct bus_world other = world->bus;

    contract_topic(&world->bus, topic);
    other.bus = bus_at(brokers);
    struct bus_consumer member =
        contract_subscribe(&other, topic, topic, BUS_FROM_COMMITTED, &share);
    struct bus_consumer reader = contract_read(&other, topic, BUS_FROM_BEGINNING);

    contract_until_owned(&other, &member, &reader, &share, CONTRACT_PARTITIONS);
    contract_hand_over(&other, topic, 0, 0);
    contract_flush(&other);
    broker_down(world);
    contract_hand_over(&other, topic, 0, 1);
    int64_t since_ms = patience_now_ms();

    member.close(member.self);
    reader.close(reader.self);
    other.bus.close(other.bus.self);
    assert_in_range((uint64_t)(patience_now_ms() - since_ms), 0, CLOSE_AT_MOST_MS);
    broker_up(world);
}

static void nobody_there_is_unavailable_and_not_a_hang(void **state)
{
    struct bus bus = bus_at("127.0.0.1:1");
    struct bus_record record = { .topic = "events.v1", .bytes = (const uint8_t *)"x" };
    const char *const topics[] = { "events.v1", NULL };
    const struct bus_subscription subscription = { .group = "g", .topics = topics };
    const struct bus_topic topic = contract_settings("events.v1");
    struct bus_consumer consumer;
    struct error error = { 0 };
    int32_t count;

    (void)state;
    assert_int_equal(bus.partitions(bus.self, "events.v1", &count, &error), ERR_UNAVAILABLE);
    assert_int_equal(bus.publish(bus.self, &record, &error), ERR_UNAVAILABLE);
    assert_int_equal(bus.subscribe(bus.self, &subscription, &consumer, &error),
                     ERR_UNAVAILABLE);
    assert_int_equal(bus.ensure_topics(bus.self, &topic, 1, &error), ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "127.0.0.1:1"));
    assert_string_equal(bus.cluster_id(bus.self), "");
    bus.close(bus.self);
}

static void bad_properties_are_named_and_never_shown(void **state)
{
    const struct kafka_property wrong[] = { { "sasl.mechanism", "PLAIN" },
                                            { "security.protocol", "hunter2" } };
    const struct kafka_property unknown = { "no.such.thing", "1" };
    struct kafka_options options = { .brokers = "127.0.0.1:1",
                                     .client_id = "faults",
                                     .properties = wrong,
                                     .property_count = 2 };
    struct error error = { 0 };
    struct bus bus;

    (void)state;
    assert_int_equal(kafka_bus_open(&options, &bus, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "security.protocol"));
    assert_null(strstr(error.text, "hunter2"));
    options.properties = &unknown;
    options.property_count = 1;
    assert_int_equal(kafka_bus_open(&options, &bus, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "no.such.thing"));
}

/* A broker in this process, whose answers can be broken, and a bus at it. */
struct breakable {
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
    struct bus bus;
};

static struct breakable breakable_open(void)
{
    char text[256];
    rd_kafka_conf_t *const quiet = rd_kafka_conf_new();
    struct breakable broker;

    rd_kafka_conf_set(quiet, "log_level", "3", text, sizeof text);
    broker.host = rd_kafka_new(RD_KAFKA_PRODUCER, quiet, text, sizeof text);
    broker.cluster = rd_kafka_mock_cluster_new(broker.host, 1);
    broker.bus = bus_at(rd_kafka_mock_cluster_bootstraps(broker.cluster));
    return broker;
}

static void breakable_close(const struct breakable *broker)
{
    broker->bus.close(broker->bus.self);
    rd_kafka_mock_cluster_destroy(broker->cluster);
    rd_kafka_destroy(broker->host);
}

static void a_producer_that_met_a_fatal_error_is_replaced(void **state)
{
    struct breakable broker = breakable_open();
    struct bus bus = broker.bus;
    struct bus_record record = { .topic = "t", .bytes = (const uint8_t *)"x", .length = 1 };
    struct error error = { 0 };
    const int16_t produce = 0;

    (void)state;
    assert_int_equal(bus.publish(bus.self, &record, &error), ERR_OK);
    assert_int_equal(flush_within(&bus, 10000), ERR_OK);
    rd_kafka_mock_push_request_errors(
        broker.cluster, produce, 1, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_int_equal(bus.publish(bus.self, &record, &error), ERR_OK);
    assert_int_not_equal(flush_within(&bus, 10000), ERR_OK);
    assert_int_equal(bus.publish(bus.self, &record, &error), ERR_OK);
    assert_int_equal(flush_within(&bus, 10000), ERR_OK);
    breakable_close(&broker);
}

/* Rights that were given a moment ago may not hold at every broker yet. The idempotent producer
 * takes the refusal for final. */
static void a_producer_that_was_refused_at_its_start_goes_on_once_it_may(void **state)
{
    struct breakable broker = breakable_open();
    struct bus bus = broker.bus;
    struct bus_record record = { .topic = "t", .bytes = (const uint8_t *)"x", .length = 1 };
    struct patience patience = patience_for(30000);
    struct error error = { 0 };
    const int16_t init_producer_id = 22;
    unsigned refused = 0;
    enum err err;

    (void)state;
    rd_kafka_mock_push_request_errors(broker.cluster,
                                      init_producer_id,
                                      3,
                                      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    do {
        err = bus.publish(bus.self, &record, &error);
        if (err == ERR_OK)
            err = flush_within(&bus, 10000);
        assert_int_not_equal(err, ERR_INTERNAL);
        refused += err != ERR_OK;
    } while (err != ERR_OK && patience_left(&patience));
    assert_int_equal(err, ERR_OK);
    assert_true(refused > 0);
    breakable_close(&broker);
}

enum { THREADS = 4, EACH = 200 };

struct publisher {
    struct bus *bus;
    const char *topic;
    int32_t partition;
    enum err err;
};

static void *publisher_run(void *self)
{
    struct publisher *publisher = self;
    struct bus *bus = publisher->bus;
    struct bus_record record = { .topic = publisher->topic,
                                 .partition = publisher->partition,
                                 .bytes = (const uint8_t *)"x",
                                 .length = 1 };
    struct error error = { 0 };

    for (int i = 0; i < EACH && publisher->err == ERR_OK; i++) {
        publisher->err = bus->publish(bus->self, &record, &error);
        if (publisher->err == ERR_OK && i % 10 == 0)
            publisher->err = flush_within(bus, 20000);
    }
    if (publisher->err == ERR_OK)
        publisher->err = flush_within(bus, 20000);
    return NULL;
}

static void threads_publish_at_once_and_each_waits_for_its_own(void **state)
{
    struct fault_world *world = *state;
    struct bus_world *bus = &world->bus;
    char topic[CONTRACT_NAME_SIZE];
    pthread_t threads[THREADS];
    struct publisher publishers[THREADS];
    struct error error = { 0 };
    int64_t low, high;

    contract_topic(bus, topic);
    for (int i = 0; i < THREADS; i++) {
        publishers[i] = (struct publisher){ &bus->bus, topic, i, ERR_OK };
        assert_int_equal(pthread_create(&threads[i], NULL, publisher_run, &publishers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(publishers[i].err, ERR_OK);
    }
    struct bus_consumer reader = contract_read(bus, topic, BUS_FROM_BEGINNING);

    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(reader.watermarks(reader.self, topic, i, &low, &high, &error), ERR_OK);
        assert_int_equal(high, EACH);
    }
    reader.close(reader.self);
}

static bool world_open(struct fault_world *world, const char *program)
{
    char file[256];

    world->real = getenv("SLIPWAY_TEST_KAFKA_DIR");
    if (world->real != NULL && world->real[0] == '\0')
        world->real = NULL;
    snprintf(file, sizeof file, "%s/address", world->real != NULL ? world->real : "");
    bool there =
        world->real != NULL
            ? file_line_await(file, world->broker.address, sizeof world->broker.address)
            : devbroker_start(&world->broker, program);

    if (!there)
        return false;
    world->bus =
        (struct bus_world){ .bus = bus_at(world->broker.address), .patience_ms = 60000 };
    snprintf(
        world->bus.run, sizeof world->bus.run, "%lld-%d", (long long)time(NULL), (int)getpid());
    return true;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_publish_at_once_and_each_waits_for_its_own),
        cmocka_unit_test(records_handed_over_while_the_broker_is_down_arrive_when_it_is_back),
        cmocka_unit_test(closing_waits_for_no_broker),
        cmocka_unit_test(who_is_never_let_into_its_group_has_no_share),
        cmocka_unit_test(nobody_there_is_unavailable_and_not_a_hang),
        cmocka_unit_test(bad_properties_are_named_and_never_shown),
        cmocka_unit_test(a_producer_that_met_a_fatal_error_is_replaced),
        cmocka_unit_test(a_producer_that_was_refused_at_its_start_goes_on_once_it_may),
    };
    struct fault_world world = { 0 };

    if (argc < 2 || !world_open(&world, argv[1])) {
        fprintf(stderr, "no broker\n");
        return 1;
    }
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tests[i].initial_state = &world;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    world.bus.bus.close(world.bus.bus.self);
    if (world.real == NULL)
        failed += devbroker_stop(&world.broker);
    return failed;
}
