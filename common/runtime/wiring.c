#include "common/runtime/wiring.h"

#include "common/adapters/curl/curl.h"
#include "common/adapters/httpd/httpd.h"
#include "common/adapters/kafka/kafka.h"
#include "common/adapters/memory/store.h"
#include "common/adapters/posix/posix.h"
#include "common/adapters/redis/redis.h"

#include <string.h>

enum { PROPERTIES_MAX = 64, SECRET_MEMORY = 64 * 1024, KEY_BYTES_MIN = 16 };

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

/* --- keys --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hex of even length is taken as bytes; anything else as it stands. */
static size_t decode_key(const char *text, size_t length, unsigned char key[ENVELOPE_KEY_MAX])
{
    const bool hex = length % 2 == 0 && strspn(text, "0123456789abcdef") >= length;
    const size_t bytes = hex ? length / 2 : length;

    if (bytes > ENVELOPE_KEY_MAX)
        return 0;
    for (size_t i = 0; i < bytes; i++)
        key[i] = hex ? (unsigned char)(hex_digit(text[2 * i]) * 16 + hex_digit(text[2 * i + 1]))
                     : (unsigned char)text[i];
    return bytes;
}

/* One key a line: the first is written with, the others are still believed. */
static enum err add_keys(const char *text,
                         const char *writer,
                         struct envelope_keys *keys,
                         struct error *error)
{
    size_t each = 0;

    while (*text != '\0') {
        const size_t length = strcspn(text, "\r\n");
        const size_t place = keys->count;

        if (length > 0 && each++ == ENVELOPE_KEYS_EACH_MAX)
            return error_set(
                error, ERR_INVALID, "more than %d keys, one a line", ENVELOPE_KEYS_EACH_MAX);
        if (length > 0) {
            keys->item[place].length = decode_key(text, length, keys->item[place].key);
            memcpy(keys->item[place].writer, writer, strlen(writer) + 1);
            if (keys->item[place].length < KEY_BYTES_MIN)
                return error_set(
                    error,
                    ERR_INVALID,
                    "a key has %d to %d bytes; make one with: openssl rand -hex 32",
                    KEY_BYTES_MIN,
                    ENVELOPE_KEY_MAX);
            keys->count++;
        }
        text += length + strspn(text + length, "\r\n");
    }
    return each > 0 ? ERR_OK : error_set(error, ERR_INVALID, "there is no key in it");
}

static enum err read_keys(const struct settings *settings,
                          const char *writer,
                          struct envelope_keys *keys,
                          struct error *error)
{
    struct arena arena = arena_with_limit(SECRET_MEMORY);
    const char *const path = arena_printf(
        &arena, "%s/%s.key", settings_path(settings, &arena, settings->security.keys), writer);
    const char *text = NULL;
    enum err err = settings_secret(&arena, path, &text, error);

    if (err == ERR_OK) {
        err = add_keys(text, writer, keys, error);
        if (err != ERR_OK)
            (void)error_wrap(error, err, "%s", path);
    }
    arena_release(&arena);
    return err;
}

enum err wiring_keys(const struct settings *settings,
                     const char *own,
                     struct envelope_keys *ret,
                     struct error *error)
{
    static const char *const writers[] = { "coordinator",  "prechecks", "executor", "validator",
                                           "flag-rollout", "monitor",   "notifier", "gateway" };

    *ret = (struct envelope_keys){ 0 };
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        const enum err err = read_keys(settings, writers[i], ret, error);

        /* A service may lack the keys of writers it never has to believe. */
        if (err == ERR_NOT_FOUND && strcmp(writers[i], own) != 0)
            continue;
        if (err != ERR_OK)
            return error_wrap(error, err, "key of %s", writers[i]);
    }
    return ERR_OK;
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
