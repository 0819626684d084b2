#include "tests/unit/coordinator_core/explore/explore.h"

#include <string.h>

struct listing {
    struct search *search;
    const Pb__DeploymentState *state;
    const struct world *world;
    struct attempt *items;
    size_t count;
};

uint32_t batch_bit(const Pb__Plan *plan, uint32_t change, uint32_t batch)
{
    uint32_t before = 0;

    for (uint32_t i = 0; i < change; i++)
        before += (uint32_t)plan->changes[i]->n_batches;
    return 1U << (before + batch);
}

static Pb__Event *add(struct listing *list,
                      const char *label,
                      enum why why,
                      Pb__Event__BodyCase body)
{
    struct attempt *const attempt = &list->items[list->count++];

    assert_true(list->count < ATTEMPTS_MAX);
    attempt->label = label;
    attempt->why = why;
    attempt->world = *list->world;
    attempt->event = pb_new(&list->search->scratch, &pb__event__descriptor);
    attempt->event->deployment = "pay.1";
    attempt->event->feature = "pay";
    attempt->event->body_case = body;
    return attempt->event;
}

/* Something that the core does not hear of. */
static struct world *add_world(struct listing *list, const char *label, enum why why)
{
    struct attempt *const attempt = &list->items[list->count++];

    assert_true(list->count < ATTEMPTS_MAX);
    *attempt = (struct attempt){ .label = label, .why = why, .world = *list->world };
    return &attempt->world;
}

static struct world *world_of_last(struct listing *list)
{
    return &list->items[list->count - 1].world;
}

/* --- what a worker may report --- */

static void add_findings(struct listing *list,
                         Pb__TaskFinished *finished,
                         const char *kind,
                         Pb__Verdict verdict)
{
    /* Named as the plan of a scenario names them: one check for each kind of work. */
    Pb__Finding *const finding = pb_new(&list->search->scratch, &pb__finding__descriptor);

    finding->check = kind;
    finding->required = true;
    finding->verdict = verdict;
    PB_APPEND(&list->search->scratch, finished, findings, finding);
}

static void add_outcome(struct listing *list,
                        const char *word,
                        Pb__Verdict verdict,
                        const struct world *world)
{
    const Pb__TaskState *const task = main_task(list->state);
    struct arena *const arena = &list->search->scratch;
    const bool error = verdict == PB__VERDICT__ERROR;
    Pb__Event *const event =
        add(list,
            arena_printf(
                &list->search->kept, "%s %s", task->kind, task->cancelling ? "ends" : word),
            verdict == PB__VERDICT__PASS || task->cancelling ? WHY_WELL : WHY_FAIL,
            PB__EVENT__BODY_TASK_FINISHED);

    event->task_finished = pb_new(arena, &pb__task_finished__descriptor);
    event->task_finished->task = task->task;
    event->task_finished->drive = task->drive;
    event->task_finished->coverage_bp = 10000;
    event->task_finished->outcome =
        error ? PB__OUTCOME__OUTCOME_ERROR : PB__OUTCOME__OUTCOME_OK;
    if (!error)
        add_findings(list, event->task_finished, task->kind, verdict);
    *world_of_last(list) = *world;
}

/* The world after the work was done. False if it cannot have been done well. */
static bool done_well(const struct listing *list, const char *kind, struct world *world)
{
    const Pb__Plan *const plan = list->search->plan;
    const Pb__Cursor *const cursor = list->state->cursor;
    uint32_t left = world->changed & ~world->skipped;

    if (strcmp(kind, "apply") == 0)
        world->changed |= batch_bit(plan, cursor->change, cursor->batch);
    if (strcmp(kind, "revert") == 0)
        world->changed &= ~batch_bit(plan, cursor->change, cursor->batch);
    if (strcmp(kind, "activate") == 0) {
        if (world->latched)
            return false;
        world->percent = list->state->flags->percent;
    }
    if (strcmp(kind, "disable") == 0 || strcmp(kind, "flags-off") == 0)
        world->percent = 0;
    /* The final read-back waits until no write can be under way any more. */
    if (strcmp(kind, "flags-off") == 0 && world->late != LATE_NOBODY)
        return false;
    for (uint32_t c = 0; c < plan->n_changes; c++) {
        for (uint32_t b = 0; b < plan->changes[c]->n_batches; b++) {
            if (plan->changes[c]->on_rollback == PB__ON_ROLLBACK__KEEP)
                left &= ~batch_bit(plan, c, b);
        }
    }
    if (strcmp(kind, "read-back") == 0)
        return left == 0;
    return strcmp(kind, "checks") != 0 || world->percent == 0;
}

