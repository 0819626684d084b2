#include "services/notifier/service.h"

#include "services/notifier/delivery.h"

/* Nothing to share between threads; opening looks whether the channels' options are right. */
static enum err open_state(const struct service_ports *ports,
                           void **ret_state,
                           struct error *error)
{
    struct arena arena = arena_with_limit(SCRATCH_MAX);
    struct yaml_problems *const problems = arena_alloc(&arena, sizeof *problems);
    enum err err = ERR_OK;

    problems->arena = &arena;
    channels_check(&arena, ports->settings, problems);
    if (problems->errors > 0)
        err = error_set(error,
                        ERR_INVALID,
                        "%s:%d: %s",
                        problems->item[0].file,
                        problems->item[0].line,
                        problems->item[0].message);
    arena_release(&arena);
    *ret_state = NULL;
    return err;
}

static const struct worker_handler handlers[] = {
    { .body = PB__COMMAND__BODY_ANNOUNCE, .step = announce_step },
    { .body = PB__COMMAND__BODY_FINALISE, .step = finalise_step },
};

const struct worker_spec notifier_worker = {
    .name = "notifier",
    .summary = "tells people and tickets, publishes the documents, hands over to operations",
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .check = channels_check,
    .open = open_state,
};
