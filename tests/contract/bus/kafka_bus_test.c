/* The bus on Kafka keeps the contract: against the development broker, or against a real Kafka
 * whose brokers SLIPWAY_TEST_KAFKA names. argv[1]: the path of slipway-devbroker. */
#include "common/adapters/kafka/kafka.h"
#include "tests/contract/bus/bus_contract.h"
#include "tests/support/devbroker.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int contract(const char *name, const char *brokers, bool real)
{
    const struct kafka_options options = { .brokers = brokers,
                                           .client_id = "contract",
                                           .fetch_wait_ms = real ? 100 : 10,
                                           .topic_prefix = "test." };
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
