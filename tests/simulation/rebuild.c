/* What is left of Redis when it was emptied and folded anew from the log. */
#include "common/state/keys.h"
#include "tests/simulation/world.h"

#include <string.h>

enum { REBUILD_ROUNDS = 2000, STATES_MAX = 64 };

struct kept {
    const char *id;
    struct store_value bytes;
};

static struct store_value state_of(struct world *world, struct arena *arena, const char *id)
{
    const struct settings *const settings = world->set->settings[0];
    const char *const feature = projection_feature_of(&world->scratch, id);
    const char *const key =
        KEY_DEPLOYMENT(&world->scratch,
                       bus_partition(feature, (int32_t)settings->kafka.partitions),
                       settings->redis.prefix,
                       id);
    struct store_value value = { 0 };
    struct error error = { 0 };

    (void)world->store.get(world->store.self, arena, key, &value, &error);
    return value;
}

static size_t keep_all(struct world *world, struct kept *ret)
{
    size_t count = 0;

    for (size_t f = 0; f < world->feature_count; f++) {
        const Pb__FeatureState *const known =
            people_see_feature(world, world->features[f].name);

        for (uint32_t n = 1; known != NULL && n <= known->attempts && count < STATES_MAX; n++) {
            struct kept *const kept = &ret[count++];

            kept->id = arena_printf(&world->arena, "%s.%u", known->feature, n);
            kept->bytes = state_of(world, &world->arena, kept->id);
        }
    }
    return count;
}

static bool is_same(struct world *world, const struct kept *kept)
{
    const struct store_value now = state_of(world, &world->scratch, kept->id);

    return now.bytes != NULL && kept->bytes.bytes != NULL && now.length == kept->bytes.length &&
           memcmp(now.bytes, kept->bytes.bytes, now.length) == 0;
}

const char *world_rebuild(struct world *world)
{
    struct kept kept[STATES_MAX];
    const size_t count = keep_all(world, kept);
    size_t same = 0;

    memory_space_clear(world->space);
    world_tell(world, "---- Redis is emptied");
    for (int i = 0; i < REBUILD_ROUNDS && same < count; i++) {
        world_round(world);
        while (same < count && is_same(world, &kept[same]))
            same++;
    }
    return same < count ? kept[same].id : NULL;
}
