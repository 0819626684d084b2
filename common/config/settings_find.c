/* Settings by name. */
#include "common/config/settings_read.h"

/* clang-format off */
#define FIND(function, type, kind, array, number)                                              \
    const struct type *function(const struct settings *settings, const char *name)             \
    {                                                                                          \
        return named_find(NAMED(kind, settings->array, settings->number), name);               \
    }

FIND(settings_target,        setting_target,      "target",        targets,        target_count)
FIND(settings_policy,        setting_policy,      "policy",        policies,       policy_count)
FIND(settings_environment,   setting_environment, "environment",   environments,   environment_count)
FIND(settings_probe,         setting_driver,      "probe",         probes,         probe_count)
FIND(settings_metric_source, setting_driver,      "metric source", metric_sources, metric_source_count)
FIND(settings_provider,      setting_driver,      "provider",      providers,      provider_count)
FIND(settings_channel,       setting_driver,      "channel",       channels,       channel_count)
FIND(settings_role,          setting_role,        "role",          roles,          role_count)
FIND(settings_window,        setting_window,      "window",        windows,        window_count)
/* clang-format on */
