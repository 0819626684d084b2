#include "common/drivers/metric_sources/rows.h"

#include <string.h>

const struct metric_source_driver *const *metric_source_all(void)
{
    static const struct metric_source_driver *const rows[] = {
#define METRIC_SOURCE(symbol, ...) &metric_source_##symbol,
#include "common/config/drivers.def"
        NULL,
    };

    return rows;
}

const struct metric_source_driver *metric_source_find(const char *name)
{
    for (const struct metric_source_driver *const *row = metric_source_all(); *row; row++) {
        if (strcmp((*row)->name, name) == 0)
            return *row;
    }
    return NULL;
}

static void check_source(struct arena *arena,
                         const struct setting_driver *setting,
                         struct yaml_problems *problems)
{
    const struct metric_source_driver *const driver = metric_source_find(setting->driver);

    if (driver == NULL) {
        (void)yaml_complain(problems,
                            setting->options,
                            "",
                            "metric source %s: there is no driver '%s'",
                            setting->name,
                            setting->driver);
        return;
    }
    (void)driver_config(
        arena, driver->options, driver->config_size, setting->options, problems);
    yaml_complain_unused(problems, setting->options);
}

void metric_sources_check(struct arena *arena,
                          const struct settings *settings,
                          struct yaml_problems *problems)
{
    for (size_t i = 0; i < settings->metric_source_count; i++)
        check_source(arena, &settings->metric_sources[i], problems);
}
