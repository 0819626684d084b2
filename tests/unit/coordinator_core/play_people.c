#include "tests/unit/coordinator_core/play.h"

static const char *request_label(Pb__OperatorRequest__BodyCase body)
{
    static const char *const names[] = { "approve", "reject",   "signoff",       "attest",
                                         "pause",   "resume",   "retry",         "waive",
                                         "abort",   "rollback", "mark-restored", "skip-change",
                                         "promote", "supply",   "replan" };

    return names[body - PB__OPERATOR_REQUEST__BODY_APPROVE];
}

Pb__OperatorRequest *play_request_new(struct play *play,
                                      Pb__OperatorRequest__BodyCase body,
                                      const char *role)
{
    Pb__OperatorRequest *const request =
        pb_new(&play->arena, &pb__operator_request__descriptor);

    request->request = arena_printf(&play->arena, "r%llu", (unsigned long long)play->events);
    request->actor = pb_new(&play->arena, &pb__actor__descriptor);
    request->actor->subject = role;
    PB_APPEND(&play->arena, request->actor, roles, role);
    request->role = role;
    request->reason = "because";
    request->expected_version = play->state->version;
    request->body_case = body;
    /* One union holds them all; the ones with fields are set by the caller. */
    request->pause =
        pb_new(&play->arena,
               protobuf_c_message_descriptor_get_field(&pb__operator_request__descriptor, body)
                   ->descriptor);
    return request;
}

enum procedure_answer play_request(struct play *play, Pb__OperatorRequest *request)
{
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    event->body_case = PB__EVENT__BODY_REQUEST;
    event->request = request;
    return play_event(play, request_label(request->body_case), event);
}

enum procedure_answer play_plain(struct play *play, Pb__OperatorRequest__BodyCase body)
{
    Pb__OperatorRequest *const request = play_request_new(play, body, "release-engineer");

    if (body == PB__OPERATOR_REQUEST__BODY_SUPPLY) {
        request->supply = pb_new(&play->arena, &pb__supply_input__descriptor);
        request->supply->input = "runbooks";
    }
    if (body == PB__OPERATOR_REQUEST__BODY_REPLAN)
        request->replan = pb_new(&play->arena, &pb__replan__descriptor);
    if (body == PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE)
        request->skip_change = pb_new(&play->arena, &pb__skip_change__descriptor);
    return play_request(play, request);
}

enum procedure_answer play_approve(struct play *play, const char *role)
{
    Pb__OperatorRequest *const request =
        play_request_new(play, PB__OPERATOR_REQUEST__BODY_APPROVE, role);

    request->approve = pb_new(&play->arena, &pb__approve__descriptor);
    request->approve->plan_hash = play->state->plan_hash;
    request->approve->role = role;
    return play_request(play, request);
}

enum procedure_answer play_signoff(struct play *play,
                                   uint32_t step,
                                   const char *role,
                                   bool accept)
{
    Pb__OperatorRequest *const request =
        play_request_new(play, PB__OPERATOR_REQUEST__BODY_SIGNOFF, role);

    request->signoff = pb_new(&play->arena, &pb__sign_off__descriptor);
    request->signoff->step = step;
    request->signoff->role = role;
    request->signoff->accept = accept;
    return play_request(play, request);
}

enum procedure_answer play_attest(struct play *play,
                                  const char *check,
                                  const char *role,
                                  Pb__Verdict verdict)
{
    Pb__OperatorRequest *const request =
        play_request_new(play, PB__OPERATOR_REQUEST__BODY_ATTEST, role);

    request->attest = pb_new(&play->arena, &pb__attest__descriptor);
    request->attest->check = check;
    request->attest->verdict = verdict;
    return play_request(play, request);
}

enum procedure_answer play_waive(struct play *play, const char *check)
{
    Pb__OperatorRequest *const request =
        play_request_new(play, PB__OPERATOR_REQUEST__BODY_WAIVE, "release-engineer");

    request->waive = pb_new(&play->arena, &pb__waive__descriptor);
    request->waive->check = check;
    return play_request(play, request);
}

