#include "services/coordinator/holds.h"

#include "common/planning/compile.h"
#include "services/coordinator/control.h"
#include "services/coordinator/core/procedure.h"
#include "services/coordinator/in_hand.h"
#include "services/coordinator/partition.h"
#include "services/coordinator/states.h"
#include "services/coordinator/told.h"

#include <inttypes.h>

#define WINDOW_HOLD "window"

enum {
    LOOK_AT_LEAST_MS = 60 * 1000, /* A calendar is looked at again whatever it says. */
    TELL_AGAIN_MS = 30 * 1000,    /* What was told and not taken up is told again. */
};

static void sooner(int64_t *next_ms, int64_t at_ms, int64_t now_ms)
{
    if (at_ms > now_ms && (*next_ms == 0 || at_ms < *next_ms))
        *next_ms = at_ms;
}

static void add_hold(struct arena *arena, struct holds *holds, const Pb__HoldSet *hold)
{
    Pb__HoldSet *const copy = pb_new(arena, &pb__hold_set__descriptor);

    copy->kind = hold->kind;
    copy->id = arena_text(arena, hold->id);
    copy->reason = arena_text(arena, hold->reason);
    copy->until_ms = hold->until_ms;
    holds->items = pb_grow(arena, holds->items, holds->count, sizeof(Pb__HoldSet *));
    holds->items[holds->count++] = copy;
}

static void look_at_freeze(struct arena *arena,
                           struct holds *holds,
                           const Pb__Freeze *freeze,
                           const Pb__Plan *plan,
                           int64_t now_ms)
{
    Pb__HoldSet hold = PB__HOLD_SET__INIT;

    sooner(&holds->next_change_ms, freeze->from_ms, now_ms);
    sooner(&holds->next_change_ms, freeze->to_ms, now_ms);
    sooner(&holds->next_change_ms, freeze->lifted_ms, now_ms);
    if (!freeze_covers(freeze,
                       plan->environment,
                       (const char *const *)plan->services,
                       plan->n_services,
                       now_ms))
        return;
    hold.kind = PB__HOLD_KIND__HOLD_FREEZE;
    hold.id = freeze->id;
    hold.reason = freeze->reason;
    hold.until_ms = freeze->to_ms;
    add_hold(arena, holds, &hold);
}

static void look_at_window(struct arena *arena,
                           struct holds *holds,
                           const Pb__Plan *plan,
                           int64_t now_ms)
{
    Pb__HoldSet hold = PB__HOLD_SET__INIT;
    int64_t change_ms = 0;

    holds->window_open = plan_window_open(plan, now_ms, &change_ms);
    sooner(&holds->next_change_ms, change_ms, now_ms);
    if (holds->window_open)
        return;
    hold.kind = PB__HOLD_KIND__HOLD_WINDOW;
    hold.id = WINDOW_HOLD;
    hold.reason = "no deployment window is open";
    hold.until_ms = change_ms;
    add_hold(arena, holds, &hold);
}

struct holds holds_wanted(struct coordinator *shell, const Pb__Plan *plan, int64_t now_ms)
{
    const struct settings *const settings = shell->ports->settings;
    const Pb__Freeze *const *freezes = NULL;
    const size_t count = flag_table_freezes(control_table(shell->control), &freezes);
    struct holds holds = { 0 };

    for (size_t i = 0; i < count; i++)
        look_at_freeze(&shell->arena, &holds, freezes[i], plan, now_ms);
    for (size_t i = 0; i < settings->freeze_count; i++) {
        Pb__Freeze freeze = PB__FREEZE__INIT;

        freeze.id = settings->freezes[i].id;
        freeze.scope = settings->freezes[i].scope;
        freeze.from_ms = settings->freezes[i].from_ms;
        freeze.to_ms = settings->freezes[i].to_ms;
        freeze.reason = settings->freezes[i].reason;
        look_at_freeze(&shell->arena, &holds, &freeze, plan, now_ms);
    }
    look_at_window(&shell->arena, &holds, plan, now_ms);
    return holds;
}

static bool is_held(const Pb__DeploymentState *state, const Pb__HoldSet *wanted)
{
    for (size_t i = 0; i < state->n_holds; i++) {
        if (state->holds[i]->kind == wanted->kind && pb_same(state->holds[i]->id, wanted->id))
            return true;
    }
    return false;
}

static bool is_wanted(const struct holds *holds, const Pb__Hold *held)
{
    for (size_t i = 0; i < holds->count; i++) {
        if (holds->items[i]->kind == held->kind && pb_same(holds->items[i]->id, held->id))
            return true;
    }
    return false;
}

