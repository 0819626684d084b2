/* The last look of an undo: every instance that the deployment could have touched is what it
 * was before, less what stays by plan and what a person left as it is. */
#include "common/base/text.h"
#include "services/executor/executor.h"

#include <string.h>

enum { SCRATCH_MAX = 16 * 1024 * 1024, DIFFERENCES_MAX = 2048 };

/* One thing to look at: an instance, or the router of a target. */
struct sight {
    const struct deployer_entry *entry;
    const struct setting_instance *instance; /* NULL: the router. */
    const char *target;
    const char *name;
    bool compared; /* False: reported only. */
};

struct read_back_run {
    struct sight *sights;
    size_t count;
    size_t next;
    struct text differences; /* Over the task's memory. */
    size_t differing;
    size_t unknown;
    size_t silent;
    size_t compared;
    bool torn; /* One that differs was left between two releases. */
};

static bool is_seen(const struct read_back_run *run, const char *target, const char *name)
{
    for (size_t i = 0; i < run->count; i++)
        if (pb_same(run->sights[i].target, target) && pb_same(run->sights[i].name, name))
            return true;
    return false;
}

static void add_sight(struct worker_task *task, struct read_back_run *run, struct sight sight)
{
    if (is_seen(run, sight.target, sight.name))
        return;
    run->sights = pb_grow(task->arena, run->sights, run->count, sizeof *run->sights);
    run->sights[run->count++] = sight;
}

static const struct setting_instance *find_instance(const struct deployer_entry *entry,
                                                    const char *name)
{
    for (size_t i = 0; entry != NULL && i < entry->target->instance_count; i++)
        if (pb_same(entry->target->instances[i].name, name))
            return &entry->target->instances[i];
    return NULL;
}

/* True when somebody decided that the change stays: by plan, or skipped by a person. */
static bool stays(const Pb__ReadBack *asked, const Pb__Change *change)
{
    for (size_t i = 0; i < asked->n_kept; i++)
        if (asked->kept[i]->index == change->index)
            return true;
    for (size_t i = 0; i < asked->n_skipped; i++)
        if (asked->skipped[i] == change->index)
            return true;
    return false;
}

static void add_batch(struct worker_task *task,
                      struct read_back_run *run,
                      const struct deployer_entry *entry,
                      const Pb__Change *change,
                      const Pb__Batch *batch)
{
    const bool compared = !stays(task->command->read_back, change);

    if (batch->kind == PB__BATCH_KIND__SHIFT)
        add_sight(task, run, (struct sight){ entry, NULL, change->target, "", compared });
    for (size_t i = 0; i < batch->n_instances && batch->kind == PB__BATCH_KIND__APPLY; i++)
        add_sight(task,
                  run,
                  (struct sight){ entry,
                                  find_instance(entry, batch->instances[i]),
                                  change->target,
                                  batch->instances[i],
                                  compared });
}

/* Changes that stay come first: where one of two on a target stays, its instances are not what
 * they were. */
static void list_sights(const struct executor *executor,
                        struct worker_task *task,
                        struct read_back_run *run)
{
    const Pb__ReadBack *const asked = task->command->read_back;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < asked->n_changes; i++) {
            const Pb__Change *const change = asked->changes[i];
            const struct deployer_entry *const entry =
                deployer_book_find(&executor->book, change->target);

            if (stays(asked, change) != (pass == 0))
                continue;
            for (size_t b = 0; b < change->n_batches; b++)
                add_batch(task, run, entry, change, change->batches[b]);
        }
    }
}

static void note(struct read_back_run *run, const struct sight *sight, const char *what)
{
    text_add(&run->differences,
             "%s%s%s %s",
             run->differences.length > 0 ? "; " : "",
             sight->name[0] != '\0' ? sight->name : sight->target,
             sight->name[0] != '\0' ? "" : " traffic",
             what);
}

static void compare(struct worker_task *task,
                    struct read_back_run *run,
                    const struct sight *sight,
                    const Pb__Observed *observed)
{
    const Pb__ReadBack *const asked = task->command->read_back;
    const Pb__Observed *const before =
        baseline_of(asked->baseline, asked->n_baseline, sight->target, sight->name);

    run->compared++;
    if (before == NULL) {
        run->unknown++;
        note(run, sight, "what ran before is unknown");
    } else if (!observed_as(observed, before)) {
        run->differing++;
        run->torn =
            run->torn ||
            strncmp(observed->state, DEPLOYED_SWITCHING, strlen(DEPLOYED_SWITCHING)) == 0;
        note(run,
             sight,
             arena_printf(task->arena,
                          "%s, before %s",
                          observed_text(task->arena, observed),
                          observed_text(task->arena, before)));
    }
}

