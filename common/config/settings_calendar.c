/* Sections windows, freezes and environments. */
#include "common/config/settings_read.h"
#include "common/config/zone.h"
#include "common/wire/envelope.h"

#include <string.h>

enum { MINUTES_A_DAY = 24 * 60 };

struct window_options {
    const char *from;
    const char *to;
    const char *zone;
    struct option_texts days;
    const char *opens;
    const char *closes;
};

struct freeze_options {
    const char *from;
    const char *to;
};

/* clang-format off */
static const struct option window_name_table[] = {
    TEXT_OPTION(struct setting_window, name, "name", NULL, "what policies call it"),
    OPTIONS_END,
};
static const struct option window_table[] = {
    LIST_OPTION(struct window_options, days, "days", "", "mon to sun"),
    TEXT_OPTION(struct window_options, from, "from", "00:00", "hour and minute, on the clocks of zone"),
    TEXT_OPTION(struct window_options, to, "to", "24:00", "hour and minute; at or before from: of the next day"),
    TEXT_OPTION(struct window_options, zone, "zone", "UTC", "Europe/Berlin"),
    TEXT_OPTION(struct window_options, opens, "opens", "", "a single period instead: its beginning, RFC 3339"),
    TEXT_OPTION(struct window_options, closes, "closes", "", "its end"),
    OPTIONS_END,
};
static const struct option freeze_table[] = {
    TEXT_OPTION(struct setting_freeze, id, "id", NULL, "what people call it"),
    TEXT_OPTION(struct setting_freeze, scope, "scope", NULL, "environment/* or environment/service"),
    TEXT_OPTION(struct setting_freeze, reason, "reason", NULL, "why nothing may change"),
    OPTIONS_END,
};
static const struct option freeze_time_table[] = {
    TEXT_OPTION(struct freeze_options, from, "from", NULL, "its beginning, RFC 3339"),
    TEXT_OPTION(struct freeze_options, to, "to", NULL, "its end, RFC 3339"),
    OPTIONS_END,
};
static const struct option environment_table[] = {
    TEXT_OPTION(struct setting_environment, name, "name", NULL, "what features and targets name"),
    TEXT_OPTION(struct setting_environment, policy, "policy", NULL, "a configured policy"),
    TEXT_OPTION(struct setting_environment, provider, "provider", NULL, "where its flags live: a configured provider"),
    OPTIONS_END,
};
/* clang-format on */

/* "08:30" as minutes of the day; "24:00" is its end. */
static bool minute_of(const char *text, uint32_t *ret)
{
    static const size_t places[] = { 0, 1, 3, 4 };
    uint32_t minute;

    if (strlen(text) != 5 || text[2] != ':')
        return false;
    for (size_t i = 0; i < 4; i++)
        if (text[places[i]] < '0' || text[places[i]] > '9')
            return false;
    minute = ((uint32_t)(text[0] - '0') * 10 + (uint32_t)(text[1] - '0')) * 60 +
             (uint32_t)(text[3] - '0') * 10 + (uint32_t)(text[4] - '0');
    if (text[3] > '5' || minute > MINUTES_A_DAY)
        return false;
    *ret = minute;
    return true;
}

static void read_minute(struct settings_reader *reader,
                        const struct yaml_node *node,
                        const char *key,
                        const char *text,
                        uint32_t *ret)
{
    if (!minute_of(text, ret))
        (void)yaml_complain(reader->problems,
                            yaml_find(node, key),
                            "hour and minute, such as 08:30, in quotes",
                            "%s.%s is %.20s",
                            node->path,
                            key,
                            text);
}

static void read_time(struct settings_reader *reader,
                      const struct yaml_node *node,
                      const char *key,
                      const char *text,
                      int64_t *ret_ms)
{
    *ret_ms = envelope_parse_time(text);
    if (*ret_ms < 0)
        (void)yaml_complain(reader->problems,
                            yaml_find(node, key) != NULL ? yaml_find(node, key) : node,
                            "a time such as \"2026-11-26T18:00:00Z\"",
                            "%s.%s is %.40s",
                            node->path,
                            key,
                            *text != '\0' ? text : "missing");
}

static void read_days(struct settings_reader *reader,
                      const struct yaml_node *node,
                      struct option_texts days,
                      Pb__Window *spec)
{
    static const char names[] = "mon tue wed thu fri sat sun";
    static const char expected[] = "one of: mon, tue, wed, thu, fri, sat, sun";

    for (size_t i = 0; i < days.count; i++) {
        const char *const found =
            strlen(days.items[i]) == 3 ? strstr(names, days.items[i]) : NULL;

        if (found == NULL || (found - names) % 4 != 0)
            (void)yaml_complain(reader->problems,
                                yaml_find(node, "days"),
                                expected,
                                "%s.days names %.20s",
                                node->path,
                                days.items[i]);
        else if (spec->n_days < 7)
            PB_APPEND(reader->arena, spec, days, (uint32_t)((found - names) / 4) + 1);
    }
    if (spec->n_days == 0)
        (void)yaml_complain(reader->problems, node, expected, "%s.days is missing", node->path);
}

