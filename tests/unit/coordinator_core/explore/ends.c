#include "tests/unit/coordinator_core/explore/ends.h"

#include "tests/support/test.h"

#include <stdlib.h>

#define NO_WAY UINT32_MAX

static void *array(size_t count, size_t size)
{
    void *const memory = calloc(count + 1, size);

    assert_non_null(memory);
    return memory;
}

/* The edges by where they lead: those into node n come from order[first[n]] up to, and without,
 * order[first[n + 1]]. */
struct incoming {
    uint32_t *first;
    uint32_t *order;
};

static struct incoming sorted(const struct ways *ways)
{
    struct incoming in = { array(ways->count + 2, sizeof *in.first),
                           array(ways->edge_count, sizeof *in.order) };

    for (size_t i = 0; i < ways->edge_count; i++)
        in.first[ways->edges[i].to + 2]++;
    for (size_t i = 2; i < ways->count + 2; i++)
        in.first[i] += in.first[i - 1];
    for (size_t i = 0; i < ways->edge_count; i++)
        in.order[in.first[ways->edges[i].to + 1]++] = ways->edges[i].from;
    return in;
}

/* Backwards from the ends. */
static uint32_t walk_back(const struct ways *ways, uint32_t *away, uint32_t *queue)
{
    const struct incoming in = sorted(ways);
    uint32_t farthest = 0;
    size_t tail = 0;

    for (size_t i = 0; i < ways->count; i++) {
        away[i] = ways->ends[i] ? 0 : NO_WAY;
        if (ways->ends[i])
            queue[tail++] = (uint32_t)i;
    }
    for (size_t head = 0; head < tail; head++) {
        const uint32_t to = queue[head];

        farthest = away[to];
        for (uint32_t i = in.first[to]; i < in.first[to + 1]; i++) {
            if (away[in.order[i]] != NO_WAY)
                continue;
            away[in.order[i]] = away[to] + 1;
            queue[tail++] = in.order[i];
        }
    }
    free(in.first);
    free(in.order);
    return farthest;
}

size_t ends_check(const struct ways *ways, uint32_t *ret_way_out)
{
    uint32_t *const away = array(ways->count, sizeof *away);
    uint32_t *const queue = array(ways->count, sizeof *queue);
    size_t stuck = 0;

    *ret_way_out = walk_back(ways, away, queue);
    while (stuck < ways->count && away[stuck] != NO_WAY)
        stuck++;
    free(queue);
    free(away);
    return stuck;
}

void ways_add(struct ways *ways, size_t from, size_t to)
{
    enum { FIRST = 1 << 16 };

    if (ways->edge_count == ways->edge_max) {
        ways->edge_max = ways->edge_max == 0 ? FIRST : ways->edge_max * 2;
        ways->edges = realloc(ways->edges, ways->edge_max * sizeof *ways->edges);
        assert_non_null(ways->edges);
    }
    ways->edges[ways->edge_count++] = (struct edge){ (uint32_t)from, (uint32_t)to };
}

void ways_release(struct ways *ways)
{
    free(ways->edges);
    free(ways->ends);
    *ways = (struct ways){ 0 };
}
