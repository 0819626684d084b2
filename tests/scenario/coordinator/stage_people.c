#include "common/state/projection.h"
#include "tests/scenario/coordinator/stage.h"

#include <string.h>

Pb__OperatorRequest *stage_request_new(struct stage *stage)
{
    struct arena *const arena = &stage->cluster.arena;
    const Pb__DeploymentState *const state = stage_state(stage);
    Pb__OperatorRequest *const request = pb_new(arena, &pb__operator_request__descriptor);

    request->request = arena_printf(arena, "r%u", ++stage->requests);
    request->actor = pb_new(arena, &pb__actor__descriptor);
    request->reason = "because";
    request->expected_version = state->version;
    request->role = "release-engineer";
    return request;
}

void stage_request(struct stage *stage, Pb__OperatorRequest *request)
{
    struct arena *const arena = &stage->cluster.arena;
    Pb__Event *const event = pb_new(arena, &pb__event__descriptor);

    request->actor->subject = request->role;
    request->actor->n_roles = 0;
    PB_APPEND(arena, request->actor, roles, request->role);
    event->deployment = STAGE_DEPLOYMENT;
    event->feature = STAGE_FEATURE;
    event->body_case = PB__EVENT__BODY_REQUEST;
    event->request = request;
    cluster_publish(&stage->cluster,
                    &(struct cluster_record){ .topic = "events.v1",
                                              .key = STAGE_FEATURE,
                                              .writer = "gateway",
                                              .id = request->request,
                                              .message = &event->base });
}

static void approve(struct stage *stage, const Pb__DeploymentState *state, const char *role)
{
    Pb__OperatorRequest *const request = stage_request_new(stage);

    request->body_case = PB__OPERATOR_REQUEST__BODY_APPROVE;
    request->approve = pb_new(&stage->cluster.arena, &pb__approve__descriptor);
    request->approve->plan_hash = state->plan_hash;
    request->approve->role = role;
    request->role = role;
    stage_note(stage, "%s approves", role);
    stage_request(stage, request);
}

static void approve_all(struct stage *stage,
                        const Pb__DeploymentState *state,
                        const Pb__Plan *plan)
{
    for (size_t i = state->n_approvals; i < plan->n_approvals; i++) {
        approve(stage, state, plan->approvals[i]->role);
        return; /* One at a time: the next expects the version that this one makes. */
    }
}

static bool is_attested(const Pb__StepState *step, const char *check)
{
    for (size_t i = 0; i < step->n_results; i++) {
        if (pb_same(step->results[i]->check, check))
            return step->results[i]->verdict == PB__VERDICT__PASS;
    }
    return false;
}

static bool attest_next(struct stage *stage,
                        const Pb__DeploymentState *state,
                        const Pb__Plan *plan)
{
    const Pb__StepPlan *const step = plan->steps[state->step - 1];

    for (size_t i = 0; i < step->n_checks; i++) {
        const Pb__CheckSpec *const check = step->checks[i];
        Pb__OperatorRequest *request;

        if (!pb_same(check->kind, "attest") ||
            is_attested(state->steps[state->step], check->id))
            continue;
        request = stage_request_new(stage);
        request->role = check->role;
        request->body_case = PB__OPERATOR_REQUEST__BODY_ATTEST;
        request->attest = pb_new(&stage->cluster.arena, &pb__attest__descriptor);
        request->attest->check = check->id;
        request->attest->verdict = PB__VERDICT__PASS;
        stage_note(stage, "%s attests %s", check->role, check->id);
        stage_request(stage, request);
        return true;
    }
    return false;
}

static bool is_signed_off(const Pb__DeploymentState *state, uint32_t step)
{
    for (size_t i = 0; i < state->n_signoffs; i++) {
        if (state->signoffs[i]->step == step)
            return true;
    }
    return false;
}

static void sign_off_next(struct stage *stage,
                          const Pb__DeploymentState *state,
                          const Pb__Plan *plan)
{
    for (size_t i = 0; i < plan->n_signoffs; i++) {
        const Pb__SignOffSpec *const spec = plan->signoffs[i];
        Pb__OperatorRequest *request;

        if (is_signed_off(state, spec->step))
            continue;
        request = stage_request_new(stage);
        request->role = spec->role;
        request->body_case = PB__OPERATOR_REQUEST__BODY_SIGNOFF;
        request->signoff = pb_new(&stage->cluster.arena, &pb__sign_off__descriptor);
        request->signoff->step = spec->step;
        request->signoff->role = spec->role;
        request->signoff->accept = true;
        stage_note(stage, "%s signs off %s", spec->role, spec->what);
        stage_request(stage, request);
        return;
    }
}

