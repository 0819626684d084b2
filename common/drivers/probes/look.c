#include "common/drivers/probes/look.h"

#include "common/base/text.h"

#include <string.h>

enum { COMMAND_LINE_MAX = 2048 };

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

Pb__Pair **look_values(const struct driver_env *env,
                       const struct probe_order *order,
                       size_t *ret_count)
{
    const size_t params = order->check->n_params;
    Pb__Pair **const values = arena_alloc(env->arena, (params + 3) * sizeof(Pb__Pair *));
    const struct setting_instance *const instance = order->instance;
    size_t count = 0;

    if (instance != NULL) {
        values[count++] = pb_pair_new(env->arena, "instance", instance->name);
        values[count++] = pb_pair_new(env->arena, "url", or_empty(instance->url));
    }
    if (order->target != NULL)
        values[count++] = pb_pair_new(env->arena, "target", order->target->name);
    for (size_t i = 0; i < params; i++)
        values[count++] = order->check->params[i];
    *ret_count = count;
    return values;
}

const char *look_expand(const struct driver_env *env,
                        const struct probe_order *order,
                        const char *text)
{
    size_t count;
    Pb__Pair **const values = look_values(env, order, &count);

    return driver_expand(env->arena, text, values, count);
}

const char *look_param(const struct probe_order *order, const char *name)
{
    return pb_pair(order->check->params, order->check->n_params, name);
}

Pb__Verdict look_unanswered(enum err err)
{
    switch (err) {
    case ERR_UNAVAILABLE: return PB__VERDICT__FAIL;
    case ERR_TIMED_OUT: return PB__VERDICT__INCONCLUSIVE;
    default: return PB__VERDICT__ERROR;
    }
}

/* "Name: value" as a header. False when it is no such text. */
static bool take_header(struct arena *arena, const char *line, struct http_header *ret)
{
    const char *const colon = strchr(line, ':');

    if (colon == NULL || colon == line)
        return false;
    ret->name = arena_copy(arena, line, (size_t)(colon - line));
    ret->value = arena_text(arena, colon + 1 + strspn(colon + 1, " "));
    return true;
}

/* As a person would repeat it. Header values stay out: they may be secrets. */
static const char *repeat_with_curl(const struct driver_env *env,
                                    const struct look_request *request)
{
    char bytes[COMMAND_LINE_MAX];
    struct text line = text_over(bytes, sizeof bytes);

    text_add(&line, "curl -i");
    if (strcmp(request->method, "GET") != 0)
        text_add(&line, " -X %s", request->method);
    if (request->headers != NULL && request->headers->count > 0)
        text_add(&line, " (and %zu headers)", request->headers->count);
    text_add(&line, " '%s'", request->url);
    return arena_text(env->arena, bytes);
}

enum err look_ask(const struct driver_env *env,
                  const struct look_request *request,
                  struct http_response *ret_response,
                  Pb__Finding *ret)
{
    struct http_request call = {
        .method = request->method,
        .url = request->url,
        .body = request->body,
        .body_length = request->body != NULL ? strlen(request->body) : 0,
        .timeout_ms = (int)request->timeout_ms,
        .cancelled = env->stopped,
        .cancelled_self = env->stopped_self,
    };
    const size_t headers = request->headers != NULL ? request->headers->count : 0;
    struct error error = { 0 };
    enum err err;

    ret->evidence = repeat_with_curl(env, request);
    for (size_t i = 0; i < headers; i++) {
        if (call.header_count == HTTP_HEADERS_MAX ||
            !take_header(
                env->arena, request->headers->items[i], &call.headers[call.header_count++])) {
            finding_says(env, ret, PB__VERDICT__ERROR, "header %zu is no 'Name: value'", i + 1);
            return ERR_INVALID;
        }
    }
    err = env->http.perform(env->http.self, env->arena, &call, ret_response, &error);
    if (err != ERR_OK)
        finding_says(env, ret, look_unanswered(err), "no answer: %s", error.text);
    return err;
}
