/* Publishing.
 *
 * Every thread has an account of what it handed over. Delivery reports come to whoever polls
 * the producer; of all threads that flush, one polls for all, and the others wait for it. So
 * the usual single publisher needs no hop to another thread. */
#include "common/adapters/kafka/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    POLL_SLICE_MS = 100,
    CLOSE_FLUSH_MS = 1000,
    QUEUE_FULL_WAIT_MS = 500,
    VALUES_MAX = BUS_HEADERS_MAX + 8,
};

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum err kafka_generation_new(struct kafka_bus *bus,
                              struct kafka_generation **ret,
                              struct error *error)
{
    struct kafka_generation *generation = calloc(1, sizeof *generation);
    rd_kafka_conf_t *conf = NULL;
    char text[KAFKA_TROUBLE_SIZE];

    if (generation == NULL)
        return error_set(error, ERR_INTERNAL, "kafka: no memory");
    enum err err = kafka_producer_config(bus, &conf, error);

    if (err == ERR_OK) {
        generation->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
        if (generation->producer == NULL) {
            rd_kafka_conf_destroy(conf);
            err = error_set(error, ERR_INVALID, "kafka: %s", text);
        }
    }
    if (err != ERR_OK) {
        free(generation);
        return err;
    }
    generation->users = 1;
    *ret = generation;
    return ERR_OK;
}

/* What is still queued is given a moment and then reported to its accounts as failed. */
static void generation_free(struct kafka_generation *generation)
{
    rd_kafka_flush(generation->producer, CLOSE_FLUSH_MS);
    rd_kafka_purge(generation->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(generation->producer, CLOSE_FLUSH_MS);
    while (generation->topics != NULL) {
        struct kafka_topic *topic = generation->topics;

        generation->topics = topic->next;
        rd_kafka_topic_destroy(topic->handle);
        free(topic->name);
        free(topic);
    }
    rd_kafka_destroy(generation->producer);
    free(generation);
}

struct kafka_generation *kafka_enter(struct kafka_bus *bus)
{
    pthread_mutex_lock(&bus->lock);
    struct kafka_generation *generation = bus->current;

    generation->users++;
    pthread_mutex_unlock(&bus->lock);
    return generation;
}

void kafka_leave(struct kafka_bus *bus, struct kafka_generation *generation)
{
    pthread_mutex_lock(&bus->lock);
    bool last = --generation->users == 0;

    pthread_mutex_unlock(&bus->lock);
    if (!last)
        return;
    generation_free(generation);
    pthread_mutex_lock(&bus->lock);
    pthread_cond_broadcast(&bus->served);
    pthread_mutex_unlock(&bus->lock);
}

/* After a fatal error the idempotent producer refuses everything for ever; only a new one, with
 * a new identity at the broker, goes on. True if that one is of no more use. */
static bool generation_replace_if_fatal(struct kafka_bus *bus,
                                        struct kafka_generation *generation)
{
    struct kafka_generation *fresh = NULL;
    struct error error = { 0 };
    char text[KAFKA_TROUBLE_SIZE];

    if (rd_kafka_fatal_error(generation->producer, text, sizeof text) ==
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    if (kafka_generation_new(bus, &fresh, &error) != ERR_OK)
        return true;
    pthread_mutex_lock(&bus->lock);
    bool ours = bus->current == generation;

    if (ours)
        bus->current = fresh;
    pthread_mutex_unlock(&bus->lock);
    kafka_leave(bus, ours ? generation : fresh);
    return true;
}

void kafka_delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    struct kafka_bus *bus = opaque;
    struct kafka_account *account = message->_private;

    (void)producer;
    pthread_mutex_lock(&bus->lock);
    account->pending--;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED)
            account->unknown++;
        else
            account->refused++;
        snprintf(account->why,
                 sizeof account->why,
                 "%s: %s",
                 message->rkt != NULL ? rd_kafka_topic_name(message->rkt) : "?",
                 rd_kafka_err2str(message->err));
    }
    pthread_mutex_unlock(&bus->lock);
}

/* With the lock held, which is given up in between: wait at most wait_ms for reports. */
static void serve(struct kafka_bus *bus, struct kafka_generation *generation, int wait_ms)
{
    if (!bus->polling) {
        bus->polling = true;
        pthread_mutex_unlock(&bus->lock);
        rd_kafka_poll(generation->producer, wait_ms);
        pthread_mutex_lock(&bus->lock);
        bus->polling = false;
        pthread_cond_broadcast(&bus->served);
    } else if (wait_ms > 0) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long)wait_ms * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&bus->served, &bus->lock, &until);
    }
}

/* The calling thread's account. NULL: no memory. */
static struct kafka_account *account_of_thread(struct kafka_bus *bus)
{
    struct kafka_account *account;

