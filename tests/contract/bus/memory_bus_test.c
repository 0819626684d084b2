#include "common/adapters/memory/bus.h"
#include "common/adapters/memory/clock.h"
#include "tests/contract/bus/bus_contract.h"

int main(void)
{
    struct memory_clock clock = { .now_ms = 1000 };
    struct memory_broker *broker = memory_broker_new(memory_clock_port(&clock));
    struct bus_world world = { .bus = memory_bus(broker, (struct memory_faults){ 0 }),
                               .has_settings = true,
                               .run = "memory" };
    int failed = bus_contract_run("memory", &world);

    world.bus.close(world.bus.self);
    memory_broker_free(broker);
    return failed;
}
