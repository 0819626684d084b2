#include "tests/unit/coordinator_core/explore/explore.h"
#include "tests/unit/coordinator_core/explore/plans.h"

#include <string.h>

/* flag_model.py, with the real core: whatever is written late, the latch wins. */
static void add_late(struct listing *list)
{
    struct world *world;

    if (list->world->late == LATE_WRITES) {
        world = attempt_add_world(list, "late write", WHY_FAIL);
        world->percent = world->late_percent;
        world->late = LATE_READS_AGAIN;
        world = attempt_add_world(list, "late worker dies", WHY_WELL);
        world->late = LATE_NOBODY;
    }
    if (list->world->late == LATE_READS_AGAIN) {
        world = attempt_add_world(list, "late worker reads again", WHY_WELL);
        world->percent = world->latched ? 0 : world->granted;
        world->late = LATE_NOBODY;
    }
}

/* The clocks that move work on, and those that end it. */
static bool is_due(const struct listing *list, const char *timer)
{
    return strcmp(timer, "retry") == 0 || strcmp(timer, "auto-resume") == 0 ||
           strcmp(timer, "plan") == 0 || attempt_weather(list, AROUND);
}

static void add_timer(struct listing *list, const Pb__Timer *timer, const char *label)
{
    struct arena *const arena = &list->search->scratch;
    const bool helps = strcmp(timer->id, "retry") == 0 ||
                       strcmp(timer->id, "auto-resume") == 0 || strcmp(timer->id, "plan") == 0;
    Pb__Event *const event =
        attempt_add(list, label, helps ? WHY_WELL : WHY_TIME, PB__EVENT__BODY_TIMER_FIRED);

    event->timer_fired = pb_new(arena, &pb__timer_fired__descriptor);
    event->timer_fired->timer = timer->id;
    event->timer_fired->armed_version = timer->armed_version;
}

/* The latch's own assertion shares its clocks with the work of the procedure: either may be the
 * first. */
static void add_each_first(struct listing *list, const Pb__Timer *timer)
{
    struct arena *const arena = &list->search->scratch;
    const bool retry = strcmp(timer->id, "retry") == 0;

    if ((!retry && strcmp(timer->id, "task") != 0) || !clocks_shared(list->state, retry))
        return;
    for (size_t i = 0; i < list->state->n_tasks; i++) {
        const Pb__TaskState *const task = list->state->tasks[i];

        if ((task->retry_at_ms != 0) != retry)
            continue;
        add_timer(list, timer, arena_printf(arena, "timer %s of %s", timer->id, task->kind));
        list->items[list->count - 1].state = clocks_first(arena, list->state, i);
    }
}

static void add_earlier_timer(struct listing *list, const Pb__Timer *timer)
{
    struct arena *const arena = &list->search->scratch;
    Pb__Event *const event = attempt_add(list,
                                         arena_printf(arena, "timer %s of before", timer->id),
                                         WHY_STALE,
                                         PB__EVENT__BODY_TIMER_FIRED);

    event->timer_fired = pb_new(arena, &pb__timer_fired__descriptor);
    event->timer_fired->timer = timer->id;
    event->timer_fired->armed_version = timer->armed_version - 1;
}

static void add_timers(struct listing *list)
{
    for (size_t i = 0; i < list->state->n_timers; i++) {
        const Pb__Timer *const timer = list->state->timers[i];

        if (!is_due(list, timer->id))
            continue;
        add_timer(list, timer, arena_printf(&list->search->scratch, "timer %s", timer->id));
        add_each_first(list, timer);
        add_earlier_timer(list, timer);
    }
}

/* A closed window lets step 2 finish for a while. */
static void add_grace(struct listing *list)
{
    for (size_t i = 0; i < list->state->n_holds; i++) {
        const Pb__Hold *const hold = list->state->holds[i];

        if (hold->kind != PB__HOLD_KIND__HOLD_WINDOW ||
            list->search->plan->window_grace_ms == 0 ||
            list->state->now_ms >= hold->since_ms + WINDOW_GRACE_MS)
            continue;
        (void)attempt_add_world(list, "the window's grace ends", WHY_WELL);
        list->items[list->count - 1].state =
            clocks_later(&list->search->scratch, list->state, WINDOW_GRACE_MS);
    }
}

static void add_incident(struct listing *list,
                         const char *label,
                         Pb__Severity severity,
                         bool open)
{
    Pb__Event *const event =
        attempt_add(list, label, open ? WHY_FAIL : WHY_WELL, PB__EVENT__BODY_INCIDENT);

    event->incident = pb_new(&list->search->scratch, &pb__incident_reported__descriptor);
    event->incident->cause = "alert";
    event->incident->severity = severity;
    event->incident->open = open;
}

static void add_hold(struct listing *list, Pb__HoldKind kind, const char *id, bool holds)
{
    struct arena *const arena = &list->search->scratch;
    Pb__Event *event;

    if (!holds) {
        event = attempt_add(list, id, WHY_WORLD, PB__EVENT__BODY_HOLD_SET);
        event->hold_set = pb_new(arena, &pb__hold_set__descriptor);
        event->hold_set->kind = kind;
        event->hold_set->id = id;
        return;
    }
    event = attempt_add(
        list, arena_printf(arena, "%s ends", id), WHY_WELL, PB__EVENT__BODY_HOLD_CLEARED);
    event->hold_cleared = pb_new(arena, &pb__hold_cleared__descriptor);
    event->hold_cleared->kind = kind;
    event->hold_cleared->id = id;
}

