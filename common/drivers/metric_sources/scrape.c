#include "common/drivers/metric_sources/rows.h"
#include "common/drivers/metric_sources/selector.h"

#include <string.h>

enum { PAGE_ROOM = 4 * HTTP_BODY_MAX };

struct scrape_config {
    const char *target;
    const char *path;
    int64_t timeout_ms;
    int64_t max_age_ms;
};

/* clang-format off */
static const struct option scrape_options[] = {
    TEXT_OPTION(struct scrape_config, target, "target", NULL, "whose instances are read; each of them must answer"),
    TEXT_OPTION(struct scrape_config, path, "path", "/metrics", "of the page below each instance's url"),
    DURATION_OPTION(struct scrape_config, timeout_ms, "timeout", "5s", "of one page"),
    DURATION_OPTION(struct scrape_config, max_age_ms, "max_age", "5m", "samples that carry an older time are no data"),
    OPTIONS_END,
};
/* clang-format on */

/* The format by its Content-Type; a page that has none is taken for text 0.0.4. */
static enum err page_of(const struct http_response *response,
                        struct exposition_page *ret,
                        struct error *error)
{
    const char *const type = http_header(response, "content-type");

    *ret = (struct exposition_page){ .bytes = response->body, .length = response->body_length };
    if (response->status != 200)
        return error_set(error, ERR_UNAVAILABLE, "HTTP status %d", response->status);
    if (type == NULL || strncmp(type, "text/plain", 10) == 0)
        return ERR_OK;
    ret->openmetrics = strncmp(type, "application/openmetrics-text", 28) == 0;
    return ret->openmetrics ? ERR_OK
                            : error_set(error, ERR_UNAVAILABLE, "a page of type %.80s", type);
}

/* A page lives only while it is read: many instances with large pages need the room of one. */
static enum err read_page(const struct driver_env *env,
                          const struct scrape_config *config,
                          const char *url,
                          struct selector_sum *sum,
                          struct error *error)
{
    const struct http_request request = {
        .method = "GET",
        .url = url,
        .headers = { { "Accept",
                       "application/openmetrics-text;version=1.0.0,"
                       "text/plain;version=0.0.4;q=0.5" } },
        .header_count = 1,
        .timeout_ms = (int)config->timeout_ms,
        .cancelled = env->stopped,
        .cancelled_self = env->stopped_self,
    };
    struct arena arena = arena_with_limit(PAGE_ROOM);
    struct http_response response = { 0 };
    struct exposition_page page;
    enum err err = env->http.perform(env->http.self, &arena, &request, &response, error);

    if (err == ERR_OK)
        err = page_of(&response, &page, error);
    if (err == ERR_OK)
        err = exposition_read(&page, selector_visit, sum, error);
    /* The query was understood before: whatever is invalid now is the page. */
    if (err == ERR_INVALID || err == ERR_TOO_LARGE)
        err = ERR_UNAVAILABLE;
    arena_release(&arena);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "GET %s", url);
}

static enum err read_pages(const struct driver_env *env,
                           const struct setting_target *target,
                           const struct scrape_config *config,
                           struct selector_sum *sum,
                           struct error *error)
{
    for (size_t i = 0; i < target->instance_count; i++) {
        const struct setting_instance *const instance = &target->instances[i];
        enum err err;

        if (instance->url[0] == '\0')
            return error_set(error, ERR_INVALID, "%s has no url", instance->name);
        if (driver_stopped(env))
            return error_set(error, ERR_UNAVAILABLE, "stopped");
        selector_sum_page(sum, instance->name);
        err = read_page(env,
                        config,
                        arena_printf(env->arena, "%s%s", instance->url, config->path),
                        sum,
                        error);
        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

static const char *evidence_of(const struct driver_env *env,
                               const struct setting_target *target,
                               const char *path,
                               const char *query)
{
    const char *const more =
        target->instance_count < 2
            ? ""
            : arena_printf(env->arena, " and %zu more", target->instance_count - 1);

    return arena_printf(
        env->arena, "GET %s%s%s: %s", target->instances[0].url, path, more, query);
}

static enum err scrape_query(const struct driver_env *env,
                             const struct metric_query *query,
                             struct metric_sample *ret,
                             struct error *error)
{
    const struct scrape_config *const config = query->config;
    const struct setting_target *const target = settings_target(env->settings, config->target);
    const int64_t now_ms = clock_now_ms(env->clock);
    struct selector_query terms;
    struct selector_sum sum = { .query = &terms, .memory = query->memory };
    double value = 0;
    enum err err = selector_parse(env->arena, query->text, &terms, error);

    if (err != ERR_OK)
        return err;
    if (target == NULL || target->instance_count == 0)
        return error_set(
            error, ERR_INVALID, "target '%s' has no instances to read", config->target);
    err = read_pages(env, target, config, &sum, error);
    if (err == ERR_OK)
        err = selector_result(&sum, &value, error);
    if (err != ERR_OK)
        return err;
    if (sum.oldest_ms != 0 && now_ms - sum.oldest_ms > config->max_age_ms)
        return error_set(error,
                         ERR_NOT_FOUND,
                         "a sample is %lld s old",
                         (long long)((now_ms - sum.oldest_ms) / 1000));
    if (!metric_micro(value, &ret->value_micro))
        return error_set(error, ERR_NOT_FOUND, "the value is not a finite, countable number");
    ret->at_ms = now_ms;
    ret->evidence = evidence_of(env, target, config->path, query->text);
    return ERR_OK;
}

const struct metric_source_driver metric_source_scrape = {
    .name = "scrape",
    .options = scrape_options,
    .config_size = sizeof(struct scrape_config),
    .query = scrape_query,
};
