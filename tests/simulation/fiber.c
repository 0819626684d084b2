#include "tests/simulation/fiber.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_SANITIZED 1
#endif
#endif
#if defined(FIBER_SANITIZED)
#include <sanitizer/common_interface_defs.h>
#endif

enum { STACK_SIZE = 1024 * 1024 }; /* Pages that are not touched cost nothing. */

struct fiber {
    ucontext_t inside;
    ucontext_t outside;
    char *stack;
    void (*run)(void *self);
    void *self;
    bool returned;
    void *fake_inside; /* The address sanitizer's. */
    void *fake_outside;
    const void *outer_stack;
    size_t outer_size;
};

static void enter(struct fiber *fiber)
{
#if defined(FIBER_SANITIZED)
    __sanitizer_start_switch_fiber(&fiber->fake_outside, fiber->stack, STACK_SIZE);
#endif
    (void)swapcontext(&fiber->outside, &fiber->inside);
#if defined(FIBER_SANITIZED)
    __sanitizer_finish_switch_fiber(fiber->fake_outside, NULL, NULL);
#endif
}

static void leave(struct fiber *fiber)
{
#if defined(FIBER_SANITIZED)
    __sanitizer_start_switch_fiber(&fiber->fake_inside, fiber->outer_stack, fiber->outer_size);
#endif
    (void)swapcontext(&fiber->inside, &fiber->outside);
#if defined(FIBER_SANITIZED)
    __sanitizer_finish_switch_fiber(
        fiber->fake_inside, &fiber->outer_stack, &fiber->outer_size);
#endif
}

/* One call after the other, for ever. A pointer comes through makecontext in two halves. */
static void serve(unsigned high, unsigned low)
{
    struct fiber *const fiber =
        (struct fiber *)(((uintptr_t)high << 32) | (uintptr_t)low); // NOLINT

#if defined(FIBER_SANITIZED)
    __sanitizer_finish_switch_fiber(NULL, &fiber->outer_stack, &fiber->outer_size);
#endif
    for (;;) {
        fiber->run(fiber->self);
        fiber->returned = true;
        leave(fiber);
    }
}

struct fiber *fiber_new(void)
{
    struct fiber *const fiber = calloc(1, sizeof *fiber);

    if (fiber == NULL || (fiber->stack = malloc(STACK_SIZE)) == NULL ||
        getcontext(&fiber->inside) != 0)
        abort();
    fiber->returned = true;
    fiber->inside.uc_stack.ss_sp = fiber->stack;
    fiber->inside.uc_stack.ss_size = STACK_SIZE;
    makecontext(&fiber->inside,
                (void (*)(void))serve, // NOLINT
                2,
                (unsigned)((uint64_t)(uintptr_t)fiber >> 32),
                (unsigned)((uintptr_t)fiber & 0xffffffffu));
    return fiber;
}

void fiber_free(struct fiber *fiber)
{
    if (fiber == NULL)
        return;
    free(fiber->stack);
    free(fiber);
}

bool fiber_call(struct fiber *fiber, void (*run)(void *self), void *self)
{
    fiber->run = run;
    fiber->self = self;
    fiber->returned = false;
    enter(fiber);
    return fiber->returned;
}

bool fiber_resume(struct fiber *fiber)
{
    enter(fiber);
    return fiber->returned;
}

void fiber_yield(struct fiber *fiber)
{
    leave(fiber);
}