/* --- playing well --- */

static bool sign_off_next(struct play *play)
{
    for (size_t i = 0; i < play->plan->n_signoffs; i++) {
        const Pb__SignOffSpec *const spec = play->plan->signoffs[i];
        bool given = false;

        for (size_t k = 0; k < play->state->n_signoffs; k++)
            given = given || play->state->signoffs[k]->step == spec->step;
        if (!given)
            return play_signoff(play, spec->step, spec->role, true) == PROCEDURE_APPLIED;
    }
    return false;
}

/* The first check of the step that only a person answers and nobody has. */
static bool attest_next(struct play *play)
{
    const Pb__StepPlan *const plan = play->plan->steps[play->state->step - 1];
    const Pb__StepState *const step = play->state->steps[play->state->step];

    for (size_t i = 0; i < plan->n_checks; i++) {
        const Pb__CheckSpec *const spec = plan->checks[i];
        bool said = spec->not_applicable[0] != '\0' || strcmp(spec->kind, "attest") != 0;

        for (size_t k = 0; k < step->n_results; k++)
            said = said || (strcmp(step->results[k]->check, spec->id) == 0 &&
                            step->results[k]->by[0] != '\0');
        if (!said)
            return play_attest(play, spec->id, spec->role, PB__VERDICT__PASS) ==
                   PROCEDURE_APPLIED;
    }
    return false;
}

static bool approve_next(struct play *play)
{
    const Pb__WaitingFor *const wait = play->state->waiting_for;

    return wait->n_who > 0 && play_approve(play, wait->who[0]) == PROCEDURE_APPLIED;
}

static bool people_act(struct play *play)
{
    switch (play->state->phase) {
    case PB__PHASE__PLANNING: return play_compiled(play) == PROCEDURE_APPLIED;
    case PB__PHASE__IN_REVIEW: return approve_next(play);
    case PB__PHASE__QUEUED: return play_granted(play) == PROCEDURE_APPLIED;
    case PB__PHASE__STOPPING: return play_granted(play) == PROCEDURE_APPLIED;
    case PB__PHASE__ROLLING_OUT:
        return play_attest(play, "stage.gate", "technical-lead", PB__VERDICT__PASS) ==
               PROCEDURE_APPLIED;
    case PB__PHASE__CHECKING:
    case PB__PHASE__VALIDATING:
    case PB__PHASE__CONFIRMING:
    case PB__PHASE__OBSERVING: return attest_next(play);
    case PB__PHASE__FINALISING: return attest_next(play) || sign_off_next(play);
    default: return false;
    }
}

bool play_well(struct play *play)
{
    const Pb__TaskState *const task = play_task(play);

    play->now_ms += 1000;
    if (play->state == NULL)
        return play_birth(play) == PROCEDURE_APPLIED;
    if (task == NULL)
        return people_act(play);
    if (task->retry_at_ms != 0)
        return play_timer(play, "retry") == PROCEDURE_APPLIED;
    return play_finish(play, PB__VERDICT__PASS) == PROCEDURE_APPLIED;
}

void play_until(struct play *play, Pb__Phase phase, uint32_t step)
{
    for (int i = 0; i < 400; i++) {
        if (play->state != NULL && play->state->phase == phase && play->state->step == step)
            return;
        if (!play_well(play))
            break;
    }
    fail_msg(
        "%s of step %u was not reached:\n%s", pb_phase_name(phase), step, play->story.bytes);
}

void play_until_sub(struct play *play, Pb__Phase phase, Pb__Sub sub)
{
    for (int i = 0; i < 400; i++) {
        if (play->state != NULL && play->state->phase == phase &&
            play->state->cursor->sub == sub)
            return;
        if (!play_well(play))
            break;
    }
    fail_msg("%s was not reached:\n%s", pb_phase_name(phase), play->story.bytes);
}

void play_out(struct play *play)
{
    for (int i = 0; i < 400 && !procedure_is_terminal(play->state->phase); i++) {
        if (!play_well(play))
            break;
    }
    assert_true(procedure_is_terminal(play->state->phase));
}
