#include "services/executor/executor.h"

#include <string.h>

enum { SCRATCH_MAX = 16 * 1024 * 1024 };

/* One batch, forward or back. Lives in the task's memory. */
struct batch_run {
    bool back;
    const Pb__Change *change;
    const Pb__Batch *batch;
    const struct deployer_entry *entry;
    Pb__Observed *const *baseline;
    size_t baseline_count;
    const char *side;                          /* Resolved; "" if the batch has none. */
    const struct setting_instance **instances; /* In the order to go; one NULL for a shift. */
    size_t count;
    size_t next;
    const char *evidence; /* Of the newest call. */

    /* The way back goes on after an instance failed: the first failure is kept. */
    enum err failed;
    struct error why;
};

static const char *check_of(struct worker_task *task, const struct batch_run *run)
{
    return arena_printf(task->arena, "apply.%u.%u", run->change->index, run->batch->index);
}

/* What the batch is about, for people: "shop 1.1 on shop-1, shop-2". */
static const char *wanted_text(struct worker_task *task, const struct batch_run *run)
{
    if (run->batch->kind == PB__BATCH_KIND__SHIFT)
        return run->back ? "traffic where it was before"
                         : arena_printf(task->arena, "traffic on side %s", run->side);
    if (run->back)
        return "as before the deployment";
    return arena_printf(task->arena,
                        "%s sha256:%.12s",
                        run->change->version,
                        run->change->digest != NULL ? run->change->digest->value : "");
}

static const char *remedy_of(enum err err, bool back)
{
    if (err == ERR_CONFLICT)
        return "another deployment holds the target: look at its marker and who wrote it";
    if (err == ERR_DENIED)
        return "build the artifact again and submit it with its digest, or restore the file";
    if (err == ERR_NOT_FOUND && back)
        return "bring the former release back by hand, then mark-restored";
    if (err == ERR_NOT_FOUND)
        return "put the artifact below the target's artifact_root";
    if (err == ERR_INVALID)
        return "correct the target in slipway.yaml or the artifact";
    return "look at the evidence; the next drive observes first and does what is left";
}

/* Repeating what is refused for good cannot help; everything else may. */
static bool is_final(enum err err)
{
    return err == ERR_CONFLICT || err == ERR_DENIED || err == ERR_INVALID ||
           err == ERR_NOT_FOUND || err == ERR_TOO_LARGE;
}

static enum worker_step end_failed(struct worker_task *task,
                                   const struct batch_run *run,
                                   enum err err,
                                   const char *why)
{
    const bool final = is_final(err);
    Pb__Finding *const finding = executor_find(
        task, check_of(task, run), final ? PB__VERDICT__FAIL : PB__VERDICT__ERROR);

    finding->observed = arena_text(task->arena, why);
    finding->wanted = wanted_text(task, run);
    finding->evidence = run->evidence;
    finding->remedy = remedy_of(err, run->back);
    task->result->outcome = final ? PB__OUTCOME__OUTCOME_FAILED : PB__OUTCOME__OUTCOME_ERROR;
    task->result->error = finding->observed;
    return WORKER_DONE;
}

static enum worker_step end_cancelled(struct worker_task *task, const struct batch_run *run)
{
    task->result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
    task->result->error = arena_printf(task->arena,
                                       "stopped after %zu of %zu instances",
                                       run->next < run->count ? run->next : run->count,
                                       run->count);
    return WORKER_DONE;
}

static enum worker_step end_done(struct worker_task *task, const struct batch_run *run)
{
    Pb__Finding *finding;

    if (run->failed != ERR_OK)
        return end_failed(task, run, run->failed, run->why.text);
    finding = executor_find(task, check_of(task, run), PB__VERDICT__PASS);
    finding->observed =
        run->batch->kind == PB__BATCH_KIND__SHIFT
            ? task->result->observed[0]->state
            : arena_printf(
                  task->arena, "%zu of %zu instances, read back", run->count, run->count);
    finding->wanted = wanted_text(task, run);
    finding->evidence = run->evidence;
    if (run->batch->kind == PB__BATCH_KIND__SHIFT) {
        Pb__Finding *const traffic = executor_find(task, "traffic.weight", PB__VERDICT__PASS);

        traffic->observed = finding->observed;
        traffic->wanted = finding->wanted;
    }
    task->result->outcome = PB__OUTCOME__OUTCOME_OK;
    return WORKER_DONE;
}

