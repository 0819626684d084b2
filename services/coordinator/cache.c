#include "services/coordinator/cache.h"

#include <stdlib.h>
#include <string.h>

enum { PLAN_ARENA_MAX = 32 * 1024 * 1024 };

/* There is no going on without memory, and the log has everything. */
static void *take(size_t size)
{
    void *const memory = calloc(1, size);

    if (memory == NULL)
        abort();
    return memory;
}

static void *copy(const void *bytes, size_t length)
{
    char *const memory = take(length + 1);

    if (length > 0)
        memcpy(memory, bytes, length);
    return memory;
}

/* FNV-1a, so that most keys are told apart without comparing them. */
static uint32_t hash_of(const char *key)
{
    uint32_t hash = 2166136261U;

    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619U;
    return hash;
}

static void state_release(struct cached_state *state)
{
    free(state->key);
    free(state->bytes);
}

static void plan_release(struct cached_plan *plan)
{
    free(plan->hash);
    arena_release(&plan->arena);
}

void cache_clear(struct cache *cache)
{
    for (size_t i = 0; i < cache->state_count; i++)
        state_release(&cache->states[i]);
    for (size_t i = 0; i < cache->plan_count; i++)
        plan_release(&cache->plans[i]);
    free(cache->states);
    free(cache->plans);
    *cache = (struct cache){ 0 };
}

static struct cached_state *state_of(struct cache *cache, const char *key)
{
    const uint32_t hash = hash_of(key);

    for (size_t i = 0; i < cache->state_count; i++) {
        struct cached_state *const state = &cache->states[i];

        if (state->hash == hash && strcmp(state->key, key) == 0)
            return state;
    }
    return NULL;
}

bool cache_find(struct cache *cache, const char *key, struct pb_bytes *ret)
{
    struct cached_state *const state = state_of(cache, key);

    if (state == NULL)
        return false;
    state->used = ++cache->clock;
    *ret = (struct pb_bytes){ state->bytes, state->length };
    return true;
}

/* An unused place, if need be that of the state used longest ago. */
static struct cached_state *state_place(struct cache *cache)
{
    struct cached_state *oldest;

    if (cache->states == NULL)
        cache->states = take(CACHE_STATES_MAX * sizeof *cache->states);
    if (cache->state_count < CACHE_STATES_MAX)
        return &cache->states[cache->state_count++];
    oldest = &cache->states[0];
    for (size_t i = 1; i < cache->state_count; i++) {
        if (cache->states[i].used < oldest->used)
            oldest = &cache->states[i];
    }
    state_release(oldest);
    return oldest;
}

void cache_put(struct cache *cache, const char *key, struct pb_bytes packed)
{
    struct cached_state *state = state_of(cache, key);

    if (state == NULL) {
        state = state_place(cache);
        *state = (struct cached_state){ .key = copy(key, strlen(key)), .hash = hash_of(key) };
    }
    free(state->bytes);
    state->bytes = copy(packed.bytes, packed.length);
    state->length = packed.length;
    state->used = ++cache->clock;
}

Pb__Plan *cache_find_plan(struct cache *cache, const char *hash)
{
    for (size_t i = 0; i < cache->plan_count; i++) {
        if (strcmp(cache->plans[i].hash, hash) == 0) {
            cache->plans[i].used = ++cache->clock;
            return cache->plans[i].plan;
        }
    }
    return NULL;
}

enum err cache_put_plan(struct cache *cache,
                        const char *hash,
                        struct pb_bytes packed,
                        Pb__Plan **ret,
                        struct error *error)
{
    struct arena arena = arena_with_limit(PLAN_ARENA_MAX);
    struct cached_plan *plans;
    void *plan = cache_find_plan(cache, hash);
    enum err err;

    if (plan != NULL) {
        *ret = plan;
        return ERR_OK;
    }
    err = pb_unpack(&arena, &pb__plan__descriptor, packed, &plan, error);
    if (err != ERR_OK) {
        arena_release(&arena);
        return err;
    }
    plans = realloc(cache->plans, (cache->plan_count + 1) * sizeof *plans);
    if (plans == NULL)
        abort();
    cache->plans = plans;
    plans[cache->plan_count++] =
        (struct cached_plan){ copy(hash, strlen(hash)), arena, plan, ++cache->clock };
    *ret = plan;
    return ERR_OK;
}

void cache_trim(struct cache *cache)
{
    while (cache->plan_count > CACHE_PLANS_MAX) {
        size_t oldest = 0;

        for (size_t i = 1; i < cache->plan_count; i++) {
            if (cache->plans[i].used < cache->plans[oldest].used)
                oldest = i;
        }
        plan_release(&cache->plans[oldest]);
        cache->plans[oldest] = cache->plans[--cache->plan_count];
    }
}
