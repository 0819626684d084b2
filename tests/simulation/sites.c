#include "common/adapters/memory/heap.h"
#include "tests/simulation/world.h"

#include <stdio.h>
#include <string.h>

void sites_open(struct world *world)
{
    const struct settings *const settings = world->set->settings[0];

    for (size_t t = 0; t < settings->target_count; t++) {
        const struct setting_target *const target = &settings->targets[t];

        for (size_t i = 0; i < target->instance_count; i++) {
            struct site *const site = &world->sites[world->site_count++];

            *site = (struct site){ .target = target->name,
                                   .service = target->service,
                                   .name = target->instances[i].name };
            (void)snprintf(site->version, sizeof site->version, "before");
        }
    }
}

struct site *site_find(struct world *world, const char *target, const char *instance)
{
    for (size_t i = 0; i < world->site_count; i++) {
        if (strcmp(world->sites[i].target, target) == 0 &&
            strcmp(world->sites[i].name, instance) == 0)
            return &world->sites[i];
    }
    return NULL;
}

static void remember(struct world *world, const struct site *site, const struct order *order)
{
    struct history *const history = &world->history;
    struct arena *const arena = &world->arena;

    history->deeds = heap_room(
        history->deeds, history->deed_count, &history->deed_capacity, sizeof *history->deeds);
    history->deeds[history->deed_count++] = (struct deed){
        .order = memory_broker_published(world->broker),
        .at_ms = world_now_ms(world),
        .service = site->service,
        .target = site->target,
        .instance = site->name,
        .deployment = arena_text(arena, order->command->deployment),
        .task = arena_text(arena, order->command->task),
        .version = arena_text(arena, order->version),
        .grant = order->command->fence->grant,
        .at_version = order->command->fence->version,
        .back = order->back,
    };
}

bool site_put(struct world *world, const struct order *order)
{
    struct site *const site = site_find(world, order->target, order->instance);
    const Pb__Fence *const fence = order->command->fence;

    if (site == NULL || fence == NULL || fence->grant < site->grant ||
        (fence->grant == site->grant && fence->version < site->at_version)) {
        world_tell(world, "%s refuses %s: lower fence", order->instance, order->command->task);
        return false;
    }
    site->grant = fence->grant;
    site->at_version = fence->version;
    (void)snprintf(site->version, sizeof site->version, "%s", order->version);
    world_tell(world, "%s runs %s by %s", site->name, site->version, order->command->task);
    remember(world, site, order);
    return true;
}

void site_restore(struct world *world,
                  const char *target,
                  const char *instance,
                  const char *version)
{
    struct site *const site = site_find(world, target, instance);

    if (site == NULL)
        return;
    (void)snprintf(site->version, sizeof site->version, "%s", version);
    world_tell(world, "%s runs %s by hand", site->name, site->version);
}
