/* Announcements while a deployment runs. They need no record and no Redis: a page has to go out
 * when both are away. */
#include "services/notifier/delivery.h"
#include "services/notifier/story.h"

/* A receipt of an announcement must not look like one of step 7. */
static enum err try_announce(const struct worker_ports *ports,
                             struct worker_task *task,
                             struct arena *scratch,
                             struct delivery *delivery,
                             struct error *error)
{
    const struct driver_env env = worker_driver_env(ports, task, scratch);
    struct notice notice;

    announce_notice(scratch, task->command, delivery->use, clock_now_ms(env.clock), &notice);
    return delivery_send(&env,
                         task,
                         &notice,
                         arena_printf(scratch, "%s:%s", notice.what, notice.purpose),
                         delivery,
                         error);
}

static bool is_first_of_its_purpose(const Pb__Announce *announce, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (pb_same(announce->channels[i]->purpose, announce->channels[index]->purpose))
            return false;
    }
    return true;
}

static bool purpose_is_required(const Pb__Announce *announce, const char *purpose)
{
    for (size_t i = 0; i < announce->n_channels; i++) {
        if (announce->channels[i]->required && pb_same(announce->channels[i]->purpose, purpose))
            return true;
    }
    return false;
}

static size_t delivered(const struct deliveries *deliveries)
{
    size_t count = 0;

    for (size_t i = 0; i < deliveries->count; i++)
        count += deliveries->item[i].state == DELIVERY_DONE;
    return count;
}

static void not_told(struct worker_task *task, Pb__Verdict verdict, const char *why)
{
    task->result->outcome = verdict == PB__VERDICT__ERROR ? PB__OUTCOME__OUTCOME_ERROR
                                                          : PB__OUTCOME__OUTCOME_FAILED;
    task->result->error = why;
}

/* OK when every required channel has it, and at least one in all. */
static enum worker_step finish(struct worker_task *task, const struct deliveries *deliveries)
{
    const Pb__Announce *const announce = task->command->announce;
    const bool nobody = delivered(deliveries) == 0;

    task->result->outcome = PB__OUTCOME__OUTCOME_OK;
    if (announce->n_channels == 0)
        not_told(task, PB__VERDICT__FAIL, "the plan names no channel for it");
    for (size_t i = 0; i < announce->n_channels; i++) {
        Pb__CheckSpec check = PB__CHECK_SPEC__INIT;
        Pb__Verdict verdict;

        if (!is_first_of_its_purpose(announce, i))
            continue;
        check.id = announce->channels[i]->purpose;
        check.kind = "channel";
        check.required = purpose_is_required(announce, check.id);
        verdict = deliveries_find(deliveries, task, &check);
        if (verdict != PB__VERDICT__PASS && (check.required || nobody))
            not_told(
                task, verdict, task->result->findings[task->result->n_findings - 1]->observed);
    }
    return WORKER_DONE;
}

enum worker_step announce_step(const struct worker_ports *ports,
                               struct worker_task *task,
                               struct error *error)
{
    const Pb__Announce *const announce = task->command->announce;
    struct deliveries *deliveries = task->memory;

    (void)error;
    if (task->stopped(task)) {
        task->result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
        return WORKER_DONE;
    }
    if (deliveries == NULL) {
        deliveries = task->memory = arena_alloc(task->arena, sizeof *deliveries);
        deliveries->try_one = try_announce;
        for (size_t i = 0; i < announce->n_channels; i++)
            (void)deliveries_add(
                task->arena, deliveries, announce->channels[i]->purpose, announce->channels[i]);
    }
    if (deliveries_step(deliveries, ports, task) == WORKER_AGAIN)
        return WORKER_AGAIN;
    return finish(task, deliveries);
}
