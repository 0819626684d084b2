/* Phase x event: what each event does in each phase, every cell of it.
 *
 *     0a 0c 0d   AWAITING_INPUTS with something missing, IN_REVIEW, QUEUED for a lane
 *     1 to 7     the running steps; 2 applies, 2b bakes, 4 watches a stage, 4g waits at its
 * gate, 4d and 5d set the flags to 0, 7s sends, 7 waits for sign-offs B1 to B7   BLOCKED(n); in
 * B4 and B5 the flags are set to 0 ST UN BR   STOPPING, ROLLING_BACK, BLOCKED_ROLLBACK CO AB RD
 * COMPLETED, ABORTED, ROLLED_BACK
 *     -  refused      .  stale      h  under a hold afterwards */
#include "tests/unit/coordinator_core/places.h"

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

struct column {
    const char *name;
    void (*reach)(struct play *play);
};

struct row {
    const char *name;
    void (*event)(struct play *play);
    bool of_task;      /* Only where one runs. */
    const char *timer; /* Only where it is armed. */
};

static const struct column columns[] = {
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

static const struct row rows[] = {
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

static const char *phase_code(const Pb__DeploymentState *state, char code[4])
{
    static const char *const codes[] = { "",  "0a", "0b", "0c", "0d", "1",  "2",
                                         "3", "4",  "5",  "6",  "7",  "ST", "UN",
                                         "B", "BR", "CO", "AB", "RD" };

    if (state->phase == PB__PHASE__BLOCKED) {
        code[0] = 'B';
        code[1] = (char)('0' + state->step);
        code[2] = '\0';
        return code;
    }
    if (state->phase == PB__PHASE__ROLLING_OUT && state->cursor->sub == PB__SUB__SUB_DISABLE)
        return "4d";
    if (state->phase == PB__PHASE__ROLLING_OUT && state->cursor->sub == PB__SUB__SUB_GATE)
        return "4g";
    if (state->phase == PB__PHASE__EXECUTING && state->cursor->sub == PB__SUB__SUB_BAKE)
        return "2b";
    if (state->phase == PB__PHASE__CONFIRMING && state->cursor->sub == PB__SUB__SUB_DISABLE)
        return "5d";
    if (state->phase == PB__PHASE__FINALISING && state->cursor->sub == PB__SUB__SUB_SEND)
        return "7s";
    return codes[state->phase];
}

static void write_cell(struct text *out, const struct column *column, const struct row *row)
{
    struct play *const play = calloc(1, sizeof *play);
    char cell[8] = " ";
    char code[4];
    struct text text = text_over(cell, sizeof cell);

    assert_non_null(play);
    play_open(play);
    column->reach(play);
    if ((row->of_task && play_task(play) == NULL) ||
        (row->timer != NULL && !play_has_timer(play, row->timer))) {
        text_add(&text, " ");
    } else {
        row->event(play);
        text_add(&text,
                 "%s%s",
                 play->answer == PROCEDURE_STALE        ? "."
                 : play->answer == PROCEDURE_REFUSED    ? "-"
                 : play->answer == PROCEDURE_IMPOSSIBLE ? "!!"
                                                        : phase_code(play->state, code),
                 play->answer == PROCEDURE_APPLIED && play->state->n_holds > 0 ? "h" : "");
    }
    text_add(out, " %-3s", text.bytes);
    play_close(play);
    free(play);
}

static void trim(struct text *out)
{
    while (out->length > 0 && out->bytes[out->length - 1] == ' ')
        out->bytes[--out->length] = '\0';
    text_add(out, "\n");
}

/* clang-format off */
static const char *const expected[] = {
    "                   0a  0c  0d  1   2   2b  3   4   4g  4d  5   5d  6   7s  7   B1  B2  B3  B4  B5  B6  B7  ST  UN  BR  CO  AB  RD\n",
    "task PASS                      2   2   2   4   4       B4  6   B5  7s  7                                   UN  UN\n",
    "task FAIL                      B1  UN  UN  UN  UN      UN  UN  UN  B6  B7                                  UN  UN\n",
    "task INCONCLUSIVE              B1  B2  B2  B3  B4      UN  B5  UN  B6  B7                                  UN  BR\n",
    "task WARN                      B1  B2  B2  B3  B4      UN  B5  UN  6h  B7                                  UN  BR\n",
    "task ERROR                     B1  UN  B2  B3  B4      UN  B5  UN  B6  B7                                  UN  BR\n",
    "task lost                      B1  UN  B2  B3  B4      UN  B5  UN  B6  B7                                  UN  BR\n",
    "task deadline                  B1  ST  ST  ST  ST      ST  B5  ST  B6  B7                                  UN  BR\n",
    "phase deadline     AB  AB  AB  B1  ST  ST  ST  ST  B4  ST  B5  ST  B6  B7  B7  AB  UN  UN  UN  UN  ST  B7\n",
    "critical incident  0a  0c  0d  B1  ST  ST  ST  ST  UN  ST  ST  ST  ST  ST  ST  B1  UN  UN  UN  UN  ST  ST  ST  UN  BR  CO  AB  RD\n",
    "warning incident   0a  0c  0d  1   2h  2bh 3h  4h  4gh 4dh 5h  5dh 6h  7s  7   B1  B2  B3  B4  B5  B6  B7  ST  UN  BR  CO  AB  RD\n",
    "incident resolved  .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   ST  UN  BR  .   .   RD\n",
    "kill seen          AB  AB  AB  AB  ST  ST  ST  ST  UN  ST  ST  ST  ST  ST  ST  AB  UN  UN  UN  UN  ST  ST  .   .   .   CO  .   .\n",
    "pause              0ah 0ch 0dh 1h  2h  2bh 3h  4h  4gh 4dh 5h  5dh 6h  7sh 7h  -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "resume             -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "freeze             0ah 0ch 0dh 1h  2h  2bh 3h  4h  4gh 4dh 5h  5dh 6h  7sh 7h  B1h B2h B3h B4h B5h B6h B7h .   .   .   .   .   .\n",
    "freeze end         .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .\n",
    "pause, resume      0a  0c  0d  1   2   2b  3   4   4g  4d  5   5d  6   7s  7   -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "freeze and end     0a  0c  0d  1   2   2b  3   4   4g  4d  5   5d  6   7s  7   B1  B2  B3  B4  B5  B6  B7  .   .   .   .   .   .\n",
    "approve            -   0c  -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "reject             -   AB  -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "sign-off           -   -   -   -   -   -   3   4   4g  4d  5   5d  6   7s  7   -   -   B3  B4  B5  B6  B7  -   -   -   -   -   -\n",
    "sign-off refused   -   -   -   -   -   -   3   4   4g  4d  5   5d  6   7s  B7  -   -   B3  B4  B5  B6  B7  -   -   -   -   -   -\n",
    "attest gate        -   -   -   -   -   -   -   -   4   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "waive              -   -   -   1   2   2b  3   4   4g  4d  5   5d  6   7s  7   0d  2   4   4   4   7s  7   -   -   -   -   -   -\n",
    "mark-restored      -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   UN  -   -   -\n",
    "skip-change        -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   UN  -   -   -\n",
    "retry              0b  0b  0b  -   -   -   -   -   -   -   -   -   -   -   -   0d  2   3   4   4   6   7s  -   -   UN  -   AB  RD\n",
    "replan             0b  0b  0b  0b  -   -   -   -   -   -   -   -   -   -   -   0b  -   -   -   -   -   -   -   -   -   -   -   -\n",
    "supply             0b  0b  0b  0b  -   -   -   -   -   -   -   -   -   -   -   0b  -   -   -   -   -   -   -   -   -   -   -   -\n",
    "abort              AB  AB  AB  AB  ST  ST  ST  ST  UN  ST  ST  ST  ST  ST  ST  AB  UN  UN  UN  UN  ST  ST  ST  UN  BR  -   -   -\n",
    "rollback           -   -   -   -   ST  ST  ST  ST  UN  ST  ST  ST  ST  ST  ST  -   UN  UN  UN  UN  ST  ST  ST  UN  BR  CO  -   -\n",
    "promote            -   -   -   -   -   2b  -   4   -   -   -   -   6   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "lane granted       .   .   1   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .\n",
    "withdrawn          AB  AB  AB  AB  ST  ST  ST  ST  UN  ST  ST  ST  ST  7s  7   AB  UN  UN  UN  UN  ST  B7  ST  UN  BR  CO  AB  RD\n",
    "acceptance, same   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .\n",
    "acceptance, other  0b  0b  0b  1   2   2b  3   4   4g  4d  5   5d  6   7s  7   B1  B2  B3  B4  B5  B6  B7  ST  UN  BR  .   .   .\n",
    "late word          .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .\n",
    "unknown timer      .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .\n",
};
/* clang-format on */

static void every_event_does_in_every_phase_what_the_table_says(void **state)
{
    char bytes[256];
    struct text out = text_over(bytes, sizeof bytes);

    (void)state;
    text_add(&out, "%-18s", "");
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
        text_add(&out, " %-3s", columns[c].name);
    trim(&out);
    assert_string_equal(out.bytes, expected[0]);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        text_reset(&out);
        text_add(&out, "%-18s", rows[r].name);
        for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
            write_cell(&out, &columns[c], &rows[r]);
        trim(&out);
        assert_string_equal(out.bytes, expected[r + 1]);
    }
}

_Static_assert(sizeof expected / sizeof expected[0] == sizeof rows / sizeof rows[0] + 1,
               "a line for each row");

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_does_in_every_phase_what_the_table_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
