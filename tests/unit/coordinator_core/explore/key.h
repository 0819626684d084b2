/* What distinguishes one state from another in a search. */
#ifndef TESTS_UNIT_COORDINATOR_CORE_EXPLORE_KEY_H
#define TESTS_UNIT_COORDINATOR_CORE_EXPLORE_KEY_H

#include "common/base/text.h"
#include "common/wire/pb.h"

/* The work of the procedure itself; NULL when nothing but announcements is out. */
const Pb__TaskState *main_task(const Pb__DeploymentState *state);

/* A deployment without its times and counters. */
void key_state(struct text *out, const Pb__DeploymentState *state);

/* Two hashes, so that in millions of states none is taken for another. */
void key_hash(const struct text *text, uint64_t ret[2]);

/* Whether a search of that name is wanted now: EXPLORE is "all", or names with commas between;
 * without it, all that are not deep. */
bool key_wanted(const char *name, bool deep);

#endif
