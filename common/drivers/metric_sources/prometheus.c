#include "common/base/text.h"
#include "common/drivers/metric_sources/exposition.h"
#include "common/drivers/metric_sources/rows.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FORM_MAX = 64 * 1024 };

struct prometheus_config {
    const char *url;
    const char *token_file;
    int64_t timeout_ms;
    int64_t max_age_ms;
};

/* clang-format off */
static const struct option prometheus_options[] = {
    TEXT_OPTION(struct prometheus_config, url, "url", NULL, "of the server, without /api/v1"),
    SECRET_OPTION(struct prometheus_config, token_file, "token_file", "", "bearer token, if it asks for one"),
    DURATION_OPTION(struct prometheus_config, timeout_ms, "timeout", "5s", "of one query"),
    DURATION_OPTION(struct prometheus_config, max_age_ms, "max_age", "5m", "older answers are no data"),
    OPTIONS_END,
};
/* clang-format on */

static void add_encoded(struct text *out, const char *value)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

    for (; *value != '\0'; value++) {
        if (strchr(plain, *value) != NULL)
            text_add_char(out, *value);
        else
            text_add(out, "%%%02X", (unsigned)(unsigned char)*value);
    }
}

static enum err add_token(const struct driver_env *env,
                          const struct prometheus_config *config,
                          struct http_request *request,
                          struct error *error)
{
    const char *token = NULL;
    enum err err;

    if (config->token_file == NULL || config->token_file[0] == '\0')
        return ERR_OK;
    err = settings_secret(env->arena, driver_path(env, config->token_file), &token, error);
    if (err == ERR_OK)
        request->headers[request->header_count++] =
            (struct http_header){ "Authorization",
                                  arena_printf(env->arena, "Bearer %s", token) };
    return err;
}

/* Fills request; the form is a POST so that a long query meets no limit of URLs. */
static enum err make_request(const struct driver_env *env,
                             const struct prometheus_config *config,
                             const char *query,
                             struct http_request *request,
                             struct error *error)
{
    struct text form = text_new(FORM_MAX);
    enum err err = ERR_OK;

    text_add(&form, "query=");
    add_encoded(&form, query);
    text_add(&form, "&timeout=%lldms", (long long)config->timeout_ms);
    *request = (struct http_request){
        .method = "POST",
        .url = arena_printf(env->arena, "%s/api/v1/query", config->url),
        .headers = { { "Content-Type", "application/x-www-form-urlencoded" },
                     { "Accept", "application/json" } },
        .header_count = 2,
        .body = arena_copy(env->arena, form.bytes, form.length),
        .body_length = form.length,
        .timeout_ms = (int)config->timeout_ms,
        .cancelled = env->stopped,
        .cancelled_self = env->stopped_self,
    };
    if (!text_ok(&form))
        err = error_set(error, ERR_INVALID, "the query is longer than %d bytes", FORM_MAX);
    text_release(&form);
    return err == ERR_OK ? add_token(env, config, request, error) : err;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *const text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

/* What an answer that is not "success" says about who is to blame. */
static enum err refusal(const json_t *root, int status, struct error *error)
{
    static const struct {
        const char *type;
        enum err err;
    } known[] = {
        { "bad_data", ERR_INVALID },       { "execution", ERR_INVALID },
        { "timeout", ERR_TIMED_OUT },      { "canceled", ERR_TIMED_OUT },
        { "not_acceptable", ERR_INVALID },
    };
    const char *const type = text_of(root, "errorType");
    enum err err = status == 401 || status == 403 ? ERR_DENIED : ERR_UNAVAILABLE;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].type, type) == 0)
            err = known[i].err;
    }
    return error_set(
        error, err, "HTTP status %d, %s: %.300s", status, type, text_of(root, "error"));
}

/* [unix seconds, "value"] */
static enum err read_pair(const json_t *pair,
                          double *ret,
                          int64_t *ret_at_ms,
                          struct error *error)
{
    const json_t *const at = json_array_get(pair, 0);
    const char *const value = json_string_value(json_array_get(pair, 1));

    if (json_array_size(pair) != 2 || !json_is_number(at) || value == NULL)
        return error_set(error, ERR_UNAVAILABLE, "a sample is not [time, \"value\"]");
    if (!exposition_number(value, ret))
        return error_set(error, ERR_UNAVAILABLE, "a value is '%.40s'", value);
    if (!isfinite(*ret))
        return error_set(error, ERR_NOT_FOUND, "the value is %.10s", value);
    if (!(fabs(json_number_value(at)) < 1e12))
        return error_set(error, ERR_UNAVAILABLE, "a time is out of range");
    *ret_at_ms = (int64_t)(json_number_value(at) * 1000);
    return ERR_OK;
}

static enum err read_data(const json_t *data,
                          double *ret,
                          int64_t *ret_at_ms,
                          struct error *error)
{
    const char *const type = text_of(data, "resultType");
    const json_t *const result = json_object_get(data, "result");
    const json_t *value;

