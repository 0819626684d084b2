/* What section 4 of the procedure asks of a plan in words: dependencies, invoked procedures,
 * risks, unknowns, points of validation. */
#include "common/planning/compiler.h"

#include <string.h>

/* Stage 1 of the procedure: internal, 0 to 5 %. */
enum { FIRST_STAGE_MAX = 5 };

static const char *const dependencies[] = {
    "Pre-Deployment Checks -> Execute Deployment",
    "Execute Deployment -> Validate Deployment",
    "Validate Deployment -> Activate Feature Flags",
    "Activate Feature Flags -> Post-Deployment Validation",
    "Post-Deployment Validation -> Monitor Deployment",
    "Monitor Deployment -> Finalize Deployment",
};

static const char *const procedures[] = {
    "Deployment Procedure (step 2)",
    "Post-Deploy Validation Procedure (steps 3 and 5)",
    "Post-Release Monitoring Procedure (step 6)",
    "Rollback Procedure (if a step stops)",
};

static const char *const validation_points[] = {
    "after each batch: read back, health, bake",
    "after deployment: step 3",
    "after each stage of the rollout: read back, criteria, gate",
    "after feature flag activation: step 5",
    "during monitoring: step 6",
};

static void add_risk(struct compiler *compiler, const char *risk)
{
    PB_APPEND(compiler->arena, compiler->plan, risks, risk);
}

static void add_change_risk(struct compiler *compiler, const Pb__Change *change)
{
    const unsigned number = change->index + 1;

    if (change->on_rollback == PB__ON_ROLLBACK__MANUAL)
        add_risk(compiler,
                 arena_printf(compiler->arena,
                              "point of no return: change %u (%s %s) is not taken back by "
                              "itself; way back: %s",
                              number,
                              kind_name(change->kind),
                              change->artifact,
                              change->way_back));
    if (change->on_rollback == PB__ON_ROLLBACK__KEEP)
        add_risk(
            compiler,
            arena_printf(compiler->arena,
                         "change %u (%s %s) stays in place when the deployment is rolled back",
                         number,
                         kind_name(change->kind),
                         change->artifact));
    if (kind_is_code(change->kind) && change->n_batches == 1)
        add_risk(compiler,
                 arena_printf(compiler->arena,
                              "change %u (%s %s) reaches all of %s in one batch",
                              number,
                              kind_name(change->kind),
                              change->artifact,
                              change->target));
}

static void add_test_risks(struct compiler *compiler)
{
    for (size_t i = 0; i < compiler->acceptance->n_test_results; i++) {
        const Pb__TestResult *const result = compiler->acceptance->test_results[i];

        if (result->failed > 0)
            add_risk(compiler,
                     arena_printf(compiler->arena,
                                  "%u tests of suite %s failed",
                                  result->failed,
                                  result->suite));
    }
}

/* Where the feature answers a check otherwise than its policy, the reviewer should see it. */
static void add_binding_risks(struct compiler *compiler)
{
    for (size_t i = 0; i < compiler->acceptance->n_checks; i++) {
        const Pb__CheckBinding *const binding = compiler->acceptance->checks[i];

        if (*binding->not_applicable != '\0')
            add_risk(compiler,
                     arena_printf(compiler->arena,
                                  "the feature says that %s does not apply: %s",
                                  binding->check,
                                  binding->not_applicable));
    }
}

static void add_stage_risks(struct compiler *compiler)
{
    const Pb__Plan *const plan = compiler->plan;
    const uint32_t last = plan->n_stages > 0 ? plan->stages[plan->n_stages - 1]->percent : 100;

    if (last < 100)
        add_risk(compiler,
                 arena_printf(compiler->arena,
                              "the rollout ends at %u %%: the others do not get the feature",
                              last));
    if (plan->n_stages > 0 && plan->stages[0]->percent > FIRST_STAGE_MAX)
        add_risk(compiler,
                 arena_printf(compiler->arena,
                              "the rollout begins with %u %%, not with the at most %d %% of an "
                              "internal stage",
                              plan->stages[0]->percent,
                              FIRST_STAGE_MAX));
    if (plan->n_stages == 1)
        add_risk(compiler,
                 arena_printf(compiler->arena, "the rollout has one stage, %u %%", last));
}

void plan_words(struct compiler *compiler)
{
    Pb__Plan *const plan = compiler->plan;

    for (size_t i = 0; i < sizeof dependencies / sizeof dependencies[0]; i++)
        PB_APPEND(compiler->arena, plan, dependencies, dependencies[i]);
    for (size_t i = 0; i < sizeof procedures / sizeof procedures[0]; i++)
        PB_APPEND(compiler->arena, plan, invoked_procedures, procedures[i]);
    for (size_t i = 0; i < sizeof validation_points / sizeof validation_points[0]; i++)
        PB_APPEND(compiler->arena, plan, validation_points, validation_points[i]);
    for (size_t i = 0; i < compiler->acceptance->n_risks; i++)
        add_risk(compiler, compiler->acceptance->risks[i]);
    for (size_t i = 0; i < plan->n_changes; i++)
        add_change_risk(compiler, plan->changes[i]);
    add_test_risks(compiler);
    add_binding_risks(compiler);
    add_stage_risks(compiler);
    if (compiler->policy->bake_ms == 0)
        add_risk(compiler, "the policy watches no batch: its bake is 0");
    plan->unknowns = compiler->acceptance->unknowns;
    plan->n_unknowns = compiler->acceptance->n_unknowns;
}
