/* Flags that live on control.v1 and are evaluated by the gateways, each from memory. The
 * coordinator has published a value before anybody is asked to set it, so setting writes
 * nothing; reading asks every gateway what it answers users with. */
#include "common/drivers/providers/rows.h"

#include "common/base/text.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

enum { GATEWAYS_MAX = 64 };

struct builtin_config {
    int64_t timeout_ms;
};

static const struct option builtin_options[] = {
    DURATION_OPTION(struct builtin_config,
                    timeout_ms,
                    "timeout",
                    "2s",
                    "longest wait for one gateway's answer"),
    OPTIONS_END,
};

/* What one gateway said. */
struct answer {
    const char *peer;
    bool silent;
    struct flag_value value;
};

static const char *escaped(struct arena *arena, const char *name)
{
    struct text text = text_new(4096);
    const char *copy;

    for (; *name != '\0'; name++) {
        if (isalnum((unsigned char)*name) || strchr("-._~", *name) != NULL)
            text_add_char(&text, *name);
        else
            text_add(&text, "%%%02X", (unsigned)(unsigned char)*name);
    }
    copy = arena_text(arena, text.bytes);
    text_release(&text);
    return copy;
}

static const char *flag_url(struct arena *arena,
                            const char *peer,
                            const char *environment,
                            const char *flag)
{
    const size_t length = strlen(peer);

    return arena_printf(arena,
                        "%.*s/internal/v1/flags/%s/%s",
                        (int)(length > 0 && peer[length - 1] == '/' ? length - 1 : length),
                        peer,
                        escaped(arena, environment),
                        escaped(arena, flag));
}

/* {"percent","audience","sequence","latched","deployment"}; false if it is something else. */
static bool read_value(struct arena *arena, const char *body, struct flag_value *ret)
{
    json_t *const tree = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    const json_t *const percent = json_object_get(tree, "percent");
    const json_t *const sequence = json_object_get(tree, "sequence");
    const json_t *const latched = json_object_get(tree, "latched");
    const bool complete = json_is_integer(percent) && json_integer_value(percent) >= 0 &&
                          json_integer_value(percent) <= 100 && json_is_integer(sequence) &&
                          json_integer_value(sequence) >= 0 && json_is_boolean(latched);

    if (complete) {
        ret->percent = (uint32_t)json_integer_value(percent);
        ret->sequence = (uint64_t)json_integer_value(sequence);
        ret->latched = json_is_true(latched);
        ret->audience = arena_text(arena, json_string_value(json_object_get(tree, "audience")));
        ret->deployment =
            arena_text(arena, json_string_value(json_object_get(tree, "deployment")));
    }
    json_decref(tree);
    return complete;
}

/* 404: the gateway knows no such flag, so it answers "off". Anything else that is not the
 * flag's value is silence. */
static bool read_response(struct arena *arena,
                          const struct http_response *response,
                          struct flag_value *ret)
{
    *ret = (struct flag_value){ .audience = "", .deployment = "" };
    if (response->status == 404)
        return true;
    return response->status == 200 && read_value(arena, response->body, ret);
}

static enum err ask(const struct driver_env *env,
                    const struct builtin_config *config,
                    const char *url,
                    struct http_response *ret,
                    struct error *error)
{
    const struct http_request request = {
        .method = "GET",
        .url = url,
        .timeout_ms = (int)config->timeout_ms,
        .cancelled = env->stopped,
        .cancelled_self = env->stopped_self,
    };

    return env->http.perform(env->http.self, env->arena, &request, ret, error);
}

static bool same_value(const struct flag_value *a, const struct flag_value *b)
{
    return a->percent == b->percent && a->sequence == b->sequence && a->latched == b->latched &&
           pb_same(a->audience, b->audience) && pb_same(a->deployment, b->deployment);
}

/* The answer that most gateways give; the first of those equally often. */
static size_t most_common(const struct answer *answers, size_t count, unsigned *ret_agree)
{
    size_t best = 0;

    *ret_agree = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned agree = 0;

        for (size_t k = 0; k < count && !answers[i].silent; k++)
            agree += !answers[k].silent && same_value(&answers[i].value, &answers[k].value);
        if (agree > *ret_agree) {
            *ret_agree = agree;
            best = i;
        }
    }
    return best;
}

