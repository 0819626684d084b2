#include "services/validator/validator.h"

#include "common/drivers/finding.h"
#include "common/drivers/metric_sources/metric_source.h"
#include "common/drivers/probes/probe.h"
#include "common/drivers/providers/provider.h"
#include "services/validator/answer.h"

#include <string.h>

enum {
    SCRATCH_MAX = 32 * 1024 * 1024, /* A few answers of 1 MiB each, and what is made of them. */
    LOOK_AGAIN_MS = 500,            /* While a probe settles. */
};

/* Where a task stands: one check is looked at in each step, so that a cancelled task ends
 * between two of them. */
struct validation {
    size_t next;
    int64_t settle_end_ms; /* Of checks[next]; 0: it was not looked at yet. */
};

/* Until when another look may still turn out a PASS. */
static int64_t settle_end(const struct worker_ports *ports, const Pb__CheckSpec *check)
{
    const int64_t now_ms = clock_now_ms(ports->service->clock);

    if (strcmp(check->kind, "probe") != 0)
        return now_ms;
    return now_ms + probe_settle_ms(ports->service->settings, check->probe);
}

static bool is_for_people(const Pb__CheckSpec *check)
{
    return strcmp(check->kind, "attest") == 0 || check->not_applicable[0] != '\0';
}

/* Look at the check that is next. True when its answer counts. */
static bool look(const struct worker_ports *ports,
                 struct worker_task *task,
                 struct validation *at)
{
    const Pb__RunChecks *const checks = task->command->run_checks;
    const Pb__CheckSpec *const check = checks->checks[at->next];
    const int64_t now_ms = clock_now_ms(ports->service->clock);
    struct arena scratch = arena_with_limit(SCRATCH_MAX);
    const struct driver_env env = worker_driver_env(ports, task, &scratch);
    const struct answer_context context = { &env, task->command, checks };
    const Pb__Finding *finding;
    bool counts;

    if (at->settle_end_ms == 0)
        at->settle_end_ms = settle_end(ports, check);
    finding = check_answer(&context, check);
    counts = finding->verdict == PB__VERDICT__PASS || now_ms >= at->settle_end_ms;
    if (counts)
        finding_put(task->arena, task->result, pb_clone(task->arena, finding));
    else
        task->wake_ms = now_ms + LOOK_AGAIN_MS;
    arena_release(&scratch);
    return counts;
}

static enum worker_step run_checks(const struct worker_ports *ports,
                                   struct worker_task *task,
                                   struct error *error)
{
    const Pb__RunChecks *const checks = task->command->run_checks;
    struct validation *at = task->memory;

    (void)error;
    if (at == NULL)
        at = task->memory = arena_alloc(task->arena, sizeof *at);
    if (task->stopped(task)) {
        task->result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
        return WORKER_DONE;
    }
    while (at->next < checks->n_checks && is_for_people(checks->checks[at->next]))
        at->next++;
    task->wake_ms = clock_now_ms(ports->service->clock);
    if (at->next < checks->n_checks && look(ports, task, at)) {
        at->next++;
        at->settle_end_ms = 0;
    }
    if (at->next < checks->n_checks)
        return WORKER_AGAIN;
    task->result->outcome = PB__OUTCOME__OUTCOME_OK;
    return WORKER_DONE;
}

static void check_drivers(struct arena *arena,
                          const struct settings *settings,
                          struct yaml_problems *problems)
{
    probes_check(arena, settings, problems);
    metric_sources_check(arena, settings, problems);
    providers_check(arena, settings, problems);
}

static const struct worker_handler handlers[] = {
    { .body = PB__COMMAND__BODY_RUN_CHECKS, .step = run_checks, .looks = true },
};

const struct worker_spec validator_spec = {
    .name = "validator",
    .summary = "answers checks: health of batches, validation, post-deployment validation",
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .check = check_drivers,
};
