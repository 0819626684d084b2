#include "services/flag-rollout/service.h"

#include "services/flag-rollout/read_back.h"

#include <stdlib.h>

static enum err check_providers(const struct settings *settings, struct error *error)
{
    struct arena arena = arena_with_limit(SCRATCH_MAX);
    struct yaml_problems *const problems = arena_alloc(&arena, sizeof *problems);
    enum err err = ERR_OK;

    problems->arena = &arena;
    providers_check(&arena, settings, problems);
    if (problems->errors > 0)
        err = error_set(error,
                        ERR_INVALID,
                        "%s:%d: %s",
                        problems->item[0].file,
                        problems->item[0].line,
                        problems->item[0].message);
    arena_release(&arena);
    return err;
}

static void close_state(void *state)
{
    struct flag_rollout *const service = state;

    if (service == NULL)
        return;
    flag_control_close(service->control);
    free(service);
}

static enum err open_state(const struct service_ports *ports,
                           void **ret_state,
                           struct error *error)
{
    struct flag_rollout *state;
    enum err err = check_providers(ports->settings, error);

    if (err != ERR_OK)
        return err;
    state = calloc(1, sizeof *state);
    if (state == NULL)
        abort();
    state->ports = ports;
    err = flag_control_open(ports, &state->control, error);
    if (err != ERR_OK) {
        close_state(state);
        return err;
    }
    *ret_state = state;
    return ERR_OK;
}

static enum err turn(void *state, const struct worker_ports *ports, struct error *error)
{
    struct flag_rollout *const service = state;
    const enum err err = control_poll(service->control, error);

    background_read_back(service, ports);
    return err;
}

static const struct worker_handler handlers[] = {
    { .body = PB__COMMAND__BODY_SET_FLAGS, .step = set_flags_step },
    { .body = PB__COMMAND__BODY_KILL_FLAGS, .step = kill_flags_step },
};

const struct worker_spec flag_rollout_worker = {
    .name = "flag-rollout",
    .summary = "sets feature flags stage by stage, reads them back, turns them off for good",
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .check = providers_check,
    .open = open_state,
    .close = close_state,
    .turn = turn,
};
