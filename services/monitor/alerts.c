#include "services/monitor/alerts.h"

#include "common/runtime/dead_letter.h"
#include "common/wire/foreign.h"
#include "common/wire/topics.h"

#include <stdlib.h>
#include <string.h>

enum {
    ARENA_MAX = 256 * 1024 * 1024, /* Of the records in hand, at most 256 KiB each. */
    FLUSH_MS = 10 * 1000,
    SERVICES_MAX = 10 * 1000,
};

/* The records in hand are done with. */
static void put_down(struct alert_desk *desk)
{
    arena_reset(&desk->arena);
    desk->ops = NULL;
    desk->op_count = 0;
    desk->op_room = 0;
    desk->offset_count = 0;
    desk->in_hand = 0;
    desk->told = false;
}

/* What is remembered of alerts may be wrong from here on: somebody else had the partitions, or
 * Redis does not have it. */
static void forget_alerts(struct alert_desk *desk)
{
    tally_clear(desk->open);
    tally_clear(desk->causes);
    tally_clear(desk->services);
    tally_clear(desk->loaded);
}

/* So is what is remembered of telling them. */
static void forget_words(struct alert_desk *desk)
{
    tally_clear(desk->latched);
    incident_book_clear(desk->book);
}

static void revoked(void *self, const char *topic, int32_t partition, bool lost)
{
    (void)topic;
    (void)partition;
    (void)lost;
    forget_alerts(self);
    forget_words(self);
    put_down(self);
}

static enum err subscribe(struct alert_desk *desk, struct error *error)
{
    static const char *const topics[] = { TOPIC_ALERTS, NULL };
    const struct bus_subscription subscription = {
        .group = "slipway.monitor.alerts",
        .topics = topics,
        .start = BUS_FROM_COMMITTED,
        .listener = { .self = desk, .revoked = revoked },
    };

    return desk->ports->bus.subscribe(
        desk->ports->bus.self, &subscription, &desk->consumer, error);
}

enum err alert_desk_open(const struct service_ports *ports,
                         struct store store,
                         struct alert_desk **ret,
                         struct error *error)
{
    struct alert_desk *const desk = calloc(1, sizeof *desk);
    enum err err;

    if (desk == NULL)
        abort();
    desk->ports = ports;
    desk->projection.store = store;
    desk->projection.prefix = ports->settings->redis.prefix;
    desk->projection.partitions = (int32_t)ports->settings->kafka.partitions;
    desk->book = incident_book_new();
    desk->open = tally_new(ALERTS_OPEN_MAX);
    desk->causes = tally_new(ALERTS_OPEN_MAX);
    desk->services = tally_new(SERVICES_MAX);
    desk->loaded = tally_new(SERVICES_MAX);
    desk->latched = tally_new(SERVICES_MAX);
    desk->arena = arena_with_limit(ARENA_MAX);
    err = subscribe(desk, error);
    if (err != ERR_OK) {
        alert_desk_close(desk);
        return err;
    }
    *ret = desk;
    return ERR_OK;
}

void alert_desk_close(struct alert_desk *desk)
{
    if (desk == NULL)
        return;
    if (desk->consumer.close != NULL)
        desk->consumer.close(desk->consumer.self);
    desk->projection.store.close(desk->projection.store.self);
    suspects_release(&desk->suspects);
    incident_book_free(desk->book);
    tally_free(desk->open);
    tally_free(desk->causes);
    tally_free(desk->services);
    tally_free(desk->loaded);
    tally_free(desk->latched);
    arena_release(&desk->arena);
    free(desk);
}

/* Suspects at most age_ms old. While Redis is away those at hand do for a minute: an incident
 * for yesterday's list is better than none. */
static enum err know_suspects(struct alert_desk *desk, int64_t age_ms, struct error *error)
{
    const int64_t now_ms = clock_now_ms(desk->ports->clock);
    struct suspects *const suspects = &desk->suspects;
    enum err err;

    if (suspects->read_ms != 0 && now_ms - suspects->read_ms < age_ms)
        return ERR_OK;
    err = suspects_read(suspects, &desk->projection, now_ms, error);
    if (err != ERR_OK && suspects->read_ms != 0 &&
        now_ms - suspects->read_ms < SUSPECTS_STALE_MS)
        return ERR_OK;
    return err;
}

static enum err dead_letter(struct alert_desk *desk,
                            const struct bus_record *record,
                            const struct dead_letter *letter,
                            struct error *error)
{
    desk->ports->metrics.add(
        desk->ports->metrics.self, "slipway_alerts_total", "answer", "dead-letter", 1);
    return dead_letter_publish(desk->ports, record, letter, error);
}

static enum err open_batch(struct alert_desk *desk,
                           const struct bus_record *record,
                           Pb__AlertBatch **ret,
                           struct error *error)
{
    struct envelope envelope = { 0 };
    struct bus_record plain = { 0 };
    void *batch = NULL;
    enum err err = foreign_unwrap(&desk->arena, record, &plain, error);

    if (err == ERR_OK)
        err = envelope_open(&desk->arena, &plain, &envelope, error);
    if (err == ERR_OK && !pb_same(envelope.type, "slipway.v1.AlertBatch"))
        err = error_set(
            error, ERR_INVALID, "ce_type is %.80s, not slipway.v1.AlertBatch", envelope.type);
    if (err == ERR_OK)
        err =
            foreign_message(&desk->arena, &plain, &pb__alert_batch__descriptor, &batch, error);
    *ret = batch;
    return err;
}

