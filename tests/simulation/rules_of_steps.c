/* The order of the steps: nothing forward is commanded before what must be Go before it has
 * been proven on the log, by the findings that the plan expects. */
#include "tests/simulation/judge.h"

#include <string.h>

/* Work of the way forward; taking back, cancelling and announcing may come at any time. */
static bool is_forward(const Pb__Command *command)
{
    switch (command->body_case) {
    case PB__COMMAND__BODY_RUN_CHECKS:
    case PB__COMMAND__BODY_APPLY:
    case PB__COMMAND__BODY_WATCH:
    case PB__COMMAND__BODY_FINALISE: return true;
    case PB__COMMAND__BODY_SET_FLAGS: return command->set_flags->percent > 0;
    default: return false;
    }
}

/* Of a request that the log had before. */
static bool is_vouched_for(const struct judge *judge,
                           const struct said *before,
                           const Pb__CheckSpec *check)
{
    for (size_t i = 0; i < (size_t)before->order; i++) {
        const Pb__Event *const event = judge->said[i].event;
        const Pb__OperatorRequest *request;

        if (event == NULL || event->body_case != PB__EVENT__BODY_REQUEST ||
            !pb_same(event->deployment, before->command->deployment))
            continue;
        request = event->request;
        if (request->body_case == PB__OPERATOR_REQUEST__BODY_ATTEST &&
            pb_same(request->attest->check, check->id) &&
            request->attest->verdict == PB__VERDICT__PASS)
            return true;
        if (request->body_case == PB__OPERATOR_REQUEST__BODY_WAIVE &&
            pb_same(request->waive->check, check->id))
            return true;
    }
    return false;
}

static bool is_good(const Pb__Finding *finding, const Pb__CheckSpec *check)
{
    return pb_same(finding->check, check->id) &&
           (finding->verdict == PB__VERDICT__PASS ||
            (finding->verdict == PB__VERDICT__WARN && check->warn_ok));
}

/* Some worker had found it good, in that step. */
static bool was_found_good(const struct judge *judge,
                           const struct said *before,
                           uint32_t step,
                           const Pb__CheckSpec *check)
{
    for (size_t i = 0; i < (size_t)before->order; i++) {
        const Pb__Event *const event = judge->said[i].event;
        const Pb__TaskFinished *finished;

        if (event == NULL || event->body_case != PB__EVENT__BODY_TASK_FINISHED ||
            !pb_same(event->deployment, before->command->deployment))
            continue;
        finished = event->task_finished;
        if (finished->outcome != PB__OUTCOME__OUTCOME_OK || judge_step(finished->task) != step)
            continue;
        for (size_t k = 0; k < finished->n_findings; k++) {
            if (is_good(finished->findings[k], check))
                return true;
        }
    }
    return false;
}

/* The watch says that it has begun to see; where that word was lost, what it saw in the end. */
static bool was_active(const struct judge *judge, const struct said *before)
{
    for (size_t i = 0; i < (size_t)before->order; i++) {
        const Pb__Event *const event = judge->said[i].event;

        if (event == NULL || !pb_same(event->deployment, before->command->deployment))
            continue;
        if (event->body_case == PB__EVENT__BODY_TASK_PROGRESS &&
            judge_step(event->task_progress->task) == 6 && event->task_progress->active)
            return true;
        if (event->body_case == PB__EVENT__BODY_TASK_FINISHED &&
            judge_step(event->task_finished->task) == 6 && event->task_finished->samples > 0)
            return true;
    }
    return false;
}

static bool step_is_proven(struct judge *judge,
                           const struct said *command,
                           const Pb__StepPlan *plan)
{
    for (size_t i = 0; i < plan->n_checks; i++) {
        const Pb__CheckSpec *const check = plan->checks[i];
        bool good;

        if (!check->required || !pb_same(check->not_applicable, ""))
            continue;
        if (pb_same(check->id, "monitoring.active") && was_active(judge, command))
            continue;
        good = pb_same(check->kind, "attest")
                   ? is_vouched_for(judge, command, check)
                   : was_found_good(judge, command, plan->step, check) ||
                         is_vouched_for(judge, command, check);
        if (!good)
            return judge_broken(judge,
                                "%s was commanded, but %s of step %u was never good",
                                command->command->task,
                                check->id,
                                plan->step);
    }
    return true;
}

/* Steps 2 and 4 are judged batch by batch and stage by stage; see below. */
static bool no_step_before_the_one_before_is_go(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const said = &judge->said[i];
        const uint32_t step = said->command != NULL ? judge_step(said->command->task) : 0;
        const Pb__Plan *plan;

        if (step < 2 || !is_forward(said->command))
            continue;
        plan = judge_plan(judge, said->command);
        if (plan == NULL)
            return judge_broken(judge, "%s has no plan", said->command->task);
        for (uint32_t before = 1; before < step; before++) {
            if (before != 2 && before != 4 &&
                !step_is_proven(judge, said, plan->steps[before - 1]))
                return false;
        }
    }
    return true;
}

/* --- the work that steps 2 and 4 consist of --- */

