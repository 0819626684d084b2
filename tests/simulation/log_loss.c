/* Kafka loses the end of events.v1, below what was applied. Nobody may go on with that before
 * an operator has decided: to keep the state and go on at the log's end, or to fold it anew. */
#include "common/state/keys.h"
#include "common/wire/topics.h"
#include "services/coordinator/service.h"
#include "tests/simulation/world.h"

#include <stdlib.h>
#include <string.h>

enum { LOST_MOST = 4, LEFT_LEAST = 4, DECIDES_MS = 60 * 1000 };

/* The last record of that partition that Redis holds the result of; -1: none. */
static int64_t applied(struct world *world, int32_t partition)
{
    struct store_value value = { 0 };
    struct error error = { 0 };

    if (world->store.hash_get(
            world->store.self,
            &world->scratch,
            KEY_LOG(&world->scratch, partition, world->set->settings[0]->redis.prefix),
            "offset",
            &value,
            &error) != ERR_OK ||
        value.bytes == NULL)
        return -1;
    return strtoll(value.bytes, NULL, 10);
}

/* The judge reads it all the same: it was said. */
static void keep(struct world *world, int32_t partition, int64_t offset)
{
    struct history *const history = &world->history;
    const struct bus_record *const record =
        memory_broker_record(world->broker, TOPIC_EVENTS, partition, offset);
    const char *const id = bus_header(record, "ce_id");
    const char *const writer = bus_header(record, "ce_writer");

    history->lost[history->lost_count++] = (struct lost_record){
        .order = memory_broker_order(world->broker, TOPIC_EVENTS, partition, offset),
        .at_ms = record->at_ms,
        .partition = partition,
        .offset = offset,
        .key = arena_text(&world->arena, record->key),
        .id = arena_text(&world->arena, id != NULL ? id : ""),
        .writer = arena_text(&world->arena, writer != NULL ? writer : ""),
        .bytes = arena_copy(&world->arena, record->bytes, record->length),
        .length = record->length,
    };
}

void log_loss_happen(struct world *world)
{
    struct log_loss *const loss = &world->loss;
    const int32_t partition = (int32_t)dice_below(&world->dice, 2);
    const int64_t high = memory_broker_high(world->broker, TOPIC_EVENTS, partition);
    const int64_t next = high - 1 - dice_below(&world->dice, LOST_MOST);

    if (loss->high > 0 || next < LEFT_LEAST || applied(world, partition) < next)
        return;
    world_counts(world, FAULT_OF_log_tail);
    world_tell(world,
               "KAFKA loses %lld records of partition %d",
               (long long)(high - next),
               (int)partition);
    for (int64_t offset = next; offset < high; offset++)
        keep(world, partition, offset);
    memory_broker_cut(world->broker, TOPIC_EVENTS, partition, 0, next);
    *loss = (struct log_loss){ .partition = partition,
                               .high = high,
                               .applied = applied(world, partition) };
}

/* What was lost stands there again: somebody said it once more. What nobody had applied need
 * not. */
static bool is_back(struct world *world, const struct lost_record *lost)
{
    const struct bus_record *const record =
        memory_broker_record(world->broker, TOPIC_EVENTS, lost->partition, lost->offset);
    const char *const id = record != NULL ? bus_header(record, "ce_id") : NULL;

    return record != NULL && strcmp(id != NULL ? id : "", lost->id) == 0 &&
           record->length == lost->length &&
           memcmp(record->bytes, lost->bytes, lost->length) == 0;
}

static bool all_is_back(struct world *world)
{
    for (size_t i = 0; i < world->history.lost_count; i++) {
        const struct lost_record *const lost = &world->history.lost[i];

        if (lost->offset <= world->loss.applied && !is_back(world, lost))
            return false;
    }
    return true;
}

/* What an operator reads at /readyz of any coordinator. */
static bool reads(struct world *world, const char *const words[], size_t count)
{
    for (size_t i = 0; i < world->process_count; i++) {
        struct process *const process = &world->processes[i];
        struct error why = { 0 };

        if (process->worker != NULL || process->state == NULL || process->dying ||
            process->busy || coordinator_service()->ready(process->state, &why))
            continue;
        for (size_t w = 0; w < count; w++) {
            if (strstr(why.text, words[w]) != NULL)
                return true;
        }
    }
    return false;
}

static bool is_told(struct world *world)
{
    static const char *const words[] = { "has no offset",
                                         "records were lost",
                                         "is not the one that was applied" };

    return reads(world, words, sizeof words / sizeof words[0]);
}

/* What was decided has been undone, for Redis came back as it was before. */
static bool is_asked_again(struct world *world)
{
    static const char *const words[] = { "records were lost",
                                         "is not the one that was applied" };

    return world->loss.deciding && world->loss.relapsed &&
           reads(world, words, sizeof words / sizeof words[0]);
}

/* All coordinators are stopped, and the first is started alone with what was decided. */
static void decide(struct world *world)
{
    struct log_loss *const loss = &world->loss;

    if (!loss->deciding)
        loss->folds_anew = dice_below(&world->dice, 2) == 0;
    loss->deciding = true;
    loss->decided = false;
    loss->relapsed = false;
    world_tell(world, "the operator: %s", loss->folds_anew ? "--rebuild" : "--adopt");
    world_counts(world, loss->folds_anew ? FAULT_OF_log_rebuilt : FAULT_OF_log_adopted);
    for (size_t i = 0; i < world->process_count; i++) {
        if (world->processes[i].worker == NULL)
            process_kill(&world->processes[i]);
    }
}

static bool is_ready(struct world *world)
{
    struct process *const first = &world->processes[0];
    struct error why = { 0 };

    return first->state != NULL && !first->dying && !first->busy &&
           coordinator_service()->ready(first->state, &why) && why.text[0] == '\0';
}

void log_loss_turn(struct world *world)
{
    struct log_loss *const loss = &world->loss;
    const int64_t now_ms = world_now_ms(world);

    if (loss->high == 0)
        return;
    if (is_asked_again(world))
        decide(world);
    if (loss->decided)
        return;
    if (!loss->deciding && !loss->forgotten && applied(world, loss->partition) >= loss->high &&
        !all_is_back(world))
        loss->passed_over = true;
    if (loss->told_ms == 0 && is_told(world)) {
        world_tell(world, "the operator reads of the loss");
        loss->told_ms = now_ms;
        loss->decides_ms = now_ms + dice_ms(&world->dice, 1, DECIDES_MS);
    }
    if (loss->told_ms > 0 && !loss->deciding && now_ms >= loss->decides_ms)
        decide(world);
    if (loss->deciding && is_ready(world)) {
        world_tell(world, "the operator: done");
        loss->decided = true;
    }
}

void log_loss_forget(struct world *world)
{
    world->history.store_lost = true;
    if (world->loss.high == 0)
        return;
    world->loss.forgotten = true;
    world->loss.relapsed = world->loss.deciding;
}

bool log_loss_keeps_down(const struct process *process)
{
    const struct log_loss *const loss = &process->world->loss;

    return process->worker == NULL && loss->deciding && !loss->decided &&
           process != &process->world->processes[0];
}

const char *log_loss_flag(const struct process *process)
{
    const struct log_loss *const loss = &process->world->loss;

    if (process->worker != NULL || !loss->deciding || loss->decided)
        return NULL;
    return loss->folds_anew ? "SLIPWAY_REBUILD" : "SLIPWAY_ADOPT";
}
