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
    for (size_t i = 0; i < desk->source_count; i++)
        desk->sources[i].first = desk->sources[i].next;
    desk->in_hand = 0;
    desk->accused = 0;
    desk->told = false;
}

void alert_crash_point(const struct alert_desk *desk, enum crash_place place)
{
    crash_point(desk->ports->crash, place, desk->accused);
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
    for (size_t i = 0; i < desk->source_count; i++)
        desk->sources[i].said = 0;
}

static void assigned(void *self, const char *topic, int32_t partition, int64_t *offset)
{
    (void)topic;
    (void)offset; /* Who knows what Redis says goes elsewhere. */
    heard_add(self, partition);
}

/* One goes, all go: those that stay are given anew. */
static void revoked(void *self, const char *topic, int32_t partition, bool lost)
{
    struct alert_desk *const desk = self;

    (void)topic;
    (void)partition;
    (void)lost;
    forget_alerts(desk);
    forget_words(desk);
    put_down(desk);
    desk->source_count = 0;
}

static enum err subscribe(struct alert_desk *desk, struct error *error)
{
    static const char *const topics[] = { TOPIC_ALERTS, NULL };
    const struct bus_subscription subscription = {
        .group = "slipway.monitor.alerts",
        .topics = topics,
        .start = BUS_FROM_COMMITTED,
        .listener = { desk, assigned, revoked },
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

/* ERR_DENIED: slipway.yaml wants to know who says so, and it cannot be told. */
static enum err prove(const struct alert_desk *desk,
                      const struct bus_record *record,
                      struct error *error)
{
    const struct envelope_keys *const keys = desk->ports->producers;

    return keys != NULL ? envelope_verify(keys, record, NULL, error) : ERR_OK;
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
                             struct dead_letter *ret_letter,
                             struct error *error)
{
    for (size_t i = 0; i < batch->n_alerts; i++) {
        struct dead_letter letter = { 0 };
        const enum err err = alert_note(desk, batch->alerts[i], record->at_ms, &letter, error);

        if (err == ERR_INVALID && ret_letter->reason == NULL)
            *ret_letter = letter;
        else if (err != ERR_OK && err != ERR_INVALID)
            return err;
    }
    if (batch->n_alerts == 0)
        *ret_letter =
            (struct dead_letter){ .reason = "the record holds no alert", .field = "alerts" };
    return ERR_OK;
}

/* A letter without a reason is none. */
static enum err understand(struct alert_desk *desk,
                           const struct bus_record *record,
                           struct dead_letter *ret_letter,
                           struct error *error)
{
    Pb__AlertBatch *batch = NULL;
    enum err err = prove(desk, record, error);

    if (err != ERR_OK) {
        *ret_letter = (struct dead_letter){
            .reason = arena_text(&desk->arena, error->text),
            .field = "ce_mac",
            .fix = "sign it (ce_writer, ce_mac) with a key of security.producers",
        };
        return ERR_OK;
    }
    err = open_batch(desk, record, &batch, error);
    if (err != ERR_OK) {
        *ret_letter = (struct dead_letter){
            .reason = arena_text(&desk->arena, error->text),
            .fix = "send an AlertBatch as in alert.proto",
        };
        return ERR_OK;
    }
    if (desk->only_remember)
        return handle_batch(desk, record, batch, ret_letter, error);
    err = know_suspects(desk, SUSPECTS_FRESH_MS, error);
    if (err != ERR_OK)
        return err;
    note_truncated(desk, batch);
    return handle_batch(desk, record, batch, ret_letter, error);
}

static enum err handle(struct alert_desk *desk,
                       const struct bus_record *record,
                       struct error *error)
{
    struct dead_letter letter = { 0 };
    const enum err err = understand(desk, record, &letter, error);

    if (err != ERR_OK || letter.reason == NULL || desk->only_remember)
        return err;
    return dead_letter(desk, record, &letter, error);
}

static void take_in_hand(struct alert_desk *desk,
                         struct alert_source *source,
                         const struct bus_record *record)
{
    if (source->first == source->next)
        source->first = record->offset;
    if (source->owed == source->next)
        source->owed = record->offset;
    source->next = record->offset + 1;
    desk->in_hand++;
    desk->only_remember = record->offset < source->told || record->offset < source->said;
}

/* Something did not become durable: begin again where the records in hand begin, or, if the
 * words that wait are forgotten, where the oldest of those may come from. What was told and may
 * be lost is told again under the same id. */
static void start_over(struct alert_desk *desk)
{
    for (size_t i = 0; i < desk->source_count; i++) {
        struct alert_source *const source = &desk->sources[i];
        const int64_t from = desk->told ? source->owed : source->first;
        struct error ignored = { 0 };

        if (from == source->next)
            continue;
        if (desk->consumer.seek(
                desk->consumer.self, TOPIC_ALERTS, source->partition, from, &ignored) == ERR_OK)
            source->at = from;
        else
            source->known = false;
        if (source->owed > from)
            source->owed = from;
        source->next = from;
    }
    if (desk->told)
        forget_words(desk);
    forget_alerts(desk);
    put_down(desk);
}

/* Into Redis, if it still has what it had. */
static enum err keep(struct alert_desk *desk, struct error *error)
{
    struct store *const store = &desk->projection.store;
    struct store_batch batch = { 0 };
    enum err err;

    heard_keep(desk, &batch.guards, &batch.guard_count);
    batch.ops = desk->ops;
    batch.op_count = desk->op_count;
    if (batch.op_count == 0)
        return ERR_OK;
    err = store->commit(store->self, &batch, error);
    if (err == ERR_OK)
        heard_kept(desk);
    else if (err == ERR_CONFLICT)
        heard_refused(desk);
    return err;
}

/* What lies before the group's offset has been told: while the end of an incident waits to be,
 * the offset waits as well. */
static enum err commit_offsets(struct alert_desk *desk, struct error *error)
{
    if (incident_book_owes(desk->book))
        return ERR_OK;
    for (size_t i = 0; i < desk->source_count; i++) {
        struct alert_source *const source = &desk->sources[i];
        enum err err = ERR_OK;

        if (source->owed != source->next && source->next > source->told)
            err = desk->consumer.commit(
                desk->consumer.self, TOPIC_ALERTS, source->partition, source->next, error);
        if (err != ERR_OK)
            return err;
        source->owed = source->next;
    }
    return ERR_OK;
}

/* First the log, then Redis, then the offsets. */
static enum err make_durable(struct alert_desk *desk, struct error *error)
{
    enum err err = desk->ports->bus.flush(desk->ports->bus.self, FLUSH_MS, error);

    if (err != ERR_OK)
        return err;
    alert_crash_point(desk, CRASH_ALERTS_AFTER_TELL);
    desk->told = false;
    err = keep(desk, error);
    if (err == ERR_OK)
        alert_crash_point(desk, CRASH_ALERTS_AFTER_KEEP);
    if (err == ERR_OK)
        err = commit_offsets(desk, error);
    if (err != ERR_OK)
        return err;
    alert_crash_point(desk, CRASH_ALERTS_AFTER_OFFSET);
    for (size_t i = 0; i < desk->source_count; i++) {
        struct alert_source *const source = &desk->sources[i];

        source->said = source->next > source->said ? source->next : source->said;
    }
    put_down(desk);
    return ERR_OK;
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

/* The source of a record to be handled; NULL: it is not to be, now. A partition that has just
 * come may go on elsewhere; nothing is in hand then, for those before it were put down. */
static enum err find_source(struct alert_desk *desk,
                            const struct bus_record *record,
                            struct alert_source **ret,
                            struct error *error)
{
    struct alert_source *const source = heard_source(desk, record->partition);
    const bool came = source != NULL && source->at < 0;

    *ret = came ? NULL : source;
    if (source != NULL)
        source->at = record->offset + 1;
    return came ? heard_know(desk, error) : ERR_OK;
}

/* Records until there is none at once, or enough are in hand. */
static enum err take_records(struct alert_desk *desk, int wait_ms, struct error *error)
{
    while (desk->in_hand < ALERTS_AT_ONCE) {
        struct bus_record record = { 0 };
        struct alert_source *source = NULL;
        enum err err = desk->consumer.receive(
            desk->consumer.self, desk->in_hand > 0 ? 0 : wait_ms, &record, error);

        if (err == ERR_STALE)
            return ERR_OK;
        if (err == ERR_OK)
            err = find_source(desk, &record, &source, error);
        if (err == ERR_OK && source != NULL) {
            take_in_hand(desk, source, &record);
            err = handle(desk, &record, error);
        }
        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

/* While nothing comes: has Redis still what it had, and who may be to blame? */
static void look_around(struct alert_desk *desk)
{
    const int64_t now_ms = clock_now_ms(desk->ports->clock);
    struct error ignored = { 0 };

    (void)know_suspects(desk, SUSPECTS_WARM_MS, &ignored);
    if (now_ms < desk->check_at_ms)
        return;
    desk->check_at_ms = now_ms + HEARD_CHECK_MS;
    if (!heard_stands(desk))
        forget_alerts(desk);
    put_down(desk);
}

enum err alert_desk_turn(struct alert_desk *desk, int wait_ms, struct error *error)
{
    enum err err = heard_know(desk, error);

    if (err == ERR_OK)
        err = take_records(desk, wait_ms, error);
    if (err == ERR_OK)
        err = tell_due(desk, error);
    if (err == ERR_OK && (desk->in_hand > 0 || desk->told))
        err = make_durable(desk, error);
    if (err != ERR_OK)
        start_over(desk);
    else if (desk->in_hand == 0)
        look_around(desk);
    return err;
}
