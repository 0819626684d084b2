/* The seven steps: every check of the procedure, answered or said not to apply. */
#include "common/planning/compiler.h"

#include <string.h>

#define KIND(name) (1U << PB__ARTIFACT_KIND__##name)

enum {
    CODE = KIND(BACKEND) | KIND(MIDDLEWARE) | KIND(FRONTEND),
    CONFIGURATION = KIND(CONFIGURATION) | KIND(ENVIRONMENT) | KIND(FLAG_DEFINITION),
    INFRASTRUCTURE = KIND(INFRASTRUCTURE) | KIND(THIRD_PARTY),
};

/* Checks of something that not every plan brings. */
static const struct {
    const char *id;
    unsigned kinds;
    const char *reason;
} conditions[] = {
    { "artifact.code", CODE, "the plan brings no code" },
    { "artifact.configuration", CONFIGURATION, "the plan brings no configuration" },
    { "artifact.infrastructure", INFRASTRUCTURE, "the plan brings no infrastructure" },
    { "artifact.migrations", KIND(MIGRATION), "the plan brings no migration" },
};

/* Parts of a system that not every one has: nobody needs to say so for a plan that does not
 * touch them. */
static const struct {
    const char *id;
    unsigned kinds;
    const char *reason;
} parts[] = {
    { "health.frontend", KIND(FRONTEND), "the plan brings no frontend" },
    { "health.middleware", KIND(MIDDLEWARE), "the plan brings no middleware" },
};

static bool is_about_flags(const char *id)
{
    return strncmp(id, "flag.", 5) == 0 || strcmp(id, "verify.flags_off") == 0 ||
           strcmp(id, "watch.rollout") == 0 || strcmp(id, "rollout.reviewed") == 0;
}

/* Why the plan itself makes the check not applicable, or NULL. */
static const char *not_needed(struct compiler *compiler, const struct check_row *row)
{
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++)
        if (strcmp(conditions[i].id, row->id) == 0 &&
            !plan_brings(compiler, conditions[i].kinds))
            return conditions[i].reason;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(parts[i].id, row->id) == 0 && !plan_brings(compiler, parts[i].kinds) &&
            bindings_of(compiler, row->id).count == 0)
            return parts[i].reason;
    if (is_about_flags(row->id) && compiler->acceptance->n_flags == 0)
        return "the feature brings no flag";
    if (strcmp(row->id, "env.window_approved") == 0 && compiler->policy->window_count == 0)
        return "the policy has no window";
    return NULL;
}

/* A policy may say that a builtin check does not apply. */
static const char *ruled_out(struct compiler *compiler, const struct check_row *row)
{
    const struct bindings bindings = bindings_of(compiler, row->id);

    return row->waivable && bindings.count > 0 && *bindings.item[0]->not_applicable != '\0'
               ? bindings.item[0]->not_applicable
               : NULL;
}

/* Or that a warning will do: a dashboard behind a sign-in is there all the same. */
static bool permits_warning(struct compiler *compiler, const struct check_row *row)
{
    const struct bindings bindings = bindings_of(compiler, row->id);

    for (size_t i = 0; i < bindings.count; i++)
        if (row->waivable && bindings.item[i]->warn_ok)
            return true;
    return false;
}

static void plan_builtin(struct compiler *compiler,
                         const struct check_row *row,
                         struct checks *checks)
{
    const char *const reason = ruled_out(compiler, row);
    Pb__CheckSpec *spec;

    if (reason != NULL) {
        checks_add(compiler, checks, check_not_applicable(compiler, row, reason));
        return;
    }
    if (strcmp(row->id, "monitoring.dashboards") == 0 &&
        compiler->acceptance->n_dashboards == 0)
        plan_missing(compiler,
                     "dashboards",
                     "dashboards",
                     "name a dashboard: people watch the deployment there");
    spec = check_new(compiler, row, row->id);
    spec->warn_ok = permits_warning(compiler, row);
    fill_builtin(compiler, row, spec);
    checks_add(compiler, checks, spec);
}

