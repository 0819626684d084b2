#include "common/state/keys.h"

const char *keys_at(struct arena *arena,
                    const char *prefix,
                    int32_t partition,
                    const char *name,
                    const char *rest)
{
    return arena_printf(arena, "%s{%d}:%s%s", prefix, (int)partition, name, rest);
}

/* All places are below 2^53, as Redis keeps them exactly. */
enum { LISTED_VERSIONS = 1024 };

int64_t keys_listed_at(int64_t updated_ms, uint64_t version)
{
    return updated_ms * LISTED_VERSIONS + (int64_t)(version % LISTED_VERSIONS);
}

int64_t keys_listed_ms(int64_t place)
{
    return place / LISTED_VERSIONS;
}

const char *keys_global(struct arena *arena,
                        const char *prefix,
                        const char *name,
                        const char *rest)
{
    return arena_printf(arena, "%s%s%s", prefix, name, rest);
}

const char *keys_lane_record(struct arena *arena, const char *lane)
{
    return arena_printf(arena, "lane/%s", lane);
}