void stage_people(struct stage *stage)
{
    const struct projection projection = {
        .store = stage->cluster.store,
        .prefix = stage->settings->redis.prefix,
        .partitions = (int32_t)stage->settings->kafka.partitions,
    };
    const Pb__DeploymentState *const state = stage_state(stage);
    struct error error = { 0 };
    Pb__Plan *plan = NULL;

    if (state == NULL || state->version == stage->acted_at ||
        projection_plan(&projection, &stage->cluster.arena, state, &plan, &error) != ERR_OK)
        return;
    stage->acted_at = state->version;
    if (state->phase == PB__PHASE__IN_REVIEW)
        approve_all(stage, state, plan);
    else if (pb_same(state->waiting_for->kind, "ATTEST"))
        (void)attest_next(stage, state, plan);
    else if (pb_same(state->waiting_for->kind, "SIGNOFF") && !attest_next(stage, state, plan))
        sign_off_next(stage, state, plan);
}

/* --- what the world hears --- */

static const void *message_of(struct stage *stage,
                              const struct bus_record *record,
                              const ProtobufCMessageDescriptor *type)
{
    struct error error = { 0 };
    void *message = NULL;

    assert_int_equal(pb_unpack(&stage->cluster.arena,
                               type,
                               (struct pb_bytes){ record->bytes, record->length },
                               &message,
                               &error),
                     ERR_OK);
    return message;
}

static void hear_signal(struct stage *stage, const Pb__Signal *signal)
{
    switch (signal->body_case) {
    case PB__SIGNAL__BODY_FEATURE_DEPLOYED: stage_note(stage, "SIGNAL deployed"); break;
    case PB__SIGNAL__BODY_FEATURE_AVAILABLE:
        stage_note(stage,
                   "SIGNAL available to %u %%%s",
                   signal->feature_available->percent,
                   signal->feature_available->full ? ", in full" : "");
        break;
    case PB__SIGNAL__BODY_MONITORING_ACTIVE:
        stage_note(stage, "SIGNAL monitoring active");
        break;
    case PB__SIGNAL__BODY_FEATURE_WITHDRAWN: stage_note(stage, "SIGNAL withdrawn"); break;
    case PB__SIGNAL__BODY_FEATURE_ROLLED_BACK: stage_note(stage, "SIGNAL rolled back"); break;
    case PB__SIGNAL__BODY_DEPLOYMENT_BLOCKED: stage_note(stage, "SIGNAL blocked"); break;
    case PB__SIGNAL__BODY_DEPLOYMENT_FINISHED:
        stage_note(stage, "SIGNAL finished %s", signal->deployment_finished->exit);
        break;
    default: stage_note(stage, "SIGNAL ?"); break;
    }
}

static void hear_control(struct stage *stage, const Pb__Control *control)
{
    if (control->body_case == PB__CONTROL__BODY_FLAG)
        stage_note(stage, "FLAG %s %u %%", control->flag->flag, control->flag->percent);
    else if (control->body_case == PB__CONTROL__BODY_KILL)
        stage_note(stage, "LATCH %s", control->kill->deployment);
}

void stage_listen(struct stage *stage)
{
    struct memory_broker *const broker = stage->cluster.broker;
    const struct bus_record *record;

    for (int32_t p = 0; p < (int32_t)stage->settings->kafka.partitions; p++) {
        while ((record = memory_broker_record(
                    broker, "signals.v1", p, stage->signals_seen[p])) != NULL) {
            stage->signals_seen[p]++;
            hear_signal(stage, message_of(stage, record, &pb__signal__descriptor));
        }
    }
    while ((record = memory_broker_record(broker, "control.v1", 0, stage->control_seen)) !=
           NULL) {
        stage->control_seen++;
        hear_control(stage, message_of(stage, record, &pb__control__descriptor));
    }
}