static const char *told_id(struct arena *arena,
                           const Pb__DeploymentState *state,
                           const char *what,
                           const char *id)
{
    return arena_printf(arena, "%s.%s.%s.%" PRIu64, state->id, what, id, state->version);
}

static void tell_begin(struct coordinator *shell,
                       struct outbox *outbox,
                       const Pb__DeploymentState *state,
                       Pb__HoldSet *hold)
{
    Pb__Event *const event = told_event(&shell->arena, state->id);

    event->body_case = PB__EVENT__BODY_HOLD_SET;
    event->hold_set = hold;
    told_add(shell, outbox, told_id(&shell->arena, state, "hold", hold->id), event);
}

static void tell_end(struct coordinator *shell,
                     struct outbox *outbox,
                     const Pb__DeploymentState *state,
                     const Pb__Hold *hold)
{
    Pb__Event *const event = told_event(&shell->arena, state->id);
    Pb__HoldCleared *const cleared = pb_new(&shell->arena, &pb__hold_cleared__descriptor);

    cleared->kind = hold->kind;
    cleared->id = hold->id;
    event->body_case = PB__EVENT__BODY_HOLD_CLEARED;
    event->hold_cleared = cleared;
    told_add(shell, outbox, told_id(&shell->arena, state, "clear", hold->id), event);
}

static void compare(struct coordinator *shell,
                    struct outbox *outbox,
                    const Pb__DeploymentState *state,
                    const struct holds *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (!is_held(state, wanted->items[i]))
            tell_begin(shell, outbox, state, wanted->items[i]);
    }
    for (size_t i = 0; i < state->n_holds; i++) {
        const Pb__Hold *const held = state->holds[i];
        const bool calendar = held->kind == PB__HOLD_KIND__HOLD_FREEZE ||
                              held->kind == PB__HOLD_KIND__HOLD_WINDOW;

        if (calendar && !is_wanted(wanted, held))
            tell_end(shell, outbox, state, held);
    }
}

/* Freezes and windows have no say over what is being taken back. */
static bool matters(const Pb__DeploymentState *state)
{
    switch (state->phase) {
    case PB__PHASE__STOPPING:
    case PB__PHASE__ROLLING_BACK:
    case PB__PHASE__BLOCKED_ROLLBACK: return false;
    default: return !procedure_is_terminal(state->phase) && !pb_same(state->plan_hash, "");
    }
}

static enum err look(struct coordinator *shell,
                     struct partition *partition,
                     struct live *live,
                     struct outbox *outbox,
                     struct error *error)
{
    const int64_t now_ms = shell_now_ms(shell);
    const size_t told = outbox->count;
    Pb__DeploymentState *state = NULL;
    Pb__Plan *plan = NULL;
    struct holds wanted;
    enum err err = states_read(shell, partition, live->id, &state, error);

    live->look_at_ms = now_ms + LOOK_AT_LEAST_MS;
    if (err != ERR_OK || !matters(state))
        return err;
    err = states_plan(shell, partition, state, &plan, error);
    if (err != ERR_OK || plan == NULL)
        return err;
    wanted = holds_wanted(shell, plan, now_ms);
    compare(shell, outbox, state, &wanted);
    if (outbox->count > told)
        live->look_at_ms = now_ms + TELL_AGAIN_MS;
    else if (wanted.next_change_ms != 0 && wanted.next_change_ms < live->look_at_ms)
        live->look_at_ms = wanted.next_change_ms;
    return ERR_OK;
}

enum err holds_turn(struct coordinator *shell, struct error *error)
{
    const int64_t now_ms = shell_now_ms(shell);
    struct outbox outbox = { .arena = &shell->arena };
    enum err err = ERR_OK;

    for (int32_t p = 0; p < shell->partition_count; p++) {
        struct partition *const partition = shell->partitions[p];

        if (partition == NULL || partition->phase != PARTITION_LIVE)
            continue;
        for (size_t i = 0; i < partition->live.count && err == ERR_OK; i++) {
            struct live *const live = &partition->live.items[i];

            if (live->look_at_ms <= now_ms)
                err = look(shell, partition, live, &outbox, error);
        }
    }
    if (err == ERR_OK)
        err = outbox_publish(shell, &outbox, error);
    in_hand_outbox(shell, &outbox, CRASH_HOLDS_AFTER_PUBLISH);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "compare freezes and windows");
}