    pthread_mutex_lock(&bus->lock);
    for (account = bus->accounts; account != NULL; account = account->next) {
        if (pthread_equal(account->owner, pthread_self()))
            break;
    }
    if (account == NULL) {
        account = calloc(1, sizeof *account);
        if (account != NULL) {
            account->owner = pthread_self();
            account->next = bus->accounts;
            bus->accounts = account;
        }
    }
    pthread_mutex_unlock(&bus->lock);
    return account;
}

static struct kafka_topic *topic_known(struct kafka_bus *bus,
                                       const struct kafka_generation *generation,
                                       const char *name)
{
    pthread_mutex_lock(&bus->lock);
    struct kafka_topic *topic = generation->topics;

    while (topic != NULL && strcmp(topic->name, name) != 0)
        topic = topic->next;
    pthread_mutex_unlock(&bus->lock);
    return topic;
}

/* Two threads may learn of a topic at once: then it is there twice, which does no harm. */
static enum err topic_learn(struct kafka_bus *bus,
                            struct kafka_generation *generation,
                            const char *name,
                            struct kafka_topic **ret,
                            struct error *error)
{
    struct kafka_topic *topic = calloc(1, sizeof *topic);
    char *copy = strdup(name);
    rd_kafka_topic_t *handle = rd_kafka_topic_new(generation->producer, name, NULL);
    enum err err = ERR_OK;

    if (topic == NULL || copy == NULL)
        abort();
    if (handle == NULL)
        err = error_set(error, ERR_INVALID, "%s: not a topic's name", name);
    if (err == ERR_OK)
        err = kafka_ask_partitions(generation->producer, handle, &topic->partitions, error);
    if (err != ERR_OK) {
        if (handle != NULL)
            rd_kafka_topic_destroy(handle);
        free(copy);
        free(topic);
        return err == ERR_NOT_FOUND ? ERR_INVALID : err;
    }
    topic->name = copy;
    topic->handle = handle;
    pthread_mutex_lock(&bus->lock);
    topic->next = generation->topics;
    generation->topics = topic;
    pthread_mutex_unlock(&bus->lock);
    *ret = topic;
    return ERR_OK;
}

/* The partitions are counted once: a topic that grows while we run moves no key of ours. */
static enum err topic_of(struct kafka_bus *bus,
                         struct kafka_generation *generation,
                         const struct bus_record *record,
                         struct kafka_topic **ret,
                         struct error *error)
{
    char name[KAFKA_NAME_SIZE];
    enum err err = kafka_full_name(bus, record->topic, name, error);

    if (err != ERR_OK)
        return err;
    *ret = topic_known(bus, generation, name);
    if (*ret == NULL)
        err = topic_learn(bus, generation, name, ret, error);
    if (err != ERR_OK)
        return error_wrap(error, err, "publish");
    if (record->partition < BUS_PARTITION_BY_KEY || record->partition >= (*ret)->partitions)
        return error_set(error,
                         ERR_INVALID,
                         "publish: %s has no partition %d",
                         name,
                         (int)record->partition);
    return ERR_OK;
}

static void *without_const(const void *bytes)
{
    return (void *)(uintptr_t)bytes;
}

/* An empty value must not become the tombstone that (NULL, 0) is. */
static size_t values_fill(rd_kafka_vu_t values[VALUES_MAX],
                          const struct kafka_topic *topic,
                          const struct bus_record *record,
                          struct kafka_account *account)
{
    const char *key = record->key != NULL ? record->key : "";
    int32_t partition = record->partition;
    size_t count = 0;

    if (partition == BUS_PARTITION_BY_KEY)
        partition = bus_partition(key, topic->partitions);
    values[count++] = (rd_kafka_vu_t){ RD_KAFKA_VTYPE_RKT, { .rkt = topic->handle } };
    values[count++] = (rd_kafka_vu_t){ RD_KAFKA_VTYPE_PARTITION, { .i32 = partition } };
    values[count++] = (rd_kafka_vu_t){ RD_KAFKA_VTYPE_OPAQUE, { .ptr = account } };
    values[count++] = (rd_kafka_vu_t){ RD_KAFKA_VTYPE_MSGFLAGS, { .i = RD_KAFKA_MSG_F_COPY } };
    if (key[0] != '\0')
        values[count++] = (rd_kafka_vu_t){ RD_KAFKA_VTYPE_KEY,
                                           { .mem = { without_const(key), strlen(key) } } };
    if (record->bytes != NULL)
        values[count++] =
            (rd_kafka_vu_t){ RD_KAFKA_VTYPE_VALUE,
                             { .mem = { without_const(record->bytes), record->length } } };
    for (size_t i = 0; i < record->header_count; i++) {
        const struct bus_header *header = &record->headers[i];
        const char *value = header->value != NULL ? header->value : "";

        values[count++] =
            (rd_kafka_vu_t){ RD_KAFKA_VTYPE_HEADER,
                             { .header = { header->name, value, (ssize_t)strlen(value) } } };
    }
    return count;
}