static bool measures(const char *kind)
{
    return strcmp(kind, "apply") != 0 && strcmp(kind, "activate") != 0 &&
           strcmp(kind, "finalise") != 0 && strcmp(kind, "inputs") != 0;
}

/* The core believes the worker gone, and it is not. */
static void add_given_up(struct listing *list)
{
    const Pb__TaskState *const task = main_task(list->state);
    struct world after = *list->world;

    if (!list->search->scenario->late || strcmp(task->kind, "activate") != 0 || after.latched ||
        after.late != LATE_NOBODY)
        return;
    after.late = LATE_WRITES;
    after.late_percent = list->state->flags->percent;
    add_outcome(list, "ERROR (still writes)", PB__VERDICT__ERROR, &after);
}

/* flag_model.py, with the real core: whatever is written late, the latch wins. */
static void add_late(struct listing *list)
{
    struct world *world;

    if (list->world->late == LATE_WRITES) {
        world = add_world(list, "late write", WHY_FAIL);
        world->percent = world->late_percent;
        world->late = LATE_READS_AGAIN;
        world = add_world(list, "late worker dies", WHY_WELL);
        world->late = LATE_NOBODY;
    }
    if (list->world->late == LATE_READS_AGAIN) {
        world = add_world(list, "late worker reads again", WHY_WELL);
        world->percent = world->latched ? 0 : list->state->flags->percent;
        world->late = LATE_NOBODY;
    }
}

/* Words that come too late: of a drive that was given up, of a timer that was armed anew. */
static void add_stale(struct listing *list)
{
    const Pb__TaskState *const task = main_task(list->state);
    Pb__Event *event;

    if (task == NULL || task->drive < 2)
        return;
    event = add(list, "a word of an earlier drive", WHY_STALE, PB__EVENT__BODY_TASK_FINISHED);
    event->task_finished = pb_new(&list->search->scratch, &pb__task_finished__descriptor);
    event->task_finished->task = task->task;
    event->task_finished->drive = task->drive - 1;
    event->task_finished->coverage_bp = 10000;
    event->task_finished->outcome = PB__OUTCOME__OUTCOME_OK;
    add_findings(list, event->task_finished, task->kind, PB__VERDICT__PASS);
}

static void add_lost(struct listing *list)
{
    const Pb__TaskState *const task = main_task(list->state);
    Pb__Event *const event = add(list,
                                 arena_printf(&list->search->kept, "%s lost", task->kind),
                                 task->cancelling ? WHY_WELL : WHY_FAIL,
                                 PB__EVENT__BODY_TASK_LOST);

    event->task_lost = pb_new(&list->search->scratch, &pb__task_lost__descriptor);
    event->task_lost->task = task->task;
    event->task_lost->drive = task->drive;
}

static void add_outcomes(struct listing *list)
{
    const Pb__TaskState *const task = main_task(list->state);
    struct world after = *list->world;
    bool well;

    if (task == NULL || task->retry_at_ms != 0)
        return;
    well = done_well(list, task->kind, &after);
    add_given_up(list);
    add_lost(list);
    if (task->cancelling) {
        add_outcome(list, "", PB__VERDICT__PASS, list->world);
        if (memcmp(&after, list->world, sizeof after) != 0 && well)
            add_outcome(list, "", PB__VERDICT__PASS, &after);
        return;
    }
    if (well)
        add_outcome(list, "PASS", PB__VERDICT__PASS, &after);
    add_outcome(list, "FAIL", PB__VERDICT__FAIL, list->world);
    add_outcome(list, "ERROR", PB__VERDICT__ERROR, list->world);
    if (memcmp(&after, list->world, sizeof after) != 0) {
        add_outcome(list, "FAIL (done)", PB__VERDICT__FAIL, &after);
        add_outcome(list, "ERROR (done)", PB__VERDICT__ERROR, &after);
    }
    if (!list->search->scenario->unsure || !measures(task->kind))
        return;
    add_outcome(list, "UNSURE", PB__VERDICT__INCONCLUSIVE, list->world);
    add_outcome(list, "WARN", PB__VERDICT__WARN, list->world);
}

/* --- time and surroundings --- */

static void add_timers(struct listing *list)
{
    for (size_t i = 0; i < list->state->n_timers; i++) {
        const Pb__Timer *const timer = list->state->timers[i];
        const bool retry = strcmp(timer->id, "retry") == 0;
        Pb__Event *event;

        if (strcmp(timer->id, "reminder") == 0 ||
            (!retry && !list->search->scenario->surroundings))
            continue;
        event = add(list,
                    arena_printf(&list->search->kept, "timer %s", timer->id),
                    retry ? WHY_WELL : WHY_TIME,
                    PB__EVENT__BODY_TIMER_FIRED);
        event->timer_fired = pb_new(&list->search->scratch, &pb__timer_fired__descriptor);
        event->timer_fired->timer = timer->id;
        event->timer_fired->armed_version = timer->armed_version;
    }
}

