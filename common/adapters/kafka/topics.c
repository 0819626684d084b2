/* Creating topics, and comparing those that exist with what they must be. */
#include "common/adapters/kafka/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CONTROLLER_MS = 300,
    ADMIN_MS = 15000,
    VISIBLE_MS = 10000,
    VISIBLE_EVERY_MS = 100,
    TOPICS_AT_ONCE = 64
};

/* The settings compared, as Kafka names and writes them. */
enum {
    SETTING_RETENTION,
    SETTING_CLEANUP,
    SETTING_TIMESTAMP,
    SETTING_UNCLEAN,
    SETTING_INSYNC, /* Last: it is left out where the broker's own holds. */
    SETTINGS_MAX
};

struct topic_setting {
    const char *name;
    char value[24];
};

/* Returns how many. */
static size_t settings_of(const struct bus_topic *topic,
                          uint32_t min_insync,
                          struct topic_setting ret[SETTINGS_MAX])
{
    ret[SETTING_RETENTION].name = "retention.ms";
    ret[SETTING_CLEANUP].name = "cleanup.policy";
    ret[SETTING_TIMESTAMP].name = "message.timestamp.type";
    ret[SETTING_UNCLEAN].name = "unclean.leader.election.enable";
    ret[SETTING_INSYNC].name = "min.insync.replicas";
    snprintf(ret[SETTING_RETENTION].value,
             sizeof ret[SETTING_RETENTION].value,
             "%" PRId64,
             topic->retention_ms);
    snprintf(ret[SETTING_CLEANUP].value,
             sizeof ret[SETTING_CLEANUP].value,
             "%s",
             topic->compacted ? "compact" : "delete");
    snprintf(ret[SETTING_TIMESTAMP].value,
             sizeof ret[SETTING_TIMESTAMP].value,
             "%s",
             topic->log_append_time ? "LogAppendTime" : "CreateTime");
    snprintf(ret[SETTING_UNCLEAN].value, sizeof ret[SETTING_UNCLEAN].value, "false");
    snprintf(
        ret[SETTING_INSYNC].value, sizeof ret[SETTING_INSYNC].value, "%" PRIu32, min_insync);
    return min_insync > 0 ? SETTINGS_MAX : SETTING_INSYNC;
}

/* One conversation with the cluster's administration. */
struct admin {
    struct kafka_bus *bus;
    rd_kafka_t *client;
    rd_kafka_queue_t *answers;
    char (*names)[KAFKA_NAME_SIZE]; /* Of the topics, with the prefix. */
    const struct bus_topic *topics;
    size_t count;

    /* False of the development broker, whose controller is none of its brokers: it makes topics
     * when they are asked for, and has no settings to compare. */
    bool administered;
};

static rd_kafka_NewTopic_t *new_topic(const struct admin *admin, size_t index)
{
    const struct bus_topic *topic = &admin->topics[index];
    uint32_t replication = admin->bus->options.replication;
    struct topic_setting settings[SETTINGS_MAX];
    size_t count = settings_of(topic, admin->bus->options.min_insync, settings);
    char text[KAFKA_TROUBLE_SIZE];
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(admin->names[index],
                                                      topic->partitions,
                                                      replication > 0 ? (int)replication : -1,
                                                      text,
                                                      sizeof text);

    for (size_t i = 0; made != NULL && i < count; i++)
        rd_kafka_NewTopic_set_config(made, settings[i].name, settings[i].value);
    return made;
}

static rd_kafka_AdminOptions_t *admin_options(rd_kafka_t *client, rd_kafka_admin_op_t op)
{
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client, op);
    char text[KAFKA_TROUBLE_SIZE];

    rd_kafka_AdminOptions_set_request_timeout(options, ADMIN_MS, text, sizeof text);
    return options;
}

/* The answer, or NULL with code and text set. */
static rd_kafka_event_t *answer_wait(struct admin *admin,
                                     rd_kafka_resp_err_t *ret_code,
                                     struct error *error)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(admin->answers, ADMIN_MS + KAFKA_QUERY_MS);

    *ret_code = event != NULL ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (*ret_code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return event;
    error_set(error,
              kafka_outcome(*ret_code),
              "topics: %s",
              event != NULL ? rd_kafka_event_error_string(event)
                            : "no answer from the brokers");
    if (event != NULL)
        rd_kafka_event_destroy(event);
    return NULL;
}

