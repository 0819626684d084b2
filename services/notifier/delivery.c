#include "services/notifier/delivery.h"

#include <inttypes.h>

struct delivery *deliveries_add(struct arena *arena,
                                struct deliveries *deliveries,
                                const char *check,
                                const Pb__ChannelUse *use)
{
    struct delivery *item;

    deliveries->item =
        pb_grow(arena, deliveries->item, deliveries->count, sizeof *deliveries->item);
    item = &deliveries->item[deliveries->count++];
    *item = (struct delivery){ .check = check, .use = use, .observed = "", .evidence = "" };
    return item;
}

enum err delivery_send(const struct driver_env *env,
                       struct worker_task *task,
                       const struct notice *notice,
                       const char *receipt_check,
                       struct delivery *delivery,
                       struct error *error)
{
    const struct channel_driver *driver = NULL;
    struct delivery_note note = { .id = "", .link = "", .observed = "", .evidence = "" };
    enum err err;
    Pb__Receipt *receipt;

    driver_crash_point(env, CRASH_NOTICE_BEFORE_SEND);
    err = channel_send(env, delivery->use->channel, notice, &driver, &note, error);
    driver_crash_point(env, CRASH_NOTICE_AFTER_SEND);
    delivery->retry_after_ms = note.retry_after_ms;
    if (err != ERR_OK)
        return err;
    receipt = pb_new(task->arena, &pb__receipt__descriptor);
    receipt->check = arena_text(task->arena, receipt_check);
    receipt->channel = delivery->use->channel;
    receipt->id = arena_text(task->arena, note.id);
    receipt->link = arena_text(task->arena, note.link);
    receipt->may_repeat = (driver->capabilities & CHANNEL_HAS_KEY) == 0;
    receipt->at_ms = clock_now_ms(env->clock);
    delivery->receipt = receipt;
    delivery->observed = arena_text(task->arena, note.observed);
    delivery->evidence = arena_text(task->arena, note.evidence);
    return ERR_OK;
}

static bool worth_another_try(enum err err)
{
    return err == ERR_UNAVAILABLE || err == ERR_TIMED_OUT;
}

static void fail(struct worker_task *task, struct delivery *delivery, const char *why)
{
    delivery->state = DELIVERY_FAILED;
    delivery->observed = arena_text(task->arena, why);
}

static void try_delivery(const struct deliveries *deliveries,
                         struct delivery *delivery,
                         const struct worker_ports *ports,
                         struct worker_task *task)
{
    struct arena scratch = arena_with_limit(SCRATCH_MAX);
    struct error error = { 0 };
    int64_t wait_ms;

    delivery->retry_after_ms = 0;
    delivery->err = deliveries->try_one(ports, task, &scratch, delivery, &error);
    arena_release(&scratch);
    delivery->tries++;
    wait_ms = (int64_t)BACKOFF_MS << delivery->tries;
    delivery->not_before_ms =
        clock_now_ms(ports->service->clock) +
        (delivery->retry_after_ms > wait_ms ? delivery->retry_after_ms : wait_ms);
    if (delivery->err == ERR_OK)
        delivery->state = DELIVERY_DONE;
    else if (!worth_another_try(delivery->err) || delivery->tries >= TRIES_MAX)
        fail(task, delivery, error.text);
    else
        delivery->observed = arena_text(task->arena, error.text);
    ports->service->metrics.add(ports->service->metrics.self,
                                "slipway_notices_total",
                                "outcome",
                                err_name(delivery->err),
                                1);
}

/* What is open when the time is over has failed: silence is never success. */
static void fail_all_open(struct deliveries *deliveries, struct worker_task *task)
{
    for (size_t i = 0; i < deliveries->count; i++) {
        struct delivery *const delivery = &deliveries->item[i];

        if (delivery->state != DELIVERY_OPEN)
            continue;
        delivery->err = delivery->err != ERR_OK ? delivery->err : ERR_TIMED_OUT;
        fail(task,
             delivery,
             delivery->observed[0] != '\0' ? delivery->observed
                                           : "the task's time was over before its turn came");
    }
}

enum worker_step deliveries_step(struct deliveries *deliveries,
                                 const struct worker_ports *ports,
                                 struct worker_task *task)
{
    const int64_t now_ms = clock_now_ms(ports->service->clock);
    const int64_t deadline_ms = task->command->deadline_ms;
    int64_t wake_ms = INT64_MAX;

