#include "services/coordinator/timers.h"

#include "services/coordinator/in_hand.h"
#include "services/coordinator/partition.h"
#include "services/coordinator/told.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TIMERS_PER_TURN = 256, NUMBER_BASE = 10 };

/* A member of {p}:timers, taken apart. */
struct due_timer {
    const char *deployment;
    const char *timer;
    uint64_t armed_version;
};

const char *timers_member(struct arena *arena, const char *deployment, const Pb__Timer *timer)
{
    return arena_printf(arena, "%s %s %" PRIu64, deployment, timer->id, timer->armed_version);
}

/* Deployment and version hold no space, so the first and the last one separate. */
static bool member_read(struct arena *arena, const char *member, struct due_timer *ret)
{
    const char *const first = strchr(member, ' ');
    const char *const last = strrchr(member, ' ');

    if (first == NULL || last == first)
        return false;
    ret->deployment = arena_copy(arena, member, (size_t)(first - member));
    ret->timer = arena_copy(arena, first + 1, (size_t)(last - first - 1));
    ret->armed_version = strtoull(last + 1, NULL, NUMBER_BASE);
    return true;
}

static void fire(struct coordinator *shell, struct outbox *outbox, const struct due_timer *due)
{
    Pb__Event *const event = told_event(&shell->arena, due->deployment);
    Pb__TimerFired *const fired = pb_new(&shell->arena, &pb__timer_fired__descriptor);

    fired->timer = due->timer;
    fired->armed_version = due->armed_version;
    event->body_case = PB__EVENT__BODY_TIMER_FIRED;
    event->timer_fired = fired;
    told_add(shell,
             outbox,
             arena_printf(&shell->arena,
                          "%s.timer.%s.%" PRIu64,
                          due->deployment,
                          due->timer,
                          due->armed_version),
             event);
}

static enum err look(struct coordinator *shell,
                     struct partition *partition,
                     struct outbox *outbox,
                     struct error *error)
{
    struct writes over = partition_writes(shell, partition);
    const struct store_range range = {
        .key = KEY_TIMERS(&shell->arena, partition->number, shell_prefix(shell)),
        .min = INT64_MIN,
        .max = shell_now_ms(shell),
        .limit = TIMERS_PER_TURN,
    };
    struct store_member *members = NULL;
    size_t count = 0;
    const enum err err = shell->store.sorted_range(
        shell->store.self, &shell->arena, &range, &members, &count, error);

    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < count; i++) {
        struct due_timer due;
        struct live *live = NULL;

        if (member_read(&shell->arena, members[i].name, &due))
            live = live_find(&partition->live, due.deployment);
        if (live == NULL)
            writes_sorted_remove(&over, range.key, members[i].name);
        else if (live_may_fire(live, due.timer, due.armed_version, shell_now_ms(shell)))
            fire(shell, outbox, &due);
    }
    return partition_sweep(shell, partition, &over, error);
}

enum err timers_turn(struct coordinator *shell, struct error *error)
{
    struct outbox outbox = { .arena = &shell->arena };
    enum err err = ERR_OK;

    for (int32_t p = 0; p < shell->partition_count && err == ERR_OK; p++) {
        if (shell->partitions[p] != NULL && shell->partitions[p]->phase == PARTITION_LIVE)
            err = look(shell, shell->partitions[p], &outbox, error);
    }
    if (err == ERR_OK)
        err = outbox_publish(shell, &outbox, error);
    in_hand_outbox(shell, &outbox, CRASH_TIMERS_AFTER_PUBLISH);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "fire timers");
}