static void add_holds(struct listing *list)
{
    const bool frozen = list->world->frozen;
    const bool closed = list->world->closed;

    if (attempt_weather(list, AROUND)) {
        add_hold(list, PB__HOLD_KIND__HOLD_FREEZE, "freeze", frozen);
        attempt_world(list)->frozen = !frozen;
    }
    if (attempt_weather(list, WINDOW)) {
        add_hold(list, PB__HOLD_KIND__HOLD_WINDOW, "window", closed);
        attempt_world(list)->closed = !closed;
    }
}

/* A latch by others and its arrival at the core are one event here, or two: before it arrives
 * the provider is off, and nobody may turn it on. */
static void add_kill(struct listing *list)
{
    Pb__Event *event;

    if (list->world->latched && !list->world->unseen)
        return;
    if (!list->world->latched && attempt_weather(list, LATE)) {
        struct world *const world = attempt_add_world(list, "kill by others", WHY_WORLD);

        world->latched = true;
        world->unseen = true;
        world->granted = 0;
        world->percent = 0;
        return;
    }
    event = attempt_add(list, "kill seen", WHY_AUTO, PB__EVENT__BODY_KILL_SEEN);
    event->kill_seen = pb_new(&list->search->scratch, &pb__kill_seen__descriptor);
    event->kill_seen->kill = pb_new(&list->search->scratch, &pb__kill__descriptor);
    event->kill_seen->kill->reason = "others";
    attempt_world(list)->latched = true;
    attempt_world(list)->granted = 0;
    attempt_world(list)->unseen = false;
}

/* What a lane may say, at any time and in any order that it could. */
static void add_lanes(struct listing *list)
{
    struct arena *const arena = &list->search->scratch;
    Pb__Event *event;

    for (size_t i = 0; i < list->state->n_lanes; i++) {
        const Pb__LaneHold *const lane = list->state->lanes[i];

        if (!lane->asked)
            continue;
        event = attempt_add(list, "granted", WHY_AUTO, PB__EVENT__BODY_LANE_GRANTED);
        event->lane_granted = pb_new(arena, &pb__lane_granted__descriptor);
        event->lane_granted->lane = lane->lane;
        event->lane_granted->number = lane->number;
        event->lane_granted->grant = 1;
        event = attempt_add(
            list, "granted, an earlier request", WHY_STALE, PB__EVENT__BODY_LANE_GRANTED);
        event->lane_granted = pb_new(arena, &pb__lane_granted__descriptor);
        event->lane_granted->lane = lane->lane;
        event->lane_granted->number = lane->number - 1;
        event->lane_granted->grant = 1;
        if (!attempt_weather(list, NEWER) || list->state->superseded_by[0] != '\0' ||
            (list->state->phase != PB__PHASE__STOPPING &&
             list->state->phase != PB__PHASE__BLOCKED_ROLLBACK))
            continue;
        event = attempt_add(list, "superseded", WHY_AUTO, PB__EVENT__BODY_SUPERSEDED_BY);
        event->superseded_by = pb_new(arena, &pb__superseded_by__descriptor);
        event->superseded_by->lane = lane->lane;
        event->superseded_by->number = lane->number;
        event->superseded_by->top = "next.1";
    }
}

static void add_plan(struct listing *list, bool missing)
{
    struct arena *const arena = &list->search->scratch;
    Pb__PlanCompiled *const compiled = pb_new(arena, &pb__plan_compiled__descriptor);
    Pb__Event *const event = attempt_add(list,
                                         missing ? "plan, an input missing" : "plan",
                                         missing ? WHY_FAIL : WHY_AUTO,
                                         PB__EVENT__BODY_PLAN_COMPILED);

    event->plan_compiled = compiled;
    compiled->for_version = list->state->compile_version;
    compiled->window_open = !list->world->closed;
    if (missing) {
        PB_APPEND(arena, compiled, missing, pb_new(arena, &pb__missing_input__descriptor));
        compiled->missing[0]->input = "acceptance";
    } else {
        compiled->plan = list->search->plan;
        compiled->plan_hash = "hash";
    }
    if (list->world->frozen) {
        Pb__HoldSet *const freeze = pb_new(arena, &pb__hold_set__descriptor);

        freeze->kind = PB__HOLD_KIND__HOLD_FREEZE;
        freeze->id = "freeze";
        PB_APPEND(arena, compiled, holds, freeze);
    }
}

/* The team: it sends the acceptance again, of other content, or takes it back. */
static void add_team(struct listing *list)
{
    struct arena *const arena = &list->search->scratch;
    const bool first = strcmp(list->state->content_hash, "content") == 0;
    Pb__Event *event =
        attempt_add(list, "other acceptance", WHY_WORLD, PB__EVENT__BODY_ACCEPTANCE_RECEIVED);

    event->acceptance_received = pb_new(arena, &pb__acceptance_received__descriptor);
    event->acceptance_received->content_hash = first ? "other" : "content";
    event = attempt_add(list, "withdrawn", WHY_FORCE, PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN);
    event->acceptance_withdrawn = pb_new(arena, &pb__acceptance_withdrawn_received__descriptor);
    event->acceptance_withdrawn->withdrawal =
        pb_new(arena, &pb__acceptance_withdrawn__descriptor);
}

void attempts_of_world(struct listing *list)
{
    add_late(list);
    add_timers(list);
    add_grace(list);
    add_lanes(list);
    if (list->state->phase == PB__PHASE__PLANNING) {
        add_plan(list, false);
        if (attempt_weather(list, INTAKE))
            add_plan(list, true);
    }
    add_incident(list, "critical", PB__SEVERITY__CRITICAL, true);
    add_incident(list, "resolved", PB__SEVERITY__CRITICAL, false);
    if (attempt_weather(list, UNSURE))
        add_incident(list, "warning", PB__SEVERITY__WARNING, true);
    add_holds(list);
    if (attempt_weather(list, AROUND))
        add_kill(list);
    if (attempt_weather(list, INTAKE))
        add_team(list);
}