/* "gateway-2:8080" */
static const char *peer_name(struct arena *arena, const char *url)
{
    const char *const slashes = strstr(url, "://");
    const char *const host = slashes != NULL ? slashes + 3 : url;

    return arena_copy(arena, host, strcspn(host, "/"));
}

static const char *other_answers(struct arena *arena,
                                 const struct answer *answers,
                                 size_t count,
                                 const struct flag_value *common)
{
    const char *all = "";

    for (size_t i = 0; i < count; i++) {
        const struct answer *const answer = &answers[i];
        const char *const comma = all[0] != '\0' ? ", " : "";

        if (answer->silent)
            all = arena_printf(
                arena, "%s%s%s silent", all, comma, peer_name(arena, answer->peer));
        else if (!same_value(&answer->value, common))
            all = arena_printf(arena,
                               "%s%s%s: %u %%%s",
                               all,
                               comma,
                               peer_name(arena, answer->peer),
                               answer->value.percent,
                               answer->value.latched ? " latched" : "");
    }
    return all;
}

static enum err builtin_set(const struct driver_env *env,
                            const void *config,
                            const Pb__FlagSpec *flag,
                            const char *environment,
                            const struct flag_value *wanted,
                            struct error *error)
{
    (void)env;
    (void)config;
    (void)flag;
    (void)environment;
    (void)wanted;
    (void)error;
    return ERR_OK;
}

static enum err peers_of(const struct driver_env *env,
                         const struct option_texts **ret,
                         struct error *error)
{
    const struct option_texts *const peers = &env->settings->gateway.peers;

    if (peers->count == 0 || peers->count > GATEWAYS_MAX)
        return error_set(error,
                         ERR_INVALID,
                         "gateway.peers names %zu gateways; 1 to %d are needed",
                         peers->count,
                         GATEWAYS_MAX);
    *ret = peers;
    return ERR_OK;
}

/* Asks one after the other; a caller in a hurry stops it, and the rest counts as silent. */
static enum err builtin_read(const struct driver_env *env,
                             const void *config,
                             const Pb__FlagSpec *flag,
                             const char *environment,
                             struct flag_reading *ret,
                             struct error *error)
{
    struct answer answers[GATEWAYS_MAX];
    const struct option_texts *peers = NULL;
    const enum err err = peers_of(env, &peers, error);
    struct flag_reading reading = { 0 };
    size_t common;

    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < peers->count; i++) {
        const char *const url = flag_url(env->arena, peers->items[i], environment, flag->key);
        struct http_response response = { 0 };
        struct error why = { 0 };

        answers[i] = (struct answer){ .peer = peers->items[i] };
        answers[i].silent = driver_stopped(env) ||
                            ask(env, config, url, &response, &why) != ERR_OK ||
                            !read_response(env->arena, &response, &answers[i].value);
        reading.silent += answers[i].silent;
        if (response.took_ms > reading.slowest_ms)
            reading.slowest_ms = response.took_ms;
        reading.evidence = arena_printf(env->arena, "GET %s", url);
    }
    reading.of = (unsigned)peers->count;
    common = most_common(answers, peers->count, &reading.agree);
    reading.value = answers[common].value;
    reading.disagree = other_answers(env->arena, answers, peers->count, &reading.value);
    *ret = reading;
    if (reading.silent == reading.of)
        return error_set(error,
                         ERR_UNAVAILABLE,
                         "no gateway of %u answers: %s",
                         reading.of,
                         reading.disagree);
    return ERR_OK;
}

/* Every gateway must answer: one that is silent now could not be read back later. */
static enum err builtin_available(const struct driver_env *env,
                                  const void *config,
                                  struct error *error)
{
    const struct option_texts *peers = NULL;
    enum err err = peers_of(env, &peers, error);

    for (size_t i = 0; err == ERR_OK && i < peers->count; i++) {
        const char *const url = flag_url(env->arena, peers->items[i], "-", "-");
        struct http_response response = { 0 };
        struct flag_value value;

        err = ask(env, config, url, &response, error);
        if (err == ERR_OK && !read_response(env->arena, &response, &value))
            err = error_set(error, ERR_UNAVAILABLE, "GET %s: status %d", url, response.status);
    }
    return err;
}

const struct provider_driver provider_builtin = {
    .name = "builtin",
    .options = builtin_options,
    .config_size = sizeof(struct builtin_config),
    .set = builtin_set,
    .read = builtin_read,
    .available = builtin_available,
};