static void look(const struct worker_ports *ports,
                 struct worker_task *task,
                 struct read_back_run *run,
                 const struct sight *sight)
{
    struct arena scratch = arena_with_limit(SCRATCH_MAX);
    const struct driver_env env = worker_driver_env(ports, task, &scratch);
    struct deployer_order order = deployer_order_for(sight->entry, sight->instance);
    struct error error = { 0 };
    Pb__Observed observed;
    enum err err;

    pb__observed__init(&observed);
    order.fence = task->command->fence;
    order.side = "";
    order.deployment = task->command->deployment;
    err = sight->entry->driver->observe(&env, &order, &observed, &error);
    if (err == ERR_OK || err == ERR_NOT_FOUND) {
        Pb__Observed *const seen = pb_clone(task->arena, &observed);

        PB_APPEND(task->arena, task->result, observed, seen);
        if (sight->compared)
            compare(task, run, sight, seen);
    } else if (sight->compared) {
        run->silent++;
        note(run, sight, error.text);
    }
    arena_release(&scratch);
}

static Pb__Verdict verdict_of(const struct read_back_run *run)
{
    if (run->differing > 0)
        return PB__VERDICT__FAIL;
    if (run->silent > 0)
        return PB__VERDICT__ERROR;
    return run->unknown > 0 ? PB__VERDICT__INCONCLUSIVE : PB__VERDICT__PASS;
}

static enum worker_step end(struct worker_task *task, const struct read_back_run *run)
{
    const Pb__Verdict verdict = verdict_of(run);
    Pb__Finding *const finding = executor_find(task, "verify.version", verdict);

    finding->wanted = "every instance as before the deployment, less what stays";
    if (verdict == PB__VERDICT__PASS) {
        finding->observed = arena_printf(task->arena,
                                         "%zu instances and routers as before, %zu stay",
                                         run->compared,
                                         run->count - run->compared);
        task->result->outcome = PB__OUTCOME__OUTCOME_OK;
        return WORKER_DONE;
    }
    finding->observed = arena_text(task->arena, run->differences.bytes);
    finding->remedy =
        run->torn ? "one was left between two releases: put the release of before there, "
                    "restart it, see that it runs, remove the file `marker` beside "
                    "`current`, then retry; or skip-change"
                  : "bring those instances back and retry, or mark-restored, or "
                    "skip-change";
    task->result->error = finding->observed;
    task->result->outcome = verdict == PB__VERDICT__FAIL    ? PB__OUTCOME__OUTCOME_FAILED
                            : verdict == PB__VERDICT__ERROR ? PB__OUTCOME__OUTCOME_ERROR
                                                            : PB__OUTCOME__OUTCOME_OK;
    return WORKER_DONE;
}

static struct read_back_run *begin(const struct worker_ports *ports, struct worker_task *task)
{
    struct read_back_run *const run = arena_alloc(task->arena, sizeof *run);
    char *const bytes = arena_alloc(task->arena, DIFFERENCES_MAX);

    run->differences = text_over(bytes, DIFFERENCES_MAX);
    list_sights(ports->state, task, run);
    task->memory = run;
    return run;
}

/* Looks at one instance a call. */
enum worker_step executor_read_back(const struct worker_ports *ports,
                                    struct worker_task *task,
                                    struct error *error)
{
    struct read_back_run *const run = task->memory != NULL ? task->memory : begin(ports, task);

    (void)error;
    if (task->stopped(task)) {
        task->result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
        return WORKER_DONE;
    }
    if (run->next < run->count) {
        const struct sight *const sight = &run->sights[run->next++];
        const bool router = sight->name[0] == '\0';

        if (sight->entry != NULL && (router || sight->instance != NULL)) {
            look(ports, task, run, sight);
        } else if (sight->compared) {
            run->silent++;
            note(run, sight, "is not in this configuration");
        }
    }
    if (run->next == run->count)
        return end(task, run);
    task->wake_ms = clock_now_ms(ports->service->clock);
    return WORKER_AGAIN;
}
