#include "common/adapters/memory/heap.h"
#include "common/base/text.h"
#include "common/drivers/deployers/facts.h"
#include "tests/simulation/world.h"

#include <stdio.h>
#include <string.h>

enum { STATUS_BUSY = 75, STATUS_NEVER = 65, OUTPUT_MAX = 256 };

static const char before_digest[] =
    "bef0bef0bef0bef0bef0bef0bef0bef0bef0bef0bef0bef0bef0bef0bef0bef0";

static void add_router(struct world *world, const struct setting_target *target)
{
    for (size_t i = 0; i < target->instance_count; i++) {
        if (pb_same(target->instances[i].side, "blue")) {
            world->routers[world->router_count++] = (struct router){
                .target = target->name,
                .service = target->service,
                .name = arena_printf(&world->arena, "the traffic of %s", target->name),
                .side = "blue",
            };
            return;
        }
    }
}

void sites_open(struct world *world)
{
    const struct settings *const settings = world->set->settings[0];

    for (size_t t = 0; t < settings->target_count; t++) {
        const struct setting_target *const target = &settings->targets[t];

        add_router(world, target);
        for (size_t i = 0; i < target->instance_count; i++) {
            struct site *const site = &world->sites[world->site_count++];

            *site = (struct site){ .target = target->name,
                                   .service = target->service,
                                   .name = target->instances[i].name };
            (void)snprintf(site->version, sizeof site->version, "before");
            (void)snprintf(site->digest, sizeof site->digest, "%s", before_digest);
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

static struct router *router_of(struct world *world, const char *target)
{
    for (size_t i = 0; i < world->router_count; i++) {
        if (strcmp(world->routers[i].target, target) == 0)
            return &world->routers[i];
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
        .deployment = arena_text(arena, order->deployment),
        .version = arena_text(arena, order->version),
        .grant = order->fence.grant,
        .at_version = order->fence.version,
        .back = order->back,
        .is_shift = site->digest[0] == '\0', /* A router has none. */
    };
}

static bool site_put(struct world *world, struct site *site, const struct order *order)
{
    const Pb__Fence *const fence = &order->fence;

    if (pb_fence_before(fence, &site->fence)) {
        world_tell(world,
                   "%s refuses %s of %s: lower fence",
                   site->name,
                   order->version,
                   order->deployment);
        return false;
    }
    site->fence = *fence;
    (void)snprintf(site->version, sizeof site->version, "%s", order->version);
    (void)snprintf(site->digest, sizeof site->digest, "%s", order->digest);
    world_tell(world, "%s runs %s by %s", site->name, site->version, order->deployment);
    remember(world, site, order);
    return true;
}

static int observe(struct world *world, const struct site *site, struct text *output)
{
    (void)world;
    text_add(output,
             "%s %s %llu.%llu\n",
             site->version,
             site->digest,
             (unsigned long long)site->fence.grant,
             (unsigned long long)site->fence.version);
    return 0;
}

/* /site apply|revert target instance version digest fence deployment */
static int bring(struct world *world,
                 struct site *site,
                 const char *const *argv,
                 struct text *output)
{
    struct order order = { .back = strcmp(argv[1], "revert") == 0 };

    order.version = argv[4];
    order.digest = argv[5];
    order.deployment = argv[7];
    if (!fence_parse(argv[6], &order.fence)) {
        text_add(output, "\"%s\" is no fence\n", argv[6]);
        return STATUS_NEVER;
    }
    if (site_put(world, site, &order))
        return 0;
    text_add(output, "a higher fence was here\n");
    return STATUS_NEVER;
}

/* /site shift target side fence deployment */
static int shift(struct world *world,
                 struct router *router,
                 const char *const *argv,
                 struct text *output)
{
    const struct site place = { .target = router->target,
                                .service = router->service,
                                .name = router->name };
    struct order order = { .deployment = argv[5] };

    if (!fence_parse(argv[4], &order.fence) || pb_fence_before(&order.fence, &router->fence)) {
        text_add(output, "not under the fence %s\n", argv[4]);
        return STATUS_NEVER;
    }
    router->fence = order.fence;
    router->side = arena_text(&world->arena, argv[3]);
    order.version = router->side;
    world_tell(world, "%s goes to %s by %s", router->name, router->side, order.deployment);
    world_counts(world, FAULT_OF_shifted);
    remember(world, &place, &order);
    return 0;
}

static int run_router(struct world *world,
                      const char *const *argv,
                      size_t count,
                      struct text *output)
{
    struct router *const router = count >= 3 ? router_of(world, argv[2]) : NULL;

    if (router == NULL)
        return STATUS_NEVER;
    if (strcmp(argv[1], "shift") == 0)
        return count == 6 ? shift(world, router, argv, output) : STATUS_NEVER;
    text_add(output,
             "%s %llu.%llu\n",
             router->side,
             (unsigned long long)router->fence.grant,
             (unsigned long long)router->fence.version);
    return 0;
}

int sites_run(struct world *world, const char *const *argv, struct text *output)
{
    struct site *site;
    size_t count = 0;

    while (argv[count] != NULL)
        count++;
    if (strcmp(argv[1], "shift") == 0 || strcmp(argv[1], "side") == 0)
        return run_router(world, argv, count, output);
    site = count >= 4 ? site_find(world, argv[2], argv[3]) : NULL;
    if (site == NULL) {
        text_add(output, "there is no such site\n");
        return STATUS_BUSY;
    }
    if (strcmp(argv[1], "observe") == 0)
        return observe(world, site, output);
    if (count == 8)
        return bring(world, site, argv, output);
    text_add(output, "that cannot be done with sites\n");
    return STATUS_NEVER;
}

void site_restore(struct world *world, const Pb__Observed *before)
{
    struct site *const site = site_find(world, before->target, before->instance);
    struct router *const router =
        strncmp(before->state, "side=", 5) == 0 ? router_of(world, before->target) : NULL;

    if (router != NULL) {
        router->side = arena_text(&world->arena, before->state + 5);
        world_tell(world, "%s goes to %s by hand", router->name, router->side);
    }
    if (site == NULL)
        return;
    (void)snprintf(site->version, sizeof site->version, "%s", before->version);
    (void)snprintf(site->digest, sizeof site->digest, "%s", before->digest);
    world_tell(world, "%s runs %s by hand", site->name, site->version);
}
