#include "services/notifier/channels/channel.h"

#include "common/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { RETRY_AFTER_MAX_S = 3600, EXCERPT_MAX = 160, NOTICE_TEXT_MAX = 64 * 1024 };

const struct channel_driver *const *channel_all(void)
{
    static const struct channel_driver *const rows[] = {
#define CHANNEL(symbol, ...) &channel_##symbol,
#include "common/config/drivers.def"
        NULL,
    };

    return rows;
}

const struct channel_driver *channel_find(const char *name)
{
    for (const struct channel_driver *const *row = channel_all(); *row != NULL; row++) {
        if (strcmp((*row)->name, name) == 0)
            return *row;
    }
    return NULL;
}

void channels_check(struct arena *arena,
                    const struct settings *settings,
                    struct yaml_problems *problems)
{
    for (size_t i = 0; i < settings->channel_count; i++) {
        const struct setting_driver *const setting = &settings->channels[i];
        const struct channel_driver *const driver = channel_find(setting->driver);

        if (driver == NULL)
            (void)yaml_complain(problems,
                                setting->options,
                                "",
                                "channel %s: there is no driver '%s'",
                                setting->name,
                                setting->driver);
        else
            (void)driver_config(
                arena, driver->options, driver->config_size, setting->options, problems);
        yaml_complain_unused(problems, setting->options);
    }
}

enum err channel_send(const struct driver_env *env,
                      const char *channel,
                      const struct notice *notice,
                      const struct channel_driver **ret_driver,
                      struct delivery_note *ret,
                      struct error *error)
{
    const struct setting_driver *const setting = settings_channel(env->settings, channel);
    const struct channel_driver *const driver =
        setting != NULL ? channel_find(setting->driver) : NULL;
    struct yaml_problems *problems;
    const void *config;
    enum err err;

    if (driver == NULL)
        return error_set(
            error, ERR_INVALID, "channel '%.100s' is not configured here", channel);
    if (ret_driver != NULL)
        *ret_driver = driver;
    problems = arena_alloc(env->arena, sizeof *problems);
    problems->arena = env->arena;
    config = driver_config(
        env->arena, driver->options, driver->config_size, setting->options, problems);
    if (config == NULL)
        return error_set(error,
                         ERR_INVALID,
                         "channel %s: %s",
                         channel,
                         problems->count > 0 ? problems->item[0].message : "wrong options");
    *ret = (struct delivery_note){ .id = "", .link = "", .observed = "", .evidence = "" };
    err = driver->send(env, config, notice, ret, error);
    return err == ERR_OK ? err : error_wrap(error, err, "channel %s", channel);
}

enum err channel_status(int status)
{
    if (status >= 200 && status < 300)
        return ERR_OK;
    if (status == 408 || status == 425 || status == 429 || status >= 500)
        return ERR_UNAVAILABLE;
    if (status == 401 || status == 403)
        return ERR_DENIED;
    return status == 404 ? ERR_NOT_FOUND : ERR_INVALID;
}

int64_t channel_retry_after_ms(const struct http_response *response)
{
    const char *const value = http_header(response, "retry-after");
    char *end = NULL;
    long seconds;

    if (value == NULL || *value < '0' || *value > '9')
        return 0;
    seconds = strtol(value, &end, 10);
    if (*end != '\0')
        return 0;
    return (int64_t)(seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S) * 1000;
}

const char *channel_excerpt(struct arena *arena, const struct http_response *response)
{
    const size_t length =
        response->body_length < EXCERPT_MAX ? response->body_length : EXCERPT_MAX;
    char *const copy = arena_copy(arena, response->body != NULL ? response->body : "", length);

    for (char *c = copy; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    }
    return copy;
}

const char *notice_fact_label(const char *key)
{
    static const struct {
        const char *key;
        const char *label;
    } labels[] = {
        { "status", "Status" },   { "version", "Version" },
        { "percent", "Percent" }, { "flag_status", "Feature flags" },
        { "date", "Date" },       { "environment", "Environment" },
        { "step", "Step" },
    };

    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (strcmp(labels[i].key, key) == 0)
            return labels[i].label;
    }
    return key;
}

const char *notice_fact(const struct notice *notice, const char *key)
{
    return pb_pair(notice->facts, notice->fact_count, key);
}

const char *notice_text(struct arena *arena, const struct notice *notice)
{
    struct text text = text_new(NOTICE_TEXT_MAX);
    const char *copy;

    text_add(&text, "%s\n", notice->title);
    if (notice->text[0] != '\0')
        text_add(&text, "\n%s\n", notice->text);
    for (size_t i = 0; i < notice->fact_count; i++) {
        if (notice->facts[i]->value[0] != '\0')
            text_add(&text,
                     "%s%s: %s\n",
                     i == 0 ? "\n" : "",
                     notice_fact_label(notice->facts[i]->key),
                     notice->facts[i]->value);
    }
    for (size_t i = 0; i < notice->link_count; i++) {
        const Pb__Link *const link = notice->links[i];

        text_add(&text,
                 "%s%s: %s\n",
                 i == 0 ? "\n" : "",
                 link->title[0] != '\0' ? link->title : link->kind,
                 link->url);
    }
    for (size_t i = 0; i < notice->role_count; i++)
        text_add(&text,
                 "%s%s%s",
                 i == 0 ? "\nFor: " : ", ",
                 notice->roles[i],
                 i + 1 == notice->role_count ? "\n" : "");
    copy = arena_text(arena, text.bytes);
    text_release(&text);
    return copy;
}
