#include "tests/unit/coordinator_core/explore/explore.h"

#include <stdlib.h>
#include <string.h>

/* What goes out with one event, beside the states before and after it. */
struct sending {
    const struct search *search;
    const Pb__DeploymentState *before;
    const Pb__DeploymentState *after;
    const struct effects *effects;
};

static const Pb__TaskState *task_named(const Pb__DeploymentState *state, const char *name)
{
    for (size_t i = 0; i < state->n_tasks; i++) {
        if (strcmp(state->tasks[i]->task, name) == 0)
            return state->tasks[i];
    }
    return NULL;
}

static const struct effect *effect_on(const struct sending *sending,
                                      enum effect_kind kind,
                                      const char *task)
{
    for (size_t i = 0; i < sending->effects->count; i++) {
        const struct effect *const effect = &sending->effects->item[i];

        if (effect->kind == kind && strcmp(effect->task, task) == 0)
            return effect;
    }
    return NULL;
}

/* --- 4: a stable name for every piece of work, commanded, cancelled and forgotten once --- */

static const char *judge_task(const struct sending *sending, const Pb__TaskState *task)
{
    const Pb__TaskState *const was = task_named(sending->before, task->task);
    const struct effect *const command = effect_on(sending, EFFECT_COMMAND, task->task);
    const uint32_t drive = was != NULL ? was->drive : 0;
    const char *const index = strrchr(task->task, '/');

    if (task->drive > drive + 1 || task->drive < drive)
        return "invariant 4: a drive is left out";
    if ((task->drive > drive) != (command != NULL))
        return "invariant 4: a drive that nobody was asked to do, or was asked for twice";
    if (command != NULL && command->command->drive != task->drive)
        return "invariant 4: a command of another drive than the one in the state";
    if (was == NULL && strtoul(index + 1, NULL, 10) < sending->before->next_task)
        return "invariant 4: a name of work is given twice";
    if (task->cancelling && (was == NULL || !was->cancelling) &&
        effect_on(sending, EFFECT_CANCEL, task->task) == NULL)
        return "invariant 4: work is cancelled and its worker is not told";
    if (was != NULL && was->cancelling && task->drive != was->drive)
        return "invariant 8: cancelled work is driven again";
    return NULL;
}

static const char *judge_tasks(const struct sending *sending)
{
    const char *breach = NULL;

    for (size_t i = 0; i < sending->after->n_tasks && breach == NULL; i++)
        breach = judge_task(sending, sending->after->tasks[i]);
    for (size_t i = 0; i < sending->before->n_tasks && breach == NULL; i++) {
        const Pb__TaskState *const task = sending->before->tasks[i];

        if (!task->announce && task_named(sending->after, task->task) == NULL &&
            effect_on(sending, EFFECT_FORGET, task->task) == NULL)
            breach = "invariant 4: work is given up and its record stays";
    }
    return breach;
}

static bool is_wish(const struct sending *sending, const Pb__Event *event)
{
    return procedure_is_terminal(sending->before->phase) &&
           event->body_case == PB__EVENT__BODY_REQUEST;
}

static const char *judge_answer(const struct sending *sending, const Pb__Event *event)
{
    size_t answers = 0;

    for (size_t i = 0; i < sending->effects->count; i++)
        answers += sending->effects->item[i].kind == EFFECT_ANSWER;
    if (event->body_case != PB__EVENT__BODY_REQUEST)
        return answers == 0 ? NULL : "invariant 4: an answer that nobody asked for";
    return answers == (is_wish(sending, event) ? 0 : 1)
               ? NULL
               : "invariant 4: a request is not answered once";
}

/* --- 4: signals --- */

static size_t signals_of(const struct sending *sending, Pb__Signal__BodyCase body)
{
    size_t count = 0;

    for (size_t i = 0; i < sending->effects->count; i++)
        count += sending->effects->item[i].kind == EFFECT_SIGNAL &&
                 sending->effects->item[i].signal->body_case == body;
    return count;
}

static const char *judge_sequence(const struct sending *sending)
{
    uint64_t sequence = sending->before->signal_sequence;

    for (size_t i = 0; i < sending->effects->count; i++) {
        if (sending->effects->item[i].kind == EFFECT_SIGNAL &&
            sending->effects->item[i].signal->sequence != ++sequence)
            return "invariant 4: signals are not numbered one by one";
    }
    return sequence == sending->after->signal_sequence
               ? NULL
               : "invariant 4: signals are not numbered one by one";
}

static const char *judge_signals(const struct sending *sending)
{
    const Pb__DeploymentState *const before = sending->before;
    const Pb__DeploymentState *const after = sending->after;
    const bool ends =
        procedure_is_terminal(after->phase) && !procedure_is_terminal(before->phase);
    const bool deployed = before->step == 3 && after->step == 4;
    const bool off = (after->flags->killed || after->flags->disabled) &&
                     before->available_percent > 0 &&
                     before->phase != PB__PHASE__COMPLETED; /* There the feature says so. */

    if (signals_of(sending, PB__SIGNAL__BODY_DEPLOYMENT_FINISHED) != (ends ? 1 : 0))
        return "invariant 4: an end is not signalled once";
    if (signals_of(sending, PB__SIGNAL__BODY_FEATURE_DEPLOYED) != (deployed ? 1 : 0))
        return "invariant 4: what is deployed is not signalled once";
    if (signals_of(sending, PB__SIGNAL__BODY_FEATURE_WITHDRAWN) != (off ? 1 : 0))
        return "invariant 4: what is withdrawn is not signalled once";
    if (signals_of(sending, PB__SIGNAL__BODY_FEATURE_ROLLED_BACK) !=
        (ends && after->phase == PB__PHASE__ROLLED_BACK ? 1 : 0))
        return "invariant 4: what is rolled back is not signalled once";
    return judge_sequence(sending);
}

