#include "common/adapters/memory/clock.h"
#include "common/adapters/memory/store.h"
#include "tests/contract/store/store_contract.h"

static void elapse(void *self, int ms)
{
    memory_clock_advance(self, ms);
}

int main(void)
{
    struct memory_clock clock = { .now_ms = 1000 };
    struct memory_space *space = memory_space_new(memory_clock_port(&clock));
    struct store_world world = { .store = memory_store(space, (struct memory_faults){ 0 }),
                                 .other = memory_store(space, (struct memory_faults){ 0 }),
                                 .elapse = elapse,
                                 .self = &clock };
    int failed = store_contract_run("memory", &world);

    world.store.close(world.store.self);
    world.other.close(world.other.self);
    memory_space_free(space);
    return failed;
}
