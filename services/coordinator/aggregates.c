#include "services/coordinator/batch.h"
#include "services/coordinator/partition.h"
#include "services/coordinator/timers.h"

#include <string.h>

static const char *key_of(struct batch *batch, enum aggregate_kind kind, const char *id)
{
    const int32_t p = batch->partition->number;
    const char *const prefix = shell_prefix(batch->shell);

    switch (kind) {
    case AGGREGATE_LANE: return KEY_LANE(batch->arena, p, prefix, id);
    case AGGREGATE_FEATURE: return KEY_FEATURE(batch->arena, p, prefix, id);
    case AGGREGATE_DEPLOYMENT:
    case AGGREGATE_NONE: break;
    }
    return KEY_DEPLOYMENT(batch->arena, p, prefix, id);
}

static const ProtobufCMessageDescriptor *type_of(enum aggregate_kind kind)
{
    switch (kind) {
    case AGGREGATE_LANE: return &pb__lane_state__descriptor;
    case AGGREGATE_FEATURE: return &pb__feature_state__descriptor;
    case AGGREGATE_DEPLOYMENT:
    case AGGREGATE_NONE: break;
    }
    return &pb__deployment_state__descriptor;
}

/* The packed state from the cache or from Redis; no bytes if there is none. */
static enum err read_packed(struct batch *batch,
                            const char *key,
                            struct pb_bytes *ret,
                            struct error *error)
{
    struct store_value value = { 0 };
    enum err err;

    if (cache_find(&batch->partition->cache, key, ret))
        return ERR_OK;
    err = batch->shell->store.get(batch->shell->store.self, batch->arena, key, &value, error);
    if (err != ERR_OK)
        return error_wrap(error, err, "read %s", key);
    *ret = (struct pb_bytes){ (const uint8_t *)value.bytes, value.length };
    return ERR_OK;
}

static enum err load(struct batch *batch, struct aggregate *aggregate, struct error *error)
{
    struct pb_bytes packed = { 0 };
    enum err err = read_packed(batch, aggregate->key, &packed, error);

    if (err != ERR_OK || packed.bytes == NULL)
        return err;
    err = pb_unpack(batch->arena, type_of(aggregate->kind), packed, &aggregate->state, error);
    if (err != ERR_OK)
        return error_wrap(error, err, "read %s", aggregate->key);
    if (aggregate->kind == AGGREGATE_DEPLOYMENT)
        aggregate->before = aggregate->state;
    return ERR_OK;
}

static struct aggregate *find(const struct batch *batch, const char *key)
{
    for (size_t i = 0; i < batch->aggregate_count; i++) {
        if (strcmp(batch->aggregates[i]->key, key) == 0)
            return batch->aggregates[i];
    }
    return NULL;
}

enum err aggregate_get(struct batch *batch,
                       enum aggregate_kind kind,
                       const char *id,
                       struct aggregate **ret,
                       struct error *error)
{
    const char *const key = key_of(batch, kind, id);
    struct aggregate *aggregate = find(batch, key);
    enum err err;

    if (aggregate != NULL) {
        *ret = aggregate;
        return ERR_OK;
    }
    aggregate = arena_alloc(batch->arena, sizeof *aggregate);
    *aggregate =
        (struct aggregate){ .kind = kind, .id = arena_text(batch->arena, id), .key = key };
    err = load(batch, aggregate, error);
    if (err != ERR_OK)
        return err;
    if (batch->aggregates == NULL)
        batch->aggregates =
            arena_alloc(batch->arena, BATCH_RECORDS_MAX * sizeof *batch->aggregates);
    batch->aggregates[batch->aggregate_count++] = aggregate;
    *ret = aggregate;
    return ERR_OK;
}

enum err aggregate_plan(struct batch *batch,
                        const Pb__DeploymentState *state,
                        Pb__Plan **ret,
                        struct error *error)
{
    struct cache *const cache = &batch->partition->cache;
    const char *const key = KEY_PLAN(
        batch->arena, batch->partition->number, shell_prefix(batch->shell), state->plan_hash);
    struct store_value value = { 0 };
    enum err err;

