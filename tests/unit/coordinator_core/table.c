#include "tests/unit/coordinator_core/table.h"

#include <stdlib.h>

/* --- events --- */

static void task_pass(struct play *play)
{
    (void)play_finish(play, PB__VERDICT__PASS);
}

static void task_fail(struct play *play)
{
    (void)play_finish(play, PB__VERDICT__FAIL);
}

/* Measured again, at its time, within the budget of one. */
static void again(struct play *play, void (*once)(struct play *play))
{
    once(play);
    if (play_task(play) != NULL && play_task(play)->retry_at_ms != 0) {
        (void)play_timer(play, "retry");
        once(play);
    }
}

static void unsure_once(struct play *play)
{
    (void)play_finish(play, PB__VERDICT__INCONCLUSIVE);
}

static void task_unsure(struct play *play)
{
    again(play, unsure_once);
}

static void task_warn(struct play *play)
{
    (void)play_finish(play, PB__VERDICT__WARN);
}

static void error_once(struct play *play)
{
    (void)play_error(play);
}

static void task_error(struct play *play)
{
    again(play, error_once);
}

static void lost_once(struct play *play)
{
    (void)play_lost(play);
}

static void task_is_lost(struct play *play)
{
    again(play, lost_once);
}

static void task_deadline(struct play *play)
{
    (void)play_timer(play, "task");
}

static void phase_deadline(struct play *play)
{
    (void)play_timer(play, "phase");
}

static void critical(struct play *play)
{
    (void)play_incident(play, "second", PB__SEVERITY__CRITICAL, true);
}

static void warning(struct play *play)
{
    (void)play_incident(play, "third", PB__SEVERITY__WARNING, true);
}

static void resolved(struct play *play)
{
    (void)play_incident(play, "first", PB__SEVERITY__CRITICAL, false);
}

static void kill(struct play *play)
{
    (void)play_kill_seen(play);
}

static void freeze(struct play *play)
{
    (void)play_hold(play, PB__HOLD_KIND__HOLD_FREEZE, true);
}

static void freeze_end(struct play *play)
{
    (void)play_hold(play, PB__HOLD_KIND__HOLD_FREEZE, false);
}

