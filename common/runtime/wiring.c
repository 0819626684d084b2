#include "common/runtime/wiring.h"

#include "common/adapters/curl/curl.h"
#include "common/adapters/httpd/httpd.h"
#include "common/adapters/kafka/kafka.h"
#include "common/adapters/memory/store.h"
#include "common/adapters/posix/posix.h"
#include "common/adapters/redis/redis.h"

#include <string.h>

enum { PROPERTIES_MAX = 64, SECRET_MEMORY = 64 * 1024 };

enum err wiring_start(struct error *error)
{
    return curl_start(error);
}

void wiring_stop(void)
{
    curl_stop();
}

struct clock_port wiring_clock(void)
{
    return posix_clock();
}

struct process_runner wiring_process(void)
{
    return posix_process_runner();
}

enum err wiring_http(struct http_client *ret, struct error *error)
{
    return curl_open(ret, error);
}

enum err wiring_bus(const struct settings *settings,
                    const char *client_id,
                    struct bus *ret,
                    struct error *error)
{
    struct kafka_property properties[PROPERTIES_MAX];
    const struct kafka_options options = {
        .brokers = settings->kafka.brokers,
        .client_id = client_id,
        .fetch_wait_ms = settings->kafka.fetch_wait_ms,
        .session_ms = settings->kafka.session_ms,
        .replication = settings->kafka.replication,
        .min_insync = settings->kafka.min_insync,
        .topic_prefix = settings->kafka.topic_prefix,
        .properties = properties,
        .property_count = settings->kafka.property_count,
    };

    if (settings->kafka.property_count > PROPERTIES_MAX)
        return error_set(error, ERR_INVALID, "kafka.properties: more than %d", PROPERTIES_MAX);
    for (size_t i = 0; i < settings->kafka.property_count; i++)
        properties[i] = (struct kafka_property){ settings->kafka.properties[i]->key,
                                                 settings->kafka.properties[i]->value };
    return kafka_bus_open(&options, ret, error);
}

enum err wiring_store(const struct settings *settings, struct store *ret, struct error *error)
{
    struct arena arena = arena_with_limit(SECRET_MEMORY);
    const char *const file = settings->redis.password_file;
    struct redis_options options = {
        .host = settings->redis.host,
        .port = (int)settings->redis.port,
        .socket = settings->redis.socket,
        .user = settings->redis.user,
    };
    enum err err = ERR_OK;

    if (file != NULL && file[0] != '\0')
        err = settings_secret(
            &arena, settings_path(settings, &arena, file), &options.password, error);
    if (err == ERR_OK)
        err = redis_store_open(&options, ret, error);
    arena_release(&arena);
    return err;
}

struct store wiring_aside(void)
{
    return memory_store_alone(posix_clock());
}

/* --- web --- */

enum err wiring_web_open(const char *listen,
                         struct web_handler handler,
                         struct wiring_web *ret,
                         struct error *error)
{
    const struct httpd_options options = { .listen = listen, .handler = handler };
    struct httpd *httpd = NULL;
    const enum err err = httpd_open(&options, &httpd, error);

    if (err != ERR_OK)
        return err;
    *ret = (struct wiring_web){ .self = httpd,
                                .server = httpd_server(httpd),
                                .address = httpd_address(httpd) };
    return ERR_OK;
}

void wiring_web_stop(struct wiring_web *web)
{
    if (web->self != NULL)
        httpd_stop(web->self);
}

void wiring_web_close(struct wiring_web *web)
{
    httpd_close(web->self);
    *web = (struct wiring_web){ 0 };
}
