#include "common/config/capabilities.h"

#include "common/config/nearest.h"
#include "common/wire/pb.h"

#include <string.h>

#define BRINGS(kind) (1U << PB__ARTIFACT_KIND__##kind)

enum {
    FILES = BRINGS(CONFIGURATION) | BRINGS(ENVIRONMENT) | BRINGS(BACKEND) | BRINGS(MIDDLEWARE) |
            BRINGS(FRONTEND),
    ANYTHING = FILES | BRINGS(INFRASTRUCTURE) | BRINGS(THIRD_PARTY) | BRINGS(MIGRATION) |
               BRINGS(FLAG_DEFINITION),
    NAMES_MAX = 16,
};

/* clang-format off */
static const struct capability table[] = {
    { DRIVER_DEPLOYER,      "release-directory", FILES,    true,  false },
    { DRIVER_DEPLOYER,      "command",           ANYTHING, true,  false },
    { DRIVER_PROBE,         "http",              0,        false, false },
    { DRIVER_PROBE,         "tcp",               0,        false, false },
    { DRIVER_PROBE,         "command",           0,        false, false },
    { DRIVER_PROBE,         "version",           0,        false, true },
    { DRIVER_PROBE,         "configuration",     0,        false, true },
    { DRIVER_PROBE,         "metric",            0,        false, false },
    { DRIVER_PROBE,         "flag",              0,        false, false },
    { DRIVER_PROBE,         "log",               0,        false, false },
    { DRIVER_METRIC_SOURCE, "prometheus",        0,        false, false },
    { DRIVER_METRIC_SOURCE, "scrape",            0,        false, true },
    { DRIVER_PROVIDER,      "builtin",           0,        false, false },
    { DRIVER_CHANNEL,       "jira",              0,        false, false },
    { DRIVER_CHANNEL,       "webhook",           0,        false, false },
    { DRIVER_CHANNEL,       "mail",              0,        false, false },
    { DRIVER_CHANNEL,       "slack",             0,        false, false },
    { DRIVER_CHANNEL,       "teams",             0,        false, false },
    { DRIVER_CHANNEL,       "cdevents",          0,        false, false },
};
/* clang-format on */

const struct capability *capabilities(size_t *ret_count)
{
    *ret_count = sizeof table / sizeof table[0];
    return table;
}

const struct capability *capability_find(enum driver_kind kind, const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].kind == kind && strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

const char *capability_nearest(enum driver_kind kind, const char *name)
{
    const char *names[NAMES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].kind == kind && count < NAMES_MAX)
            names[count++] = table[i].name;
    return nearest_name(name, names, count);
}
