#include "services/coordinator/core/flow.h"

static Pb__Signal *signal_new(struct turn *turn, Pb__Signal__BodyCase body)
{
    Pb__Signal *const signal = pb_new(turn->arena, &pb__signal__descriptor);

    signal->feature = turn->state->feature;
    signal->environment = turn->state->environment;
    signal->deployment = turn->state->id;
    signal->sequence = ++turn->state->signal_sequence;
    signal->at_ms = turn->now_ms;
    signal->body_case = body;
    effect_signal(turn, signal);
    return signal;
}

void signal_deployed(struct turn *turn)
{
    Pb__Signal *const signal = signal_new(turn, PB__SIGNAL__BODY_FEATURE_DEPLOYED);
    Pb__FeatureDeployed *const body = pb_new(turn->arena, &pb__feature_deployed__descriptor);

    body->version = words_version(turn);
    for (size_t i = 0; i < turn->plan->n_changes; i++) {
        const Pb__Change *const change = turn->plan->changes[i];
        const char *const line =
            arena_printf(turn->arena,
                         "%s %s %s %s:%s",
                         pb_enum_name(&pb__artifact_kind__descriptor, (int)change->kind),
                         change->artifact,
                         change->version,
                         change->digest != NULL ? change->digest->algorithm : "",
                         change->digest != NULL ? change->digest->value : "");

        PB_APPEND(turn->arena, body, artifacts, line);
    }
    signal->feature_deployed = body;
    (void)entry_add(turn,
                    "FeatureDeployed",
                    "signal %llu: %s",
                    (unsigned long long)signal->sequence,
                    body->version);
}

void signal_available(struct turn *turn, const Pb__Stage *stage)
{
    Pb__Signal *const signal = signal_new(turn, PB__SIGNAL__BODY_FEATURE_AVAILABLE);
    Pb__FeatureAvailable *const body = pb_new(turn->arena, &pb__feature_available__descriptor);

    body->percent = stage->percent;
    body->full = stage->percent == 100;
    body->audience = stage->audience;
    signal->feature_available = body;
    turn->state->available_percent = stage->percent;
    (void)entry_add(turn,
                    "FeatureAvailable",
                    "signal %llu: %u %% %s",
                    (unsigned long long)signal->sequence,
                    stage->percent,
                    stage->audience[0] != '\0' ? stage->audience : "of everyone");
}

void signal_monitoring(struct turn *turn)
{
    Pb__Signal *const signal = signal_new(turn, PB__SIGNAL__BODY_MONITORING_ACTIVE);
    Pb__MonitoringActive *const body = pb_new(turn->arena, &pb__monitoring_active__descriptor);

    body->links = turn->state->links;
    body->n_links = turn->state->n_links;
    signal->monitoring_active = body;
    (void)entry_add(turn,
                    "MonitoringActive",
                    "signal %llu: the first complete sample is in",
                    (unsigned long long)signal->sequence);
}

void signal_withdrawn_of(struct turn *turn, const char *deployment, const char *reason)
{
    Pb__Signal *const signal = signal_new(turn, PB__SIGNAL__BODY_FEATURE_WITHDRAWN);
    Pb__FeatureWithdrawn *const body = pb_new(turn->arena, &pb__feature_withdrawn__descriptor);

    body->reason = words_cut(turn, reason, 400);
    signal->deployment = deployment;
    signal->feature_withdrawn = body;
    turn->state->available_percent = 0;
    (void)entry_add(turn,
                    "FeatureWithdrawn",
                    "signal %llu: %s",
                    (unsigned long long)signal->sequence,
                    body->reason);
}

void signal_withdrawn(struct turn *turn, const char *reason)
{
    signal_withdrawn_of(turn, turn->state->id, reason);
}

/* What each target runs again: from the baseline, one line a target and version. */
static void add_restored(struct turn *turn, Pb__FeatureRolledBack *body)
{
    for (size_t i = 0; i < turn->state->n_baseline; i++) {
        const Pb__Observed *const was = turn->state->baseline[i];
        const char *const line = arena_printf(turn->arena, "%s %s", was->target, was->version);

        if (body->n_restored == 0 || !pb_same(body->restored[body->n_restored - 1], line))
            PB_APPEND(turn->arena, body, restored, line);
    }
}

void signal_rolled_back(struct turn *turn)
{
    Pb__Signal *const signal = signal_new(turn, PB__SIGNAL__BODY_FEATURE_ROLLED_BACK);
    Pb__FeatureRolledBack *const body =
        pb_new(turn->arena, &pb__feature_rolled_back__descriptor);

    body->cause = turn->state->stop->cause;
    if (state_step(turn, 2)->began_ms != 0)
        add_restored(turn, body);
    signal->feature_rolled_back = body;
    (void)entry_add(turn,
                    "FeatureRolledBack",
                    "signal %llu: %s",
                    (unsigned long long)signal->sequence,
                    body->cause);
}

void signal_blocked(struct turn *turn, const char *reason, const char *remedy)
{
    Pb__Signal *const signal = signal_new(turn, PB__SIGNAL__BODY_DEPLOYMENT_BLOCKED);
    Pb__DeploymentBlocked *const body =
        pb_new(turn->arena, &pb__deployment_blocked__descriptor);

    body->step = turn->state->step;
    body->reason = reason;
    body->remedy = remedy;
    body->notify = plan_leads(turn, &body->n_notify);
    signal->deployment_blocked = body;
}

void signal_finished(struct turn *turn, const char *exit)
{
    Pb__Signal *const signal = signal_new(turn, PB__SIGNAL__BODY_DEPLOYMENT_FINISHED);
    Pb__DeploymentFinished *const body =
        pb_new(turn->arena, &pb__deployment_finished__descriptor);

    body->exit = exit;
    signal->deployment_finished = body;
    (void)entry_add(turn,
                    "DeploymentFinished",
                    "signal %llu: %s",
                    (unsigned long long)signal->sequence,
                    exit);
}
