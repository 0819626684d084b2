#include "common/drivers/probes/rows.h"

#include <string.h>

const struct probe_driver *const *probe_all(void)
{
    static const struct probe_driver *const rows[] = {
#define PROBE(symbol, ...) &probe_##symbol,
#include "common/config/drivers.def"
        NULL,
    };

    return rows;
}

const struct probe_driver *probe_find(const char *name)
{
    for (const struct probe_driver *const *row = probe_all(); *row != NULL; row++) {
        if (strcmp((*row)->name, name) == 0)
            return *row;
    }
    return NULL;
}

static bool names_instance(const char *text)
{
    return text != NULL &&
           (strstr(text, "{url}") != NULL || strstr(text, "{instance}") != NULL);
}

/* A placeholder that only an instance can fill asks for a target. */
static void check_placeholders(const struct probe_driver *driver,
                               const struct setting_driver *setting,
                               struct yaml_problems *problems)
{
    if (setting->target[0] != '\0')
        return;
    for (const struct option *option = driver->options; option->type != OPTION_END; option++) {
        const struct yaml_node *const value = yaml_find(setting->options, option->name);
        const char *const text = value != NULL ? yaml_text(value) : option->fallback;

        if (option->type == OPTION_TEXT && names_instance(text))
            (void)yaml_complain(problems,
                                value != NULL ? value : setting->options,
                                "target: the name of a target",
                                "probe %s: %s is '%s', but there is no target whose "
                                "instances that could mean",
                                setting->name,
                                option->name,
                                text);
    }
}

static void check_probe(struct arena *arena,
                        const struct setting_driver *setting,
                        struct yaml_problems *problems)
{
    const struct probe_driver *const driver = probe_find(setting->driver);

    if (driver == NULL) {
        (void)yaml_complain(problems,
                            setting->options,
                            "",
                            "probe %s: there is no driver '%s'",
                            setting->name,
                            setting->driver);
        return;
    }
    (void)driver_config(
        arena, driver->options, driver->config_size, setting->options, problems);
    check_placeholders(driver, setting, problems);
    yaml_complain_unused(problems, setting->options);
}

void probes_check(struct arena *arena,
                  const struct settings *settings,
                  struct yaml_problems *problems)
{
    for (size_t i = 0; i < settings->probe_count; i++)
        check_probe(arena, &settings->probes[i], problems);
}
