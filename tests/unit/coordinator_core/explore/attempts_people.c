#include "tests/unit/coordinator_core/explore/explore.h"

#include <string.h>

static Pb__OperatorRequest *add_request(struct listing *list,
                                        const char *label,
                                        enum why why,
                                        Pb__OperatorRequest__BodyCase body)
{
    static const char *const roles[] = { "lead", "release-engineer" };
    struct arena *const arena = &list->search->scratch;
    Pb__Event *const event = attempt_add(list, label, why, PB__EVENT__BODY_REQUEST);
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
    if (!attempt_weather(list, INTAKE))
        return;
    request = ASK("supply", WHY_ASKED, SUPPLY);
    request->supply = pb_new(arena, &pb__supply_input__descriptor);
    request->supply->input = "acceptance";
}

static void add_signoffs(struct listing *list)
{
    struct arena *const arena = &list->search->scratch;

    for (size_t i = 0; i < list->search->plan->n_signoffs; i++) {
        const uint32_t step = list->search->plan->signoffs[i]->step;
        Pb__OperatorRequest *request =
            ASK(arena_printf(arena, "sign-off %u", step), WHY_ASKED, SIGNOFF);

        request->signoff = pb_new(arena, &pb__sign_off__descriptor);
        request->signoff->step = step;
        request->signoff->accept = true;
        request = ASK(arena_printf(arena, "sign-off %u rejected", step), WHY_FAIL, SIGNOFF);
        request->signoff = pb_new(arena, &pb__sign_off__descriptor);
        request->signoff->step = step;
    }
}

static void add_attest(struct listing *list, const char *label, Pb__Verdict verdict)
{
    const bool passes = verdict == PB__VERDICT__PASS;
    Pb__OperatorRequest *const request = ASK(label, passes ? WHY_ASKED : WHY_FAIL, ATTEST);
    const uint32_t bit = 1U << course_at(list->search->plan, "stage.gate", list->state->cursor);

    request->attest = pb_new(&list->search->scratch, &pb__attest__descriptor);
    request->attest->check = "stage.gate";
    request->attest->verdict = verdict;
    attempt_world(list)->passed &= ~bit;
    if (passes)
        attempt_world(list)->passed |= bit;
}

/* Waiving ahead of time would only multiply the states. */
static void add_waivers(struct listing *list)
{
    static const char *const checks[] = { "",      "checks",  "bake",    "validate",
                                          "watch", "confirm", "observe", "finalise" };
    const Pb__DeploymentState *const state = list->state;
    const char *const check = checks[state->step];
    Pb__OperatorRequest *request;

    if (state->phase != PB__PHASE__BLOCKED)
        return;
    request = ASK("waive", WHY_ASKED, WAIVE);
    request->waive = pb_new(&list->search->scratch, &pb__waive__descriptor);
    request->waive->check = check;
}

static void add_checks(struct listing *list)
{
    const Pb__Plan *const plan = list->search->plan;

    for (size_t i = 0; i < plan->n_stages; i++) {
        if (plan->stages[i]->gate_role[0] == '\0')
            continue;
        add_attest(list, "attest", PB__VERDICT__PASS);
        add_attest(list, "attest as bad", PB__VERDICT__FAIL);
        break;
    }
    add_waivers(list);
}

/* The batch on top; of a change that only a person restores, all of it. */
static uint32_t top_bits(const struct listing *list)
{
    const Pb__Applied *const top = list->state->applied[list->state->n_applied - 1];
    const Pb__Plan *const plan = list->search->plan;
    uint32_t bits = 0;

    if (plan->changes[top->change]->on_rollback != PB__ON_ROLLBACK__MANUAL)
        return batch_bit(plan, top->change, top->batch);
    for (uint32_t i = 0; i <= top->batch; i++)
        bits |= batch_bit(plan, top->change, i);
    return bits;
}

/* By hand: the change really is restored, or really stays. */
static void add_by_hand(struct listing *list)
{
    Pb__OperatorRequest *request;

    if (list->state->phase != PB__PHASE__BLOCKED_ROLLBACK || list->state->n_applied == 0)
        return;
    (void)ASK("mark-restored", WHY_ASKED, MARK_RESTORED);
    attempt_world(list)->changed &= ~top_bits(list);
    request = ASK("skip-change", WHY_FORCE, SKIP_CHANGE);
    request->skip_change = pb_new(&list->search->scratch, &pb__skip_change__descriptor);
    attempt_world(list)->skipped |= top_bits(list);
}

void attempts_of_people(struct listing *list)
{
    add_decisions(list);
    add_signoffs(list);
    add_checks(list);
    add_by_hand(list);
}
