#include "common/state/projection.h"

#include "common/ports/bus.h"
#include "common/state/keys.h"

#include <stdlib.h>
#include <string.h>

/* One key to read, and what it must hold. */
struct wanted {
    const char *what; /* "deployment" */
    const char *name; /* "express-pay.3" */
    const char *key;
    const ProtobufCMessageDescriptor *type;
};

const char *projection_feature_of(struct arena *arena, const char *deployment)
{
    const char *const dot = strrchr(deployment, '.');

    return dot == NULL ? arena_text(arena, deployment)
                       : arena_copy(arena, deployment, (size_t)(dot - deployment));
}

static int32_t partition_of(const struct projection *projection, const char *key)
{
    return bus_partition(key, projection->partitions);
}

static int32_t partition_of_deployment(const struct projection *projection,
                                       struct arena *arena,
                                       const char *id)
{
    return partition_of(projection, projection_feature_of(arena, id));
}

static enum err load(const struct projection *projection,
                     struct arena *arena,
                     const struct wanted *wanted,
                     void **ret,
                     struct error *error)
{
    struct store_value value = { 0 };
    enum err err =
        projection->store.get(projection->store.self, arena, wanted->key, &value, error);

    if (err != ERR_OK)
        return error_wrap(error, err, "read %s %s", wanted->what, wanted->name);
    if (value.bytes == NULL)
        return error_set(error, ERR_NOT_FOUND, "there is no %s %s", wanted->what, wanted->name);
    err = pb_unpack(arena,
                    wanted->type,
                    (struct pb_bytes){ (const uint8_t *)value.bytes, value.length },
                    ret,
                    error);
    return err == ERR_OK ? ERR_OK
                         : error_wrap(error, err, "read %s %s", wanted->what, wanted->name);
}

enum err projection_deployment(const struct projection *projection,
                               struct arena *arena,
                               const char *id,
                               Pb__DeploymentState **ret,
                               struct error *error)
{
    const int32_t partition = partition_of_deployment(projection, arena, id);
    const struct wanted wanted = {
        "deployment",
        id,
        KEY_DEPLOYMENT(arena, partition, projection->prefix, id),
        &pb__deployment_state__descriptor,
    };
    void *found = NULL;
    const enum err err = load(projection, arena, &wanted, &found, error);

    if (err == ERR_OK)
        *ret = found;
    return err;
}

enum err projection_plan(const struct projection *projection,
                         struct arena *arena,
                         const Pb__DeploymentState *state,
                         Pb__Plan **ret,
                         struct error *error)
{
    const int32_t partition = partition_of(projection, state->feature);
    const struct wanted wanted = {
        "plan",
        state->plan_hash,
        KEY_PLAN(arena, partition, projection->prefix, state->plan_hash),
        &pb__plan__descriptor,
    };
    void *found = NULL;
    enum err err;

    if (pb_same(state->plan_hash, ""))
        return error_set(error, ERR_NOT_FOUND, "%s has no plan yet", state->id);
    err = load(projection, arena, &wanted, &found, error);
    if (err == ERR_OK)
        *ret = found;
    return err;
}

enum err projection_feature(const struct projection *projection,
                            struct arena *arena,
                            const char *feature,
                            Pb__FeatureState **ret,
                            struct error *error)
{
    const int32_t partition = partition_of(projection, feature);
    const struct wanted wanted = {
        "feature",
        feature,
        KEY_FEATURE(arena, partition, projection->prefix, feature),
        &pb__feature_state__descriptor,
    };
    void *found = NULL;
    const enum err err = load(projection, arena, &wanted, &found, error);

    if (err == ERR_OK)
        *ret = found;
    return err;
}

enum err projection_lane(const struct projection *projection,
                         struct arena *arena,
                         const char *lane,
                         Pb__LaneState **ret,
                         struct error *error)
{
    const int32_t partition = partition_of(projection, keys_lane_record(arena, lane));
    const struct wanted wanted = {
        "lane",
        lane,
        KEY_LANE(arena, partition, projection->prefix, lane),
        &pb__lane_state__descriptor,
    };
    void *found = NULL;
    const enum err err = load(projection, arena, &wanted, &found, error);

    if (err == ERR_OK)
        *ret = found;
    return err;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct store_field *)a)->name, ((const struct store_field *)b)->name);
}

