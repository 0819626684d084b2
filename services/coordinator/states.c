#include "services/coordinator/states.h"

#include "common/state/keys.h"

struct projection states_projection(struct coordinator *shell)
{
    return (struct projection){ .store = shell->store,
                                .prefix = shell_prefix(shell),
                                .partitions = shell->partition_count };
}

enum err states_read(struct coordinator *shell,
                     struct partition *partition,
                     const char *deployment,
                     Pb__DeploymentState **ret,
                     struct error *error)
{
    const struct projection projection = states_projection(shell);
    const char *const key =
        KEY_DEPLOYMENT(&shell->arena, partition->number, shell_prefix(shell), deployment);
    struct pb_bytes packed;
    void *state = NULL;
    enum err err;

    if (!cache_find(&partition->cache, key, &packed))
        return projection_deployment(&projection, &shell->arena, deployment, ret, error);
    err = pb_unpack(&shell->arena, &pb__deployment_state__descriptor, packed, &state, error);
    if (err == ERR_OK)
        *ret = state;
    return err;
}

enum err states_plan(struct coordinator *shell,
                     struct partition *partition,
                     const Pb__DeploymentState *state,
                     Pb__Plan **ret,
                     struct error *error)
{
    const struct projection projection = states_projection(shell);
    Pb__Plan *plan = NULL;
    enum err err;

    *ret = cache_find_plan(&partition->cache, state->plan_hash);
    if (*ret != NULL || pb_same(state->plan_hash, ""))
        return ERR_OK;
    err = projection_plan(&projection, &shell->arena, state, &plan, error);
    if (err != ERR_OK)
        return err;
    return cache_put_plan(
        &partition->cache, state->plan_hash, pb_pack(&shell->arena, plan), ret, error);
}
