#include "common/drivers/metric_sources/rows.h"

#include <string.h>

const struct metric_source_driver *const *metric_source_all(void)
{
    static const struct metric_source_driver *const rows[] = {
        &metric_source_prometheus,
        &metric_source_scrape,
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

void metric_sources_check(struct arena *arena,
                          const struct settings *settings,
                          struct yaml_problems *problems)
{
    for (size_t i = 0; i < settings->metric_source_count; i++) {
        const struct setting_driver *const setting = &settings->metric_sources[i];
        const struct metric_source_driver *const driver = metric_source_find(setting->driver);

        if (driver == NULL)
            (void)yaml_complain(problems,
                                setting->options,
                                "prometheus or scrape",
                                "metric source %s: there is no driver '%s'",
                                setting->name,
                                setting->driver);
        else
            (void)driver_config(
                arena, driver->options, driver->config_size, setting->options, problems);
    }
}