enum err projection_timeline(const struct projection *projection,
                             struct arena *arena,
                             const char *id,
                             Pb__TimelineEntry ***ret,
                             size_t *ret_count,
                             struct error *error)
{
    const int32_t partition = partition_of_deployment(projection, arena, id);
    const char *const key = KEY_TIMELINE(arena, partition, projection->prefix, id);
    struct store_field *fields = NULL;
    Pb__TimelineEntry **entries;
    size_t count = 0;
    enum err err =
        projection->store.hash_all(projection->store.self, arena, key, &fields, &count, error);

    if (err != ERR_OK)
        return error_wrap(error, err, "read timeline of %s", id);
    /* Field names have fixed widths, so their order is the order of time. */
    if (count > 0)
        qsort(fields, count, sizeof *fields, by_name);
    entries = arena_alloc(arena, (count + 1) * sizeof(Pb__TimelineEntry *));
    for (size_t i = 0; i < count; i++) {
        const struct pb_bytes packed = { (const uint8_t *)fields[i].value.bytes,
                                         fields[i].value.length };
        void *entry = NULL;

        err = pb_unpack(arena, &pb__timeline_entry__descriptor, packed, &entry, error);
        if (err != ERR_OK)
            return error_wrap(error, err, "read timeline of %s", id);
        entries[i] = entry;
    }
    *ret = entries;
    *ret_count = count;
    return ERR_OK;
}

static int newest_first(const void *a, const void *b)
{
    const struct store_member *const x = a;
    const struct store_member *const y = b;

    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* NOLINTNEXTLINE(readability-function-size): seven parameters */
enum err projection_list(const struct projection *projection,
                         struct arena *arena,
                         bool live,
                         int limit,
                         struct store_member **ret,
                         size_t *ret_count,
                         struct error *error)
{
    struct store_member *all =
        arena_alloc(arena, ((size_t)projection->partitions * (size_t)limit + 1) * sizeof *all);
    size_t total = 0;

    for (int32_t p = 0; p < projection->partitions; p++) {
        const struct store_range range = {
            .key = live ? KEY_LIVE(arena, p, projection->prefix)
                        : KEY_DONE(arena, p, projection->prefix),
            .min = INT64_MIN,
            .max = INT64_MAX,
            .limit = -limit,
        };
        struct store_member *some = NULL;
        size_t count = 0;
        const enum err err = projection->store.sorted_range(
            projection->store.self, arena, &range, &some, &count, error);

        if (err != ERR_OK)
            return error_wrap(error, err, "list deployments");
        for (size_t i = 0; i < count && i < (size_t)limit; i++)
            all[total++] = some[i];
    }
    qsort(all, total, sizeof *all, newest_first);
    *ret = all;
    *ret_count = total < (size_t)limit ? total : (size_t)limit;
    return ERR_OK;
}

static enum err is_ready(const struct projection *projection,
                         struct arena *arena,
                         int32_t partition,
                         bool *ret,
                         struct error *error)
{
    const char *const key = KEY_LOG(arena, partition, projection->prefix);
    struct store_value ready = { 0 };
    const enum err err =
        projection->store.hash_get(projection->store.self, arena, key, "ready", &ready, error);

    *ret = err == ERR_OK && ready.bytes != NULL && ready.length > 0;
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "read the log's mark");
}

enum err projection_whole(const struct projection *projection,
                          struct arena *arena,
                          bool *ret,
                          struct error *error)
{
    enum err err = ERR_OK;

    *ret = true;
    for (int32_t p = 0; p < projection->partitions && *ret && err == ERR_OK; p++)
        err = is_ready(projection, arena, p, ret, error);
    return err;
}

enum err projection_whole_of(const struct projection *projection,
                             struct arena *arena,
                             const char *feature,
                             bool *ret,
                             struct error *error)
{
    return is_ready(projection, arena, partition_of(projection, feature), ret, error);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum err projection_lanes(const struct projection *projection,
                          struct arena *arena,
                          const char ***ret,
                          size_t *ret_count,
                          struct error *error)
{
    const char **all = NULL;
    size_t total = 0;

    for (int32_t p = 0; p < projection->partitions; p++) {
        const char *const key = KEY_LANES(arena, p, projection->prefix);
        const char **some = NULL;
        const char **grown;
        size_t count = 0;
        const enum err err =
            projection->store.members(projection->store.self, arena, key, &some, &count, error);

        if (err != ERR_OK)
            return error_wrap(error, err, "list lanes");
        grown = arena_alloc(arena, (total + count + 1) * sizeof *grown);
        for (size_t i = 0; i < total + count; i++)
            grown[i] = i < total ? all[i] : some[i - total];
        all = grown;
        total += count;
    }
    if (total > 0)
        qsort(all, total, sizeof *all, by_text);
    *ret = all;
    *ret_count = total;
    return ERR_OK;
}
