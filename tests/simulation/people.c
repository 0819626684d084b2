/* Teams that submit features, and people who do what they are waited for, sooner or later. */
#include "common/wire/topics.h"
#include "tests/simulation/world.h"

#include <stdio.h>
#include <string.h>

enum { LAST_SUBMIT_MS = 60 * 1000, LOOK_MS = 4000, RETRIES = 3, ATTEMPTS = 3 };

/* --- what they submit --- */

void people_open(struct world *world)
{
    static const char *const names[FEATURES_MAX] = { "one", "two", "three" };

    const size_t count = 1 + dice_below(&world->dice, FEATURES_MAX);

    world->feature_count = count;
    for (size_t i = 0; i < count; i++) {
        struct feature *const feature = &world->features[i];

        (void)snprintf(feature->name, sizeof feature->name, "%s", names[i]);
        feature->acceptance = acceptance_make(world, feature->name);
        feature->submit_ms =
            world_now_ms(world) + (i == 0 ? 0 : dice_ms(&world->dice, 0, LAST_SUBMIT_MS));
    }
}

static void submit(struct world *world, struct feature *feature)
{
    const bool other = feature->sent > 0 && dice_below(&world->dice, 2) == 0;

    if (other) {
        feature->acceptance->title = world_id(world, "better");
        acceptance_renew(world, feature->acceptance);
    }
    feature->submit_ms = INT64_MAX;
    if (++feature->sent < 3 && dice_below(&world->dice, 4) == 0 && !world->quiet)
        feature->submit_ms = world_now_ms(world) + dice_ms(&world->dice, 0, LAST_SUBMIT_MS);
    world_tell(world, "%s is accepted", feature->name);
    world_say(world,
              &(struct saying){ .topic = TOPIC_ACCEPTANCE,
                                .key = feature->name,
                                .id = world_id(world, "ci"),
                                .message = &feature->acceptance->base });
}

/* --- what they say --- */

static Pb__OperatorRequest *request_new(struct world *world,
                                        const Pb__DeploymentState *state,
                                        const char *role)
{
    struct arena *const arena = &world->scratch;
    Pb__OperatorRequest *const request = pb_new(arena, &pb__operator_request__descriptor);

    request->request = world_id(world, "request");
    request->actor = pb_new(arena, &pb__actor__descriptor);
    request->actor->subject = role;
    PB_APPEND(arena, request->actor, roles, role);
    request->reason = "because";
    request->expected_version = state->version;
    request->role = role;
    return request;
}

static void ask(struct world *world,
                const Pb__DeploymentState *state,
                Pb__OperatorRequest *request,
                const char *what)
{
    Pb__Event *const event = pb_new(&world->scratch, &pb__event__descriptor);

    event->deployment = state->id;
    event->feature = state->feature;
    event->body_case = PB__EVENT__BODY_REQUEST;
    event->request = request;
    answers_expect(world, request->request, state->feature);
    world_tell(world, "%s asks for %s of %s", request->role, what, state->id);
    world_say(world,
              &(struct saying){ .topic = TOPIC_EVENTS,
                                .key = state->feature,
                                .writer = "gateway",
                                .id = request->request,
                                .message = &event->base });
}

