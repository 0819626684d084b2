/* What people see: Redis as the gateway would read it to them. */
#include "common/state/keys.h"
#include "tests/simulation/world.h"

#include <string.h>

/* What was read last, and what it said: most looks find what the one before found. */
static void *see(struct world *world, const char *key, const ProtobufCMessageDescriptor *type)
{
    struct store_value value = { 0 };
    struct error error = { 0 };
    struct glance *glance = NULL;
    void *message = NULL;

    if (world->store.get(world->store.self, &world->scratch, key, &value, &error) != ERR_OK ||
        value.bytes == NULL)
        return NULL;
    for (size_t i = 0; i < world->glance_count && glance == NULL; i++) {
        if (strcmp(world->glances[i].key, key) == 0)
            glance = &world->glances[i];
    }
    if (glance != NULL && glance->length == value.length &&
        memcmp(glance->bytes, value.bytes, value.length) == 0)
        return glance->message;
    if (pb_unpack(&world->arena,
                  type,
                  (struct pb_bytes){ (const uint8_t *)value.bytes, value.length },
                  &message,
                  &error) != ERR_OK)
        return NULL;
    if (glance == NULL && world->glance_count < GLANCES_MAX)
        glance = &world->glances[world->glance_count++];
    if (glance != NULL)
        *glance = (struct glance){ arena_text(&world->arena, key),
                                   arena_copy(&world->arena, value.bytes, value.length),
                                   value.length,
                                   message };
    return message;
}

static int32_t partition_of(const struct world *world, const char *feature)
{
    return bus_partition(feature, (int32_t)world->set->settings[0]->kafka.partitions);
}

Pb__DeploymentState *people_see(struct world *world, const char *deployment)
{
    struct arena *const arena = &world->scratch;
    const int32_t partition = partition_of(world, projection_feature_of(arena, deployment));

    return see(
        world,
        KEY_DEPLOYMENT(arena, partition, world->set->settings[0]->redis.prefix, deployment),
        &pb__deployment_state__descriptor);
}

Pb__FeatureState *people_see_feature(struct world *world, const char *feature)
{
    return see(world,
               KEY_FEATURE(&world->scratch,
                           partition_of(world, feature),
                           world->set->settings[0]->redis.prefix,
                           feature),
               &pb__feature_state__descriptor);
}

Pb__Plan *people_see_plan(struct world *world, const Pb__DeploymentState *state)
{
    if (pb_same(state->plan_hash, ""))
        return NULL;
    return see(world,
               KEY_PLAN(&world->scratch,
                        partition_of(world, state->feature),
                        world->set->settings[0]->redis.prefix,
                        state->plan_hash),
               &pb__plan__descriptor);
}