    if (deadline_ms > 0 && now_ms >= deadline_ms - MARGIN_MS)
        fail_all_open(deliveries, task);
    for (size_t i = 0; i < deliveries->count; i++) {
        struct delivery *const delivery = &deliveries->item[i];

        if (delivery->state != DELIVERY_OPEN)
            continue;
        if (delivery->not_before_ms <= now_ms) {
            try_delivery(deliveries, delivery, ports, task);
            task->wake_ms = now_ms;
            return WORKER_AGAIN;
        }
        if (delivery->not_before_ms < wake_ms)
            wake_ms = delivery->not_before_ms;
    }
    if (wake_ms == INT64_MAX)
        return WORKER_DONE;
    task->wake_ms = deadline_ms > 0 && deadline_ms - MARGIN_MS < wake_ms
                        ? deadline_ms - MARGIN_MS
                        : wake_ms;
    return WORKER_AGAIN;
}

static Pb__Verdict verdict_of(enum err err)
{
    switch (err) {
    case ERR_OK: return PB__VERDICT__PASS;
    case ERR_UNAVAILABLE:
    case ERR_TIMED_OUT: return PB__VERDICT__ERROR;
    default: return PB__VERDICT__FAIL;
    }
}

static bool is_required(const struct delivery *delivery)
{
    return delivery->use == NULL || delivery->use->required;
}

static const char *remedy_of(enum err err)
{
    switch (err) {
    case ERR_DENIED: return "restore the channel's access, then retry";
    case ERR_UNAVAILABLE:
    case ERR_TIMED_OUT: return "restore the channel, then retry";
    default:
        return "see the channel's settings in slipway.yaml and the plan's links, then retry";
    }
}

static void find_outstanding(struct worker_task *task,
                             const Pb__CheckSpec *check,
                             const struct delivery *delivery)
{
    Pb__CheckSpec of = PB__CHECK_SPEC__INIT;

    of.id = arena_printf(task->arena, "%s.%s", check->id, delivery->use->channel);
    of.kind = "channel";
    of.remedy = remedy_of(delivery->err);
    (void)worker_find(
        task, &of, PB__VERDICT__WARN, "best effort, not delivered: %s", delivery->observed);
}

/* What the deliveries of one check come to. */
struct tally {
    Pb__Verdict verdict;
    const char *observed;
    const char *evidence;
    const char *remedy;
    const char *link;
    size_t count;
    size_t done;
};

static void count_in(struct arena *arena, struct tally *tally, const struct delivery *delivery)
{
    const char *const channel = delivery->use != NULL ? delivery->use->channel : "";
    const Pb__Verdict verdict = verdict_of(delivery->err);

    tally->count++;
    tally->done += delivery->state == DELIVERY_DONE;
    tally->observed = arena_printf(arena,
                                   "%s%s%s%s%s",
                                   tally->observed,
                                   tally->count > 1 ? "; " : "",
                                   channel,
                                   channel[0] != '\0' ? ": " : "",
                                   delivery->observed);
    if (delivery->evidence[0] != '\0')
        tally->evidence = delivery->evidence;
    if (delivery->receipt != NULL && delivery->receipt->link[0] != '\0')
        tally->link = delivery->receipt->link;
    if (delivery->state == DELIVERY_DONE || !is_required(delivery))
        return;
    tally->remedy = remedy_of(delivery->err);
    if (tally->verdict != PB__VERDICT__FAIL)
        tally->verdict = verdict;
}

Pb__Verdict deliveries_find(const struct deliveries *deliveries,
                            struct worker_task *task,
                            const Pb__CheckSpec *check)
{
    struct tally tally = { PB__VERDICT__PASS, "", "", "", "", 0, 0 };
    Pb__Finding *finding;

    for (size_t i = 0; i < deliveries->count; i++) {
        const struct delivery *const delivery = &deliveries->item[i];

        if (!pb_same(delivery->check, check->id))
            continue;
        count_in(task->arena, &tally, delivery);
        if (delivery->receipt != NULL)
            PB_APPEND(task->arena, task->result, receipts, delivery->receipt);
        if (delivery->state == DELIVERY_FAILED && !is_required(delivery))
            find_outstanding(task, check, delivery);
    }
    if (tally.count == 0) {
        tally.verdict = PB__VERDICT__NO_DATA;
        tally.observed = "the plan names no channel for it";
        tally.remedy = "name a channel with this purpose in the policy, or waive the check";
    } else if (tally.done == 0 && tally.verdict == PB__VERDICT__PASS) {
        tally.verdict = PB__VERDICT__ERROR;
        tally.remedy = "restore one of the channels, then retry";
    }
    finding = worker_find(task, check, tally.verdict, "%s", tally.observed);
    finding->evidence = tally.evidence;
    finding->link = tally.link;
    if (tally.verdict != PB__VERDICT__PASS)
        finding->remedy = tally.remedy;
    return tally.verdict;
}