/* Requests that say nothing but their kind. */
static void ask_plainly(struct world *world,
                        const Pb__DeploymentState *state,
                        Pb__OperatorRequest__BodyCase body)
{
    struct arena *const arena = &world->scratch;
    Pb__OperatorRequest *const request = request_new(world, state, "release-engineer");
    const char *what = "?";

    request->body_case = body;
    switch (body) {
#define PLAIN(kind, field, words)                                                              \
    case PB__OPERATOR_REQUEST__BODY_##kind:                                                    \
        request->field = pb_new(arena, &pb__##words##__descriptor);                            \
        what = #field;                                                                         \
        break
        PLAIN(REJECT, reject, reject);
        PLAIN(PAUSE, pause, pause);
        PLAIN(RESUME, resume, resume);
        PLAIN(RETRY, retry, retry_step);
        PLAIN(ABORT, abort, abort);
        PLAIN(ROLLBACK, rollback, rollback);
        PLAIN(MARK_RESTORED, mark_restored, mark_restored);
        PLAIN(SKIP_CHANGE, skip_change, skip_change);
        PLAIN(PROMOTE, promote, promote);
        PLAIN(REPLAN, replan, replan);
#undef PLAIN
    default: return;
    }
    ask(world, state, request, what);
}

static void approve(struct world *world, const Pb__DeploymentState *state, const Pb__Plan *plan)
{
    struct arena *const arena = &world->scratch;

    for (size_t i = 0; i < plan->n_approvals; i++) {
        const char *const role = plan->approvals[i]->role;
        Pb__OperatorRequest *request;
        bool given = false;

        for (size_t k = 0; k < state->n_approvals; k++)
            given |= !state->approvals[k]->voided && pb_same(state->approvals[k]->role, role);
        if (given)
            continue;
        request = request_new(world, state, role);
        request->body_case = PB__OPERATOR_REQUEST__BODY_APPROVE;
        request->approve = pb_new(arena, &pb__approve__descriptor);
        request->approve->plan_hash = state->plan_hash;
        request->approve->role = role;
        for (size_t c = 0; c < plan->n_changes; c++) {
            if (plan->changes[c]->on_rollback == PB__ON_ROLLBACK__MANUAL)
                PB_APPEND(arena, request->approve, accept_no_return, (uint32_t)c + 1);
        }
        ask(world, state, request, "approval");
        return;
    }
}

static void attest(struct world *world,
                   const Pb__DeploymentState *state,
                   const char *check,
                   const char *role)
{
    Pb__OperatorRequest *const request = request_new(world, state, role);

    request->body_case = PB__OPERATOR_REQUEST__BODY_ATTEST;
    request->attest = pb_new(&world->scratch, &pb__attest__descriptor);
    request->attest->check = check;
    request->attest->verdict = PB__VERDICT__PASS;
    ask(world, state, request, check);
}

static bool is_attested(const Pb__StepState *step, const char *check)
{
    for (size_t i = 0; i < step->n_results; i++) {
        if (pb_same(step->results[i]->check, check))
            return step->results[i]->verdict == PB__VERDICT__PASS;
    }
    return false;
}

static bool attest_next(struct world *world,
                        const Pb__DeploymentState *state,
                        const Pb__Plan *plan)
{
    const Pb__StepPlan *const step = plan->steps[state->step - 1];

    for (size_t i = 0; i < step->n_checks; i++) {
        const Pb__CheckSpec *const check = step->checks[i];

        if (!pb_same(check->kind, "attest") ||
            is_attested(state->steps[state->step], check->id))
            continue;
        attest(world, state, check->id, check->role);
        return true;
    }
    return false;
}

static void sign_off(struct world *world,
                     const Pb__DeploymentState *state,
                     const Pb__Plan *plan)
{
    for (size_t i = 0; i < plan->n_signoffs; i++) {
        const Pb__SignOffSpec *const spec = plan->signoffs[i];
        Pb__OperatorRequest *request;
        bool given = false;

        for (size_t k = 0; k < state->n_signoffs; k++)
            given |= state->signoffs[k]->step == spec->step && state->signoffs[k]->accept;
        if (given)
            continue;
        request = request_new(world, state, spec->role);
        request->body_case = PB__OPERATOR_REQUEST__BODY_SIGNOFF;
        request->signoff = pb_new(&world->scratch, &pb__sign_off__descriptor);
        request->signoff->step = spec->step;
        request->signoff->role = spec->role;
        request->signoff->accept = true;
        ask(world, state, request, "sign-off");
        return;
    }
}

/* --- what they do --- */

/* The change's targets as the baseline has them: what a person does before saying so. */
static void restore_by_hand(struct world *world,
                            const Pb__DeploymentState *state,
                            const Pb__Change *change)
{
    for (size_t i = 0; i < state->n_baseline; i++) {
        const Pb__Observed *const before = state->baseline[i];

        if (pb_same(before->target, change->target))
            site_restore(world, before);
    }
}

static void skip(struct world *world, const Pb__DeploymentState *state, uint32_t number)
{
    Pb__OperatorRequest *const request = request_new(world, state, "release-engineer");

    request->body_case = PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE;
    request->skip_change = pb_new(&world->scratch, &pb__skip_change__descriptor);
    request->skip_change->change = number;
    ask(world, state, request, "skip_change");
}

/* Code that lies below another deployment's is left as it is; else it is restored by hand, or
 * left. With nothing more to take back, what does not read as before is left. */
static void unblock_undo(struct world *world,
                         const Pb__DeploymentState *state,
                         const Pb__Plan *plan)
{
    const Pb__Applied *const top =
        state->n_applied > 0 ? state->applied[state->n_applied - 1] : NULL;

    if (top == NULL && plan->n_changes > 0) {
        skip(world, state, 1 + dice_below(&world->dice, (unsigned)plan->n_changes));
    } else if (state->superseded_by[0] != '\0' || dice_below(&world->dice, 2) == 0) {
        skip(world, state, 0);
    } else {
        for (size_t i = 0; top != NULL && i < plan->n_changes; i++) {
            if (plan->changes[i]->index == top->change)
                restore_by_hand(world, state, plan->changes[i]);
        }
        ask_plainly(world, state, PB__OPERATOR_REQUEST__BODY_MARK_RESTORED);
    }
}

static void unblock(struct world *world,
                    struct feature *feature,
                    const Pb__DeploymentState *state,
                    const Pb__Plan *plan)
{
    if (feature->retries++ % (2 * RETRIES) < RETRIES)
        ask_plainly(world, state, PB__OPERATOR_REQUEST__BODY_RETRY);
    else if (state->phase == PB__PHASE__BLOCKED_ROLLBACK)
        unblock_undo(world, state, plan);
    else
        ask_plainly(world,
                    state,
                    dice_below(&world->dice, 2) == 0 ? PB__OPERATOR_REQUEST__BODY_ABORT
                                                     : PB__OPERATOR_REQUEST__BODY_ROLLBACK);
}

static bool is_held(const Pb__DeploymentState *state)
{
    for (size_t i = 0; i < state->n_holds; i++) {
        if (state->holds[i]->kind == PB__HOLD_KIND__HOLD_OPERATOR ||
            state->holds[i]->kind == PB__HOLD_KIND__HOLD_WARNING)
            return true;
    }
    return false;
}

/* What a running deployment waits for, if that is a person. */
static void answer(struct world *world, const Pb__DeploymentState *state, const Pb__Plan *plan)
{
    const char *const waits = state->waiting_for != NULL ? state->waiting_for->kind : "";

    if (state->phase == PB__PHASE__IN_REVIEW)
        approve(world, state, plan);
    else if (pb_same(waits, "GATE"))
        attest(world, state, "stage.gate", "technical-lead");
    else if (pb_same(waits, "ATTEST"))
        (void)attest_next(world, state, plan);
    else if (state->phase == PB__PHASE__FINALISING && !attest_next(world, state, plan))
        sign_off(world, state, plan);
}

static void help(struct world *world, struct feature *feature, const Pb__DeploymentState *state)
{
    Pb__Plan *plan;

    if (state->phase == PB__PHASE__AWAITING_INPUTS && dice_below(&world->dice, 8) == 0)
        ask_plainly(world, state, PB__OPERATOR_REQUEST__BODY_RETRY);
    plan = people_see_plan(world, state);
    if (plan == NULL)
        return;
    if (state->phase == PB__PHASE__BLOCKED || state->phase == PB__PHASE__BLOCKED_ROLLBACK)
        unblock(world, feature, state, plan);
    else if (is_held(state) && state->phase < PB__PHASE__STOPPING)
        ask_plainly(world, state, PB__OPERATOR_REQUEST__BODY_RESUME);
    else
        answer(world, state, plan);
}

static bool has_ended(const Pb__DeploymentState *state)
{
    return state->phase >= PB__PHASE__COMPLETED;
}

/* A person at an odd moment. */
static void whim(struct world *world, const Pb__DeploymentState *state)
{
    static const Pb__OperatorRequest__BodyCase whims[] = {
        PB__OPERATOR_REQUEST__BODY_PAUSE,       PB__OPERATOR_REQUEST__BODY_RESUME,
        PB__OPERATOR_REQUEST__BODY_RETRY,       PB__OPERATOR_REQUEST__BODY_ABORT,
        PB__OPERATOR_REQUEST__BODY_ROLLBACK,    PB__OPERATOR_REQUEST__BODY_PROMOTE,
        PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE, PB__OPERATOR_REQUEST__BODY_PROMOTE,
        PB__OPERATOR_REQUEST__BODY_REPLAN,      PB__OPERATOR_REQUEST__BODY_REJECT,
        PB__OPERATOR_REQUEST__BODY_PAUSE,       PB__OPERATOR_REQUEST__BODY_PROMOTE,
    };

    ask_plainly(world, state, whims[dice_below(&world->dice, sizeof whims / sizeof whims[0])]);
}

static void act(struct world *world, struct feature *feature)
{
    const Pb__FeatureState *const known = people_see_feature(world, feature->name);
    const Pb__DeploymentState *state;
    const bool odd = !world->quiet && dice_chance(&world->dice, 20 * world->weather.whim);

    feature->act_ms = world_now_ms(world) + dice_ms(&world->dice, 1, LOOK_MS);
    answers_look(world);
    if (known == NULL || known->n_seen == 0)
        return;
    state = people_see(world, known->live[0] != '\0' ? known->live : known->last);
    if (state == NULL)
        return;
    if (odd) {
        world_counts(world, FAULT_OF_whim);
        whim(world, state);
        return;
    }
    if (!has_ended(state))
        help(world, feature, state);
    else if (!world->quiet && known->attempts < ATTEMPTS && dice_below(&world->dice, 4) == 0)
        ask_plainly(world,
                    state,
                    state->phase == PB__PHASE__COMPLETED ? PB__OPERATOR_REQUEST__BODY_ROLLBACK
                                                         : PB__OPERATOR_REQUEST__BODY_RETRY);
}

void people_turn(struct world *world)
{
    for (size_t i = 0; i < world->feature_count; i++) {
        struct feature *const feature = &world->features[i];

        if (world_now_ms(world) >= feature->submit_ms)
            submit(world, feature);
        if (world_now_ms(world) >= feature->act_ms)
            act(world, feature);
    }
}

int64_t people_wake_ms(const struct world *world)
{
    int64_t wake_ms = INT64_MAX;

    for (size_t i = 0; i < world->feature_count; i++) {
        const struct feature *const feature = &world->features[i];
        const int64_t next_ms =
            feature->act_ms < feature->submit_ms ? feature->act_ms : feature->submit_ms;

        if (next_ms < wake_ms)
            wake_ms = next_ms;
    }
    return wake_ms;
}

bool people_are_done(struct world *world)
{
    if (!alarms_are_over(world))
        return false;
    for (size_t i = 0; i < world->feature_count; i++) {
        const struct feature *const feature = &world->features[i];
        const Pb__FeatureState *const known = people_see_feature(world, feature->name);
        const Pb__DeploymentState *state;

        if (feature->submit_ms != INT64_MAX || known == NULL || known->live[0] != '\0' ||
            known->next != NULL)
            return false;
        state = people_see(world, known->last);
        if (state == NULL || !has_ended(state) || state->n_tasks > 0)
            return false;
    }
    return true;
}
