/* What is left of Redis when it was emptied and folded anew from the log. */
#include "common/state/keys.h"
#include "common/wire/topics.h"
#include "tests/simulation/world.h"

#include <stdlib.h>
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

/* Of an ended deployment nothing changes any more once its last announcement is out. */
static bool is_at_rest(struct world *world, const char *id)
{
    const Pb__DeploymentState *const state = people_see(world, id);

    return state != NULL && state->phase >= PB__PHASE__COMPLETED && state->n_tasks == 0 &&
           state->n_timers == 0;
}

static size_t keep_all(struct world *world, struct kept *ret)
{
    size_t count = 0;

    for (size_t f = 0; f < world->feature_count; f++) {
        const Pb__FeatureState *const known =
            people_see_feature(world, world->features[f].name);

        for (uint32_t n = 1; known != NULL && n <= known->attempts && count < STATES_MAX; n++) {
            const char *const id = arena_printf(&world->arena, "%s.%u", known->feature, n);

            if (is_at_rest(world, id))
                ret[count++] = (struct kept){ id, state_of(world, &world->arena, id) };
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

/* What a partition still has to say. */
static bool says_nothing_more(struct world *world, int32_t partition)
{
    const char *const prefix = world->set->settings[0]->redis.prefix;
    const struct store_range range = {
        .key = KEY_OUTBOX(&world->scratch, partition, prefix),
        .min = INT64_MIN,
        .max = INT64_MAX,
        .limit = 1,
    };
    struct store_member *members = NULL;
    struct error error = { 0 };
    size_t count = 0;

    return world->store.sorted_range(
               world->store.self, &world->scratch, &range, &members, &count, &error) ==
               ERR_OK &&
           count == 0;
}

/* The monitor has drawn its conclusions from every alert. */
static bool alerts_are_heard(struct world *world)
{
    const struct settings *const settings = world->set->settings[0];
    const char *const key =
        keys_global(&world->scratch, settings->redis.prefix, "heard:", TOPIC_ALERTS);

    for (int32_t p = 0; p < (int32_t)settings->kafka.partitions; p++) {
        const char *const field = arena_printf(&world->scratch, "%d", (int)p);
        const int64_t high = memory_broker_high(world->broker, TOPIC_ALERTS, p);
        struct store_value mark = { 0 };
        struct error error = { 0 };

        if (high > 0 &&
            (world->store.hash_get(
                 world->store.self, &world->scratch, key, field, &mark, &error) != ERR_OK ||
             mark.bytes == NULL || strtoll(mark.bytes, NULL, 10) < high))
            return false;
    }
    return true;
}

bool world_is_read(struct world *world)
{
    const struct settings *const settings = world->set->settings[0];

    for (int32_t p = 0; p < (int32_t)settings->kafka.partitions; p++) {
        const char *const key = KEY_LOG(&world->scratch, p, settings->redis.prefix);
        struct store_value value = { 0 };
        struct error error = { 0 };

        if (world->store.hash_get(
                world->store.self, &world->scratch, key, "offset", &value, &error) != ERR_OK ||
            value.bytes == NULL ||
            memory_broker_record(
                world->broker, TOPIC_EVENTS, p, (int64_t)strtoll(value.bytes, NULL, 10) + 1) !=
                NULL ||
            !says_nothing_more(world, p))
            return false;
    }
    return alerts_are_heard(world);
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