static void add_incident(struct listing *list,
                         const char *label,
                         Pb__Severity severity,
                         bool open)
{
    Pb__Event *const event =
        add(list, label, open ? WHY_FAIL : WHY_WELL, PB__EVENT__BODY_INCIDENT);

    event->incident = pb_new(&list->search->scratch, &pb__incident_reported__descriptor);
    event->incident->cause = "alert";
    event->incident->severity = severity;
    event->incident->open = open;
}

static void add_freeze(struct listing *list)
{
    Pb__Event *event;

    if (!list->world->frozen) {
        event = add(list, "freeze", WHY_WORLD, PB__EVENT__BODY_HOLD_SET);
        event->hold_set = pb_new(&list->search->scratch, &pb__hold_set__descriptor);
        event->hold_set->kind = PB__HOLD_KIND__HOLD_FREEZE;
        event->hold_set->id = "freeze";
        world_of_last(list)->frozen = true;
        return;
    }
    event = add(list, "freeze ends", WHY_WELL, PB__EVENT__BODY_HOLD_CLEARED);
    event->hold_cleared = pb_new(&list->search->scratch, &pb__hold_cleared__descriptor);
    event->hold_cleared->kind = PB__HOLD_KIND__HOLD_FREEZE;
    event->hold_cleared->id = "freeze";
    world_of_last(list)->frozen = false;
}

/* A latch by others and its arrival at the core are one event here, or two: before it arrives
 * the provider is off, and nobody may turn it on. */
static void add_kill(struct listing *list)
{
    Pb__Event *event;

    if (list->world->latched && !list->world->unseen)
        return;
    if (!list->world->latched && list->search->scenario->late) {
        struct world *const world = add_world(list, "kill by others", WHY_WORLD);

        world->latched = true;
        world->unseen = true;
        world->percent = 0;
        return;
    }
    event = add(list, "kill seen", WHY_AUTO, PB__EVENT__BODY_KILL_SEEN);
    event->kill_seen = pb_new(&list->search->scratch, &pb__kill_seen__descriptor);
    event->kill_seen->kill = pb_new(&list->search->scratch, &pb__kill__descriptor);
    event->kill_seen->kill->reason = "others";
    world_of_last(list)->latched = true;
    world_of_last(list)->unseen = false;
}

static void add_messages(struct listing *list)
{
    Pb__Event *event;

    for (size_t i = 0; i < list->state->n_lanes; i++) {
        if (!list->state->lanes[i]->asked)
            continue;
        event = add(list, "granted", WHY_AUTO, PB__EVENT__BODY_LANE_GRANTED);
        event->lane_granted = pb_new(&list->search->scratch, &pb__lane_granted__descriptor);
        event->lane_granted->lane = list->state->lanes[i]->lane;
        event->lane_granted->number = list->state->lanes[i]->number;
        event->lane_granted->grant = 1;
    }
    if (list->state->phase != PB__PHASE__PLANNING)
        return;
    event = add(list, "plan", WHY_AUTO, PB__EVENT__BODY_PLAN_COMPILED);
    event->plan_compiled = pb_new(&list->search->scratch, &pb__plan_compiled__descriptor);
    event->plan_compiled->plan = list->search->plan;
    event->plan_compiled->plan_hash = "hash";
    event->plan_compiled->for_version = list->state->compile_version;
    event->plan_compiled->window_open = true;
    if (list->world->frozen) {
        Pb__HoldSet *const freeze = pb_new(&list->search->scratch, &pb__hold_set__descriptor);

        freeze->kind = PB__HOLD_KIND__HOLD_FREEZE;
        freeze->id = "freeze";
        PB_APPEND(&list->search->scratch, event->plan_compiled, holds, freeze);
    }
}

/* --- requests --- */

static Pb__OperatorRequest *add_request(struct listing *list,
                                        const char *label,
                                        enum why why,
                                        Pb__OperatorRequest__BodyCase body)
{
    static const char *const roles[] = { "lead", "release-engineer" };
    struct arena *const arena = &list->search->scratch;
    Pb__Event *const event = add(list, label, why, PB__EVENT__BODY_REQUEST);
    Pb__OperatorRequest *const request = pb_new(arena, &pb__operator_request__descriptor);

    request->request = "r";
    request->actor = pb_new(arena, &pb__actor__descriptor);
    request->actor->subject = "somebody";
    for (size_t i = 0; i < 2; i++)
        PB_APPEND(arena, request->actor, roles, roles[i]);
    request->reason = "because";
    request->expected_version = list->state->version;
    request->body_case = body;
    event->request = request;
    return request;
}