static enum err created_check(const rd_kafka_event_t *event, struct error *error)
{
    size_t count = 0;
    const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result((rd_kafka_event_t *)(uintptr_t)event), &count);

    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        const char *text = rd_kafka_topic_result_error_string(results[i]);

        /* Another of our services was faster. */
        if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS ||
            code == RD_KAFKA_RESP_ERR_NO_ERROR)
            continue;
        return error_set(error,
                         kafka_outcome(code),
                         "cannot create topic %s: %s",
                         rd_kafka_topic_result_name(results[i]),
                         text != NULL ? text : rd_kafka_err2str(code));
    }
    return ERR_OK;
}

/* A broker without administration (the development broker) makes topics when they are asked
 * for: then only their partitions can be compared. */
static enum err create_missing(struct admin *admin,
                               rd_kafka_NewTopic_t **missing,
                               size_t count,
                               struct error *error)
{
    rd_kafka_AdminOptions_t *options =
        admin_options(admin->client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_resp_err_t code;
    enum err err = ERR_OK;

    rd_kafka_CreateTopics(admin->client, missing, count, options, admin->answers);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_event_t *event = answer_wait(admin, &code, error);

    if (event == NULL)
        return kafka_outcome(code);
    err = created_check(event, error);
    rd_kafka_event_destroy(event);
    return err;
}

static bool listed(const struct rd_kafka_metadata *metadata, const char *name)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        if (strcmp(metadata->topics[i].topic, name) == 0)
            return metadata->topics[i].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    return false;
}

static bool has_controller(rd_kafka_t *client, const struct rd_kafka_metadata *metadata)
{
    int32_t controller = rd_kafka_controllerid(client, CONTROLLER_MS);

    for (int i = 0; i < metadata->broker_cnt; i++) {
        if (metadata->brokers[i].id == controller)
            return true;
    }
    return false;
}

/* All topics of the cluster are listed: asking for one by its name may create it. */
static enum err missing_find(struct admin *admin,
                             rd_kafka_NewTopic_t *ret[],
                             size_t *ret_count,
                             struct error *error)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(admin->client, 1, NULL, &metadata, KAFKA_QUERY_MS);
    enum err err = ERR_OK;

    *ret_count = 0;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(error,
                         ERR_UNAVAILABLE,
                         "no answer from Kafka at %s: %s",
                         admin->bus->options.brokers,
                         rd_kafka_err2str(code));
    admin->administered = has_controller(admin->client, metadata);
    for (size_t i = 0; i < admin->count && err == ERR_OK; i++) {
        if (listed(metadata, admin->names[i]))
            continue;
        ret[*ret_count] = new_topic(admin, i);
        if (ret[*ret_count] == NULL)
            err = error_set(error, ERR_INVALID, "topic %s: bad name", admin->names[i]);
        else
            (*ret_count)++;
    }
    rd_kafka_metadata_destroy(metadata);
    return err;
}

static enum err partitions_compare(struct admin *admin,
                                   size_t index,
                                   int32_t found,
                                   struct error *error)
{
    const struct bus_topic *wanted = &admin->topics[index];

    if (found == wanted->partitions)
        return ERR_OK;
    return error_set(error,
                     ERR_INVALID,
                     "topic %s: partitions is %d, wanted %d; set kafka.partitions to %d, or "
                     "delete the topic while it is empty: records would change their partition",
                     admin->names[index],
                     (int)found,
                     (int)wanted->partitions,
                     (int)found);
}

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A topic just made is not at once known to every broker. */
static enum err partitions_check(struct admin *admin, size_t index, struct error *error)
{
    const struct timespec moment = { .tv_nsec = VISIBLE_EVERY_MS * 1000000L };
    int64_t until_ms = monotonic_ms() + VISIBLE_MS;
    int32_t found = 0;
    enum err err = kafka_partitions(admin->bus, admin->names[index], &found, error);

    while (err != ERR_OK && monotonic_ms() < until_ms) {
        nanosleep(&moment, NULL);
        err = kafka_partitions(admin->bus, admin->names[index], &found, error);
    }
    return err == ERR_OK ? partitions_compare(admin, index, found, error) : err;
}

static const char *config_value(const rd_kafka_ConfigResource_t *resource, const char *name)
{
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    }
    return NULL;
}

/* Kept for longer than asked, up to for ever (-1), loses nothing; nor do more copies. */
static bool is_enough(const char *name, const char *found, const char *wanted)
{
    enum { BASE = 10 };
    const long long asked = strtoll(wanted, NULL, BASE);
    long long kept;
    char *end = NULL;

    if (found == NULL || strcmp(found, wanted) == 0)
        return found != NULL;
    if (strcmp(name, "retention.ms") != 0 && strcmp(name, "min.insync.replicas") != 0)
        return false;
    kept = strtoll(found, &end, BASE);
    return end != found && *end == '\0' && (kept < 0 || (asked >= 0 && kept >= asked));
}