static void read_period(struct settings_reader *reader,
                        const struct yaml_node *node,
                        const struct window_options *options,
                        Pb__Window *spec)
{
    read_time(reader, node, "opens", options->opens, &spec->opens_ms);
    read_time(reader, node, "closes", options->closes, &spec->closes_ms);
    if (spec->opens_ms >= 0 && spec->closes_ms >= 0 && spec->closes_ms <= spec->opens_ms)
        (void)yaml_complain(reader->problems,
                            yaml_find(node, "closes"),
                            "a later time",
                            "%s closes before it opens",
                            node->path);
}

static void read_window(struct settings_reader *reader,
                        const struct yaml_node *node,
                        void *item)
{
    struct setting_window *const window = item;
    struct window_options options = { 0 };
    struct error error = { 0 };
    const struct zone *zone;

    (void)options_read(window_name_table, node, window, reader->problems);
    if (options_read(window_table, node, &options, reader->problems) != ERR_OK)
        return;
    window->spec = pb_new(reader->arena, &pb__window__descriptor);
    window->spec->name = window->name != NULL ? window->name : "";
    window->spec->zone = options.zone;
    if (zone_load(reader->arena, options.zone, &zone, &error) != ERR_OK)
        (void)yaml_complain(reader->problems,
                            yaml_find(node, "zone"),
                            "a name such as Europe/Berlin",
                            "%s.zone: %s",
                            node->path,
                            error.text);
    if (*options.opens != '\0' || *options.closes != '\0') {
        read_period(reader, node, &options, window->spec);
        return;
    }
    read_days(reader, node, options.days, window->spec);
    read_minute(reader, node, "from", options.from, &window->spec->from_minute);
    read_minute(reader, node, "to", options.to, &window->spec->to_minute);
}

/* Is it "<environment>/<service>", or a star for all services? */
static bool is_scope(const char *scope)
{
    const char *const slash = strchr(scope, '/');
    char environment[64];

    if (slash == NULL || (size_t)(slash - scope) >= sizeof environment)
        return false;
    memcpy(environment, scope, (size_t)(slash - scope));
    environment[slash - scope] = '\0';
    return is_name(environment) && (strcmp(slash, "/*") == 0 || is_name(slash + 1));
}

static void read_freeze(struct settings_reader *reader,
                        const struct yaml_node *node,
                        void *item)
{
    struct setting_freeze *const freeze = item;
    struct freeze_options options = { 0 };
    bool complete;

    complete = options_read(freeze_table, node, freeze, reader->problems) == ERR_OK;
    if (options_read(freeze_time_table, node, &options, reader->problems) != ERR_OK ||
        !complete)
        return;
    if (!is_scope(freeze->scope))
        (void)yaml_complain(reader->problems,
                            yaml_find(node, "scope"),
                            "production/* or production/checkout",
                            "%s.scope is %.120s",
                            node->path,
                            freeze->scope);
    read_time(reader, node, "from", options.from, &freeze->from_ms);
    read_time(reader, node, "to", options.to, &freeze->to_ms);
    if (freeze->from_ms >= 0 && freeze->to_ms >= 0 && freeze->to_ms <= freeze->from_ms)
        (void)yaml_complain(reader->problems,
                            yaml_find(node, "to"),
                            "a later time",
                            "%s ends before it begins",
                            node->path);
}

static void read_environment(struct settings_reader *reader,
                             const struct yaml_node *node,
                             void *item)
{
    (void)options_read(environment_table, node, item, reader->problems);
}

void read_calendar(struct settings_reader *reader, const struct yaml_node *root)
{
    static const struct list_spec windows = { "windows",
                                              sizeof(struct setting_window),
                                              read_window };
    static const struct list_spec freezes = { "freezes",
                                              sizeof(struct setting_freeze),
                                              read_freeze };
    static const struct list_spec environments = { "environments",
                                                   sizeof(struct setting_environment),
                                                   read_environment };
    struct settings *const settings = reader->settings;

    settings->windows = read_items(reader, root, &windows, &settings->window_count);
    settings->freezes = read_items(reader, root, &freezes, &settings->freeze_count);
    settings->environments =
        read_items(reader, root, &environments, &settings->environment_count);
}
