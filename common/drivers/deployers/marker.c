#include "common/drivers/deployers/marker.h"

#include "common/drivers/deployers/facts.h"

#include <inttypes.h>

enum err marker_read(struct arena *arena,
                     const char *path,
                     struct marker *ret,
                     struct error *error)
{
    struct facts facts = { 0 };
    enum err err = facts_read(arena, path, &facts, error);

    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    *ret = (struct marker){
        .present = err == ERR_OK,
        .state = facts_get(&facts, "state"),
        .release = facts_get(&facts, "release"),
        .version = facts_get(&facts, "version"),
        .digest = facts_get(&facts, "digest"),
        .previous = facts_get(&facts, "previous"),
        .fence = facts_fence(&facts, "fence"),
    };
    return ERR_OK;
}

enum err marker_write(const struct driver_env *env,
                      const char *path,
                      const struct deployer_order *order,
                      const struct marker *marker,
                      struct error *error)
{
    struct facts facts = { 0 };
    struct arena *const arena = env->arena;

    facts_add(arena, &facts, "state", marker->state);
    facts_add(arena, &facts, "release", marker->release);
    facts_add(arena, &facts, "version", marker->version);
    facts_add(arena, &facts, "digest", marker->digest);
    facts_add(arena, &facts, "previous", marker->previous);
    facts_add(arena, &facts, "fence", pb_fence_text(arena, order->fence));
    facts_add(arena, &facts, "deployment", order->deployment);
    facts_add(
        arena, &facts, "at_ms", arena_printf(arena, "%" PRId64, clock_now_ms(env->clock)));
    return facts_write(arena, order->stage, path, &facts, error);
}

enum err marker_admits(const struct marker *marker,
                       const struct deployer_order *order,
                       struct error *error)
{
    if (!marker->present || !pb_fence_before(order->fence, &marker->fence))
        return ERR_OK;
    return error_set(error,
                     ERR_CONFLICT,
                     "the target holds fence %" PRIu64 ".%" PRIu64 ", above %" PRIu64
                     ".%" PRIu64 " of this order",
                     marker->fence.grant,
                     marker->fence.version,
                     order->fence != NULL ? order->fence->grant : 0,
                     order->fence != NULL ? order->fence->version : 0);
}
