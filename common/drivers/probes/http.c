#include "common/base/text.h"
#include "common/drivers/probes/json_path.h"
#include "common/drivers/probes/look.h"
#include "common/drivers/probes/rows.h"

#include <inttypes.h>
#include <string.h>

struct http_probe {
    const char *target;
    const char *method;
    const char *url;
    struct option_texts headers;
    const char *send;
    uint32_t status;
    const char *body;
    const char *json;
    const char *equals;
    int64_t max_latency_ms;
    int64_t timeout_ms;
    int64_t settle_ms;
};

/* clang-format off */
static const struct option http_options[] = {
    TEXT_OPTION(struct http_probe, target, "target", "", "whose instances are asked; absent: url is asked once"),
    TEXT_OPTION(struct http_probe, method, "method", "GET", "of the request"),
    TEXT_OPTION(struct http_probe, url, "url", NULL, "{url}, {instance}, {target} and the check's params are replaced"),
    LIST_OPTION(struct http_probe, headers, "headers", "", "each \"Name: value\""),
    TEXT_OPTION(struct http_probe, send, "send", "", "body of the request"),
    COUNT_OPTION(struct http_probe, status, "status", "0", "wanted status; 0: any from 200 to 299"),
    TEXT_OPTION(struct http_probe, body, "body", "", "text that must stand in the answer"),
    TEXT_OPTION(struct http_probe, json, "json", "", "place in a JSON answer: status.checks.0.name"),
    TEXT_OPTION(struct http_probe, equals, "equals", "", "what stands at that place"),
    DURATION_OPTION(struct http_probe, max_latency_ms, "max_latency", "0s", "slower answers fail; 0: no limit"),
    DURATION_OPTION(struct http_probe, timeout_ms, "timeout", "5s", "of the whole request"),
    DURATION_OPTION(struct http_probe, settle_ms, "settle", "0s", "how long a worker keeps looking for a PASS"),
    OPTIONS_END,
};
/* clang-format on */

static const char *wanted_of(const struct driver_env *env, const struct http_probe *probe)
{
    char bytes[LOOK_TEXT_MAX];
    struct text text = text_over(bytes, sizeof bytes);

    if (probe->status == 0)
        text_add(&text, "status 2xx");
    else
        text_add(&text, "status %u", probe->status);
    if (probe->body[0] != '\0')
        text_add(&text, ", '%.100s' in the answer", probe->body);
    if (probe->json[0] != '\0')
        text_add(&text, ", %.100s is '%.60s'", probe->json, probe->equals);
    if (probe->max_latency_ms > 0)
        text_add(&text, ", within %" PRId64 " ms", probe->max_latency_ms);
    return driver_excerpt(env->arena, bytes, strlen(bytes), LOOK_TEXT_MAX);
}

static bool status_fits(uint32_t wanted, int status)
{
    return wanted == 0 ? status / 100 == 2 : (int)wanted == status;
}

static void judge(const struct driver_env *env,
                  const struct http_probe *probe,
                  const struct http_response *response,
                  Pb__Finding *ret)
{
    const char *found;

    if (!status_fits(probe->status, response->status)) {
        finding_says(env,
                     ret,
                     PB__VERDICT__FAIL,
                     "HTTP status %d: %s",
                     response->status,
                     driver_excerpt(
                         env->arena, response->body, response->body_length, LOOK_EXCERPT_MAX));
        return;
    }
    if (probe->body[0] != '\0' && strstr(response->body, probe->body) == NULL) {
        finding_says(env,
                     ret,
                     PB__VERDICT__FAIL,
                     "HTTP status %d, but the answer is: %s",
                     response->status,
                     driver_excerpt(
                         env->arena, response->body, response->body_length, LOOK_EXCERPT_MAX));
        return;
    }
    if (probe->json[0] != '\0') {
        found = json_path_text(env->arena, response->body, response->body_length, probe->json);
        if (found == NULL || strcmp(found, probe->equals) != 0) {
            finding_says(env,
                         ret,
                         PB__VERDICT__FAIL,
                         "%s is %s",
                         probe->json,
                         found != NULL ? found : "not in the answer");
            return;
        }
    }
    finding_says(env,
                 ret,
                 probe->max_latency_ms > 0 && response->took_ms > probe->max_latency_ms
                     ? PB__VERDICT__FAIL
                     : PB__VERDICT__PASS,
                 "HTTP status %d in %" PRId64 " ms",
                 response->status,
                 response->took_ms);
}

static void http_look(const struct driver_env *env,
                      const struct probe_order *order,
                      Pb__Finding *ret)
{
    const struct http_probe *const probe = order->config;
    const struct look_request request = {
        .method = probe->method,
        .url = look_expand(env, order, probe->url),
        .headers = &probe->headers,
        .body = probe->send[0] != '\0' ? look_expand(env, order, probe->send) : NULL,
        .timeout_ms = probe->timeout_ms,
    };
    struct http_response response = { 0 };

    ret->wanted = wanted_of(env, probe);
    if (look_ask(env, &request, &response, ret) == ERR_OK)
        judge(env, probe, &response, ret);
}

const struct probe_driver probe_http = {
    .name = "http",
    .options = http_options,
    .config_size = sizeof(struct http_probe),
    .per_instance = true,
    .look = http_look,
};
