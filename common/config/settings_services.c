/* Sections kafka, redis, security, gateway and documents. */
#include "common/config/settings_read.h"

#include <string.h>

enum { PROPERTIES_MAX = 100, PORT_MAX = 65535, PARTITIONS_MAX = 1000, COPIES_MAX = 9 };

/* clang-format off */
static const struct option kafka_table[] = {
    TEXT_OPTION(struct settings, kafka.brokers, "brokers", NULL, "addresses of brokers, separated by commas"),
    COUNT_OPTION(struct settings, kafka.partitions, "partitions", "4", "of each topic; fixed once topics exist"),
    COUNT_OPTION(struct settings, kafka.replication, "replication", "3", "copies of each partition"),
    COUNT_OPTION(struct settings, kafka.min_insync, "min_insync", "0", "copies that must have a record before it counts; unsaid, most of them"),
    BOOL_OPTION(struct settings, kafka.manage_topics, "manage_topics", "true", "create missing topics, refuse wrong ones"),
    DURATION_OPTION(struct settings, kafka.fetch_wait_ms, "fetch_wait", "100ms", "how long a fetch may wait for data"),
    DURATION_OPTION(struct settings, kafka.session_ms, "session", "6s", "until a silent group member is replaced"),
    TEXT_OPTION(struct settings, kafka.topic_prefix, "topic_prefix", "", "put before every topic's name"),
    OPTIONS_END,
};
static const struct option redis_table[] = {
    TEXT_OPTION(struct settings, redis.host, "host", "127.0.0.1", "address of the server"),
    COUNT_OPTION(struct settings, redis.port, "port", "6379", "port of the server"),
    TEXT_OPTION(struct settings, redis.socket, "socket", "", "path of a Unix socket; wins over host and port"),
    TEXT_OPTION(struct settings, redis.user, "user", "", "user of the server's access list"),
    SECRET_OPTION(struct settings, redis.password_file, "password_file", "", "file with the user's password"),
    TEXT_OPTION(struct settings, redis.prefix, "prefix", "slipway:", "put before every key"),
    OPTIONS_END,
};
static const struct option security_table[] = {
    TEXT_OPTION(struct settings, security.keys, "keys", "keys", "folder with <writer>.key, one for each service"),
    TEXT_OPTION(struct settings, security.producers, "producers", "", "folder with <topic>/<name>.key of those who write acceptance.v1 and alerts.v1"),
    TEXT_OPTION(struct settings, security.tokens, "tokens", "tokens.yaml", "who may speak to the gateway, hashed"),
    TEXT_OPTION(struct settings, security.artifact_key, "artifact_key", "", "public key (PEM) that every artifact must be signed by"),
    TEXT_OPTION(struct settings, security.acceptance_key, "acceptance_key", "", "public key (PEM) that every acceptance report must be signed by"),
    OPTIONS_END,
};
static const struct option gateway_table[] = {
    TEXT_OPTION(struct settings, gateway.listen, "listen", "127.0.0.1:8080", "address and port to listen on"),
    TEXT_OPTION(struct settings, gateway.public_url, "public_url", "http://127.0.0.1:8080", "where people reach it"),
    LIST_OPTION(struct settings, gateway.peers, "peers", "", "all gateways: flags are read back from each"),
    COUNT_OPTION(struct settings, gateway.requests_per_minute, "requests_per_minute", "600", "of one token"),
    COUNT_OPTION(struct settings, gateway.streams_per_token, "streams_per_token", "64", "live updates open at once"),
    OPTIONS_END,
};
static const struct option root_table[] = {
    TEXT_OPTION(struct settings, documents, "documents", "", "where reports are published: a folder or an http(s) address"),
    LIST_OPTION(struct settings, links, "links", "", "addresses below which reports, documents and dashboards may be fetched"),
    OPTIONS_END,
};
/* clang-format on */

