/* What the toy procedure (toy.c) and the tests around it agree on. */
#ifndef TESTS_UNIT_COORDINATOR_SHELL_TOY_H
#define TESTS_UNIT_COORDINATOR_SHELL_TOY_H

/* An incident of this cause kills whoever applies it: toy_poison() is called, and defined by
 * the test. */
#define TOY_POISON "poison"
void toy_poison(void);

/* An acceptance of this title gets no plan; of that one, a plan that fits into no record. */
#define TOY_UNPLANNED "unplanned"
#define TOY_LARGE     "large"

/* The window of this feature is closed, until that time. */
#define TOY_NIGHT         "night"
#define TOY_NIGHT_ENDS_MS INT64_C(4000000000000)

#endif
