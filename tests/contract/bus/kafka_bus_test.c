/* The bus on Kafka keeps the contract: against the development broker, or against a real Kafka
 * whose brokers SLIPWAY_TEST_KAFKA names. argv[1]: the path of slipway-devbroker. */
#include "common/adapters/kafka/kafka.h"
#include "tests/contract/bus/bus_contract.h"
#include "tests/support/devbroker.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A topic made by one who is content with the broker's one copy. */
static int fewer_copies_are_refused(struct bus *content, const struct kafka_options *careful)
{
    const struct bus_topic topic = { "fewer-copies", 1, -1, false, false };
    struct error error = { 0 };
    struct bus bus;
    enum err err = content->ensure_topics(content->self, &topic, 1, &error);

    if (err != ERR_OK || kafka_bus_open(careful, &bus, &error) != ERR_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    err = bus.ensure_topics(bus.self, &topic, 1, &error);
    bus.close(bus.self);
    fprintf(stderr, "fewer copies: %s\n", error.text);
    return err != ERR_INVALID || strstr(error.text, "min.insync.replicas=2") == NULL;
}

static int contract(const char *name, const char *brokers, bool real)
{
    const struct kafka_options options = { .brokers = brokers,
                                           .client_id = "contract",
                                           .fetch_wait_ms = real ? 100 : 10,
                                           .topic_prefix = "test." };
    const struct kafka_options careful = {
        .brokers = brokers, .client_id = "careful", .min_insync = 2, .topic_prefix = "test."
    };
    struct bus_world world = { .patience_ms = 60000,
                               .makes_topics = !real,
                               .has_settings = real };
    struct error error = { 0 };

    snprintf(world.run, sizeof world.run, "%lld-%d", (long long)time(NULL), (int)getpid());
    if (kafka_bus_open(&options, &world.bus, &error) != ERR_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    int failed = bus_contract_run(name, &world);

    if (real)
        failed += fewer_copies_are_refused(&world.bus, &careful);
    world.bus.close(world.bus.self);
    return failed;
}

int main(int argc, char **argv)
{
    const char *real = getenv("SLIPWAY_TEST_KAFKA");
    struct devbroker broker;

    if (real != NULL && real[0] != '\0')
        return contract("kafka", real, true);
    if (argc < 2 || !devbroker_start(&broker, argv[1])) {
        fprintf(stderr, "no development broker\n");
        return 1;
    }
    int failed = contract("devbroker", broker.address, false);

    return failed + devbroker_stop(&broker);
}
