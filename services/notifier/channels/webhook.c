/* A POST that proves where it comes from, as Standard Webhooks 1.0 asks: the receiver checks
 * the signature, and forgets a notice whose webhook-id it has seen. */
#include "services/notifier/channels/channel.h"

#include "common/base/base64.h"
#include "common/base/json.h"
#include "common/wire/digest.h"
#include "common/wire/envelope.h"

#include <inttypes.h>
#include <string.h>

enum { BODY_MAX = 128 * 1024 };

struct webhook_config {
    const char *url;
    const char *secret_file;
    int64_t timeout_ms;
};

static const struct option webhook_options[] = {
    TEXT_OPTION(struct webhook_config, url, "url", NULL, "receives each notice as JSON"),
    SECRET_OPTION(struct webhook_config,
                  secret_file,
                  "secret_file",
                  NULL,
                  "signing secret, whsec_<base64> or plain"),
    DURATION_OPTION(
        struct webhook_config, timeout_ms, "timeout", "5s", "longest wait for the receiver"),
    OPTIONS_END,
};

static void put_links(struct json *json, const struct notice *notice)
{
    json_put_array(json, "links");
    for (size_t i = 0; i < notice->link_count; i++) {
        json_put_object(json, NULL);
        json_put_text(json, "kind", notice->links[i]->kind);
        json_put_text(json, "title", notice->links[i]->title);
        json_put_text(json, "url", notice->links[i]->url);
        json_end_object(json);
    }
    json_end_array(json);
}

static void put_data(struct json *json, const struct notice *notice)
{
    json_put_object(json, "data");
    json_put_text(json, "id", notice->id);
    json_put_text(json, "what", notice->what);
    json_put_text(json, "purpose", notice->purpose);
    json_put_text(json, "deployment", notice->deployment);
    json_put_text(json, "feature", notice->feature);
    json_put_text(json, "environment", notice->environment);
    json_put_text(json, "title", notice->title);
    json_put_text(json, "text", notice->text);
    json_put_text(json, "ticket", notice->ticket);
    json_put_object(json, "facts");
    for (size_t i = 0; i < notice->fact_count; i++)
        json_put_text(json, notice->facts[i]->key, notice->facts[i]->value);
    json_end_object(json);
    put_links(json, notice);
    json_put_array(json, "roles");
    for (size_t i = 0; i < notice->role_count; i++)
        json_put_text(json, NULL, notice->roles[i]);
    json_end_array(json);
    json_end_object(json);
}

/* {"type","timestamp","data"}, in the arena; NULL when it is too long. */
static const char *body_of(struct arena *arena, const struct notice *notice)
{
    struct text text = text_new(BODY_MAX);
    struct json json = json_into(&text);
    const char *copy = NULL;

    json_put_object(&json, NULL);
    json_put_text(&json, "type", arena_printf(arena, "slipway.%s", notice->purpose));
    json_put_text(&json, "timestamp", envelope_time(arena, notice->at_ms));
    put_data(&json, notice);
    json_end_object(&json);
    if (text_ok(&text))
        copy = arena_text(arena, text.bytes);
    text_release(&text);
    return copy;
}

/* "https://hooks.example": the path of a webhook is often its secret. */
static const char *host_of(struct arena *arena, const char *url)
{
    const char *const slashes = strstr(url, "://");
    const char *const host = slashes != NULL ? slashes + 3 : url;

    return arena_copy(arena, url, (size_t)(host - url) + strcspn(host, "/?#"));
}

/* "v1,<base64>" over "<id>.<seconds>.<body>" */
static const char *signature_of(struct arena *arena,
                                const char *secret,
                                const char *signed_text)
{
    static const char prefix[] = "whsec_";
    unsigned char mac[DIGEST_RAW_SIZE];
    char buffer[64];
    struct text signature = text_over(buffer, sizeof buffer);
    const void *key = secret;
    size_t length = strlen(secret);

    if (strncmp(secret, prefix, sizeof prefix - 1) == 0) {
        const char *const encoded = secret + sizeof prefix - 1;

        key = base64_read(arena, encoded, strlen(encoded), &length);
        if (key == NULL)
            return NULL;
    }
    digest_hmac_plain(key, length, signed_text, strlen(signed_text), mac);
    text_add(&signature, "v1,");
    base64_write(&signature, mac, sizeof mac);
    return arena_text(arena, buffer);
}

static enum err sign(const struct driver_env *env,
                     const struct webhook_config *config,
                     const struct notice *notice,
                     struct http_request *request,
                     struct error *error)
{
    const char *const seconds =
        arena_printf(env->arena, "%" PRId64, clock_now_ms(env->clock) / 1000);
    const char *signature;
    const char *secret;
    enum err err =
        settings_secret(env->arena, driver_path(env, config->secret_file), &secret, error);

    if (err != ERR_OK)
        return err;
    signature =
        signature_of(env->arena,
                     secret,
                     arena_printf(env->arena, "%s.%s.%s", notice->id, seconds, request->body));
    if (signature == NULL)
        return error_set(error, ERR_INVALID, "secret_file holds no base64 after whsec_");
    request->headers[0] = (struct http_header){ "content-type", "application/json" };
    request->headers[1] = (struct http_header){ "webhook-id", notice->id };
    request->headers[2] = (struct http_header){ "webhook-timestamp", seconds };
    request->headers[3] = (struct http_header){ "webhook-signature", signature };
    request->header_count = 4;
    return ERR_OK;
}

static enum err webhook_send(const struct driver_env *env,
                             const void *config,
                             const struct notice *notice,
                             struct delivery_note *ret,
                             struct error *error)
{
    const struct webhook_config *const webhook = config;
    struct http_request request = {
        .method = "POST",
        .url = webhook->url,
        .body = body_of(env->arena, notice),
        .timeout_ms = (int)webhook->timeout_ms,
    };
    struct http_response response = { 0 };
    enum err err;

    if (request.body == NULL)
        return error_set(error, ERR_TOO_LARGE, "the notice is over %d bytes", BODY_MAX);
    request.body_length = strlen(request.body);
    err = sign(env, webhook, notice, &request, error);
    if (err == ERR_OK)
        err = env->http.perform(env->http.self, env->arena, &request, &response, error);
    if (err != ERR_OK)
        return err;
    err = channel_status(response.status);
    ret->retry_after_ms = channel_retry_after_ms(&response);
    if (err != ERR_OK)
        return error_set(error,
                         err,
                         "POST %.200s: status %d %s",
                         host_of(env->arena, webhook->url),
                         response.status,
                         channel_excerpt(env->arena, &response));
    ret->id = notice->id;
    ret->observed = arena_printf(env->arena, "taken with status %d", response.status);
    ret->evidence = arena_printf(env->arena, "webhook-id %s", notice->id);
    return ERR_OK;
}

const struct channel_driver channel_webhook = {
    .name = "webhook",
    .options = webhook_options,
    .config_size = sizeof(struct webhook_config),
    .capabilities = CHANNEL_HAS_KEY,
    .send = webhook_send,
};
