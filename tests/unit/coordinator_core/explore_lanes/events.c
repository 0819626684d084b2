#include "tests/unit/coordinator_core/explore_lanes/lanes.h"

#include <string.h>

struct listing {
    struct atlas *atlas;
    const struct place *place;
    const Pb__DeploymentState *state;
    size_t dep;
    struct tried *items;
    size_t count;
};

static Pb__Event *add(struct listing *list, const char *what, Pb__Event__BodyCase body)
{
    struct arena *const arena = &list->atlas->scratch;
    struct tried *const tried = &list->items[list->count++];

    assert_true(list->count < TRIES_MAX);
    *tried = (struct tried){ .label = arena_printf(arena, "%c: %s", "ABC"[list->dep], what),
                             .event = pb_new(arena, &pb__event__descriptor),
                             .road = list->place->road };
    tried->event->deployment = list->state->id;
    tried->event->feature = list->state->feature;
    tried->event->body_case = body;
    return tried->event;
}

static void change(struct road *road, size_t lane, size_t dep, bool restored)
{
    uint8_t *const changed = road->changed[lane];
    size_t count = 0;

    for (size_t i = 0; i < CHANGES_MAX; i++) {
        if (changed[i] != 0 && changed[i] != dep + 1)
            changed[count++] = changed[i];
    }
    memset(changed + count, 0, CHANGES_MAX - count);
    if (!restored)
        changed[count] = (uint8_t)(dep + 1);
}

static void add_outcome(struct listing *list, const char *word, bool lost, bool done)
{
    const Pb__TaskState *const task = main_task(list->state);
    struct arena *const arena = &list->atlas->scratch;
    const size_t lane = lanes_changed_by(list->atlas, list->state);
    Pb__Event *const event = add(
        list, arena_printf(arena, "%s %s", task->kind, word), PB__EVENT__BODY_TASK_FINISHED);
    Pb__Finding *const finding = pb_new(arena, &pb__finding__descriptor);

    event->task_finished = pb_new(arena, &pb__task_finished__descriptor);
    event->task_finished->task = task->task;
    event->task_finished->drive = task->drive;
    event->task_finished->coverage_bp = 10000;
    event->task_finished->outcome = lost ? PB__OUTCOME__OUTCOME_ERROR : PB__OUTCOME__OUTCOME_OK;
    finding->check = task->kind;
    finding->required = true;
    finding->verdict = PB__VERDICT__PASS;
    if (!lost)
        PB_APPEND(arena, event->task_finished, findings, finding);
    if (done && lane < list->atlas->lane_count)
        change(&list->items[list->count - 1].road,
               lane,
               list->dep,
               strcmp(task->kind, "revert") == 0);
}

/* Nothing can be read back as restored while it is not. */
static bool can_pass(const struct listing *list, const char *kind)
{
    if (strcmp(kind, "read-back") != 0 || list->place->road.ended_badly[list->dep])
        return true;
    for (size_t lane = 0; lane < list->atlas->lane_count; lane++) {
        if (memchr(list->place->road.changed[lane], (int)list->dep + 1, CHANGES_MAX) != NULL)
            return false;
    }
    return true;
}

/* It cannot be done, or nobody knows whether it was: neither is a way to an end. */
static void add_lost(struct listing *list)
{
    add_outcome(list, "ERROR, done", true, true);
    list->items[list->count - 1].force = true;
    add_outcome(list, "ERROR, not done", true, false);
    list->items[list->count - 1].force = true;
}

static void add_timer(struct listing *list, const char *timer, bool force)
{
    struct arena *const arena = &list->atlas->scratch;

    for (size_t i = 0; i < list->state->n_timers; i++) {
        const Pb__Timer *const armed = list->state->timers[i];
        Pb__Event *event;

        if (strcmp(armed->id, timer) != 0)
            continue;
        event = add(list, arena_printf(arena, "timer %s", timer), PB__EVENT__BODY_TIMER_FIRED);
        event->timer_fired = pb_new(arena, &pb__timer_fired__descriptor);
        event->timer_fired->timer = armed->id;
        event->timer_fired->armed_version = armed->armed_version;
        list->items[list->count - 1].force = force;
    }
}

static void add_alert(struct listing *list)
{
    Pb__Event *event;

    if (list->place->road.alerts[list->dep] == 0 || list->state->step < 2)
        return;
    event = add(list, "hears the alert", PB__EVENT__BODY_INCIDENT);
    event->incident = pb_new(&list->atlas->scratch, &pb__incident_reported__descriptor);
    event->incident->cause = "alert";
    event->incident->severity = PB__SEVERITY__CRITICAL;
    event->incident->open = true;
    list->items[list->count - 1].force = true;
    list->items[list->count - 1].road.alerts[list->dep]--;
}

static void add_trouble(struct listing *list)
{
    const unsigned trouble = list->atlas->crossing->trouble;
    const bool waits =
        list->state->phase == PB__PHASE__QUEUED || list->state->phase == PB__PHASE__STOPPING;

    if ((trouble & LOST) != 0)
        add_timer(list, "retry", false);
    if ((trouble & CLOCKS) != 0 && waits && main_task(list->state) == NULL)
        add_timer(list, "phase", true);
    if ((trouble & ALERT) != 0)
        add_alert(list);
}

