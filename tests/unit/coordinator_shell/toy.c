/* A procedure of three tasks in place of the real core, so that the shell's own promises are
 * tested without the real one's: acceptance, plan, three tasks, completed; or stop, cancel,
 * latch, rolled back. */
#include "tests/unit/coordinator_shell/toy.h"
#include "common/config/feature.h"
#include "common/planning/compile.h"
#include "services/coordinator/core/feature.h"
#include "services/coordinator/core/lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TASKS = 3, TASK_MS = 60000 };

struct toy {
    struct arena *arena;
    const struct procedure_input *input;
    struct procedure_output *out;
    Pb__DeploymentState *state;
};

static struct effect *effect(struct effects *effects, enum effect_kind kind)
{
    effects->item[effects->count] =
        (struct effect){ .kind = kind, .worker = "", .task = "", .key = "" };
    return &effects->item[effects->count++];
}

static void entry(struct toy *toy, const char *type)
{
    Pb__TimelineEntry *const entry = pb_new(toy->arena, &pb__timeline_entry__descriptor);

    entry->deployment = toy->state->id;
    entry->version = toy->state->version;
    entry->at_ms = toy->state->now_ms;
    entry->type = type;
    effect(&toy->out->effects, EFFECT_ENTRY)->entry = entry;
}

static void arm(struct toy *toy, int64_t due_ms)
{
    Pb__Timer *const timer = pb_new(toy->arena, &pb__timer__descriptor);

    timer->id = "task";
    timer->due_ms = due_ms;
    timer->armed_version = toy->state->version;
    toy->state->n_timers = 0;
    PB_APPEND(toy->arena, toy->state, timers, timer);
}

static void command(struct toy *toy, Pb__TaskState *task)
{
    Pb__Command *const command = pb_new(toy->arena, &pb__command__descriptor);
    struct effect *const made = effect(&toy->out->effects, EFFECT_COMMAND);

    task->drive++;
    command->deployment = toy->state->id;
    command->feature = toy->state->feature;
    command->task = task->task;
    command->drive = task->drive;
    command->deadline_ms = toy->state->now_ms + TASK_MS;
    command->body_case = PB__COMMAND__BODY_RUN_CHECKS;
    command->run_checks = pb_new(toy->arena, &pb__run_checks__descriptor);
    made->worker = "prechecks";
    made->task = task->task;
    made->command = command;
    arm(toy, command->deadline_ms);
}

static void start_task(struct toy *toy)
{
    Pb__TaskState *const task = pb_new(toy->arena, &pb__task_state__descriptor);

    toy->state->step++;
    task->task = arena_printf(toy->arena, "%s/%u/1/0", toy->state->id, toy->state->step);
    task->worker = "prechecks";
    toy->state->n_tasks = 0;
    PB_APPEND(toy->arena, toy->state, tasks, task);
    command(toy, task);
}

static void forget_task(struct toy *toy)
{
    effect(&toy->out->effects, EFFECT_FORGET)->task = toy->state->tasks[0]->task;
    toy->state->n_tasks = 0;
    toy->state->n_timers = 0;
}

static void end(struct toy *toy, Pb__Phase phase, const char *exit)
{
    Pb__Signal *const signal = pb_new(toy->arena, &pb__signal__descriptor);

    toy->state->phase = phase;
    signal->feature = toy->state->feature;
    signal->deployment = toy->state->id;
    signal->sequence = ++toy->state->signal_sequence;
    signal->body_case = PB__SIGNAL__BODY_DEPLOYMENT_FINISHED;
    signal->deployment_finished = pb_new(toy->arena, &pb__deployment_finished__descriptor);
    signal->deployment_finished->exit = exit;
    effect(&toy->out->effects, EFFECT_SIGNAL)->signal = signal;
    (void)effect(&toy->out->effects, EFFECT_ARCHIVE);
    entry(toy, "Ended");
}

static void latch(struct toy *toy)
{
    Pb__Control *const control = pb_new(toy->arena, &pb__control__descriptor);
    struct effect *const made = effect(&toy->out->effects, EFFECT_CONTROL);

    toy->state->flags = pb_new(toy->arena, &pb__flags_state__descriptor);
    toy->state->flags->killed = true;
    control->body_case = PB__CONTROL__BODY_KILL;
    control->kill = pb_new(toy->arena, &pb__kill__descriptor);
    control->kill->deployment = toy->state->id;
    control->kill->at_ms = toy->state->now_ms;
    made->key = arena_printf(toy->arena, "kill/%s", toy->state->id);
    made->control = control;
}

static void stop(struct toy *toy)
{
    latch(toy);
    entry(toy, "Stop");
    toy->state->phase = PB__PHASE__STOPPING;
    if (toy->state->n_tasks == 0) {
        end(toy, PB__PHASE__ROLLED_BACK, "ROLLED_BACK");
        return;
    }
    toy->state->tasks[0]->cancelling = true;
    struct effect *const made = effect(&toy->out->effects, EFFECT_CANCEL);

    made->worker = "prechecks";
    made->task = toy->state->tasks[0]->task;
    made->command = pb_new(toy->arena, &pb__command__descriptor);
    made->command->deployment = toy->state->id;
    made->command->feature = toy->state->feature;
    made->command->task = made->task;
    made->command->body_case = PB__COMMAND__BODY_CANCEL;
    made->command->cancel = pb_new(toy->arena, &pb__cancel__descriptor);
    made->command->cancel->task = made->task;
}

