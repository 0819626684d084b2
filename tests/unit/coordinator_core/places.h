/* Deployments brought to each place of the table, by events alone. */
#ifndef TESTS_UNIT_COORDINATOR_CORE_PLACES_H
#define TESTS_UNIT_COORDINATOR_CORE_PLACES_H

#include "tests/unit/coordinator_core/play.h"

enum { PLACE_CODE_SIZE = 4 };

/* The column of table_test that a deployment stands in: "4g"; "0b" while it is planned. code is
 * room that the answer may use. */
const char *place_code(const Pb__DeploymentState *state, char code[PLACE_CODE_SIZE]);

void at_inputs(struct play *play);
void at_review(struct play *play);
void at_queue(struct play *play);
void at_1(struct play *play);
void at_2(struct play *play);
void at_bake(struct play *play);
void at_3(struct play *play);
void at_4(struct play *play);
void at_gate(struct play *play);
void at_5(struct play *play);
void at_6(struct play *play);
void at_7(struct play *play);
void at_send(struct play *play);
void rest_in_1(struct play *play);
void rest_in_2(struct play *play);
void rest_in_3(struct play *play);
void at_disable(struct play *play);
void rest_in_4(struct play *play);
void at_disable_5(struct play *play);
void rest_in_5(struct play *play);
void rest_in_6(struct play *play);
void rest_in_7(struct play *play);
void at_stop(struct play *play);
void at_undo(struct play *play);
void rest_in_undo(struct play *play);
void at_completed(struct play *play);
void at_aborted(struct play *play);
void at_rolled_back(struct play *play);

#endif