/* An absent section is its defaults; where one of its options is required, it is missing. */
static const struct yaml_node *read_section(struct settings_reader *reader,
                                            const struct yaml_node *root,
                                            const char *key,
                                            const struct option *table)
{
    const struct yaml_node *const section = yaml_get(root, key);

    if (section == NULL && table->fallback == NULL)
        (void)yaml_complain(
            reader->problems, root, table->help, "%s.%s is missing", key, table->name);
    else
        (void)options_read(table, section, reader->settings, reader->problems);
    return section;
}

static void read_properties(struct settings_reader *reader, const struct yaml_node *kafka)
{
    struct settings *const settings = reader->settings;
    const struct yaml_node *const node = yaml_get(kafka, "properties");

    if (node == NULL)
        return;
    if (node->kind != YAML_MAPPING || node->count > PROPERTIES_MAX) {
        (void)yaml_complain(reader->problems,
                            node,
                            "names and values of librdkafka",
                            "kafka.properties is no mapping of at most %d entries",
                            PROPERTIES_MAX);
        return;
    }
    settings->kafka.properties =
        arena_alloc(reader->arena, node->count * sizeof *settings->kafka.properties);
    for (size_t i = 0; i < node->count; i++) {
        const char *const name = node->keys[i]->text;

        settings->kafka.properties[settings->kafka.property_count++] =
            pb_pair_new(reader->arena, name, yaml_text(yaml_get(node, name)));
    }
}

static void check_range(struct settings_reader *reader,
                        const struct yaml_node *section,
                        const char *key,
                        uint32_t value,
                        uint32_t max)
{
    const struct yaml_node *const node = yaml_find(section, key);

    if (node != NULL && (value < 1 || value > max))
        (void)yaml_complain(reader->problems,
                            node,
                            arena_printf(reader->arena, "1 to %u", max),
                            "%s is %u",
                            node->path,
                            value);
}

/* hiredis of Debian 12 comes without TLS; an address is no URL in any case. */
static void check_redis(struct settings_reader *reader, const struct yaml_node *redis)
{
    const char *const host = reader->settings->redis.host;
    const bool tls = strncmp(host, "rediss://", 9) == 0;

    if (strstr(host, "://") == NULL)
        return;
    (void)yaml_complain(
        reader->problems,
        yaml_find(redis, "host"),
        tls ? "Slipway speaks no TLS to Redis: let stunnel listen on loopback and name it in "
              "redis.host and redis.port, or use redis.socket"
            : "a name or address alone; redis.port has the port",
        "redis.host is a URL");
}

void read_services(struct settings_reader *reader, const struct yaml_node *root)
{
    struct settings *const settings = reader->settings;
    const struct yaml_node *const kafka = read_section(reader, root, "kafka", kafka_table);
    const struct yaml_node *const redis = read_section(reader, root, "redis", redis_table);
    const struct yaml_node *gateway;

    (void)read_section(reader, root, "security", security_table);
    gateway = read_section(reader, root, "gateway", gateway_table);
    (void)options_read(root_table, root, settings, reader->problems);
    read_properties(reader, kafka);
    check_range(reader, kafka, "partitions", settings->kafka.partitions, PARTITIONS_MAX);
    check_range(reader, kafka, "replication", settings->kafka.replication, COPIES_MAX);
    check_range(
        reader, kafka, "min_insync", settings->kafka.min_insync, settings->kafka.replication);
    if (settings->kafka.min_insync == 0)
        settings->kafka.min_insync = settings->kafka.replication / 2 + 1;
    check_redis(reader, redis);
    check_range(reader, redis, "port", settings->redis.port, PORT_MAX);
    check_range(
        reader, gateway, "requests_per_minute", settings->gateway.requests_per_minute, 1000000);
    if (settings->gateway.peers.count == 0) {
        settings->gateway.peers.items =
            arena_alloc(reader->arena, sizeof *settings->gateway.peers.items);
        settings->gateway.peers.items[0] = settings->gateway.public_url;
        settings->gateway.peers.count = 1;
    }
}
