#include "services/coordinator/core/flow.h"

#include <string.h>

enum { HOUR_MS = 60 * 60 * 1000 };
static const int64_t HOLD_DEFAULT_MS = 24LL * HOUR_MS;

/* At rest: nothing runs that the procedure waits for. */
static bool stands_still(const struct turn *turn)
{
    const Pb__DeploymentState *const state = turn->state;

    return state->n_holds > 0 && task_main(turn) == NULL &&
           (phase_runs(state->phase) || state->phase == PB__PHASE__QUEUED);
}

/* The clocks of a held deployment at rest stand still: when they go on, they have lost nothing.
 */
static void clocks_settle(struct turn *turn)
{
    Pb__DeploymentState *const state = turn->state;

    if (stands_still(turn)) {
        if (state->still_ms == 0)
            state->still_ms = turn->now_ms;
        return;
    }
    if (state->still_ms == 0)
        return;
    if (state->phase_due_ms != 0)
        state->phase_due_ms += turn->now_ms - state->still_ms;
    if (state->cursor->sub == PB__SUB__SUB_GATE)
        state->sub_ms += turn->now_ms - state->still_ms;
    state->still_ms = 0;
}

int64_t hold_due_ms(const struct turn *turn)
{
    const Pb__DeploymentState *const state = turn->state;
    int64_t due_ms;

    if (state->still_ms == 0)
        return 0;
    due_ms = state->still_ms + or_default(turn->plan->hold_deadline_ms, HOLD_DEFAULT_MS);
    for (size_t i = 0; i < state->n_holds; i++) {
        if (state->holds[i]->until_ms >= due_ms)
            due_ms = state->holds[i]->until_ms + 1;
    }
    return due_ms;
}

static int64_t gate_due_ms(const struct turn *turn)
{
    const Pb__DeploymentState *const state = turn->state;
    const Pb__Stage *const stage = plan_stage(turn, state->cursor->stage);

    if (state->phase != PB__PHASE__ROLLING_OUT || state->cursor->sub != PB__SUB__SUB_GATE ||
        stage == NULL || stage->gate_deadline_ms == 0 || state->still_ms != 0)
        return 0;
    return state->sub_ms + stage->gate_deadline_ms;
}

static int64_t tasks_due_ms(const struct turn *turn)
{
    int64_t due_ms = 0;

    for (size_t i = 0; i < turn->state->n_tasks; i++) {
        const Pb__TaskState *const task = turn->state->tasks[i];

        if (task->retry_at_ms == 0 && (due_ms == 0 || task->deadline_ms < due_ms))
            due_ms = task->deadline_ms;
    }
    return due_ms;
}

static int64_t retry_due_ms(const struct turn *turn)
{
    int64_t due_ms = 0;

    for (size_t i = 0; i < turn->state->n_tasks; i++) {
        const Pb__TaskState *const task = turn->state->tasks[i];

        if (task->retry_at_ms != 0 && (due_ms == 0 || task->retry_at_ms < due_ms))
            due_ms = task->retry_at_ms;
    }
    return due_ms;
}

/* A WARNING hold ends by itself some time after its last incident is resolved. */
static int64_t auto_resume_due_ms(const struct turn *turn)
{
    const Pb__DeploymentState *const state = turn->state;
    int64_t last_ms = 0;

    if (turn->plan == NULL || turn->plan->auto_resume_ms == 0 ||
        !state_held_by(state, PB__HOLD_KIND__HOLD_WARNING) ||
        state_incident(state, PB__SEVERITY__WARNING) != NULL)
        return 0;
    for (size_t i = 0; i < state->n_incidents; i++) {
        if (state->incidents[i]->last_ms > last_ms)
            last_ms = state->incidents[i]->last_ms;
    }
    return last_ms + turn->plan->auto_resume_ms;
}

static int64_t phase_due_ms(const struct turn *turn)
{
    return turn->state->still_ms == 0 ? turn->state->phase_due_ms : 0;
}

static int64_t reminder_due_ms(const struct turn *turn)
{
    return turn->state->reminder_due_ms;
}

static int64_t plan_due_ms(const struct turn *turn)
{
    const bool waits = turn->plan == NULL && phase_stops(turn->state->phase);

    return waits ? turn->state->phase_ms : 0;
}

