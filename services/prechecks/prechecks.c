#include "services/prechecks/prechecks.h"

#include "common/drivers/metric_sources/metric_source.h"
#include "common/drivers/probes/probe.h"
#include "common/drivers/providers/provider.h"

#include <stdlib.h>
#include <string.h>

enum { BOOK_MEMORY_MAX = 64 * 1024 * 1024, SCRATCH_MAX = 64 * 1024 * 1024 };

/* clang-format off */
static const struct {
    const char *id;
    check_look look;
} builtins[] = {
    { "acceptance.report_complete",  look_at_report_complete },
    { "acceptance.signoffs_all",     look_at_signoffs },
    { "acceptance.criteria_met",     look_at_criteria },
    { "acceptance.digest",           look_at_report_digest },
    { "artifact.code",               look_at_code },
    { "artifact.configuration",      look_at_configuration },
    { "artifact.infrastructure",     look_at_infrastructure },
    { "artifact.migrations",         look_at_migrations },
    { "flag.configured",             look_at_flag_configured },
    { "flag.off",                    look_at_flag_off },
    { "flag.rollout_plan",           look_at_rollout_plan },
    { "flag.system_available",       look_at_flag_system },
    { "docs.steps",                  look_at_doc_steps },
    { "docs.rollback",               look_at_doc_rollback },
    { "docs.runbooks",               look_at_doc_runbooks },
    { "monitoring.available",        look_at_metric_sources },
    { "monitoring.configured",       look_at_metrics },
    { "monitoring.dashboards",       look_at_dashboards },
    { "monitoring.alerts",           look_at_alert_rules },
    { "monitoring.no_open_critical", look_at_open_alerts },
    { "env.window_approved",         look_at_window },
    { "env.baseline_known",          look_at_baseline },
    { "env.no_drift",                look_at_drift },
};
/* clang-format on */

/* One task: first everything is looked at once, then each check is answered. */
struct run {
    struct sighting *sightings;
    size_t sighting_count;
    size_t seen;
    size_t answered;
};

static check_look builtin_find(const char *id)
{
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
        if (strcmp(builtins[i].id, id) == 0)
            return builtins[i].look;
    return NULL;
}

static void answer_builtin(const struct look *look, Pb__Finding *ret)
{
    const check_look answer = builtin_find(look->check->id);

    if (answer != NULL) {
        answer(look, ret);
        return;
    }
    ret->verdict = PB__VERDICT__ERROR;
    ret->observed = "this version of prechecks does not know the check";
}

static const Pb__Finding *answer(const struct look *look)
{
    struct metric_sample sample = { 0 };
    Pb__Finding *finding;

    if (pb_same(look->check->kind, "probe"))
        return probe_answer(&look->env, look->check, NULL, 0);
    if (pb_same(look->check->kind, "metric"))
        return metric_answer(&look->env, look->check, &sample);
    finding = pb_new(look->env.arena, &pb__finding__descriptor);
    finding->kind = look->check->kind;
    if (pb_same(look->check->kind, "builtin")) {
        answer_builtin(look, finding);
    } else {
        finding->verdict = PB__VERDICT__ERROR;
        finding->observed = arena_printf(
            look->env.arena, "prechecks cannot answer a check of kind %s", look->check->kind);
    }
    return finding;
}

static void keep_finding(struct worker_task *task,
                         const Pb__CheckSpec *check,
                         const Pb__Finding *answered,
                         int64_t now_ms)
{
    Pb__Finding *const finding = pb_clone(task->arena, answered);

    finding->check = check->id;
    finding->required = check->required;
    finding->at_ms = now_ms;
    if (finding->verdict == PB__VERDICT__PASS)
        finding->remedy = "";
    else if (finding->remedy[0] == '\0')
        finding->remedy = check->remedy;
    PB_APPEND(task->arena, task->result, findings, finding);
}

/* What a person says is not ours to say, and what is planned as not applicable needs no look.
 */
static bool is_ours(const Pb__CheckSpec *check)
{
    return !pb_same(check->kind, "attest") && check->not_applicable[0] == '\0';
}

static void do_check(const struct worker_ports *ports,
                     struct worker_task *task,
                     struct run *run)
{
    const Pb__RunChecks *const asked = task->command->run_checks;
    struct arena scratch = arena_with_limit(SCRATCH_MAX);
    const struct look look = {
        .env = worker_driver_env(ports, task, &scratch),
        .prechecks = ports->state,
        .ports = ports,
        .command = task->command,
        .asked = asked,
        .check = asked->checks[run->answered++],
        .sightings = run->sightings,
        .sighting_count = run->sighting_count,
    };