#define PLAIN(name, BODY)                                                                      \
    static void name(struct play *play)                                                        \
    {                                                                                          \
        (void)play_plain(play, PB__OPERATOR_REQUEST__BODY_##BODY);                             \
    }

PLAIN(do_pause, PAUSE)
PLAIN(resume, RESUME)
PLAIN(reject, REJECT)
PLAIN(retry, RETRY)
PLAIN(abort_it, ABORT)
PLAIN(roll_back, ROLLBACK)
PLAIN(mark_restored, MARK_RESTORED)
PLAIN(skip_change, SKIP_CHANGE)
PLAIN(promote, PROMOTE)
PLAIN(supply, SUPPLY)
PLAIN(replan, REPLAN)

static void pause_resume(struct play *play)
{
    do_pause(play);
    if (play->answer == PROCEDURE_APPLIED)
        resume(play);
}

static void freeze_and_end(struct play *play)
{
    freeze(play);
    if (play->answer == PROCEDURE_APPLIED)
        freeze_end(play);
}

static void approve(struct play *play)
{
    (void)play_approve(play, "devops-lead");
}

static void sign_off(struct play *play)
{
    (void)play_signoff(play, 2, "devops-lead", true);
}

static void sign_off_refused(struct play *play)
{
    (void)play_signoff(play, 2, "devops-lead", false);
}

static void attest_gate(struct play *play)
{
    (void)play_attest(play, "stage.gate", "technical-lead", PB__VERDICT__PASS);
}

/* A finding of the step it is in. */
static void waive(struct play *play)
{
    const uint32_t step = play->state->step;
    const char *check = "none";

    if (step == 2)
        check = "bake.error_rate";
    else if (step == 4)
        check = "stage.errors";
    else if (step >= 1 && play->plan->steps[step - 1]->n_checks > 0)
        check = play->plan->steps[step - 1]->checks[0]->id;
    (void)play_waive(play, check);
}

static void withdrawn(struct play *play)
{
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    event->body_case = PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN;
    event->acceptance_withdrawn =
        pb_new(&play->arena, &pb__acceptance_withdrawn_received__descriptor);
    event->acceptance_withdrawn->withdrawal =
        pb_new(&play->arena, &pb__acceptance_withdrawn__descriptor);
    (void)play_event(play, "withdrawn", event);
}

static void acceptance(struct play *play, const char *content)
{
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    event->body_case = PB__EVENT__BODY_ACCEPTANCE_RECEIVED;
    event->acceptance_received = pb_new(&play->arena, &pb__acceptance_received__descriptor);
    event->acceptance_received->content_hash = content;
    (void)play_event(play, "acceptance", event);
}

static void acceptance_same(struct play *play)
{
    acceptance(play, "content-1");
}

static void acceptance_other(struct play *play)
{
    acceptance(play, "content-2");
}

static void lane_granted(struct play *play)
{
    (void)play_granted(play);
}

static void late_word(struct play *play)
{
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    event->body_case = PB__EVENT__BODY_TASK_FINISHED;
    event->task_finished = pb_new(&play->arena, &pb__task_finished__descriptor);
    event->task_finished->task =
        play_task(play) != NULL ? play_task(play)->task : "pay.1/0/1/0";
    event->task_finished->drive = 7;
    (void)play_event(play, "late word", event);
}

static void unknown_timer(struct play *play)
{
    (void)play_timer(play, "tea");
}

/* --- the table --- */

const struct column table_columns[TABLE_COLUMNS] = {
    { "0a", at_inputs },    { "0c", at_review },
    { "0d", at_queue },     { "1", at_1 },
    { "2", at_2 },          { "2b", at_bake },
    { "3", at_3 },          { "4", at_4 },
    { "4g", at_gate },      { "4d", at_disable },
    { "5", at_5 },          { "5d", at_disable_5 },
    { "6", at_6 },          { "7s", at_send },
    { "7", at_7 },          { "B1", rest_in_1 },
    { "B2", rest_in_2 },    { "B3", rest_in_3 },
    { "B4", rest_in_4 },    { "B5", rest_in_5 },
    { "B6", rest_in_6 },    { "B7", rest_in_7 },
    { "ST", at_stop },      { "UN", at_undo },
    { "BR", rest_in_undo }, { "CO", at_completed },
    { "AB", at_aborted },   { "RD", at_rolled_back },
};

const struct row table_rows[TABLE_ROWS] = {
    { "task PASS", task_pass, true, NULL },
    { "task FAIL", task_fail, true, NULL },
    { "task INCONCLUSIVE", task_unsure, true, NULL },
    { "task WARN", task_warn, true, NULL },
    { "task ERROR", task_error, true, NULL },
    { "task lost", task_is_lost, true, NULL },
    { "task deadline", task_deadline, true, NULL },
    { "phase deadline", phase_deadline, false, "phase" },
    { "critical incident", critical, false, NULL },
    { "warning incident", warning, false, NULL },
    { "incident resolved", resolved, false, NULL },
    { "kill seen", kill, false, NULL },
    { "pause", do_pause, false, NULL },
    { "resume", resume, false, NULL },
    { "freeze", freeze, false, NULL },
    { "freeze end", freeze_end, false, NULL },
    { "pause, resume", pause_resume, false, NULL },
    { "freeze and end", freeze_and_end, false, NULL },
    { "approve", approve, false, NULL },
    { "reject", reject, false, NULL },
    { "sign-off", sign_off, false, NULL },
    { "sign-off refused", sign_off_refused, false, NULL },
    { "attest gate", attest_gate, false, NULL },
    { "waive", waive, false, NULL },
    { "mark-restored", mark_restored, false, NULL },
    { "skip-change", skip_change, false, NULL },
    { "retry", retry, false, NULL },
    { "replan", replan, false, NULL },
    { "supply", supply, false, NULL },
    { "abort", abort_it, false, NULL },
    { "rollback", roll_back, false, NULL },
    { "promote", promote, false, NULL },
    { "lane granted", lane_granted, false, NULL },
    { "withdrawn", withdrawn, false, NULL },
    { "acceptance, same", acceptance_same, false, NULL },
    { "acceptance, other", acceptance_other, false, NULL },
    { "late word", late_word, false, NULL },
    { "unknown timer", unknown_timer, false, NULL },
};

bool table_has_cell(const struct play *play, const struct row *row)
{
    return !(row->of_task && play_task(play) == NULL) &&
           (row->timer == NULL || play_has_timer(play, row->timer));
}
