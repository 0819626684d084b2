/* The small plans that are explored: one check for each kind of work, named as that kind. */
#ifndef TESTS_UNIT_COORDINATOR_CORE_EXPLORE_PLANS_H
#define TESTS_UNIT_COORDINATOR_CORE_EXPLORE_PLANS_H

#include "common/wire/pb.h"

enum { WINDOW_GRACE_MS = 1000 };

/* One flag, one approval, the sign-off of step 6, and no change yet. */
Pb__Plan *plan_small(struct arena *arena, Pb__OnNoGo on_no_go, uint32_t stages);

void plan_add_change(struct arena *arena,
                     Pb__Plan *plan,
                     const char *service,
                     uint32_t batches,
                     Pb__OnRollback rule);

void plan_add_signoff(struct arena *arena, Pb__Plan *plan, uint32_t step);

#endif