    if (is_ours(look.check))
        keep_finding(task, look.check, answer(&look), clock_now_ms(ports->service->clock));
    arena_release(&scratch);
}

/* What cannot be gone back to is no baseline. */
static void do_sighting(const struct worker_ports *ports,
                        struct worker_task *task,
                        struct run *run)
{
    struct sighting *const sighting = &run->sightings[run->seen++];
    struct arena scratch = arena_with_limit(SCRATCH_MAX);
    const struct driver_env env = worker_driver_env(ports, task, &scratch);

    sighting_look(&env, task->command, task->arena, sighting);
    if (task->command->run_checks->report_baseline && sighting_is_settled(sighting))
        PB_APPEND(task->arena, task->result, observed, sighting->observed);
    arena_release(&scratch);
}

static bool needs_sightings(const Pb__RunChecks *asked)
{
    for (size_t i = 0; i < asked->n_checks; i++)
        if (pb_same(asked->checks[i]->id, "env.baseline_known") ||
            pb_same(asked->checks[i]->id, "env.no_drift") ||
            pb_same(asked->checks[i]->id, "artifact.configuration"))
            return true;
    return asked->report_baseline;
}

static enum worker_step begin(const struct worker_ports *ports, struct worker_task *task)
{
    const struct settings *const settings = ports->service->settings;
    struct run *const run = arena_alloc(task->arena, sizeof *run);

    if (!pb_same(task->command->config_hash, settings->hash)) {
        task->result->outcome = PB__OUTCOME__OUTCOME_ERROR;
        task->result->error =
            arena_printf(task->arena,
                         "this prechecks runs configuration %.12s, the plan was made for %.12s",
                         settings->hash,
                         task->command->config_hash);
        return WORKER_DONE;
    }
    if (needs_sightings(task->command->run_checks))
        run->sighting_count = sightings_list(
            ports->state, task->arena, task->command->run_checks, &run->sightings);
    task->memory = run;
    task->wake_ms = clock_now_ms(ports->service->clock);
    return WORKER_AGAIN;
}

/* Looks at one instance, or answers one check, a call. */
static enum worker_step run_checks(const struct worker_ports *ports,
                                   struct worker_task *task,
                                   struct error *error)
{
    struct run *const run = task->memory;

    (void)error;
    if (run == NULL)
        return begin(ports, task);
    if (!task->stopped(task)) {
        if (run->seen < run->sighting_count)
            do_sighting(ports, task, run);
        else if (run->answered < task->command->run_checks->n_checks)
            do_check(ports, task, run);
    }
    if (task->stopped(task)) {
        task->result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
        return WORKER_DONE;
    }
    task->wake_ms = clock_now_ms(ports->service->clock);
    if (run->seen < run->sighting_count || run->answered < task->command->run_checks->n_checks)
        return WORKER_AGAIN;
    task->result->outcome = PB__OUTCOME__OUTCOME_OK;
    return WORKER_DONE;
}

static const struct worker_handler handlers[] = {
    { .body = PB__COMMAND__BODY_RUN_CHECKS, .step = run_checks, .looks = true },
};

static void prechecks_close(void *state)
{
    struct prechecks *const prechecks = state;

    if (prechecks == NULL)
        return;
    arena_release(&prechecks->arena);
    free(prechecks);
}

static void check_drivers(struct arena *arena,
                          const struct settings *settings,
                          struct yaml_problems *problems)
{
    (void)deployer_book_read(arena, settings, problems);
    probes_check(arena, settings, problems);
    metric_sources_check(arena, settings, problems);
    providers_check(arena, settings, problems);
}

static enum err prechecks_open(const struct service_ports *ports,
                               void **ret_state,
                               struct error *error)
{
    struct prechecks *const prechecks = calloc(1, sizeof *prechecks);
    struct yaml_problems *problems;

    (void)error;
    if (prechecks == NULL)
        abort();
    prechecks->arena = arena_with_limit(BOOK_MEMORY_MAX);
    prechecks->settings = ports->settings;
    problems = arena_alloc(&prechecks->arena, sizeof *problems);
    problems->arena = &prechecks->arena;
    prechecks->book = deployer_book_read(&prechecks->arena, ports->settings, problems);
    *ret_state = prechecks;
    return ERR_OK;
}

const struct worker_spec prechecks_spec = {
    .name = "prechecks",
    .summary = "Looks whether everything is there and ready before a deployment starts.",
    .handlers = handlers,
    .handler_count = sizeof handlers / sizeof handlers[0],
    .check = check_drivers,
    .open = prechecks_open,
    .close = prechecks_close,
};
