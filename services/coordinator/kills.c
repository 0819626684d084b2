#include "services/coordinator/kills.h"

#include "services/coordinator/control.h"
#include "services/coordinator/core/procedure.h"
#include "services/coordinator/partition.h"
#include "services/coordinator/states.h"
#include "services/coordinator/told.h"

#include "common/wire/digest.h"
#include "services/coordinator/in_hand.h"

/* How long after its end a deployment is still looked up for a latch: long enough for any
 * outage of the coordinator, short enough that a take-over does not read all of history. */
static const int64_t ended_matters_ms = 7LL * 24 * 60 * 60 * 1000;

static struct partition *partition_of(struct coordinator *shell, const char *deployment)
{
    const char *const feature = projection_feature_of(&shell->arena, deployment);

    return partition_find(shell, bus_partition(feature, shell->partition_count));
}

void kills_remember(struct coordinator *shell, const char *deployment)
{
    struct partition *const partition = partition_of(shell, deployment);

    if (partition != NULL)
        kills_look_again(partition);
}

void kills_look_again(struct partition *partition)
{
    partition->look_at_kills = true;
}

/* A latch that the core wrote itself is no news to it. */
static bool is_own(const Pb__Kill *kill)
{
    return kill->actor != NULL && pb_same(kill->actor->via, "coordinator");
}

static bool matters(const struct coordinator *shell,
                    const struct partition *partition,
                    const Pb__Kill *kill)
{
    if (is_own(kill))
        return false;
    return live_find(&partition->live, kill->deployment) != NULL ||
           kill->at_ms + ended_matters_ms > shell_now_ms(shell);
}

/* Of the deployment and of what was seen: another latch of it is another event, and the same
 * one, found again by the next owner, is the same. */
static const char *name_of(struct arena *arena, const Pb__Kill *kill)
{
    const struct pb_bytes packed = pb_pack(arena, kill);
    char digest[DIGEST_HEX_SIZE];

    digest_sha256(packed.bytes, packed.length, digest);
    return arena_printf(arena, "kill-seen.%s.%.16s", kill->deployment, digest);
}

static enum err tell(struct coordinator *shell,
                     struct partition *partition,
                     const Pb__Kill *kill,
                     struct outbox *outbox,
                     struct error *error)
{
    Pb__DeploymentState *state = NULL;
    Pb__KillSeen *seen;
    Pb__Event *event;
    const enum err err = states_read(shell, partition, kill->deployment, &state, error);

    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err != ERR_OK)
        return err;
    if ((state->flags != NULL && state->flags->killed) || state->phase == PB__PHASE__ABORTED ||
        state->phase == PB__PHASE__ROLLED_BACK)
        return ERR_OK;
    seen = pb_new(&shell->arena, &pb__kill_seen__descriptor);
    seen->kill = pb_clone(&shell->arena, kill);
    event = told_event(&shell->arena, kill->deployment);
    event->body_case = PB__EVENT__BODY_KILL_SEEN;
    event->kill_seen = seen;
    told_add(shell, outbox, name_of(&shell->arena, kill), event);
    return ERR_OK;
}

static enum err look(struct coordinator *shell,
                     struct partition *partition,
                     struct error *error)
{
    struct outbox outbox = { .arena = &shell->arena };
    const Pb__Kill *const *kills = NULL;
    const size_t count = flag_table_kills(control_table(shell->control), &kills);
    enum err err = ERR_OK;

    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        if (partition_of(shell, kills[i]->deployment) == partition &&
            matters(shell, partition, kills[i]))
            err = tell(shell, partition, kills[i], &outbox, error);
    }
    if (err == ERR_OK)
        err = outbox_publish(shell, &outbox, error);
    in_hand_outbox(shell, &outbox, CRASH_KILLS_AFTER_PUBLISH);
    if (err == ERR_OK)
        partition->look_at_kills = false;
    return err;
}

enum err kills_turn(struct coordinator *shell, struct error *error)
{
    enum err err = ERR_OK;

    for (int32_t p = 0; p < shell->partition_count && err == ERR_OK; p++) {
        struct partition *const partition = shell->partitions[p];

        if (partition != NULL && partition->phase == PARTITION_LIVE && partition->look_at_kills)
            err = look(shell, partition, error);
    }
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "tell of latches");
}
