#include "services/flag-rollout/service.h"

#include "services/flag-rollout/read_back.h"

#include <stdlib.h>

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
    struct flag_rollout *const state = calloc(1, sizeof *state);
    enum err err;

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
