/* Which cells of the table of phase x event a log walks through, for tests/replay/coverage. */
#ifndef TESTS_REPLAY_COVERAGE_H
#define TESTS_REPLAY_COVERAGE_H

#include "services/coordinator/core/procedure.h"

#include <stdio.h>

/* A line "cell<TAB>row<TAB>column<TAB>answer" for what a deployment heard; before is NULL at
 * its birth. Rows and columns are called as in table_test.c. */
void coverage_cell(FILE *out,
                   const Pb__DeploymentState *before,
                   const Pb__Event *event,
                   enum procedure_answer answer);

/* A line "kind<TAB>target<TAB>name" for a record; "request.NAME" if it is somebody's request.
 */
void coverage_kind(FILE *out, const char *target, const Pb__Event *event);

/* A line "plan<TAB>what<TAB>value" for each approach, kind of change and way back in it. */
void coverage_plan(FILE *out, const Pb__Plan *plan);

#endif