static rd_kafka_resp_err_t produce(struct kafka_bus *bus,
                                   struct kafka_generation *generation,
                                   const rd_kafka_vu_t *values,
                                   size_t count,
                                   struct kafka_account *account)
{
    rd_kafka_error_t *failure = rd_kafka_produceva(generation->producer, values, count);
    rd_kafka_resp_err_t code = rd_kafka_error_code(failure);

    if (failure != NULL)
        rd_kafka_error_destroy(failure);
    pthread_mutex_lock(&bus->lock);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        serve(bus, generation, QUEUE_FULL_WAIT_MS);
    else
        serve(bus, generation, 0);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        account->pending--;
    pthread_mutex_unlock(&bus->lock);
    return code;
}

/* Once by that generation. */
static enum err publish_by(struct kafka_bus *bus,
                           struct kafka_generation *generation,
                           const struct bus_record *record,
                           rd_kafka_resp_err_t *ret_code,
                           struct error *error)
{
    struct kafka_account *account = account_of_thread(bus);
    struct kafka_topic *topic;
    rd_kafka_vu_t values[VALUES_MAX];
    enum err err = topic_of(bus, generation, record, &topic, error);

    *ret_code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (err != ERR_OK)
        return err;
    if (account == NULL)
        return error_set(error, ERR_UNAVAILABLE, "publish: no memory");
    size_t count = values_fill(values, topic, record, account);

    /* Counted before it is handed over: its report may come at once. */
    pthread_mutex_lock(&bus->lock);
    account->pending++;
    pthread_mutex_unlock(&bus->lock);
    *ret_code = produce(bus, generation, values, count, account);
    if (*ret_code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_OK;
    return kafka_error(error, *ret_code, topic->name);
}

enum err kafka_publish(void *self, const struct bus_record *record, struct error *error)
{
    struct kafka_bus *bus = self;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    enum err err;

    if (record->header_count > BUS_HEADERS_MAX)
        return error_set(error, ERR_INVALID, "publish: too many headers");
    for (int attempt = 0;; attempt++) {
        struct kafka_generation *generation = kafka_enter(bus);

        err = publish_by(bus, generation, record, &code, error);
        /* The error of the call may be the one that was fatal, by its own name. */
        bool fatal = err != ERR_OK && generation_replace_if_fatal(bus, generation);

        kafka_leave(bus, generation);
        bool again = fatal || code == RD_KAFKA_RESP_ERR__QUEUE_FULL;

        if (!again || attempt > 0)
            return fatal ? ERR_UNAVAILABLE : err;
    }
}

static enum err account_settle(struct kafka_bus *bus,
                               struct kafka_account *account,
                               int timeout_ms,
                               struct error *error)
{
    size_t pending = account->pending, unknown = account->unknown, refused = account->refused;
    enum err err = ERR_OK;

    if (pending > 0)
        err = error_set(error,
                        ERR_TIMED_OUT,
                        "flush: %zu records not taken within %d ms%s%s",
                        pending,
                        timeout_ms,
                        bus->trouble[0] != '\0' ? "; last heard: " : "",
                        bus->trouble);
    else if (unknown > 0)
        err = error_set(
            error, ERR_TIMED_OUT, "flush: %zu records in doubt: %s", unknown, account->why);
    else if (refused > 0)
        err = error_set(
            error, ERR_UNAVAILABLE, "flush: %zu records refused: %s", refused, account->why);
    account->unknown = account->refused = 0;
    return err;
}

enum err kafka_flush(void *self, int timeout_ms, struct error *error)
{
    struct kafka_bus *bus = self;
    struct kafka_account *account = account_of_thread(bus);
    int64_t until_ms = monotonic_ms() + timeout_ms;

    if (account == NULL)
        return error_set(error, ERR_UNAVAILABLE, "flush: no memory");
    pthread_mutex_lock(&bus->lock);
    while (account->pending > 0) {
        int64_t left_ms = until_ms - monotonic_ms();

        if (left_ms <= 0)
            break;
        struct kafka_generation *generation = bus->current;

        generation->users++;
        serve(bus, generation, left_ms < POLL_SLICE_MS ? (int)left_ms : POLL_SLICE_MS);
        pthread_mutex_unlock(&bus->lock);
        (void)generation_replace_if_fatal(bus, generation);
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the bus's hold is gone, ours is not */
        kafka_leave(bus, generation);
        pthread_mutex_lock(&bus->lock);
    }
    enum err err = account_settle(bus, account, timeout_ms, error);

    pthread_mutex_unlock(&bus->lock);
    return err;
}