    *ret = NULL;
    if (pb_same(state->plan_hash, ""))
        return ERR_OK;
    *ret = cache_find_plan(cache, state->plan_hash);
    if (*ret != NULL)
        return ERR_OK;
    err = batch->shell->store.get(batch->shell->store.self, batch->arena, key, &value, error);
    if (err == ERR_OK && value.bytes == NULL)
        err = error_set(error,
                        ERR_CONFLICT,
                        "the plan is gone; start with --rebuild to fold the state anew");
    if (err == ERR_OK)
        err = cache_put_plan(cache,
                             state->plan_hash,
                             (struct pb_bytes){ (const uint8_t *)value.bytes, value.length },
                             ret,
                             error);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "read %s", key);
}

static bool has_timer(const Pb__DeploymentState *state, const Pb__Timer *timer)
{
    for (size_t i = 0; i < state->n_timers; i++) {
        if (state->timers[i]->armed_version == timer->armed_version &&
            strcmp(state->timers[i]->id, timer->id) == 0)
            return true;
    }
    return false;
}

/* {p}:timers is an index: what the state before had and this one has not goes away. */
static void write_timers(struct batch *batch,
                         const Pb__DeploymentState *before,
                         const Pb__DeploymentState *after)
{
    struct writes *const writes = &batch->writes;
    const char *const key = KEY_TIMERS(batch->arena, writes->partition, writes->prefix);

    for (size_t i = 0; before != NULL && i < before->n_timers; i++) {
        if (!has_timer(after, before->timers[i]))
            writes_sorted_remove(
                writes, key, timers_member(batch->arena, before->id, before->timers[i]));
    }
    for (size_t i = 0; i < after->n_timers; i++)
        writes_sorted(writes,
                      key,
                      timers_member(batch->arena, after->id, after->timers[i]),
                      after->timers[i]->due_ms);
}

static void write_lists(struct batch *batch, const Pb__DeploymentState *state)
{
    struct writes *const writes = &batch->writes;
    const int32_t p = writes->partition;
    const char *const live = KEY_LIVE(batch->arena, p, writes->prefix);
    const char *const done = KEY_DONE(batch->arena, p, writes->prefix);
    const char *const busy = KEY_BUSY(batch->arena, p, writes->prefix);
    const bool ended = procedure_is_terminal(state->phase);

    writes_sorted(
        writes, ended ? done : live, state->id, keys_listed_at(state->now_ms, state->version));
    if (!ended)
        return;
    writes_sorted_remove(writes, live, state->id);
    if (state->n_tasks > 0)
        writes_member(writes, busy, state->id);
    else
        writes_member_remove(writes, busy, state->id);
}

static void write_one(struct batch *batch, struct aggregate *aggregate)
{
    struct writes *const writes = &batch->writes;
    const char *const lanes = KEY_LANES(batch->arena, writes->partition, writes->prefix);

    aggregate->packed = pb_pack(batch->arena, aggregate->state);
    writes_set(writes, aggregate->key, aggregate->packed);
    if (aggregate->kind == AGGREGATE_LANE)
        writes_member(writes, lanes, aggregate->id);
    if (aggregate->kind != AGGREGATE_DEPLOYMENT)
        return;
    write_timers(batch, aggregate->before, aggregate->state);
    write_lists(batch, aggregate->state);
}

void aggregates_write(struct batch *batch)
{
    for (size_t i = 0; i < batch->aggregate_count; i++) {
        if (batch->aggregates[i]->dirty)
            write_one(batch, batch->aggregates[i]);
    }
}

void aggregates_keep(struct batch *batch)
{
    for (size_t i = 0; i < batch->aggregate_count; i++) {
        const struct aggregate *const aggregate = batch->aggregates[i];

        if (!aggregate->dirty)
            continue;
        cache_put(&batch->partition->cache, aggregate->key, aggregate->packed);
        if (aggregate->kind == AGGREGATE_DEPLOYMENT)
            live_update(&batch->partition->live, aggregate->state, batch->now_ms);
    }
}