static const struct setting_instance *instance_named(const struct setting_target *target,
                                                     const char *name)
{
    for (size_t i = 0; i < target->instance_count; i++)
        if (pb_same(target->instances[i].name, name))
            return &target->instances[i];
    return NULL;
}

/* The instances of the batch that stand on its side; the way back starts with the last. */
static enum err list_instances(struct worker_task *task,
                               struct batch_run *run,
                               struct error *error)
{
    const Pb__Batch *const batch = run->batch;

    run->instances =
        arena_alloc(task->arena, (batch->n_instances + 1) * sizeof *run->instances);
    for (size_t i = 0; i < batch->n_instances; i++) {
        const size_t at = run->back ? batch->n_instances - 1 - i : i;
        const struct setting_instance *const instance =
            instance_named(run->entry->target, batch->instances[at]);

        if (instance == NULL)
            return error_set(error,
                             ERR_UNAVAILABLE,
                             "target %s has no instance %s in this configuration",
                             run->change->target,
                             batch->instances[at]);
        if (run->side[0] == '\0' || pb_same(instance->side, run->side))
            run->instances[run->count++] = instance;
    }
    if (run->count == 0)
        return error_set(error, ERR_INVALID, "the batch names no instance");
    return ERR_OK;
}

static enum err choose_side(struct batch_run *run, struct error *error)
{
    const struct setting_target *const target = run->entry->target;
    const Pb__Observed *const router =
        baseline_of(run->baseline, run->baseline_count, target->name, "");

    run->side = batch_side(target, run->batch, router, error);
    if (run->side == NULL)
        return ERR_INVALID;
    if (run->batch->kind != PB__BATCH_KIND__SHIFT || !run->back)
        return ERR_OK;
    if (router == NULL)
        return error_set(error, ERR_INVALID, "where the traffic was before is unknown");
    run->side = router->state + strlen(DEPLOYED_SIDE);
    return ERR_OK;
}

/* Finds what the command names in the configuration. A name that is gone may come back with the
 * right configuration, so it is worth another drive. */
static enum err resolve(const struct executor *executor,
                        struct worker_task *task,
                        struct batch_run *run,
                        struct error *error)
{
    enum err err;

    run->entry = deployer_book_find(&executor->book, run->change->target);
    if (run->entry == NULL)
        return error_set(error,
                         ERR_UNAVAILABLE,
                         "target %s is not in this configuration",
                         run->change->target);
    if (run->batch->kind == PB__BATCH_KIND__BATCH_KIND_UNSPECIFIED)
        return error_set(error, ERR_INVALID, "the batch has no kind");
    err = choose_side(run, error);
    if (err != ERR_OK || run->batch->kind != PB__BATCH_KIND__SHIFT)
        return err == ERR_OK ? list_instances(task, run, error) : err;
    if (!run->entry->driver->can_shift)
        return error_set(error, ERR_INVALID, "%s cannot shift traffic", run->change->deployer);
    run->instances = arena_alloc(task->arena, sizeof *run->instances);
    run->count = 1;
    return ERR_OK;
}

typedef enum err (*deployer_call)(const struct driver_env *env,
                                  const struct deployer_order *order,
                                  Pb__Observed *ret,
                                  struct error *error);

static deployer_call call_of(const struct batch_run *run)
{
    if (run->batch->kind == PB__BATCH_KIND__SHIFT)
        return run->entry->driver->shift;
    return run->back ? run->entry->driver->revert : run->entry->driver->apply;
}

/* What is there after a failure; silence about that is no second failure. */
static void look_after_failure(const struct driver_env *env,
                               const struct batch_run *run,
                               const struct deployer_order *order,
                               Pb__Observed *ret)
{
    struct error ignored = { 0 };

    if (run->entry->driver->observe(env, order, ret, &ignored) != ERR_OK &&
        ret->target[0] == '\0')
        pb__observed__init(ret);
}

/* One instance, or the router. What was observed and the evidence outlive the call. */
static enum err do_one(const struct worker_ports *ports,
                       struct worker_task *task,
                       struct batch_run *run,
                       struct error *error)
{
    struct arena scratch = arena_with_limit(SCRATCH_MAX);
    const struct driver_env env = worker_driver_env(ports, task, &scratch);
    const struct setting_instance *const instance = run->instances[run->next];
    struct deployer_order order = deployer_order_for(run->entry, instance);
    const char *evidence = "";
    Pb__Observed observed;
    enum err err;

