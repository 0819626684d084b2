/* Ways out of every rest: what each request leads to when all goes well afterwards.
 *
 *     CO AB RD   it ends COMPLETED, ABORTED, ROLLED_BACK
 *     B1 to B7, BR   it rests again, or still
 *     -   refused */
#include "tests/unit/coordinator_core/places.h"

#include <stdlib.h>

/* --- where it rests --- */

static void unsure(struct play *play)
{
    (void)play_finish(play, PB__VERDICT__INCONCLUSIVE);
    (void)play_timer(play, "retry");
    (void)play_finish(play, PB__VERDICT__INCONCLUSIVE);
}

static void goes_well(struct play *play)
{
    (void)play_finish(play, PB__VERDICT__PASS);
}

static void goes_badly(struct play *play)
{
    (void)play_finish(play, PB__VERDICT__FAIL);
}

static void apply_failed(struct play *play)
{
    play->plan->steps[1]->on_no_go = PB__ON_NO_GO__BLOCK;
    at_2(play);
    goes_badly(play);
}

static void health_failed(struct play *play)
{
    play->plan->steps[1]->on_no_go = PB__ON_NO_GO__BLOCK;
    at_2(play);
    goes_well(play);
    goes_badly(play);
}

static void bake_unsure(struct play *play)
{
    play_until_sub(play, PB__PHASE__EXECUTING, PB__SUB__SUB_BAKE);
    unsure(play);
}

static void activation_unsure(struct play *play)
{
    play_until_sub(play, PB__PHASE__ROLLING_OUT, PB__SUB__SUB_ACTIVATE);
    unsure(play);
}

static void watch_unsure(struct play *play)
{
    at_4(play);
    unsure(play);
}

static void gate_unanswered(struct play *play)
{
    at_gate(play);
    (void)play_timer(play, "phase");
}

static void confirm_failed(struct play *play)
{
    play->plan->steps[4]->on_no_go = PB__ON_NO_GO__BLOCK;
    at_5(play);
    goes_badly(play);
    goes_well(play);
}

static void confirm_unsure(struct play *play)
{
    at_5(play);
    unsure(play);
}

static void observe_unsure(struct play *play)
{
    at_6(play);
    unsure(play);
}

static void incident_open(struct play *play)
{
    at_1(play);
    (void)play_incident(play, "early", PB__SEVERITY__WARNING, true);
    at_6(play);
    goes_well(play);
}

static void sign_off_refused(struct play *play)
{
    at_7(play);
    (void)play_signoff(play, 2, "devops-lead", false);
}

static void undoing(struct play *play)
{
    at_3(play);
    (void)play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    goes_well(play);
}

static void twice(struct play *play)
{
    goes_badly(play);
    (void)play_timer(play, "retry");
    goes_badly(play);
}

static void revert_failed(struct play *play)
{
    undoing(play);
    twice(play);
}

static void revert_by_hand(struct play *play)
{
    at_3(play);
    play->plan->changes[1]->on_rollback = PB__ON_ROLLBACK__MANUAL;
    (void)play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    goes_well(play);
}

static void read_back_failed(struct play *play)
{
    undoing(play);
    for (int i = 0; i < 3; i++)
        goes_well(play);
    assert_string_equal(play_task(play)->kind, "read-back");
    twice(play);
}

static void flags_on(struct play *play)
{
    undoing(play);
    for (int i = 0; i < 4; i++)
        goes_well(play);
    assert_string_equal(play_task(play)->kind, "flags-off");
    twice(play);
}

static void lane_not_given(struct play *play)
{
    at_6(play);
    (void)play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    goes_well(play);
    (void)play_timer(play, "phase");
}

static void superseded(struct play *play)
{
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    at_6(play);
    (void)play_incident(play, "alert", PB__SEVERITY__CRITICAL, true);
    goes_well(play);
    event->body_case = PB__EVENT__BODY_SUPERSEDED_BY;
    event->superseded_by = pb_new(&play->arena, &pb__superseded_by__descriptor);
    event->superseded_by->lane = play->state->lanes[0]->lane;
    event->superseded_by->number = play->state->lanes[0]->number;
    event->superseded_by->top = "cart.2";
    (void)play_event(play, "superseded", event);
}