static enum procedure_answer task_word(struct toy *toy,
                                       const char *task,
                                       uint32_t drive,
                                       bool ok)
{
    if (toy->state->n_tasks == 0 || strcmp(toy->state->tasks[0]->task, task) != 0 ||
        toy->state->tasks[0]->drive != drive)
        return PROCEDURE_STALE;
    if (toy->state->tasks[0]->cancelling) {
        forget_task(toy);
        end(toy, PB__PHASE__ROLLED_BACK, "ROLLED_BACK");
    } else if (!ok) {
        command(toy, toy->state->tasks[0]);
        entry(toy, "Again");
    } else {
        forget_task(toy);
        if (toy->state->step == TASKS)
            end(toy, PB__PHASE__COMPLETED, "COMPLETED");
        else
            start_task(toy);
    }
    return PROCEDURE_APPLIED;
}

static enum procedure_answer answer_request(struct toy *toy, const Pb__OperatorRequest *request)
{
    const bool applied = request->body_case == PB__OPERATOR_REQUEST__BODY_ABORT;
    struct effect *const made = effect(&toy->out->effects, EFFECT_ANSWER);

    made->answer = (struct effect_answer){ .request = request->request,
                                           .applied = applied,
                                           .code = applied ? "" : "not-now",
                                           .detail = applied ? "" : "The toy cannot \"do\" it.",
                                           .remedy = "" };
    if (!applied)
        return PROCEDURE_REFUSED;
    stop(toy);
    return PROCEDURE_APPLIED;
}

static enum procedure_answer set_hold(struct toy *toy, const Pb__HoldSet *set)
{
    Pb__Hold *const hold = pb_new(toy->arena, &pb__hold__descriptor);

    hold->kind = set->kind;
    hold->id = arena_text(toy->arena, set->id);
    PB_APPEND(toy->arena, toy->state, holds, hold);
    entry(toy, "Held");
    return PROCEDURE_APPLIED;
}

static enum procedure_answer clear_hold(struct toy *toy, const Pb__HoldCleared *cleared)
{
    for (size_t i = 0; i < toy->state->n_holds; i++) {
        if (strcmp(toy->state->holds[i]->id, cleared->id) != 0)
            continue;
        PB_REMOVE(toy->state, holds, i);
        entry(toy, "Cleared");
        return PROCEDURE_APPLIED;
    }
    return PROCEDURE_STALE;
}

static enum procedure_answer on_timer(struct toy *toy, const Pb__TimerFired *fired)
{
    if (toy->state->n_timers == 0 ||
        toy->state->timers[0]->armed_version != fired->armed_version)
        return PROCEDURE_STALE;
    entry(toy, "Deadline");
    arm(toy, toy->state->now_ms + TASK_MS);
    return PROCEDURE_APPLIED;
}

static void be_born(struct toy *toy, const Pb__Event *event)
{
    toy->state->id = arena_text(toy->arena, event->deployment);
    toy->state->feature = arena_text(toy->arena, event->feature);
    toy->state->environment = "production";
    toy->state->phase = PB__PHASE__AWAITING_INPUTS;
    entry(toy, "Born");
    if (strcmp(event->attempt_created->acceptance->title, TOY_UNPLANNED) == 0)
        return;
    toy->state->phase = PB__PHASE__PLANNING;
    effect(&toy->out->effects, EFFECT_COMPILE)->approach = "rolling";
}

static enum procedure_answer handle(struct toy *toy)
{
    const Pb__Event *const event = toy->input->event;

    switch (event->body_case) {
    case PB__EVENT__BODY_ATTEMPT_CREATED:
        if (toy->input->before != NULL)
            return PROCEDURE_STALE;
        be_born(toy, event);
        return PROCEDURE_APPLIED;
    case PB__EVENT__BODY_PLAN_COMPILED:
        if (toy->state->phase != PB__PHASE__PLANNING)
            return PROCEDURE_STALE;
        toy->state->plan_hash = arena_text(toy->arena, event->plan_compiled->plan_hash);
        toy->state->phase = PB__PHASE__CHECKING;
        start_task(toy);
        return PROCEDURE_APPLIED;
    case PB__EVENT__BODY_TASK_FINISHED:
        return task_word(toy,
                         event->task_finished->task,
                         event->task_finished->drive,
                         event->task_finished->outcome == PB__OUTCOME__OUTCOME_OK);
    case PB__EVENT__BODY_TASK_LOST:
        return task_word(toy, event->task_lost->task, event->task_lost->drive, false);
    case PB__EVENT__BODY_REQUEST: return answer_request(toy, event->request);
    case PB__EVENT__BODY_HOLD_SET: return set_hold(toy, event->hold_set);
    case PB__EVENT__BODY_HOLD_CLEARED: return clear_hold(toy, event->hold_cleared);
    case PB__EVENT__BODY_TIMER_FIRED: return on_timer(toy, event->timer_fired);
    case PB__EVENT__BODY_KILL_SEEN: stop(toy); return PROCEDURE_APPLIED;
    case PB__EVENT__BODY_INCIDENT:
        if (strcmp(event->incident->cause, TOY_POISON) == 0)
            toy_poison();
        return PROCEDURE_IMPOSSIBLE;
    default: return PROCEDURE_IMPOSSIBLE;
    }
}