/* --- what becomes due --- */

/* Nobody answered, for a resting or held deployment. */
static void expire(struct turn *turn)
{
    const uint32_t step = turn->state->step;

    if (step <= 1) {
        deployment_exit(turn, PB__PHASE__ABORTED, "nobody answered in time");
    } else if (step < STEP_LAST) {
        stop(turn, PB__CAUSE_KIND__DECISION, "nobody answered in time, in step %u", step);
    } else {
        turn->state->phase_due_ms = 0;
        announce(turn, "page", "nobody has answered in step 7: %s", turn->state->resting_why);
    }
}

static void expire_work(struct turn *turn, Pb__TaskState *task)
{
    const uint32_t step = turn->state->step;
    const bool disable = turn->state->cursor->sub == PB__SUB__SUB_DISABLE;
    const bool waits = turn->state->cursor->sub == PB__SUB__SUB_GATE;
    const char *const what = task != NULL ? task->kind : words_step(step);

    if (disable || (step >= 2 && step <= 4 && !waits)) {
        stop(turn,
             PB__CAUSE_KIND__FAILURE,
             "deadline of step %u passed: %s did not end in time",
             step,
             what);
        return;
    }
    if (task != NULL)
        task_drop(turn, task);
    step_block(turn,
               waits
                   ? "nobody has attested in time"
                   : arena_printf(turn->arena, "deadline passed: %s did not end in time", what),
               waits ? "attest, or retry" : "find out why it takes so long, then retry");
}

static void expire_intake(struct turn *turn, Pb__TaskState *task)
{
    const struct judgement late = {
        FOUND_ERROR, "the input checks did not end in time", "", ""
    };

    task_drop(turn, task);
    intake_missing(turn, &late);
}

static void expire_task(struct turn *turn, Pb__TaskState *task)
{
    const char *const kind = task->kind;

    (void)entry_add(turn, "TaskDeadline", "%s did not end in time", kind);
    if (task->cancelling || task_is(task, TASK_BESIDE)) {
        task_drop(turn, task);
    } else if (task_is(task, TASK_UNDO)) {
        task_drop(turn, task);
        undo_block(turn, arena_printf(turn->arena, "%s did not end in time", kind), "");
    } else if (turn->state->step == 0) {
        expire_intake(turn, task);
    } else {
        expire_work(turn, task);
    }
}

static enum procedure_answer fired_task(struct turn *turn)
{
    for (size_t i = turn->state->n_tasks; i-- > 0;) {
        Pb__TaskState *const task = turn->state->tasks[i];

        if (task->retry_at_ms == 0 && task->deadline_ms <= turn->now_ms) {
            expire_task(turn, task);
            return PROCEDURE_APPLIED;
        }
    }
    return turn_stale(turn, "no task is due");
}

static enum procedure_answer fired_retry(struct turn *turn)
{
    turn->immaterial = true;
    for (size_t i = turn->state->n_tasks; i-- > 0;) {
        Pb__TaskState *const task = turn->state->tasks[i];

        if (task->retry_at_ms != 0 && task->retry_at_ms <= turn->now_ms)
            task_again(turn, task, 0);
    }
    return PROCEDURE_APPLIED;
}

static enum procedure_answer fired_phase(struct turn *turn)
{
    const Pb__Phase phase = turn->state->phase;

    (void)entry_add(turn, "PhaseDeadline", "%s did not end in time", pb_phase_name(phase));
    if (phase_intakes(phase))
        deployment_exit(turn, PB__PHASE__ABORTED, "nobody answered in time");
    else if (phase == PB__PHASE__BLOCKED)
        expire(turn);
    else if (phase == PB__PHASE__STOPPING)
        undo_block(turn,
                   "the lanes were not granted in time",
                   "see who holds them; it goes on by itself when they are granted");
    else
        expire_work(turn, task_main(turn));
    return PROCEDURE_APPLIED;
}

static enum procedure_answer fired_gate(struct turn *turn)
{
    expire_work(turn, NULL);
    return PROCEDURE_APPLIED;
}

static enum procedure_answer fired_hold(struct turn *turn)
{
    (void)entry_add(turn, "HoldDeadline", "the hold lasted too long");
    expire(turn);
    if (turn->state->step == STEP_LAST)
        turn->state->still_ms = turn->now_ms;
    return PROCEDURE_APPLIED;
}

