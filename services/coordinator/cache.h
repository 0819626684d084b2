/* What this owner of a partition has read or written: packed states by key, plans by hash. Only
 * a shortcut past Redis; emptied whenever the partition is taken over. */
#ifndef SERVICES_COORDINATOR_CACHE_H
#define SERVICES_COORDINATOR_CACHE_H

#include "common/wire/pb.h"

enum {
    CACHE_STATES_MAX = 1024, /* At 32 KiB each 32 MiB at the very worst. */
    CACHE_PLANS_MAX = 128,
};

struct cached_state {
    char *key; /* Owned, as bytes. */
    uint32_t hash;
    uint8_t *bytes;
    size_t length;
    uint64_t used;
};

struct cached_plan {
    char *hash; /* Owned. */
    struct arena arena;
    Pb__Plan *plan;
    uint64_t used;
};

/* All zeroes is empty. */
struct cache {
    struct cached_state *states;
    size_t state_count;
    struct cached_plan *plans;
    size_t plan_count;
    uint64_t clock;
};

/* Frees everything; the cache is empty and usable. */
void cache_clear(struct cache *cache);

/* False when the key is not there. The bytes are borrowed until the next put or clear. */
bool cache_find(struct cache *cache, const char *key, struct pb_bytes *ret);

/* Keep a copy under that key, in place of what was there. */
void cache_put(struct cache *cache, const char *key, struct pb_bytes packed);

/* NULL when it is not there. Borrowed until cache_trim or clear. */
Pb__Plan *cache_find_plan(struct cache *cache, const char *hash);

/* Unpack and keep. ERR_INVALID when packed is no plan. */
enum err cache_put_plan(struct cache *cache,
                        const char *hash,
                        struct pb_bytes packed,
                        Pb__Plan **ret,
                        struct error *error) MUST_CHECK;

/* Forget the plans used longest ago until there are at most CACHE_PLANS_MAX. */
void cache_trim(struct cache *cache);

#endif
