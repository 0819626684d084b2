/* What came of the trouble of a run: without it the trouble would prove nothing. */
#include "tests/simulation/faults.h"
#include "tests/simulation/judge.h"

#include <string.h>

static enum fault of_exit(const char *exit)
{
    if (pb_same(exit, "COMPLETED"))
        return FAULT_OF_completed;
    return pb_same(exit, "ABORTED") ? FAULT_OF_aborted : FAULT_OF_rolled_back;
}

static void count_signal(const struct judge *judge, const struct said *said, struct faults *ret)
{
    const Pb__Signal *const signal = said->signal;

    if (judge_signal(judge, signal->deployment, signal->body_case) != said)
        return; /* Said again. */
    if (signal->body_case == PB__SIGNAL__BODY_DEPLOYMENT_FINISHED)
        ret->count[of_exit(signal->deployment_finished->exit)]++;
    if (signal->body_case == PB__SIGNAL__BODY_DEPLOYMENT_BLOCKED)
        ret->count[FAULT_OF_blocked]++;
}

static bool was_lost(const struct judge *judge,
                     const Pb__TaskFinished *finished,
                     int64_t before)
{
    for (size_t i = 0; i < (size_t)before; i++) {
        const Pb__Event *const event = judge->said[i].event;

        if (event != NULL && event->body_case == PB__EVENT__BODY_TASK_LOST &&
            event->task_lost->drive >= finished->drive &&
            pb_same(event->task_lost->task, finished->task))
            return true;
    }
    return false;
}

static void count_finished(const struct judge *judge,
                           const struct said *said,
                           struct faults *ret)
{
    const Pb__TaskFinished *const finished = said->event->task_finished;

    ret->count[FAULT_OF_task_error] += finished->outcome == PB__OUTCOME__OUTCOME_ERROR;
    ret->count[FAULT_OF_task_cancelled] += finished->outcome == PB__OUTCOME__OUTCOME_CANCELLED;
    ret->count[FAULT_OF_task_drift] +=
        strncmp(finished->error, "the plan was made under configuration", 37) == 0;
    ret->count[FAULT_OF_late_word] += was_lost(judge, finished, said->order);
}

static bool was_said(const struct judge *judge, const struct said *said)
{
    for (size_t i = (size_t)said->order; i-- > 0;) {
        if (judge->said[i].topic == said->topic && strcmp(judge->said[i].id, said->id) == 0)
            return true;
    }
    return false;
}

void consequences_count(const struct judge *judge, struct faults *ret)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const said = &judge->said[i];

        ret->count[FAULT_OF_letter] += said->letter != NULL;
        ret->count[FAULT_OF_said_again] += !said->poison && was_said(judge, said);
        ret->count[FAULT_OF_task_driven_again] +=
            said->command != NULL && said->command->drive > 1;
        ret->count[FAULT_OF_latch] +=
            said->control != NULL && said->control->body_case == PB__CONTROL__BODY_KILL;
        if (said->signal != NULL)
            count_signal(judge, said, ret);
        if (said->event == NULL)
            continue;
        ret->count[FAULT_OF_task_lost] += said->event->body_case == PB__EVENT__BODY_TASK_LOST;
        ret->count[FAULT_OF_told_by_monitor] +=
            said->event->body_case == PB__EVENT__BODY_INCIDENT &&
            strncmp(said->id, "incident.", 9) != 0;
        if (said->event->body_case == PB__EVENT__BODY_TASK_FINISHED)
            count_finished(judge, said, ret);
    }
}
