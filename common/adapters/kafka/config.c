#include "common/adapters/kafka/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { FETCH_WAIT_MS = 100, SESSION_MS = 6000 };

/* Good starts, which the operator's properties may change. */
static const struct kafka_property defaults_both[] = {
    { "socket.timeout.ms", "10000" },
    { "socket.keepalive.enable", "true" },
    { "reconnect.backoff.ms", "50" },
    { "reconnect.backoff.max.ms", "1000" },
    { "topic.metadata.refresh.interval.ms", "60000" },
};
static const struct kafka_property defaults_producer[] = {
    { "linger.ms", "0" },
    { "queue.buffering.max.messages", "100000" },
};
static const struct kafka_property defaults_consumer[] = {
    { "queued.min.messages", "2000" },
    { "queued.max.messages.kbytes", "16384" },
    { "fetch.error.backoff.ms", "100" },
};

/* What the bus promises rests on these. */
static const struct kafka_property fixed_both[] = {
    { "socket.nagle.disable", "true" },
};
static const struct kafka_property fixed_producer[] = {
    { "enable.idempotence", "true" },
    { "max.in.flight", "1" },
    { "message.timeout.ms", "300000" },
};
static const struct kafka_property fixed_consumer[] = {
    { "enable.auto.commit", "false" },       { "enable.auto.offset.store", "false" },
    { "auto.offset.reset", "error" },        { "partition.assignment.strategy", "range" },
    { "allow.auto.create.topics", "false" }, { "enable.partition.eof", "false" },
};

#define COUNT(table_) (sizeof(table_) / sizeof((table_)[0]))

/* Never shows the value, nor librdkafka's text, which would. */
static enum err property_set(rd_kafka_conf_t *conf,
                             const struct kafka_property *property,
                             struct error *error)
{
    char text[8];

    switch (rd_kafka_conf_set(conf, property->name, property->value, text, sizeof text)) {
    case RD_KAFKA_CONF_OK: return ERR_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return error_set(error, ERR_INVALID, "kafka: no such property: %s", property->name);
    default: return error_set(error, ERR_INVALID, "kafka: bad value for %s", property->name);
    }
}

static enum err properties_set(rd_kafka_conf_t *conf,
                               const struct kafka_property *properties,
                               size_t count,
                               struct error *error)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < count && err == ERR_OK; i++)
        err = property_set(conf, &properties[i], error);
    return err;
}

static enum err number_set(rd_kafka_conf_t *conf,
                           const char *name,
                           int64_t value,
                           struct error *error)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, value);
    return property_set(conf, &(struct kafka_property){ name, text }, error);
}

static void log_nothing(const rd_kafka_t *handle, int level, const char *fac, const char *text)
{
    (void)handle;
    (void)level;
    (void)fac;
    (void)text;
}

static void producer_trouble(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    struct kafka_bus *bus = opaque;

    (void)handle;
    (void)code;
    pthread_mutex_lock(&bus->lock);
    snprintf(bus->trouble, sizeof bus->trouble, "%s", reason);
    pthread_mutex_unlock(&bus->lock);
}

/* Called on the consumer's own thread. A single broken connection is librdkafka's to mend. */
static void consumer_trouble(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    struct kafka_consumer *consumer = opaque;

    (void)handle;
    snprintf(consumer->trouble, sizeof consumer->trouble, "%s", reason);
    consumer->unwell |= code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
                        code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
                        code == RD_KAFKA_RESP_ERR__SSL;
}

/* Connects as librdkafka would, and counts. */
static int consumer_connect(
    int descriptor, const struct sockaddr *address, int length, const char *id, void *opaque)
{
    struct kafka_consumer *consumer = opaque;

    (void)id;
    atomic_fetch_add(&consumer->connections, 1);
    return connect(descriptor, address, (socklen_t)length) == 0 || errno == EINPROGRESS ? 0
                                                                                        : errno;
}

static enum err common_set(const struct kafka_bus *bus,
                           rd_kafka_conf_t *conf,
                           struct error *error)
{
    const struct kafka_property ours[] = {
        { "bootstrap.servers", bus->options.brokers },
        { "client.id", bus->options.client_id },
    };
    enum err err = properties_set(conf, fixed_both, COUNT(fixed_both), error);

    if (err == ERR_OK)
        err = properties_set(conf, ours, COUNT(ours), error);
    rd_kafka_conf_set_log_cb(conf, log_nothing);
    return err;
}

enum err kafka_producer_config(struct kafka_bus *bus,
                               rd_kafka_conf_t **ret,
                               struct error *error)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const struct kafka_options *options = &bus->options;
    enum err err = properties_set(conf, defaults_both, COUNT(defaults_both), error);

    if (err == ERR_OK)
        err = properties_set(conf, defaults_producer, COUNT(defaults_producer), error);
    if (err == ERR_OK)
        err = properties_set(conf, options->properties, options->property_count, error);
    if (err == ERR_OK)
        err = properties_set(conf, fixed_producer, COUNT(fixed_producer), error);
    if (err == ERR_OK)
        err = common_set(bus, conf, error);
    if (err != ERR_OK) {
        rd_kafka_conf_destroy(conf);
        return err;
    }
    rd_kafka_conf_set_dr_msg_cb(conf, kafka_delivered);
    rd_kafka_conf_set_error_cb(conf, producer_trouble);
    rd_kafka_conf_set_opaque(conf, bus);
    *ret = conf;
    return ERR_OK;
}

int64_t kafka_session_ms(const struct kafka_bus *bus)
{
    return bus->options.session_ms > 0 ? bus->options.session_ms : SESSION_MS;
}

static enum err timings_set(const struct kafka_bus *bus,
                            rd_kafka_conf_t *conf,
                            struct error *error)
{
    const struct kafka_options *options = &bus->options;
    int64_t session = kafka_session_ms(bus);
    int64_t wait = options->fetch_wait_ms > 0 ? options->fetch_wait_ms : FETCH_WAIT_MS;
    enum err err = number_set(conf, "session.timeout.ms", session, error);

    if (err == ERR_OK)
        err = number_set(conf, "heartbeat.interval.ms", session / 4, error);
    if (err == ERR_OK)
        err = number_set(conf, "fetch.wait.max.ms", wait, error);
    return err;
}

enum err kafka_consumer_config(const struct kafka_bus *bus,
                               const char *group,
                               rd_kafka_conf_t **ret,
                               struct error *error)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const struct kafka_options *options = &bus->options;
    const struct kafka_property id = { "group.id", group };
    enum err err = properties_set(conf, defaults_both, COUNT(defaults_both), error);

    if (err == ERR_OK)
        err = properties_set(conf, defaults_consumer, COUNT(defaults_consumer), error);
    if (err == ERR_OK)
        err = timings_set(bus, conf, error);
    if (err == ERR_OK)
        err = properties_set(conf, options->properties, options->property_count, error);
    if (err == ERR_OK)
        err = properties_set(conf, fixed_consumer, COUNT(fixed_consumer), error);
    if (err == ERR_OK)
        err = property_set(conf, &id, error);
    if (err == ERR_OK)
        err = common_set(bus, conf, error);
    if (err != ERR_OK) {
        rd_kafka_conf_destroy(conf);
        return err;
    }
    rd_kafka_conf_set_error_cb(conf, consumer_trouble);
    rd_kafka_conf_set_connect_cb(conf, consumer_connect);
    rd_kafka_conf_set_rebalance_cb(conf, kafka_rebalance);
    *ret = conf;
    return ERR_OK;
}