/* What the source left out cannot be matched; that it did is worth knowing. */
static void note_truncated(struct alert_desk *desk, const Pb__AlertBatch *batch)
{
    if (batch->truncated == 0)
        return;
    desk->ports->metrics.add(desk->ports->metrics.self,
                             "slipway_alerts_total",
                             "answer",
                             "truncated",
                             (int64_t)batch->truncated);
    LOG(desk->ports->log,
        LOG_WARNING,
        "a group of alerts came truncated: raise max_alerts of its source",
        { "source", batch->source },
        { "group", batch->group });
}

/* Every alert counts; the first that cannot be used is the one the dead letter names. */
static enum err handle_batch(struct alert_desk *desk,
                             const struct bus_record *record,
                             const Pb__AlertBatch *batch,
                             struct error *error)
{
    struct dead_letter first = { 0 };

    note_truncated(desk, batch);
    for (size_t i = 0; i < batch->n_alerts; i++) {
        struct dead_letter letter = { 0 };
        const enum err err = alert_note(desk, batch->alerts[i], record->at_ms, &letter, error);

        if (err == ERR_INVALID && first.reason == NULL)
            first = letter;
        else if (err != ERR_OK && err != ERR_INVALID)
            return err;
    }
    if (batch->n_alerts == 0)
        first =
            (struct dead_letter){ .reason = "the record holds no alert", .field = "alerts" };
    return first.reason != NULL ? dead_letter(desk, record, &first, error) : ERR_OK;
}

static enum err handle(struct alert_desk *desk,
                       const struct bus_record *record,
                       struct error *error)
{
    Pb__AlertBatch *batch = NULL;
    enum err err = open_batch(desk, record, &batch, error);

    if (err != ERR_OK) {
        const struct dead_letter letter = {
            .reason = arena_text(&desk->arena, error->text),
            .fix = "send an AlertBatch as in alert.proto",
        };

        return dead_letter(desk, record, &letter, error);
    }
    err = know_suspects(desk, SUSPECTS_FRESH_MS, error);
    return err == ERR_OK ? handle_batch(desk, record, batch, error) : err;
}

static void take_in_hand(struct alert_desk *desk, const struct bus_record *record)
{
    size_t i = 0;

    while (i < desk->offset_count && desk->offsets[i].partition != record->partition)
        i++;
    if (i == desk->offset_count) {
        desk->offsets[i].partition = record->partition;
        desk->offsets[i].first = record->offset;
        desk->offset_count++;
    }
    desk->offsets[i].next = record->offset + 1;
    desk->in_hand++;
}

/* Something did not become durable: begin again where the records in hand begin. What was told
 * and may be lost is told again under the same id. */
static void start_over(struct alert_desk *desk)
{
    const size_t count = desk->offset_count;

    for (size_t i = 0; i < count; i++) {
        struct error ignored = { 0 };

        (void)desk->consumer.seek(desk->consumer.self,
                                  TOPIC_ALERTS,
                                  desk->offsets[i].partition,
                                  desk->offsets[i].first,
                                  &ignored);
    }
    if (desk->told)
        forget_words(desk);
    forget_alerts(desk);
    put_down(desk);
}

/* First the log, then Redis, then the offsets. */
static enum err make_durable(struct alert_desk *desk, struct error *error)
{
    struct store *const store = &desk->projection.store;
    const struct store_batch batch = { .ops = desk->ops, .op_count = desk->op_count };
    enum err err = desk->ports->bus.flush(desk->ports->bus.self, FLUSH_MS, error);

    if (err == ERR_OK)
        desk->told = false;
    if (err == ERR_OK && desk->op_count > 0)
        err = store->commit(store->self, &batch, error);
    for (size_t i = 0; i < desk->offset_count && err == ERR_OK; i++)
        err = desk->consumer.commit(desk->consumer.self,
                                    TOPIC_ALERTS,
                                    desk->offsets[i].partition,
                                    desk->offsets[i].next,
                                    error);
    if (err == ERR_OK)
        put_down(desk);
    return err;
}

static enum err tell_due(struct alert_desk *desk, struct error *error)
{
    struct incident_word word;

    while (incident_book_due(desk->book, clock_now_ms(desk->ports->clock), &word)) {
        const enum err err = alert_tell(desk, &word, NULL, error);

        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

static bool has_room(const struct alert_desk *desk)
{
    return desk->in_hand < ALERTS_AT_ONCE && desk->offset_count < ALERTS_PARTITIONS_MAX;
}

/* Records until there is none at once, or enough are in hand. */
static enum err take_records(struct alert_desk *desk, int wait_ms, struct error *error)
{
    while (has_room(desk)) {
        struct bus_record record = { 0 };
        enum err err = desk->consumer.receive(
            desk->consumer.self, desk->in_hand > 0 ? 0 : wait_ms, &record, error);

        if (err == ERR_STALE)
            return ERR_OK;
        if (err != ERR_OK)
            return err;
        take_in_hand(desk, &record);
        err = handle(desk, &record, error);
        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

enum err alert_desk_turn(struct alert_desk *desk, int wait_ms, struct error *error)
{
    struct error ignored = { 0 };
    enum err err = take_records(desk, wait_ms, error);

    if (err == ERR_OK)
        err = tell_due(desk, error);
    if (err == ERR_OK && (desk->in_hand > 0 || desk->told))
        err = make_durable(desk, error);
    if (err != ERR_OK)
        start_over(desk);
    else if (desk->in_hand == 0)
        (void)know_suspects(desk, SUSPECTS_WARM_MS, &ignored);
    return err;
}