/* --- what people ask for --- */

#define PLAIN(name, BODY)                                                                      \
    static void name(struct play *play)                                                        \
    {                                                                                          \
        (void)play_plain(play, PB__OPERATOR_REQUEST__BODY_##BODY);                             \
    }

PLAIN(retry, RETRY)
PLAIN(resume, RESUME)
PLAIN(abort_it, ABORT)
PLAIN(roll_back, ROLLBACK)
PLAIN(mark_restored, MARK_RESTORED)
PLAIN(skip_change, SKIP_CHANGE)
PLAIN(replan, REPLAN)
PLAIN(supply, SUPPLY)

/* The first finding that is not good. */
static void waive(struct play *play)
{
    const Pb__StepState *const step = play->state->steps[play->state->step];
    const char *check = "none";

    for (size_t i = step->n_results; i-- > 0;) {
        if (step->results[i]->verdict != PB__VERDICT__PASS)
            check = step->results[i]->check;
    }
    (void)play_waive(play, check);
}

static void attest_gate(struct play *play)
{
    (void)play_attest(play, "stage.gate", "technical-lead", PB__VERDICT__PASS);
}

static void sign_off(struct play *play)
{
    (void)play_signoff(play, 2, "devops-lead", true);
}

static void skip_first(struct play *play)
{
    Pb__OperatorRequest *const request =
        play_request_new(play, PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE, "release-engineer");

    request->skip_change = pb_new(&play->arena, &pb__skip_change__descriptor);
    request->skip_change->change = 1;
    (void)play_request(play, request);
}

static void resolve_and_retry(struct play *play)
{
    (void)play_incident(play, "early", PB__SEVERITY__WARNING, false);
    retry(play);
}

static void lane_comes(struct play *play)
{
    (void)play_granted(play);
}

struct column {
    const char *name;
    void (*ask)(struct play *play);
};

static const struct column columns[] = {
    { "retry", retry },          { "solved", resolve_and_retry },
    { "waive", waive },          { "gate", attest_gate },
    { "sign", sign_off },        { "resume", resume },
    { "replan", replan },        { "supply", supply },
    { "abort", abort_it },       { "rollb.", roll_back },
    { "marked", mark_restored }, { "skip", skip_change },
    { "skip 1", skip_first },    { "lane", lane_comes },
};

static const struct row {
    const char *name;
    void (*reach)(struct play *play);
} rows[] = {
    { "1 a check failed", rest_in_1 },
    { "2 apply failed", apply_failed },
    { "2 health failed", health_failed },
    { "2 bake unsure", bake_unsure },
    { "3 a check failed", rest_in_3 },
    { "4 activation unsure", activation_unsure },
    { "4 watch failed", rest_in_4 },
    { "4 watch unsure", watch_unsure },
    { "4 gate unanswered", gate_unanswered },
    { "5 a check failed", confirm_failed },
    { "5 unsure", confirm_unsure },
    { "6 unsure", observe_unsure },
    { "6 incident open", incident_open },
    { "7 an item failed", rest_in_7 },
    { "7 sign-off refused", sign_off_refused },
    { "R revert failed", revert_failed },
    { "R unsure", rest_in_undo },
    { "R by hand", revert_by_hand },
    { "R lane not given", lane_not_given },
    { "R superseded", superseded },
    { "R versions differ", read_back_failed },
    { "R flags are on", flags_on },
};

/* From now on all goes well. */
static const char *end_of(struct play *play)
{
    for (int i = 0; i < 400 && !procedure_is_terminal(play->state->phase); i++) {
        if (!play_well(play))
            break;
    }
    switch (play->state->phase) {
    case PB__PHASE__COMPLETED: return "CO";
    case PB__PHASE__ABORTED: return "AB";
    case PB__PHASE__ROLLED_BACK: return "RD";
    case PB__PHASE__BLOCKED_ROLLBACK: return "BR";
    case PB__PHASE__BLOCKED: return arena_printf(&play->arena, "B%u", play->state->step);
    default: return arena_printf(&play->arena, "?%d", (int)play->state->phase);
    }
}

static void write_cell(struct text *out, const struct row *row, const struct column *column)
{
    struct play *const play = calloc(1, sizeof *play);

    assert_non_null(play);
    play_open(play);
    row->reach(play);
    if (play->state->phase != PB__PHASE__BLOCKED &&
        play->state->phase != PB__PHASE__BLOCKED_ROLLBACK)
        fail_msg("%s: it does not rest:\n%s", row->name, play->story.bytes);
    column->ask(play);
    text_add(out,
             " %-6s",
             play->answer == PROCEDURE_REFUSED ? "-"
             : play->answer == PROCEDURE_STALE ? "."
                                               : end_of(play));
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
static const char expected[] =
    "                     retry  solved waive  gate   sign   resume replan supply abort  rollb. marked skip   skip 1 lane\n"
    "1 a check failed     CO     CO     CO     -      -      -      CO     CO     AB     -      -      -      -      .\n"
    "2 apply failed       CO     CO     -      -      -      -      -      -      AB     RD     -      -      -      .\n"
    "2 health failed      CO     CO     CO     -      -      -      -      -      AB     RD     -      -      -      .\n"
    "2 bake unsure        CO     CO     CO     -      -      -      -      -      AB     RD     -      -      -      .\n"
    "3 a check failed     CO     CO     CO     -      B3     -      -      -      AB     RD     -      -      -      .\n"
    "4 activation unsure  CO     CO     -      -      B4     -      -      -      AB     RD     -      -      -      .\n"
    "4 watch failed       CO     CO     CO     -      B4     -      -      -      AB     RD     -      -      -      .\n"
    "4 watch unsure       CO     CO     CO     -      B4     -      -      -      AB     RD     -      -      -      .\n"
    "4 gate unanswered    CO     CO     -      CO     B4     -      -      -      AB     RD     -      -      -      .\n"
    "5 a check failed     CO     CO     CO     -      B5     -      -      -      AB     RD     -      -      -      .\n"
    "5 unsure             CO     CO     CO     -      B5     -      -      -      AB     RD     -      -      -      .\n"
    "6 unsure             CO     CO     CO     -      B6     -      -      -      AB     RD     -      -      -      .\n"
    "6 incident open      B6     CO     -      -      B6     -      -      -      AB     RD     -      -      -      .\n"
    "7 an item failed     CO     CO     CO     -      B7     -      -      -      AB     RD     -      -      -      .\n"
    "7 sign-off refused   B7     B7     -      -      CO     -      -      -      AB     RD     -      -      -      .\n"
    "R revert failed      RD     RD     -      -      -      -      -      -      BR     BR     RD     RD     -      .\n"
    "R unsure             RD     RD     -      -      -      -      -      -      BR     BR     RD     RD     RD     .\n"
    "R by hand            BR     BR     -      -      -      -      -      -      BR     BR     RD     RD     -      .\n"
    "R lane not given     RD     RD     -      -      -      -      -      -      BR     BR     RD     RD     -      RD\n"
    "R superseded         RD     RD     -      -      -      -      -      -      BR     BR     RD     RD     -      RD\n"
    "R versions differ    RD     RD     -      -      -      -      -      -      BR     BR     -      -      RD     .\n"
    "R flags are on       RD     RD     -      -      -      -      -      -      BR     BR     -      -      RD     .\n";
/* clang-format on */

static void every_rest_has_the_ways_out_that_the_table_says(void **state)
{
    static char bytes[16 * 1024];
    struct text out = text_over(bytes, sizeof bytes);

    (void)state;
    text_add(&out, "%-20s", "");
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
        text_add(&out, " %-6s", columns[c].name);
    trim(&out);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        text_add(&out, "%-20s", rows[r].name);
        for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
            write_cell(&out, &rows[r], &columns[c]);
        trim(&out);
    }
    assert_string_equal(out.bytes, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rest_has_the_ways_out_that_the_table_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
