#include "tests/support/hands.h"

#include "common/state/keys.h"
#include "common/state/projection.h"
#include "tests/support/test.h"

#include <stdlib.h>

enum { LEASE_MS = 10000 };

static const char *const workers[HANDS_WORKERS] = { "prechecks",    "executor", "validator",
                                                    "flag-rollout", "monitor",  "notifier" };

/* The task of a command, and where its record is. */
struct claim {
    const Pb__Command *command;
    const char *worker;
    const char *task;
    const char *key;
    const char *leases;
};

static struct claim claim_of(const struct hands *hands,
                             const Pb__Command *command,
                             const char *worker)
{
    const struct settings *const settings = hands->cluster->settings;
    struct arena *const arena = &hands->cluster->arena;
    const int32_t p = bus_partition(command->feature, (int32_t)settings->kafka.partitions);

    return (struct claim){
        .command = command,
        .worker = worker,
        .task = command->task,
        .key = KEY_TASK(arena, p, settings->redis.prefix, command->task),
        .leases = KEY_LEASES(arena, p, settings->redis.prefix),
    };
}

static struct store_value text(struct hands *hands, long long number)
{
    const char *const bytes = arena_printf(&hands->cluster->arena, "%lld", number);

    return (struct store_value){ bytes, strlen(bytes) };
}

static bool try_to_claim(struct hands *hands, const struct claim *claim)
{
    const struct store *const store = &hands->cluster->store;
    const int64_t until_ms = hands->cluster->clock.now_ms + LEASE_MS;
    const struct store_guard guards[] = {
        { claim->key, "state", "PENDING" },
        { claim->key, "drive", text(hands, claim->command->drive).bytes },
    };
    const struct store_op ops[] = {
        { STORE_HASH_SET, claim->key, "state", { "CLAIMED", 7 }, 0 },
        { STORE_HASH_SET, claim->key, "owner", { "hands", 5 }, 0 },
        { STORE_HASH_SET, claim->key, "lease_until", text(hands, until_ms), 0 },
        { STORE_SORTED_ADD, claim->leases, claim->task, { 0 }, until_ms },
    };
    const struct store_batch batch = { guards, 2, ops, 4, NULL };
    struct error error = { 0 };

    return store->commit(store->self, &batch, &error) == ERR_OK;
}

static void let_go(struct hands *hands, const struct claim *claim)
{
    const struct store *const store = &hands->cluster->store;
    const struct store_guard guard = { claim->key, "owner", "hands" };
    const struct store_op ops[] = {
        { STORE_HASH_SET, claim->key, "state", { "DONE", 4 }, 0 },
        { STORE_SORTED_REMOVE, claim->leases, claim->task, { 0 }, 0 },
    };
    const struct store_batch batch = { &guard, 1, ops, 2, NULL };
    struct error error = { 0 };

    (void)store->commit(store->self, &batch, &error);
}

void hands_finish(struct hands *hands,
                  const char *worker,
                  const char *feature,
                  const Pb__TaskFinished *result)
{
    struct arena *const arena = &hands->cluster->arena;
    Pb__Event *const event = pb_new(arena, &pb__event__descriptor);
    const char *const slash = strchr(result->task, '/');

    event->deployment = arena_copy(arena, result->task, (size_t)(slash - result->task));
    event->feature = feature;
    event->body_case = PB__EVENT__BODY_TASK_FINISHED;
    event->task_finished = pb_clone(arena, result);
    cluster_publish(
        hands->cluster,
        &(struct cluster_record){
            .topic = "events.v1",
            .key = feature,
            .writer = worker,
            .id = arena_printf(arena, "%s.%u.finished", result->task, result->drive),
            .message = &event->base,
        });
}

/* Somebody holds the task: with these hands it is always they. */
static void answer_cancel(struct hands *hands, const struct claim *claim)
{
    const struct store *const store = &hands->cluster->store;
    struct store_value owner = { 0 };
    struct store_value drive = { 0 };
    struct error error = { 0 };
    Pb__TaskFinished result = PB__TASK_FINISHED__INIT;

    assert_int_equal(
        store->hash_get(
            store->self, &hands->cluster->arena, claim->key, "owner", &owner, &error),
        ERR_OK);
    assert_int_equal(
        store->hash_get(
            store->self, &hands->cluster->arena, claim->key, "drive", &drive, &error),
        ERR_OK);
    if (owner.bytes == NULL || drive.bytes == NULL || strcmp(owner.bytes, "hands") != 0)
        return;
    result.task = claim->task;
    result.drive = (uint32_t)strtoul(drive.bytes, NULL, 10);
    result.outcome = PB__OUTCOME__OUTCOME_CANCELLED;
    hands_finish(hands, claim->worker, claim->command->feature, &result);
    let_go(hands, claim);
}

static void take(struct hands *hands, const char *worker, const struct bus_record *record)
{
    struct arena *const arena = &hands->cluster->arena;
    Pb__TaskFinished result = PB__TASK_FINISHED__INIT;
    struct error error = { 0 };
    void *command = NULL;
    struct claim claim;

    assert_int_equal(envelope_verify(&hands->cluster->keys, record, NULL, &error), ERR_OK);
    assert_int_equal(pb_unpack(arena,
                               &pb__command__descriptor,
                               (struct pb_bytes){ record->bytes, record->length },
                               &command,
                               &error),
                     ERR_OK);
    claim = claim_of(hands, command, worker);
    if (claim.command->body_case == PB__COMMAND__BODY_CANCEL) {
        answer_cancel(hands, &claim);
        return;
    }
    if (!try_to_claim(hands, &claim)) {
        hands->dropped++;
        return;
    }
    hands->claimed++;
    result.task = claim.task;
    result.drive = claim.command->drive;
    if (!hands->answer(hands->self, claim.command, &result))
        return;
    hands_finish(hands, worker, claim.command->feature, &result);
    let_go(hands, &claim);
}

void hands_turn(void *self)
{
    struct hands *const hands = self;
    struct memory_broker *const broker = hands->cluster->broker;

    for (size_t w = 0; w < HANDS_WORKERS; w++) {
        const char *const topic =
            arena_printf(&hands->cluster->arena, "commands.%s.v1", workers[w]);

        for (int32_t p = 0; p < (int32_t)hands->cluster->settings->kafka.partitions; p++) {
            const struct bus_record *record;

            while ((record = memory_broker_record(broker, topic, p, hands->next[w][p])) !=
                   NULL) {
                hands->next[w][p]++;
                take(hands, workers[w], record);
            }
        }
    }
}
