#include "tests/unit/coordinator_core/play.h"

static Pb__CheckSpec *check(struct arena *arena, const char *id, const char *kind)
{
    Pb__CheckSpec *const spec = pb_new(arena, &pb__check_spec__descriptor);

    spec->id = id;
    spec->kind = kind;
    spec->required = true;
    spec->waivable = true;
    spec->remedy = arena_printf(arena, "repair %s", id);
    if (strcmp(kind, "attest") == 0)
        spec->role = "technical-lead";
    return spec;
}

static Pb__Change *change(struct arena *arena, const char *artifact, size_t batches)
{
    Pb__Change *const change = pb_new(arena, &pb__change__descriptor);

    change->artifact = artifact;
    change->version = "1.1";
    change->service = "shop";
    change->target = artifact;
    change->kind = PB__ARTIFACT_KIND__BACKEND;
    change->on_rollback = PB__ON_ROLLBACK__REVERT;
    change->timeout_ms = 60000;
    change->bake_ms = 300;
    for (uint32_t i = 0; i < batches; i++) {
        Pb__Batch *const batch = pb_new(arena, &pb__batch__descriptor);

        batch->index = i;
        batch->kind = PB__BATCH_KIND__APPLY;
        PB_APPEND(arena, change, batches, batch);
    }
    PB_APPEND(arena, change, health, check(arena, "health.backend", "probe"));
    PB_APPEND(arena, change, bake, check(arena, "bake.error_rate", "metric"));
    return change;
}

static Pb__Stage *stage(struct arena *arena, const char *name, uint32_t percent)
{
    Pb__Stage *const stage = pb_new(arena, &pb__stage__descriptor);

    stage->name = name;
    stage->percent = percent;
    stage->min_ms = 1000;
    stage->max_ms = 10000;
    stage->min_samples = 100;
    PB_APPEND(arena, stage, checks, check(arena, "flag.read_back", "builtin"));
    PB_APPEND(arena, stage, checks, check(arena, "stage.errors", "metric"));
    return stage;
}

static Pb__StepPlan *step(struct arena *arena, uint32_t number)
{
    static const char *const checks[] = { "",
                                          "env.ready",
                                          "",
                                          "smoke.api",
                                          "",
                                          "functional.feature",
                                          "watch.metrics",
                                          "docs.execution" };
    Pb__StepPlan *const step = pb_new(arena, &pb__step_plan__descriptor);

    step->step = number;
    step->retry = pb_new(arena, &pb__retry__descriptor);
    step->retry->drives = 2;
    step->retry->first_ms = 1000;
    step->retry->max_ms = 30000;
    step->retry->remeasures = 1;
    step->deadline_ms = 3600 * 1000;
    step->task_deadline_ms = 60 * 1000;
    step->blocked_deadline_ms = 4 * 3600 * 1000;
    step->max_age_ms = 600 * 1000;
    step->on_no_go = PB__ON_NO_GO__STOP;
    if (checks[number][0] != '\0')
        PB_APPEND(arena, step, checks, check(arena, checks[number], "probe"));
    return step;
}

static void people(struct arena *arena, Pb__Plan *plan)
{
    static const char *const roles[] = { "devops-lead", "technical-lead", "operations-lead" };
    static const uint32_t steps[] = { 2, 3, 6 };

    for (size_t i = 0; i < 3; i++) {
        Pb__SignOffSpec *const signoff = pb_new(arena, &pb__sign_off_spec__descriptor);

        signoff->role = roles[i];
        signoff->step = steps[i];
        PB_APPEND(arena, plan, signoffs, signoff);
    }
    for (size_t i = 0; i < 2; i++) {
        Pb__ApprovalSpec *const approval = pb_new(arena, &pb__approval_spec__descriptor);

        approval->role = roles[i];
        approval->needed = 1;
        PB_APPEND(arena, plan, approvals, approval);
    }
}

static void channels(struct arena *arena, Pb__Plan *plan)
{
    static const char *const purposes[] = { "page", "notify.deployment" };

    for (size_t i = 0; i < 2; i++) {
        Pb__ChannelUse *const channel = pb_new(arena, &pb__channel_use__descriptor);

        channel->channel = "hook";
        channel->purpose = purposes[i];
        PB_APPEND(arena, plan, channels, channel);
    }
}

static void times(Pb__Plan *plan)
{
    plan->observe_ms = 60 * 1000;
    plan->sample_every_ms = 1000;
    plan->coverage_bp = 9500;
    plan->input_deadline_ms = 24LL * 3600 * 1000;
    plan->review_deadline_ms = 4LL * 3600 * 1000;
    plan->queue_deadline_ms = 24LL * 3600 * 1000;
    plan->hold_deadline_ms = 24LL * 3600 * 1000;
    plan->reminder_ms = 3600 * 1000;
    plan->flag_timeout_ms = 2000;
    plan->window_grace_ms = 600 * 1000;
}

Pb__Plan *play_plan(struct arena *arena)
{
    Pb__Plan *const plan = pb_new(arena, &pb__plan__descriptor);
    Pb__FlagSpec *const flag = pb_new(arena, &pb__flag_spec__descriptor);

    plan->feature = "pay";
    plan->title = "Pay by one click";
    plan->environment = "production";
    plan->ticket = "SHOP-1";
    PB_APPEND(arena, plan, services, "shop");
    PB_APPEND(arena, plan, changes, change(arena, "config", 1));
    PB_APPEND(arena, plan, changes, change(arena, "shop", 2));
    plan->changes[0]->bake_ms = 0;
    plan->changes[0]->kind = PB__ARTIFACT_KIND__CONFIGURATION;
    flag->key = "pay";
    PB_APPEND(arena, plan, flags, flag);
    PB_APPEND(arena, plan, stages, stage(arena, "internal", 5));
    PB_APPEND(arena, plan, stages, stage(arena, "full", 100));
    for (uint32_t number = 1; number <= 7; number++)
        PB_APPEND(arena, plan, steps, step(arena, number));
    PB_APPEND(arena, plan, input_checks, check(arena, "flag.system_available", "builtin"));
    people(arena, plan);
    channels(arena, plan);
    times(plan);
    return plan;
}
