#include "common/drivers/providers/rows.h"

#include <string.h>

const struct provider_driver *const *provider_all(void)
{
    static const struct provider_driver *const rows[] = {
#define PROVIDER(symbol, ...) &provider_##symbol,
#include "common/config/drivers.def"
        NULL,
    };

    return rows;
}

const struct provider_driver *provider_find(const char *name)
{
    for (const struct provider_driver *const *row = provider_all(); *row != NULL; row++) {
        if (strcmp((*row)->name, name) == 0)
            return *row;
    }
    return NULL;
}

void providers_check(struct arena *arena,
                     const struct settings *settings,
                     struct yaml_problems *problems)
{
    for (size_t i = 0; i < settings->provider_count; i++) {
        const struct setting_driver *const setting = &settings->providers[i];
        const struct provider_driver *const driver = provider_find(setting->driver);

        if (driver == NULL)
            (void)yaml_complain(problems,
                                setting->options,
                                "",
                                "flag provider %s: there is no driver '%s'",
                                setting->name,
                                setting->driver);
        else
            (void)driver_config(
                arena, driver->options, driver->config_size, setting->options, problems);
        yaml_complain_unused(problems, setting->options);
    }
}

/* A provider, ready to be called. */
struct opened {
    const struct provider_driver *driver;
    const void *config;
};

static const char *provider_name(const struct driver_env *env,
                                 const Pb__FlagSpec *flag,
                                 const char *environment)
{
    const struct setting_environment *const setting =
        settings_environment(env->settings, environment);

    if (flag->provider[0] != '\0')
        return flag->provider;
    return setting != NULL && setting->provider != NULL ? setting->provider : "";
}

static enum err provider_open(const struct driver_env *env,
                              const Pb__FlagSpec *flag,
                              const char *environment,
                              struct opened *ret,
                              struct error *error)
{
    const char *const name = provider_name(env, flag, environment);
    const struct setting_driver *const setting = settings_provider(env->settings, name);
    struct yaml_problems *problems;

    ret->driver = setting != NULL ? provider_find(setting->driver) : NULL;
    if (ret->driver == NULL)
        return error_set(error,
                         ERR_INVALID,
                         "flag %.100s in %.60s: provider '%.60s' is not configured here",
                         flag->key,
                         environment,
                         name);
    problems = arena_alloc(env->arena, sizeof *problems);
    problems->arena = env->arena;
    ret->config = driver_config(
        env->arena, ret->driver->options, ret->driver->config_size, setting->options, problems);
    if (ret->config == NULL)
        return error_set(error,
                         ERR_INVALID,
                         "flag provider %s: %s",
                         name,
                         problems->count > 0 ? problems->item[0].message : "wrong options");
    return ERR_OK;
}

enum err provider_set(const struct driver_env *env,
                      const Pb__FlagSpec *flag,
                      const char *environment,
                      const struct flag_value *wanted,
                      struct error *error)
{
    struct opened provider;
    const enum err err = provider_open(env, flag, environment, &provider, error);

    return err != ERR_OK
               ? err
               : provider.driver->set(env, provider.config, flag, environment, wanted, error);
}

enum err provider_read(const struct driver_env *env,
                       const Pb__FlagSpec *flag,
                       const char *environment,
                       struct flag_reading *ret,
                       struct error *error)
{
    struct opened provider;
    const enum err err = provider_open(env, flag, environment, &provider, error);

    return err != ERR_OK
               ? err
               : provider.driver->read(env, provider.config, flag, environment, ret, error);
}

enum err provider_available(const struct driver_env *env,
                            const Pb__FlagSpec *flag,
                            const char *environment,
                            struct error *error)
{
    struct opened provider;
    const enum err err = provider_open(env, flag, environment, &provider, error);

    return err != ERR_OK ? err : provider.driver->available(env, provider.config, error);
}
