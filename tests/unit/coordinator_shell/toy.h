/* What the toy procedure (toy.c) and the tests around it agree on. */
#ifndef TESTS_UNIT_COORDINATOR_SHELL_TOY_H
#define TESTS_UNIT_COORDINATOR_SHELL_TOY_H

/* An incident of this cause kills whoever applies it: toy_poison() is called, and defined by
 * the test. */
#define TOY_POISON "poison"
void toy_poison(void);

#endif