    if (strcmp(type, "scalar") == 0)
        return read_pair(result, ret, ret_at_ms, error);
    if (strcmp(type, "vector") != 0 || !json_is_array(result))
        return error_set(error, ERR_INVALID, "the query answers a %.20s, not one number", type);
    if (json_array_size(result) == 0)
        return error_set(error, ERR_NOT_FOUND, "the result is empty");
    if (json_array_size(result) > 1)
        return error_set(error,
                         ERR_INVALID,
                         "the query answers %zu series, not one number: aggregate them",
                         json_array_size(result));
    value = json_object_get(json_array_get(result, 0), "value");
    if (value == NULL)
        return error_set(error, ERR_INVALID, "the query answers a histogram, not one number");
    return read_pair(value, ret, ret_at_ms, error);
}

static enum err read_root(
    const json_t *root, int status, double *ret, int64_t *ret_at_ms, struct error *error)
{
    const json_t *const warnings = json_object_get(root, "warnings");

    if (status / 100 != 2 || strcmp(text_of(root, "status"), "success") != 0)
        return refusal(root, status, error);
    if (json_array_size(warnings) > 0) {
        const char *const first = json_string_value(json_array_get(warnings, 0));

        return error_set(
            error, ERR_CONFLICT, "answered with a warning: %.300s", first ? first : "?");
    }
    return read_data(json_object_get(root, "data"), ret, ret_at_ms, error);
}

static enum err read_response(const struct http_response *response,
                              double *ret,
                              int64_t *ret_at_ms,
                              struct error *error)
{
    json_error_t where;
    json_t *const root =
        json_loadb(response->body, response->body_length, JSON_REJECT_DUPLICATES, &where);
    enum err err;

    /* A proxy in between answers with a page of its own. */
    if (!json_is_object(root))
        err = error_set(error,
                        response->status == 401 || response->status == 403 ? ERR_DENIED
                                                                           : ERR_UNAVAILABLE,
                        "HTTP status %d with a body that is no JSON object",
                        response->status);
    else
        err = read_root(root, response->status, ret, ret_at_ms, error);
    json_decref(root);
    return err;
}

static enum err prometheus_query(const struct driver_env *env,
                                 const struct metric_query *query,
                                 struct metric_sample *ret,
                                 struct error *error)
{
    const struct prometheus_config *const config = query->config;
    const int64_t now_ms = clock_now_ms(env->clock);
    struct http_request request;
    struct http_response response = { 0 };
    double value = 0;
    int64_t at_ms = 0;
    enum err err = make_request(env, config, query->text, &request, error);

    if (err != ERR_OK)
        return err;
    err = env->http.perform(env->http.self, env->arena, &request, &response, error);
    if (err == ERR_OK)
        err = read_response(&response, &value, &at_ms, error);
    if (err != ERR_OK)
        return error_wrap(error, err, "POST %s", request.url);
    if (llabs(now_ms - at_ms) > config->max_age_ms)
        return error_set(error,
                         ERR_NOT_FOUND,
                         "the answer is %lld s away from now",
                         (long long)((now_ms - at_ms) / 1000));
    if (!metric_micro(value, &ret->value_micro))
        return error_set(error, ERR_NOT_FOUND, "the value does not fit");
    ret->at_ms = at_ms;
    ret->evidence = arena_printf(env->arena,
                                 "curl %s/api/v1/query --data-urlencode 'query=%s'",
                                 config->url,
                                 query->text);
    return ERR_OK;
}

static size_t count_rules(const json_t *groups, const char *name)
{
    size_t count = 0;

    for (size_t g = 0; g < json_array_size(groups); g++) {
        const json_t *const rules = json_object_get(json_array_get(groups, g), "rules");

        for (size_t r = 0; r < json_array_size(rules); r++) {
            const json_t *const rule = json_array_get(rules, r);

            count += (name == NULL || strcmp(text_of(rule, "name"), name) == 0) &&
                     strcmp(text_of(rule, "type"), "alerting") == 0 &&
                     strcmp(text_of(rule, "health"), "err") != 0;
        }
    }
    return count;
}

static enum err prometheus_alert_rules(const struct driver_env *env,
                                       const void *options,
                                       const char *name,
                                       size_t *ret_count,
                                       struct error *error)
{
    const struct prometheus_config *const config = options;
    struct http_request request = {
        .method = "GET",
        .url = arena_printf(env->arena, "%s/api/v1/rules?type=alert", config->url),
        .timeout_ms = (int)config->timeout_ms,
        .cancelled = env->stopped,
        .cancelled_self = env->stopped_self,
    };
    struct http_response response = { 0 };
    json_t *root;
    enum err err = add_token(env, config, &request, error);

    if (err == ERR_OK)
        err = env->http.perform(env->http.self, env->arena, &request, &response, error);
    if (err != ERR_OK)
        return error_wrap(error, err, "GET %s", request.url);
    root = json_loadb(response.body, response.body_length, JSON_REJECT_DUPLICATES, NULL);
    if (response.status / 100 != 2 || strcmp(text_of(root, "status"), "success") != 0)
        err = refusal(root, response.status, error);
    else
        *ret_count =
            count_rules(json_object_get(json_object_get(root, "data"), "groups"), name);
    json_decref(root);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "GET %s", request.url);
}

const struct metric_source_driver metric_source_prometheus = {
    .name = "prometheus",
    .options = prometheus_options,
    .config_size = sizeof(struct prometheus_config),
    .query = prometheus_query,
    .alert_rules = prometheus_alert_rules,
};
