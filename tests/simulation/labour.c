/* What the workers do here: the real runtime claims, keeps leases, cancels and reports; the
 * work itself is done on simulated targets, and goes wrong as the weather says. Flags are set
 * by the real flag-rollout. */
#include "common/drivers/deployers/deployer.h"
#include "tests/simulation/world.h"

#include <string.h>

enum { WORK_MS = 700, SILENCE_MS = 100 * 1000 * 1000, SAMPLE_MS = 500 };

/* Of one task, between its steps. */
struct labour {
    int64_t until_ms; /* It is at work till then. */
    unsigned samples;
};

static struct process *process_of(const struct worker_ports *ports)
{
    return ports->service->open_self;
}

static bool happens(struct process *process, unsigned in_million)
{
    return !process->world->quiet && dice_chance(&process->world->dice, in_million);
}

static int64_t now_of(const struct worker_ports *ports)
{
    return clock_now_ms(ports->service->clock);
}

/* The task's memory; at the first step it is decided how long the work takes. */
static struct labour *labour_of(const struct worker_ports *ports,
                                struct worker_task *task,
                                int64_t least_ms)
{
    struct process *const process = process_of(ports);
    struct labour *labour = task->memory;

    if (labour != NULL)
        return labour;
    labour = task->memory = arena_alloc(task->arena, sizeof *labour);
    labour->until_ms = now_of(ports) + least_ms + dice_ms(&process->world->dice, 0, WORK_MS);
    if (happens(process, process->world->weather.silence))
        labour->until_ms += SILENCE_MS;
    return labour;
}

static enum worker_step cancelled(struct worker_task *task)
{
    task->result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
    return WORKER_DONE;
}

static enum worker_step again(struct worker_task *task, int64_t at_ms)
{
    task->wake_ms = at_ms;
    return WORKER_AGAIN;
}

static enum worker_step failed(struct worker_task *task, Pb__Outcome outcome, const char *why)
{
    task->result->outcome = outcome;
    task->result->error = why;
    return WORKER_DONE;
}

static Pb__Verdict verdict_of(struct process *process, const Pb__CheckSpec *check)
{
    static const Pb__Verdict bad[] = { PB__VERDICT__FAIL,         PB__VERDICT__FAIL,
                                       PB__VERDICT__INCONCLUSIVE, PB__VERDICT__NO_DATA,
                                       PB__VERDICT__ERROR,        PB__VERDICT__WARN };

    if (!pb_same(check->not_applicable, ""))
        return PB__VERDICT__NOT_APPLICABLE;
    if (!happens(process, process->world->weather.bad_finding / 8))
        return PB__VERDICT__PASS;
    return bad[dice_below(&process->world->dice, sizeof bad / sizeof bad[0])];
}

/* Of the checks that look at flags: what both gateways tell. */
static bool is_on(struct process *process, const struct worker_task *task)
{
    struct world *const world = process->world;

    for (size_t i = 0; i < GATEWAYS; i++) {
        bool latched = false;
        const Pb__FlagValue *const value = flag_table_find(
            world->gateways[i].table, "production", task->command->feature, &latched);

        if (value != NULL && value->percent > 0 && !latched)
            return true;
    }
    return false;
}

static Pb__Verdict looked_at(struct process *process,
                             const struct worker_task *task,
                             const Pb__CheckSpec *check)
{
    if ((pb_same(check->id, "flag.off") || pb_same(check->id, "verify.flags_off")) &&
        is_on(process, task))
        return PB__VERDICT__FAIL;
    return verdict_of(process, check);
}

static void find_all(struct process *process,
                     struct worker_task *task,
                     Pb__CheckSpec *const *checks,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pb_same(checks[i]->kind, "attest") ||
            happens(process, process->world->weather.bad_finding / 16))
            continue;
        (void)worker_find(task, checks[i], looked_at(process, task, checks[i]), "seen");
    }
}

static void find_one(struct worker_task *task, const char *name, Pb__Verdict verdict)
{
    Pb__CheckSpec check = PB__CHECK_SPEC__INIT;

    check.id = arena_text(task->arena, name);
    check.kind = "builtin";
    check.required = true;
    (void)worker_find(task, &check, verdict, "seen");
}

/* True with what it answers: it is told to stop, or has not worked long enough. */
static bool is_held_up(const struct worker_ports *ports,
                       struct worker_task *task,
                       const struct labour *labour,
                       enum worker_step *ret)
{
    const bool stopped = task->stopped(task);

    if (!stopped && now_of(ports) >= labour->until_ms)
        return false;
    *ret = stopped ? cancelled(task) : again(task, labour->until_ms);
    return true;
}

/* --- checks, watches, words --- */

static enum worker_step announce(const struct worker_ports *ports,
                                 struct worker_task *task,
                                 struct error *error)
{
    struct process *const process = process_of(ports);

    (void)error;
    if (happens(process, process->world->weather.error))
        return failed(task, PB__OUTCOME__OUTCOME_ERROR, "no answer");
    find_one(task, "notify", PB__VERDICT__PASS);
    task->result->outcome = PB__OUTCOME__OUTCOME_OK;
    return WORKER_DONE;
}

static enum worker_step finalise(const struct worker_ports *ports,
                                 struct worker_task *task,
                                 struct error *error)
{
    struct process *const process = process_of(ports);
    const struct labour *const labour = labour_of(ports, task, 0);
    enum worker_step step;

    (void)error;
    if (is_held_up(ports, task, labour, &step))
        return step;
    if (happens(process, process->world->weather.error))
        return failed(task, PB__OUTCOME__OUTCOME_ERROR, "no answer");
    find_all(process, task, task->command->finalise->checks, task->command->finalise->n_checks);
    task->result->outcome = PB__OUTCOME__OUTCOME_OK;
    return WORKER_DONE;
}

/* clang-format off */
static const struct worker_handler heralds[] = {
    { .body = PB__COMMAND__BODY_ANNOUNCE, .step = announce },
    { .body = PB__COMMAND__BODY_FINALISE, .step = finalise },
};

const struct worker_spec labour_notifier = { .name = "notifier", .handlers = heralds, .handler_count = 2 };
/* clang-format on */
