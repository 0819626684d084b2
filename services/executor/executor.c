#include "services/executor/executor.h"

#include "common/base/text.h"

#include <stdlib.h>

enum { BOOK_MEMORY_MAX = 64 * 1024 * 1024 };

static const struct worker_handler handlers[] = {
    { .body = PB__COMMAND__BODY_APPLY, .step = executor_apply },
    { .body = PB__COMMAND__BODY_REVERT, .step = executor_revert },
    { .body = PB__COMMAND__BODY_READ_BACK, .step = executor_read_back, .looks = true },
};

static void executor_close(void *state)
{
    struct executor *const executor = state;

    if (executor == NULL)
        return;
    arena_release(&executor->arena);
    free(executor);
}

static void check_drivers(struct arena *arena,
                          const struct settings *settings,
                          struct yaml_problems *problems)
{
    (void)deployer_book_read(arena, settings, problems);
}

static enum err executor_open(const struct service_ports *ports,
                              void **ret_state,
                              struct error *error)
{
    struct executor *const executor = calloc(1, sizeof *executor);
    struct yaml_problems *problems;

    (void)error;
    if (executor == NULL)
        abort();
    executor->arena = arena_with_limit(BOOK_MEMORY_MAX);
    executor->settings = ports->settings;
    problems = arena_alloc(&executor->arena, sizeof *problems);
    problems->arena = &executor->arena;
    executor->book = deployer_book_read(&executor->arena, ports->settings, problems);
    *ret_state = executor;
    return ERR_OK;
}

const struct worker_spec executor_spec = {
    .name = "executor",
    .summary = "Brings changes to their targets, batch by batch, and takes them back.",
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .check = check_drivers,
    .open = executor_open,
    .close = executor_close,
};