static enum procedure_answer fired_auto_resume(struct turn *turn)
{
    (void)hold_drop(turn, PB__HOLD_KIND__HOLD_WARNING, NULL);
    return PROCEDURE_APPLIED;
}

static enum procedure_answer fired_reminder(struct turn *turn)
{
    Pb__DeploymentState *const state = turn->state;
    const bool page = phase_stops(state->phase) ||
                      (state->phase == PB__PHASE__BLOCKED && state->step == STEP_LAST);

    turn->immaterial = true;
    state->reminders++;
    state->reminder_due_ms = 0; /* Armed anew with what it waits for. */
    if (state->phase == PB__PHASE__AWAITING_INPUTS && state->reminders == 1)
        signal_blocked(turn, state->waiting_for->sentence, state->waiting_for->unblock);
    (void)entry_add(turn, "Reminded", "%s", state->waiting_for->sentence);
    announce(turn,
             page ? "page" : "reminder",
             "%s %s %s",
             state->waiting_for->sentence,
             state->waiting_for->unblock,
             state->waiting_for->otherwise);
    return PROCEDURE_APPLIED;
}

static enum procedure_answer fired_plan(struct turn *turn)
{
    if (turn->plan == NULL)
        return turn_stale(turn, "the plan %s is not at hand", turn->state->plan_hash);
    stop_assert_off(turn);
    return PROCEDURE_APPLIED;
}

/* clang-format off */
static const struct {
    const char *id;
    int64_t (*due_ms)(const struct turn *turn);
    enum procedure_answer (*fired)(struct turn *turn);
} clocks[] = {
    { "task",        tasks_due_ms,       fired_task },
    { "retry",       retry_due_ms,       fired_retry },
    { "phase",       phase_due_ms,       fired_phase },
    { "gate",        gate_due_ms,        fired_gate },
    { "hold",        hold_due_ms,        fired_hold },
    { "auto-resume", auto_resume_due_ms, fired_auto_resume },
    { "reminder",    reminder_due_ms,    fired_reminder },
    { "plan",        plan_due_ms,        fired_plan },
};
/* clang-format on */

_Static_assert(sizeof clocks / sizeof clocks[0] <= TIMERS_MAX, "timers are bounded");

static Pb__Timer *timer_find(const struct turn *turn, const char *id)
{
    for (size_t i = 0; i < turn->state->n_timers; i++) {
        if (strcmp(turn->state->timers[i]->id, id) == 0)
            return turn->state->timers[i];
    }
    return NULL;
}

enum procedure_answer timer_fired(struct turn *turn, const Pb__TimerFired *fired)
{
    Pb__Timer *const timer = timer_find(turn, fired->timer);

    if (timer == NULL || timer->armed_version != fired->armed_version)
        return turn_stale(turn,
                          "timer %s of version %llu is not armed",
                          fired->timer,
                          (unsigned long long)fired->armed_version);
    /* It fired because its time has come, whatever the broker's clock says. */
    if (turn->now_ms < timer->due_ms) {
        turn->now_ms = timer->due_ms;
        turn->state->now_ms = timer->due_ms;
    }
    timer->due_ms = 0; /* Whatever else is due by then gets a timer of its own. */
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        if (strcmp(clocks[i].id, fired->timer) == 0)
            return clocks[i].fired(turn);
    }
    return turn_stale(turn, "no timer is called %s", fired->timer);
}

void timers_settle(struct turn *turn)
{
    Pb__DeploymentState *const state = turn->state;
    Pb__Timer *wanted[TIMERS_MAX];
    size_t count = 0;

    clocks_settle(turn);
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        const int64_t due_ms = clocks[i].due_ms(turn);
        Pb__Timer *timer = timer_find(turn, clocks[i].id);

        if (due_ms == 0)
            continue;
        if (timer == NULL || timer->due_ms != due_ms) {
            timer = pb_new(turn->arena, &pb__timer__descriptor);
            timer->id = clocks[i].id;
            timer->due_ms = due_ms;
            timer->armed_version = state->version;
        }
        wanted[count++] = timer;
    }
    state->n_timers = 0;
    for (size_t i = 0; i < count; i++)
        PB_APPEND(turn->arena, state, timers, wanted[i]);
}