static bool batch_is_done(const struct judge *judge,
                          const struct said *before,
                          const Pb__Change *change,
                          const Pb__Batch *batch)
{
    for (size_t i = 0; i < (size_t)before->order; i++) {
        const Pb__Command *const command = judge->said[i].command;

        if (command != NULL && command->body_case == PB__COMMAND__BODY_APPLY &&
            pb_same(command->deployment, before->command->deployment) &&
            command->apply->change->index == change->index &&
            command->apply->batch == batch->index &&
            judge_ended_well(judge, command->task, before->order))
            return true;
    }
    return false;
}

static bool every_batch_is_done(struct judge *judge,
                                const struct said *before,
                                const Pb__Plan *plan)
{
    for (size_t c = 0; c < plan->n_changes; c++) {
        const Pb__Change *const change = plan->changes[c];

        for (size_t b = 0; b < change->n_batches; b++) {
            if (!batch_is_done(judge, before, change, change->batches[b]))
                return judge_broken(judge,
                                    "%s was commanded before change %u, batch %u was done",
                                    before->command->task,
                                    change->index,
                                    change->batches[b]->index);
        }
    }
    return true;
}

static bool no_validation_before_every_batch(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const said = &judge->said[i];
        const Pb__Plan *plan;

        if (said->command == NULL || !is_forward(said->command) ||
            judge_step(said->command->task) < 3)
            continue;
        plan = judge_plan(judge, said->command);
        if (plan == NULL || !every_batch_is_done(judge, said, plan))
            return false;
    }
    return true;
}

/* Set and watched. */
static bool stage_is_done(const struct judge *judge,
                          const struct said *before,
                          const Pb__Stage *stage)
{
    bool set = false, watched = false;

    for (size_t i = 0; i < (size_t)before->order; i++) {
        const Pb__Command *const command = judge->said[i].command;

        if (command == NULL || !pb_same(command->deployment, before->command->deployment))
            continue;
        if (command->body_case == PB__COMMAND__BODY_SET_FLAGS &&
            command->set_flags->percent == stage->percent)
            set |= judge_ended_well(judge, command->task, before->order);
        if (command->body_case == PB__COMMAND__BODY_WATCH &&
            pb_same(command->watch->kind, "stage") && command->watch->percent == stage->percent)
            watched |= judge_ended_well(judge, command->task, before->order);
    }
    return set && watched;
}

/* The stages before that one are done: all of them before step 5. */
static bool no_stage_before_the_one_before(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const said = &judge->said[i];
        const Pb__Command *const command = said->command;
        uint32_t step;
        const Pb__Plan *plan;

        if (command == NULL || !is_forward(command))
            continue;
        step = judge_step(command->task);
        if (step < 4 || (step == 4 && command->body_case != PB__COMMAND__BODY_SET_FLAGS))
            continue;
        plan = judge_plan(judge, command);
        for (size_t s = 0; plan != NULL && s < plan->n_stages; s++) {
            if (step == 4 && plan->stages[s]->percent >= command->set_flags->percent)
                break;
            if (!stage_is_done(judge, said, plan->stages[s]))
                return judge_broken(judge,
                                    "%s was commanded before the stage of %u %% was done",
                                    command->task,
                                    plan->stages[s]->percent);
        }
    }
    return true;
}

/* --- after a latch, and after the end --- */

static bool nothing_forward_after_the_latch(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const latch = &judge->said[i];

        const char *id;

        if (latch->control == NULL || latch->control->body_case != PB__CONTROL__BODY_KILL)
            continue;
        id = latch->control->kill->deployment;
        if (judge_version(latch, id) == 0)
            continue;
        for (size_t k = 0; k < judge->count; k++) {
            const struct said *const said = &judge->said[k];

            if (said->command != NULL && is_forward(said->command) &&
                pb_same(said->command->deployment, id) &&
                judge_version(said, id) > judge_version(latch, id))
                return judge_broken(judge,
                                    "%s was commanded (%s) after %s was latched (%s)",
                                    said->command->task,
                                    said->id,
                                    said->command->deployment,
                                    latch->id);
        }
    }
    return true;
}

static bool nothing_after_the_end(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Command *const command = judge->said[i].command;
        const struct said *end;

        if (command == NULL || command->body_case == PB__COMMAND__BODY_ANNOUNCE ||
            command->body_case == PB__COMMAND__BODY_CANCEL)
            continue;
        end = judge_signal(judge, command->deployment, PB__SIGNAL__BODY_DEPLOYMENT_FINISHED);
        if (end != NULL && judge_version(&judge->said[i], command->deployment) >
                               judge_version(end, command->deployment))
            return judge_broken(judge, "%s was commanded after the end", command->task);
    }
    return true;
}

const struct rule rules_of_steps[] = {
    { "no step before the one before it is Go", no_step_before_the_one_before_is_go },
    { "no validation before every batch is applied", no_validation_before_every_batch },
    { "no stage before the one before it is set and watched", no_stage_before_the_one_before },
    { "nothing forward after the latch", nothing_forward_after_the_latch },
    { "nothing after the end", nothing_after_the_end },
    { NULL, NULL },
};
