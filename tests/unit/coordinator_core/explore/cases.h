/* First cases: traces that must end well. */
#ifndef TESTS_UNIT_COORDINATOR_CORE_EXPLORE_CASES_H
#define TESTS_UNIT_COORDINATOR_CORE_EXPLORE_CASES_H

#include "tests/unit/coordinator_core/explore/explore.h"

struct trace_case {
    const char *rule;
    Pb__Plan *(*plan)(struct arena *arena);
    const char
        *trace; /* Events as the exploration names them; !event: it must change nothing. */
    const char *reached;
};

extern const struct trace_case cases[];
extern const size_t case_count;

#endif