static void add_outcomes(struct listing *list)
{
    const Pb__TaskState *const task = main_task(list->state);

    if (task == NULL || task->retry_at_ms != 0)
        return;
    if (task->cancelling) {
        add_outcome(list, "ends, done", true, true);
        add_outcome(list, "ends, not done", true, false);
    } else if (can_pass(list, task->kind)) {
        add_outcome(list, "PASS", false, true);
        if ((list->atlas->crossing->trouble & LOST) != 0 &&
            lanes_changed_by(list->atlas, list->state) < list->atlas->lane_count)
            add_lost(list);
    }
}

static void add_freeze(struct listing *list)
{
    struct arena *const arena = &list->atlas->scratch;
    Pb__Event *event;

    for (size_t i = 0; i < list->state->n_holds; i++) {
        event = add(list, "is free again", PB__EVENT__BODY_HOLD_CLEARED);
        event->hold_cleared = pb_new(arena, &pb__hold_cleared__descriptor);
        event->hold_cleared->kind = PB__HOLD_KIND__HOLD_FREEZE;
        event->hold_cleared->id = "freeze";
        return;
    }
    if (list->place->road.freezes[list->dep] == 0)
        return;
    event = add(list, "is frozen", PB__EVENT__BODY_HOLD_SET);
    event->hold_set = pb_new(arena, &pb__hold_set__descriptor);
    event->hold_set->kind = PB__HOLD_KIND__HOLD_FREEZE;
    event->hold_set->id = "freeze";
    list->items[list->count - 1].road.freezes[list->dep]--;
}

static Pb__OperatorRequest *ask(struct listing *list,
                                const char *what,
                                Pb__OperatorRequest__BodyCase body)
{
    static const char *const roles[] = { "lead", "release-engineer" };
    struct arena *const arena = &list->atlas->scratch;
    Pb__Event *const event = add(list, what, PB__EVENT__BODY_REQUEST);

    event->request = pb_new(arena, &pb__operator_request__descriptor);
    event->request->request = "r";
    event->request->actor = pb_new(arena, &pb__actor__descriptor);
    event->request->actor->subject = "somebody";
    for (size_t i = 0; i < 2; i++)
        PB_APPEND(arena, event->request->actor, roles, roles[i]);
    event->request->reason = "because";
    event->request->expected_version = list->state->version;
    event->request->body_case = body;
    return event->request;
}

/* Ends at step 6 come by themselves or by a rollback; before that by an abort. */
static void add_requests(struct listing *list)
{
    struct atlas *const atlas = list->atlas;
    Pb__OperatorRequest *request;

    if (list->state->phase == PB__PHASE__BLOCKED_ROLLBACK) {
        const size_t lane = lanes_changed_by(atlas, list->state);

        request = ask(list, "skip-change", PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE);
        request->skip_change = pb_new(&atlas->scratch, &pb__skip_change__descriptor);
        list->items[list->count - 1].road.ended_badly[list->dep] = true;
        if (atlas->crossing->trouble != 0)
            (void)ask(list, "retry", PB__OPERATOR_REQUEST__BODY_RETRY);
        (void)ask(list, "mark-restored", PB__OPERATOR_REQUEST__BODY_MARK_RESTORED);
        if (lane < atlas->lane_count)
            change(&list->items[list->count - 1].road, lane, list->dep, true);
        return;
    }
    (void)ask(list, "abort", PB__OPERATOR_REQUEST__BODY_ABORT);
    list->items[list->count - 1].force = true;
    if (list->state->step < 6)
        return;
    (void)ask(list, "rollback", PB__OPERATOR_REQUEST__BODY_ROLLBACK);
    list->items[list->count - 1].force = true;
}

static void add_intake(struct listing *list)
{
    struct arena *const arena = &list->atlas->scratch;
    Pb__OperatorRequest *request;
    Pb__Event *event;

    if (list->state->phase == PB__PHASE__PLANNING) {
        event = add(list, "plan", PB__EVENT__BODY_PLAN_COMPILED);
        event->plan_compiled = pb_new(arena, &pb__plan_compiled__descriptor);
        event->plan_compiled->plan = list->atlas->plans[list->dep];
        event->plan_compiled->plan_hash = "hash";
        event->plan_compiled->for_version = list->state->compile_version;
        event->plan_compiled->window_open = true;
    }
    if (list->state->phase == PB__PHASE__IN_REVIEW) {
        request = ask(list, "approve", PB__OPERATOR_REQUEST__BODY_APPROVE);
        request->approve = pb_new(arena, &pb__approve__descriptor);
        request->approve->plan_hash = list->state->plan_hash;
    }
}

size_t lanes_events(struct atlas *atlas,
                    const struct scene *scene,
                    const struct place *place,
                    size_t dep,
                    struct tried ret[TRIES_MAX])
{
    struct listing list = { atlas, place, scene->deps[dep], dep, ret, 0 };

    if (procedure_is_terminal(list.state->phase))
        return 0;
    add_outcomes(&list);
    add_timer(&list, "plan", false);
    add_intake(&list);
    if (list.state->phase >= PB__PHASE__QUEUED) {
        add_freeze(&list);
        add_trouble(&list);
        add_requests(&list);
    }
    return list.count;
}