static void plan_row(struct compiler *compiler,
                     const struct check_row *row,
                     struct checks *checks)
{
    const char *const reason = not_needed(compiler, row);

    if (reason != NULL)
        checks_add(compiler, checks, check_not_applicable(compiler, row, reason));
    else if (strcmp(row->id, "env.ready") == 0)
        plan_ready(compiler, row, checks);
    else if (strcmp(row->id, "health.endpoint_status") == 0)
        plan_endpoints(compiler, row, checks);
    else if (strcmp(row->id, "verify.version") == 0)
        plan_verify_version(compiler, row, checks);
    else if (strcmp(row->id, "verify.configuration") == 0)
        plan_verify_configuration(compiler, row, checks);
    else if (row->answer == CHECK_METRIC)
        plan_watched(compiler, row, checks);
    else if (row->answer == CHECK_BOUND)
        plan_bound(compiler, row, checks);
    else
        plan_builtin(compiler, row, checks);
}

/* Step 2 asks by change and batch, as their indices count. */
static struct checks execution_checks(struct compiler *compiler)
{
    const struct check_row *const apply = catalogue_find("apply", 2);
    const struct check_row *const shift = catalogue_find("traffic.weight", 2);
    struct checks checks = { NULL, 0 };
    bool shifts = false;

    for (size_t c = 0; c < compiler->plan->n_changes; c++) {
        const Pb__Change *const change = compiler->plan->changes[c];

        for (size_t b = 0; b < change->n_batches; b++) {
            shifts = shifts || change->batches[b]->kind == PB__BATCH_KIND__SHIFT;
            checks_add(compiler,
                       &checks,
                       check_new(compiler,
                                 apply,
                                 arena_printf(compiler->arena, "apply.%zu.%zu", c, b)));
        }
    }
    if (shifts)
        checks_add(compiler, &checks, check_new(compiler, shift, shift->id));
    return checks;
}

/* Checks of a stage stand in the stage. */
static bool belongs_to_stage(const struct check_row *row)
{
    return row->step == 4 && strcmp(row->id, "rollout.reviewed") != 0;
}

static struct checks step_checks(struct compiler *compiler, unsigned step)
{
    struct checks checks = { NULL, 0 };
    const struct check_row *rows;
    size_t count;

    if (step == 2)
        return execution_checks(compiler);
    rows = catalogue(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].step == step && !belongs_to_stage(&rows[i]))
            plan_row(compiler, &rows[i], &checks);
    return checks;
}

/* Criteria that no step has found: they name a check that does not take them. */
static void check_unused_criteria(struct compiler *compiler)
{
    for (size_t i = 0; i < compiler->plan->n_metrics; i++) {
        const Pb__MetricCriterion *const criterion = compiler->plan->metrics[i];
        const struct check_row *const row =
            *criterion->check != '\0' ? catalogue_find(criterion->check, 0) : NULL;

        if (row != NULL && row->answer == CHECK_BUILTIN &&
            strcmp(row->id, "stage.min_samples") != 0)
            plan_missing(compiler,
                         "metrics",
                         "",
                         "metric %s answers %s, but %s answers that itself",
                         criterion->name,
                         criterion->check,
                         row->worker);
    }
}

void plan_steps(struct compiler *compiler)
{
    struct checks inputs;

    for (unsigned step = 1; step <= STEPS; step++) {
        Pb__StepPlan *const plan = pb_clone(compiler->arena, compiler->policy->steps[step]);
        const struct checks checks = step_checks(compiler, step);

        plan->checks = checks.item;
        plan->n_checks = checks.count;
        PB_APPEND(compiler->arena, compiler->plan, steps, plan);
    }
    inputs = step_checks(compiler, 0);
    compiler->plan->input_checks = inputs.item;
    compiler->plan->n_input_checks = inputs.count;
    check_unused_criteria(compiler);
}
