#include "services/flag-rollout/read_back.h"

#include "common/state/projection.h"

enum { PLAN_MEMORY = 32 * 1024 * 1024 };

/* SHA-256 over the packed plan, as planning computes it. */
static bool plan_is_the_commanded(struct arena *arena,
                                  const Pb__Plan *plan,
                                  const Pb__Command *command)
{
    const struct pb_bytes packed = pb_pack(arena, plan);
    char hex[DIGEST_HEX_SIZE];

    digest_sha256(packed.bytes, packed.length, hex);
    return digest_equal(hex, command->plan_hash);
}

static size_t approvals_of(const Pb__DeploymentState *state, const char *plan_hash)
{
    size_t count = 0;

    for (size_t i = 0; i < state->n_approvals; i++) {
        if (!state->approvals[i]->voided && pb_same(state->approvals[i]->plan_hash, plan_hash))
            count++;
    }
    return count;
}

static size_t approvals_needed(const Pb__Plan *plan)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->n_approvals; i++)
        count += plan->approvals[i]->needed;
    return count;
}

/* The stage of the plan that grants what is to be set; stages rise, so there is one at most. */
static const Pb__Stage *stage_of(const Pb__Plan *plan, const Pb__SetFlags *set)
{
    for (size_t i = 0; i < plan->n_stages; i++) {
        if (plan->stages[i]->percent == set->percent &&
            pb_same(plan->stages[i]->audience, set->audience))
            return plan->stages[i];
    }
    return NULL;
}

static void judge(struct worker_task *task,
                  struct arena *scratch,
                  const Pb__CheckSpec *check,
                  const Pb__DeploymentState *state,
                  const Pb__Plan *plan)
{
    const Pb__Command *const command = task->command;
    const Pb__Stage *const stage = stage_of(plan, command->set_flags);
    const size_t given = approvals_of(state, command->plan_hash);
    const size_t needed = approvals_needed(plan);
    Pb__Finding *finding;

    if (!plan_is_the_commanded(scratch, plan, command))
        finding = worker_find(
            task, check, PB__VERDICT__FAIL, "the plan's hash is not the commanded one");
    else if (given < needed)
        finding = worker_find(task,
                              check,
                              PB__VERDICT__FAIL,
                              "%zu of %zu approvals are of this plan",
                              given,
                              needed);
    else if (stage == NULL)
        finding = worker_find(task,
                              check,
                              PB__VERDICT__FAIL,
                              "no stage of the approved plan grants %u %%",
                              command->set_flags->percent);
    else
        finding = worker_find(task,
                              check,
                              PB__VERDICT__PASS,
                              "stage %s of %zu: %u %%, at least %lld ms, %zu criteria; plan "
                              "%.8s approved %zu times",
                              stage->name,
                              plan->n_stages,
                              stage->percent,
                              (long long)stage->min_ms,
                              stage->n_checks,
                              command->plan_hash,
                              given);
    finding->wanted = "stages, timeline and criteria are those of the approved plan";
    finding->evidence =
        arena_printf(task->arena, "slipway plan %s --markdown", command->deployment);
}

void review_stage(const struct worker_ports *ports,
                  struct worker_task *task,
                  const Pb__CheckSpec *check)
{
    const struct settings *const settings = ports->service->settings;
    const struct projection projection = {
        .store = ports->store,
        .prefix = settings->redis.prefix,
        .partitions = (int32_t)settings->kafka.partitions,
    };
    Pb__DeploymentState *state = NULL;
    Pb__Plan *plan = NULL;
    struct arena scratch = arena_with_limit(PLAN_MEMORY);
    struct error error = { 0 };
    enum err err =
        projection_deployment(&projection, &scratch, task->command->deployment, &state, &error);

    if (err == ERR_OK)
        err = projection_plan(&projection, &scratch, state, &plan, &error);
    if (err == ERR_OK)
        judge(task, &scratch, check, state, plan);
    else
        (void)worker_find(task,
                          check,
                          PB__VERDICT__ERROR,
                          "the plan cannot be read: %s",
                          error.text[0] != '\0' ? error.text : err_name(err));
    arena_release(&scratch);
}
