#include "tests/unit/coordinator_core/explore/plans.h"

static void add_check(struct arena *arena,
                      Pb__CheckSpec ***checks,
                      size_t *count,
                      const char *id)
{
    Pb__CheckSpec *const spec = pb_new(arena, &pb__check_spec__descriptor);

    spec->id = id;
    spec->kind = "probe";
    spec->required = true;
    spec->waivable = true;
    *checks = pb_grow(arena, *checks, *count, sizeof **checks);
    (*checks)[(*count)++] = spec;
}

static void add_steps(struct arena *arena, Pb__Plan *plan, Pb__OnNoGo on_no_go)
{
    static const char *const checks[] = { "", "checks",  "",        "validate",
                                          "", "confirm", "observe", "finalise" };

    for (uint32_t number = 1; number <= 7; number++) {
        Pb__StepPlan *const step = pb_new(arena, &pb__step_plan__descriptor);

        step->step = number;
        step->retry = pb_new(arena, &pb__retry__descriptor);
        step->retry->drives = 2;
        step->retry->first_ms = 1;
        step->retry->remeasures = 1;
        step->deadline_ms = 1000 * 1000;
        step->task_deadline_ms = 1000 * 1000;
        step->blocked_deadline_ms = 1000 * 1000;
        step->on_no_go = on_no_go;
        if (checks[number][0] != '\0')
            add_check(arena, &step->checks, &step->n_checks, checks[number]);
        PB_APPEND(arena, plan, steps, step);
    }
}

void plan_add_change(struct arena *arena,
                     Pb__Plan *plan,
                     const char *service,
                     uint32_t batches,
                     Pb__OnRollback rule)
{
    Pb__Change *const change = pb_new(arena, &pb__change__descriptor);

    change->artifact = service;
    change->service = service;
    change->on_rollback = rule;
    change->bake_ms = 1;
    for (uint32_t i = 0; i < batches; i++)
        PB_APPEND(arena, change, batches, pb_new(arena, &pb__batch__descriptor));
    add_check(arena, &change->bake, &change->n_bake, "bake");
    PB_APPEND(arena, plan, changes, change);
}

static void add_stages(struct arena *arena, Pb__Plan *plan, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        Pb__Stage *const stage = pb_new(arena, &pb__stage__descriptor);

        stage->name = "stage";
        stage->percent = i + 1 == count ? 100 : 10 * (i + 1);
        stage->min_ms = 1;
        add_check(arena, &stage->checks, &stage->n_checks, "watch");
        PB_APPEND(arena, plan, stages, stage);
    }
}

void plan_add_signoff(struct arena *arena, Pb__Plan *plan, uint32_t step)
{
    Pb__SignOffSpec *const signoff = pb_new(arena, &pb__sign_off_spec__descriptor);

    signoff->role = "lead";
    signoff->step = step;
    PB_APPEND(arena, plan, signoffs, signoff);
}

Pb__Plan *plan_small(struct arena *arena, Pb__OnNoGo on_no_go, uint32_t stages)
{
    Pb__Plan *const plan = pb_new(arena, &pb__plan__descriptor);
    Pb__ApprovalSpec *const approval = pb_new(arena, &pb__approval_spec__descriptor);
    Pb__FlagSpec *const flag = pb_new(arena, &pb__flag_spec__descriptor);

    plan->environment = "production";
    PB_APPEND(arena, plan, services, "shop");
    flag->key = "pay";
    PB_APPEND(arena, plan, flags, flag);
    approval->role = "lead";
    approval->needed = 1;
    PB_APPEND(arena, plan, approvals, approval);
    plan_add_signoff(arena, plan, 6);
    plan->observe_ms = 1000;
    plan->sample_every_ms = 1;
    plan->input_deadline_ms = plan->review_deadline_ms = plan->queue_deadline_ms = 1000 * 1000;
    plan->hold_deadline_ms = 1000 * 1000;
    add_check(arena, &plan->input_checks, &plan->n_input_checks, "inputs");
    add_steps(arena, plan, on_no_go);
    add_stages(arena, plan, stages);
    return plan;
}
