/* Does every state have a way to an end? */
#ifndef TESTS_UNIT_COORDINATOR_CORE_EXPLORE_ENDS_H
#define TESTS_UNIT_COORDINATOR_CORE_EXPLORE_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct edge {
    uint32_t from;
    uint32_t to;
};

/* States by number, and the ways between them that count: no failure, no force. */
struct ways {
    struct edge *edges; /* Owned, grows. */
    size_t edge_count;
    size_t edge_max;
    bool *ends; /* Owned, one a state: nothing more is to come. */
    size_t count;
};

void ways_add(struct ways *ways, size_t from, size_t to);

/* Returns the first state from which no end can be reached, or ways->count. ret_way_out: the
 * longest of the shortest ways from a state to an end. */
size_t ends_check(const struct ways *ways, uint32_t *ret_way_out);

/* Frees what ways own. */
void ways_release(struct ways *ways);

#endif
