/* Redis is promoted while some still speak to the former master: what these write is lost, and
 * what the new one holds is what had reached it by then. */
#include "tests/simulation/world.h"

enum { BEHIND_MS = 20 * 1000, LEFT_BEHIND_ONE_IN = 2 };

static void speak_to(struct process *process, struct memory_space *space)
{
    for (size_t i = 0; i < process->store_count; i++)
        memory_store_move(process->stores[i], space);
}

void replica_promote(struct world *world)
{
    const unsigned lag = dice_below(&world->dice, (unsigned)world->copy_count);

    if (world->former != NULL)
        return;
    world_tell(world, "REDIS: a replica is promoted (%u of %zu)", lag + 1, world->copy_count);
    world_counts(world, FAULT_OF_replica);
    log_loss_forget(world);
    world->former = memory_space_copy(world->space);
    world->former_until_ms = world_now_ms(world) + dice_ms(&world->dice, 1, BEHIND_MS);
    memory_space_restore(world->space, world->copies[lag]);
    for (size_t i = 0; i < world->process_count; i++) {
        struct process *const process = &world->processes[i];

        if (process->state == NULL || dice_below(&world->dice, LEFT_BEHIND_ONE_IN) > 0)
            continue;
        world_tell(world, "%s speaks to the former master", process->name);
        world_counts(world, FAULT_OF_behind);
        speak_to(process, world->former);
    }
}

void replica_turn(struct world *world)
{
    if (world->former == NULL ||
        (world_now_ms(world) < world->former_until_ms && !world->quiet))
        return;
    world_tell(world, "REDIS: the former master is gone");
    for (size_t i = 0; i < world->process_count; i++)
        speak_to(&world->processes[i], world->space);
    world->former_commits += memory_space_commits(world->former);
    memory_space_free(world->former);
    world->former = NULL;
}