    pb__observed__init(&observed);
    order.change = run->change;
    order.fence = task->command->fence;
    order.side = run->side;
    order.deployment = task->command->deployment;
    order.ret_evidence = &evidence;
    order.baseline = baseline_of(run->baseline,
                                 run->baseline_count,
                                 run->change->target,
                                 instance != NULL ? instance->name : "");
    driver_crash_point(&env, CRASH_EXECUTOR_BEFORE_ACT);
    err = call_of(run)(&env, &order, &observed, error);
    driver_crash_point(&env, CRASH_EXECUTOR_AFTER_ACT);
    if (err != ERR_OK && !task->stopped(task))
        look_after_failure(&env, run, &order, &observed);
    if (evidence[0] != '\0')
        run->evidence = arena_text(task->arena, evidence);
    if (observed.target[0] != '\0')
        PB_APPEND(task->arena, task->result, observed, pb_clone(task->arena, &observed));
    if (err != ERR_OK && instance != NULL)
        err = error_wrap(error, err, "%s", instance->name);
    arena_release(&scratch);
    return err;
}

static enum worker_step go_on(const struct worker_ports *ports,
                              struct worker_task *task,
                              struct batch_run *run)
{
    struct error error = { 0 };
    enum err err;

    if (task->stopped(task))
        return end_cancelled(task, run);
    err = do_one(ports, task, run, &error);
    if (err != ERR_OK && task->stopped(task))
        return end_cancelled(task, run);
    if (err != ERR_OK && !run->back)
        return end_failed(task, run, err, error.text);
    if (err != ERR_OK && run->failed == ERR_OK) {
        run->failed = err;
        run->why = error;
    }
    if (++run->next == run->count)
        return end_done(task, run);
    task->wake_ms = clock_now_ms(ports->service->clock);
    return WORKER_AGAIN;
}

static enum worker_step start(const struct worker_ports *ports,
                              struct worker_task *task,
                              struct batch_run *run)
{
    struct error error = { 0 };
    const struct settings *const settings = ports->service->settings;
    enum err err = ERR_OK;

    if (!run->back && !pb_same(task->command->config_hash, settings->hash))
        err = error_set(&error,
                        ERR_UNAVAILABLE,
                        "this executor runs configuration %.12s, the plan was made for %.12s",
                        settings->hash,
                        task->command->config_hash);
    if (err == ERR_OK)
        err = resolve(ports->state, task, run, &error);
    return err == ERR_OK ? go_on(ports, task, run) : end_failed(task, run, err, error.text);
}

/* The first call makes the run, the others go on with it. */
static enum worker_step step(const struct worker_ports *ports,
                             struct worker_task *task,
                             const struct batch_run *asked,
                             uint32_t batch)
{
    struct batch_run *run = task->memory;

    if (run != NULL)
        return go_on(ports, task, run);
    if (asked->change == NULL || batch >= asked->change->n_batches) {
        task->result->outcome = PB__OUTCOME__OUTCOME_FAILED;
        task->result->error = "the command names no such batch";
        return WORKER_DONE;
    }
    run = arena_alloc(task->arena, sizeof *run);
    *run = *asked;
    run->batch = asked->change->batches[batch];
    run->side = "";
    run->evidence = "";
    task->memory = run;
    return start(ports, task, run);
}

enum worker_step executor_apply(const struct worker_ports *ports,
                                struct worker_task *task,
                                struct error *error)
{
    const Pb__ApplyChange *const apply = task->command->apply;
    const struct batch_run asked = {
        .change = apply->change,
        .baseline = apply->baseline,
        .baseline_count = apply->n_baseline,
    };

    (void)error;
    return step(ports, task, &asked, apply->batch);
}

enum worker_step executor_revert(const struct worker_ports *ports,
                                 struct worker_task *task,
                                 struct error *error)
{
    const Pb__RevertChange *const revert = task->command->revert;
    const struct batch_run asked = {
        .back = true,
        .change = revert->change,
        .baseline = revert->baseline,
        .baseline_count = revert->n_baseline,
    };

    (void)error;
    return step(ports, task, &asked, revert->batch);
}
