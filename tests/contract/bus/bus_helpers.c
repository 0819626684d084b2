#include "tests/contract/bus/bus_helpers.h"

#include "tests/support/patience.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { RETENTION_MS = 24 * 60 * 60 * 1000, FLUSH_MS = 20000, RECEIVE_MS = 50 };

struct bus_topic contract_settings(const char *name)
{
    return (struct bus_topic){ .name = name,
                               .partitions = CONTRACT_PARTITIONS,
                               .retention_ms = RETENTION_MS,
                               .log_append_time = true };
}

const char *contract_topic(struct bus_world *world, char name[CONTRACT_NAME_SIZE])
{
    struct error error = { 0 };

    snprintf(name, CONTRACT_NAME_SIZE, "contract-%s-%u", world->run, world->made++);
    struct bus_topic topic = contract_settings(name);

    if (world->bus.ensure_topics(world->bus.self, &topic, 1, &error) != ERR_OK)
        fail_msg("%s", error.text);
    return name;
}

static void hand_over(struct bus_world *world, const struct bus_record *record)
{
    struct error error = { 0 };

    if (world->bus.publish(world->bus.self, record, &error) != ERR_OK)
        fail_msg("%s", error.text);
}

void contract_hand_over(struct bus_world *world,
                        const char *topic,
                        int32_t partition,
                        int number)
{
    char text[16];
    int length = snprintf(text, sizeof text, "%d", number);
    struct bus_record record = { .topic = topic,
                                 .partition = partition,
                                 .key = "key",
                                 .bytes = (const uint8_t *)text,
                                 .length = (size_t)length };

    hand_over(world, &record);
}

void contract_flush(struct bus_world *world)
{
    struct error error = { 0 };

    if (world->bus.flush(world->bus.self, FLUSH_MS, &error) != ERR_OK)
        fail_msg("%s", error.text);
}

void contract_publish(struct bus_world *world, const struct bus_record *record)
{
    hand_over(world, record);
    contract_flush(world);
}

static void share_assigned(void *self, const char *topic, int32_t partition, int64_t *offset)
{
    struct contract_share *share = self;

    (void)topic;
    assert_int_equal(*offset, BUS_OFFSET_DEFAULT);
    if (share->owned == 0 || partition < share->lowest)
        share->lowest = partition;
    share->owned++;
    if (partition == 0)
        *offset = share->start_at;
}

static void share_revoked(void *self, const char *topic, int32_t partition, bool lost)
{
    struct contract_share *share = self;

    (void)topic;
    (void)partition;
    share->owned--;
    share->lost |= lost;
}

struct bus_consumer contract_subscribe(struct bus_world *world,
                                       const char *group,
                                       const char *topic,
                                       enum bus_start start,
                                       struct contract_share *share)
{
    const char *const topics[] = { topic, NULL };
    struct bus_subscription subscription = { .group = group, .topics = topics, .start = start };
    struct bus_consumer consumer;
    struct error error = { 0 };

    if (share != NULL)
        subscription.listener = (struct bus_listener){ share, share_assigned, share_revoked };
    if (world->bus.subscribe(world->bus.self, &subscription, &consumer, &error) != ERR_OK)
        fail_msg("%s", error.text);
    return consumer;
}

struct bus_consumer contract_read(struct bus_world *world,
                                  const char *topic,
                                  enum bus_start start)
{
    return contract_subscribe(world, NULL, topic, start, NULL);
}

static enum err receive(struct bus_world *world,
                        struct bus_consumer *consumer,
                        struct bus_record *ret,
                        struct error *error)
{
    struct patience patience = patience_for(world->patience_ms);
    enum err err;

    do
        err = consumer->receive(consumer->self, RECEIVE_MS, ret, error);
    while ((err == ERR_STALE || err == ERR_UNAVAILABLE) && patience_left(&patience));
    return err;
}

enum err contract_outcome(struct bus_world *world,
                          struct bus_consumer *consumer,
                          struct error *error)
{
    struct bus_record record;

    return receive(world, consumer, &record, error);
}

struct bus_record contract_next(struct bus_world *world, struct bus_consumer *consumer)
{
    struct error error = { 0 };
    struct bus_record record = { 0 };
    enum err err = receive(world, consumer, &record, &error);

    if (err != ERR_OK)
        fail_msg("receive: %s: %s", err_name(err), error.text);
    return record;
}

int contract_next_number(struct bus_world *world, struct bus_consumer *consumer)
{
    struct bus_record record = contract_next(world, consumer);
    char text[16] = "";

    assert_true(record.length < sizeof text);
    memcpy(text, record.bytes, record.length);
    return (int)strtol(text, NULL, 10);
}

void contract_watermarks(struct bus_world *world,
                         struct bus_consumer *consumer,
                         const char *topic,
                         int64_t low,
                         int64_t high)
{
    struct patience patience = patience_for(world->patience_ms);
    struct error error = { 0 };
    int64_t found_low = -1, found_high = -1;
    enum err err;

    do
        err = consumer->watermarks(consumer->self, topic, 3, &found_low, &found_high, &error);
    while (err == ERR_UNAVAILABLE && patience_left(&patience));
    assert_int_equal(err, ERR_OK);
    assert_int_equal(found_low, low);
    assert_int_equal(found_high, high);
}

void contract_until_owned(struct bus_world *world,
                          struct bus_consumer *first,
                          struct bus_consumer *second,
                          const struct contract_share *share,
                          int owned)
{
    struct patience patience = patience_for(world->patience_ms);
    struct bus_record record;
    struct error error = { 0 };

    while (share->owned != owned && patience_left(&patience)) {
        first->receive(first->self, RECEIVE_MS, &record, &error);
        if (second != NULL)
            second->receive(second->self, RECEIVE_MS, &record, &error);
    }
    assert_int_equal(share->owned, owned);
}
