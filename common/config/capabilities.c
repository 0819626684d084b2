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
#define DEPLOYER(symbol, name, brings, shifts) { DRIVER_DEPLOYER,      name, brings, shifts, false },
#define PROBE(symbol, name, target)            { DRIVER_PROBE,         name, 0,      false,  target },
#define METRIC_SOURCE(symbol, name, target)    { DRIVER_METRIC_SOURCE, name, 0,      false,  target },
#define PROVIDER(symbol, name)                 { DRIVER_PROVIDER,      name, 0,      false,  false },
#define CHANNEL(symbol, name)                  { DRIVER_CHANNEL,       name, 0,      false,  false },

static const struct capability table[] = {
#include "common/config/drivers.def"
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
