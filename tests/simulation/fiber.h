/* A stack of its own for a turn of a simulated process: the turn can be left standing at any
 * call of a port, while others go on, and be continued later. */
#ifndef TESTS_SIMULATION_FIBER_H
#define TESTS_SIMULATION_FIBER_H

#include <stdbool.h>

struct fiber;

struct fiber *fiber_new(void);

/* Not while a call stands in it. Accepts NULL. */
void fiber_free(struct fiber *fiber);

/* Call run(self) on the fiber's stack, until it returns or yields. True if it has returned. */
bool fiber_call(struct fiber *fiber, void (*run)(void *self), void *self);

/* Continue what has yielded. True if it has returned. */
bool fiber_resume(struct fiber *fiber);

/* From inside: back to whoever called or resumed. */
void fiber_yield(struct fiber *fiber);

#endif
