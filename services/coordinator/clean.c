#include "services/coordinator/clean.h"

#include "services/coordinator/mark.h"
#include "services/coordinator/partition.h"
#include "services/coordinator/states.h"

enum { CLEAN_MAX = 1000000 };

/* Everything that is kept under a deployment's id. Its plan stays: its hash is its content. */
static void clean_deployment(struct coordinator *shell,
                             const struct partition *partition,
                             const char *id,
                             struct writes *writes)
{
    const struct projection projection = states_projection(shell);
    const int32_t p = partition->number;
    struct arena *const arena = &shell->arena;
    Pb__DeploymentState *state = NULL;
    struct error ignored = { 0 };

    /* A state that cannot be read names no tasks; their records are written anew or never
     * claimed. */
    if (projection_deployment(&projection, arena, id, &state, &ignored) == ERR_OK) {
        for (size_t i = 0; i < state->n_tasks; i++)
            writes_delete(writes, KEY_TASK(arena, p, writes->prefix, state->tasks[i]->task));
    }
    writes_delete(writes, KEY_DEPLOYMENT(arena, p, writes->prefix, id));
    writes_delete(writes, KEY_ACCEPTANCE(arena, p, writes->prefix, id));
    writes_delete(writes, KEY_TIMELINE(arena, p, writes->prefix, id));
    writes_delete(writes,
                  KEY_FEATURE(arena, p, writes->prefix, projection_feature_of(arena, id)));
}

static enum err clean_listed(struct coordinator *shell,
                             const struct partition *partition,
                             const char *list,
                             struct writes *writes,
                             struct error *error)
{
    const struct store_range range = {
        .key = list, .min = INT64_MIN, .max = INT64_MAX, .limit = CLEAN_MAX
    };
    struct store_member *members = NULL;
    size_t count = 0;
    const enum err err = shell->store.sorted_range(
        shell->store.self, &shell->arena, &range, &members, &count, error);

    for (size_t i = 0; i < count && err == ERR_OK; i++)
        clean_deployment(shell, partition, members[i].name, writes);
    writes_delete(writes, list);
    return err;
}

static enum err clean_lanes(struct coordinator *shell,
                            const struct partition *partition,
                            struct writes *writes,
                            struct error *error)
{
    struct arena *const arena = &shell->arena;
    const char *const key = KEY_LANES(arena, partition->number, writes->prefix);
    const char **lanes = NULL;
    size_t count = 0;
    const enum err err =
        shell->store.members(shell->store.self, arena, key, &lanes, &count, error);

    for (size_t i = 0; i < count && err == ERR_OK; i++)
        writes_delete(writes, KEY_LANE(arena, partition->number, writes->prefix, lanes[i]));
    writes_delete(writes, key);
    return err;
}

enum err clean_partition(struct coordinator *shell,
                         const struct partition *partition,
                         const struct log_mark *stored,
                         struct error *error)
{
    struct writes writes = partition_writes(shell, partition);
    struct arena *const arena = &shell->arena;
    const int32_t p = partition->number;
    struct store_guard guards[MARK_GUARDS];
    const size_t count = mark_guards(&writes, stored, guards);
    enum err err =
        clean_listed(shell, partition, KEY_LIVE(arena, p, writes.prefix), &writes, error);

    if (err == ERR_OK)
        err = clean_listed(shell, partition, KEY_DONE(arena, p, writes.prefix), &writes, error);
    if (err == ERR_OK)
        err = clean_lanes(shell, partition, &writes, error);
    if (err != ERR_OK)
        return err;
    writes_delete(&writes, KEY_TIMERS(arena, p, writes.prefix));
    writes_delete(&writes, KEY_OUTBOX(arena, p, writes.prefix));
    writes_delete(&writes, KEY_OUTBOX_BODY(arena, p, writes.prefix));
    writes_delete(&writes, KEY_CONTROL(arena, p, writes.prefix));
    writes_delete(&writes, KEY_LEASES(arena, p, writes.prefix));
    writes_delete(&writes, KEY_BUSY(arena, p, writes.prefix));
    writes_delete(&writes, KEY_LOG(arena, p, writes.prefix));
    return writes_commit(&writes, shell->store, guards, count, error);
}
