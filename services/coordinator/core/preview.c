#include "services/coordinator/core/requests.h"

struct preview {
    struct turn *turn;
    struct undo_step *steps;
    size_t count;
};

static struct undo_step *preview_add(struct preview *preview, const char *how, const char *what)
{
    struct undo_step *step;

    preview->steps =
        pb_grow(preview->turn->arena, preview->steps, preview->count, sizeof *preview->steps);
    step = &preview->steps[preview->count++];
    *step = (struct undo_step){ .what = what, .how = how };
    return step;
}

static void preview_latch(struct preview *preview)
{
    const Pb__Plan *const plan = preview->turn->plan;

    for (size_t i = 0; i < plan->n_flags && !preview->turn->state->flags->killed; i++)
        (void)preview_add(preview,
                          "latch",
                          arena_printf(preview->turn->arena,
                                       "Flag %s off everywhere, for good (latch)",
                                       plan->flags[i]->key));
}

static void preview_undo(struct preview *preview, const Pb__Applied *applied)
{
    struct arena *const arena = preview->turn->arena;
    const Pb__Change *const change = plan_change(preview->turn, applied->change);
    const char *how = "revert";
    struct undo_step *step;

    if (change == NULL)
        return;
    if (change->on_rollback == PB__ON_ROLLBACK__KEEP)
        how = "keep";
    else if (change->on_rollback == PB__ON_ROLLBACK__MANUAL)
        how = "manual";
    step =
        preview_add(preview,
                    how,
                    arena_printf(arena,
                                 "%s %s %s, batch %u of %zu%s%s",
                                 change->on_rollback == PB__ON_ROLLBACK__KEEP     ? "Keep"
                                 : change->on_rollback == PB__ON_ROLLBACK__MANUAL ? "By hand:"
                                                                                  : "Revert",
                                 change->artifact,
                                 change->version,
                                 applied->batch + 1,
                                 change->n_batches,
                                 change->way_back[0] != '\0' ? ": " : "",
                                 change->way_back));
    step->change = applied->change;
    step->batch = applied->batch;
}

size_t procedure_undo_preview(struct arena *arena,
                              const Pb__DeploymentState *state,
                              const Pb__Plan *plan,
                              struct undo_step **ret)
{
    struct turn turn = { .arena = arena, .plan = plan, .now_ms = state->now_ms };
    struct preview preview = { .turn = &turn };
    const Pb__TaskState *task;

    *ret = NULL;
    if (plan == NULL || procedure_is_terminal(state->phase))
        return 0;
    turn.state = pb_clone(arena, state);
    preview_latch(&preview);
    task = task_main(&turn);
    if (task != NULL && !task_is(task, TASK_UNDO))
        (void)preview_add(
            &preview, "cancel", arena_printf(arena, "Cancel the running %s", task->kind));
    for (size_t i = state->n_applied; i-- > 0;)
        preview_undo(&preview, state->applied[i]);
    (void)preview_add(&preview, "verify", "Read back versions and flags");
    *ret = preview.steps;
    return preview.count;
}

/* --- what may be asked --- */

struct asking {
    struct arena *arena;
    const Pb__DeploymentState *state;
    const Pb__Plan *plan;
    const Pb__Actor *actor;
};

/* A copy of the state is asked; nothing of it is kept. */
static bool would_apply(const struct asking *asking,
                        Pb__OperatorRequest *request,
                        struct allowed_request *answer)
{
    Pb__Event event = PB__EVENT__INIT;
    const struct procedure_input input = { .before = asking->state,
                                           .plan = asking->plan,
                                           .event = &event,
                                           .event_id = "preview",
                                           .at_ms = asking->state->now_ms };
    struct procedure_output *const output = arena_alloc(asking->arena, sizeof *output);

    event.deployment = asking->state->id;
    event.body_case = PB__EVENT__BODY_REQUEST;
    event.request = request;
    if (procedure_step(asking->arena, &input, output) == PROCEDURE_APPLIED) {
        *answer = (struct allowed_request){ answer->request, true, "", "" };
        return true;
    }
    answer->allowed = false;
    for (size_t i = 0; i < output->effects.count; i++) {
        if (output->effects.item[i].kind != EFFECT_ANSWER)
            continue;
        answer->code = output->effects.item[i].answer.code;
        answer->why = output->effects.item[i].answer.detail;
    }
    return false;
}

static Pb__OperatorRequest *request_new(const struct asking *asking,
                                        Pb__OperatorRequest__BodyCase body)
{
    Pb__OperatorRequest *const request =
        pb_new(asking->arena, &pb__operator_request__descriptor);

    request->request = "preview";
    request->actor = pb_clone(asking->arena, asking->actor);
    request->expected_version = asking->state->version;
    request->reason = "preview";
    request->body_case = body;
    return request;
}