#define ASK(label, why, BODY) add_request(list, label, why, PB__OPERATOR_REQUEST__BODY_##BODY)

static void add_decisions(struct listing *list)
{
    struct arena *const arena = &list->search->scratch;
    Pb__OperatorRequest *request = ASK("approve", WHY_ASKED, APPROVE);

    request->approve = pb_new(arena, &pb__approve__descriptor);
    request->approve->plan_hash = list->state->plan_hash;
    for (uint32_t i = 0; i < list->search->plan->n_changes; i++)
        PB_APPEND(arena, request->approve, accept_no_return, i + 1);
    (void)ASK("reject", WHY_FORCE, REJECT);
    (void)ASK("pause", WHY_ASKED, PAUSE);
    (void)ASK("resume", WHY_ASKED, RESUME);
    (void)ASK("retry", WHY_ASKED, RETRY);
    (void)ASK("abort", WHY_FORCE, ABORT);
    (void)ASK("rollback", WHY_FORCE, ROLLBACK);
    (void)ASK("promote", WHY_ASKED, PROMOTE);
    request = ASK("replan", WHY_ASKED, REPLAN);
    request->replan = pb_new(arena, &pb__replan__descriptor);
    for (uint32_t step = 2; step <= 6; step++) {
        if (step == 4 || step == 5 || list->search->plan->n_signoffs == 0)
            continue;
        request =
            ASK(arena_printf(&list->search->kept, "sign-off %u", step), WHY_ASKED, SIGNOFF);
        request->signoff = pb_new(arena, &pb__sign_off__descriptor);
        request->signoff->step = step;
        request->signoff->accept = true;
    }
    if (list->search->plan->n_signoffs == 0)
        return;
    request = ASK("sign-off 6 rejected", WHY_ASKED, SIGNOFF);
    request->signoff = pb_new(arena, &pb__sign_off__descriptor);
    request->signoff->step = 6;
}

static void add_checks(struct listing *list)
{
    static const char *const checks[] = { "checks", "health",  "bake",    "validate",
                                          "watch",  "confirm", "observe", "finalise" };
    struct arena *const arena = &list->search->scratch;
    Pb__OperatorRequest *request = ASK("attest", WHY_ASKED, ATTEST);

    request->attest = pb_new(arena, &pb__attest__descriptor);
    request->attest->check = "stage.gate";
    request->attest->verdict = PB__VERDICT__PASS;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (list->state->phase != PB__PHASE__BLOCKED)
            break; /* Waiving ahead of time only multiplies the states. */
        request = ASK("waive", WHY_ASKED, WAIVE);
        request->waive = pb_new(arena, &pb__waive__descriptor);
        request->waive->check = checks[i];
    }
}

/* By hand: the change really is restored, or really stays. */
static void add_by_hand(struct listing *list)
{
    const Pb__DeploymentState *const state = list->state;
    Pb__OperatorRequest *request;
    uint32_t bit;

    if (state->phase != PB__PHASE__BLOCKED_ROLLBACK || state->n_applied == 0)
        return;
    bit = batch_bit(list->search->plan,
                    state->applied[state->n_applied - 1]->change,
                    state->applied[state->n_applied - 1]->batch);
    (void)ASK("mark-restored", WHY_ASKED, MARK_RESTORED);
    world_of_last(list)->changed &= ~bit;
    request = ASK("skip-change", WHY_FORCE, SKIP_CHANGE);
    request->skip_change = pb_new(&list->search->scratch, &pb__skip_change__descriptor);
    world_of_last(list)->skipped |= bit;
}

size_t attempts_list(struct search *search,
                     const Pb__DeploymentState *state,
                     const struct world *world,
                     struct attempt ret[ATTEMPTS_MAX])
{
    struct listing list = { search, state, world, ret, 0 };

    add_outcomes(&list);
    add_late(&list);
    add_stale(&list);
    add_timers(&list);
    add_messages(&list);
    add_incident(&list, "critical", PB__SEVERITY__CRITICAL, true);
    add_incident(&list, "resolved", PB__SEVERITY__CRITICAL, false);
    if (search->scenario->unsure)
        add_incident(&list, "warning", PB__SEVERITY__WARNING, true);
    if (search->scenario->surroundings) {
        add_freeze(&list);
        add_kill(&list);
    }
    add_decisions(&list);
    add_checks(&list);
    add_by_hand(&list);
    return list.count;
}
