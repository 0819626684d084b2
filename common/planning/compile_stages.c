/* The stages of the rollout, and what is asked in each. */
#include "common/planning/compiler.h"

#include <string.h>

static void add_metrics(struct compiler *compiler,
                        const Pb__RolloutStage *stage,
                        const char *check,
                        struct checks *checks)
{
    const size_t before = checks->count;
    const bool of_errors = strcmp(check, "stage.errors") == 0;

    plan_stage_metrics(compiler, stage, check, checks);
    if (checks->count > before)
        return;
    if (of_errors)
        plan_unmeasured(compiler, catalogue_find(check, 4), checks);
    else
        checks_add(compiler,
                   checks,
                   check_not_applicable(compiler,
                                        catalogue_find(check, 4),
                                        "no metric of the plan answers it by name"));
}

static void add_samples(struct compiler *compiler,
                        const Pb__RolloutStage *stage,
                        size_t index,
                        struct checks *checks)
{
    const size_t before = checks->count;

    plan_stage_metrics(compiler, stage, "stage.min_samples", checks);
    if (checks->count > before)
        return;
    if (stage->min_samples > 0)
        plan_missing(compiler,
                     "rollout_plan",
                     arena_printf(compiler->arena, "rollout[%zu].min_samples", index),
                     "stage %s asks for %llu samples, but no metric counts them: give one "
                     "`samples: true`",
                     stage->name,
                     (unsigned long long)stage->min_samples);
    checks_add(compiler,
               checks,
               check_not_applicable(compiler,
                                    catalogue_find("stage.min_samples", 4),
                                    "the stage asks for no samples"));
}

static void add_builtin(struct compiler *compiler, const char *id, struct checks *checks)
{
    const struct check_row *const row = catalogue_find(id, 4);
    Pb__CheckSpec *const spec = check_new(compiler, row, id);

    fill_builtin(compiler, row, spec);
    checks_add(compiler, checks, spec);
}

/* Rollout without a criterion is hope. */
static void check_criteria(struct compiler *compiler,
                           const Pb__RolloutStage *stage,
                           size_t index,
                           const struct checks *checks)
{
    for (size_t i = 0; i < checks->count; i++)
        if (checks->item[i]->metric != NULL && checks->item[i]->required &&
            !checks->item[i]->metric->samples)
            return;
    plan_missing(
        compiler,
        "rollout_plan",
        arena_printf(compiler->arena, "rollout[%zu].criteria", index),
        "stage %s has no criterion: give it, the feature or the policy a required metric "
        "with a limit",
        stage->name);
}

static void add_gate(struct compiler *compiler,
                     const Pb__RolloutStage *stage,
                     size_t index,
                     struct checks *checks)
{
    const struct check_row *const row = catalogue_find("stage.gate", 4);
    Pb__CheckSpec *spec;

    if (*stage->gate_role == '\0')
        return;
    if (settings_role(compiler->settings, stage->gate_role) == NULL)
        plan_missing(compiler,
                     "rollout_plan",
                     arena_printf(compiler->arena, "rollout[%zu].gate", index),
                     "role %s is not configured",
                     stage->gate_role);
    spec = check_new(compiler, row, row->id);
    spec->kind = "attest";
    spec->role = stage->gate_role;
    checks_add(compiler, checks, spec);
}

static struct checks stage_checks(struct compiler *compiler,
                                  const Pb__RolloutStage *stage,
                                  size_t index)
{
    struct checks checks = { NULL, 0 };

    add_builtin(compiler, "flag.set", &checks);
    add_builtin(compiler, "flag.read_back", &checks);
    add_metrics(compiler, stage, "stage.metrics", &checks);
    add_metrics(compiler, stage, "stage.errors", &checks);
    check_criteria(compiler, stage, index, &checks);
    plan_bound(compiler, catalogue_find("stage.behaviour", 4), &checks);
    plan_bound(compiler, catalogue_find("stage.feedback", 4), &checks);
    add_builtin(compiler, "stage.criteria", &checks);
    add_samples(compiler, stage, index, &checks);
    add_builtin(compiler, "stage.min_time", &checks);
    add_gate(compiler, stage, index, &checks);
    return checks;
}

static void plan_stage(struct compiler *compiler, const Pb__RolloutStage *wanted, size_t index)
{
    Pb__Stage *const stage = pb_new(compiler->arena, &pb__stage__descriptor);
    const struct checks checks = stage_checks(compiler, wanted, index);

    stage->index = (uint32_t)index;
    stage->name = wanted->name;
    stage->percent = wanted->percent;
    stage->audience = wanted->audience;
    stage->min_ms = wanted->min_ms;
    stage->max_ms = compiler->policy->stage_max_ms;
    stage->min_samples = wanted->min_samples;
    stage->gate_role = wanted->gate_role;
    stage->gate_deadline_ms =
        *wanted->gate_role != '\0' ? compiler->policy->gate_deadline_ms : 0;
    stage->checks = checks.item;
    stage->n_checks = checks.count;
    if (wanted->min_ms >= stage->max_ms)
        plan_missing(compiler,
                     "rollout_plan",
                     arena_printf(compiler->arena, "rollout[%zu].min_ms", index),
                     "stage %s lasts %lld s at least, but policy %s gives a stage %lld s",
                     wanted->name,
                     (long long)(wanted->min_ms / 1000),
                     compiler->policy->name,
                     (long long)(stage->max_ms / 1000));
    PB_APPEND(compiler->arena, compiler->plan, stages, stage);
}

void plan_stages(struct compiler *compiler)
{
    const Pb__AcceptanceSignedOff *const acceptance = compiler->acceptance;
    const int64_t deadline_ms = compiler->policy->steps[4]->deadline_ms;
    int64_t least_ms = 0;

    if (acceptance->n_flags == 0)
        return;
    for (size_t i = 0; i < acceptance->n_rollout; i++) {
        plan_stage(compiler, acceptance->rollout[i], i);
        least_ms += acceptance->rollout[i]->min_ms;
    }
    if (least_ms >= deadline_ms)
        plan_missing(compiler,
                     "rollout_plan",
                     "rollout",
                     "the stages last %lld s at least, but policy %s gives step 4 %lld s",
                     (long long)(least_ms / 1000),
                     compiler->policy->name,
                     (long long)(deadline_ms / 1000));
}