static bool ask_approve(const struct asking *asking, struct allowed_request *answer)
{
    Pb__OperatorRequest *const request =
        request_new(asking, PB__OPERATOR_REQUEST__BODY_APPROVE);

    request->approve = pb_new(asking->arena, &pb__approve__descriptor);
    request->approve->plan_hash = asking->state->plan_hash;
    for (uint32_t i = 0; asking->plan != NULL && i < asking->plan->n_changes; i++)
        PB_APPEND(asking->arena, request->approve, accept_no_return, i + 1);
    return would_apply(asking, request, answer);
}

static bool ask_signoff(const struct asking *asking, struct allowed_request *answer)
{
    Pb__OperatorRequest *const request =
        request_new(asking, PB__OPERATOR_REQUEST__BODY_SIGNOFF);

    request->signoff = pb_new(asking->arena, &pb__sign_off__descriptor);
    request->signoff->accept = true;
    for (size_t i = 0; asking->plan != NULL && i < asking->plan->n_signoffs; i++) {
        request->signoff->step = asking->plan->signoffs[i]->step;
        request->signoff->role = asking->plan->signoffs[i]->role;
        if (would_apply(asking, request, answer))
            return true;
    }
    return would_apply(asking, request, answer);
}

/* Any check of the present step will do: the person will name one. */
static bool ask_check(const struct asking *asking, bool waive, struct allowed_request *answer)
{
    struct turn turn = { .arena = asking->arena, .plan = asking->plan };
    Pb__OperatorRequest *const request = request_new(
        asking, waive ? PB__OPERATOR_REQUEST__BODY_WAIVE : PB__OPERATOR_REQUEST__BODY_ATTEST);
    Pb__Waive *const waiver = pb_new(asking->arena, &pb__waive__descriptor);
    Pb__Attest *const attest = pb_new(asking->arena, &pb__attest__descriptor);
    struct expectation all;

    turn.state = pb_clone(asking->arena, asking->state);
    all = expect_here(&turn);
    attest->verdict = PB__VERDICT__PASS;
    for (size_t i = 0; i <= all.count; i++) {
        const Pb__CheckSpec *const spec = i < all.count ? all.item[i] : NULL;
        const Pb__CheckResult *const result =
            spec != NULL ? result_find(state_step(&turn, turn.state->step), spec->id) : NULL;

        if (spec != NULL && waive && (result == NULL || result->verdict == PB__VERDICT__PASS))
            continue;
        waiver->check = spec != NULL ? spec->id : "";
        attest->check = waiver->check;
        if (waive)
            request->waive = waiver;
        else
            request->attest = attest;
        if (would_apply(asking, request, answer))
            return true;
    }
    return false;
}

static bool ask_plain(const struct asking *asking,
                      Pb__OperatorRequest__BodyCase body,
                      struct allowed_request *answer)
{
    Pb__OperatorRequest *const request = request_new(asking, body);

    if (body == PB__OPERATOR_REQUEST__BODY_SUPPLY) {
        request->supply = pb_new(asking->arena, &pb__supply_input__descriptor);
        request->supply->input = "preview";
    } else if (body == PB__OPERATOR_REQUEST__BODY_REPLAN) {
        request->replan = pb_new(asking->arena, &pb__replan__descriptor);
    } else if (body == PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE) {
        request->skip_change = pb_new(asking->arena, &pb__skip_change__descriptor);
    }
    return would_apply(asking, request, answer);
}

static void ask(const struct asking *asking,
                Pb__OperatorRequest__BodyCase body,
                struct allowed_request *answer)
{
    switch (body) {
    case PB__OPERATOR_REQUEST__BODY_APPROVE: (void)ask_approve(asking, answer); return;
    case PB__OPERATOR_REQUEST__BODY_SIGNOFF: (void)ask_signoff(asking, answer); return;
    case PB__OPERATOR_REQUEST__BODY_ATTEST: (void)ask_check(asking, false, answer); return;
    case PB__OPERATOR_REQUEST__BODY_WAIVE: (void)ask_check(asking, true, answer); return;
    default: (void)ask_plain(asking, body, answer);
    }
}

size_t procedure_allowed(struct arena *arena,
                         const Pb__DeploymentState *state,
                         const Pb__Plan *plan,
                         const Pb__Actor *actor,
                         struct allowed_request **ret)
{
    const struct asking asking = { arena, state, plan, actor };
    struct allowed_request *all = NULL;
    size_t count = 0;

    for (int body = PB__OPERATOR_REQUEST__BODY_APPROVE;
         body <= PB__OPERATOR_REQUEST__BODY_REPLAN;
         body++) {
        const char *const name = request_name((Pb__OperatorRequest__BodyCase)body);

        if (name == NULL)
            continue;
        all = pb_grow(arena, all, count, sizeof *all);
        all[count] = (struct allowed_request){ .request = name, .code = "", .why = "" };
        ask(&asking, (Pb__OperatorRequest__BodyCase)body, &all[count++]);
    }
    *ret = all;
    return count;
}
