#include "common/state/keys.h"

const char *keys_at(struct arena *arena,
                    const char *prefix,
                    int32_t partition,
                    const char *name,
                    const char *rest)
{
    return arena_printf(arena, "%s{%d}:%s%s", prefix, (int)partition, name, rest);
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