/* --- 2: control.v1 --- */

static void apply_control(const Pb__Control *control, struct world *world)
{
    if (control->body_case == PB__CONTROL__BODY_KILL) {
        world->latched = true;
        world->granted = 0;
    }
    if (control->body_case == PB__CONTROL__BODY_FLAG && !world->latched)
        world->granted = control->flag->percent;
}

static const char *judge_control(const struct sending *sending, struct world *world)
{
    bool others = false; /* Something before it that is no control record. */
    bool behind = false;

    for (size_t i = 0; i < sending->effects->count; i++) {
        const bool control = sending->effects->item[i].kind == EFFECT_CONTROL;

        behind = behind || (control && others);
        others = others || !control;
        if (control)
            apply_control(sending->effects->item[i].control, world);
    }
    if (behind)
        return "invariant 2: the latch does not go out first";
    if (sending->after->flags->killed && !world->latched)
        return "invariant 2: stopped, and no latch is written";
    if (!sending->after->flags->killed && world->granted != sending->after->flags->percent &&
        !world->latched)
        return "invariant 2: control.v1 does not hold what is granted";
    return NULL;
}

/* --- 1, 9: forward work --- */

static bool holds_lane(const struct sending *sending, const char *service)
{
    for (size_t i = 0; i < sending->after->n_lanes; i++) {
        const char *const name = strrchr(sending->after->lanes[i]->lane, '/');

        if (name != NULL && strcmp(name + 1, service) == 0)
            return sending->after->lanes[i]->grant != 0;
    }
    return false;
}

static const char *judge_lane(const struct sending *sending, const Pb__Command *command)
{
    const Pb__Change *change = NULL;

    if (command->body_case == PB__COMMAND__BODY_APPLY)
        change = command->apply->change;
    if (command->body_case == PB__COMMAND__BODY_REVERT)
        change = command->revert->change;
    if (change == NULL)
        return NULL;
    if (command->fence == NULL || command->fence->version <= sending->before->version ||
        command->fence->grant == 0)
        return "invariant 9: a fence that does not outrank all before it";
    return holds_lane(sending, change->service)
               ? NULL
               : "invariant 9: a lane is changed by one who does not hold it";
}

static const char *judge_course(const struct sending *sending,
                                const Pb__TaskState *task,
                                struct world *world)
{
    const Pb__Plan *const plan = sending->search->plan;
    const int at = course_at(plan, task->kind, sending->after->cursor);
    uint32_t before;

    if (at == COURSE_NONE || task->drive != 1)
        return NULL;
    before = course_before(plan, at);
    if (((world->passed | course_waived(plan, sending->after)) & before) != before)
        return "invariant 1: work begins before all that comes first was Go";
    world->passed = course_begun(plan, world->passed, at);
    return NULL;
}

static const char *judge_commands(const struct sending *sending, struct world *world)
{
    for (size_t i = 0; i < sending->effects->count; i++) {
        const struct effect *const effect = &sending->effects->item[i];
        const Pb__TaskState *task;
        const char *breach;

        if (effect->kind != EFFECT_COMMAND)
            continue;
        task = task_named(sending->after, effect->task);
        if (task == NULL)
            return "invariant 4: a command whose work is not in the state";
        breach = judge_lane(sending, effect->command);
        if (breach == NULL)
            breach = judge_course(sending, task, world);
        if (breach != NULL)
            return breach;
    }
    return NULL;
}

static const char *judge_completed(const struct sending *sending, const struct world *world)
{
    const Pb__Plan *const plan = sending->search->plan;
    const uint32_t passed = world->passed | course_waived(plan, sending->after);

    if (sending->after->phase != PB__PHASE__COMPLETED ||
        sending->before->phase == PB__PHASE__COMPLETED)
        return NULL;
    return (passed & course_all(plan)) == course_all(plan)
               ? NULL
               : "invariant 1: COMPLETED before all was Go";
}

const char *judge_effects(const struct search *search,
                          const Pb__DeploymentState *before,
                          const struct attempt *attempt,
                          const struct procedure_output *output,
                          struct world *world)
{
    const struct sending sending = { search, before, output->after, &output->effects };
    const char *breach = judge_control(&sending, world);

    if (breach == NULL)
        breach = judge_commands(&sending, world);
    if (breach == NULL)
        breach = judge_tasks(&sending);
    if (breach == NULL)
        breach = judge_answer(&sending, attempt->event);
    if (breach == NULL)
        breach = judge_signals(&sending);
    if (breach == NULL)
        breach = judge_completed(&sending, world);
    world->passed |= course_waived(search->plan, output->after);
    if (output->after->stop != NULL || output->after->phase == PB__PHASE__COMPLETED)
        world->passed = course_forgotten(search->plan, world->passed);
    return breach;
}
