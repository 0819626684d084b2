/* The memory store for several threads: one operation at a time. */
#ifndef TESTS_UNIT_GATEWAY_SHARED_STORE_H
#define TESTS_UNIT_GATEWAY_SHARED_STORE_H

#include "common/ports/store.h"

/* Takes the inner store over. before (may be NULL) is called ahead of each operation, with
 * nothing held: it may let the thread wait. */
struct store shared_store(struct store inner, void (*before)(void));

#endif