static enum err settings_compare(const struct admin *admin,
                                 const struct bus_topic *topic,
                                 const rd_kafka_ConfigResource_t *resource,
                                 struct error *error)
{
    struct topic_setting settings[SETTINGS_MAX];
    size_t count = settings_of(topic, admin->bus->options.min_insync, settings);
    const char *name = rd_kafka_ConfigResource_name(resource);

    for (size_t i = 0; i < count; i++) {
        const char *found = config_value(resource, settings[i].name);

        if (is_enough(settings[i].name, found, settings[i].value))
            continue;
        return error_set(error,
                         ERR_INVALID,
                         "topic %s: %s is %s, wanted %s; fix: kafka-configs.sh "
                         "--bootstrap-server %s --alter --entity-type topics --entity-name %s "
                         "--add-config %s=%s",
                         name,
                         settings[i].name,
                         found != NULL ? found : "unset",
                         settings[i].value,
                         admin->bus->options.brokers,
                         name,
                         settings[i].name,
                         settings[i].value);
    }
    return ERR_OK;
}

static enum err described_compare(const struct admin *admin,
                                  const rd_kafka_ConfigResource_t *resource,
                                  struct error *error)
{
    const char *name = rd_kafka_ConfigResource_name(resource);
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resource);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(error,
                         kafka_outcome(code),
                         "cannot read the settings of topic %s: %s",
                         name,
                         rd_kafka_err2str(code));
    for (size_t i = 0; i < admin->count; i++) {
        if (strcmp(admin->names[i], name) == 0)
            return settings_compare(admin, &admin->topics[i], resource, error);
    }
    return ERR_OK;
}

static enum err described_check(struct admin *admin, struct error *error)
{
    rd_kafka_resp_err_t code;
    rd_kafka_event_t *event = answer_wait(admin, &code, error);
    enum err err = ERR_OK;
    size_t count = 0;

    if (event == NULL)
        return kafka_outcome(code);
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);

    for (size_t i = 0; i < count && err == ERR_OK; i++)
        err = described_compare(admin, resources[i], error);
    rd_kafka_event_destroy(event);
    return err;
}

static enum err settings_check(struct admin *admin, struct error *error)
{
    rd_kafka_ConfigResource_t *resources[TOPICS_AT_ONCE];
    rd_kafka_AdminOptions_t *options =
        admin_options(admin->client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);

    for (size_t i = 0; i < admin->count; i++)
        resources[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, admin->names[i]);
    rd_kafka_DescribeConfigs(admin->client, resources, admin->count, options, admin->answers);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy_array(resources, admin->count);
    return described_check(admin, error);
}

static enum err topics_create(struct admin *admin, struct error *error)
{
    rd_kafka_NewTopic_t *missing[TOPICS_AT_ONCE];
    size_t count = 0;
    enum err err = missing_find(admin, missing, &count, error);

    if (err == ERR_OK && count > 0 && admin->administered)
        err = create_missing(admin, missing, count, error);
    if (count > 0)
        rd_kafka_NewTopic_destroy_array(missing, count);
    return err;
}

static enum err admin_ensure(struct admin *admin, struct error *error)
{
    enum err err = topics_create(admin, error);

    for (size_t i = 0; i < admin->count && err == ERR_OK; i++)
        err = partitions_check(admin, i, error);
    if (err == ERR_OK && admin->administered)
        err = settings_check(admin, error);
    return err;
}

enum err kafka_ensure_topics(void *self,
                             const struct bus_topic *topics,
                             size_t count,
                             struct error *error)
{
    struct admin admin = { .bus = self, .topics = topics, .count = count };
    enum err err = ERR_OK;

    if (count == 0)
        return ERR_OK;
    if (count > TOPICS_AT_ONCE)
        return error_set(error, ERR_INVALID, "more than %d topics", TOPICS_AT_ONCE);
    admin.names = calloc(count, sizeof *admin.names);
    if (admin.names == NULL)
        return error_set(error, ERR_INTERNAL, "kafka: no memory");
    for (size_t i = 0; i < count && err == ERR_OK; i++)
        err = kafka_full_name(admin.bus, topics[i].name, admin.names[i], error);
    struct kafka_generation *generation = kafka_enter(admin.bus);

    admin.client = generation->producer;
    admin.answers = rd_kafka_queue_new(admin.client);
    if (err == ERR_OK)
        err = admin_ensure(&admin, error);
    rd_kafka_queue_destroy(admin.answers);
    kafka_leave(admin.bus, generation);
    free(admin.names);
    return err;
}