enum procedure_answer procedure_step(struct arena *arena,
                                     const struct procedure_input *input,
                                     struct procedure_output *ret)
{
    struct toy toy = { arena, input, ret, NULL };
    enum procedure_answer answer;

    toy.state = input->before != NULL ? pb_clone(arena, input->before)
                                      : pb_new(arena, &pb__deployment_state__descriptor);
    toy.state->version++;
    if (input->at_ms > toy.state->now_ms)
        toy.state->now_ms = input->at_ms;
    answer = procedure_is_terminal(toy.state->phase) ? PROCEDURE_STALE : handle(&toy);
    ret->after = toy.state;
    if (answer == PROCEDURE_IMPOSSIBLE)
        (void)snprintf(ret->why, sizeof ret->why, "the toy does not know that");
    return answer;
}

bool procedure_is_terminal(Pb__Phase phase)
{
    return phase == PB__PHASE__COMPLETED || phase == PB__PHASE__ABORTED ||
           phase == PB__PHASE__ROLLED_BACK;
}

enum procedure_answer feature_step(struct arena *arena,
                                   const struct feature_input *input,
                                   struct feature_output *ret)
{
    Pb__FeatureState *const state = input->before != NULL
                                        ? pb_clone(arena, input->before)
                                        : pb_new(arena, &pb__feature_state__descriptor);
    Pb__Event *const event = pb_new(arena, &pb__event__descriptor);
    struct effect *made;

    if (input->event->body_case == PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN)
        (void)snprintf(ret->why, sizeof ret->why, "the toy withdraws nothing");
    if (input->event->body_case == PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN)
        return PROCEDURE_IMPOSSIBLE;
    if (input->event->body_case != PB__EVENT__BODY_ACCEPTANCE_RECEIVED)
        return PROCEDURE_STALE;
    if (state->n_seen > 0 &&
        strcmp(state->seen[0], input->event->acceptance_received->content_hash) == 0)
        return PROCEDURE_STALE;
    state->feature = input->event->feature;
    state->version++;
    state->attempts++;
    state->n_seen = 0;
    PB_APPEND(arena, state, seen, input->event->acceptance_received->content_hash);
    event->feature = state->feature;
    event->deployment = arena_printf(arena, "%s.%u", state->feature, state->attempts);
    event->body_case = PB__EVENT__BODY_ATTEMPT_CREATED;
    event->attempt_created = pb_new(arena, &pb__attempt_created__descriptor);
    event->attempt_created->acceptance = input->event->acceptance_received->acceptance;
    made = effect(&ret->effects, EFFECT_EVENT);
    made->key = state->feature;
    made->event = event;
    ret->after = state;
    return PROCEDURE_APPLIED;
}

enum procedure_answer lane_step(struct arena *arena,
                                const struct lane_input *input,
                                struct lane_output *ret)
{
    (void)arena;
    (void)input;
    (void)ret;
    return PROCEDURE_STALE;
}

Pb__PlanCompiled *plan_compile(struct arena *arena, const struct plan_request *request)
{
    Pb__PlanCompiled *const compiled = pb_new(arena, &pb__plan_compiled__descriptor);

    compiled->plan = pb_new(arena, &pb__plan__descriptor);
    compiled->plan->feature = request->acceptance->feature;
    compiled->plan->environment = request->acceptance->environment;
    compiled->plan->approach = request->approach;
    compiled->plan->services = request->acceptance->services;
    compiled->plan->n_services = request->acceptance->n_services;
    if (strcmp(request->acceptance->title, TOY_LARGE) == 0)
        compiled->plan->title = arena_printf(arena, "%0*d", PB_RECORD_MAX, 0);
    compiled->plan_hash = "toy-plan";
    return compiled;
}

bool plan_window_open(const Pb__Plan *plan, int64_t at_ms, int64_t *ret_next_change_ms)
{
    const bool open = strcmp(plan->feature, TOY_NIGHT) != 0 || at_ms >= TOY_NIGHT_ENDS_MS;

    *ret_next_change_ms = open ? 0 : TOY_NIGHT_ENDS_MS;
    return open;
}

enum err acceptance_check(struct arena *arena,
                          const Pb__AcceptanceSignedOff *acceptance,
                          const char **ret_field,
                          struct error *error)
{
    (void)arena;
    if (strcmp(acceptance->title, "bad") != 0)
        return ERR_OK;
    *ret_field = "title";
    return error_set(error, ERR_INVALID, "title: the toy takes no bad ones");
}

const char *acceptance_hash(struct arena *arena, const Pb__AcceptanceSignedOff *acceptance)
{
    return arena_printf(arena, "hash-of-%s", acceptance->title);
}
